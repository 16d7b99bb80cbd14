//! Lines as programs write them, by their parts.

use super::*;

const PACKETS: [&str; 2] = [
    "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
    "07:29:48.654684 IP6 2001:db8::9.41226 > 2001:db8::21.69: UDP, length 4",
];

/// What collectors write before a line: source, node, and the time that a packet without
/// one gets.
const BEFORE: [(&str, &str, Option<&str>, Option<&str>); 52] = [
    ("[pod/tftp-0/tcpdump] ", "pod/tftp-0/tcpdump ", None, None),
    ("tftp-0 tcpdump ", "tftp-0 tcpdump ", None, None),
    ("tftp server ", "tftp server ", None, None),
    ("storage tftp-0 tcpdump ", "storage tftp-0 tcpdump ", None, None),
    ("2024-11-08T07:29:48.7Z stdout F ", "", None, Some("2024-11-08T07:29:48.7Z")),
    ("2024-11-08T07:29:48.7+01:00 stderr F ", "", None, Some("2024-11-08T07:29:48.7+01:00")),
    ("tcpdump-1  | ", "tcpdump-1 ", None, None),
    ("server | ", "server ", None, None),
    ("192.0.2.51 | ", "192.0.2.51 ", None, None),
    ("2001:db8::51 | ", "2001:db8::51 ", None, None),
    ("Nov 08 07:29:48 node3 tcpdump[1234]: ", "node3 tcpdump ", Some("node3"), Some("07:29:48")),
    ("Nov  8 07:29:48 gateway sh[12]: ", "gateway sh ", Some("gateway"), Some("07:29:48")),
    ("<13>Nov  8 07:29:48 node3 tcpdump: ", "node3 tcpdump ", Some("node3"), Some("07:29:48")),
    (
        "2024-11-08T07:29:48.7+00:00 node3 tcpdump[1]: ",
        "node3 tcpdump ",
        Some("node3"),
        Some("2024-11-08T07:29:48.7+00:00"),
    ),
    (
        "Fri 2024-11-08 07:29:48 UTC node3 tcpdump[1]: ",
        "node3 tcpdump ",
        Some("node3"),
        Some("2024-11-08 07:29:48"),
    ),
    (
        "Fri 2024-11-08 07:29:48 CET node3 tcpdump[1]: ",
        "node3 tcpdump ",
        Some("node3"),
        Some("07:29:48"),
    ),
    (
        "Fri 2024-11-08 07:29:48 +0330 node3 tcpdump[1]: ",
        "node3 tcpdump ",
        Some("node3"),
        Some("07:29:48"),
    ),
    (
        "Fr 2024-11-08 07:29:48 +03 node3 tcpdump[1]: ",
        "node3 tcpdump ",
        Some("node3"),
        Some("07:29:48"),
    ),
    ("Okt 08 07:29:48 node3 tcpdump[1]: ", "node3 tcpdump ", Some("node3"), Some("07:29:48")),
    ("Mär  8 07:29:48 node3 tcpdump[1]: ", "node3 tcpdump ", Some("node3"), Some("07:29:48")),
    ("11月 08 07:29:48 node3 tcpdump[1]: ", "node3 tcpdump ", Some("node3"), Some("07:29:48")),
    ("[12345.678901] node3 tcpdump[1]: ", "node3 tcpdump ", Some("node3"), None),
    ("[    5.678901 <    0.000012>] node3 tcpdump[1]: ", "node3 tcpdump ", Some("node3"), None),
    (
        "<13>1 2024-11-08T07:29:48.7Z node3 tcpdump 1234 - - ",
        "node3 tcpdump ",
        Some("node3"),
        Some("2024-11-08T07:29:48.7Z"),
    ),
    (
        "2024-11-08T07:29:48.7Z node3 tcpdump - ID [a@1 b=\"c\"][d] ",
        "node3 tcpdump ",
        Some("node3"),
        Some("2024-11-08T07:29:48.7Z"),
    ),
    ("tcpdump.1.x8fq0@node3    | ", "tcpdump.1.x8fq0@node3 ", Some("node3"), None),
    ("node3:", "node3 ", None, None),
    ("HostLog:", "HostLog ", None, None),
    ("  12  ", "", None, None),
    ("   1: ", "", None, None),
    ("- `", "", None, None),
    ("│ ", "", None, None),
    ("| ", "", None, None),
    ("2024-11-08T07:29:48.700000001Z ", "", None, Some("2024-11-08T07:29:48.700000001Z")),
    ("Nov 08 07:29:48 ", "", None, Some("07:29:48")),
    ("07:29:48 ", "", None, Some("07:29:48")),
    ("[2024-11-08 07:29:48] ", "", None, Some("2024-11-08 07:29:48")),
    ("2024/11/08 ", "", None, None),
    ("08.11.2024 ", "", None, None),
    ("node3: ", "node3 ", Some("node3"), None),
    ("192.0.2.51: ", "192.0.2.51 ", Some("192.0.2.51"), None),
    ("2001:db8::51: ", "2001:db8::51 ", Some("2001:db8::51"), None),
    ("cap.txt:", "cap.txt ", None, None),
    ("cap-1.txt:12:", "cap-1.txt ", None, None),
    ("12:", "", None, None),
    ("    12\t", "", None, None),
    ("1. `", "", None, None),
    ("(4) ", "", None, None),
    ("S1) ", "", None, None),
    ("+", "", None, None),
    ("* ", "", None, None),
    ("[pod/a-0/t] 2024-11-08T07:29:48.7Z ", "pod/a-0/t ", None, Some("2024-11-08T07:29:48.7Z")),
];

#[test]
fn what_collectors_write_before_packets_is_taken_off() {
    for packet in PACKETS {
        for (before, source, node, time) in BEFORE {
            let text = format!("{before}{packet}");
            let layers = Layers::find(&text).expect(&text);
            let explained = layers.explain(&text).unwrap();
            assert_eq!(explained.text, packet, "{text}");
            assert_eq!(explained.source, source, "{text}");
            assert_eq!(explained.node, node, "{text}");
            // Of a packet without a time the collector's is taken.
            let (_, untimed) = packet.split_once(' ').unwrap();
            let stamped = time.map_or(untimed.to_owned(), |time| format!("{time} {untimed}"));
            let text = format!("{before}{untimed}");
            let explained = layers.explain(&text).unwrap();
            assert_eq!(add_time(explained.text, explained.time), stamped, "{text}");
            // What stands below a packet keeps its indentation.
            let below = "    192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4";
            let text = format!("{before}{below}");
            let explained = layers.explain(&text).unwrap();
            assert!(below.ends_with(explained.text), "{text}");
            assert!(explained.text.starts_with("  "), "{text}");
        }
        let cells = packet.replacen(' ', " | ", 1);
        let bracketed = packet.replacen("07:29:48.654684", "[07:29:48.654684]", 1);
        for text in [format!("| {packet} |"), format!("| {cells} |"), bracketed] {
            let explained = Layers::find(&text).unwrap().explain(&text).unwrap();
            assert_eq!(add_time(explained.text, explained.time), packet, "{text}");
        }
    }
}

#[test]
fn lines_around_a_match_and_numbers_that_grow_are_explained() {
    let cases = [
        ("cap.txt:", "cap.txt-\t0x0000:  4500", "\t0x0000:  4500"),
        ("cap-1.txt:9:", "cap-1.txt-10-\t0x0000:  4500", "\t0x0000:  4500"),
        ("9:", "10-\t0x0000:  4500", "\t0x0000:  4500"),
        ("     9\t", "    10\t\t0x0000:  4500", "\t0x0000:  4500"),
        ("2024-11-08T07:29:48.7Z ", "2024-11-08T07:29:48.123456789Z below", "below"),
        (
            "Nov 08 07:29:48 n tcpdump[99]: ",
            "Dec  1 07:29:49 n tcpdump[100]:     below",
            "    below",
        ),
        ("server  | ", "server  |", ""),
    ];
    for packet in PACKETS {
        for (before, line, expected) in cases {
            let layers = Layers::find(&format!("{before}{packet}")).unwrap();
            assert_eq!(layers.explain(line).unwrap().text, expected, "{line}");
        }
    }
}

#[test]
fn other_lines_are_explained_by_none() {
    let cases = [
        "Nov  8 07:29:48 node3 in.tftpd[77]: WRQ from 192.0.2.9 filename a",
        "2024-11-08 07:29:48,123 INFO state > ready",
        "29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
        "the device was restarted at 07:29:48",
        "    192.0.2.9.41226 > 192.0.2.21.69: UDP, length 4",
        "    2001:db8::9.41226 > 2001:db8::21.69: UDP, length 4",
        "GREv0, length 84: IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4",
        "In the table udp      17 29 src=192.0.2.7 dst=192.0.2.8 sport=7 dport=69 stands",
        "",
    ];
    for text in cases {
        assert!(Layers::find(text).is_none(), "{text}");
    }
    for packet in PACKETS {
        for before in ["", "  ", "Output: ", "See how ", "Reply = ", "Client: "] {
            let text = format!("{before}{packet}");
            assert!(Layers::find(&text).is_none(), "{text}");
        }
    }
}

#[test]
fn entries_of_connection_tracking_are_found_behind_marks() {
    let entries = [
        "udp      17 29 src=192.0.2.7 dst=192.0.2.8 sport=7 dport=69",
        "ipv6     10 udp      17 29 src=2001:db8::7 dst=2001:db8::8 sport=7 dport=69",
    ];
    for entry in entries {
        for (before, behind) in
            [("- `", "`"), ("0:", ""), ("ct.txt:12:", ""), ("* ", ""), ("node3: ", "")]
        {
            let text = format!("{before}{entry}{behind}");
            assert_eq!(Layers::find(&text).unwrap().explain(&text).unwrap().text, entry, "{text}");
        }
        assert!(Layers::find(entry).is_none());
    }
}

#[test]
fn entries_of_dockers_files_are_unpacked() {
    for packet in PACKETS {
        let entry = |line: &str| {
            let line = line.replace('>', "\\u003e");
            format!(
                "{{\"log\":\"{line}\\n\",\"stream\":\"stdout\",\"time\":\"2024-11-08T07:29:48.7Z\"}}"
            )
        };
        let (_, untimed) = packet.split_once(' ').unwrap();
        for line in [packet, untimed, "    a > b"] {
            let found = find_entry(&entry(line)).unwrap();
            assert_eq!(found.log, format!("{line}\n"));
            assert_eq!(found.time.as_deref(), Some("2024-11-08T07:29:48.7Z"));
        }
        assert!(find_entry(packet).is_none());
    }
    assert!(find_entry("{\"log\": 1}").is_none());
}
