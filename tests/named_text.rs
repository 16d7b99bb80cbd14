//! Text of tcpdump without `-n`: names stand where packets have addresses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/named.rs"]
mod named;

use named::{LINES, report_on};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;

fn report(family: &str, names: Option<&str>) -> Report {
    report_on(&[&LINES.replace(" IP ", &format!(" {family} "))], names)
}

#[test]
fn names_that_an_inventory_knows_are_addresses() {
    let hosts = "\
$ cat /etc/hosts
127.0.0.1 localhost
192.0.2.7 switch7
198.51.100.10 backup.example backup
198.51.100.4 node3.example node3
2001:db8::7 switch7
2001:db8:100::10 backup.example backup
2001:db8:100::4 node3.example node3
";
    for (family, device) in [("IP", "192.0.2.7"), ("IP6", "2001:db8::7")] {
        let report = report(family, Some(hosts));
        assert_eq!(report.verdict, Verdict::Broken, "{report:#?}");
        let device_report = &report.devices[0];
        assert_eq!(device_report.addresses, [device.parse::<std::net::IpAddr>().unwrap()]);
        let causes: Vec<_> = device_report.findings.iter().map(|finding| finding.cause).collect();
        assert!(causes.contains(&Cause::FollowUpToRequestAddress), "{causes:?}");
    }
}

#[test]
fn errors_that_name_their_ends_are_counted() {
    let hosts = "192.0.2.7 switch7\n198.51.100.10 backup.example\n198.51.100.4 node3.example\n2001:db8::7 switch7\n2001:db8:100::10 backup.example\n2001:db8:100::4 node3.example\n";
    let cases = [
        ("IP", "ICMP backup.example udp port 32991 unreachable, length 552"),
        (
            "IP6",
            "ICMP6, destination unreachable, unreachable port, backup.example udp port 32991, length 572",
        ),
    ];
    for (family, error) in cases {
        let text = format!("{LINES}12:00:06.003000 IP backup.example > switch7: {error}\n")
            .replace(" IP ", &format!(" {family} "));
        let report = report_on(&[&text], Some(hosts));
        assert_eq!(report.captures[0].warnings, Vec::<String>::new(), "{family}");
        assert_eq!(report.captures[0].icmp_errors, 1, "{family}");
        let found: Vec<_> =
            report.devices[0].findings.iter().map(|finding| finding.cause).collect();
        assert!(found.contains(&Cause::PortUnreachable), "{family}: {found:?}");
        let exchange = &report.devices[0].exchanges[0];
        let quoted = exchange.icmp_errors[0].quoted_destination.as_ref().unwrap();
        assert_eq!(quoted.port, 32_991, "{family}");
    }
}

/// A device that asks in vain and, at each `{stranger}`, one line of others.
const IN_VAIN: &str = "\
12:00:00.000000 IP {device}.58631 > {server}.69: TFTP, length 20, RRQ \"boot.cfg\" octet
{stranger}
12:00:05.000000 IP {device}.58631 > {server}.69: TFTP, length 20, RRQ \"boot.cfg\" octet
{stranger}
12:00:10.000000 IP {device}.58631 > {server}.69: TFTP, length 20, RRQ \"boot.cfg\" octet
{stranger}
12:00:15.000000 IP {device}.58631 > {server}.69: TFTP, length 20, RRQ \"boot.cfg\" octet
{stranger}
12:00:30.000000 IP {other}.5000 > {server}.5001: UDP, length 10
";

#[test]
fn names_of_strangers_take_nothing_from_silence() {
    let families = [
        ("IP", ["192.0.2.7", "198.51.100.10", "192.0.2.9", "224.0.0.251"]),
        ("IP6", ["2001:db8::7", "2001:db8:100::10", "2001:db8::9", "ff02::fb"]),
    ];
    let (silent, unknown, elsewhere) =
        (Verdict::Unanswered, Verdict::Inconclusive, Verdict::Broken);
    // what others did; the verdict where each name has several addresses, and where it
    // stands for itself
    let strangers = [
        ("printer.example.mdns > {group}.mdns: 0 PTR (QM)? _ipp._tcp.local. (40)", silent, silent),
        ("laptop.example.41000 > {other}.domain: 4242+ A? example.net. (29)", silent, silent),
        ("laptop.example.ntp > time.example.ntp: NTPv4, Client, length 48", silent, silent),
        ("sw1.example.syslog > {other}.syslog: SYSLOG local7.info, length: 88", silent, silent),
        ("node3.example.40001 > {device}.58632: UDP, length 4", silent, silent),
        ("node3.example.40001 > {device}.58631: UDP, length 4", unknown, elsewhere),
        ("node3.example.40001 > switch7.example.58631: UDP, length 4", unknown, silent),
    ];
    let names = ["printer", "laptop", "time", "sw1", "node3", "switch7"];
    let addresses = ["203.0.113.1", "203.0.113.2", "2001:db8:200::1", "2001:db8:200::2"];
    let listed = |name| addresses.map(|address| format!("{address} {name}.example\n")).concat();
    let inventory = names.map(listed).concat();
    for (family, [device, server, other, group]) in families {
        for (stranger, doubtful, standing) in strangers {
            let text = IN_VAIN
                .replace("{stranger}", &format!("12:00:16.000000 IP {stranger}"))
                .replace(" IP ", &format!(" {family} "))
                .replace("{device}", device)
                .replace("{server}", server)
                .replace("{other}", other)
                .replace("{group}", group);
            for (inventory, verdict, words) in [
                (Some(inventory.as_str()), doubtful, "of which not exactly one address is known"),
                (None, standing, "may hide several addresses"),
            ] {
                let report = report_on(&[&text], inventory);
                let warnings = report.captures[0].warnings.join("\n");
                assert!(warnings.contains(words), "{warnings}");
                let device = device.parse::<std::net::IpAddr>().unwrap();
                let found =
                    report.devices.iter().find(|found| found.addresses == [device]).unwrap();
                assert_eq!(found.verdict, verdict, "{text}");
            }
        }
    }
}

/// The founding fault once more, and somebody else's words before it and in its midst.
const WITH_OTHERS: [&str; 7] = [
    "12:00:00.000000 IP {other}.514 > {log}.514: SYSLOG local7.info, length: 88",
    "12:00:00.100000 IP switch7.41226 > backup.example.tftp: TFTP, length 20, WRQ \"running.cfg\" octet",
    "12:00:00.101000 IP node3.example.32991 > switch7.41226: UDP, length 4",
    "12:00:00.102000 IP switch7.41226 > backup.example.32991: UDP, length 516",
    "12:00:03.000000 IP {other}.514 > {log}.514: SYSLOG local7.info, length: 88",
    "12:00:03.102000 IP switch7.41226 > backup.example.32991: UDP, length 516",
    "12:00:06.102000 IP switch7.41226 > backup.example.32991: UDP, length 516",
];

#[test]
fn files_that_go_on_with_each_other_wait_for_names_as_one() {
    let hosts = "192.0.2.7 switch7\n198.51.100.10 backup.example\n198.51.100.4 node3.example\n2001:db8::7 switch7\n2001:db8:100::10 backup.example\n2001:db8:100::4 node3.example\n";
    for (family, other, log) in
        [("IP", "192.0.2.99", "198.51.100.99"), ("IP6", "2001:db8::99", "2001:db8:100::99")]
    {
        let lines = WITH_OTHERS.map(|line| {
            let line = line.replace("{other}", other).replace("{log}", log);
            line.replace(" IP ", &format!(" {family} ")) + "\n"
        });
        for names in [Some(hosts), None] {
            let report_of = |files: &[&[String]]| {
                let texts: Vec<String> = files.iter().map(|file| file.concat()).collect();
                report_on(&texts.iter().map(String::as_str).collect::<Vec<_>>(), names)
            };
            let whole = report_of(&[&lines]);
            assert_eq!(whole.verdict, Verdict::Broken, "{family}");
            for at in [4, 5, 6] {
                let (first, second) = lines.split_at(at);
                for (files, places) in [([first, second], [0, 1]), ([second, first], [1, 0])] {
                    let parts = report_of(&files);
                    let name = format!("{family}, {} and {} lines", first.len(), second.len());
                    assert_eq!(parts.verdict, Verdict::Broken, "{name}: {parts:#?}");
                    assert_eq!(parts.devices.len(), whole.devices.len(), "{name}");
                    let packets: Vec<u64> = parts.captures.iter().map(|own| own.packets).collect();
                    let expected = files.map(|file| u64::try_from(file.len()).unwrap());
                    assert_eq!(packets, expected, "{name}");
                    for (device, same) in parts.devices.iter().zip(&whole.devices) {
                        assert_eq!(device.verdict, same.verdict, "{name}");
                        let steps = device.exchanges[0].steps.iter();
                        for (step, same) in steps.zip(&same.exchanges[0].steps) {
                            let length = u64::try_from(at).unwrap();
                            let is_later = same.frame > length;
                            let frame = if is_later { same.frame - length } else { same.frame };
                            let file = format!("text{}", places[usize::from(is_later)]);
                            assert_eq!((&step.capture, step.frame), (&file, frame), "{name}");
                        }
                    }
                }
            }
        }
    }
}
