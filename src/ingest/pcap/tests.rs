//! Captures made record by record.

use crate::ingest::byte_order::ByteOrder;
use crate::ingest::samples::{OneByte, Seen, noise, pcap_file, pcap_record, read_all, read_from};
use crate::ingest::{CaptureHeader, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, LinkType};
use crate::model::time::Timestamp;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

#[test]
fn all_variants_give_the_same_frame() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for (magic, nanoseconds) in
            [(MICROSECONDS, 123_000), (NANOSECONDS, 123), (MODIFIED, 123_000)]
        {
            let mut file = pcap_file(order, magic, 1);
            let record_header_bytes = if magic == MODIFIED { 24 } else { 16 };
            let mut record = pcap_record(order, 4_000_000_000, 123, b"frame", 60);
            record.splice(16..16, vec![0; record_header_bytes - 16]);
            file.extend(record);
            let (events, outcome) = read_all(&file);
            assert!(outcome.is_ok());
            let at = Timestamp::from_nanoseconds(4_000_000_000_000_000_000 + nanoseconds);
            assert!(
                matches!(&events[..], [
                    Seen::Begins(CaptureHeader { format: CaptureFormat::Pcap, clock: Clock::Absolute, .. }),
                    Seen::Interface(InterfaceHeader { index: 0, name: None, link_type: Some(LinkType::Ethernet) }),
                    Seen::Frame { number: 1, at: time, interface: 0, link_type: LinkType::Ethernet, direction: None, original_length: 60, bytes },
                    Seen::Ends,
                ] if bytes == b"frame" && *time == at),
                "{order:?} {magic:x}: {events:?}"
            );
        }
    }
}

#[test]
fn link_types_are_read_without_what_stands_above_them() {
    let cases = [
        (1, LinkType::Ethernet, None),
        (0x4400_0001, LinkType::Ethernet, None),
        (101, LinkType::RawIp, None),
        (0xf000_0114, LinkType::LinuxSll2, None),
        (228, LinkType::Ipv4, None),
        (229, LinkType::Ipv6, None),
        (147, LinkType::Other(147), None),
        (
            0x0030_0000,
            LinkType::Null,
            Some("byte 20: reserved bits are set in the link type (0x00300000)"),
        ),
    ];
    for (field, link_type, fault) in cases {
        let (events, outcome) = read_all(&pcap_file(ByteOrder::Big, MICROSECONDS, field));
        assert!(outcome.is_ok());
        assert!(
            matches!(&events[1], Seen::Interface(header) if header.link_type == Some(link_type))
        );
        let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
        assert_eq!(faults, Vec::from_iter(fault), "{field:#x}");
        assert!(matches!(events.last(), Some(Seen::Ends)));
    }
}

#[test]
fn damage_is_located_and_what_came_before_is_delivered() {
    let order = ByteOrder::Little;
    let whole = pcap_record(order, 1, 0, &[7; 60], 60);
    let huge =
        pcap_record(order, 2, 0, b"", 60)[..8].iter().copied().chain([0xff; 8]).collect::<Vec<_>>();
    let cases: [(&str, &[u8], Option<&str>); 5] = [
        ("nothing", &[], None),
        (
            "half a frame",
            &whole[..36],
            Some(
                "byte 176: frame 3 is cut: its header announces 60 bytes, 20 are there; the capture ends here, after frame 2",
            ),
        ),
        (
            "half a header",
            &whole[..7],
            Some(
                "byte 176: the header of frame 3 is cut: 16 bytes were expected, 7 are there; the capture ends here, after frame 2",
            ),
        ),
        (
            "a header alone",
            &whole[..16],
            Some(
                "byte 176: frame 3 is cut: its header announces 60 bytes, 0 are there; the capture ends here, after frame 2",
            ),
        ),
        (
            "a huge length",
            &huge,
            Some(
                "byte 176: frame 3 is damaged: its header announces 4294967295 bytes, more than any frame has (16777216); the capture ends here, after frame 2",
            ),
        ),
    ];
    for (name, tail, fault) in cases {
        let file = [&pcap_file(order, MICROSECONDS, 1)[..], &whole, &whole, tail].concat();
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok(), "{name}");
        assert_eq!(
            events.iter().filter(|event| matches!(event, Seen::Frame { .. })).count(),
            2,
            "{name}"
        );
        let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
        assert_eq!(faults, Vec::from_iter(fault), "{name}");
        assert!(matches!(events.last(), Some(Seen::Ends)), "{name}");
    }
}

#[test]
fn a_cut_file_header_is_an_error_and_a_whole_one_a_capture() {
    let file = pcap_file(ByteOrder::Little, NANOSECONDS, 1);
    for length in 4..file.len() {
        let (events, outcome) = read_all(&file[..length]);
        assert!(events.is_empty());
        assert_eq!(
            outcome.unwrap_err(),
            format!(
                "it is damaged at byte {length}: the pcap file header is cut: 24 bytes were expected, {length} are there"
            )
        );
    }
    let (events, outcome) = read_all(&file);
    assert!(outcome.is_ok());
    assert!(matches!(&events[..], [Seen::Begins(_), Seen::Interface(_), Seen::Ends]));
}

#[test]
fn lengths_of_old_versions_are_told_apart() {
    // version, the two length fields, captured and original length
    let cases = [
        ((2, 4), (5, 90), (5, 90)),
        ((2, 2), (90, 5), (5, 90)),
        ((2, 3), (90, 5), (5, 90)),
        ((2, 3), (5, 90), (5, 90)),
        ((543, 0), (90, 5), (5, 90)),
        ((2, 4), (5, 3), (5, 5)),
    ];
    for ((major, minor), (first, second), (captured, original)) in cases {
        let mut file = pcap_file(ByteOrder::Big, MICROSECONDS, 1);
        file[4..6].copy_from_slice(&u16::to_be_bytes(major));
        file[6..8].copy_from_slice(&u16::to_be_bytes(minor));
        let mut record = pcap_record(ByteOrder::Big, 1, 0, b"frame", 0);
        record[8..12].copy_from_slice(&u32::to_be_bytes(first));
        record[12..16].copy_from_slice(&u32::to_be_bytes(second));
        file.extend(record);
        let (events, _) = read_all(&file);
        assert!(
            matches!(&events[2], Seen::Frame { original_length, bytes, .. } if *original_length == original && bytes.len() == captured),
            "{major}.{minor}: {events:?}"
        );
    }
}

#[test]
fn a_frame_larger_than_the_buffer_is_delivered_whole() {
    let frame = vec![0x5a; 3_000_000];
    let mut file = pcap_file(ByteOrder::Little, MICROSECONDS, 229);
    file.extend(pcap_record(ByteOrder::Little, 1, 0, &frame, 3_000_000));
    file.extend(pcap_record(ByteOrder::Little, 1, 0, b"next", 4));
    let (events, outcome) = read_all(&file);
    assert!(outcome.is_ok());
    assert!(matches!(&events[2..], [
        Seen::Frame { bytes, .. }, Seen::Frame { number: 2, .. }, Seen::Ends,
    ] if *bytes == frame));
}

#[test]
fn variants_of_other_makers_are_read() {
    // AIX: version 2.2, interface types of RFC 1213, nanoseconds
    for (number, link_type) in [(6, LinkType::Ethernet), (24, LinkType::Null)] {
        let mut file = pcap_file(ByteOrder::Big, MICROSECONDS, number);
        file[7] = 2;
        file.extend(pcap_record(ByteOrder::Big, 1, 123_456_789, b"frame", 60));
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        assert!(
            matches!(&events[2], Seen::Frame { at, link_type: seen, original_length: 60, .. }
                if *seen == link_type && at.as_nanoseconds() == 1_123_456_789),
            "{events:?}"
        );
    }
    // Ixia: the length of the file behind its header, nanoseconds
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for magic in [0x1c00_01ac, 0x1c00_01ab] {
            let mut file = pcap_file(order, magic, 1);
            file.extend([0, 0, 0, 49]);
            file.extend(pcap_record(order, 1, 123, b"frame", 60));
            let (events, outcome) = read_all(&file);
            assert!(outcome.is_ok());
            assert!(
                matches!(&events[2..], [Seen::Frame { at, bytes, .. }, Seen::Ends]
                    if at.as_nanoseconds() == 1_000_000_123 && bytes == b"frame"),
                "{events:?}"
            );
        }
    }
}

#[test]
fn reading_goes_on_behind_damage() {
    let order = ByteOrder::Little;
    let record = |seconds: u32| pcap_record(order, 1_700_000_000 + seconds, 0, &[7; 60], 60);
    let with_length = |seconds, length: u32| {
        let mut damaged = record(seconds);
        damaged[8..12].copy_from_slice(&length.to_le_bytes());
        damaged
    };
    // A length that is too small leads into the frame, where something else is read.
    let shortened = with_length(2, 20);
    let cases: [(&str, Vec<u8>, &[u64], &str); 6] = [
        (
            "a huge length",
            with_length(2, 0xff00_0000),
            &[1, 3, 4],
            "byte 100: frame 2 is damaged: its header announces 4278190080 bytes, more than any frame has (16777216); reading goes on at byte 176, with frame 3",
        ),
        (
            "a length beyond the end",
            with_length(2, 0x000f_0000),
            &[1, 3, 4],
            "byte 100: frame 2 is cut: its header announces 983040 bytes, 212 are there; reading goes on at byte 176, with frame 3",
        ),
        (
            "a length that is too small",
            shortened,
            &[1, 2, 4, 5],
            "byte 136: frame 3 is damaged: its header announces 117901063 bytes, more than any frame has (16777216); reading goes on at byte 176, with frame 4",
        ),
        (
            "zeros",
            vec![0; 4096],
            &[1, 3, 4],
            "byte 100: zeros stand where the header of frame 2 was expected; reading goes on at byte 4196, with frame 3",
        ),
        (
            "text",
            b"tcpdump: some words\n".to_vec(),
            &[1, 3, 4],
            "byte 100: frame 2 is damaged: its header announces 1836020512 bytes, more than any frame has (16777216); reading goes on at byte 120, with frame 3",
        ),
        (
            "a far time",
            pcap_record(order, 3_000_000_000, 0x7fff_ffff, b"abc", 2),
            &[1, 3, 4],
            "byte 100: frame 2 is damaged: its header has a length and a time that do not fit; reading goes on at byte 119, with frame 3",
        ),
    ];
    for (name, damage, numbers, fault) in cases {
        let parts = [&pcap_file(order, MICROSECONDS, 1)[..], &record(1), &damage, &record(3)];
        let file = [&parts.concat()[..], &record(4)[..], &record(5)[..1]].concat();
        let file = &file[..file.len() - 1];
        let (events, outcome) = read_all(file);
        assert!(outcome.is_ok(), "{name}");
        let frames: Vec<u64> = events
            .iter()
            .filter_map(|event| match event {
                Seen::Frame { number, .. } => Some(*number),
                _ => None,
            })
            .collect();
        assert_eq!(frames, numbers, "{name}: {events:?}");
        assert_eq!(events.iter().filter_map(Seen::fault).collect::<Vec<_>>(), [fault], "{name}");
        assert!(events.contains(&Seen::Dropped { interface: 0, packets: 1 }), "{name}");
        assert_eq!(read_from(&mut OneByte(file), 1 << 20).0, events, "{name}");
    }
}

#[test]
fn zeros_and_chance_end_a_capture() {
    let order = ByteOrder::Little;
    let record = pcap_record(order, 1_700_000_000, 0, &[7; 60], 60);
    let inner = [record.clone(), record.clone(), record.clone()].concat();
    let carrier = pcap_record(order, 1_700_000_000, 0, &inner, 3_000);
    let cases: [(&str, Vec<u8>, usize, &str); 3] = [
        (
            "zeros to the end",
            vec![0; 4096],
            1,
            "byte 100: zeros stand where the header of frame 2 was expected; the capture ends here, after frame 1",
        ),
        (
            "noise",
            [vec![0xff; 16], noise(4096)].concat(),
            1,
            "byte 100: frame 2 is damaged: its header announces 4294967295 bytes, more than any frame has (16777216); the capture ends here, after frame 1",
        ),
        (
            "a capture in a frame that is cut",
            carrier[..carrier.len() - 1].to_vec(),
            1,
            "byte 100: frame 2 is cut: its header announces 228 bytes, 227 are there; the capture ends here, after frame 1",
        ),
    ];
    for (name, tail, count, fault) in cases {
        let file = [&pcap_file(order, MICROSECONDS, 1)[..], &record, &tail].concat();
        let (events, _) = read_all(&file);
        assert_eq!(events.iter().filter(|event| event.is_frame()).count(), count, "{name}");
        assert_eq!(events.iter().filter_map(Seen::fault).collect::<Vec<_>>(), [fault], "{name}");
    }
}

#[test]
fn searches_are_limited() {
    let order = ByteOrder::Little;
    let record = |seconds: u32| pcap_record(order, 1_700_000_000 + seconds, 0, &[7; 60], 60);
    let mut file = pcap_file(order, MICROSECONDS, 1);
    for seconds in 0..150 {
        file.extend([record(seconds), record(seconds), vec![0xff; 20]].concat());
    }
    let (events, _) = read_all(&file);
    assert_eq!(events.iter().filter(|event| event.is_frame()).count(), 202);
}
