//! Names in a text that nothing resolves: each is an end of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/named.rs"]
mod named;

use named::{LINES, causes, report_on};
use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::report::Report;
use replyscope::model::stand_in;
use replyscope::model::topology::Role;
use replyscope::report::html::{Setting, render_device, render_report};
use replyscope::report::text::{Style, render_text};

#[test]
fn names_that_nothing_explains_are_ends() {
    for family in ["IP", "IP6"] {
        let text = LINES.replace(" IP ", &format!(" {family} "));
        let report = report_on(&[&text], None);
        assert_eq!(report.verdict, Verdict::Broken, "{report:#?}");
        assert_eq!(report.captures[0].datagrams, 5);
        let device = &report.devices[0];
        assert_eq!(device.name.as_deref(), Some("switch7"));
        assert_eq!(device.device.is_ipv6(), family == "IP6");
        assert!(causes(&report).contains(&Cause::FollowUpToRequestAddress), "{report:#?}");
        for finding in &device.findings {
            assert!(finding.confidence <= Confidence::Likely, "{finding:#?}");
        }
        let names: Vec<&str> =
            report.addresses.iter().filter_map(|entry| entry.name.as_deref()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        for entry in &report.addresses {
            let name = entry.name.as_deref().unwrap();
            assert!(stand_in::stands_for(entry.address, name));
            assert!(entry.reason.starts_with(&format!("stands for the name '{name}'")));
        }
        let warnings = &report.captures[0].warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for words in ["'switch7', 'backup.example', 'node3.example'", "may hide several", "-n"] {
            assert!(warnings[0].contains(words), "{warnings:?}");
        }
        assert!(device.exchanges.iter().all(|exchange| exchange.community_id.is_none()));
    }
}

#[test]
fn what_people_read_has_names_alone() {
    let errors = [
        ("IP", "ICMP backup.example udp port 32991 unreachable, length 552"),
        (
            "IP6",
            "ICMP6, destination unreachable, unreachable port, backup.example udp port 32991, length 572",
        ),
    ];
    for (family, error) in errors {
        let text = format!("{LINES}12:00:06.003000 IP backup.example > switch7: {error}\n")
            .replace(" IP ", &format!(" {family} "));
        let report = report_on(&[&text], None);
        assert!(causes(&report).contains(&Cause::PortUnreachable));
        let digits: Vec<String> =
            report.addresses.iter().map(|entry| entry.address.to_string()).collect();
        assert_eq!(digits.len(), 3);
        let setting = Setting::Service { stylesheet: "/static/app.css" };
        let device = report.devices[0].device;
        let pages = [
            render_text(&report, Style::Plain),
            render_report(&report, Setting::File).unwrap(),
            render_report(&report, setting).unwrap(),
            render_device(&report, device, setting).unwrap().unwrap(),
        ];
        for page in &pages {
            for digits in &digits {
                assert!(!page.contains(digits.as_str()), "{digits}: {page}");
            }
        }
        let lead = if family == "IP6" { "ip6" } else { "ip" };
        assert!(pages[3].contains(&format!("/devices/{lead}:switch7\"")), "{}", pages[3]);
        // What is typed says what is to be filled in.
        let device = &report.devices[0];
        for filter in device.exchanges.iter().map(|exchange| &exchange.display_filter) {
            assert!(filter.contains("== <address of switch7>"), "{filter}");
        }
        let json = serde_json::to_string(&device.findings).unwrap();
        for digits in &digits {
            assert!(!json.contains(digits.as_str()), "{digits}: {json}");
        }
        let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(again, report);
    }
}

/// A lookup whose answer the client refuses.
const REFUSED: &str = "\
12:00:00.000000 IP {client}.57222 > {asked}.53: 6+ A? example.com. (29)
12:00:00.001000 IP {answerer}.53 > {client}.57222: 6 1/0/0 A 203.0.113.5 (45)
12:00:00.001100 IP {client} > {answerer}: {error}
";

fn refused(is_ipv6: bool, client: &str, asked: &str, answerer: &str) -> String {
    let error = if is_ipv6 {
        "ICMP6, destination unreachable, unreachable port, {client} udp port 57222, length 93"
    } else {
        "ICMP {client} udp port 57222 unreachable, length 81"
    };
    REFUSED
        .replace(" IP ", if is_ipv6 { " IP6 " } else { " IP " })
        .replace("{error}", error)
        .replace("{client}", client)
        .replace("{asked}", asked)
        .replace("{answerer}", answerer)
}

#[test]
fn two_names_are_two_ends_and_one_may_be_two_as_well() {
    let (four, six) = (["192.0.2.1", "198.51.100.77"], ["2001:db8::1", "2001:db8:100::77"]);
    for (is_ipv6, [client, far]) in [(false, four), (true, six)] {
        // asked, answerer, what is said, whether an address changed
        let cases = [
            ("ns.example", "node3.example", Verdict::Broken),
            ("ns.example", far, Verdict::Broken),
            (far, "ns.example", Verdict::Broken),
            ("<server>", far, Verdict::Broken),
            ("${VIP}", "[ME]", Verdict::Broken),
            ("a.b.c.d", far, Verdict::Broken),
            ("ns.example", "ns.example", Verdict::Rejected),
            ("ns.example", "NS.Example", Verdict::Rejected),
            ("<server>", "<server>", Verdict::Rejected),
            // All that is masked is so.
            ("x.x.x.x", far, Verdict::Inconclusive),
            ("xxx", far, Verdict::Inconclusive),
        ];
        for (asked, answerer, verdict) in cases {
            let report = report_on(&[&refused(is_ipv6, client, asked, answerer)], None);
            assert_eq!(report.verdict, verdict, "{asked} {answerer}: {report:#?}");
            let findings = &report.devices[0].findings;
            match verdict {
                Verdict::Broken => {
                    assert_eq!(findings[0].cause, Cause::ReplyRejected);
                    assert!(findings.iter().all(|one| one.confidence <= Confidence::Likely));
                }
                Verdict::Rejected => {
                    let finding = &findings[0];
                    assert_eq!(finding.cause, Cause::PortUnreachable, "{asked} {answerer}");
                    assert!(finding.explanation.contains("may hide several addresses"));
                    assert!(finding.remedies[0].steps[0].contains("tcpdump -n"));
                }
                _ => {}
            }
        }
        // With addresses nothing is hidden.
        let report = report_on(&[&refused(is_ipv6, client, far, far)], None);
        assert_eq!(report.verdict, Verdict::Rejected);
        assert!(!report.devices[0].findings[0].explanation.contains("may hide"));
    }
}

/// The client goes on in spite of the refusal, so that it is no end: yet the answer may have
/// come from an address that the name hides.
#[test]
fn a_refused_answer_of_a_name_is_not_called_symmetric() {
    for (is_ipv6, client) in [(false, "192.0.2.1"), (true, "2001:db8::1")] {
        let both = |name: &str| {
            let first = refused(is_ipv6, client, name, name);
            let second = first.lines().nth(1).unwrap().replace("00.001000", "00.014000");
            format!("{first}{}\n", second.replace(": 6 1/0/0 A 203", ": 7 1/0/0 A 203"))
                .replace("(29)\n", &format!("(29)\n{}", asked_again(is_ipv6, client, name)))
        };
        let report = report_on(&[&both("ns.example")], None);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{report:#?}");
        let address = if is_ipv6 { "2001:db8:100::77" } else { "198.51.100.77" };
        assert_eq!(report_on(&[&both(address)], None).verdict, Verdict::Symmetric);
    }
}

fn asked_again(is_ipv6: bool, client: &str, name: &str) -> String {
    let family = if is_ipv6 { "IP6" } else { "IP" };
    format!("12:00:00.000100 {family} {client}.57222 > {name}.53: 7+ AAAA? example.com. (29)\n")
}

/// A client with two servers, and a text that does not say whose answer is whose: what one
/// server says may be to a question that stands before the text.
#[test]
fn a_second_server_is_no_changed_address() {
    for (family, client, first, second) in [
        ("IP", "192.0.2.7", "198.51.100.10", "198.51.100.11"),
        ("IP6", "2001:db8::7", "2001:db8:100::10", "2001:db8:100::11"),
        ("IP", "client", "198.51.100.10", "198.51.100.11"),
    ] {
        let sent = |at: &str, to: &str| {
            format!("{at} {family} {client}.123 > {to}.123: NTPv4, Client, length 48\n")
        };
        let answer = |at: &str, from: &str| {
            format!("{at} {family} {from}.123 > {client}.123: NTPv4, Server, length 48\n")
        };
        let begins = sent("21:02:19.1", first) + &answer("21:02:19.2", second);
        let goes_on = sent("21:02:20.1", second) + &answer("21:02:20.2", second);
        let asks_first_again = sent("21:02:21.1", first) + &answer("21:02:21.2", second);
        let texts = [
            (begins.clone(), Verdict::Tolerated),
            (format!("{begins}{goes_on}"), Verdict::Inconclusive),
            (format!("{begins}{goes_on}{asks_first_again}"), Verdict::Inconclusive),
        ];
        for (text, verdict) in texts {
            let report = report_on(&[&text], None);
            assert_eq!(report.verdict, verdict, "{text}{report:#?}");
            let vips = report.addresses.iter().filter(|entry| entry.role == Role::Vip).count();
            assert_eq!(vips, usize::from(verdict == Verdict::Tolerated), "{text}");
        }
    }
}

#[test]
fn a_mask_at_both_ends_is_nobody() {
    for family in ["IP", "IP6"] {
        for mask in ["REDACTED", "<ip>", "a.b.c.d"] {
            let text = format!(
                "12:00:00.000000 {family} {mask}.57222 > {mask}.53: 6+ A? example.com. (29)\n12:00:05.000000 {family} {mask}.57222 > {mask}.53: 6+ A? example.com. (29)\n"
            );
            let report = report_on(&[&text], None);
            assert_eq!(report.verdict, Verdict::Inconclusive, "{mask}");
            assert!(report.devices.is_empty(), "{mask}");
            let warnings = report.captures[0].warnings.join("\n");
            assert!(warnings.contains("more than one host"), "{warnings}");
        }
    }
}

#[test]
fn an_error_of_a_named_router_is_about_what_it_quotes() {
    let families = [
        (
            "IP",
            "192.0.2.9",
            "198.51.100.16",
            "ICMP host 198.51.100.16 unreachable - admin prohibited filter, length 68",
        ),
        (
            "IP6",
            "2001:db8::9",
            "2001:db8:100::16",
            "ICMP6, destination unreachable, unreachable prohibited 2001:db8:100::16, length 88",
        ),
    ];
    // An inventory that does not tell which address it is changes nothing.
    let inventory = "198.51.100.1 gw.example\n198.51.100.2 gw.example\n2001:db8:100::1 gw.example\n2001:db8:100::2 gw.example\n";
    for (family, client, asked, error) in families {
        for inventory in [None, Some(inventory)] {
            let text = format!(
                "12:00:00.000000 {family} {client}.51175 > {asked}.53: 1+ A? example.com. (29)\n12:00:00.000100 {family} gw.example > {client}: {error}\n12:00:05.000000 {family} {client}.51175 > {asked}.53: 1+ A? example.com. (29)\n12:00:05.000100 {family} gw.example > {client}: {error}\n"
            );
            let report = report_on(&[&text], inventory);
            assert_eq!(report.verdict, Verdict::Rejected, "{report:#?}");
            assert_eq!(report.captures[0].icmp_errors, 2);
            let finding = &report.devices[0].findings[0];
            assert_eq!(finding.cause, Cause::AdminProhibited);
            // No end of the exchange is a name.
            assert_eq!(finding.confidence, Confidence::Certain);
            assert!(finding.title.contains("from gw.example"), "{}", finding.title);
        }
    }
}

#[test]
fn quotes_below_an_error_keep_their_ports() {
    let text = "\
12:00:00.000000 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length 57)
    pc.example.57222 > ns.example.domain: 6+ A? example.com. (29)
12:00:00.001000 IP (tos 0x0, ttl 64, id 2, offset 0, flags [DF], proto ICMP (1), length 85)
    gw.example > pc.example: ICMP host ns.example unreachable - admin prohibited filter, length 65
\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length 57)
    pc.example.57222 > ns.example.domain: 6+ A? example.com. (29)
";
    let report = report_on(&[text], None);
    assert_eq!(report.verdict, Verdict::Rejected, "{report:#?}");
    let error = &report.devices[0].exchanges[0].icmp_errors[0];
    assert_eq!(error.quoted_destination.unwrap().port, 53);
    assert_eq!(report.devices[0].name.as_deref(), Some("pc.example"));
}

#[test]
fn one_name_is_one_end_in_two_texts() {
    for family in ["IP", "IP6"] {
        let line = |at: &str, from: &str, to: &str, what: &str| {
            format!("12:00:0{at} {family} {from} > {to}: {what}\n")
        };
        let question = "7+ A? example.com. (29)";
        let asked = line("0.000000", "pc.example.57222", "ns.example.53", question);
        let answer =
            line("0.001000", "ns.example.53", "pc.example.57222", "7 1/0/0 A 203.0.113.5 (45)");
        let both = format!("{asked}{answer}");
        // The same at two points, in other spelling, and by a run that prints no domains.
        for second in
            [both.clone(), both.replace("pc.example", "PC.Example"), both.replace(".example.", ".")]
        {
            let report = report_on(&[&both, &second], None);
            assert_eq!(report.verdict, Verdict::Symmetric, "{second}: {report:#?}");
            assert_eq!(report.devices.len(), 1, "{second}: {report:#?}");
        }
        // Another run prints addresses, or has another resolver: nothing was translated.
        let (client, server) = if family == "IP6" {
            ("2001:db8::1", "2001:db8:100::53")
        } else {
            ("192.0.2.1", "198.51.100.53")
        };
        for (client, server) in [
            (client, server),
            ("laptop", "resolver"),
            ("pc.example", server),
            (client, "ns.example"),
        ] {
            let other = both.replace("pc.example", client).replace("ns.example", server);
            for texts in [[&both, &other], [&other, &both]] {
                let report = report_on(&[texts[0], texts[1]], None);
                assert_eq!(report.verdict, Verdict::Symmetric, "{other}: {report:#?}");
                assert_eq!(causes(&report), [], "{other}: {report:#?}");
            }
        }
    }
}

#[test]
fn a_name_of_several_addresses_is_not_read() {
    let inventory =
        "198.51.100.4 node3\n198.51.100.5 node3\n2001:db8:100::4 node3\n2001:db8:100::5 node3\n";
    for (is_ipv6, client) in [(false, "192.0.2.1"), (true, "2001:db8::1")] {
        let report =
            report_on(&[&refused(is_ipv6, client, "ns.example", "node3")], Some(inventory));
        assert_eq!(report.verdict, Verdict::Inconclusive, "{report:#?}");
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("'node3', of which not exactly one address"), "{warnings}");
    }
}

#[test]
fn names_that_standards_fix_are_no_stand_ins() {
    let cases = [
        ("IP", "localhost.53000", "localhost.53", "127.0.0.1"),
        ("IP", "localhost.localdomain.53000", "localhost.53", "127.0.0.1"),
        ("IP6", "ip6-localhost.53000", "ip6-localhost.53", "::1"),
    ];
    for (family, client, server, address) in cases {
        let text = format!(
            "12:00:00.000000 {family} {client} > {server}: 1+ A? example.com. (29)\n12:00:00.001000 {family} {server} > {client}: 1 1/0/0 A 203.0.113.9 (45)\n"
        );
        let report = report_on(&[&text], None);
        assert_eq!(report.verdict, Verdict::Symmetric);
        assert_eq!(report.devices[0].device.to_string(), address);
        assert_eq!(report.captures[0].warnings, Vec::<String>::new());
    }
    // A host that lists its own address as `localhost` talks to others all the same.
    for (family, far) in [("IP", "192.0.2.9"), ("IP6", "2001:db8::9")] {
        let text = format!(
            "12:00:00.000000 {family} {far}.53000 > localhost.53: 1+ A? example.com. (29)\n12:00:00.001000 {family} localhost.53 > {far}.53000: 1 1/0/0 A 203.0.113.9 (45)\n"
        );
        let report = report_on(&[&text], None);
        assert_eq!(report.verdict, Verdict::Symmetric);
        let named = report.addresses.iter().find_map(|entry| entry.name.as_deref());
        assert_eq!(named, Some("localhost"));
    }
    let text = "12:00:00.000000 IP printer.mdns > mdns.mcast.net.mdns: 0 PTR (QM)? _ipp._tcp.local. (39)\n12:00:01.000000 IP printer.9999 > unlisted.mcast.net.9999: UDP, length 4\n";
    let report = report_on(&[text], None);
    assert_eq!(report.verdict, Verdict::OneWay, "{report:#?}");
    assert_eq!(report.captures[0].datagrams, 1);
    let warnings = report.captures[0].warnings.join("\n");
    assert!(warnings.contains("the group 'unlisted.mcast.net'"), "{warnings}");
}

#[test]
fn pods_that_hubble_names_are_ends() {
    let text = "\
Sep 28 11:13:28.467: default/xwing:46542 (ID:13885) -> kube-system/coredns-66bc5c9577-fsr7d:53 (ID:32219) to-overlay FORWARDED (UDP)
Sep 28 11:13:28.468: default/xwing:46542 (ID:13885) <- kube-system/coredns-66bc5c9577-fsr7d:53 (ID:32219) to-endpoint FORWARDED (UDP)
";
    let report = report_on(&[text], None);
    assert_eq!(report.verdict, Verdict::Symmetric, "{report:#?}");
    assert_eq!(report.devices[0].name.as_deref(), Some("default/xwing"));
    assert!(report.headline.starts_with("default/xwing: DNS works"), "{}", report.headline);
}

#[test]
fn so_many_names_stand_for_addresses_and_no_more() {
    let line = |number: u32| {
        format!(
            "12:00:00.000000 IP host-{number}.example.57222 > ns.example.53: 6+ A? example.com. (29)\n"
        )
    };
    let text: String = (0..6_000).map(line).collect();
    let report = report_on(&[&text], None);
    let named = report.addresses.iter().filter(|entry| entry.name.is_some()).count();
    assert_eq!(named, 4_096);
    let warnings = &report.captures[0].warnings;
    assert!(warnings.len() < 50, "{}", warnings.len());
    let warnings = warnings.join("\n");
    assert!(warnings.contains("other names stand for addresses already"), "{warnings}");
    assert!(warnings.contains("and 4093 more"), "{warnings}");
}
