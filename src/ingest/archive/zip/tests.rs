//! Archives made byte by byte, by sections 4.3.7 to 4.3.16 of APPNOTE.TXT.

use proptest::prelude::*;

use crate::ingest::byte_order::ByteOrder::Little;
use crate::ingest::samples::{OneByte, Seen, pcap_file, pcap_record, read_all, read_from};

/// Where the length of an entry stands.
#[derive(Debug, Clone, Copy)]
enum Length {
    InHeader,
    /// Behind the content, in so many bytes each, with a signature or without.
    Behind {
        bytes: usize,
        is_signed: bool,
    },
}

const ALL: [Length; 5] = [
    Length::InHeader,
    Length::Behind { bytes: 4, is_signed: false },
    Length::Behind { bytes: 8, is_signed: false },
    Length::Behind { bytes: 4, is_signed: true },
    Length::Behind { bytes: 8, is_signed: true },
];

/// A pcap of `frames` frames of which each holds `inside`.
fn pcap(frames: u32, inside: &[u8]) -> Vec<u8> {
    let frame = [&[0x45; 40][..], inside].concat();
    let records = (0..frames).flat_map(|n| pcap_record(Little, 1_700_000_000 + n, 5, &frame, 900));
    pcap_file(Little, 0xa1b2_c3d4, 101).into_iter().chain(records).collect()
}

/// An archive of stored entries.
fn archive(entries: &[(&str, &[u8])], length: Length) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in entries {
        let mut sum = flate2::Crc::new();
        sum.update(content);
        let content_bytes = u32::try_from(content.len()).unwrap();
        let name_bytes = u16::try_from(name.len()).unwrap();
        let (flags, stated) = match length {
            Length::InHeader => (0_u16, content_bytes),
            Length::Behind { .. } => (8, 0),
        };
        let mut header = [20, flags, 0, 0, 0].map(u16::to_le_bytes).concat();
        header.extend([sum.sum(), stated, stated].map(u32::to_le_bytes).concat());
        header.extend([name_bytes, 0].map(u16::to_le_bytes).concat());
        let begin = u32::try_from(archive.len()).unwrap();
        archive.extend([b"PK\x03\x04", &header[..], name.as_bytes(), content].concat());
        if let Length::Behind { bytes, is_signed } = length {
            archive.extend(if is_signed { &b"PK\x07\x08"[..] } else { b"" });
            archive.extend(sum.sum().to_le_bytes());
            let length = u64::from(content_bytes).to_le_bytes();
            archive.extend([&length[..bytes], &length[..bytes]].concat());
        }
        directory.extend([b"PK\x01\x02\x14\0", &header[..]].concat());
        directory.extend([0; 10]);
        directory.extend(begin.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let begin = u32::try_from(archive.len()).unwrap();
    let entries = u16::try_from(entries.len()).unwrap();
    let directory_bytes = u32::try_from(directory.len()).unwrap();
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([entries, entries].map(u16::to_le_bytes).concat());
    archive.extend([directory_bytes, begin].map(u32::to_le_bytes).concat());
    archive.extend([0, 0]);
    archive
}

/// Name and number of frames of each capture.
fn captures(events: &[Seen]) -> Vec<(String, usize)> {
    let mut captures: Vec<(String, usize)> = Vec::new();
    for event in events {
        match event {
            Seen::Begins(header) => captures.push((header.name.clone().unwrap_or_default(), 0)),
            Seen::Frame { .. } => captures.last_mut().unwrap().1 += 1,
            _ => {}
        }
    }
    captures
}

fn faults(events: &[Seen]) -> Vec<String> {
    events.iter().filter_map(Seen::fault).collect()
}

#[test]
fn descriptors_of_every_kind_end_their_entries() {
    // What is in the frames looks like headers and descriptors, and is none.
    let insides: [&[u8]; 4] = [
        b"PK\x03\x04PKPK\x01\x02",
        b"PK\x07\x08\0\0\0\0\x10\0\0\0\x10\0\0\0PK\x03\x04",
        &[0; 60],
        b"PPPPPPPPPPKPKPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPK",
    ];
    for length in ALL {
        for inside in insides {
            let (one, two) = (pcap(3, inside), pcap(5, inside));
            let archive = archive(&[("one.pcap", &one), ("two.pcap", &two)], length);
            let (events, outcome) = read_all(&archive);
            assert_eq!(outcome, Ok(()), "{length:?}");
            let expected = [("one.pcap".to_owned(), 3), ("two.pcap".to_owned(), 5)];
            assert_eq!(captures(&events), expected, "{length:?} {inside:x?}");
            assert_eq!(faults(&events), Vec::<String>::new(), "{length:?}");
            assert_eq!(read_from(&mut OneByte(&archive), 1 << 20).0, events);
        }
    }
}

#[test]
fn an_archive_may_have_other_bytes_before_it() {
    let (one, two) = (pcap(3, b""), pcap(5, b""));
    let files: [(&str, &[u8]); 2] = [("one.pcap", &one), ("two.pcap", &two)];
    // A program holds the signature that it looks for.
    let program = |magic: &[u8]| {
        let code = [&[0x90, 0].repeat(45_000)[..], b"PK\x03\x04", &[0xcc; 3_000]].concat();
        [magic, &code].concat()
    };
    let before = [
        ("an ELF program", program(b"\x7fELF\x02\x01\x01\0")),
        ("a Windows program", program(b"MZ\x90\0\x03\0\0\0")),
        ("anything", program(&[7, 0, 0, 0, 1, 0xfe])),
    ];
    for length in ALL {
        let archive = archive(&files, length);
        for (name, before) in &before {
            let file = [&before[..], &archive].concat();
            let (events, outcome) = read_all(&file);
            assert_eq!(outcome, Ok(()), "{name}");
            let expected = [("one.pcap".to_owned(), 3), ("two.pcap".to_owned(), 5)];
            assert_eq!(captures(&events), expected, "{name} {length:?}");
            let told = format!(
                "byte 0: {} bytes stand before the ZIP archive and were not read",
                before.len()
            );
            assert_eq!(faults(&events), [told], "{name}");
        }
        let script = [&b"#!/usr/bin/env sh\nexec unzip \"$0\"\n"[..], &archive].concat();
        let (events, outcome) = read_all(&script);
        assert_eq!((captures(&events).len(), outcome), (2, Ok(())));
        assert!(faults(&events)[0].contains("text stands before the archive: '#!/usr/bin/env sh"));
    }
    for (name, before) in &before[..2] {
        let (events, outcome) = read_all(before);
        assert!(outcome.unwrap_err().contains(name), "{name}");
        assert!(events.is_empty());
    }
    let nothing = archive(&[("a.bin", &[7; 90])], Length::InHeader);
    let (_, outcome) = read_all(&[&before[0].1[..], &nothing].concat());
    let error = outcome.unwrap_err();
    assert!(error.contains("in which nothing can be analysed; it holds 'a.bin'"), "{error}");
}

proptest! {
    #[test]
    fn changed_archives_never_panic_or_hang(
        length in 0_usize..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_behind in any::<bool>(),
    ) {
        let before: &[u8] = if is_behind { b"\x7fELF PK\x03\x04" } else { b"" };
        let one = pcap(2, b"PK");
        let archive = archive(&[("one.pcap", &one), ("two.pcap", &one)], ALL[length]);
        let mut file = [before, &archive].concat();
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        let _ = read_all(&file);
        let _ = read_all(&file[..cut.index(file.len())]);
    }
}
