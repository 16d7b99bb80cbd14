//! Traces that are whole, damaged, and cut.

use crate::ingest::samples::{Seen, read_all};
use crate::model::capture::{Direction, LinkType};

const TRACE: &str = "\
ns5gt-> snoop
05707.1: ethernet0/0(i) len=46:020000000001->020000000002/0800
              192.0.2.7 -> 198.51.100.10/17
              vhl=45, tos=00, id=1, frag=0000, ttl=64 tlen=32
              udp:ports 5000->69, len=12
              02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00     ..............E.
              00 20 00 01 00 00 40 11 00 00 c0 00 02 07 c6 33     . ....@........3
              64 0a 13 88 00 45 00 0c 00 00 00 04 00 00           d....E........

ns5gt-> get db stream
****** 05707.0: <Trust/ethernet0/0> packet received [32]******
  ipid = 1(0001), @2d6bc174
05707.2: ethernet0/1(o) len=66:020000000002->020000000001/86dd
              2001:db8::7 -> 2001:db8:100::10/17
              udp:ports 5000->69, len=12
                            02 00 00 00 00 01 02 00 00 00 00 02 86 dd 60 00     ..............`.
                            00 00 00 0c 11 40 20 01 0d b8 00 00 00 00 00 00     .....@ .........
                            00 00 00 00 00 07 20 01 0d b8 01 00 00 00 00 00     ...... .........
                            00 00 00 00 00 10 13 88 00 45 00 0c 00 00 00 04     .........E......
                            00 00                                               ..
";

/// Number, direction, link type, length on the wire and bytes of each frame.
fn frames(events: &[Seen]) -> Vec<(u64, Option<Direction>, LinkType, u32, usize)> {
    let frame = |event: &Seen| match event {
        Seen::Frame { number, direction, link_type, original_length, bytes, .. } => {
            Some((*number, *direction, *link_type, *original_length, bytes.len()))
        }
        _ => None,
    };
    events.iter().filter_map(frame).collect()
}

fn faults(events: &[Seen]) -> Vec<String> {
    events.iter().filter_map(Seen::fault).collect()
}

#[test]
fn frames_are_numbered_through_what_stands_between_them() {
    for text in [TRACE.to_owned(), TRACE.replace('\n', "\r\n")] {
        let (events, outcome) = read_all(text.as_bytes());
        assert_eq!(outcome, Ok(()));
        let expected = [
            (1, Some(Direction::In), LinkType::Ethernet, 46, 46),
            (2, Some(Direction::Out), LinkType::Ethernet, 66, 66),
        ];
        assert_eq!(frames(&events), expected);
        assert_eq!(faults(&events), Vec::<String>::new());
        let names = events.iter().filter_map(|event| match event {
            Seen::Interface(header) => header.name.clone(),
            _ => None,
        });
        assert_eq!(names.collect::<Vec<_>>(), ["ethernet0/0", "ethernet0/1"]);
        assert_eq!(events.iter().filter(|event| matches!(event, Seen::Begins(_))).count(), 1);
        assert!(matches!(events.last(), Some(Seen::Ends)));
    }
}

#[test]
fn damage_costs_what_it_hits() {
    let second_line =
        "              00 20 00 01 00 00 40 11 00 00 c0 00 02 07 c6 33     . ....@........3\n";
    let blank = "d....E........\n\n";
    // what is changed, into what, bytes of the first frame, the fault
    let cases = [
        (
            "05707.1: ethernet0/0(i) len=46",
            "05707.1: ethernet0/0(i) len=46x",
            None,
            "line 2: expected a length in bytes, up to 262144, behind `len=`",
        ),
        (
            "05707.1: ethernet0/0(i)",
            "05707 ethernet0/0(i)",
            None,
            "line 2: expected a time such as `05707.0: ` before the interface",
        ),
        (
            "00 20 00 01",
            "00 20 0g 01",
            Some(18),
            "line 7: expected pairs of hex digits, with one space between them; frame 1 ends there",
        ),
        (
            "00 20 00 01",
            "0020 0001",
            Some(16),
            "line 7: expected pairs of hex digits, with one space between them; frame 1 ends there",
        ),
        (
            "02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00",
            "?? 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00",
            None,
            "line 6: expected pairs of hex digits, with one space between them; frame 1 ends there",
        ),
        (
            "45 00 0c 00 00 00 04 00 00",
            "45 00 0c 00 00 00 04 00 00 00",
            Some(46),
            "line 8: holds more bytes than the head announces; frame 1 ends there",
        ),
        (
            second_line,
            "              the rest\n",
            Some(16),
            "line 7: expected 16 bytes in hex, as in the line before; frame 1 ends there",
        ),
        (
            second_line,
            "lost lines\n",
            Some(16),
            "line 2: frame 1 is cut: its head announces 46 bytes, and fewer follow",
        ),
        (
            second_line,
            "              00 20\n",
            Some(18),
            "line 7: holds fewer than 16 bytes, and is not the last line; frame 1 ends there",
        ),
        (blank, "d....E........\n", Some(46), ""),
    ];
    for (from, to, first_bytes, fault) in cases {
        assert!(TRACE.contains(from), "{from}");
        let (events, outcome) = read_all(TRACE.replacen(from, to, 1).as_bytes());
        assert_eq!(outcome, Ok(()), "{to}");
        let mut expected = vec![(2, Some(Direction::Out), LinkType::Ethernet, 66, 66)];
        if let Some(bytes) = first_bytes {
            expected.insert(0, (1, Some(Direction::In), LinkType::Ethernet, 46, bytes));
        }
        // Without a byte the words below the head are all that is known.
        assert_eq!(frames(&events), expected, "{to}");
        let told = if fault.is_empty() { Vec::new() } else { vec![fault.to_owned()] };
        assert_eq!(faults(&events), told, "{to}");
    }
}

#[test]
fn words_are_read_where_there_are_no_bytes() {
    let words = "\
05707.1: ethernet0/0(i) len=46:020000000001->020000000002/0800
              192.0.2.7 -> 198.51.100.10/17
              vhl=45, tos=00, id=1, frag=0000, ttl=64 tlen=32
              udp:ports 5000->69, len=12

05707.2: ethernet0/1(o) len=66:020000000002->020000000001/86dd
              2001:db8::7 -> 2001:db8:100::10/17
              udp:ports 5000->69, len=12
05707.3: ethernet0/0(i) len=54:020000000001->020000000002/0800
              192.0.2.7 -> 198.51.100.10/6
              tcp:ports 5000->80, seq=1, ack=0, flag=5002/SYN
";
    let (events, outcome) = read_all(words.as_bytes());
    assert_eq!(outcome, Ok(()));
    assert_eq!(frames(&events), []);
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Seen::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("OtherPacket"), "{told:?}");
    for (text, address) in told.iter().zip(["192.0.2.7", "2001:db8::7"]) {
        assert!(text.contains(address) && text.contains("length: 4,"), "{text}");
    }
}

#[test]
fn a_cut_trace_keeps_what_came() {
    let whole_at = TRACE.find("           d....E").unwrap();
    for cut in 0..TRACE.len() {
        let (events, outcome) = read_all(&TRACE.as_bytes()[..cut]);
        let begun = events.iter().filter(|event| matches!(event, Seen::Begins(_))).count();
        assert_eq!(outcome.is_ok(), begun == 1, "{cut}");
        assert_eq!(matches!(events.last(), Some(Seen::Ends)), begun == 1, "{cut}");
        let whole = frames(&events).iter().filter(|frame| (frame.0, frame.4) == (1, 46)).count();
        assert_eq!(whole, usize::from(cut >= whole_at), "{cut}");
    }
}

#[test]
fn links_are_known_by_interface_and_bytes() {
    let hex = "02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00";
    let raw = "45 00 00 10 00 00 00 00 40 11 00 00 c0 00 02 01";
    let ends = "020000000001->020000000002/0800";
    let cases = [
        ("ethernet0/0", ends, hex, LinkType::Ethernet),
        ("wireless0/0", ends, hex, LinkType::Ethernet),
        ("adsl1/0", ends, hex, LinkType::Ethernet),
        ("adsl1/0", ends, raw, LinkType::Ppp),
        ("serial0/0", ends, raw, LinkType::Ppp),
        ("tunnel.1", "", raw, LinkType::RawIp),
    ];
    for (interface, ends, bytes, link_type) in cases {
        let text = format!("1.0: {interface}(i) len=16:{ends}\n              {bytes}     .\n");
        let (events, _) = read_all(text.as_bytes());
        assert_eq!(frames(&events), [(1, Some(Direction::In), link_type, 16, 16)], "{interface}");
    }
}

#[test]
fn interfaces_and_faults_are_bounded() {
    let packets = |n: u32| format!("{n}.0: eth{n}(i) len=6:\n 00\n{n}.5: x(o) len=y\n");
    let text: Vec<String> = (0..1_000).map(packets).collect();
    let (events, outcome) = read_all(text.concat().as_bytes());
    assert_eq!(outcome, Ok(()));
    let interfaces = events.iter().filter(|event| matches!(event, Seen::Interface(_))).count();
    assert_eq!(interfaces, 257);
    assert!(faults(&events).len() < 500, "{}", faults(&events).len());
}
