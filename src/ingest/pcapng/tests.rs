//! Captures made block by block.

mod damage;
mod sections;
mod statistics;

use crate::ingest::byte_order::ByteOrder::{self, Big, Little};
use crate::ingest::samples::{
    Seen, block, four, interface, option, packet, read_all, section_header, two,
};
use crate::ingest::{CaptureHeader, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Direction, LinkType};
use crate::model::time::Timestamp;

const MICROSECOND: i64 = 1_000;

fn frame(number: u64, nanoseconds: i64, interface: u32, link_type: LinkType, bytes: &[u8]) -> Seen {
    Seen::Frame {
        number,
        at: Timestamp::from_nanoseconds(nanoseconds),
        interface,
        link_type,
        direction: None,
        original_length: u32::try_from(bytes.len()).unwrap() + 100,
        bytes: bytes.to_vec(),
    }
}

fn faults(events: &[Seen]) -> Vec<String> {
    events.iter().filter_map(Seen::fault).collect()
}

/// A section header and an Ethernet interface.
fn begin(order: ByteOrder) -> Vec<u8> {
    [section_header(order), interface(order, 1, 0, &[])].concat()
}

#[test]
fn interfaces_count_on_over_sections_of_both_byte_orders() {
    let name = option(Little, 2, b"eth0");
    let nanoseconds = [option(Big, 9, &[9]), option(Big, 14, &[0, 0, 0, 0, 0, 0, 0, 5])].concat();
    let file = [
        section_header(Little),
        interface(Little, 1, 0, &name),
        packet(Little, 0, 1_000_001, b"first", &[]),
        interface(Little, 228, 0, &[]),
        packet(Little, 1, 2, b"second", &[]),
        section_header(Big),
        interface(Big, 229, 0, &nanoseconds),
        packet(Big, 0, 7, b"third", &[]),
    ]
    .concat();
    let (events, outcome) = read_all(&file);
    assert!(outcome.is_ok());
    let header = CaptureHeader::of(CaptureFormat::Pcapng, Clock::Absolute);
    let described = |index, name: Option<&str>, link_type| {
        let name = name.map(str::to_owned);
        Seen::Interface(InterfaceHeader { index, name, link_type: Some(link_type) })
    };
    let expected = [
        Seen::Begins(header),
        described(0, Some("eth0"), LinkType::Ethernet),
        frame(1, 1_000_001 * MICROSECOND, 0, LinkType::Ethernet, b"first"),
        described(1, None, LinkType::Ipv4),
        frame(2, 2 * MICROSECOND, 1, LinkType::Ipv4, b"second"),
        described(2, None, LinkType::Ipv6),
        frame(3, 5_000_000_007, 2, LinkType::Ipv6, b"third"),
        Seen::Ends,
    ];
    assert_eq!(events, expected);
}

#[test]
fn flags_give_the_direction() {
    for order in [Little, Big] {
        let comment = option(order, 1, b"hello");
        let end = option(order, 0, &[]);
        let flags = |value| option(order, 2, &four(order, value));
        let cases = [
            (vec![], None),
            (flags(0), None),
            (flags(1), Some(Direction::In)),
            (flags(0x0100_0002), Some(Direction::Out)),
            ([comment.clone(), flags(2)].concat(), Some(Direction::Out)),
            ([end, flags(1)].concat(), None),
            (option(order, 2, &[1]), None),
            (vec![1, 1, 0xff, 0xff], None),
        ];
        for (options, direction) in cases {
            let file = [begin(order), packet(order, 0, 1, b"odd", &options)].concat();
            let (events, _) = read_all(&file);
            assert!(
                events.iter().any(|event| matches!(event, Seen::Frame { direction: seen, bytes, .. } if *seen == direction && bytes == b"odd")),
                "{order:?} {options:?}: {events:?}"
            );
        }
    }
}

#[test]
fn simple_and_obsolete_packets_are_read() {
    for order in [Little, Big] {
        let simple = |original: u32, frame: &[u8]| {
            block(order, 3, &[&four(order, original)[..], frame].concat())
        };
        let obsolete = [
            &two(order, 0)[..],
            &two(order, 77), // packets dropped
            &[0, 9].map(|half| four(order, half)).concat(),
            &[4, 60].map(|length| four(order, length)).concat(),
            b"old!",
            &option(order, 2, &four(order, 1)),
        ]
        .concat();
        let file = [
            section_header(order),
            interface(order, 1, 6, &[]),
            simple(3, b"abc\0"),
            block(order, 2, &obsolete),
            simple(90, b"abcdefgh"),
        ]
        .concat();
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        let told = "frame 1: it is a simple packet block, which has no time; such packets are given the time of the packet before them";
        assert_eq!(faults(&events), [told]);
        let frames: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Frame { number, at, direction, original_length, bytes, .. } => {
                    Some((*number, at.as_nanoseconds(), *direction, *original_length, &bytes[..]))
                }
                _ => None,
            })
            .collect();
        let expected = [
            (1, 0, None, 3, &b"abc"[..]),
            (2, 9 * MICROSECOND, Some(Direction::In), 60, b"old!"),
            (3, 9 * MICROSECOND, None, 90, b"abcdef"),
        ];
        assert_eq!(frames, expected, "{order:?}");
    }
}

#[test]
fn other_blocks_are_skipped_whatever_is_in_them() {
    for order in [Little, Big] {
        let others: Vec<u8> = [4, 10, 0x8000_0001, 0xdead_beef]
            .into_iter()
            .flat_map(|kind| block(order, kind, &vec![0xff; 1_000_000]))
            .collect();
        let file = [begin(order), others, packet(order, 0, 1, b"x", &[])].concat();
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        assert!(matches!(&events[2..], [Seen::Frame { .. }, Seen::Ends]), "{events:?}");
    }
}

#[test]
fn a_capture_that_begins_without_times_has_no_clock() {
    let simple = block(Little, 3, &[&[4, 0, 0, 0][..], b"abcd"].concat());
    let timed = packet(Little, 0, 1, b"x", &[]);
    let unknown = packet(Little, 9, 1, b"x", &[]);
    for (packets, clock) in [
        (vec![simple.clone(), timed.clone()], Clock::None),
        (vec![simple.clone(), simple.clone()], Clock::None),
        (vec![timed.clone(), simple.clone()], Clock::Absolute),
        (vec![unknown, timed], Clock::Absolute),
        (vec![], Clock::Absolute),
    ] {
        let file = [begin(Little), packets.concat()].concat();
        let (events, _) = read_all(&file);
        assert!(matches!(&events[0], Seen::Begins(header) if header.clock == clock), "{events:?}");
        let begins = events.iter().filter(|event| matches!(event, Seen::Begins(_))).count();
        assert_eq!(begins, 1);
        assert!(matches!(events[1], Seen::Interface(_)));
    }
}

#[test]
fn interfaces_are_bounded() {
    let file = [
        section_header(Little),
        interface(Little, 1, 0, &[]).repeat(65_537),
        packet(Little, 65_535, 1, b"last", &[]),
        packet(Little, 65_536, 1, b"beyond", &[]),
    ]
    .concat();
    let (events, outcome) = read_all(&file);
    assert!(outcome.is_ok());
    assert_eq!(events.iter().filter(|event| event.is_frame()).count(), 1);
    assert_eq!(
        faults(&events),
        [
            "the capture has more than 65536 interfaces; packets of the others are left out",
            "frame 2: it names interface 65536, but this section describes 65536 so far",
        ]
    );
}

#[test]
fn comments_are_notes() {
    for order in [Little, Big] {
        let comment = |text: &[u8]| option(order, 1, text);
        let magic = [&four(order, 0x1a2b_3c4d)[..], &two(order, 1), &two(order, 0), &[0xff; 8]];
        let section = block(
            order,
            0x0a0d_0d0a,
            &[&magic.concat()[..], &comment(b"from the lab\nat noon")].concat(),
        );
        let named = [option(order, 2, b"eth0"), comment(b"uplink")].concat();
        let long = "ü".repeat(500);
        let odd = [comment("中文 <b>".as_bytes()), comment(long.as_bytes())].concat();
        let file = [
            section,
            interface(order, 1, 0, &named),
            packet(order, 0, 1, b"x", &odd),
            packet(order, 0, 2, b"x", &comment(b"again")).repeat(30),
        ]
        .concat();
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        let notes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Note(note) => Some(note.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(notes.len(), 21);
        assert_eq!(
            notes[..3],
            [
                "comment on the capture: from the lab at noon",
                "comment on eth0: uplink",
                "comment on frame 1: 中文 <b>",
            ]
        );
        assert!(notes[3].ends_with("ü…") && notes[3].chars().count() < 225);
        assert_eq!(notes[4], "comment on frame 2: again");
        assert_eq!(notes[20], "the capture has 14 more comments");
    }
}

#[test]
fn interfaces_are_named_as_people_know_them() {
    let name = |text: &[u8]| option(Little, 2, text);
    let description = |text: &[u8]| option(Little, 3, text);
    let device = br"\Device\NPF_{01234567-89AB-CDEF-0123-456789ABCDEF}";
    let cases = [
        (vec![], None),
        (name(b"eth0"), Some("eth0")),
        (description(b"the uplink"), Some("the uplink")),
        ([name(b"eth0"), description(b"the uplink")].concat(), Some("eth0")),
        ([name(device), description(b"Ethernet 2")].concat(), Some("Ethernet 2")),
        (name(device), Some(std::str::from_utf8(device).unwrap())),
    ];
    for (options, expected) in cases {
        let (events, _) =
            read_all(&[section_header(Little), interface(Little, 1, 0, &options)].concat());
        assert!(
            matches!(&events[1], Seen::Interface(header) if header.name.as_deref() == expected),
            "{events:?}"
        );
    }
}
