//! Inputs of every kind, and inputs that are damaged at random.

use std::io::{self, Read};

use proptest::prelude::*;

use super::byte_order::ByteOrder::{Big, Little};
use super::detect::Compression;
use super::samples::{
    OneByte, Seen, compressed, gzipped, interface, noise, option, packet, pcap_file, pcap_record,
    read_all, read_from, section_header, utf16, zstandard,
};
use crate::model::input::InputErrorKind;

const NO_LIMIT: u64 = u64::MAX;

/// A pcap of 40 frames.
fn pcap() -> Vec<u8> {
    let records = (0..40).flat_map(|n| pcap_record(Little, n, 5, &[0x45; 60], 60));
    pcap_file(Little, 0xa1b2_c3d4, 1).into_iter().chain(records).collect()
}

/// A pcapng of two sections and 40 frames.
fn pcapng() -> Vec<u8> {
    [Little, Big]
        .into_iter()
        .flat_map(|order| {
            let flags = option(order, 2, &[1, 0, 0, 1]);
            let packets = (0..20).flat_map(move |n| packet(order, 0, n, &[0x60; 61], &flags));
            let name = option(order, 2, b"eth0");
            let description = interface(order, 229, 0, &name);
            section_header(order).into_iter().chain(description).chain(packets)
        })
        .collect()
}

fn frames(events: &[Seen]) -> usize {
    events.iter().filter(|event| event.is_frame()).count()
}

#[test]
fn compressed_captures_give_what_plain_ones_give() {
    for plain in [pcap(), pcapng()] {
        let (expected, _) = read_all(&plain);
        assert_eq!(frames(&expected), 40);
        let inputs = Compression::ALL.map(|compression| compressed(compression, &plain));
        for input in inputs.into_iter().chain([plain]) {
            let (events, outcome) = read_all(&input);
            assert!(outcome.is_ok());
            assert_eq!(events, expected);
            let (bytewise, outcome) = read_from(&mut OneByte(&input), NO_LIMIT);
            assert!(outcome.is_ok());
            assert_eq!(bytewise, expected);
        }
    }
}

#[test]
fn what_is_no_capture_gets_a_clear_answer() {
    const NOTHING: &str = "it is text, but holds no tcpdump line, no connection tracking and no facts about addresses";
    let twice = gzipped(&zstandard(&pcap()));
    let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F'];
    let cases: &[(&[u8], &str)] = &[
        (b"", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"\xff\xfe", "it is empty"),
        (&gzipped(b""), "it is empty"),
        (&zstandard(b""), "it is empty"),
        (&jpeg, "it is neither a capture nor text: it looks like a JPEG picture"),
        (&gzipped(&jpeg), "it is neither a capture nor text: it looks like a JPEG picture"),
        (
            &[0; 100],
            "it is neither a capture nor text: it looks like binary data of an unknown kind",
        ),
        (
            &twice,
            "it is neither a capture nor text: it looks like compressed data inside compressed data; unpack it once first",
        ),
        (
            &[0x1f, 0x8b, 8],
            "it is damaged at byte 0: the gzip data is cut before its end, at compressed byte 3",
        ),
        (
            &[0x28, 0xb5, 0x2f, 0xfd, 0xff],
            "it is damaged at byte 0: the zstd data is cut before its end, at compressed byte 5",
        ),
        (b"nothing of ours", NOTHING),
        (&utf16("\u{feff}nothing of ours", Big), NOTHING),
    ];
    for (input, message) in cases {
        let (events, outcome) = read_all(input);
        assert_eq!(events, [], "{message}");
        let error = outcome.unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn utf_16_reaches_the_text_reader_as_utf_8() {
    let line = "12:00:00.000000 IP 192.0.2.1.1069 > 198.51.100.7.69: UDP, length 20\n12:00:01.000000 IP6 2001:db8::1.1069 > 2001:db8::7.69: UDP, length 20\n";
    let (expected, _) = read_all(line.as_bytes());
    for order in [Little, Big] {
        let (events, _) = read_all(&utf16(&format!("\u{feff}{line}"), order));
        assert_eq!(events, expected, "{order:?}");
    }
    let (events, _) = read_all(format!("\u{feff}{line}").as_bytes());
    assert_eq!(events, expected);
}

#[test]
fn a_capture_behind_lines_of_text_is_read() {
    let capture = pcap();
    let (expected, _) = read_all(&capture);
    for text in ["tcpdump: listening on eth0, link-type EN10MB\n", "Defaulted container\r\nx\r\n"] {
        let (events, outcome) = read_all(&[text.as_bytes(), &capture].concat());
        assert_eq!(outcome, Ok(()));
        let fault = events[1].fault().unwrap();
        assert!(fault.starts_with("byte 0: text stands before the capture: '"), "{fault}");
        let rest: Vec<_> = events.iter().filter(|event| event.fault().is_none()).collect();
        assert_eq!(rest, expected.iter().collect::<Vec<_>>());
    }
    let (events, _) =
        read_all(&utf16("12:00:00.0 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4\n", Little));
    assert_eq!(frames(&events), 0);
    assert!(matches!(events[0], Seen::Begins(_)));
}

#[test]
fn expansion_is_bounded() {
    let capture = pcap();
    let length = capture.len() as u64;
    for compressed in Compression::ALL.map(|compression| compressed(compression, &capture)) {
        // the limit, frames, and the fault or error
        let cases = [
            (length, 40, None),
            (
                length - 1,
                39,
                Some(Ok(
                    "byte 2988: decompression stopped at the limit of 3063 bytes; the capture ends here, after frame 39 (bytes are counted after decompression)",
                )),
            ),
            (
                100,
                1,
                Some(Ok(
                    "byte 100: decompression stopped at the limit of 100 bytes; the capture ends here, after frame 1 (bytes are counted after decompression)",
                )),
            ),
            (99, 0, Some(Err("it expands to more than 99 bytes"))),
            (3, 0, Some(Err("it expands to more than 3 bytes"))),
            (0, 0, Some(Err("it expands to more than 0 bytes"))),
        ];
        for (limit, count, end) in cases {
            let (events, outcome) = read_from(&mut &compressed[..], limit);
            assert_eq!(frames(&events), count, "limit {limit}");
            let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
            match end {
                None => assert!(faults.is_empty() && outcome.is_ok()),
                Some(Ok(fault)) => {
                    assert!(faults == [fault] && outcome.is_ok(), "{faults:?} {outcome:?}");
                }
                Some(Err(message)) => assert_eq!(outcome.unwrap_err().to_string(), message),
            }
        }
    }
}

#[test]
fn a_compressed_text_that_expands_too_far_says_so() {
    let compressed = gzipped(&vec![b'x'; 10_000_000]);
    let (_, outcome) = read_from(&mut &compressed[..], 1_000);
    assert!(matches!(outcome, Err(InputErrorKind::ExpandsTooFar { limit_bytes: 1_000 })));
}

#[test]
fn a_compressed_capture_that_breaks_off_gives_what_is_readable() {
    // Frames that do not compress, so that half of the bytes hold half of them.
    let noise = noise(4_000_000);
    let records = noise.chunks(100).flat_map(|frame| pcap_record(Big, 7, 0, frame, 100));
    let capture: Vec<u8> = pcap_file(Big, 0xa1b2_c3d4, 228).into_iter().chain(records).collect();
    for compression in Compression::ALL {
        let (name, compressed) = (compression.as_text(), compressed(compression, &capture));
        let (events, outcome) = read_all(&compressed[..compressed.len() / 2]);
        assert_eq!(outcome, Ok(()), "{name}");
        assert!((10_000..21_000).contains(&frames(&events)), "{name}: {}", frames(&events));
        let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].contains(&format!(
                ": the {name} data is cut before its end, at compressed byte {}; the capture ends here, after frame ",
                compressed.len() / 2
            )),
            "{faults:?}"
        );
        assert!(matches!(events.last(), Some(Seen::Ends)));

        let trailing = [&compressed[..], &[0; 511]].concat();
        let (events, outcome) = read_all(&trailing);
        assert_eq!(outcome, Ok(()), "{name}");
        assert!(frames(&events) >= 39_000, "{name}: {}", frames(&events));
        // Zeros behind gzip are padding.
        let expected = usize::from(compression != Compression::Gzip);
        assert_eq!(events.iter().filter_map(Seen::fault).count(), expected, "{name}");
    }
    let trailing = [&compressed(Compression::Gzip, &pcap())[..], &[0, 0, 7, 0]].concat();
    let (events, _) = read_all(&trailing);
    assert_eq!(events.iter().filter_map(Seen::fault).count(), 1);
}

#[test]
fn a_failing_input_is_an_error_after_what_could_be_read() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    for (plain, whole) in
        [(&pcap(), true), (&pcapng(), true), (&gzipped(&pcap()), true), (&vec![], false)]
    {
        let (events, outcome) = read_from(&mut plain.chain(Failing), NO_LIMIT);
        assert!(
            matches!(outcome, Err(InputErrorKind::Read(error)) if error.kind() == io::ErrorKind::ConnectionReset)
        );
        assert_eq!(frames(&events), if whole { 40 } else { 0 });
        assert_eq!(matches!(events.last(), Some(Seen::Ends)), whole);
    }
}

/// What holds for the events of any input.
fn check(events: &[Seen]) {
    let mut is_open = false;
    let mut last = 0;
    for event in events {
        match event {
            Seen::Begins(_) => {
                assert!(!is_open);
                (is_open, last) = (true, 0);
            }
            Seen::Interface(_) | Seen::Dropped { .. } | Seen::Listened { .. } | Seen::Note(_) => {
                assert!(is_open);
            }
            Seen::Frame { number, original_length, bytes, .. } => {
                assert!(is_open && *number > last);
                assert!(bytes.len() <= usize::try_from(*original_length).unwrap());
                last = *number;
            }
            Seen::Ends => {
                assert!(is_open);
                is_open = false;
            }
            Seen::Fault(_) | Seen::Text(_) => {}
        }
    }
    assert!(!is_open);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..2_000), magic in 0_usize..6) {
        let section = section_header(Big);
        let magic: &[u8] = [
            &b""[..],
            &[0xd4, 0xc3, 0xb2, 0xa1],
            &[0xa1, 0xb2, 0xcd, 0x34],
            &section,
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0],
            &[0x28, 0xb5, 0x2f, 0xfd],
        ][magic];
        let (events, _) = read_all(&[magic, &bytes].concat());
        check(&events);
    }

    #[test]
    fn mutated_captures_end_and_read_alike_in_small_steps(
        kind in 0_usize..9,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut capture = match kind {
            0 => pcap(),
            1 => pcapng(),
            2 => super::snoop::tests::snoop(),
            3 => zstandard(&pcapng()),
            other => compressed(Compression::ALL[other - 4], &pcap()),
        };
        for (place, value) in &changes {
            let place = place.index(capture.len());
            capture[place] = *value;
        }
        if changes.len() % 2 == 1 {
            capture.truncate(cut.index(capture.len()));
        }
        let (events, outcome) = read_from(&mut &capture[..], 100_000);
        check(&events);
        let (bytewise, again) = read_from(&mut OneByte(&capture), 100_000);
        // A damaged compressed stream may lose the end of a step with either.
        if kind < 3 {
            prop_assert_eq!(events, bytewise);
            prop_assert_eq!(outcome.map_err(|e| e.to_string()), again.map_err(|e| e.to_string()));
        }
    }
}
