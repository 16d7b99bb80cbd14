//! Requests, their answers, and who counts as a device.

use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, read};

#[test]
fn a_request_at_the_captures_end_says_nothing_of_its_device() {
    let answered = [
        "0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)",
        "0.1 VIP.53 > DEVICE.5001: 1 1/0/0 A 192.0.2.80 (36)",
    ];
    let open = "9.5 DEVICE.5002 > VIP.53: 2+ A? b.example. (20)";
    let cases = [
        ("open", vec![open], "9.9 ask ROUTER OTHER", Verdict::Symmetric),
        ("waited for", vec![open], "19.9 ask ROUTER OTHER", Verdict::Unanswered),
        (
            "asked again",
            vec![open, "9.8 DEVICE.5002 > VIP.53: 2+ A? b.example. (20)"],
            "10.9 ask ROUTER OTHER",
            Verdict::Unanswered,
        ),
    ];
    for family in &FAMILIES {
        for (name, more, end, expected) in &cases {
            let lines: Vec<&str> = answered.iter().chain(more).copied().chain([*end]).collect();
            let report = family.report(&lines);
            assert_eq!(report.verdict, *expected, "{name} {}", family.ip);
            let device = &report.devices[0];
            assert_eq!(device.exchanges.len(), 2, "{name}");
            if *expected == Verdict::Symmetric {
                assert!(device.headline.contains("1 exchange,"), "{}", device.headline);
                assert_eq!(device.exchanges[1].verdict, Verdict::Inconclusive, "{name}");
            }
        }
        // Alone it is all that is known.
        let report = family.report(&[open, "9.9 ask ROUTER OTHER"]);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{}", family.ip);
    }
}

/// The lines of one family end with a second packet, so that silence is observed.
const LAST: &str = "40.0 OTHER.514 > VIP.514: SYSLOG local0.info, length: 50";

#[test]
fn one_socket_may_ask_two_servers() {
    let asks = [
        "0.083014 DEVICE.5001 > VIP.53: 7+ A? a.example. (27)",
        "0.083228 DEVICE.5001 > NODE.53: 7+ A? a.example. (27)",
    ];
    let from_first = "0.115576 VIP.53 > DEVICE.5001: 7 1/0/0 A 192.0.2.80 (43)";
    let from_second = "0.119544 NODE.53 > DEVICE.5001: 7 1/0/0 A 192.0.2.80 (43)";
    for family in &FAMILIES {
        let refusal = if family.ip == "IP" {
            "0.119696 DEVICE > NODE: ICMP DEVICE udp port 5001 unreachable, length 79"
        } else {
            "0.119696 DEVICE > NODE: ICMP6, destination unreachable, unreachable port, DEVICE udp port 5001, length 99"
        };
        let cases = [
            ("both", vec![from_first, from_second], [Verdict::Symmetric, Verdict::Symmetric]),
            (
                "the later answer refused",
                vec![from_first, from_second, refusal],
                [Verdict::Symmetric, Verdict::Symmetric],
            ),
            ("one", vec![from_second], [Verdict::Unanswered, Verdict::Symmetric]),
        ];
        for (name, answers, expected) in cases {
            let lines: Vec<&str> = asks.into_iter().chain(answers).chain([LAST]).collect();
            let report = family.report(&lines);
            let devices = report.devices.iter();
            let exchanges = devices.flat_map(|device| &device.exchanges);
            let dns: Vec<_> = exchanges.filter(|one| one.protocol == Protocol::Dns).collect();
            let verdicts: Vec<Verdict> = dns.iter().map(|exchange| exchange.verdict).collect();
            assert_eq!(verdicts, expected, "{name} {}", family.ip);
            assert!(dns.iter().all(|exchange| exchange.translations.is_empty()), "{name}");
        }
    }
}

#[test]
fn an_error_of_the_server_is_told_in_its_own_words() {
    let transfer = [
        "0.000 DEVICE.5001 > VIP.69: TFTP, length 20, RRQ \"a.cfg\" octet",
        "0.001 VIP.4001 > DEVICE.5001: TFTP, length 516, DATA block 1",
        "0.002 DEVICE.5001 > VIP.4001: TFTP, length 4, ACK block 1",
        "0.003 VIP.4001 > DEVICE.5001: TFTP, length 30, ERROR EUNDEF \"read failed\"",
        "0.004 DEVICE.5001 > VIP.4001: TFTP, length 4, ACK block 2",
    ];
    for family in &FAMILIES {
        let refused = if family.ip == "IP" {
            "0.005 VIP > DEVICE: ICMP VIP udp port 4001 unreachable, length 40"
        } else {
            "0.005 VIP > DEVICE: ICMP6, destination unreachable, unreachable port, VIP udp port 4001, length 60"
        };
        let lines: Vec<&str> = transfer.into_iter().chain([refused, LAST]).collect();
        let report = family.report(&lines);
        let device = report.devices.iter().find(|device| !device.findings.is_empty()).unwrap();
        assert_eq!(device.verdict, Verdict::Symmetric, "{}", family.ip);
        assert_eq!(device.findings[0].cause, Cause::PortUnreachable);
        assert!(device.findings[0].explanation.contains("ERROR 0 \"read failed\""));
        assert!(device.findings[0].remedies.is_empty());
        for (code, words) in
            [("ServFail", Some("ServFail")), ("Refused-", Some("Refused")), ("NXDomain", None)]
        {
            let answer = format!("0.1 VIP.53 > DEVICE.5001: 1 {code} 0/0/0 (20)");
            let report =
                family.report(&["0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)", &answer, LAST]);
            let devices = report.devices.iter();
            let exchanges = devices.flat_map(|device| &device.exchanges);
            let dns = exchanges.into_iter().find(|one| one.protocol == Protocol::Dns).unwrap();
            assert_eq!(dns.verdict, Verdict::Symmetric, "{code}");
            assert_eq!(dns.error_answer.as_deref(), words, "{code}");
            let says_it_works = report.devices.iter().any(|device| {
                device.headline.contains("works") && device.exchanges[0].protocol == Protocol::Dns
            });
            assert_eq!(says_it_works, words.is_none(), "{}", report.headline);
        }
    }
}

#[test]
fn nobody_is_no_device() {
    for (asks, group) in [
        (
            "IP 0.0.0.0.68 > 255.255.255.255.67: BOOTP/DHCP, Request from 02:00:00:00:00:01, length 300",
            "255.255.255.255",
        ),
        (
            "IP6 ::.546 > ff02::1:2.547: dhcp6 solicit (xid=4a5b6c (client-ID hwaddr type 1 020000000001))",
            "ff02::1:2",
        ),
    ] {
        let text = format!("12:00:00.000000 {asks}\n12:00:05.000000 {asks}\n");
        let report = read(&text);
        assert!(report.devices.is_empty(), "{group}: {:#?}", report.devices);
        assert!(report.headline.starts_with("1 exchange was seen"), "{}", report.headline);
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("could name a device"), "{group}: {warnings}");
    }
}

/// What one capture of all interfaces shows, without their names: each packet before its
/// translation and after it. SNMP's text prints no request-id.
#[test]
fn words_are_known_behind_the_translation() {
    let round = |second: u64| {
        [
            format!(
                "{second}.000000 DEVICE.5001 > VIP.161:  C=\"public\" GetRequest(28)  .1.3.6.1"
            ),
            format!(
                "{second}.000050 DEVICE.5001 > POD.161:  C=\"public\" GetRequest(28)  .1.3.6.1"
            ),
            format!(
                "{second}.001 POD.161 > DEVICE.5001:  C=\"public\" GetResponse(30)  .1.3.6.1=12"
            ),
            format!(
                "{second}.0015 NODE.161 > DEVICE.5001:  C=\"public\" GetResponse(30)  .1.3.6.1=12"
            ),
        ]
    };
    let lines: Vec<String> = [0, 2, 4].into_iter().flat_map(round).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).chain([LAST]).collect();
    for family in &FAMILIES {
        let list = "address,role\nVIP,vip\nPOD,pod\nNODE,node\n";
        let report = family.report_with(&lines, list);
        assert_eq!(report.verdict, Verdict::Broken, "{}: {report:#?}", family.ip);
        let polls = report.devices.iter().flat_map(|device| &device.exchanges);
        let polls = polls.filter(|exchange| exchange.protocol == Protocol::Snmp);
        assert_eq!(polls.count(), 1, "{}", family.ip);
        let findings = report.devices.iter().flat_map(|device| &device.findings);
        let changed = findings.clone().find(|found| found.cause == Cause::ReplySourceTranslated);
        assert_eq!(changed.unwrap().confidence, Confidence::Certain, "{}", family.ip);
        let mut recovered = findings.map(|found| found.cause);
        assert!(!recovered.any(|cause| cause == Cause::RetransmissionsRecovered), "{}", family.ip);
    }
}
