//! Ports of one-way protocols at which something else is served.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, causes};

/// The ports that only guess: syslog's, flow exports', metrics'.
const PORTS: [u16; 7] = [514, 2055, 9995, 9996, 4739, 6343, 8125];

#[test]
fn what_is_answered_at_a_collectors_port_is_no_report() {
    for family in &FAMILIES {
        for port in PORTS {
            let asks = format!("0.0 DEVICE.51175 > VIP.{port}: UDP, length 39");
            let answer = format!("0.013 VIP.{port} > DEVICE.51175: UDP, length 55");
            let moved = format!("0.013 NODE.{port} > DEVICE.51175: UDP, length 55");
            let refused = "0.0131 closed DEVICE NODE DEVICE 51175";
            let cases = [
                ("answered", vec![&*asks, &answer], Protocol::Udp, Verdict::Symmetric, None),
                (
                    "answered by another",
                    vec![&asks, &moved],
                    Protocol::Udp,
                    Verdict::Tolerated,
                    Some(Cause::ReplySourceNotRequested),
                ),
                (
                    "and refused",
                    vec![&asks, &moved, refused],
                    Protocol::Udp,
                    Verdict::Broken,
                    Some(Cause::ReplyRejected),
                ),
            ];
            for (name, lines, protocol, verdict, cause) in cases {
                let report = family.report(&lines);
                let name = format!("{name}, {port}, {}", family.ip);
                assert_eq!(report.verdict, verdict, "{name}: {}", report.headline);
                assert_eq!(report.devices[0].exchanges[0].protocol, protocol, "{name}");
                let found = causes(&report);
                assert!(cause.is_none_or(|cause| found.contains(&cause)), "{name}: {found:?}");
            }
        }
    }
}

#[test]
fn relays_that_log_to_each_other_are_two_senders() {
    for family in &FAMILIES {
        let report = family.report(&[
            "0.0 DEVICE.514 > VIP.514: SYSLOG local0.info, length: 50",
            "0.1 VIP.514 > DEVICE.514: SYSLOG local0.info, length: 61",
            "5.0 DEVICE.514 > VIP.514: SYSLOG local0.info, length: 52",
            "5.1 VIP.514 > DEVICE.514: SYSLOG local0.info, length: 63",
        ]);
        assert_eq!((report.verdict, report.devices.len()), (Verdict::OneWay, 2), "{}", family.ip);
        for exchange in report.devices.iter().flat_map(|device| &device.exchanges) {
            assert_eq!(exchange.request.as_ref().unwrap().packets, 2, "{}", family.ip);
            assert!(exchange.replies.is_empty(), "{}", family.ip);
        }
        assert_eq!(causes(&report), [], "{}", family.ip);
    }
}

#[test]
fn reports_stay_one_way() {
    let cases: [(&str, &[&str]); 5] = [
        ("nobody answers", &["0.0 DEVICE.40000 > VIP.2055: UDP, length 1464"]),
        (
            "it says what it is, and something comes back by chance",
            &[
                "0.0 DEVICE.40000 > VIP.514: SYSLOG local0.info, length: 50",
                "0.1 VIP.514 > DEVICE.40000: UDP, length 8",
                "5.0 DEVICE.40000 > VIP.514: SYSLOG local0.info, length: 61",
                "9.0 DEVICE.40000 > VIP.514: SYSLOG local0.info, length: 72",
            ],
        ),
        (
            "two hosts that send each other theirs",
            &[
                "0.0 DEVICE.514 > VIP.514: UDP, length 50",
                "0.1 VIP.514 > DEVICE.514: UDP, length 61",
            ],
        ),
        (
            "from one collector's port to another's",
            &[
                "0.0 DEVICE.2055 > VIP.9995: UDP, length 1464",
                "0.1 VIP.9995 > DEVICE.2055: UDP, length 1464",
            ],
        ),
        (
            "something from another port",
            &[
                "0.0 DEVICE.40000 > VIP.8125: UDP, length 20",
                "0.1 VIP.5000 > DEVICE.40000: UDP, length 20",
            ],
        ),
    ];
    for family in &FAMILIES {
        for (name, lines) in &cases {
            let report = family.report(lines);
            assert_eq!(report.verdict, Verdict::OneWay, "{name} {}", family.ip);
            assert_eq!(causes(&report), [], "{name} {}", family.ip);
        }
    }
}
