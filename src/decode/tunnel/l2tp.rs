//! L2TP (RFC 2661 section 3.1): flags and version 2, where flags say so a length
//! 2, tunnel 2, session 2, sequence numbers 4, an offset 2 and its bytes, PPP.

use super::super::app::Payload;
use super::super::field::find_u16;
use super::super::link::{Way, parse_ppp};
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

const IS_CONTROL: u16 = 0x8000;
const HAS_LENGTH: u16 = 0x4000;
const HAS_SEQUENCE: u16 = 0x0800;
const HAS_OFFSET: u16 = 0x0200;
/// Four bits of version, and all bits that have no meaning.
const FIXED_BITS: u16 = 0x34ff;
const VERSION: u16 = 2;

/// The user's packet in a payload at L2TP's port.
pub(super) fn find_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let bytes = payload.captured;
    let flags = find_u16(bytes, 0)?;
    if flags & IS_CONTROL != 0 || flags & FIXED_BITS != VERSION {
        return None;
    }
    let mut offset = 2;
    if flags & HAS_LENGTH != 0 {
        if u32::from(find_u16(bytes, offset)?) != payload.length {
            return None;
        }
        offset += 2;
    }
    let (tunnel, session) = (find_u16(bytes, offset)?, find_u16(bytes, offset + 2)?);
    offset += 4;
    if flags & HAS_SEQUENCE != 0 {
        offset += 4;
    }
    if flags & HAS_OFFSET != 0 {
        offset += 2 + usize::from(find_u16(bytes, offset)?);
    }
    let way = Way::START.past(tunnel.into())?.past(session.into())?;
    let carried = parse_ppp(bytes.get(offset..)?, way).ok()??;
    let kind = (TunnelKind::L2tp, Some(session.into()));
    let inner = Inner::new(kind, carried, bytes, payload.length);
    is_ip(inner.ip, inner.wire_bytes, Fit::Within).then_some(inner)
}
