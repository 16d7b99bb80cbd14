//! MPLS label stacks (RFC 3032) and the Ethernet frames in them (RFC 4448).

use super::super::DecodeError;
use super::super::field::{find_u16, find_u32};
use super::super::ip;
use super::ether_type::{is_common_ether_type, parse_ethernet};
use super::{Carried, Way, after_header};

/// Marks the last entry of a stack.
const BOTTOM_OF_STACK: u32 = 0x100;

/// Follows a label stack to IP. Labels do not say what they lead to: it is told
/// by the first four bits, as routers that spread load do (RFC 4928).
///
/// # Errors
///
/// Where the stack, or the Ethernet header behind it, is cut.
pub(in crate::decode) fn parse_mpls(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let (mut payload, mut way) = (bytes, way);
    loop {
        let entry = find_u32(payload, 0).unwrap_or_default();
        payload = after_header("MPLS", payload, 4)?;
        let Some(further) = way.past(entry >> 12) else { return Ok(None) };
        way = further;
        if entry & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    match payload {
        // All labels are there, and nothing behind them.
        [] => after_header("IP", payload, 1).map(|_| None),
        // An IPv4 header has at least five words. A MAC address may begin so too.
        [0x45..=0x4f | 0x60..=0x6f, ..] if is_ip(payload) || !is_frame_of_ip(payload) => {
            Ok(Some(way.leads_to(payload)))
        }
        // RFC 4448 section 4.6: the control word before the frame begins with four zero bits.
        [0x00..=0x0f, _, _, _, frame @ ..] if is_frame(frame) => parse_ethernet(frame, way),
        _ if is_frame(payload) => parse_ethernet(payload, way),
        _ => Ok(None),
    }
}

/// An Ethernet frame is padded to 60 bytes, so a packet in it may be followed by padding.
const MAX_PADDING_BYTES: usize = 46;

/// Whether a header's checksum is right (RFC 791 section 3.1), or the packet's
/// length is that of the bytes.
fn is_ip(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(0x45..=0x4f) => ip::has_right_checksum(bytes),
        _ => find_u16(bytes, 4).is_some_and(|length| {
            let follows = bytes.len().checked_sub(usize::from(length) + 40);
            follows.is_some_and(|follows| follows <= MAX_PADDING_BYTES)
        }),
    }
}

/// Whether bytes that may be a packet are a frame: its type and what follows agree.
fn is_frame_of_ip(bytes: &[u8]) -> bool {
    let at = match find_u16(bytes, 12) {
        Some(0x8100 | 0x88a8) => 16,
        _ => 12,
    };
    match (find_u16(bytes, at), bytes.get(at + 2)) {
        (Some(0x0800), first) => matches!(first, Some(0x45..=0x4f)),
        (Some(0x86dd), first) => matches!(first, Some(0x60..=0x6f)),
        (Some(0x0806), _) => find_u32(bytes, at + 2) == Some(0x0001_0800),
        _ => false,
    }
}

fn is_frame(bytes: &[u8]) -> bool {
    is_common_ether_type(find_u16(bytes, 12))
}
