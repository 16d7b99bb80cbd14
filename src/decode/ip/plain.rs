//! What nearly all packets of an exchange are: one piece, UDP right behind an IP header
//! without options. Their few fields are read here, at a tenth of what it takes to be
//! ready for all that an IP header may hold.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use etherparse::IpNumber;

use super::IpPacket;
use crate::model::hop::HopMarks;

const V4_HEADER_BYTES: u16 = 20;
/// Offset and the flag "more fragments" (RFC 791 section 3.1).
const FRAGMENT_BITS: u16 = 0x3fff;

/// The packet that `bytes` begin with, where it is such a one; what else there is needs
/// a closer look.
#[inline]
pub(in crate::decode) fn find_plain_udp(bytes: &[u8]) -> Option<IpPacket<'_>> {
    match bytes {
        [0x45, ..] => find_v4(bytes),
        [0x60..=0x6f, ..] => find_v6(bytes),
        _ => None,
    }
}

fn find_v4(bytes: &[u8]) -> Option<IpPacket<'_>> {
    let ([_, _, l0, l1, i0, i1, f0, f1], behind) = bytes.split_first_chunk()?;
    let ([time_to_live, protocol, _, _], behind) = behind.split_first_chunk()?;
    let (source, behind) = behind.split_first_chunk::<4>()?;
    let (destination, behind) = behind.split_first_chunk::<4>()?;
    let is_plain =
        IpNumber(*protocol) == IpNumber::UDP && u16::from_be_bytes([*f0, *f1]) & FRAGMENT_BITS == 0;
    // Zero, or less than the header: not to be taken at its word.
    let length =
        u16::from_be_bytes([*l0, *l1]).checked_sub(V4_HEADER_BYTES).filter(|_| is_plain)?;
    Some(IpPacket {
        source: Ipv4Addr::from(*source).into(),
        destination: Ipv4Addr::from(*destination).into(),
        protocol: IpNumber::UDP,
        payload: behind.get(..usize::from(length)).unwrap_or(behind),
        length: length.into(),
        identification: NonZeroU16::new(u16::from_be_bytes([*i0, *i1])).map(NonZeroU16::get),
        hop_marks: HopMarks::of_v4(*time_to_live),
        fragment: None,
    })
}

fn find_v6(bytes: &[u8]) -> Option<IpPacket<'_>> {
    let ([_, c0, c1, c2, l0, l1, protocol, hop_limit], behind) = bytes.split_first_chunk()?;
    let (source, behind) = behind.split_first_chunk::<16>()?;
    let (destination, behind) = behind.split_first_chunk::<16>()?;
    let is_plain = IpNumber(*protocol) == IpNumber::UDP;
    // Zero leaves the length to the link layer.
    let length = NonZeroU16::new(u16::from_be_bytes([*l0, *l1])).filter(|_| is_plain)?;
    Some(IpPacket {
        source: Ipv6Addr::from(*source).into(),
        destination: Ipv6Addr::from(*destination).into(),
        protocol: IpNumber::UDP,
        payload: behind.get(..usize::from(length.get())).unwrap_or(behind),
        length: length.get().into(),
        identification: None,
        hop_marks: HopMarks::of_v6(*hop_limit, u32::from_be_bytes([0, *c0, *c1, *c2])),
        fragment: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::parse_any_ip;
    use super::*;

    proptest! {
        /// What the short way finds, the long one finds too.
        #[test]
        fn the_short_way_leads_where_the_long_one_does(
            mut bytes in vec(any::<u8>(), 0..90),
            begin in prop_oneof![Just(0x45_u8), Just(0x46), 0x60_u8..=0x6f, any::<u8>()],
            is_udp in any::<bool>(),
            is_whole in any::<bool>(),
            length in prop_oneof![Just(0_u8), 0_u8..100],
        ) {
            let [protocol_at, length_at] = if begin < 0x60 { [9, 2] } else { [6, 4] };
            let mut set = |at: usize, value: u8| {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            };
            set(0, begin);
            set(length_at, 0);
            set(length_at + 1, length);
            if is_udp {
                set(protocol_at, 17);
            }
            if is_whole && begin < 0x60 {
                set(6, 0x40);
                set(7, 0);
            }
            if let Some(plain) = find_plain_udp(&bytes) {
                prop_assert_eq!(Ok(plain), parse_any_ip(&bytes, 1_000));
            }
        }
    }

    #[test]
    fn plain_packets_of_both_versions_go_the_short_way() {
        let v4 = [
            0x45, 0, 0, 29, 0x12, 0x34, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, 1, 2,
            3, 4, 5, 6, 7, 8, 9,
        ];
        let mut v6 = vec![0x60, 0, 0, 0, 0, 9, 17, 64];
        v6.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        v6.extend("2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        v6.extend([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for bytes in [&v4[..], &v6] {
            let packet = find_plain_udp(bytes).unwrap();
            assert_eq!(packet.payload, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert_eq!(find_plain_udp(&bytes[..19]), None, "cut in its header");
        }
    }
}
