//! TCP headers (RFC 9293 section 3.1), of the segments that open or refuse a
//! connection only. All others are left after one look at their flags.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::field::{find_array, find_u8, find_u16, find_u32};
use super::ip::IpPacket;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::segment::{Segment, SegmentKind};

const SYN: u8 = 0x02;
const RESET: u8 = 0x04;
const ACKNOWLEDGEMENT: u8 = 0x10;
const IPV6_HEADER_BYTES: usize = 40;

/// A segment of a handshake, and its packet's IPv4 identification. `ip` begins
/// with an IP header that names TCP, without extension headers in IPv6.
pub(super) fn find_segment(ip: &[u8]) -> Option<(Segment, Option<u16>)> {
    let first = find_u8(ip, 0)?;
    let header_bytes =
        if first >> 4 == 4 { usize::from(first & 0x0f) * 4 } else { IPV6_HEADER_BYTES };
    let tcp = ip.get(header_bytes..)?;
    let flags = find_u8(tcp, 13)?;
    if flags & (SYN | RESET) == 0 {
        return None;
    }
    let (source, destination, identification): (IpAddr, IpAddr, _) = if first >> 4 == 4 {
        // No host fragments a segment of a handshake: more-fragments bit and offset.
        if find_u16(ip, 6)? & 0x3fff != 0 {
            return None;
        }
        let address =
            |offset| find_array::<4>(ip, offset).map(|octets| Ipv4Addr::from(octets).into());
        (address(12)?, address(16)?, find_u16(ip, 4).filter(|value| *value != 0))
    } else {
        let address =
            |offset| find_array::<16>(ip, offset).map(|octets| Ipv6Addr::from(octets).into());
        (address(8)?, address(24)?, None)
    };
    Some((read_segment(tcp, flags, source, destination)?, identification))
}

/// The segment of a handshake behind headers that [`find_segment`] does not read: the
/// extension headers of IPv6, the authentication header of IPv4.
pub(super) fn find_segment_behind(packet: &IpPacket<'_>) -> Option<Segment> {
    let flags = find_u8(packet.payload, 13)?;
    if flags & (SYN | RESET) == 0 || packet.fragment.is_some() {
        return None;
    }
    read_segment(packet.payload, flags, packet.source, packet.destination)
}

fn read_segment(tcp: &[u8], flags: u8, source: IpAddr, destination: IpAddr) -> Option<Segment> {
    let flow = FlowKey::tcp(
        Endpoint::new(source, find_u16(tcp, 0)?),
        Endpoint::new(destination, find_u16(tcp, 2)?),
    );
    let (sequence, next) = (find_u32(tcp, 4)?, find_u32(tcp, 8)?);
    let acknowledges = (flags & ACKNOWLEDGEMENT != 0).then_some(next);
    let kind = match (flags & RESET != 0, acknowledges) {
        (true, acknowledges) => SegmentKind::Reset { sequence, acknowledges },
        (false, Some(acknowledges)) => SegmentKind::SynAck { acknowledges },
        (false, None) => SegmentKind::Syn { awaits: sequence.wrapping_add(1) },
    };
    Some(Segment { flow, kind })
}

/// The segment of a handshake that begins with `tcp`, the first bytes of a quoted one.
///
/// Errors quote eight bytes at least (RFC 792): up to the sequence number. That of a
/// SYN pairs it with its handshake; nothing else has it, so the flags need not be there.
/// A SYN-ACK is known by what it acknowledges.
pub(super) fn find_quoted_segment(tcp: &[u8]) -> Option<SegmentKind> {
    let syn = SegmentKind::Syn { awaits: find_u32(tcp, 4)?.wrapping_add(1) };
    let Some(flags) = find_u8(tcp, 13) else { return Some(syn) };
    match (flags & SYN != 0 && flags & RESET == 0, flags & ACKNOWLEDGEMENT != 0) {
        (true, true) => Some(SegmentKind::SynAck { acknowledges: find_u32(tcp, 8)? }),
        (true, false) => Some(syn),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(is_v6: bool, flags: u8) -> Vec<u8> {
        let mut bytes = if is_v6 {
            let mut bytes = vec![0x60, 0, 0, 0, 0, 20, 6, 64];
            bytes.extend("2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
            bytes.extend("2001:db8:100::10".parse::<Ipv6Addr>().unwrap().octets());
            bytes
        } else {
            let mut bytes = vec![0x45, 0, 0, 40, 0, 9, 0x40, 0, 64, 6, 0, 0];
            bytes.extend([192, 0, 2, 7, 198, 51, 100, 10]);
            bytes
        };
        bytes.extend([0xa1, 0x0a, 0x01, 0xbb]);
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7]);
        bytes.extend([0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn only_segments_of_a_handshake_are_read() {
        let reset = |acknowledges| SegmentKind::Reset { sequence: u32::MAX, acknowledges };
        let cases = [
            ("SYN", 0x02, Some(SegmentKind::Syn { awaits: 0 })),
            ("SYN with ECN", 0xc2, Some(SegmentKind::Syn { awaits: 0 })),
            ("SYN-ACK", 0x12, Some(SegmentKind::SynAck { acknowledges: 7 })),
            ("RST", 0x04, Some(reset(None))),
            ("RST-ACK", 0x14, Some(reset(Some(7)))),
            ("ACK", 0x10, None),
            ("data", 0x18, None),
            ("FIN", 0x11, None),
        ];
        for is_v6 in [false, true] {
            for (name, flags, expected) in cases {
                let bytes = packet(is_v6, flags);
                let found = find_segment(&bytes);
                assert_eq!(found.map(|(segment, _)| segment.kind), expected, "{name} {is_v6}");
                let flow = found.map(|(segment, _)| segment.flow.to_string());
                let text = if is_v6 {
                    "[2001:db8::7]:41226 → [2001:db8:100::10]:443"
                } else {
                    "192.0.2.7:41226 → 198.51.100.10:443"
                };
                assert!(flow.is_none_or(|flow| flow == text), "{name}");
                let header_end = bytes.len() - 6;
                assert!((0..header_end).all(|cut| find_segment(&bytes[..cut]).is_none()), "{name}");
            }
        }
        let mut tcp = packet(false, 0)[20..].to_vec();
        let syn = Some(SegmentKind::Syn { awaits: 0 });
        for (flags, expected) in [
            (0x02, syn),
            (0xc2, syn),
            (0x12, Some(SegmentKind::SynAck { acknowledges: 7 })),
            (0x10, None),
            (0x18, None),
            (0x14, None),
            (0x06, None),
        ] {
            tcp[13] = flags;
            assert_eq!(find_quoted_segment(&tcp), expected, "{flags:x}");
            assert_eq!(find_quoted_segment(&tcp[..14]), expected, "{flags:x}");
            assert_eq!(find_quoted_segment(&tcp[..8]), syn, "{flags:x}");
            assert_eq!(find_quoted_segment(&tcp[..7]), None, "{flags:x}");
        }
        let mut fragment = packet(false, 0x02);
        fragment[7] = 1;
        assert_eq!(find_segment(&fragment), None);
    }
}
