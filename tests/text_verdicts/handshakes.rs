//! Handshakes of TCP, and ICMP errors about them.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, causes};

#[test]
fn tcp_is_told_of_only_where_somebody_else_answers() {
    let syn = "0.0 DEVICE.41226 > VIP.443: Flags [S], seq 1000, win 64240, length 0";
    let cases: [(&str, Vec<&str>, Option<Verdict>); 5] = [
        (
            "ordinary",
            vec![
                syn,
                "0.1 VIP.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0",
                "0.2 DEVICE.41226 > VIP.443: Flags [.], ack 1, win 502, length 0",
            ],
            None,
        ),
        (
            "another connection",
            vec![
                syn,
                "0.1 NODE.443 > DEVICE.41226: Flags [S.], seq 7, ack 2001, win 65160, length 0",
                "0.2 DEVICE.41226 > NODE.443: Flags [R], seq 2001, win 0, length 0",
            ],
            None,
        ),
        (
            "reset",
            vec![
                syn,
                "0.1 NODE.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0",
                "0.2 DEVICE.41226 > NODE.443: Flags [R], seq 1001, win 0, length 0",
            ],
            Some(Verdict::Broken),
        ),
        (
            "ignored",
            vec![
                syn,
                "0.1 NODE.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0",
                "1.0 DEVICE.41226 > VIP.443: Flags [S], seq 1000, win 64240, length 0",
            ],
            Some(Verdict::Broken),
        ),
        (
            "the capture ends",
            vec![
                syn,
                "0.1 NODE.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0",
            ],
            Some(Verdict::Inconclusive),
        ),
    ];
    for family in &FAMILIES {
        for (name, lines, expected) in &cases {
            let report = family.report(lines);
            let verdict = report.devices.first().map(|device| device.verdict);
            assert_eq!(verdict, *expected, "{name} {}", family.ip);
            let Some(exchange) = report.devices.first().map(|device| &device.exchanges[0]) else {
                continue;
            };
            assert_eq!(exchange.protocol, Protocol::Tcp, "{name}");
            assert!(exchange.display_filter.contains("tcp.port == 41226"), "{name}");
            assert_ne!(exchange.request.as_ref().unwrap().destination, exchange.replies[0].source);
        }
    }
}

/// A name, lines, the verdict if anything is told, and its causes.
type HandshakeCase<'a> = (&'a str, Vec<&'a str>, Option<Verdict>, &'a [Cause]);

#[test]
fn an_icmp_error_about_a_handshake_is_told_as_one_about_a_datagram() {
    let syn = "0.0 DEVICE.41226 > VIP.443: Flags [S], seq 1000, win 64240, length 0";
    let again = "1.0 DEVICE.41226 > VIP.443: Flags [S], seq 1000, win 64240, length 0";
    let answer = "1.1 VIP.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0";
    let refused = "0.1 refuse VIP DEVICE VIP 443";
    let rejected = Some(Verdict::Rejected);
    let cases: [HandshakeCase<'_>; 9] = [
        ("refused", vec![syn, refused], rejected, &[Cause::PortUnreachable]),
        (
            "out of reach",
            vec![syn, again, "3.1 unreachable ROUTER DEVICE VIP"],
            rejected,
            &[Cause::HostUnreachable],
        ),
        (
            "reset after it",
            vec![syn, refused, "0.2 VIP.443 > DEVICE.41226: Flags [R.], seq 0, ack 1001, win 0"],
            rejected,
            &[Cause::PortUnreachable],
        ),
        (
            "answered after all",
            vec![syn, refused, again, answer],
            Some(Verdict::Symmetric),
            &[Cause::PortUnreachable],
        ),
        (
            "the answer is refused",
            vec![syn, again, answer, "1.2 refuse DEVICE VIP DEVICE 41226"],
            rejected,
            &[Cause::PortUnreachable],
        ),
        (
            "the answer from elsewhere is refused",
            vec![
                syn,
                "0.1 NODE.443 > DEVICE.41226: Flags [S.], seq 7, ack 1001, win 65160, length 0",
                "0.2 refuse DEVICE NODE DEVICE 41226",
                again,
            ],
            Some(Verdict::Broken),
            &[Cause::ReplyRejected, Cause::ReplyIgnored],
        ),
        ("another port", vec![syn, "0.1 refuse VIP DEVICE VIP 444", again, answer], None, &[]),
        ("answered before", vec![syn, again, answer, "1.2 refuse VIP DEVICE VIP 443"], None, &[]),
        (
            "a route is traced",
            vec![syn, "0.1 ROUTER > DEVICE: ICMP time exceeded in-transit, length 36"],
            None,
            &[],
        ),
    ];
    for family in &FAMILIES {
        for (name, lines, expected, found) in &cases {
            let report = family.report(lines);
            let verdict = report.devices.first().map(|device| device.verdict);
            assert_eq!(verdict, *expected, "{name} {}: {report:#?}", family.ip);
            for cause in *found {
                assert!(causes(&report).contains(cause), "{name} {}: {report:#?}", family.ip);
            }
            let Some(device) = report.devices.first() else { continue };
            assert_eq!(device.exchanges[0].protocol, Protocol::Tcp, "{name}");
            // What is advised fits TCP.
            let remedies = device.findings.iter().flat_map(|finding| &finding.remedies);
            for text in remedies.flat_map(|remedy| remedy.steps.iter().chain(&remedy.commands)) {
                assert!(!text.contains("UDP") && !text.contains("udp"), "{name}: {text}");
                assert!(!text.contains("ss -ulpn"), "{name}: {text}");
            }
        }
    }
}
