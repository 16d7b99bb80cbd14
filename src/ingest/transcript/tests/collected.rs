//! Runs of tcpdump in the logs of collectors, whole.

use super::commented::PACKETS;
use super::outline;
use super::repaired::packets;

type Write = fn(source: &str, at: usize, line: &str) -> String;

/// Formats that name the source of a line, and whether that is a node.
const WITH_SOURCES: [(&str, bool, Write); 13] = [
    ("kubectl --prefix", false, |s, _, l| format!("[pod/{s}/tcpdump] {l}")),
    ("kubectl --prefix --timestamps", false, |s, at, l| {
        format!("[pod/{s}/tcpdump] {} {l}", stamp(at))
    }),
    ("stern", false, |s, _, l| format!("{s} tcpdump {l}")),
    ("stern --timestamps", false, |s, at, l| format!("{s} tcpdump {} {l}", stamp(at))),
    ("compose", false, |s, _, l| format!("{s}  | {l}")),
    ("compose -t", false, |s, at, l| format!("{s}  | {} {l}", stamp(at))),
    ("syslog", true, |s, at, l| format!("Nov 08 07:29:48 {s} tcpdump[{}]: {l}", 98 + at)),
    ("rsyslog", true, |s, _, l| format!("2024-11-08T07:29:48.7+00:00 {s} tcpdump[1]: {l}")),
    ("journalctl -o short-iso", true, |s, _, l| {
        format!("2024-11-08T07:29:48+0000 {s} tcpdump[12]: {l}")
    }),
    ("clush", true, |s, _, l| format!("{s}: {l}")),
    ("grep -H", false, |s, _, l| format!("{s}.txt:{l}")),
    ("grep -Hn", false, |s, at, l| format!("{s}.txt:{}:{l}", 8 + at)),
    ("grep of the kubelet's files", false, |s, at, l| {
        format!("{s}.log:{}:{} stdout F {l}", 8 + at, stamp(at))
    }),
];

/// Formats that do not.
const WITHOUT: [(&str, Write); 12] = [
    ("docker -t", |_, at, l| format!("{} {l}", stamp(at))),
    ("CRI", |_, at, l| format!("{} stdout F {l}", stamp(at))),
    ("json-file", |_, at, l| {
        serde_json::json!({"log": format!("{l}\n"), "stream": "stdout", "time": stamp(at)})
            .to_string()
    }),
    ("ts", |_, _, l| format!("Nov 08 07:29:48 {l}")),
    ("ts %T", |_, _, l| format!("07:29:48 {l}")),
    ("a terminal's log", |_, _, l| format!("[2024-11-08 07:29:48] {l}")),
    ("grep -n", |_, at, l| format!("{}:{l}", 8 + at)),
    ("cat -n", |_, at, l| format!("{:6}\t{l}", 8 + at)),
    ("an editor", |_, at, l| format!("{:4} {l}", 8 + at)),
    ("diff", |_, _, l| format!("+{l}")),
    ("a list", |_, _, l| format!("* {l}")),
    ("cells", |_, _, l| format!("| {l} |")),
];

/// Go leaves out the last zeros of a fraction.
fn stamp(at: usize) -> String {
    let fractions = [".700000001", ".7001", "", ".7003"];
    format!("2024-11-08T07:29:48{}Z", fractions[at % fractions.len()])
}

const VERBOSE: [[&str; 5]; 2] = [
    [
        "07:29:48.654684 IP (tos 0x0, ttl 63, id 0, offset 0, flags [DF], proto UDP (17), length 47)",
        "    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 19",
        "\t0x0000:  4500 002f 0000 4000 3f11 b797 c000 020d  E../..@.?.......",
        "07:29:48.661090 IP (tos 0xc0, ttl 64, id 7, offset 0, flags [none], proto ICMP (1), length 56)",
        "    192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36",
    ],
    [
        "07:29:48.654684 IP6 (flowlabel 0x8db1f, hlim 63, next-header UDP (17) payload length: 27)",
        "    2001:db8::13.32991 > 2001:db8::9.41226: [udp sum ok] UDP, length 19",
        "\t0x0000:  6008 db1f 001b 113f 2001 0db8 0000 0000  `......?........",
        "07:29:48.661090 IP6 (flowlabel 0x8db1f, hlim 64, next-header ICMPv6 (58) payload length: 84)",
        "    2001:db8::21 > 2001:db8::9: [icmp6 sum ok] ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 84",
    ],
];

fn written(write: Write, source: &str, lines: &[&str]) -> Vec<String> {
    lines.iter().enumerate().map(|(at, line)| write(source, at, line) + "\n").collect()
}

#[test]
fn what_stands_before_every_line_hides_no_packet() {
    let with = WITH_SOURCES.map(|(name, _, write)| (name, write));
    for (name, write) in with.into_iter().chain(WITHOUT) {
        for (plain, verbose) in PACKETS.iter().zip(&VERBOSE) {
            for lines in [&plain[..], &verbose[..]] {
                let text = written(write, "a-0", lines).concat();
                assert_eq!(packets(&text), packets(&lines.join("\n")), "{name}\n{text}");
                assert_eq!(outline(&text).len(), 1, "{name}\n{text}");
            }
            // `-t`: the collector has the time.
            let untimed = plain.map(|line| line.split_once(' ').unwrap().1);
            let text = written(write, "a-0", &untimed).concat();
            assert_eq!(packets(&text), packets(&plain.join("\n")), "{name}\n{text}");
            assert_eq!(outline(&text).len(), 1, "{name}\n{text}");
        }
    }
}

#[test]
fn lines_of_two_sources_are_two_captures() {
    for (name, is_node, write) in WITH_SOURCES {
        for (plain, verbose) in PACKETS.iter().zip(&VERBOSE) {
            for (lines, count) in [(&plain[..], 4), (&verbose[..], 2)] {
                let [one, other] = ["a-0", "b-0"].map(|source| written(write, source, lines));
                let text = one
                    .into_iter()
                    .zip(other)
                    .fold(String::new(), |text, (one, other)| text + &one + &other);
                let expected = ["a-0", "b-0"].map(|source| {
                    format!("capture {}/- {count}", if is_node { source } else { "-" })
                });
                assert_eq!(outline(&text), expected, "{name}\n{text}");
            }
        }
    }
}

#[test]
fn other_programs_and_what_tcpdump_says_split_no_source() {
    for lines in PACKETS {
        let other = "[pod/snmpd-0/snmpd] received a request\n";
        let [one, two] = ["a-0", "b-0"].map(|source| written(WITH_SOURCES[0].2, source, &lines));
        let starts = "[pod/b-0/tcpdump] listening on eth0, link-type EN10MB (Ethernet)\n";
        let text = format!(
            "{}{other}{starts}{}{}{other}\n{}{}{other}{}",
            one[0],
            two[0],
            one[1],
            one[2..].concat(),
            two[1..].concat(),
            "root@node3:~# ip addr\n",
        );
        assert_eq!(outline(&text), ["capture -/- 4", "capture -/eth0 4"], "{text}");
        // The daemon of the same node tells of a failure.
        let syslog = written(WITH_SOURCES[6].2, "node3", &lines);
        let failure = "Nov 08 07:29:48 node3 in.tftpd[77]: tftpd: read: Connection refused\n";
        assert_eq!(outline(&syslog.join(failure)), ["capture node3/- 4"]);
    }
}

#[test]
fn names_of_senders_and_of_packets_are_no_sources() {
    for lines in PACKETS {
        for names in [
            ["client", "server", "client", "router"],
            ["pkt1", "pkt2", "pkt3", "pkt4"],
            ["step-1", "step-2", "step-3", "step-4"],
        ] {
            let written: Vec<String> =
                names.iter().zip(lines).map(|(name, line)| format!("{name}: {line}")).collect();
            let text = written.join("\n");
            assert_eq!(packets(&text), packets(&lines.join("\n")), "{text}");
            assert_eq!(
                outline(&text).iter().filter(|line| line.starts_with("capture")).count(),
                1,
                "{text}"
            );
        }
    }
}

#[test]
fn what_no_format_explains_is_told_and_counts() {
    for [first, second, third, fourth] in PACKETS {
        for before in ["reply from ", "See how ", "%% x9 "] {
            let text = format!("{first}\n{before}{second}\n{third}\n{fourth}\n");
            assert_eq!(packets(&text).len(), 3, "{text}");
            let told = outline(&text);
            let expected = format!("line 2: a packet stands behind '{}'", before.trim());
            assert!(told.iter().any(|line| line.contains(&expected)), "{told:?}");
            let mut unread = 0;
            super::read_text(&mut text.as_bytes(), &mut |event| {
                unread += u32::from(matches!(event, crate::ingest::Event::Unread { .. }));
            })
            .unwrap();
            assert_eq!(unread, 1, "{text}");
        }
    }
}

#[test]
fn texts_without_one_readable_packet_say_what_stands_before_the_first() {
    for [first, ..] in PACKETS {
        let text = format!("%% x9 {first}\n");
        let told = outline(&text).pop().unwrap();
        assert!(
            told.starts_with("error it is text, but no packet in it could be read: line 1: a packet stands behind '%% x9'"),
            "{told}"
        );
    }
}

#[test]
fn the_bytes_of_packets_are_no_packets_behind_a_collectors_time() {
    for (packet, forged) in [
        (PACKETS[0][1], "IP 192.0.2.1.5 > 192.0.2.2.6: UDP, length 4"),
        (PACKETS[1][1], "2001:db8::1.5 > 2001:db8::2.6: UDP, length 4"),
    ] {
        let lines = [packet, "E..<..@.@.%....", forged, "12 > 3", packet];
        for (name, write) in &WITHOUT[..6] {
            let text = written(*write, "", &lines).concat();
            assert_eq!(packets(&text).len(), 2, "{name}\n{text}");
        }
    }
}
