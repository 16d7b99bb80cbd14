//! Captures made record by record.

use crate::ingest::samples::{Seen, read_all};
use crate::ingest::{CaptureHeader, InterfaceHeader};
use crate::model::capture::{CaptureFormat, LinkType};
use crate::model::time::Timestamp;

fn file(data_link: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let header = [2, data_link].map(u32::to_be_bytes).concat();
    [&b"snoop\0\0\0"[..], &header, &records.concat()].concat()
}

fn record(seconds: u32, dropped: u32, frame: &[u8], padding: usize) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap();
    let whole = length + 24 + u32::try_from(padding).unwrap();
    let header = [length + 100, length, whole, dropped, seconds, 7].map(u32::to_be_bytes);
    [&header.concat()[..], frame, &vec![0; padding]].concat()
}

/// A capture of 40 frames.
pub fn snoop() -> Vec<u8> {
    file(4, &(0..40).map(|n| record(n, n / 20, &[0x45; 61], 3)).collect::<Vec<_>>())
}

#[test]
fn frames_and_losses_are_read() {
    let records =
        [record(1, 0, b"first", 3), record(4_000_000_000, 5, b"second", 0), record(3, 6, b"", 0)];
    let (events, outcome) = read_all(&file(4, &records));
    assert!(outcome.is_ok());
    let frame = |number, seconds: i64, bytes: &[u8]| Seen::Frame {
        number,
        at: Timestamp::from_nanoseconds(seconds * 1_000_000_000 + 7_000),
        interface: 0,
        link_type: LinkType::Ethernet,
        direction: None,
        original_length: u32::try_from(bytes.len()).unwrap() + 100,
        bytes: bytes.to_vec(),
    };
    assert!(matches!(
        &events[..2],
        [
            Seen::Begins(CaptureHeader { format: CaptureFormat::Snoop, .. }),
            Seen::Interface(InterfaceHeader { index: 0, link_type: Some(LinkType::Ethernet), .. }),
        ]
    ));
    let expected = [
        frame(1, 1, b"first"),
        Seen::Dropped { interface: 0, packets: 5 },
        frame(2, 4_000_000_000, b"second"),
        Seen::Dropped { interface: 0, packets: 1 },
        frame(3, 3, b""),
        Seen::Ends,
    ];
    assert_eq!(events[2..], expected);
}

#[test]
fn data_links_become_link_types() {
    let cases = [
        (0, Some(LinkType::Ethernet)),
        (4, Some(LinkType::Ethernet)),
        (8, Some(LinkType::Other(10))),
        (0x8000_0001, Some(LinkType::Ipv4)),
        (0x8000_0002, Some(LinkType::Ipv6)),
        (0x8000_0005, Some(LinkType::Ipnet)),
        (77, None),
    ];
    for (data_link, link_type) in cases {
        let (events, outcome) = read_all(&file(data_link, &[record(1, 0, b"x", 0)]));
        assert!(outcome.is_ok());
        assert!(
            matches!(&events[1], Seen::Interface(header) if header.link_type == link_type),
            "{data_link}"
        );
        assert_eq!(events.iter().filter_map(Seen::fault).count(), usize::from(link_type.is_none()));
        assert_eq!(events.iter().filter(|event| event.is_frame()).count(), 1);
    }
}

#[test]
fn damage_is_located() {
    let whole = record(1, 0, &[7; 60], 0);
    let mut short = whole.clone();
    short[8..12].copy_from_slice(&50_u32.to_be_bytes());
    let mut huge = whole.clone();
    huge[4..12].copy_from_slice(&[0xff; 8]);
    let cases = [
        (
            &whole[..30],
            "byte 100: frame 2 is cut: its header announces 60 bytes, 6 are there; the capture ends here, after frame 1",
        ),
        (
            &whole[..9],
            "byte 100: the header of frame 2 is cut: 24 bytes were expected, 9 are there; the capture ends here, after frame 1",
        ),
        (
            &short[..],
            "byte 100: frame 2 is damaged: its header announces 60 bytes in a record of 50; the capture ends here, after frame 1",
        ),
        (
            &huge[..],
            "byte 100: frame 2 is damaged: its header announces 4294967295 bytes in a record of 4294967295; the capture ends here, after frame 1",
        ),
    ];
    for (tail, fault) in cases {
        let (events, outcome) = read_all(&file(4, &[whole.clone(), tail.to_vec()]));
        assert!(outcome.is_ok());
        assert_eq!(events.iter().filter_map(Seen::fault).collect::<Vec<_>>(), [fault]);
        assert!(matches!(events.last(), Some(Seen::Ends)));
    }
    for length in 8..16 {
        let (events, outcome) = read_all(&file(4, &[])[..length]);
        assert!(events.is_empty());
        assert!(outcome.unwrap_err().contains("the snoop file header is cut"));
    }
}
