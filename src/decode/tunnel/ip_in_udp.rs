//! IP packets as the payload of UDP: behind the header of Generic UDP Encapsulation
//! (draft-ietf-intarea-gue, and `net/gue.h` of Linux), or behind none (FOU, flannel,
//! Teredo between two clients).
//!
//! GUE: version 2 bits, control 1 bit, length of what is optional in words 5 bits,
//! IP protocol 1, flags 2, optional fields, the packet. In version 1 the payload is
//! the packet itself: the first two bits of IPv4 and IPv6 say so.

use std::net::Ipv6Addr;

use super::super::app::Payload;
use super::super::field::find_array;
use super::super::link::{Carried, Way, parse_ethernet};
use super::fit::{Fit, is_ip, is_surely_ip};
use super::{Inner, gre};
use crate::model::packet::TunnelKind;

const GUE: (TunnelKind, Option<u32>) = (TunnelKind::Gue, None);
/// The one flag that Linux sets: four bytes of private flags, and what they ask for.
const HAS_PRIVATE_FLAGS: u8 = 1;

/// The packet in a payload at GUE's own port.
pub(super) fn find_at_own_port<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let inner = match payload.captured {
        [first @ 0..=0x1f, protocol, _, _, ..] => {
            let inside = payload.captured.get(4 + usize::from(*first) * 4..)?;
            Inner::new(GUE, find_carried(*protocol, inside)?, payload.captured, payload.length)
        }
        ip @ [0x45..=0x4f | 0x60..=0x6f, ..] => {
            Inner::new(GUE, Way::START.leads_to(ip), ip, payload.length)
        }
        _ => return None,
    };
    is_ip(inner.ip, inner.wire_bytes, Fit::Within).then_some(inner)
}

/// The packet in a payload elsewhere. It has to fill it, and to have what cannot be
/// there by chance.
pub(super) fn find_elsewhere<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let (kind, carried) = match payload.captured {
        [first @ 0..=0x1f, protocol @ (4 | 41), 0, flags, ..] => {
            let is_known = match *flags {
                0 => *first == 0,
                HAS_PRIVATE_FLAGS => *first > 0,
                _ => false,
            };
            let inside = payload.captured.get(4 + usize::from(*first) * 4..)?;
            (TunnelKind::Gue, find_carried(*protocol, inside).filter(|_| is_known)?)
        }
        ip @ [0x45..=0x4f | 0x60..=0x6f, ..] => {
            let is_teredo = has_teredo_address(ip);
            let kind = if is_teredo { TunnelKind::Teredo } else { TunnelKind::IpInUdp };
            (kind, Way::START.leads_to(ip))
        }
        _ => return None,
    };
    let inner = Inner::new((kind, None), carried, payload.captured, payload.length);
    is_surely_ip(inner.ip, inner.wire_bytes).then_some(inner)
}

/// What an IP protocol's number leads to.
fn find_carried(protocol: u8, inside: &[u8]) -> Option<Carried<'_>> {
    match (protocol, inside) {
        (4, [0x45..=0x4f, ..]) | (41, [0x60..=0x6f, ..]) => Some(Way::START.leads_to(inside)),
        (47, _) => gre::parse_gre(inside).ok()?.map(|(_, carried)| carried),
        (97, [0x30, 0, frame @ ..]) | (143, frame) => parse_ethernet(frame, Way::START).ok()?,
        _ => None,
    }
}

/// Whether an end of an IPv6 packet is a client of Teredo (RFC 4380 section 2.6).
fn has_teredo_address(ip: &[u8]) -> bool {
    let is_teredo = |offset| {
        let address = find_array::<16>(ip, offset).map(Ipv6Addr::from);
        address.is_some_and(|address| address.segments().starts_with(&[0x2001, 0]))
    };
    matches!(ip, [0x60..=0x6f, ..]) && (is_teredo(8) || is_teredo(24))
}
