//! Archives made entry by entry, with other programs' writers.

mod limits;
mod odd;

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use ::zip::CompressionMethod;
use ::zip::write::{SimpleFileOptions, ZipWriter};
use proptest::prelude::*;

use crate::ingest::byte_order::ByteOrder::{Big, Little};
use crate::ingest::detect::Compression;
use crate::ingest::samples::{
    OneByte, Seen, compressed, gzipped, interface, noise, packet, pcap_file, pcap_record, read_all,
    read_from, section_header,
};

const TEXT: &[u8] = b"12:00:00.000000 IP 192.0.2.1.1069 > 198.51.100.7.69: UDP, length 20\n12:00:01.000000 IP6 2001:db8::1.1069 > 2001:db8::7.69: UDP, length 20\n";

/// A pcap of `frames` frames that do not compress.
fn pcap(frames: u32) -> Vec<u8> {
    pcap_of(frames, &noise(60 * usize::try_from(frames).unwrap()))
}

fn pcap_of(frames: u32, noise: &[u8]) -> Vec<u8> {
    let records = (0..frames).zip(noise.chunks(60));
    let records = records.flat_map(|(n, frame)| pcap_record(Little, n, 5, frame, 60));
    pcap_file(Little, 0xa1b2_c3d4, 1).into_iter().chain(records).collect()
}

/// A pcapng of one frame.
fn pcapng() -> Vec<u8> {
    [section_header(Big), interface(Big, 229, 0, &[]), packet(Big, 0, 7, &[0x60; 61], &[])].concat()
}

type Files<'a> = &'a [(&'a str, &'a [u8])];

/// As `tar` writes it.
fn tar(files: Files<'_>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// As `zip` writes it into a file.
fn zip(files: Files<'_>, method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut writer, files, method);
    writer.finish().unwrap().into_inner()
}

/// As `zip` writes it into a pipe: lengths stand behind the entries.
fn streamed_zip(files: Files<'_>, method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new_stream(Vec::new());
    add(&mut writer, files, method);
    writer.finish().unwrap().into_inner()
}

fn add<W: Write + std::io::Seek>(
    writer: &mut ZipWriter<W>,
    files: Files<'_>,
    method: CompressionMethod,
) {
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
    }
}

/// The same files in every kind of archive.
fn archives(files: Files<'_>) -> Vec<(String, Vec<u8>)> {
    let tar = tar(files);
    let mut archives = vec![("tar".to_owned(), tar.clone())];
    for compression in Compression::ALL {
        archives.push((format!("tar.{}", compression.as_text()), compressed(compression, &tar)));
    }
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        archives.push((format!("{method} zip"), zip(files, method)));
        archives.push((format!("{method} zip of a pipe"), streamed_zip(files, method)));
    }
    archives
}

/// Name and number of packets of each capture.
fn captures(events: &[Seen]) -> Vec<(String, usize)> {
    let mut captures: Vec<(String, usize)> = Vec::new();
    for event in events {
        match event {
            Seen::Begins(header) => captures.push((header.name.clone().unwrap_or_default(), 0)),
            Seen::Text(text) if text.starts_with("Inventory") => {}
            Seen::Frame { .. } | Seen::Text(_) => captures.last_mut().unwrap().1 += 1,
            _ => {}
        }
    }
    captures
}

fn faults(events: &[Seen]) -> Vec<String> {
    events.iter().filter_map(Seen::fault).collect()
}

#[test]
fn every_entry_is_read_like_an_input_of_its_own() {
    let long = format!("{}/long.pcap", "folder".repeat(30));
    let inventory =
        b"[root@node3 ~]# ip route\ndefault via 192.0.2.1 dev eth0\n198.51.100.0/24 dev eth0 scope link\n";
    let (one, two) = (pcap(3), pcapng());
    let files: Files<'_> = &[
        ("captures/", b""),
        ("captures/host.pcap", &one),
        ("captures/pod.pcapng.zst", &compressed(Compression::Zstd, &two)),
        ("captures/old.pcap.gz", &gzipped(&one)),
        ("captures/empty.pcap", b""),
        ("__MACOSX/captures/._host.pcap", &[0, 5, 22, 7, 0, 2, 0, 0]),
        ("captures/.DS_Store", &[0, 0, 0, 1, b'B', b'u', b'd', b'1']),
        ("session.txt", TEXT),
        ("routes.txt", inventory),
        (&long, &one),
    ];
    for (kind, archive) in archives(files) {
        let (events, outcome) = read_all(&archive);
        assert_eq!(outcome, Ok(()), "{kind}");
        let named = [
            ("captures/host.pcap", 3),
            ("captures/pod.pcapng.zst", 1),
            ("captures/old.pcap.gz", 3),
            ("session.txt", 2),
            (&long[..], 3),
        ];
        assert_eq!(captures(&events), named.map(|(name, n)| (name.to_owned(), n)), "{kind}");
        assert_eq!(faults(&events), [""; 0], "{kind}");
        let inventories = events
            .iter()
            .filter(|event| matches!(event, Seen::Text(text) if text.starts_with("Inventory")));
        assert_eq!(inventories.count(), 1, "{kind}");
        let (bytewise, outcome) = read_from(&mut OneByte(&archive), u64::MAX);
        assert!(outcome.is_ok(), "{kind}");
        assert_eq!(bytewise, events, "{kind}");
    }
}

#[test]
fn other_ways_of_writing_archives_are_read() {
    let one = pcap(3);
    let expected = [("a.pcap".to_owned(), 3), ("b.pcap".to_owned(), 3)];
    let whole = tar(&[("a.pcap", &one), ("b.pcap", &one)]);
    let length = 512 + one.len().next_multiple_of(512);
    let two = [&whole[..length], &[0; 1024], &whole[length..]].concat();
    let mut old = whole.clone();
    for at in [0, length] {
        old[at + 257..at + 265].fill(0); // before POSIX there was no magic number
        old[at + 148..at + 156].fill(b' ');
        let sum: u32 = old[at..at + 512].iter().map(|byte| u32::from(*byte)).sum();
        old[at + 148..at + 155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["a.pcap", "b.pcap"] {
        let size = one.len().to_string();
        let records = [("path", name.as_bytes()), ("size", size.as_bytes())];
        builder.append_pax_extensions(records).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path("shortened").unwrap();
        header.set_size(one.len() as u64);
        header.set_cksum();
        builder.append(&header, &one[..]).unwrap();
    }
    let cases = [
        ("without the blocks at its end", whole[..2 * length].to_vec()),
        ("with padding", [&whole[..], &[7; 512]].concat()),
        ("one behind another", two),
        ("before POSIX", old),
        ("pax", builder.into_inner().unwrap()),
    ];
    for (name, archive) in cases {
        let (events, outcome) = read_all(&archive);
        assert_eq!(outcome, Ok(()), "{name}");
        assert_eq!(captures(&events), expected, "{name}");
        assert_eq!(faults(&events), [""; 0], "{name}");
    }
    let marked = [b"PK00", &zip(&[("a.pcap", &one)], CompressionMethod::Deflated)[..]].concat();
    assert_eq!(captures(&read_all(&marked).0), expected[..1]);
    // Some say the lengths in front, and again behind.
    let mut repeated =
        streamed_zip(&[("a.pcap", &one), ("b.pcap", &one)], CompressionMethod::Stored);
    let length = u32::try_from(one.len()).unwrap().to_le_bytes();
    for at in [18, 22] {
        repeated[at..at + 4].copy_from_slice(&length);
    }
    assert_eq!(captures(&read_all(&repeated).0), expected);
    assert_eq!(faults(&read_all(&repeated).0), [""; 0]);
    // A stored entry may hold what looks like the end of one.
    let tricky = [
        &pcap_file(Little, 0xa1b2_c3d4, 1)[..],
        &pcap_record(Little, 1, 0, b"PK\x07\x08PK\x07\x08\0\0\0\0", 90),
    ]
    .concat();
    let archive = streamed_zip(&[("a.pcap", &tricky), ("b.pcap", &one)], CompressionMethod::Stored);
    let counts: Vec<_> = captures(&read_all(&archive).0).iter().map(|(_, n)| *n).collect();
    assert_eq!(counts, [1, 3]);
}

/// What [`what_cannot_be_used_is_named`] packs, as a list.
const NAMES: &str = "'photo.jpg' (a JPEG picture), 'README.txt' (text without packets or facts about addresses), 'inner.tar' (an archive inside an archive; unpack it once first), 'inner.tar.gz' (an archive inside an archive; unpack it once first), 'cut.pcap' (it is damaged at byte 10: the pcap file header is cut: 24 bytes were expected, 10 are there), 'cut.gz' (it is damaged at byte 0: the gzip data is cut before its end, at compressed byte 10)";

#[test]
fn what_cannot_be_used_is_named() {
    let jpeg: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F'];
    let inner = tar(&[("a.pcap", &pcap(1))]);
    let useless: Files<'_> = &[
        ("photo.jpg", jpeg),
        ("README\u{202e}.txt", b"nothing of ours\n"),
        ("inner.tar", &inner),
        ("inner.tar.gz", &gzipped(&inner)),
        ("cut.pcap", &pcap(1)[..10]),
        ("cut.gz", &gzipped(&pcap(1))[..10]),
    ];
    let one = pcap(2);
    let mixed: Vec<_> = [("a.pcap", &one[..])].iter().chain(useless).copied().collect();
    for (kind, archive) in archives(&mixed) {
        let (events, outcome) = read_all(&archive);
        assert_eq!(outcome, Ok(()), "{kind}");
        assert_eq!(captures(&events), [("a.pcap".to_owned(), 2)], "{kind}");
        assert_eq!(faults(&events), [format!("6 entries could not be used: {NAMES}")], "{kind}");
    }
    for (kind, archive) in archives(useless) {
        let (events, outcome) = read_all(&archive);
        let what = if kind.starts_with("tar") { "a tar archive" } else { "a ZIP archive" };
        assert!(captures(&events).is_empty());
        assert_eq!(
            outcome,
            Err(format!("it is {what} in which nothing can be analysed; it holds {NAMES}")),
            "{kind}"
        );
    }
    for (kind, archive) in archives(&[("folder/", b"")]) {
        let (_, outcome) = read_all(&archive);
        assert!(outcome.unwrap_err().ends_with("it holds no files"), "{kind}");
    }
    let names: Vec<String> = (0..50).map(|n| format!("{n}.jpg")).collect();
    let many: Vec<_> = names.iter().map(|name| (&name[..], jpeg)).collect();
    let (_, outcome) = read_all(&tar(&many));
    assert!(outcome.unwrap_err().ends_with("'19.jpg' (a JPEG picture) and 30 more"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn mutated_archives_end_and_read_alike_in_small_steps(
        kind in 0_usize..10,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        static ARCHIVES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
            let (small, long) = (gzipped(&pcap(5)), "l".repeat(150));
            archives(&[(&long, &small), ("b.pcapng", &pcapng()), ("c.txt", TEXT)])
        });
        let (kind, mut archive) = ARCHIVES[kind].clone();
        for (place, value) in &changes {
            let place = place.index(archive.len());
            archive[place] = *value;
        }
        if changes.len() % 2 == 1 {
            archive.truncate(cut.index(archive.len()));
        }
        let (events, outcome) = read_from(&mut &archive[..], 100_000);
        let begun = events.iter().filter(|event| matches!(event, Seen::Begins(_))).count();
        let ended = events.iter().filter(|event| matches!(event, Seen::Ends)).count();
        prop_assert_eq!(begun, ended);
        let (bytewise, again) = read_from(&mut OneByte(&archive), 100_000);
        // A damaged compressed stream may lose the end of a step with either.
        if kind == "tar" {
            prop_assert_eq!(events, bytewise);
            prop_assert_eq!(outcome.map_err(|e| e.to_string()), again.map_err(|e| e.to_string()));
        }
    }
}
