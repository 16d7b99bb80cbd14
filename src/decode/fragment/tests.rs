//! Fragmented datagrams in every order, with copies, contradictions and gaps.

use std::time::Duration;

use proptest::prelude::*;

use super::super::tests::{datagram, endpoints, frame};
use super::super::{DecodeError, Decoded, Decoder, Limits};
use crate::model::capture::{Frame, LinkType};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{
    Content, FragmentsEnd, FragmentsLost, FragmentsSeen, Packet, Tunnel, TunnelKind,
};
use crate::model::time::Timestamp;

/// Bytes of the datagrams' UDP payload: three fragments.
const PAYLOAD_BYTES: usize = 3_400;
const FRAGMENT_BYTES: usize = 1_448;

/// A fragment of `whole`, an IP packet without extension headers.
fn fragment(whole: &[u8], identification: u16, offset: usize, end: usize) -> Vec<u8> {
    let is_v6 = whole[0] >> 4 == 6;
    let header_bytes = if is_v6 { 40 } else { 20 };
    let payload = &whole[header_bytes + offset..header_bytes + end];
    let has_more = header_bytes + end < whole.len();
    let units = u16::try_from(offset).unwrap() / 8;
    let length = u16::try_from(payload.len()).unwrap();
    let mut bytes = whole[..header_bytes].to_vec();
    if is_v6 {
        bytes[4..6].copy_from_slice(&u16::to_be_bytes(length + 8));
        let next_header = std::mem::replace(&mut bytes[6], 44);
        bytes.extend([next_header, 0]);
        bytes.extend(u16::to_be_bytes(units << 3 | u16::from(has_more)));
        bytes.extend(u32::from(identification).to_be_bytes());
    } else {
        bytes[2..4].copy_from_slice(&u16::to_be_bytes(length + 20));
        bytes[4..6].copy_from_slice(&identification.to_be_bytes());
        bytes[6..8].copy_from_slice(&u16::to_be_bytes(units | u16::from(has_more) << 13));
    }
    bytes.extend(payload);
    bytes
}

fn whole(is_v6: bool) -> Vec<u8> {
    let payload: Vec<u8> =
        (0..PAYLOAD_BYTES).map(|index| u8::try_from(index % 251).unwrap()).collect();
    datagram(is_v6, &payload)
}

/// The datagram in three fragments.
fn fragments(is_v6: bool, identification: u16) -> [Vec<u8>; 3] {
    let whole = whole(is_v6);
    let end = PAYLOAD_BYTES + 8;
    [(0, FRAGMENT_BYTES), (FRAGMENT_BYTES, 2 * FRAGMENT_BYTES), (2 * FRAGMENT_BYTES, end)]
        .map(|(offset, end)| fragment(&whole, identification, offset, end))
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_microseconds(i64::try_from(number).unwrap() * 1_000)
}

/// What a decoder hands out of these frames, one a millisecond, from number 1 on.
fn decode_all(decoder: &mut Decoder, frames: &[&[u8]]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for (number, bytes) in (1..).zip(frames) {
        if let Ok(Decoded::Packet(packet)) = decode_one(decoder, number, at(number), bytes) {
            packets.push(packet);
        }
    }
    packets
}

fn decode_one(
    decoder: &mut Decoder,
    number: u64,
    at: Timestamp,
    bytes: &[u8],
) -> Result<Decoded, DecodeError> {
    decoder.decode(&Frame { number, at, ..frame(LinkType::RawIp, bytes, bytes.len()) })
}

fn new_decoder() -> Decoder {
    Decoder::new(Limits::default())
}

fn lost_of(packet: &Packet) -> &FragmentsLost {
    let Content::FragmentsLost(lost) = &packet.content else { panic!("{packet:?}") };
    lost
}

#[test]
fn a_datagram_is_handed_out_once_whatever_the_order() {
    // order of the fragments, frame of the first, frame of the one that completes
    let cases: [(&[usize], u64, u64); 11] = [
        (&[0, 1, 2], 1, 3),
        (&[0, 2, 1], 1, 3),
        (&[1, 0, 2], 2, 3),
        (&[1, 2, 0], 3, 3),
        (&[2, 0, 1], 2, 3),
        (&[2, 1, 0], 3, 3),
        (&[0, 0, 1, 1, 2, 2], 1, 5),
        (&[0, 1, 2, 0, 1, 2], 1, 3),
        (&[2, 2, 1, 1, 0, 0], 5, 5),
        (&[0, 1, 0, 1, 0, 1, 2], 1, 7),
        (&[0, 1, 2, 2, 1, 0], 1, 3),
    ];
    for is_v6 in [false, true] {
        let (device, vip) = endpoints(is_v6);
        let unfragmented = whole(is_v6);
        let expected = decode_all(&mut new_decoder(), &[&unfragmented]);
        let Content::Datagram(expected) = &expected[0].content else { panic!("no datagram") };
        for (order, first_frame, last_frame) in cases {
            let parts = fragments(is_v6, 7);
            let frames: Vec<&[u8]> = order.iter().map(|index| parts[*index].as_slice()).collect();
            let mut decoder = new_decoder();
            let packets = decode_all(&mut decoder, &frames);
            let [packet] = packets.as_slice() else { panic!("{order:?} {packets:?}") };
            assert_eq!((packet.frame, packet.at), (first_frame, at(last_frame)), "{order:?}");
            assert_eq!(packet.ip_identification, (!is_v6).then_some(7));
            let Content::Datagram(datagram) = &packet.content else { panic!("{order:?}") };
            assert_eq!(datagram, expected, "{order:?}");
            assert_eq!(datagram.flow, FlowKey::udp(device, vip));
            assert_eq!(decoder.take_lost(None), None, "{order:?}");
        }
    }
}

#[test]
fn an_identification_may_be_used_again() {
    for is_v6 in [false, true] {
        let first = fragments(is_v6, 7);
        let mut other = whole(is_v6);
        let last = other.len() - 1;
        for offset in [60, 1_600, last] {
            other[offset] ^= 1;
        }
        let end = PAYLOAD_BYTES + 8;
        let second = [(0, 1448), (1448, 2896), (2896, end)]
            .map(|(offset, end)| fragment(&other, 7, offset, end));
        let frames: Vec<&[u8]> = first.iter().chain(&second).map(Vec::as_slice).collect();
        let mut decoder = new_decoder();
        assert_eq!(decode_all(&mut decoder, &frames).len(), 2);
        assert_eq!(decoder.take_lost(None), None);

        // The same bytes again are a copy at once, and another datagram later.
        let mut decoder = new_decoder();
        let mut packets = 0;
        for (number, seconds) in [(1, 0), (4, 1), (7, 5)] {
            for (number, bytes) in (number..).zip(&first) {
                let result =
                    decode_one(&mut decoder, number, Timestamp::from_seconds(seconds), bytes);
                packets += usize::from(result != Ok(Decoded::Other));
            }
        }
        assert_eq!(packets, 2);
    }
}

#[test]
fn fragments_of_different_places_are_not_mixed() {
    for is_v6 in [false, true] {
        let [first, second, third] = fragments(is_v6, 7);
        let foreign = fragments(is_v6, 8);
        let mut reversed = second.clone();
        // The last byte of the source address.
        reversed[if is_v6 { 23 } else { 15 }] ^= 1;
        let ether_type: u16 = if is_v6 { 0x86dd } else { 0x0800 };
        let tagged = |tag: u8, ip: &[u8]| {
            let [high, low] = ether_type.to_be_bytes();
            [&[2; 12], [0x81, 0, 0, tag, high, low].as_slice(), ip].concat()
        };
        let mut decoder = new_decoder();
        for bytes in [&first, &foreign[1], &reversed, &third] {
            assert_eq!(decode_one(&mut decoder, 1, at(1), bytes), Ok(Decoded::Other));
        }
        for (bytes, expected) in [
            (tagged(1, &first), false),
            (tagged(1, &third), false),
            (tagged(2, &second), false),
            (tagged(1, &second), true),
        ] {
            let result = decoder.decode(&frame(LinkType::Ethernet, &bytes, bytes.len()));
            assert_eq!(matches!(result, Ok(Decoded::Packet(_))), expected);
        }
        let bytes = second.clone();
        let other_interface = Frame { interface: 9, ..frame(LinkType::RawIp, &bytes, bytes.len()) };
        assert_eq!(decoder.decode(&other_interface), Ok(Decoded::Other));
    }
}

#[test]
fn a_lost_fragment_is_told_when_nothing_more_can_come() {
    for is_v6 in [false, true] {
        let (device, vip) = endpoints(is_v6);
        let flow = Some(FlowKey::udp(device, vip));
        let total = Some(3_408);
        // fragments seen, flow, received, total, which
        let cases: [(&[usize], _, u32, Option<u32>, FragmentsSeen); 7] = [
            (&[0], flow, 1_448, total, FragmentsSeen::First),
            (&[0, 1], flow, 2_896, total, FragmentsSeen::First),
            (&[0, 2], flow, 1_960, total, FragmentsSeen::First),
            (&[2, 0], flow, 1_960, total, FragmentsSeen::First),
            (&[1], None, 1_448, None, FragmentsSeen::LaterOnly),
            (&[2], None, 512, total, FragmentsSeen::LaterOnly),
            (&[1, 2, 2, 1], None, 1_960, total, FragmentsSeen::LaterOnly),
        ];
        for (seen, flow, received_bytes, total_bytes, which) in cases {
            let parts = fragments(is_v6, 7);
            let frames: Vec<&[u8]> = seen.iter().map(|index| parts[*index].as_slice()).collect();
            for (now, ended) in [
                (Some(at(1) + Duration::from_millis(30_001)), FragmentsEnd::TimedOut),
                (None, FragmentsEnd::CaptureEnded),
            ] {
                let mut decoder = new_decoder();
                assert_eq!(decode_all(&mut decoder, &frames), []);
                assert_eq!(decoder.take_lost(Some(at(1) + Duration::from_secs(30))), None);
                let packet = decoder.take_lost(now).unwrap();
                assert_eq!((packet.frame, packet.at), (1, at(1)));
                assert_eq!(packet.ip_identification, (!is_v6).then_some(7));
                let expected = FragmentsLost {
                    flow,
                    source: device.address,
                    destination: vip.address,
                    identification: 7,
                    received_bytes,
                    total_bytes,
                    seen: which,
                    ended,
                };
                assert_eq!(lost_of(&packet), &expected, "{seen:?}");
                assert_eq!(decoder.take_lost(None), None);
            }
        }
    }
}

#[test]
fn only_datagrams_are_waited_for() {
    for is_v6 in [false, true] {
        let protocol = if is_v6 { 6 } else { 9 };
        for (number, expected) in [(17, 1), (6, 0), (50, 0), (if is_v6 { 58 } else { 1 }, 0)] {
            let mut bytes = whole(is_v6);
            bytes[protocol] = number;
            let mut decoder = new_decoder();
            for (offset, end) in [(0, 1_448), (1_448, 2_896)] {
                let part = fragment(&bytes, 7, offset, end);
                assert_eq!(decode_one(&mut decoder, 1, at(1), &part), Ok(Decoded::Other));
            }
            let lost = std::iter::from_fn(|| decoder.take_lost(None)).count();
            assert_eq!(lost, expected, "protocol {number}");
        }
    }
}

#[test]
fn of_a_datagram_that_a_snap_length_cut_the_first_fragment_is_read() {
    for is_v6 in [false, true] {
        let parts = fragments(is_v6, 7);
        let orders: [&[usize]; 6] =
            [&[0, 1, 2], &[2, 1, 0], &[1, 0, 2], &[0, 2, 1], &[0, 0, 1, 1, 2, 2], &[2, 0, 1]];
        for (snap_bytes, order) in orders.into_iter().flat_map(|order| [(96, order), (600, order)])
        {
            let mut decoder = new_decoder();
            let mut packets = Vec::new();
            for (number, index) in (1..).zip(order) {
                let bytes = &parts[*index];
                let captured = &bytes[..bytes.len().min(snap_bytes)];
                let cut = Frame { number, ..frame(LinkType::RawIp, captured, bytes.len()) };
                if let Decoded::Packet(packet) = decoder.decode(&cut).unwrap() {
                    packets.push(packet);
                }
            }
            let [packet] = packets.as_slice() else { panic!("{order:?} {packets:?}") };
            let Content::Datagram(datagram) = &packet.content else { panic!("{order:?}") };
            assert_eq!(usize::try_from(datagram.length), Ok(PAYLOAD_BYTES));
            let first = order.iter().position(|index| *index == 0).unwrap() + 1;
            assert_eq!(usize::try_from(packet.frame), Ok(first), "{order:?} {snap_bytes}");
            assert_eq!(decoder.take_lost(None), None, "{order:?} {snap_bytes}");
        }
    }
}

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

#[test]
fn what_is_kept_is_bounded() {
    let limits = Limits { fragmented_datagrams: 10, ..Limits::default() };
    for is_v6 in [false, true] {
        let mut decoder = Decoder::new(limits);
        let mut evicted = Vec::new();
        for number in 0..100 {
            let [first, ..] = fragments(is_v6, number);
            decode_one(&mut decoder, number.into(), at(1), &first).unwrap();
            while let Some(packet) = decoder.take_lost(Some(at(1))) {
                assert_eq!(lost_of(&packet).ended, FragmentsEnd::Evicted);
                evicted.push(lost_of(&packet).identification);
            }
        }
        assert_eq!(evicted, (0..90).collect::<Vec<u32>>());
        assert_eq!(std::iter::from_fn(|| decoder.take_lost(None)).count(), 10);

        // A last fragment far out takes the memory of all before it.
        let limits = Limits { fragment_bytes: 1 << 20, ..Limits::default() };
        let mut decoder = Decoder::new(limits);
        for number in 0..2_000 {
            let mut last = fragments(is_v6, number)[2].clone();
            let offset = if is_v6 { 42 } else { 6 };
            last[offset..offset + 2].copy_from_slice(if is_v6 { &[0xf0, 0] } else { &[0x1e, 0] });
            decode_one(&mut decoder, 1, at(1), &last).unwrap();
        }
        let waiting = decoder.fragments.waiting.len();
        assert!((10..=17).contains(&waiting), "{waiting}");
        assert!(decoder.fragments.waiting_bytes <= 1 << 20);
        assert!(decoder.fragments.ages.len() <= 2 * 1_024);
        assert!(decoder.fragments.lost.len() <= 1_024);
        while decoder.take_lost(None).is_some() {}
        assert_eq!(decoder.fragments.waiting_bytes, 0);
    }
}

#[test]
fn what_was_finished_is_forgotten_in_time() {
    for is_v6 in [false, true] {
        let mut decoder = new_decoder();
        for number in 0..1_000 {
            for bytes in fragments(is_v6, number) {
                decode_one(&mut decoder, 1, at(1), &bytes).unwrap();
            }
        }
        let fragments = &decoder.fragments;
        assert_eq!((fragments.waiting.len(), fragments.waiting_bytes), (0, 0));
        assert!(fragments.finished.len() <= super::MAX_FINISHED);
        assert!(fragments.finished_ages.len() <= super::MAX_FINISHED);
        assert!(fragments.ages.len() <= 2 * 1_024);
    }
}

#[test]
fn fragments_inside_and_around_tunnels_belong_together() {
    for is_v6 in [false, true] {
        let (device, vip) = endpoints(is_v6);
        let ends =
            (std::net::Ipv4Addr::new(203, 0, 113, 1), std::net::Ipv4Addr::new(203, 0, 113, 2));
        let protocol = if is_v6 { 41 } else { 4 };
        let kind = if is_v6 { TunnelKind::SixInFour } else { TunnelKind::FourInFour };
        let tunnel = Tunnel { kind, source: ends.0.into(), destination: ends.1.into(), key: None };
        let wrap = |inner: &[u8]| {
            let length = u16::try_from(inner.len() + 20).unwrap().to_be_bytes();
            let header = [0x45, 0, length[0], length[1], 0, 3, 0, 0, 64, protocol, 0, 0];
            [&header, ends.0.octets().as_slice(), &ends.1.octets(), inner].concat()
        };
        let inside: Vec<Vec<u8>> = fragments(is_v6, 7).iter().map(|part| wrap(part)).collect();
        let tunnelled = wrap(&whole(is_v6));
        let end = tunnelled.len() - 20;
        let around: Vec<Vec<u8>> = [(0, 1_480), (1_480, 2_960), (2_960, end)]
            .into_iter()
            .map(|(offset, end)| fragment(&tunnelled, 9, offset, end))
            .collect();
        for parts in [inside, around] {
            let frames: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let mut decoder = new_decoder();
            let packets = decode_all(&mut decoder, &frames);
            let [packet] = packets.as_slice() else { panic!("{packets:?}") };
            assert_eq!((packet.tunnel, packet.frame), (Some(tunnel), 1));
            let Content::Datagram(datagram) = &packet.content else { panic!("{packet:?}") };
            assert_eq!(datagram.flow, FlowKey::udp(device, vip));
            assert_eq!(decoder.take_lost(None), None);

            let mut decoder = new_decoder();
            assert_eq!(decode_all(&mut decoder, &frames[..2]), []);
            let packet = decoder.take_lost(None).unwrap();
            assert_eq!(packet.tunnel, Some(tunnel));
            assert_eq!(lost_of(&packet).flow, Some(FlowKey::udp(device, vip)));
        }
    }
}

#[test]
fn extension_headers_may_be_fragmented_too() {
    let plain = whole(true);
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let mut bytes = [&plain[..40], &options, &plain[40..]].concat();
    bytes[6] = 60;
    let end = bytes.len() - 40;
    let parts = [(0, 1_448), (1_448, end)].map(|(offset, end)| fragment(&bytes, 7, offset, end));
    let packets = decode_all(&mut new_decoder(), &[&parts[0], &parts[1]]);
    let expected = decode_all(&mut new_decoder(), &[&plain]);
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].content, expected[0].content);
}

proptest! {
    #[test]
    fn any_cuts_in_any_order_give_the_datagram(
        cuts in prop::collection::btree_set(1_usize..426, 0..12),
        order in any::<prop::sample::Index>(),
        is_v6 in any::<bool>(),
        extra in prop::collection::vec((0_usize..426, 1_usize..200), 0..6),
    ) {
        let whole = whole(is_v6);
        let end = PAYLOAD_BYTES + 8;
        let mut offsets: Vec<usize> = std::iter::once(0).chain(cuts.iter().map(|cut| cut * 8)).collect();
        offsets.retain(|offset| *offset < end);
        offsets.push(end);
        let mut parts: Vec<Vec<u8>> = offsets
            .windows(2)
            .map(|pair| fragment(&whole, 7, pair[0], pair[1]))
            .collect();
        prop_assume!(parts.len() > 1);
        // Of IPv6 an overlap is the end of the datagram.
        for (unit, units) in extra.into_iter().filter(|_| !is_v6) {
            let offset = unit * 8;
            if offset < end && (offset > 0 || units * 8 < end) {
                parts.push(fragment(&whole, 7, offset, end.min(offset + units * 8)));
            }
        }
        let turn = order.index(parts.len());
        parts.rotate_left(turn);
        let frames: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut decoder = new_decoder();
        let packets = decode_all(&mut decoder, &frames);
        let expected = decode_all(&mut Decoder::new(Limits::default()), &[&whole]);
        prop_assert!(packets.iter().all(|packet| packet.content == expected[0].content));
        prop_assert_eq!(packets.is_empty(), false);
    }

    #[test]
    fn arbitrary_fragments_never_panic(
        parts in prop::collection::vec((0_u16..0x4000, 0_usize..64, any::<bool>(), 0_i64..100), 0..60),
        is_v6 in any::<bool>(),
    ) {
        let mut decoder = Decoder::new(Limits { fragmented_datagrams: 3, fragment_bytes: 100_000, ..Limits::default() });
        let payload = datagram(is_v6, &[7; 600]);
        for (offset, length, is_same, seconds) in parts {
            let mut bytes = fragment(&payload, u16::from(is_same), 0, length.min(600));
            let field = if is_v6 { 42 } else { 6 };
            let value = if is_v6 { offset << 2 } else { offset };
            bytes[field..field + 2].copy_from_slice(&value.to_be_bytes());
            let _ = decode_one(&mut decoder, 1, Timestamp::from_seconds(seconds), &bytes);
            let _ = decoder.take_lost(Some(Timestamp::from_seconds(seconds)));
        }
        while decoder.take_lost(None).is_some() {}
        prop_assert_eq!(decoder.fragments.waiting_bytes, 0);
    }
}
