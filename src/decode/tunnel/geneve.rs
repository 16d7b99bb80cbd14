//! Geneve (RFC 8926): version 2 bits, option length 6 bits, flags, Ethernet
//! type 2, network 3, a reserved byte, options, a packet or frame.

use super::super::app::Payload;
use super::super::field::{find_u8, find_u16, find_u32};
use super::super::link::{Way, parse_ether_type, parse_ethernet};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The largest value of the first byte in version 0: words of options.
pub(super) const MAX_OPTION_WORDS: u8 = 0x3f;

const ETHERNET: u16 = 0x6558;

/// The packet in a payload at Geneve's own port whose first byte has version 0.
/// Reserved bits are "ignored on receipt" (RFC 8926 section 3.4).
pub(super) fn find_at_own_port<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    find_inner(payload, Some(Fit::Cut))
}

/// The packet in a payload elsewhere, without reserved bits, that it fills.
pub(super) fn find_elsewhere<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    // Two flags, for control messages and critical options, and six reserved bits.
    let [_, 0x00 | 0x40 | 0x80 | 0xc0, _, _, _, _, _, 0, ..] = payload.captured else {
        return None;
    };
    find_inner(payload, None)
}

/// Without a `fit` the packet has to fill its room.
fn find_inner<'a>(payload: &Payload<'a>, fit: Option<Fit>) -> Option<Inner<'a>> {
    let bytes = payload.captured;
    let ether_type = find_u16(bytes, 2)?;
    if !matches!(ether_type, ETHERNET | 0x0800 | 0x86dd) {
        return None;
    }
    let options_end = 8 + usize::from(find_u8(bytes, 0)?) * 4;
    has_whole_options(bytes.get(8..options_end)?).then_some(())?;
    let inside = bytes.get(options_end..)?;
    let network = find_u32(bytes, 4)? >> 8;
    let way = Way::START.past(network)?;
    let (carried, strict) = if ether_type == ETHERNET {
        (parse_ethernet(inside, way).ok()??, Fit::Padded)
    } else {
        (parse_ether_type(Some(ether_type), inside, way).ok()??, Fit::Exact)
    };
    let inner = Inner::new((TunnelKind::Geneve, Some(network)), carried, bytes, payload.length);
    is_ip(inner.ip, inner.wire_bytes, fit.unwrap_or(strict)).then_some(inner)
}

/// Whether options (class 2, type 1, words 1 of which 5 bits count, value) fill
/// the room that the header leaves them.
fn has_whole_options(options: &[u8]) -> bool {
    let mut rest = options;
    while !rest.is_empty() {
        let Some(words) = find_u8(rest, 3) else { return false };
        let Some(after) = rest.get(4 + usize::from(words & 0x1f) * 4..) else { return false };
        rest = after;
    }
    true
}
