//! Lines that windows and mail broke: at no width does the verdict change.

use std::fmt::Write as _;

use replyscope::model::finding::Verdict;
use replyscope::model::report::Report;

use crate::family::{causes, read};

/// The founding fault in one family: the ends and the summary of each packet.
struct Fault {
    is_v4: bool,
    packets: [(&'static str, &'static str, u32); 4],
}

const FAULTS: [Fault; 2] = [
    Fault {
        is_v4: true,
        packets: [
            ("192.0.2.9.41226 > 192.0.2.21.69", "TFTP, length 20, WRQ \"a.cfg\" octet", 48),
            ("192.0.2.13.32991 > 192.0.2.9.41226", "UDP, length 19", 47),
            ("192.0.2.9.41226 > 192.0.2.21.32991", "UDP, length 516", 544),
            ("192.0.2.21 > 192.0.2.9", "ICMP 192.0.2.21 udp port 32991 unreachable, length 36", 56),
        ],
    },
    Fault {
        is_v4: false,
        packets: [
            (
                "2001:db8:0:1::9.41226 > 2001:db8:0:2::21.69",
                "TFTP, length 20, WRQ \"a.cfg\" octet",
                68,
            ),
            ("2001:db8:0:2::13.32991 > 2001:db8:0:1::9.41226", "UDP, length 19", 67),
            ("2001:db8:0:1::9.41226 > 2001:db8:0:2::21.32991", "UDP, length 516", 564),
            (
                "2001:db8:0:2::21 > 2001:db8:0:1::9",
                "ICMP6, destination unreachable, unreachable port, 2001:db8:0:2::21 udp port 32991, length 572",
                612,
            ),
        ],
    },
];

const TIMES: [&str; 4] =
    ["07:29:48.654684", "07:29:48.659120", "07:29:48.660120", "07:29:48.661090"];
/// Which way each packet went, as `-i any` says.
const COLUMNS: [&str; 4] = ["br0   In ", "eth0  Out", "br0   In ", "eth0  Out"];
const ADDRESSES: &str = "02:00:00:00:00:56 > 02:00:00:00:00:57";

/// What each set of options prints.
fn printed(fault: &Fault) -> Vec<(&'static str, Vec<String>)> {
    let (ip, kind) = if fault.is_v4 { ("IP", "IPv4 (0x0800)") } else { ("IP6", "IPv6 (0x86dd)") };
    let lines = |line: &dyn Fn(usize, &str, &str, &str, u32) -> String| -> Vec<String> {
        let packets = fault.packets.iter().zip(TIMES).enumerate();
        packets
            .map(|(at, ((ends, summary, length), time))| line(at, time, ends, summary, *length))
            .collect()
    };
    let plain = lines(&|_, time, ends, summary, _| format!("{time} {ip} {ends}: {summary}"));
    let linked = lines(&|_, time, ends, summary, length| {
        format!("{time} {ADDRESSES}, ethertype {kind}, length {}: {ends}: {summary}", length + 14)
    });
    let tagged = lines(&|_, time, ends, summary, length| {
        format!(
            "{time} {ADDRESSES}, ethertype 802.1Q (0x8100), length {}: vlan 100, p 0, ethertype {kind}, {ends}: {summary}",
            length + 18
        )
    });
    let any = lines(&|at, time, ends, summary, _| {
        format!("{time} {} {ip} {ends}: {summary}", COLUMNS[at])
    });
    let any_linked = lines(&|at, time, ends, summary, length| {
        format!(
            "{time} {} ifindex 2 02:00:00:00:00:56 ethertype {kind}, length {}: {ends}: {summary}",
            COLUMNS[at],
            length + 20
        )
    });
    let dated = |lines: &[String]| lines.iter().map(|line| format!("2024-11-08 {line}")).collect();
    vec![
        ("-tttt", dated(&plain)),
        ("-tttt -e", dated(&linked)),
        ("-tttt -i any", dated(&any)),
        ("-v", verbose(fault, ip)),
        ("-n", plain),
        ("-e", linked),
        ("-e, tagged", tagged),
        ("-i any", any),
        ("-i any -e", any_linked),
    ]
}

/// `-v` prints IPv4 on two lines, and the quoted packet below an ICMP error.
fn verbose(fault: &Fault, ip: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for ((at, (ends, summary, length)), time) in fault.packets.iter().enumerate().zip(TIMES) {
        let is_error = at == 3;
        if fault.is_v4 {
            let protocol = if is_error { "ICMP (1)" } else { "UDP (17)" };
            let mark = if is_error { "" } else { "[udp sum ok] " };
            lines.push(format!(
                "{time} {ip} (tos 0x0, ttl 63, id {at}7, offset 0, flags [DF], proto {protocol}, length {length})"
            ));
            lines.push(format!("    {ends}: {mark}{summary}"));
        } else {
            let protocol = if is_error { "ICMPv6 (58)" } else { "UDP (17)" };
            let mark = if is_error { "icmp6" } else { "udp" };
            let summary = if is_error { summary.trim_end_matches(", length 572") } else { summary };
            lines.push(format!(
                "{time} {ip} (flowlabel 0x8db1f, hlim 63, next-header {protocol} payload length: {}) {ends}: [{mark} sum ok] {summary}",
                length - 40
            ));
        }
    }
    if fault.is_v4 {
        let (ends, summary, length) = fault.packets[2];
        lines.push(format!(
            "\tIP (tos 0x0, ttl 63, id 27, offset 0, flags [DF], proto UDP (17), length {length})"
        ));
        lines.push(format!("    {ends}: {summary}"));
    }
    lines
}

/// As `fold` and a terminal break lines; a tab goes on to the next eighth column.
fn fold(lines: &[String], width: usize) -> Vec<String> {
    let mut broken = Vec::new();
    for line in lines {
        let (mut part, mut column) = (String::new(), 0);
        for c in line.chars() {
            let next = if c == '\t' { column / 8 * 8 + 8 } else { column + 1 };
            if next > width {
                broken.push(std::mem::take(&mut part));
                column = 0;
            }
            part.push(c);
            column = if c == '\t' { column / 8 * 8 + 8 } else { column + 1 };
        }
        broken.push(part);
    }
    broken
}

/// As an editor leaves them that takes the spaces off the lines' ends.
fn fold_and_trim(lines: &[String], width: usize) -> Vec<String> {
    fold(lines, width).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// As mail breaks lines: at spaces, which are lost.
fn wrap(lines: &[String], width: usize) -> Vec<String> {
    let mut broken = Vec::new();
    for line in lines {
        let mut part = String::new();
        for (at, word) in line.split(' ').enumerate() {
            if at > 0 && part.len() + 1 + word.len() > width {
                broken.push(std::mem::take(&mut part));
            } else if at > 0 {
                part.push(' ');
            }
            part.push_str(word);
        }
        broken.push(part);
    }
    broken
}

/// What a report says of the fault.
fn outcome(report: &Report) -> String {
    let mut outcome = format!("{:?} {:?}", report.verdict, causes(report));
    for capture in &report.captures {
        let counts = (capture.packets, capture.datagrams, capture.icmp_errors);
        write!(outcome, " {counts:?}").unwrap();
    }
    outcome
}

type Break = fn(&[String], usize) -> Vec<String>;

#[test]
fn no_width_changes_the_verdict() {
    let breaks: [(&str, Break); 3] = [("fold", fold), ("trimmed", fold_and_trim), ("mail", wrap)];
    for fault in &FAULTS {
        for (options, lines) in printed(fault) {
            let unbroken = read(&lines.join("\n"));
            assert_eq!(unbroken.verdict, Verdict::Broken, "{options}");
            let expected = outcome(&unbroken);
            for width in 60..=132 {
                for (name, break_lines) in breaks {
                    let broken = break_lines(&lines, width).join("\n");
                    let report = read(&broken);
                    let warnings = report.captures.iter().flat_map(|capture| &capture.warnings);
                    let warnings: Vec<_> = warnings.collect();
                    assert_eq!(
                        outcome(&report),
                        expected,
                        "{options} {name} {width}\n{broken}\n{warnings:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_cut_within_a_link_header_is_told() {
    for fault in &FAULTS {
        for (options, lines) in printed(fault) {
            if !options.contains("-e") {
                continue;
            }
            let cut: Vec<&str> = lines.iter().map(|line| &line[..80.min(line.len())]).collect();
            let report = read(&cut.join("\n"));
            assert_eq!(report.verdict, Verdict::Inconclusive, "{options} {}", report.headline);
            let warnings = report.captures.iter().flat_map(|capture| &capture.warnings);
            assert_eq!(warnings.count(), 4, "{options} {:?}", report.captures[0].warnings);
        }
    }
}
