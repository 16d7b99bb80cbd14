//! How much is read of an archive.

use super::*;

#[test]
fn all_entries_share_one_limit() {
    let content = pcap(1000);
    let length = content.len() as u64;
    let small = gzipped(&content);
    let files: Files<'_> = &[("a.gz", &small), ("b.gz", &small), ("c.gz", &small)];
    let stored = zip(files, CompressionMethod::Stored);
    for archive in [
        tar(files),
        stored,
        zip(&[("a", &content), ("b", &content), ("c", &content)], CompressionMethod::Deflated),
    ] {
        let (events, outcome) = read_from(&mut &archive[..], 3 * length);
        assert!(outcome.is_ok() && faults(&events).is_empty(), "{:?}", faults(&events));
        let (events, outcome) = read_from(&mut &archive[..], length + length / 2);
        assert!(outcome.is_ok());
        let captures = captures(&events);
        assert_eq!(captures.len(), 2, "{captures:?}");
        assert_eq!(captures[0].1, 1000);
        assert!((400..600).contains(&captures[1].1));
        let faults = faults(&events);
        assert_eq!(faults.len(), 2);
        assert!(
            faults[1].starts_with(&format!(
                "decompression stopped at the limit of {} bytes, in entry 'b",
                length + length / 2
            )),
            "{faults:?}"
        );
        let (_, outcome) = read_from(&mut &archive[..], 99);
        assert_eq!(outcome.unwrap_err().to_string(), "it expands to more than 99 bytes");
    }
    // A bomb in a bomb: each layer counts.
    let bomb = gzipped(&vec![b'\n'; 2_000_000]);
    let nested = gzipped(&tar(&[("a.gz", &bomb), ("b.gz", &bomb)]));
    let (_, outcome) = read_from(&mut &nested[..], 1_000_000);
    assert_eq!(outcome.unwrap_err().to_string(), "it expands to more than 1000000 bytes");
}

#[test]
fn entries_are_limited_in_number() {
    let one = pcap(1);
    let entry = &tar(&[("a.pcap", &one)])[..1024];
    let (events, outcome) = read_all(&entry.repeat(10_001));
    assert_eq!(outcome, Ok(()));
    assert_eq!(captures(&events).len(), 10_000);
    assert_eq!(
        faults(&events),
        ["the archive has more than 10000 entries; those from 'a.pcap' on were not read"]
    );
}
