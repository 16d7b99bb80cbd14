//! Bad packets and blocks: what they cost, and how it is told.

use super::*;

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
