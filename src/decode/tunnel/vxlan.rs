//! VXLAN (RFC 7348): flags, three reserved bytes, network 3, a reserved byte,
//! an Ethernet frame. In its generic extension (draft-ietf-nvo3-vxlan-gpe) the
//! third reserved byte says what follows.

use super::super::app::Payload;
use super::super::field::find_u32;
use super::super::link::{Carried, Way, parse_ethernet, parse_nsh};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The flag that has to be set.
pub(super) const FLAGS: u8 = 0x08;
/// The generic extension's flag for a next protocol.
const HAS_PROTOCOL: u8 = 0x04;

/// The packet in a payload at VXLAN's own port. Of the header its one flag
/// counts: all else is "ignored on receipt" (RFC 7348 section 5), and group
/// policies (draft-smith-vxlan-group-policy) are written into it.
pub(super) fn find_at_own_port<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let flags = payload.captured.first().filter(|flags| *flags & FLAGS != 0)?;
    let generic = if flags & HAS_PROTOCOL == 0 { None } else { find_generic(payload) };
    generic.or_else(|| find_fitting(payload, Fit::Cut, find_in_frame))
}

/// The packet in a payload elsewhere that begins with [`FLAGS`], no other flag
/// and three zero bytes.
pub(super) fn find_elsewhere<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    if payload.captured.get(7) != Some(&0) {
        return None;
    }
    find_fitting(payload, Fit::Padded, find_in_frame)
}

/// The generic extension: 1 for IPv4, 2 for IPv6, 4 for a service function's
/// header. A frame (3) is what there is without the extension, too.
fn find_generic<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    match payload.captured.get(3)? {
        1 | 2 => find_fitting(payload, Fit::Cut, |ip, way| Some(way.leads_to(ip))),
        4 => find_fitting(payload, Fit::Cut, |header, way| parse_nsh(header, way).ok()?),
        _ => None,
    }
}

fn find_in_frame(frame: &[u8], way: Way) -> Option<Carried<'_>> {
    parse_ethernet(frame, way).ok()?
}

fn find_fitting<'a>(
    payload: &Payload<'a>,
    fit: Fit,
    find: impl Fn(&'a [u8], Way) -> Option<Carried<'a>>,
) -> Option<Inner<'a>> {
    let network = find_u32(payload.captured, 4)? >> 8;
    let way = Way::START.past(network)?;
    let carried = find(payload.captured.get(8..)?, way)?;
    let inner =
        Inner::new((TunnelKind::Vxlan, Some(network)), carried, payload.captured, payload.length);
    is_ip(inner.ip, inner.wire_bytes, fit).then_some(inner)
}
