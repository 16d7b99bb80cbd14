//! Archives that break off, leave something out, or hold what is no content.

use super::*;

/// The header at `at`, with other bytes at some places and a checksum that is right again.
fn change_header(archive: &mut [u8], at: usize, changes: &[(usize, &[u8])]) {
    let header = &mut archive[at..at + 512];
    for (place, bytes) in changes {
        header[*place..place + bytes.len()].copy_from_slice(bytes);
    }
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

#[test]
fn entries_out_of_reach_are_passed_over() {
    let one = pcap(2);
    let files: Files<'_> = &[("a.pcap", &one), ("b.pcap", &one)];
    for streamed in [false, true] {
        for (place, value, reason) in [
            (6, 1, "encrypted; unpack it first"),
            (8, 9, "compressed with Deflate64; unpack it first"),
            (8, 14, "compressed with ZIP method 14; unpack it first"),
        ] {
            let make = if streamed { streamed_zip } else { zip };
            let mut archive = make(files, CompressionMethod::Deflated);
            if place == 6 {
                archive[6] |= value;
            } else {
                archive[place] = value;
            }
            let (events, outcome) = read_all(&archive);
            assert_eq!(outcome, Ok(()), "{reason}");
            assert_eq!(captures(&events), [("b.pcap".to_owned(), 2)], "{reason} {streamed}");
            assert_eq!(
                faults(&events),
                [format!("1 entry could not be used: 'a.pcap' ({reason})")]
            );
        }
    }
    let mut archive = tar(files);
    archive[156] = b'S';
    archive[482] = 0;
    archive[148..156].fill(b' ');
    let sum: u32 = archive[..512].iter().map(|byte| u32::from(*byte)).sum();
    archive[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let (events, _) = read_all(&archive);
    assert_eq!(captures(&events), [("b.pcap".to_owned(), 2)]);
    assert_eq!(
        faults(&events),
        ["1 entry could not be used: 'a.pcap' (stored as a sparse file; pack it without --sparse)"]
    );
}

#[test]
fn a_directory_may_lack_its_descriptor() {
    let one = pcap(2);
    let mut archive = streamed_zip(&[("dir/", b""), ("a.pcap", &one)], CompressionMethod::Stored);
    let has_descriptor = archive[6] & 8 != 0;
    archive[6] |= 8;
    let at = 30 + 4 + usize::from(archive[28]);
    if has_descriptor {
        assert!(archive[at..].starts_with(b"PK\x07\x08"));
        let next = at + if archive[at + 16..].starts_with(b"PK") { 16 } else { 24 };
        archive.drain(at..next);
    }
    assert!(archive[at..].starts_with(b"PK\x03\x04"), "{:02x?}", &archive[..64]);
    let (events, outcome) = read_all(&archive);
    assert_eq!(outcome, Ok(()));
    assert_eq!(captures(&events), [("a.pcap".to_owned(), 2)]);
}

#[test]
fn maps_of_sparse_files_are_no_content() {
    let one = pcap(2);
    let files: Files<'_> = &[("a.pcap", &one), ("b.pcap", &one)];
    for blocks in 0..3_u8 {
        let mut archive = tar(files);
        change_header(&mut archive, 0, &[(156, b"S"), (482, &[u8::from(blocks > 0)])]);
        let maps = (0..blocks).flat_map(|block| {
            let mut map = vec![b'7'; 512];
            map[504] = u8::from(block + 1 < blocks);
            map
        });
        archive.splice(512..512, maps);
        let (events, outcome) = read_all(&archive);
        assert_eq!(outcome, Ok(()), "{blocks}");
        assert_eq!(captures(&events), [("b.pcap".to_owned(), 2)], "{blocks}");
    }
    // Nothing else is there, and the archive breaks off: both are told.
    let mut archive = tar(files);
    change_header(&mut archive, 0, &[(156, b"S"), (482, &[1])]);
    let (_, outcome) = read_all(&archive[..600]);
    let message = outcome.unwrap_err();
    assert!(message.contains("the map of a sparse file is cut"), "{message}");
    let mut archive = tar(&[("photo.jpg", &[0xff, 0xd8, 0xff]), ("b.pcap", &one)]);
    archive[1024 + 5] ^= 1;
    let (_, outcome) = read_all(&archive);
    let message = outcome.unwrap_err();
    assert!(
        message.ends_with(
            "it holds 'photo.jpg' (a JPEG picture); and it ends early, at byte 1024: a header is damaged: its checksum is wrong"
        ),
        "{message}"
    );
}

#[test]
fn a_volume_label_has_no_size() {
    let one = pcap(2);
    let mut archive = tar(&[("backup", b""), ("b.pcap", &one)]);
    change_header(&mut archive, 0, &[(156, b"V"), (124, &[0; 12])]);
    let (events, outcome) = read_all(&archive);
    assert_eq!(outcome, Ok(()));
    assert_eq!(captures(&events), [("b.pcap".to_owned(), 2)]);
    assert_eq!(faults(&events), Vec::<String>::new());
    // A file has to say how long it is.
    let mut archive = tar(&[("a.pcap", &one), ("b.pcap", &one)]);
    change_header(&mut archive, 0, &[(124, &[0; 12])]);
    let (_, outcome) = read_all(&archive);
    assert!(outcome.unwrap_err().starts_with("it is damaged at byte 512: a header is damaged"));
}

#[test]
fn an_archive_that_breaks_off_gives_what_is_readable() {
    let noise = noise(480_000);
    let (one, two) = (pcap_of(4000, &noise[..240_000]), pcap_of(4000, &noise[240_000..]));
    let files: Files<'_> = &[("a.pcap", &one), ("b.pcap", &two)];
    for (kind, archive) in archives(files) {
        let (events, outcome) = read_all(&archive[..archive.len() * 3 / 4]);
        assert_eq!(outcome, Ok(()), "{kind}");
        let captures = captures(&events);
        assert_eq!(captures[0], ("a.pcap".to_owned(), 4000), "{kind}");
        // bzip2 gives whole blocks only, which are as large as the capture
        if kind != "tar.bzip2" {
            assert!((500..3000).contains(&captures[1].1), "{kind}: {captures:?}");
            let last = format!("the capture ends here, after frame {}", captures[1].1);
            assert!(faults(&events)[0].contains(&last), "{kind}: {:?}", faults(&events));
        }
        let last = faults(&events).pop().unwrap();
        assert!(last.contains("; the archive ends here"), "{kind}: {last}");
    }
    let mut broken = zip(files, CompressionMethod::Deflated);
    broken[one.len() / 2] ^= 0xff;
    let (events, outcome) = read_all(&broken);
    assert_eq!(outcome, Ok(()));
    assert_eq!(captures(&events)[1], ("b.pcap".to_owned(), 4000));
    assert!(faults(&events)[0].contains("is damaged"), "{:?}", faults(&events));
    // stored: only the checksum tells
    let mut broken = zip(files, CompressionMethod::Stored);
    broken[one.len() / 2] ^= 0xff;
    let (events, _) = read_all(&broken);
    assert!(faults(&events)[0].contains("checksum"), "{:?}", faults(&events));
    // a header of tar
    let mut broken = tar(files);
    let at = 512 + one.len().next_multiple_of(512);
    broken[at] ^= 0xff;
    let (events, _) = read_all(&broken);
    assert_eq!(
        faults(&events),
        [format!("byte {at}: a header is damaged: its checksum is wrong; the archive ends here")]
    );
    for (kind, archive) in archives(files).into_iter().filter(|(kind, _)| kind.contains(" zip")) {
        let (_, outcome) = read_all(&archive[..20]);
        assert!(
            outcome.unwrap_err().starts_with("it is damaged at byte 0: a header is cut"),
            "{kind}"
        );
    }
}
