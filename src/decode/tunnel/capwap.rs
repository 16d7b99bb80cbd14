//! CAPWAP's data channel between an access point and its controller (RFC 5415
//! section 4.3): version and type 1, header length in words 5 bits, radio 5 bits,
//! binding 5 bits, nine flags, fragment id 2, offset 13 bits, optional fields, a frame.

use super::super::app::Payload;
use super::super::field::{find_u16, find_u32};
use super::super::link::{Way, parse_ethernet, parse_swapped_wireless, parse_wireless};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// Of 802.11 (RFC 5416); the other frames are those of Ethernet.
const BINDING_WIRELESS: u32 = 1;
const IS_NATIVE: u32 = 1 << 8;
const IS_FRAGMENT: u32 = 1 << 7;
const IS_KEEP_ALIVE: u32 = 1 << 3;
const RESERVED: u32 = 7;
const FIXED_BYTES: usize = 8;

/// The packet in the frame in a payload at the data channel's port. Of a fragment
/// behind the first nothing is left to read, but that it is one.
pub(super) fn find_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let bytes = payload.captured;
    let word = find_u32(bytes, 0)?;
    // Version 0, and not encrypted by DTLS.
    if word >> 24 != 0 || word & (IS_KEEP_ALIVE | RESERVED) != 0 {
        return None;
    }
    let header_bytes = usize::try_from(word >> 19 & 0x1f).ok()? * 4;
    let fragment_offset = find_u16(bytes, 6)? >> 3;
    let is_fragment = word & IS_FRAGMENT != 0;
    if header_bytes < FIXED_BYTES || (fragment_offset != 0 && !is_fragment) {
        return None;
    }
    let frame = bytes.get(header_bytes..)?;
    let kind = (TunnelKind::Capwap, None);
    if fragment_offset != 0 {
        let nothing = Way::START.leads_to(bytes.get(bytes.len()..)?);
        return Some(Inner::new(kind, nothing, bytes, payload.length));
    }
    let binding = word >> 9 & 0x1f;
    let carried = match (word & IS_NATIVE != 0, frame) {
        (false, _) => parse_ethernet(frame, Way::START).ok()??,
        (true, _) if binding != BINDING_WIRELESS => return None,
        // Controllers of one vendor have the two bytes of frame control in the other order.
        (true, [first, second, ..]) if first & 0x0f != 8 && second & 0x0f == 8 => {
            parse_swapped_wireless(frame, Way::START).ok()??
        }
        (true, _) => parse_wireless(frame, Way::START).ok()??,
    };
    let inner = Inner::new(kind, carried, bytes, payload.length);
    // The packet goes on in the fragments that follow.
    let fit = if is_fragment { Fit::Cut } else { Fit::Within };
    is_ip(inner.ip, inner.wire_bytes, fit).then_some(inner)
}
