//! MPLS label stacks (RFC 3032) and the Ethernet frames in them (RFC 4448).

use super::super::DecodeError;
use super::super::field::{find_u16, find_u32};
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
        // An IPv4 header has at least five words. A MAC address may begin so too.
        [0x45..=0x4f | 0x60..=0x6f, ..] => Ok(Some(way.leads_to(payload))),
        // RFC 4448 section 4.6: the control word before the frame begins with four zero bits.
        [0x00..=0x0f, _, _, _, frame @ ..] if is_frame(frame) => parse_ethernet(frame, way),
        _ if is_frame(payload) => parse_ethernet(payload, way),
        _ => Ok(None),
    }
}

fn is_frame(bytes: &[u8]) -> bool {
    is_common_ether_type(find_u16(bytes, 12))
}
