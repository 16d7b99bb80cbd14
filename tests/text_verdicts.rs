//! Verdicts and causes from tcpdump's lines: each fault beside its near misses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;

use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;
use replyscope::model::report::Report;

/// One address family, and what the words of a text stand for in it.
struct Family {
    ip: &'static str,
    addresses: [(&'static str, &'static str); 6],
}

const FAMILIES: [Family; 2] = [
    Family {
        ip: "IP",
        addresses: [
            ("DEVICE", "192.0.2.7"),
            ("OTHER", "192.0.2.8"),
            ("ROUTER", "192.0.2.1"),
            ("VIP", "198.51.100.10"),
            ("NODE", "198.51.100.4"),
            ("POD", "203.0.113.16"),
        ],
    },
    Family {
        ip: "IP6",
        addresses: [
            ("DEVICE", "2001:db8::7"),
            ("OTHER", "2001:db8::8"),
            ("ROUTER", "2001:db8::1"),
            ("VIP", "2001:db8:100::10"),
            ("NODE", "2001:db8:100::4"),
            ("POD", "2001:db8:200::16"),
        ],
    },
];

impl Family {
    /// Lines of `SECONDS what`: `a.1 > b.2: …`, `ask A B` (A asks for B), `is A`
    /// (A is there), `unreachable A B C` (A says to B that C is), `refuse A B C 443`
    /// (A says to B that nothing listens at TCP port 443 of C).
    fn text(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let (at, what) = line.split_once(' ').unwrap();
            let at: f64 = at.parse().unwrap();
            let stamp = format!("12:{:02}:{:09.6}", (at / 60.0).floor(), at % 60.0);
            let words: Vec<&str> = what.split(' ').collect();
            let is_v4 = self.ip == "IP";
            let packet = match words[..] {
                ["ask", asker, wanted] if is_v4 => {
                    format!("ARP, Request who-has {wanted} tell {asker}, length 28")
                }
                ["ask", asker, wanted] => format!(
                    "IP6 {asker} > ff02::1:ff00:7: ICMP6, neighbor solicitation, who has {wanted}, length 32"
                ),
                ["is", who] if is_v4 => {
                    format!("ARP, Reply {who} is-at 02:00:00:00:00:07, length 28")
                }
                ["is", who] => {
                    format!(
                        "IP6 {who} > NODE: ICMP6, neighbor advertisement, tgt is {who}, length 32"
                    )
                }
                ["unreachable", from, to, whom] if is_v4 => {
                    format!("IP {from} > {to}: ICMP host {whom} unreachable, length 77")
                }
                ["unreachable", from, to, whom] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable address {whom}, length 97"
                ),
                ["refuse", from, to, whom, port] if is_v4 => {
                    format!("IP {from} > {to}: ICMP {whom} tcp port {port} unreachable, length 68")
                }
                ["refuse", from, to, whom, port] => format!(
                    "IP6 {from} > {to}: ICMP6, destination unreachable, unreachable port, {whom} tcp port {port}, length 88"
                ),
                _ => format!("{} {what}", self.ip),
            };
            text.extend([stamp.as_str(), " ", packet.as_str(), "\n"]);
        }
        for (word, address) in self.addresses {
            text = text.replace(word, address);
        }
        text
    }

    fn report(&self, lines: &[&str]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        let text = self.text(lines);
        analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
        analysis.finish(header()).unwrap()
    }
}

fn causes(report: &Report) -> Vec<Cause> {
    let findings = report.devices.iter().flat_map(|device| &device.findings);
    findings.map(|finding| finding.cause).collect()
}

const POLL: &str = "POD.50000 > DEVICE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0";

#[test]
fn a_neighbour_that_does_not_answer_is_named_where_it_is_tied_to_the_exchange() {
    let poll = |at: &str| format!("{at} {POLL}");
    let (first, second, third) = (poll("0.0"), poll("1.0"), poll("2.0"));
    let (first, second, third) = (first.as_str(), second.as_str(), third.as_str());
    let error = "3.05 unreachable ROUTER POD DEVICE";
    let cases: [(&str, Vec<&str>, bool); 7] = [
        (
            "reported",
            vec![first, "0.1 ask ROUTER DEVICE", second, "1.1 ask ROUTER DEVICE", error],
            true,
        ),
        (
            "answered after all",
            vec![
                first,
                "0.1 ask ROUTER DEVICE",
                second,
                "1.1 ask ROUTER DEVICE",
                error,
                "4.0 ask ROUTER DEVICE",
                "4.1 is DEVICE",
            ],
            false,
        ),
        ("nobody was asked for", vec![first, second, third, error], false),
        (
            "another is asked for, by another",
            vec![
                first,
                "0.1 ask NODE OTHER",
                second,
                "1.1 ask NODE OTHER",
                "2.1 ask NODE OTHER",
                error,
            ],
            false,
        ),
        ("announced", vec![first, "0.1 ask ROUTER DEVICE", "0.2 is DEVICE", second, error], false),
        (
            "at the same time only",
            vec![
                first,
                "0.1 ask ROUTER DEVICE",
                second,
                "1.1 ask ROUTER DEVICE",
                third,
                "2.1 ask ROUTER DEVICE",
                "9.0 ask ROUTER OTHER",
            ],
            false,
        ),
        (
            "the node looks for its client",
            vec![
                "0.0 DEVICE.41226 > NODE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0",
                "0.1 ask NODE DEVICE",
                "1.1 ask NODE DEVICE",
                "2.1 ask NODE DEVICE",
                "2.2 DEVICE.41226 > NODE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0",
                "9.0 ask OTHER ROUTER",
            ],
            true,
        ),
    ];
    for family in &FAMILIES {
        for (name, lines, expected) in &cases {
            let report = family.report(lines);
            let found = causes(&report).contains(&Cause::NeighbourUnresolved);
            assert_eq!(found, *expected, "{name} {}: {report:#?}", family.ip);
            if lines.contains(&error) {
                assert_eq!(report.verdict, Verdict::Rejected, "{name} {}", family.ip);
            }
        }
    }
}

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

#[test]
fn a_translation_that_was_forgotten_needs_a_pause_and_a_change() {
    let began = [
        "0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)",
        "0.1 VIP.53 > DEVICE.5001: 1 1/0/0 A 192.0.2.80 (36)",
    ];
    let cases: [(&str, &[&str], bool); 5] = [
        (
            "after 200 s from the node",
            &[
                "200.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.1 NODE.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            true,
        ),
        (
            "after 64 s",
            &[
                "64.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "64.1 NODE.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "asked in between",
            &[
                "100.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.0 DEVICE.5001 > VIP.53: 3+ A? c.example. (20)",
                "200.1 NODE.53 > DEVICE.5001: 3 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "from whom was asked",
            &[
                "200.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.1 VIP.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "a new socket",
            &[
                "200.0 DEVICE.5002 > VIP.53: 2+ A? b.example. (20)",
                "200.1 VIP.53 > DEVICE.5002: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
    ];
    for family in &FAMILIES {
        for (name, more, expected) in cases {
            let lines: Vec<&str> = began.iter().chain(more).copied().collect();
            let found = causes(&family.report(&lines)).contains(&Cause::MappingExpired);
            assert_eq!(found, expected, "{name} {}", family.ip);
        }
        let late = [
            "0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)",
            "40.0 NODE.53 > DEVICE.5001: 1 1/0/0 A 192.0.2.80 (36)",
        ];
        assert!(causes(&family.report(&late)).contains(&Cause::MappingExpired), "{}", family.ip);
    }
}

#[test]
fn a_transfer_that_comes_to_a_halt_is_unanswered() {
    let began = [
        "0.0 DEVICE.5001 > VIP.69: TFTP, length 30, WRQ \"startup.cfg\" octet",
        "0.1 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.2 DEVICE.5001 > VIP.40001: UDP, length 516",
        "0.3 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.4 DEVICE.5001 > VIP.40001: UDP, length 516",
        "0.5 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.6 DEVICE.5001 > VIP.40001: UDP, length 516",
    ];
    let again = |at: &str| format!("{at} DEVICE.5001 > VIP.40001: UDP, length 516");
    let repeats = [again("1.6"), again("2.6"), again("3.6")];
    let end = "9.0 ask ROUTER OTHER";
    let done = ["4.0 VIP.40001 > DEVICE.5001: UDP, length 4", end];
    // Blocks of one window (RFC 7440) are no repetitions.
    let window = [again("0.601"), again("0.602"), again("0.603")];
    for family in &FAMILIES {
        let judge = |more: &[String], end: &[&str]| {
            let more = more.iter().map(String::as_str);
            let lines: Vec<&str> =
                began.iter().copied().chain(more).chain(end.iter().copied()).collect();
            family.report(&lines).verdict
        };
        assert_eq!(judge(&repeats, &[end]), Verdict::Unanswered, "{}", family.ip);
        assert_eq!(judge(&repeats[..2], &[end]), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&repeats, &done), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&window, &[end]), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&repeats, &[]), Verdict::Unanswered, "{}", family.ip);
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
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
        let report = analysis.finish(header()).unwrap();
        assert!(report.devices.is_empty(), "{group}: {:#?}", report.devices);
        assert!(report.headline.starts_with("1 exchange was seen"), "{}", report.headline);
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("could name a device"), "{group}: {warnings}");
    }
}
