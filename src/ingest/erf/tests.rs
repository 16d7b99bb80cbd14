//! Captures made record by record, as Endace's description of the format has them
//! ("ERF Types Reference Guide").

use super::begins_records;
use crate::ingest::samples::{OneByte, Seen, read_all, read_from};
use crate::model::capture::{CaptureFormat, LinkType};
use crate::model::time::Timestamp;

/// A record of a type with its own headers and content, padded to eight bytes.
pub fn record(seconds: u32, kind: u8, counter: u16, wire_bytes: u16, content: &[u8]) -> Vec<u8> {
    let padded = (16 + content.len()).next_multiple_of(8);
    let length = u16::try_from(padded).unwrap();
    let mut record = [0x8000_0000_u32.to_le_bytes(), seconds.to_le_bytes()].concat();
    record.extend([kind, 4]);
    record.extend([length, counter, wire_bytes].map(u16::to_be_bytes).concat());
    record.extend(content);
    record.resize(padded, 0);
    record
}

/// A record of an Ethernet frame.
pub fn ethernet(seconds: u32, frame: &[u8]) -> Vec<u8> {
    let wire_bytes = u16::try_from(frame.len()).unwrap();
    record(seconds, 2, 0, wire_bytes, &[&[0, 0], frame].concat())
}

const BEGIN: u32 = 1_700_000_000;

#[test]
fn frames_times_and_losses_are_read() {
    let file = [
        ethernet(BEGIN, &[0x45; 61]),
        record(0, 48, 0, 0, &[0; 16]),
        record(BEGIN + 1, 0x82, 3, 900, &[&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[7; 60]].concat()),
        record(BEGIN + 1, 22, 0, 20, &[0x45; 20]),
    ]
    .concat();
    let (events, outcome) = read_all(&file);
    assert_eq!(outcome, Ok(()));
    let frame = |number, seconds: u32, original_length, bytes: &[u8]| Seen::Frame {
        number,
        at: Timestamp::from_nanoseconds(i64::from(seconds) * 1_000_000_000 + 500_000_000),
        interface: 0,
        link_type: LinkType::Erf,
        direction: None,
        original_length,
        bytes: bytes.to_vec(),
    };
    assert!(matches!(&events[0], Seen::Begins(header) if header.format == CaptureFormat::Erf));
    let second = &file[80 + 32..][..88];
    assert_eq!(
        events[2..],
        [
            frame(1, BEGIN, 18 + 61, &file[..18 + 61]),
            Seen::Dropped { interface: 0, packets: 3 },
            frame(2, BEGIN + 1, 16 + 8 + 2 + 900, second),
            frame(3, BEGIN + 1, 36, &file[200..236]),
            Seen::Ends,
        ]
    );
    assert_eq!(read_from(&mut OneByte(&file), 1 << 20).0, events);
}

#[test]
fn damage_is_located() {
    let whole = ethernet(BEGIN, &[7; 60]);
    let two = whole.repeat(2);
    let mut short = whole.clone();
    short[11] = 15;
    let cases = [
        (
            &whole[..30],
            "byte 160: frame 3 is cut: its record has 80 bytes, 30 are there; the capture ends here, after frame 2",
        ),
        (
            &whole[..9],
            "byte 160: the header of frame 3 is cut: 16 bytes were expected, 9 are there; the capture ends here, after frame 2",
        ),
    ];
    for (tail, fault) in cases {
        let (events, outcome) = read_all(&[&two, tail].concat());
        assert_eq!(outcome, Ok(()));
        assert_eq!(events.iter().filter_map(Seen::fault).collect::<Vec<_>>(), [fault]);
        assert_eq!(events.last(), Some(&Seen::Ends));
    }
    // Behind the bytes by which the file is known.
    let long = whole.repeat(200);
    let (events, _) = read_all(&[long, short].concat());
    assert_eq!(
        events.iter().filter_map(Seen::fault).collect::<Vec<_>>(),
        [
            "byte 16000: frame 201 is damaged: its record has 15 bytes, fewer than a header; the capture ends here, after frame 200"
        ]
    );
}

#[test]
fn files_are_known_by_their_records() {
    let one = ethernet(BEGIN, &[7; 60]);
    let late = ethernet(BEGIN + 30 * 86_400, &[7; 60]);
    let cases = [
        (one.clone(), true),
        (one.repeat(2), true),
        (one.repeat(300)[..8_192].to_vec(), true),
        ([&one[..], &one[..20]].concat(), true),
        (one[..79].to_vec(), false),
        ([&one[..], &late].concat(), false),
        (ethernet(7, &[7; 60]), false),
        (record(BEGIN, 99, 0, 60, &[7; 60]), false),
        (record(0, 48, 0, 0, &[0; 16]), false),
        (b"eight by\n at the start of a text about records of cards\n".to_vec(), false),
        (b"12345678\n\x00\x20 and more of it".to_vec(), false),
        (vec![0; 8_192], false),
        (Vec::new(), false),
    ];
    for (head, expected) in cases {
        assert_eq!(begins_records(&head), expected, "{:02x?}", &head[..head.len().min(24)]);
    }
}
