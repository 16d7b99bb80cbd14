//! TZSP, with which routers and access points mirror frames: version 1, type
//! (0 or 1 is a frame), link type 2, tags of one byte and a length up to the last, a frame.

use super::super::app::Payload;
use super::super::field::{find_u8, find_u16};
use super::super::link::{Way, parse_ethernet, parse_wireless};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

const ETHERNET: u16 = 1;
const WIRELESS: u16 = 18;
const TAG_PADDING: u8 = 0;
const TAG_END: u8 = 1;
/// More than any sender writes.
const MAX_TAGS: usize = 64;

/// The packet in the frame in a payload at TZSP's port.
pub(super) fn find_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let bytes = payload.captured;
    let [1, 0 | 1, ..] = bytes else { return None };
    let frame = bytes.get(find_tags_end(bytes)?..)?;
    let carried = match find_u16(bytes, 2)? {
        ETHERNET => parse_ethernet(frame, Way::START).ok()??,
        WIRELESS => parse_wireless(frame, Way::START).ok()??,
        _ => return None,
    };
    let inner = Inner::new((TunnelKind::Tzsp, None), carried, bytes, payload.length);
    is_ip(inner.ip, inner.wire_bytes, Fit::Cut).then_some(inner)
}

fn find_tags_end(bytes: &[u8]) -> Option<usize> {
    let mut offset = 4;
    for _ in 0..MAX_TAGS {
        match find_u8(bytes, offset)? {
            TAG_END => return Some(offset + 1),
            TAG_PADDING => offset += 1,
            _ => offset += 2 + usize::from(find_u8(bytes, offset + 1)?),
        }
    }
    None
}
