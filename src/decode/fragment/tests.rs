//! Fragmented datagrams in every order, with copies, contradictions and gaps.

mod contradictions;
mod nested;
mod room;

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
