//! Lines that people, pages, mail and collectors touched, read as they were.

use super::commented::PACKETS;
use super::*;
use crate::model::packet::Content;

/// The packets of a text: their sockets and length, or the kind of an ICMP error.
pub(super) fn packets(text: &str) -> Vec<String> {
    let mut packets = Vec::new();
    read_text(&mut text.as_bytes(), &mut |event| {
        if let Event::Packet(packet) = event {
            packets.push(match packet.content {
                Content::Datagram(datagram) => format!("{} {}", datagram.flow, datagram.length),
                Content::IcmpError(error) => {
                    format!(
                        "{:?} {:?}",
                        error.kind,
                        error.quote.map(|quote| quote.destination_port)
                    )
                }
                other => format!("{other:?}"),
            });
        }
    })
    .unwrap();
    packets
}

fn plain(lines: &[&str; 4]) -> Vec<String> {
    let plain = packets(&lines.join("\n"));
    assert_eq!(plain.len(), 4);
    plain
}

/// Breaks lines as a window of so many columns does.
fn break_hard(text: &str, width: usize) -> String {
    let mut broken = String::new();
    for line in text.lines() {
        let characters: Vec<char> = line.chars().collect();
        for part in characters.chunks(width) {
            broken.extend(part);
            broken.push('\n');
        }
    }
    broken
}

/// Breaks lines as mail does: at spaces, which are lost.
fn break_soft(text: &str, width: usize) -> String {
    let mut broken = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            if column > 0 && column + 1 + word.len() > width {
                broken.push('\n');
                column = 0;
            } else if column > 0 {
                broken.push(' ');
                column += 1;
            }
            broken.push_str(word);
            column += word.len();
        }
        broken.push('\n');
    }
    broken
}

#[test]
fn lines_broken_at_any_width_are_put_together() {
    for lines in PACKETS {
        let expected = plain(&lines);
        let text = lines.join("\n");
        for width in 50..110 {
            for broken in [break_hard(&text, width), break_soft(&text, width)] {
                let found = packets(&broken);
                // A length that a window broke within its digits looks whole.
                let sockets = |packets: &[String]| -> Vec<String> {
                    packets.iter().map(|p| p.rsplit_once(' ').unwrap().0.to_owned()).collect()
                };
                assert_eq!(sockets(&found), sockets(&expected), "{width}\n{broken}");
                let runs = outline(&broken);
                let captures = runs.iter().filter(|line| line.starts_with("capture")).count();
                assert_eq!(captures, 1, "{width}\n{broken}\n{runs:?}");
                let is_told = runs.iter().any(|line| line.contains("is broken off"));
                let is_broken =
                    broken.lines().any(|line| line.ends_with('>') || line.ends_with(" udp"));
                assert!(is_told || !is_broken, "{width}\n{broken}\n{runs:?}");
            }
        }
    }
}

#[test]
fn packets_under_their_headers_are_put_together_too() {
    let text = "07:29:48.654684 IP (tos 0x0, ttl 63, id 0, offset 0, flags [DF], proto UDP (17), length 47)
    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 19
07:29:48.661090 IP (tos 0xc0, ttl 64, id 7, offset 0, flags [none], proto ICMP (1), length 56)
    192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36
";
    let text6 = "07:29:48.654684 IP6 (flowlabel 0x8db1f, hlim 63, next-header UDP (17) payload length: 27)
    2001:db8::13.32991 > 2001:db8::9.41226: [udp sum ok] UDP, length 19
07:29:48.661090 IP6 (flowlabel 0x8db1f, hlim 64, next-header ICMPv6 (58) payload length: 84)
    2001:db8::21 > 2001:db8::9: [icmp6 sum ok] ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 84
";
    for text in [text, text6] {
        let expected = packets(text);
        for width in [60, 72, 76, 80] {
            let broken = break_soft(text, width);
            assert_eq!(packets(&broken), expected, "{width}\n{broken}");
        }
    }
}

#[test]
fn what_stands_before_packets_hides_none() {
    for lines in PACKETS {
        let expected = plain(&lines);
        for prefix in [
            "Nov 08 07:29:48 node3 tcpdump[1234]: ",
            "2024-11-08T07:29:48.700000001Z stdout F ",
            "[pod/tftp-0/tcpdump] ",
            "tftp-0 tcpdump ",
            "cap.txt:12:",
            "3. `",
        ] {
            let text: String = lines.map(|line| format!("{prefix}{line}\n")).concat();
            assert_eq!(packets(&text), expected, "{prefix}");
            let runs = outline(&text).len();
            assert_eq!(runs, 1, "{prefix}");
        }
        for first in ["[code]", "<pre><code>", "Output: ", "\"", "<div>"] {
            let text = format!("{first}{}", lines.join("\n"));
            assert_eq!(packets(&text), expected, "{first}");
        }
        assert_eq!(packets(&lines.join("  ")), expected, "on one line");
        assert_eq!(packets(&lines.join("\r")), expected, "carriage returns");
        let escaped = lines.join("\n").replace('>', "&amp;gt;");
        assert_eq!(packets(&escaped), expected);
    }
}

#[test]
fn a_collector_names_the_node() {
    for lines in PACKETS {
        let text: String =
            lines.map(|line| format!("Nov 08 07:29:48 node3 tcpdump[1234]: {line}\n")).concat();
        assert_eq!(outline(&text), ["capture node3/- 4"]);
    }
}

#[test]
fn lines_of_several_sources_are_captures_of_their_own() {
    for [first, second, third, fourth] in PACKETS {
        let text = format!(
            "[pod/a-0/tcpdump] {first}\n[pod/b-0/tcpdump] {third}\n[pod/a-0/tcpdump] {second}\n[pod/b-0/tcpdump] {fourth}\n"
        );
        assert_eq!(outline(&text), ["capture -/- 2", "capture -/- 2"]);
        let text = format!("{text}root@node3:~# tcpdump -ni eth0\n{first}\n");
        assert_eq!(outline(&text), ["capture -/- 2", "capture -/- 2", "capture node3/eth0 1"]);
    }
}

#[test]
fn a_packet_in_a_sentence_counts_once_and_never_vanishes() {
    for lines in PACKETS {
        let [first, second, third, fourth] = lines;
        let quoted = format!("{}\nSee how {second} has another source.\n", lines.join("\n"));
        assert_eq!(outline(&quoted), ["capture -/- 4"]);
        // What stands plainly keeps its place, whatever words stand before its copy.
        let expected = plain(&lines);
        for words in ["The answer: ", "Reply: ", "The answer comes from the node: "] {
            for blank in ["", "\n"] {
                let told = format!("{words}{second}\n{blank}{}\n", lines.join("\n"));
                assert_eq!(packets(&told), expected, "{told}");
                let told = format!("{}\n{blank}{words}{second}\n", lines.join("\n"));
                assert_eq!(packets(&told), expected, "{told}");
            }
        }
        let told =
            format!("Asked: {first}\nAnswered: {second}\nGoes on: {third}\nRefused: {fourth}\n");
        assert_eq!(packets(&told), expected);
        let alone = format!("{first}\nSee how {second} has another source.\n");
        let told = outline(&alone);
        assert!(
            told.iter().any(|line| line.contains("line 2: a packet stands behind")),
            "{told:?}"
        );
    }
}

#[test]
fn entries_of_connection_tracking_are_put_together() {
    let entries = [
        "udp      17 25 src=192.0.2.9 dst=192.0.2.21 sport=41226 dport=69 [UNREPLIED] src=198.51.100.7 dst=192.0.2.9 sport=69 dport=41226 mark=0 use=1",
        "udp      17 25 src=2001:db8::9 dst=2001:db8::21 sport=41226 dport=69 [UNREPLIED] src=2001:db8:1::7 dst=2001:db8::9 sport=69 dport=41226 mark=0 use=1",
    ];
    for entry in entries {
        for width in [72, 80, 100] {
            let text = break_soft(&format!("{entry}\n{entry}"), width);
            let mut seen = Vec::new();
            read_text(&mut text.as_bytes(), &mut |event| {
                if let Event::Inventory(inventory) = event {
                    seen.extend(inventory.text.lines().map(str::to_owned));
                }
            })
            .unwrap();
            assert_eq!(seen, [entry, entry], "{width}");
        }
    }
}

#[test]
fn icmp_errors_that_are_cut_are_told() {
    let cut = [
        (
            "IP 198.51.100.10 > 192.0.2.7: ICMP 198.51.100.10 udp port 69 u",
            Ok("PortUnreachable Some(Some(69))"),
        ),
        ("IP 198.51.100.10 > 192.0.2.7: ICMP 198.51.100.10 udp po", Err("end is cut off")),
        ("IP 198.51.100.10 > 192.0.2.7: ICMP host 198.51.100.10 unr", Err("end is cut off")),
        ("IP 198.51.100.10 > 192.0.2.7: ICM", Err("ends before it says")),
        ("IP 198.51.100.10 > 192.0.2", Err("ends within an address")),
        (
            "IP6 2001:db8:1::10 > 2001:db8::7: ICMP6, destination unreachable, unreachab",
            Err("end is cut off"),
        ),
        (
            "IP6 2001:db8:1::10 > 2001:db8::7: ICMP6, destination unreachable, unreachable port, 2001:db8:1::1",
            Err("end is cut off"),
        ),
        (
            "IP6 2001:db8:1::10 > 2001:db8::7: ICMP6, destination unreachable, unreachable port, 2001:db8:1::10 udp port 3",
            Ok("PortUnreachable Some(None)"),
        ),
        ("IP6 2001:db8:1::10 > 2001:db8::7: IC", Err("ends before it says")),
        ("IP6 2001:db8:1::10 > 2001:db8::", Err("ends")),
    ];
    for (line, expected) in cut {
        let text = format!("07:29:48.654684 {line}\n");
        let (mut seen, mut unread) = (Vec::new(), 0);
        read_text(&mut text.as_bytes(), &mut |event| match event {
            Event::Fault(fault) => seen.push(fault.to_string()),
            Event::Unread { .. } => unread += 1,
            _ => {}
        })
        .unwrap();
        match expected {
            Ok(packet) => {
                assert_eq!(packets(&text), [packet], "{line}");
                assert_eq!(unread, 0, "{line}");
            }
            Err(message) => {
                assert!(seen.iter().any(|fault| fault.contains(message)), "{line}: {seen:?}");
                assert_eq!(unread, 1, "{line}");
            }
        }
    }
}

#[test]
fn a_verbose_packet_told_twice_is_left_out_with_its_lines() {
    for [ends, header] in [
        [
            "192.0.2.13.32991 > 192.0.2.9.41226: UDP, length 19",
            "IP (tos 0x0, ttl 63, id 2, offset 0, flags [DF], proto UDP (17), length 47)",
        ],
        [
            "2001:db8::13.32991 > 2001:db8::9.41226: UDP, length 19",
            "IP6 (hlim 63, next-header UDP (17) payload length: 27)",
        ],
    ] {
        let packet = format!("07:29:48.659120 {header}\n    {ends}\n\t0x0000:  4500 002f\n");
        let earlier = packet.replace("48.659120", "48.654684");
        let expected = packets(&format!("{earlier}{packet}"));
        assert_eq!(expected.len(), 2);
        assert_eq!(packets(&format!("The answer: {packet}{earlier}{packet}")), expected);
    }
}

#[test]
fn no_packet_behind_a_name_is_dropped() {
    for packet in [
        "IP 192.0.2.9.41226 > 192.0.2.21.161: UDP, length 40",
        "IP6 2001:db8::9.41226 > 2001:db8::21.161: UDP, length 40",
    ] {
        for (prefix, time) in [
            ("server  | ", "00:00:00.000002"),
            ("server-1  | ", "00:00:00.000002"),
            ("Nov 08 07:29:48 gateway tcpdump[12]: ", "07:29:48.654684"),
            ("Client: ", "07:29:41"),
        ] {
            let text = format!("{prefix}{time} {packet}\n").repeat(5);
            assert_eq!(packets(&text).len(), 5, "{text}");
        }
        // The heading of a capture stands before its first packet.
        let [first, second] =
            ["00:00:00.000000", "00:00:00.006000"].map(|at| format!("{at} {packet}"));
        let text = format!("Pod: {first}\n{second}\n\nHost: {first}\n{second}\n");
        assert_eq!(outline(&text), ["capture -/- 2", "capture -/- 2"], "{text}");
    }
}

#[test]
fn packets_within_the_bytes_of_others_are_none() {
    let payload = "07:29:48.654699 IP 192.0.2.1.1 > 192.0.2.2.2: UDP, length 4";
    let logged = format!("E..<..@.@.%.... <b>x</b> {{\"log\":\"{payload}\"}}");
    for packet in [PACKETS[0][1], PACKETS[1][1]] {
        let later = packet.replace("48.659120", "49.659120");
        for prefix in ["", "server  | ", "2024-11-08T07:29:48.7Z stdout F "] {
            let text = format!(
                "{prefix}{packet}\n{prefix}{logged}\n{prefix}{later}\n{prefix}E..<..@.@.%.. {payload}\n{prefix}E..<.. {payload}\n"
            );
            assert_eq!(packets(&text).len(), 2, "{text}");
        }
        let verbose = format!("{packet}\n\tMsg: {payload}\n{later}\n");
        assert_eq!(packets(&verbose).len(), 2, "{verbose}");
    }
}

#[test]
fn a_name_that_the_snap_length_cut_takes_no_heading() {
    for ends in ["IP 192.0.2.9.41226 > 192.0.2.21.69", "IP6 2001:db8::9.41226 > 2001:db8::21.69"] {
        for name in ["\"images/switch-firm[|tftp]", "\"images/\"switch.bin\" octet"] {
            let packet = format!("07:29:48.654684 {ends}:  64 RRQ {name}");
            let later = packet.replace("48.654684", "48.655100");
            let text = format!("{packet}\nIn the pod (eth0):\n{later}\n");
            assert_eq!(outline(&text), ["capture -/- 1", "capture -/- 1"], "{text}");
        }
    }
}

#[test]
fn blocks_of_a_page_keep_packets_apart() {
    for lines in PACKETS {
        let expected = plain(&lines);
        for tag in ["p", "li", "div", "pre", "code", "tr"] {
            let text = format!("<{tag}>{}</{tag}>\n", lines.join(&format!("</{tag}><{tag}>")));
            assert_eq!(packets(&text), expected, "{tag}");
        }
    }
}
