//! Rows of dumps, and what is none.

use std::fmt::Write as _;

use crate::ingest::samples::{Seen, read_all};
use crate::model::capture::{Clock, LinkType};

const V4: &str = "\
0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00   ..............E.
0010  00 20 00 01 00 00 40 11 00 00 c0 00 02 07 c6 33   . ....@........3
0020  64 0a 13 88 00 45 00 0c 00 00 00 04 00 00         d....E........
";
const V6: &str = "\
0000  60 00 00 00 00 0c 11 40 20 01 0d b8 00 00 00 00   `......@ .......
0010  00 00 00 00 00 00 00 07 20 01 0d b8 01 00 00 00   ........ .......
0020  00 00 00 00 00 00 00 10 13 88 00 45 00 0c 00 00   ...........E....
0030  00 04 00 00                                       ....
";
const TEXT: &str = "\
0000  45 76 65 6e 74 20 6c 6f 67 20 6f 66 20 74 68 65   Event log of the
0010  20 64 65 76 69 63 65                               device
";

/// Number, link type and bytes of each frame; `None` for another packet.
fn outline(events: &[Seen]) -> Vec<Option<(u64, LinkType, usize)>> {
    let frame = |event: &Seen| match event {
        Seen::Frame { number, link_type, bytes, .. } => {
            Some(Some((*number, *link_type, bytes.len())))
        }
        Seen::Text(text) if text.starts_with("OtherPacket") => Some(None),
        _ => None,
    };
    events.iter().filter_map(frame).collect()
}

#[test]
fn dumps_in_a_row_are_one_capture() {
    let v4 = |number| Some((number, LinkType::Ethernet, 46));
    let v6 = |number| Some((number, LinkType::RawIp, 52));
    let cases = [
        (format!("{V4}\n{V6}"), vec![v4(1), v6(2)]),
        (format!("{V4}{V6}"), vec![v4(1), v6(2)]),
        (format!("Sent:\n{V4}\nThen this came back:\n{V6}"), vec![v4(1), v6(2)]),
        (format!("{TEXT}\n{V4}{TEXT}{V6}"), vec![None, v4(2), None, v6(4)]),
        (V4.replace("   d....E", "   #ip a"), vec![v4(1)]),
        (V4.replace("0010  ", "0018  "), vec![]),
    ];
    for (text, expected) in cases {
        let (events, outcome) = read_all(text.as_bytes());
        assert_eq!(outline(&events), expected, "{text}");
        assert_eq!(outcome.is_ok(), !expected.is_empty(), "{text}");
        assert_eq!(matches!(events.last(), Some(Seen::Ends)), !expected.is_empty());
    }
}

#[test]
fn what_was_put_together_is_no_frame_of_its_own() {
    let text = format!(
        "Frame 1: 46 bytes on wire (368 bits), 46 bytes captured (368 bits)\n    Epoch Time: 1700000000.500000000 seconds\nInternet Protocol Version 4, Src: 192.0.2.7\n\nFrame (46 bytes):\n\n{V4}\nReassembled IPv4 (52 bytes):\n\n{V6}\nFrame 2: 52 bytes on wire (416 bits), 52 bytes captured (416 bits)\n\n{V6}\n"
    );
    let (events, outcome) = read_all(text.as_bytes());
    assert_eq!(outcome, Ok(()));
    let expected = [Some((1, LinkType::Ethernet, 46)), Some((2, LinkType::RawIp, 52))];
    assert_eq!(outline(&events), expected);
    let at = events.iter().find_map(|event| match event {
        Seen::Frame { at, .. } => Some(at.as_nanoseconds()),
        _ => None,
    });
    assert_eq!(at, Some(1_700_000_000_500_000_000));
}

#[test]
fn dumps_of_other_bytes_are_no_capture() {
    let zeros = "0000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00   ................\n";
    for text in [TEXT.to_owned(), TEXT.repeat(50), zeros.repeat(50)] {
        let (events, outcome) = read_all(text.as_bytes());
        assert_eq!(events, [], "{text}");
        assert!(outcome.unwrap_err().contains("no tcpdump line"), "{text}");
    }
}

#[test]
fn a_prompt_ends_a_row() {
    let text = format!(
        "{V4}\n[root@node3 ~]# tcpdump -n\n12:00:00.000001 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4\n"
    );
    let (events, _) = read_all(text.as_bytes());
    assert_eq!(events.iter().filter(|event| matches!(event, Seen::Begins(_))).count(), 2);
    assert_eq!(events.iter().filter(|event| event.is_frame()).count(), 1);
}

#[test]
fn times_above_and_before_dumps_are_read() {
    let v6 = V6.strip_suffix('\n').unwrap();
    // the text, the clock, and the times in milliseconds, from the first one on
    let cases = [
        (format!("2023-11-14 22:13:20.000\n{V4}\n2023-11-14 22:13:20.500\n{V6}"), Clock::Absolute),
        (format!("I 22:13:20.000\n{V4}\nO 22:13:20.500\n{V6}"), Clock::TimeOfDay),
        (format!("22:13:20.000 {V4}22:13:20.500 {V6}"), Clock::TimeOfDay),
        (format!("1700000000.000000\n{V4}\n1700000000.500000\n{V6}"), Clock::Absolute),
        (format!("0.000000\n{V4}\n0.500000\n{v6}"), Clock::Relative),
    ];
    for (text, clock) in cases {
        let (events, outcome) = read_all(text.as_bytes());
        assert_eq!(outcome, Ok(()));
        assert!(matches!(&events[0], Seen::Begins(header) if header.clock == clock), "{events:?}");
        let times: Vec<i64> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Frame { at, .. } => Some(at.as_nanoseconds()),
                _ => None,
            })
            .collect();
        assert!(matches!(times[..], [first, last] if last - first == 500_000_000), "{text}");
    }
    let untimed = format!("These were sent at 22:13:20.000:\n{V4}\nand answered:\n{V6}");
    let (events, _) = read_all(untimed.as_bytes());
    assert!(matches!(&events[0], Seen::Begins(header) if header.clock == Clock::None));
}

#[test]
fn what_was_put_together_has_no_number() {
    let text = format!(
        "{V4}\nFrame (46 bytes):\n\n{V4}\nReassembled IPv4 (52 bytes):\n\n{V6}\n{V4}\nFrame (52 bytes):\n\n{V6}\nDecrypted UDP (46 bytes):\n\n{V4}"
    );
    let (events, _) = read_all(text.as_bytes());
    let v4 = |number| Some((number, LinkType::Ethernet, 46));
    assert_eq!(outline(&events), [v4(1), v4(2), v4(3), Some((4, LinkType::RawIp, 52))]);
}

#[test]
fn repeated_lines_are_filled_in() {
    let bytes = |length: u8| {
        let head = V4.lines().next().unwrap();
        let second = format!("0010  00 {length:02x} 00 01 00 00 40 11 00 00 c0 00 02 07 c6 33");
        format!(
            "{head}\n{second}\n0020  64 0a 13 88 00 45 00 {:02x} 00 00 78 78 78 78 78 78\n0030  78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78\n*\n",
            length - 20
        )
    };
    let cases = [
        // 0x10 + 0x60 bytes, and four more on a line of their own
        (format!("{}0070  78 78 78 78\n", bytes(0x66)), 0x74),
        // to the offset of the end
        (format!("{}000070\n", bytes(0x62)), 0x70),
    ];
    for (text, length) in cases {
        let (events, _) = read_all(format!("{text}\n{V4}").as_bytes());
        let expected = [Some((1, LinkType::Ethernet, length)), Some((2, LinkType::Ethernet, 46))];
        assert_eq!(outline(&events), expected, "{text}");
    }
}

/// `show monitor capture NAME buffer dump` of IOS XE: a number before each packet.
#[test]
fn dumps_of_cisco_are_read() {
    let wide = |dump: &str| {
        let rows = dump.lines().map(|line| {
            let (offset, rest) = line.split_at(4);
            let pairs: Vec<&str> =
                rest.trim_start().split("   ").next().unwrap().split(' ').collect();
            let groups: Vec<String> =
                pairs.chunks(4).map(|group| group.concat().to_uppercase()).collect();
            format!("  {offset}:  {:<38}............\n", groups.join(" "))
        });
        rows.collect::<String>()
    };
    let text = format!(
        "Switch# show monitor capture mycap buffer dump\n0\n{}\n1\n{}\n2\n{}",
        wide(V4),
        wide(V6),
        wide(V4)
    );
    let (events, outcome) = read_all(text.as_bytes());
    assert_eq!(outcome, Ok(()));
    let v4 = |number| Some((number, LinkType::Ethernet, 46));
    assert_eq!(outline(&events), [v4(1), Some((2, LinkType::RawIp, 52)), v4(3)], "{text}");
}

/// `tshark -V`: fields without bytes.
#[test]
fn fields_without_bytes_are_packets() {
    for (version, one, two) in [(4, "192.0.2.9", "192.0.2.21"), (6, "2001:db8::9", "2001:db8::21")]
    {
        let frame = |number: u32, from: &str, to: &str, ports: &str| {
            format!(
                "Frame {number}: 67 bytes on wire (536 bits), 67 bytes captured (536 bits)\n    Epoch Time: 1700000000.{number}00000000 seconds\nEthernet II, Src: 02:00:00:00:00:01, Dst: 02:00:00:00:00:02\nInternet Protocol Version {version}, Src: {from}, Dst: {to}\nUser Datagram Protocol, {ports}\n    Length: 33\nData (13 bytes)\n\n0000  00 06 74 73 69 7a 65 00 37 33 30 34 00            ..tsize.7304.\n    Data: 00067473697a65003733303400\n    [Length: 13]\n\n"
            )
        };
        let arp = "Frame 3: 42 bytes on wire (336 bits), 42 bytes captured (336 bits)\nEthernet II, Src: 02:00:00:00:00:01, Dst: Broadcast\nAddress Resolution Protocol (request)\n\n";
        let fields = [
            frame(1, one, two, "Src Port: 41226, Dst Port: 69"),
            frame(2, two, one, "Src Port: 3987, Dst Port: 41226"),
            arp.to_owned(),
        ];
        let row = |number: u32, from: &str, to: &str| {
            format!("    {number}   0.{number}00000 {from} → {to} TFTP 67 Write Request, File: a\n")
        };
        let rows = [
            "    9 0.000000000 02:00:00:00:00:01 → ff:ff:ff:ff:ff:ff ARP 42 Who has 192.0.2.1?\n"
                .to_owned()
                + arp,
            row(1, one, two) + &fields[0],
            row(2, two, one) + &fields[1],
        ];
        for text in [fields.concat(), rows.concat()] {
            let (events, result) = read_all(text.as_bytes());
            result.unwrap();
            let count = |what: &str| {
                let matches =
                    |event: &&Seen| matches!(event, Seen::Text(text) if text.starts_with(what));
                events.iter().filter(matches).count()
            };
            let begins = events.iter().filter(|event| matches!(event, Seen::Begins(_))).count();
            assert_eq!(
                (begins, count("Packet"), count("OtherPacket"), count("Fault")),
                (1, 2, 1, 0),
                "{events:#?}"
            );
        }
    }
}

/// What `show monitor capture buffer NAME dump` of classic IOS prints of a frame that
/// lies at an address in memory.
fn ios_dump(clock: &str, family: &str, address: usize, frame: &[u8]) -> String {
    let mut text = format!("{clock} UTC Nov 27 2021 : {family} LES CEF    : Fa4.320 None\n\n");
    let first = 16 - address % 16;
    let (head, rest) = frame.split_at(first.min(frame.len()));
    let rows = std::iter::once((16 - first, head)).chain(rest.chunks(16).map(|row| (0, row)));
    for (row, (skipped, bytes)) in (address / 16..).zip(rows) {
        let mut digits = String::new();
        for (at, byte) in (skipped..).zip(bytes) {
            digits.push_str(if at % 4 == 0 && at > skipped { " " } else { "" });
            write!(digits, "{byte:02X}").unwrap();
        }
        let lead = " ".repeat(skipped * 2 + skipped / 4);
        let padded = format!("{lead}{digits:<width$}", width = 35 - lead.len());
        let shown: String = bytes
            .iter()
            .map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' })
            .collect();
        let spaces = " ".repeat(skipped);
        writeln!(text, "{:08X}: {padded}  {spaces}{shown}", row * 16).unwrap();
    }
    text + "\n"
}

#[test]
fn dumps_of_classic_ios_are_read_at_any_address() {
    let v4: Vec<u8> = frame_of(V4);
    let v6: Vec<u8> = [&v4[..12], &[0x86, 0xdd], &frame_of(V6)].concat();
    for address in [0x0f1a_2c00, 0x0f1a_2c08, 0x0f1a_2c0c, 0x0f1a_2c06, 0x0f1a_2c0e] {
        let text = [
            ios_dump("22:45:44.700", "IPv4", address, &v4),
            ios_dump("22:45:45.700", "IPv6", address + 0x400, &v6),
        ];
        let (events, outcome) = read_all(text.concat().as_bytes());
        assert_eq!(outcome, Ok(()), "{}", text.concat());
        let frames: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Frame { number, at, bytes, .. } => Some((*number, at.to_string(), bytes)),
                _ => None,
            })
            .collect();
        let at = |second: u8| format!("2021-11-27T22:45:4{second}.700000Z");
        assert_eq!(frames, [(1, at(4), &v4), (2, at(5), &v6)], "{}", text.concat());
        assert_eq!(events.iter().filter_map(Seen::fault).count(), 0);
    }
    // A row is missing: what is behind it has no place.
    let text = ios_dump("22:45:44.700", "IPv4", 0x0f1a_2c00, &v4);
    let cut: Vec<&str> =
        text.lines().enumerate().filter(|(n, _)| *n != 3).map(|(_, l)| l).collect();
    let (events, _) = read_all(cut.join("\n").as_bytes());
    assert!(!events.iter().any(Seen::is_frame));
}

fn frame_of(dump: &str) -> Vec<u8> {
    let (events, _) = read_all(dump.as_bytes());
    let frame = events.into_iter().find_map(|event| match event {
        Seen::Frame { bytes, .. } => Some(bytes),
        _ => None,
    });
    frame.unwrap()
}
