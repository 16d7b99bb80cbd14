//! Ports of a service at both ends, in text that shows little of what is said.

use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, causes};

/// What a packet says, when it comes, and how the exchange went.
type Case = (&'static str, Protocol, &'static [&'static str], &'static str, Verdict);

#[test]
fn who_asks_after_growing_pauses_asks_in_vain() {
    let sip = "DEVICE.5060 > VIP.5060: SIP, length: 400";
    let doubling: &[&str] = &["0.2", "0.7", "1.7", "3.7", "7.7"];
    let cases: [Case; 8] = [
        ("timer A", Protocol::Sip, doubling, sip, Verdict::Unanswered),
        ("three", Protocol::Sip, &["0.2", "0.7", "1.7"], sip, Verdict::Unanswered),
        ("two", Protocol::Sip, &["0.2", "0.7"], sip, Verdict::Inconclusive),
        // As answers to a poll come.
        ("one pace", Protocol::Sip, &["0.2", "5.2", "10.2", "15.2"], sip, Verdict::Inconclusive),
        (
            "a name server",
            Protocol::Dns,
            &["0.2", "4.2", "11.2", "30.2"],
            "DEVICE.53 > VIP.53: UDP, length 40",
            Verdict::Unanswered,
        ),
        (
            "many answers at once",
            Protocol::Dns,
            &["0.2", "0.21", "0.23", "0.4", "1.4"],
            "DEVICE.53 > VIP.53: UDP, length 400",
            Verdict::Inconclusive,
        ),
        (
            "line ends that keep a way open",
            Protocol::Sip,
            doubling,
            "DEVICE.5060 > VIP.5060: SIP, length: 4",
            Verdict::OneWay,
        ),
        (
            "an ephemeral port",
            Protocol::Sip,
            &["0.2", "0.7"],
            "DEVICE.40000 > VIP.5060: SIP, length: 400",
            Verdict::Unanswered,
        ),
    ];
    check(&cases);
}

#[test]
fn tcpdump_says_who_opens_an_association() {
    let at: &[&str] = &["0.2", "4.2", "11.2", "24.2"];
    let says: [(&str, Verdict); 5] = [
        ("isakmp: parent_sa ikev2_init[I]", Verdict::Unanswered),
        ("isakmp: phase 1 I ident", Verdict::Unanswered),
        ("isakmp: phase 1 I agg", Verdict::Unanswered),
        ("isakmp: parent_sa ikev2_init[R]", Verdict::Inconclusive),
        ("isakmp: phase 2/others I oakley-quick[E]", Verdict::Inconclusive),
    ];
    for (words, verdict) in says {
        let line = format!("DEVICE.500 > VIP.500: {words}").leak();
        check(&[(words, Protocol::Ike, at, line, verdict)]);
    }
}

#[test]
fn an_association_that_is_answered_is_not_in_vain() {
    for family in &FAMILIES {
        let report = family.report(&[
            "0.0 DEVICE.500 > VIP.500: isakmp: phase 1 I ident",
            "0.1 VIP.500 > DEVICE.500: isakmp: phase 1 R ident",
            "0.2 DEVICE.500 > VIP.500: isakmp: phase 1 I ident",
            "0.3 VIP.500 > DEVICE.500: isakmp: phase 1 R ident",
            "0.4 DEVICE.500 > VIP.500: isakmp: phase 1 I ident[E]",
            "0.5 VIP.500 > DEVICE.500: isakmp: phase 1 R ident[E]",
            "40.0 OTHER.40000 > ROUTER.514: SYSLOG local0.info, length: 50",
        ]);
        let mut exchanges = report.devices.iter().flat_map(|device| &device.exchanges);
        let ike = exchanges.find(|one| one.protocol == Protocol::Ike).unwrap();
        assert_eq!(ike.verdict, Verdict::Symmetric, "{}", family.ip);
        assert_eq!(causes(&report), [], "{}", family.ip);
    }
}

fn check(cases: &[Case]) {
    for family in &FAMILIES {
        for (name, protocol, times, line, verdict) in cases {
            let mut lines: Vec<String> = times.iter().map(|at| format!("{at} {line}")).collect();
            lines.push("60.0 OTHER.40000 > ROUTER.514: SYSLOG local0.info, length: 50".to_owned());
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let report = family.report(&lines);
            let mut exchanges = report.devices.iter().flat_map(|device| &device.exchanges);
            let exchange = exchanges.find(|one| one.protocol == *protocol).unwrap();
            assert_eq!(exchange.verdict, *verdict, "{name} {}", family.ip);
            let mut findings = report.devices.iter().flat_map(|device| &device.findings);
            let found = findings.find(|finding| finding.cause == Cause::RequestUnanswered);
            assert_eq!(found.is_some(), *verdict == Verdict::Unanswered, "{name} {}", family.ip);
            // What no word tells is not certain.
            let confidence = found.map(|finding| finding.confidence);
            assert!(confidence <= Some(Confidence::Likely), "{name} {}", family.ip);
        }
    }
}
