//! Hosts by name: names that are parts of what is said of them, brackets around them, and
//! services that nobody knows.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;

use crate::family::{causes, read};

/// Both families, and how each says that nothing listens at a port.
const FAMILIES: [(&str, &str); 2] = [
    ("IP", "ICMP {whom} udp port {port} unreachable, length 36"),
    ("IP6", "ICMP6, destination unreachable, unreachable port, {whom} udp port {port}, length 57"),
];

#[test]
fn an_error_about_any_name_is_one() {
    let names = [
        "dest", "nat", "d", "des", "unreach", "port", "ICMP", "C", "udp", "host", "s", "[VIP]",
        "<server>", "srv.time",
    ];
    for (family, error) in FAMILIES {
        let device = if family == "IP" { "192.0.2.7" } else { "2001:db8::7" };
        for name in names {
            let error = error.replace("{whom}", name).replace("{port}", "53");
            let text = format!(
                "12:00:00.000000 {family} {device}.57222 > {name}.53: 6+ A? example.com. (29)\n\
                 12:00:00.001000 {family} {name} > {device}: {error}\n"
            );
            let report = read(&text);
            assert_eq!(report.verdict, Verdict::Rejected, "{text}{report:#?}");
            assert_eq!(causes(&report), [Cause::PortUnreachable], "{text}");
            let exchange = &report.devices[0].exchanges[0];
            let quoted = exchange.icmp_errors[0].quoted_destination.unwrap();
            assert_eq!(quoted.port, 53, "{text}");
            // One word is one host, with its brackets or without.
            assert_eq!(report.addresses.len(), 2, "{text}{:?}", report.addresses);
        }
    }
}

#[test]
fn an_unreachable_host_of_any_name_is_one() {
    for name in ["s", "host", "dest", "address", "[VIP]"] {
        for (family, device, error) in [
            ("IP", "192.0.2.7", "ICMP host {whom} unreachable, length 36"),
            (
                "IP6",
                "2001:db8::7",
                "ICMP6, destination unreachable, unreachable address {whom}, length 57",
            ),
        ] {
            let error = error.replace("{whom}", name);
            let text = format!(
                "12:00:00.000000 {family} {device}.57222 > {name}.53: 6+ A? example.com. (29)\n\
                 12:00:00.001000 {family} gw > {device}: {error}\n"
            );
            let report = read(&text);
            assert_eq!(causes(&report), [Cause::HostUnreachable], "{text}{report:#?}");
        }
    }
}

#[test]
fn words_in_brackets_are_the_hosts_of_their_errors() {
    for (family, error) in FAMILIES {
        let error = error.replace("{whom}", "[A]").replace("{port}", "57222");
        let text = format!(
            "12:00:00.000000 {family} [A].57222 > [B].53: 6+ A? example.com. (29)\n\
             12:00:00.001000 {family} [C].53 > [A].57222: 6 1/0/0 A 203.0.113.5 (45)\n\
             12:00:00.001100 {family} [A] > [C]: {error}\n"
        );
        let report = read(&text);
        assert_eq!(report.verdict, Verdict::Broken, "{text}{report:#?}");
        assert!(causes(&report).contains(&Cause::ReplyRejected), "{text}");
        assert_eq!(report.addresses.len(), 3, "{text}{:?}", report.addresses);
    }
}

/// Without `-n` a random port that a service has is printed by that service's name.
#[test]
fn a_client_whose_port_has_a_name_is_seen() {
    let dns = "\
0.000000 pc.example.sightline > srv.example.domain: 6+ A? example.com. (29)
0.001000 srv.example.domain > pc.example.sightline: 6 1/0/0 A 203.0.113.5 (45)
";
    let tftp = "\
0.000000 pc.example.sightline > srv.example.tftp: TFTP, length 20, RRQ \"boot.cfg\" octet
0.001000 srv.example.filenet > pc.example.sightline: UDP, length 516
0.002000 pc.example.sightline > srv.example.filenet: UDP, length 4
0.003000 srv.example.filenet > pc.example.sightline: UDP, length 516
0.004000 pc.example.sightline > srv.example.filenet: UDP, length 4
";
    for (family, _) in FAMILIES {
        for (lines, protocol, datagrams) in [(dns, Protocol::Dns, 2), (tftp, Protocol::Tftp, 5)] {
            let lines = lines.lines().map(|line| {
                let (at, packet) = line.split_once(' ').unwrap();
                format!("12:00:0{at} {family} {packet}\n")
            });
            let report = read(&lines.collect::<String>());
            assert_eq!(report.verdict, Verdict::Symmetric, "{report:#?}");
            assert_eq!(report.captures[0].datagrams, datagrams, "{report:#?}");
            let device = &report.devices[0];
            assert_eq!(device.name.as_deref(), Some("pc.example"));
            assert_eq!(device.exchanges[0].protocol, protocol, "{report:#?}");
        }
    }
}

#[test]
fn what_has_names_and_no_known_port_is_told() {
    for (family, _) in FAMILIES {
        let text = format!(
            "12:00:00.000000 {family} pc.example.sightline > srv.example.filenet: 6+ A? example.com. (29)\n\
             12:00:00.001000 {family} pc.example.40000 > srv.example.domain: 7+ A? example.com. (29)\n\
             12:00:00.002000 {family} srv.example.domain > pc.example.40000: 7 1/0/0 A 203.0.113.5 (45)\n"
        );
        let report = read(&text);
        let warnings = report.captures[0].warnings.join("\n");
        assert!(warnings.contains("no port that we know"), "{warnings}");
        // Other protocols have none.
        for other in ["ICMP echo request, id 1, seq 1, length 64", "udp", "GREv0, length 80"] {
            let text =
                format!("{text}12:00:00.003000 {family} pc.example > srv.example: {other}\n");
            let again = read(&text).captures[0].warnings.join("\n");
            assert_eq!(again, warnings, "{other}");
        }
    }
}
