//! Texts that begin in mid-exchange, and sockets that speak to several ports.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{FAMILIES, causes};

const LAST: &str = "40.0 OTHER.40000 > ROUTER.514: SYSLOG local0.info, length: 50";

#[test]
fn who_speaks_from_the_service_that_is_asked_elsewhere_may_be_it() {
    let spoken = "0.0 NODE.5683 > DEVICE.40087: UDP, length 22";
    let spoken_late = "2.5 NODE.5683 > DEVICE.40087: UDP, length 22";
    let asked = "2.7 DEVICE.40087 > POD.5683: UDP, length 15";
    let again = "3.9 DEVICE.40087 > POD.5683: UDP, length 15";
    let changed = Some(Cause::ReplySourceNotRequested);
    let unanswered = Some(Cause::RequestUnanswered);
    let cases: [(&str, Vec<&str>, Verdict, Option<Cause>); 8] = [
        ("both", vec![spoken, spoken_late, asked, again], Verdict::Inconclusive, changed),
        ("one word", vec![spoken, asked, again], Verdict::Unanswered, unanswered),
        (
            "two words",
            vec![spoken, "2.5 NODE.5683 > DEVICE.40087: UDP, length 9", asked, again],
            Verdict::Unanswered,
            unanswered,
        ),
        (
            "another socket",
            vec!["0.0 NODE.5683 > DEVICE.40088: UDP, length 22", asked, again],
            Verdict::Unanswered,
            unanswered,
        ),
        (
            "another port",
            vec!["0.0 NODE.5684 > DEVICE.40087: UDP, length 22", asked, again],
            Verdict::Unanswered,
            unanswered,
        ),
        (
            "long before",
            vec![
                spoken,
                "22.7 DEVICE.40087 > POD.5683: UDP, length 15",
                "23.9 DEVICE.40087 > POD.5683: UDP, length 15",
            ],
            Verdict::Unanswered,
            unanswered,
        ),
        (
            "who is asked answers",
            vec![spoken, asked, "2.8 POD.5683 > DEVICE.40087: UDP, length 9"],
            Verdict::Symmetric,
            None,
        ),
        (
            "it asks others, too",
            vec![
                spoken,
                asked,
                again,
                "4.0 DEVICE.40087 > VIP.5683: UDP, length 15",
                "4.1 VIP.5683 > DEVICE.40087: UDP, length 15",
            ],
            Verdict::Unanswered,
            unanswered,
        ),
    ];
    for family in &FAMILIES {
        for (name, lines, verdict, cause) in &cases {
            let lines: Vec<&str> = lines.iter().copied().chain([LAST]).collect();
            let report = family.report(&lines);
            let of_coap = report.devices.iter().flat_map(|device| &device.exchanges);
            let verdicts: Vec<Verdict> = of_coap
                .filter(|one| one.protocol == Protocol::Coap)
                .map(|one| one.verdict)
                .collect();
            assert!(verdicts.contains(verdict), "{name} {}: {verdicts:?}", family.ip);
            let found = causes(&report);
            if let Some(cause) = cause {
                assert!(found.contains(cause), "{name} {}: {found:?}", family.ip);
            }
            let is_unanswered = verdicts.contains(&Verdict::Unanswered);
            assert_eq!(is_unanswered, *verdict == Verdict::Unanswered, "{name}: {verdicts:?}");
        }
    }
}

#[test]
fn a_client_of_several_servers_is_not_answered_by_the_one_before() {
    let sip = [
        "0.1 NODE.5060 > DEVICE.40000: SIP, length: 300",
        "0.2 DEVICE.40000 > VIP.5060: SIP, length: 400",
        "1.2 DEVICE.40000 > VIP.5060: SIP, length: 400",
        "3.2 DEVICE.40000 > VIP.5060: SIP, length: 400",
        LAST,
    ];
    let ntp = [
        "0.1 NODE.123 > DEVICE.40000: NTPv4, Server, length 48",
        "2.1 NODE.123 > DEVICE.40000: NTPv4, Server, length 48",
        "2.2 DEVICE.40000 > VIP.123: NTPv4, Client, length 48",
        "5.2 DEVICE.40000 > VIP.123: NTPv4, Client, length 48",
        "10.2 DEVICE.40000 > VIP.123: NTPv4, Client, length 48",
        LAST,
    ];
    for family in &FAMILIES {
        for lines in [&sip[..], &ntp] {
            let report = family.report(lines);
            let found = causes(&report);
            assert!(found.contains(&Cause::RequestUnanswered), "{} {found:?}", lines[0]);
            assert!(!found.contains(&Cause::ReplySourceNotRequested), "{} {found:?}", lines[0]);
            let exchanges = || report.devices.iter().flat_map(|device| &device.exchanges);
            assert!(exchanges().any(|one| one.verdict == Verdict::Unanswered), "{}", lines[0]);
        }
    }
}

#[test]
fn a_transfer_goes_on_at_no_port_of_a_service() {
    let asks = "0.0 DEVICE.59327 > VIP.69: TFTP, length 19, RRQ \"a.txt\" octet";
    let scan = [
        asks,
        "0.0001 DEVICE.59327 > VIP.123: NTPv4, Client, length 48",
        "0.0002 DEVICE.59327 > VIP.123: NTPv3, symmetric active, length 48",
        "1.0 DEVICE.59327 > VIP.53: 6+ TXT CHAOS? version.bind. (30)",
        LAST,
    ];
    let unseen = [asks, "0.1 DEVICE.59327 > VIP.40001: UDP, length 4", LAST];
    for family in &FAMILIES {
        let tftp = |lines: &[&str]| {
            let report = family.report(lines);
            let exchanges = report.devices.iter().flat_map(|device| device.exchanges.clone());
            let tftp = exchanges.into_iter().find(|one| one.protocol == Protocol::Tftp).unwrap();
            (tftp.verdict, tftp.follow_ups.len(), causes(&report))
        };
        let (verdict, follow_ups, found) = tftp(&scan);
        assert_eq!((verdict, follow_ups), (Verdict::Unanswered, 0), "{}", family.ip);
        assert!(!found.contains(&Cause::OneDirectionCaptured), "{found:?}");
        let (verdict, follow_ups, found) = tftp(&unseen);
        assert_eq!((verdict, follow_ups), (Verdict::Inconclusive, 1), "{}", family.ip);
        assert!(found.contains(&Cause::OneDirectionCaptured), "{found:?}");
    }
}

#[test]
fn between_two_ports_of_a_service_nobody_is_known_to_ask() {
    let unread = |at: &str| format!("{at} DEVICE.161 > VIP.161:  [len1468<asnlen2150]");
    let asks = |at: &str| {
        format!("{at} DEVICE.161 > VIP.161:  C=\"x\" GetRequest(25)  .1.3.6.1.2.1.1.5.0")
    };
    for family in &FAMILIES {
        let of = |lines: [String; 2]| {
            family.report(&[&lines[0], &lines[1], LAST]).devices[0].exchanges[0].verdict
        };
        assert_eq!(of([unread("0.0"), unread("20.0")]), Verdict::Inconclusive, "{}", family.ip);
        assert_eq!(of([asks("0.0"), asks("5.0")]), Verdict::Unanswered, "{}", family.ip);
        let ephemeral = ["0.0", "5.0"].map(|at| unread(at).replace("DEVICE.161", "DEVICE.40000"));
        assert_eq!(of(ephemeral), Verdict::Unanswered, "{}", family.ip);
    }
}
