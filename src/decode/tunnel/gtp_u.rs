//! GTP-U (3GPP TS 29.281 section 5): flags, message type, length 2, tunnel 4,
//! where a flag says so 4 bytes and extension headers, an IP packet.

use super::super::app::Payload;
use super::super::field::{find_u8, find_u16, find_u32};
use super::super::link::Way;
use super::Inner;
use super::fit::{Fit, is_ip};
use crate::model::packet::TunnelKind;

/// The message that carries a user's packet.
const G_PDU: u8 = 0xff;
const HAS_EXTENSION: u8 = 0x04;
/// Version 1 and GTP, without any of the flags for extensions, sequence and N-PDU.
const BARE: u8 = 0x30;
/// More than the standard defines.
const MAX_EXTENSIONS: u8 = 8;

/// The user's packet in a payload at GTP-U's port.
pub(super) fn find_inner<'a>(payload: &Payload<'a>) -> Option<Inner<'a>> {
    let bytes = payload.captured;
    let [flags @ 0x30..=0x37, G_PDU, ..] = bytes else { return None };
    // The length counts from byte 8; version 1, GTP (not GTP'), a reserved zero
    // bit and three flags stand before it.
    if u32::from(find_u16(bytes, 2)?) + 8 != payload.length {
        return None;
    }
    let tunnel = find_u32(bytes, 4)?;
    let end = if *flags == BARE { 8 } else { 12 };
    let end = if flags & HAS_EXTENSION == 0 { end } else { find_extensions_end(bytes)? };
    let carried = Way::START.past(tunnel)?.leads_to(bytes.get(end..)?);
    let inner = Inner::new((TunnelKind::GtpU, Some(tunnel)), carried, bytes, payload.length);
    is_ip(inner.ip, inner.wire_bytes, Fit::Within).then_some(inner)
}

/// Extension headers begin with their length in words and end with the type of
/// the next one; zero ends the chain.
fn find_extensions_end(bytes: &[u8]) -> Option<usize> {
    let mut end = 12;
    for _ in 0..MAX_EXTENSIONS {
        if find_u8(bytes, end - 1)? == 0 {
            return Some(end);
        }
        let words = find_u8(bytes, end).filter(|words| *words != 0)?;
        end += usize::from(words) * 4;
    }
    None
}
