//! Captures made block by block.

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
    let header = CaptureHeader {
        format: CaptureFormat::Pcapng,
        clock: Clock::Absolute,
        name: None,
        node: None,
        interface: None,
        point: None,
        line: None,
    };
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
fn a_bad_packet_costs_that_packet() {
    let too_long = {
        let mut block = packet(Little, 0, 3, b"four", &[]);
        block[20..24].copy_from_slice(&1_000_u32.to_le_bytes());
        block
    };
    let cases: [(&str, Vec<u8>, &str); 3] = [
        (
            "unknown interface",
            packet(Little, 3, 1, b"x", &[]),
            "frame 2: it names interface 3, but this section describes 1 so far",
        ),
        (
            "length beyond the block",
            too_long,
            "frame 2: its block announces 1000 captured bytes and has room for 4",
        ),
        (
            "no room",
            block(Little, 6, &[0; 8]),
            "frame 2: its block of 20 bytes has no room for its own fields",
        ),
    ];
    for (name, bad, fault) in cases {
        let good = |ticks| packet(Little, 0, ticks, b"good", &[]);
        let file = [begin(Little), good(1), bad, good(3)].concat();
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        assert_eq!(faults(&events), [fault], "{name}");
        let numbers: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Frame { number, .. } => Some(*number),
                _ => None,
            })
            .collect();
        assert_eq!(numbers, [1, 3], "{name}");
    }
}

#[test]
fn packets_before_any_interface_are_counted_and_summed_up() {
    let packets = packet(Big, 0, 1, b"x", &[]).repeat(130);
    let file =
        [section_header(Big), packets, interface(Big, 1, 0, &[]), packet(Big, 0, 1, b"x", &[])]
            .concat();
    let (events, outcome) = read_all(&file);
    assert!(outcome.is_ok());
    let faults = faults(&events);
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[0], "frame 1: it names interface 0, but this section describes 0 so far");
    assert_eq!(
        faults[100],
        "30 more faults of one kind: packets of interfaces that are not described"
    );
    assert!(
        events.iter().any(|event| matches!(event, Seen::Frame { number: 131, interface: 0, .. }))
    );
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
fn records_that_are_no_packets_have_numbers() {
    for order in [Little, Big] {
        for kind in [9, 0x0bad, 0x4000_0bad, 0x204, 0x222] {
            let record = block(order, kind, &[0xff; 40]);
            let file = [begin(order), record, packet(order, 0, 1, b"x", &[])].concat();
            let (events, outcome) = read_all(&file);
            assert!(outcome.is_ok());
            assert!(
                matches!(&events[2..], [
                    Seen::Text(other), Seen::Frame { number: 2, .. }, Seen::Ends,
                ] if other == "OtherPacket { frame: 1, at: None }"),
                "{kind:#x}: {events:?}"
            );
        }
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
fn every_frame_that_is_not_handed_out_is_told_by_itself() {
    let unknown = packet(Little, 9, 1, b"x", &[]);
    let timed = packet(Little, 0, 1, b"x", &[]);
    let file = [begin(Little), unknown.repeat(130), timed].concat();
    let (events, _) = read_all(&file);
    let others = events.iter().filter(|event| matches!(event, Seen::Text(_))).count();
    assert_eq!(others, 130);
    assert!(events.iter().any(|event| matches!(event, Seen::Frame { number: 131, .. })));
}

#[test]
fn damage_is_located_and_what_came_before_is_delivered() {
    let good = packet(Little, 0, 1, b"good", &[]);
    let at = begin(Little).len() + good.len();
    assert_eq!(at, 84);
    let length_of = |length: u32| {
        let mut block = packet(Little, 0, 1, b"good", &[]);
        block[4..8].copy_from_slice(&length.to_le_bytes());
        block
    };
    let unknown_of = |length: u32| [7, length, 0].map(u32::to_le_bytes).concat();
    let mut trailer = good.clone();
    trailer[32..].copy_from_slice(&40_u32.to_le_bytes());
    let mut version = section_header(Little);
    version[12] = 2;
    let mut magic = section_header(Little);
    magic[8] = 0;
    let options = block(Little, 1, &vec![0; 1024 * 1024]);
    let cases: [(&str, Vec<u8>, &str); 12] = [
        (
            "a cut block",
            good[..30].to_vec(),
            "a packet block is cut: it announces 36 bytes, 30 are there",
        ),
        (
            "a cut head",
            good[..9].to_vec(),
            "a block is cut: at least 12 bytes were expected, 9 are there",
        ),
        (
            "another length at the end",
            trailer,
            "a packet block is damaged: its length is 36 at its beginning and 40 at its end",
        ),
        (
            "an odd length",
            length_of(35),
            "a packet block is damaged: its length is 35, not a multiple of 4 from 12 on",
        ),
        (
            "a length of nothing",
            length_of(8),
            "a packet block is damaged: its length is 8, not a multiple of 4 from 12 on",
        ),
        (
            "a huge length",
            length_of(0xffff_fff0),
            "a packet block is damaged: it announces 4294967280 bytes, more than any has (17039360)",
        ),
        (
            "an unknown block that is cut",
            unknown_of(0xffff_fff0),
            "a block of type 0x7 is cut: it announces 4294967280 bytes, 12 are there",
        ),
        (
            "an unknown block that is damaged",
            unknown_of(12),
            "a block of type 0x7 is damaged: its length is 12 at its beginning and 0 at its end",
        ),
        ("another version", version, "a section header names pcapng version 2.0; 1.0 was expected"),
        (
            "no byte order",
            magic,
            "a section header is damaged: the byte-order magic 1a2b3c4d is missing",
        ),
        (
            "a short interface",
            block(Little, 1, &[0; 4]),
            "an interface description of 16 bytes cannot be read; at least 20 were expected",
        ),
        (
            "an interface with too many options",
            options,
            "an interface description is damaged: it announces 1048588 bytes, more than any has (1048576)",
        ),
    ];
    for (name, bad, message) in cases {
        let (events, outcome) = read_all(&[begin(Little), good.clone(), bad].concat());
        assert!(outcome.is_ok(), "{name}");
        assert_eq!(
            faults(&events),
            [format!("byte {at}: {message}; the capture ends here, after frame 1")],
            "{name}"
        );
        assert_eq!(events.iter().filter(|event| event.is_frame()).count(), 1, "{name}");
        assert!(matches!(events.last(), Some(Seen::Ends)), "{name}");
    }
}

#[test]
fn a_first_section_header_must_be_whole() {
    let header = section_header(Big);
    for length in 4..header.len() {
        let (events, outcome) = read_all(&header[..length]);
        assert!(events.is_empty(), "{length}");
        let message = outcome.unwrap_err();
        assert!(message.starts_with("it is damaged at byte 0: "), "{message}");
        assert!(message.ends_with(&format!("{length} are there")), "{message}");
    }
    let (events, outcome) = read_all(&header);
    assert!(outcome.is_ok());
    assert!(matches!(&events[..], [Seen::Begins(_), Seen::Ends]));
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

/// Interface statistics: options as [`option`] makes them.
fn statistics(order: ByteOrder, interface: u32, options: &[u8]) -> Vec<u8> {
    let fixed = [interface, 0, 7].map(|field| four(order, field)).concat();
    block(order, 5, &[&fixed[..], options].concat())
}

fn eight(order: ByteOrder, value: u64) -> [u8; 8] {
    match order {
        Little => value.to_le_bytes(),
        Big => value.to_be_bytes(),
    }
}

/// Interface, and packets lost at it.
type Lost<'a> = &'a [(u32, u64)];

#[test]
fn lost_packets_are_counted_for_each_interface() {
    for order in [Little, Big] {
        let count = |code, packets| option(order, code, &eight(order, packets));
        let lost_before = |packets| packet(order, 0, 1, b"x", &count(4, packets));
        let cases: [(&str, Vec<Vec<u8>>, Lost<'_>); 8] = [
            ("nothing lost", vec![statistics(order, 0, &count(5, 0))], &[]),
            (
                "the last count holds",
                vec![statistics(order, 0, &count(5, 3)), statistics(order, 0, &count(5, 12))],
                &[(0, 12)],
            ),
            (
                "both places",
                vec![statistics(order, 0, &[count(4, 99), count(5, 1), count(7, 2)].concat())],
                &[(0, 3)],
            ),
            (
                "not known",
                vec![statistics(order, 0, &[count(5, u64::MAX), count(7, 4)].concat())],
                &[(0, 4)],
            ),
            (
                "before packets",
                vec![lost_before(2), lost_before(u64::MAX), lost_before(3)],
                &[(0, 5)],
            ),
            (
                "said twice",
                vec![lost_before(2), lost_before(3), statistics(order, 0, &count(5, 5))],
                &[(0, 5)],
            ),
            (
                "damaged options",
                vec![
                    statistics(order, 0, &[5, 5, 5]),
                    statistics(order, 0, &option(order, 5, &[1])),
                ],
                &[],
            ),
            (
                "no such interface",
                vec![statistics(order, 7, &count(5, 3)), block(order, 5, &[])],
                &[],
            ),
        ];
        for (name, blocks, expected) in cases {
            let (events, outcome) = read_all(&[begin(order), blocks.concat()].concat());
            assert!(outcome.is_ok(), "{name}");
            assert_eq!(faults(&events), [""; 0], "{name}");
            let dropped: Vec<_> = events
                .iter()
                .filter_map(|event| match event {
                    Seen::Dropped { interface, packets } => Some((*interface, *packets)),
                    _ => None,
                })
                .collect();
            assert_eq!(dropped, expected, "{name}, {order:?}");
        }
        // Sections have interfaces of their own.
        let section = [begin(order), statistics(order, 0, &count(5, 1))].concat();
        let (events, _) = read_all(&section.repeat(2));
        let expected = [0, 1].map(|interface| Seen::Dropped { interface, packets: 1 });
        for dropped in expected {
            assert!(events.contains(&dropped));
        }
    }
}

#[test]
fn statistics_tell_until_when_an_interface_listened() {
    for order in [Little, Big] {
        let count = |code, packets| option(order, code, &eight(order, packets));
        // Upper half first in both byte orders.
        let time =
            |code, ticks: u32| option(order, code, &[four(order, 0), four(order, ticks)].concat());
        let two_packets =
            [packet(order, 0, 10, b"one", &[]), packet(order, 0, 20, b"two", &[])].concat();
        let until = |microseconds: i64| Some(Timestamp::from_nanoseconds(microseconds * 1_000));
        let cases = [
            // name, before the statistics, their options, until when
            ("an end", &two_packets[..], time(3, 90), until(90)),
            ("no end", &two_packets, time(2, 5), None),
            ("as many as there are", &two_packets, [time(3, 90), count(8, 2)].concat(), until(90)),
            ("more than there are", &two_packets, [time(3, 90), count(8, 3)].concat(), None),
            (
                "lost to the filter's end",
                &two_packets,
                [time(3, 90), count(6, 3), count(7, 1)].concat(),
                None,
            ),
            (
                "of dumpcap",
                &two_packets,
                [time(3, 90), count(4, 2), count(5, 0)].concat(),
                until(90),
            ),
            ("of a part", &two_packets, [time(3, 90), count(4, 700)].concat(), None),
            ("not known", &two_packets, [time(3, 90), count(4, u64::MAX)].concat(), until(90)),
            ("in another unit", &two_packets, [time(2, 1), time(3, 2)].concat(), None),
            (
                "begins after the packets",
                &two_packets,
                [time(2, 2_000_000), time(3, 9_000_000)].concat(),
                None,
            ),
            ("no packets", &[], time(3, 90), None),
            ("cut", &two_packets, option(order, 3, &[0, 0, 0, 0]), None),
        ];
        for (name, before, options, expected) in cases {
            let file = [&begin(order)[..], before, &statistics(order, 0, &options)].concat();
            let told = |file: &[u8]| {
                let (events, outcome) = read_all(file);
                assert!(outcome.is_ok(), "{name}");
                events.into_iter().find_map(|event| match event {
                    Seen::Listened { interface: 0, until } => Some(until),
                    _ => None,
                })
            };
            assert_eq!(told(&file), expected, "{name}, {order:?}");
            // What is cut does not say when it ended; another section ends the one before.
            let cut = [&file[..], &packet(order, 0, 30, b"three", &[])[..24]].concat();
            assert_eq!(told(&cut), None, "{name}, {order:?}, cut");
            let more = [file, begin(order)].concat();
            assert_eq!(told(&more), expected, "{name}, {order:?}, one more section");
        }
    }
}

#[test]
fn obsolete_packets_count_what_was_lost_before_them() {
    for (field, expected) in [(77, Some(77)), (0xffff, None), (0, None)] {
        let content = [
            &two(Big, 0)[..],
            &two(Big, field),
            &[0, 9, 4, 60].map(|field| four(Big, field)).concat(),
            b"old!",
        ]
        .concat();
        let (events, _) = read_all(&[begin(Big), block(Big, 2, &content)].concat());
        let dropped = events.iter().find_map(|event| match event {
            Seen::Dropped { packets, .. } => Some(*packets),
            _ => None,
        });
        assert_eq!(dropped, expected);
    }
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
