//! VXLAN (RFC 7348): flags, three reserved bytes, network 3, a reserved byte,
//! an Ethernet frame. In its generic extension (draft-ietf-nvo3-vxlan-gpe) the
//! third reserved byte says what follows.

use super::super::app::Payload;
use super::super::field::find_u32;
use super::super::link::{Carried, Way, parse_ethernet};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The one flag that has to be set, and no other may be.
pub(super) const FLAGS: u8 = 0x08;
/// The same with the flag for a next protocol.
pub(super) const GENERIC_FLAGS: u8 = 0x0c;

/// The packet in a payload that begins with [`FLAGS`] and three zero bytes.
pub(super) fn find_inner<'a>(payload: &Payload<'a>, is_own_port: bool) -> Option<Inner<'a>> {
    let fit = if is_own_port { Fit::Within } else { Fit::Padded };
    find_fitting(payload, fit, |frame, way| parse_ethernet(frame, way).ok()?)
}

/// The packet in a payload at a port of VXLAN that begins with
/// [`GENERIC_FLAGS`], two zero bytes and the next protocol: 1 for IPv4, 2 for
/// IPv6, 3 for Ethernet.
pub(super) fn find_generic_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    match payload.captured.get(3)? {
        1 | 2 => find_fitting(payload, Fit::Within, |ip, way| Some(way.leads_to(ip))),
        3 => find_inner(payload, true),
        _ => None,
    }
}

fn find_fitting<'a>(
    payload: &Payload<'a>,
    fit: Fit,
    find: impl Fn(&'a [u8], Way) -> Option<Carried<'a>>,
) -> Option<Inner<'a>> {
    let network_and_reserved = find_u32(payload.captured, 4)?;
    if network_and_reserved & 0xff != 0 {
        return None;
    }
    let network = network_and_reserved >> 8;
    let way = Way::START.past(network)?;
    let carried = find(payload.captured.get(8..)?, way)?;
    let inner =
        Inner::new((TunnelKind::Vxlan, Some(network)), carried, payload.captured, payload.length);
    is_ip(inner.ip, inner.wire_bytes, fit).then_some(inner)
}
