//! Who asks again and again, and is answered no more, or never was.

use std::fmt::Write as _;

use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::FAMILIES;

/// The lines of one family end with another host's packet, so that silence is observed.
const LAST: &str = "90.0 OTHER.514 > VIP.514: SYSLOG local0.info, length: 50";

#[test]
fn a_service_that_dies_while_it_is_polled_is_no_call_that_ends() {
    let answered = (0..30).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "{at}.0 DEVICE.40000 > VIP.7000: UDP, length {}", 20 + at);
        let _ = writeln!(text, "{at}.01 VIP.7000 > DEVICE.40000: UDP, length {}", 60 + at);
        text
    });
    let refused = |times: u32| {
        (30..30 + times).fold(String::new(), |mut text, at| {
            let _ = writeln!(text, "{at}.0 DEVICE.40000 > VIP.7000: UDP, length {}", 20 + at);
            let _ = writeln!(text, "{at}.01 closed VIP DEVICE VIP 7000");
            text
        })
    };
    for family in &FAMILIES {
        for (times, end) in [(5, LAST), (5, ""), (1, LAST), (13, "")] {
            let text = format!("{answered}{}{end}", refused(times));
            let report = family.report(&text.lines().collect::<Vec<_>>());
            assert_eq!(report.verdict, Verdict::Rejected, "{times} {end} {}", family.ip);
            let finding = &report.devices[0].findings[0];
            assert_eq!(finding.cause, Cause::PortUnreachable, "{times} {end}");
            assert!(finding.explanation.contains("the server has stopped"), "{times} {end}");
            assert!(!finding.remedies.is_empty(), "{times} {end}");
        }
    }
}

#[test]
fn a_call_that_ends_is_no_service_that_dies() {
    for family in &FAMILIES {
        let mut text = String::new();
        for packet in 0..200_u32 {
            let at = f64::from(packet) * 0.02;
            let _ = writeln!(text, "{at:.3} DEVICE.4000 > VIP.4002: UDP, length 172");
            let from_other_side = if packet < 150 {
                "VIP.4002 > DEVICE.4000: UDP, length 172"
            } else if packet % 10 == 0 {
                "closed VIP DEVICE VIP 4002"
            } else {
                continue;
            };
            let _ = writeln!(text, "{:.3} {from_other_side}", at + 0.007);
        }
        text.push_str(LAST);
        let report = family.report(&text.lines().collect::<Vec<_>>());
        let mut exchanges = report.devices.iter().flat_map(|device| &device.exchanges);
        let call = exchanges.find(|exchange| exchange.protocol == Protocol::Udp).unwrap();
        assert_eq!(call.verdict, Verdict::Symmetric, "{}", family.ip);
    }
}

#[test]
fn the_same_question_under_new_identities_is_one_request() {
    // lines, title, confidence
    let cases = [
        (
            [
                "0.2 DEVICE.40000 > VIP.53: 1001+ A? a.example. (27)",
                "5.2 DEVICE.40000 > VIP.53: 2002+ A? a.example. (27)",
                "10.2 DEVICE.40000 > VIP.53: 3003+ A? a.example. (27)",
            ],
            "sent 3 times, no answer",
            Confidence::Likely,
        ),
        (
            [
                "0.2 DEVICE.40000 > VIP.53: 1001+ A? a.example. (27)",
                "5.2 DEVICE.40000 > VIP.53: 2002+ A? b.example. (27)",
                "10.2 DEVICE.40000 > VIP.53: 3003+ A? c.example. (27)",
            ],
            "3 DNS requests to",
            Confidence::Possible,
        ),
        (
            [
                "0.2 DEVICE.40000 > VIP.53: 1001+ A? a.example. (27)",
                "0.3 DEVICE.40000 > VIP.53: 2002+ AAAA? a.example. (27)",
                "5.2 DEVICE.40000 > VIP.53: 3003+ A? a.example. (27)",
            ],
            "2 DNS requests to",
            Confidence::Likely,
        ),
    ];
    for family in &FAMILIES {
        for (asks, title, confidence) in &cases {
            let lines: Vec<&str> = asks.iter().copied().chain([LAST]).collect();
            let report = family.report(&lines);
            assert_eq!(report.verdict, Verdict::Unanswered, "{asks:?}");
            let mut devices = report.devices.iter();
            let finding = devices.find_map(|device| device.findings.first()).unwrap();
            assert!(finding.title.contains(title), "{asks:?}: {}", finding.title);
            assert_eq!(finding.confidence, *confidence, "{asks:?}");
        }
    }
}
