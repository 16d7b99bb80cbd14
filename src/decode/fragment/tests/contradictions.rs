//! Fragments that overlap, contradict each other, or that no host sends.

use super::*;

#[test]
fn of_contradicting_fragments_the_first_wins() {
    for is_v6 in [false, true] {
        let whole = whole(is_v6);
        let [first, second, third] = fragments(is_v6, 7);
        let mut forged = whole.clone();
        forged[1_500] ^= 0xff;
        let overlapping = fragment(&whole, 7, 1_000, 2_000);
        let other_bytes = fragment(&forged, 7, 1_000, 2_000);
        let other_end = fragment(&whole[..whole.len() - 8], 7, 2_896, PAYLOAD_BYTES);
        let beyond = {
            let longer = [whole.clone(), vec![0; 400]].concat();
            fragment(&longer, 7, 3_408, 3_600)
        };
        let not_the_end = {
            let shorter = &whole[..whole.len() - 2_000];
            fragment(shorter, 7, 800, shorter.len() - if is_v6 { 40 } else { 20 })
        };
        let again = fragment(&whole, 7, 1_448, 2_000);
        let cases: [(_, [&[u8]; 4], _); 5] = [
            if is_v6 {
                ("the same again", [&first, &second, &again, &third], None)
            } else {
                ("same bytes", [&first, &overlapping, &second, &third], None)
            },
            ("other bytes", [&first, &second, &other_bytes, &third], Some(2)),
            ("other end", [&third, &other_end, &second, &first], Some(1)),
            ("beyond the end", [&third, &first, &beyond, &second], Some(2)),
            ("end before others", [&second, &not_the_end, &third, &first], Some(1)),
        ];
        let expected = decode_all(&mut new_decoder(), &[&whole]);
        for (name, frames, damaged) in cases {
            let mut decoder = new_decoder();
            let mut packets = Vec::new();
            for (index, bytes) in frames.iter().enumerate() {
                match decode_one(&mut decoder, 1, at(1), bytes) {
                    Ok(Decoded::Packet(packet)) => packets.push(packet.content),
                    Ok(Decoded::Other | Decoded::Carrier(_)) => {}
                    Err(error) => {
                        assert!(matches!(error, DecodeError::Damaged { layer: "IP fragment", .. }));
                        assert_eq!(Some(index), damaged, "{name}: {error}");
                    }
                }
            }
            assert_eq!(packets, [expected[0].content.clone()], "{name}");
        }
    }
}

#[test]
fn ipv6_fragments_that_overlap_are_all_lost() {
    let whole_datagram = whole(true);
    let [first, second, third] = fragments(true, 7);
    let over = |start, end| fragment(&whole_datagram, 7, start, end);
    let (across, all, tail) = (over(1_000, 2_000), over(1_448, 3_000), over(2_800, 3_408));
    let cases: [(_, [&[u8]; 4]); 4] = [
        ("across two", [&first, &across, &second, &third]),
        ("after the others", [&first, &third, &across, &second]),
        ("more than another", [&first, &second, &all, &third]),
        ("the last one", [&third, &first, &tail, &second]),
    ];
    for (name, frames) in cases {
        let mut decoder = new_decoder();
        for bytes in frames {
            let found = decode_one(&mut decoder, 1, at(1), bytes).unwrap();
            assert_eq!(found, Decoded::Other, "{name}");
        }
        let lost = decoder.take_lost(Some(at(2))).map(|packet| packet.content);
        let Some(Content::FragmentsLost(lost)) = lost else { panic!("{name}: {lost:?}") };
        assert_eq!(lost.ended, FragmentsEnd::Overlapping, "{name}");
        assert_eq!(decoder.take_lost(None), None, "{name}");
    }
}

#[test]
fn fragments_that_no_host_sends_are_refused() {
    for is_v6 in [false, true] {
        let whole = whole(is_v6);
        let mut beyond = fragment(&whole, 7, 1_448, 2_896);
        let offset = if is_v6 { 42 } else { 6 };
        beyond[offset..offset + 2].copy_from_slice(if is_v6 {
            &[0xff, 0xf9]
        } else {
            &[0x3f, 0xff]
        });
        let cases = [
            (fragment(&whole, 7, 1_448, 1_448), "the one at 1448 is empty"),
            (
                fragment(&whole, 7, 0, 100),
                "the one at 0 has 100 bytes, and only the last may end within 8",
            ),
            (beyond, "the one at 65528 has 1448 bytes, a datagram ends at 65535"),
        ];
        for (bytes, expected) in cases {
            let mut decoder = new_decoder();
            let error = decode_one(&mut decoder, 1, at(1), &bytes).unwrap_err().to_string();
            assert_eq!(error, format!("IP fragment header is damaged: {expected}"));
            assert_eq!(decoder.take_lost(None), None);
        }
    }
}
