//! Whether bytes at Teredo's port are Teredo (RFC 4380), though nothing inside is read.

use super::Payload;
use crate::decode::field::find_u16;
use crate::model::identity::hash_fields;
use crate::model::packet::{Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const IPV6_HEADER_BYTES: u32 = 40;
const NONCE_BYTES: usize = 8;
/// Of ICMPv6 (RFC 4861 section 4).
const NEXT_HEADER: usize = 6;
const ICMPV6: u8 = 58;
const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
/// RFC 6081 section 4: nonce to random port.
const TRAILERS: std::ops::RangeInclusive<u8> = 1..=5;

/// Whether a payload has the parts of section 5.1.1, for all that was captured of it: an
/// authentication and an origin indication, both optional, and an IPv6 packet that ends
/// where the payload does, or where a trailer begins (RFC 6081 section 4).
pub(super) fn may_be_teredo(payload: &Payload<'_>) -> bool {
    let is_cut = !payload.is_whole();
    let mut ip = payload.captured;
    if let [0, 1, id_bytes, value_bytes, rest @ ..] = ip {
        // Both, a nonce of 8 bytes, and a confirmation of one.
        let behind = rest.get(usize::from(*id_bytes) + usize::from(*value_bytes) + 9..);
        let Some(behind) = behind else { return is_cut };
        ip = behind;
    }
    if let [0, 0, rest @ ..] = ip {
        // Port and address.
        let Some(behind) = rest.get(6..) else { return is_cut };
        ip = behind;
    }
    let before = payload.captured.len() - ip.len();
    let Some(left) = u32::try_from(before).ok().and_then(|bytes| payload.length.checked_sub(bytes))
    else {
        return false;
    };
    match ip {
        // Within the beginning of an indication.
        [] | [0] | [0, 1] | [0, 1, _] => is_cut,
        [0x60..=0x6f, ..] if left >= IPV6_HEADER_BYTES => find_u16(ip, 4)
            .map_or(is_cut, |length| fits(ip, u32::from(length) + IPV6_HEADER_BYTES, left)),
        _ => false,
    }
}

/// Reads a router solicitation with which a client tests its NAT, or what a server answers: the
/// answer has the solicitation's nonce (RFC 4380 sections 5.1.1 and 5.2.1).
pub(super) fn find_qualification(payload: &Payload<'_>) -> Option<Transaction> {
    let [0, 1, id_bytes, value_bytes, rest @ ..] = payload.captured else { return None };
    let behind = rest.get(usize::from(*id_bytes) + usize::from(*value_bytes)..)?;
    let (nonce, behind) = behind.split_at_checked(NONCE_BYTES)?;
    // The confirmation, and where the origin is told, that: its kind, port and address.
    let ip = match behind.get(1..)? {
        [0, 0, origin @ ..] => origin.get(6..)?,
        ip => ip,
    };
    let header_bytes = usize::try_from(IPV6_HEADER_BYTES).ok()?;
    if ip.first()? >> 4 != 6 || *ip.get(NEXT_HEADER)? != ICMPV6 {
        return None;
    }
    let (role, label) = match *ip.get(header_bytes)? {
        ROUTER_SOLICITATION => (TransactionRole::Request, "router solicitation"),
        ROUTER_ADVERTISEMENT => (TransactionRole::Reply, "router advertisement"),
        _ => return None,
    };
    Some(Transaction {
        protocol: Protocol::Teredo,
        role,
        identity: hash_fields(&[nonce]),
        question: None,
        label,
        reply_to: None,
    })
}

/// Whether a packet of `packet_bytes` fills the `left` bytes but for trailers.
fn fits(ip: &[u8], packet_bytes: u32, left: u32) -> bool {
    let behind = usize::try_from(packet_bytes).ok().and_then(|end| ip.get(end));
    packet_bytes == left || packet_bytes < left && behind.is_none_or(|kind| TRAILERS.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::super::{cut, whole};
    use super::*;

    #[test]
    fn indications_and_lengths_decide() {
        let bubble = [&[0x60, 0, 0, 0, 0, 0, 59, 21][..], &[0x20; 32]].concat();
        let packet = [&[0x60, 0, 0, 0, 0, 2, 58, 21][..], &[0x20; 34]].concat();
        let origin = [0, 0, 0xff, 0xff, 0x3f, 0xff, 0xfd, 0xf6];
        let authentication = [0, 1, 2, 1, 9, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0];
        let cases = [
            ("a bubble", bubble.clone(), true),
            ("a packet", packet.clone(), true),
            ("with its origin", [&origin[..], &packet].concat(), true),
            ("with both", [&authentication[..], &origin, &packet].concat(), true),
            ("with a trailer", [&packet[..], &[4, 2, 0, 0]].concat(), true),
            ("with something else", [&packet[..], b"more"].concat(), false),
            ("too short", packet[..41].to_vec(), false),
            ("an indication alone", authentication.to_vec(), false),
            ("a cut indication", authentication[..9].to_vec(), false),
            ("text", b"get key1".to_vec(), false),
            ("longer text", b"hello, is anybody there who hears me calling?".to_vec(), false),
            ("nothing", Vec::new(), false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(may_be_teredo(&whole(3544, 9000, &bytes)), expected, "{name}");
            if expected {
                for end in 0..bytes.len() {
                    let part = cut(3544, 9000, &bytes[..end], bytes.len());
                    assert!(may_be_teredo(&part), "{name} {end}");
                }
            }
        }
    }

    #[test]
    fn the_nonce_pairs_what_tests_a_nat() {
        let message = |nonce: u8, kind: u8| {
            let authentication = [&[0, 1, 0, 0][..], &[nonce; 8], &[0]].concat();
            let packet = [&[0x60, 0, 0, 0, 0, 8, 58, 255][..], &[0x20; 32], &[kind; 8]].concat();
            (authentication, packet)
        };
        let origin = [0, 0, 0xff, 0xff, 0x3f, 0xff, 0xfd, 0xf6];
        let find = |bytes: &[u8]| {
            let found = find_qualification(&whole(3797, 3544, bytes))?;
            Some((found.role, found.identity))
        };
        let (authentication, packet) = message(7, ROUTER_SOLICITATION);
        let asked = find(&[&authentication[..], &packet].concat()).unwrap();
        let (authentication, packet) = message(7, ROUTER_ADVERTISEMENT);
        let answered = find(&[&authentication[..], &origin, &packet].concat()).unwrap();
        assert_eq!((asked.0, answered.0), (TransactionRole::Request, TransactionRole::Reply));
        assert_eq!(asked.1, answered.1);
        let (authentication, packet) = message(8, ROUTER_ADVERTISEMENT);
        assert_ne!(find(&[&authentication[..], &packet].concat()).unwrap().1, asked.1);
        // Another kind, no authentication, and what is cut.
        let (authentication, other) = message(7, 128);
        assert_eq!(find(&[&authentication[..], &other].concat()), None);
        assert_eq!(find(&packet), None);
        assert_eq!(find(&[&authentication[..], &packet[..40]].concat()), None);
    }
}
