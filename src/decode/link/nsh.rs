//! The header that leads packets along service functions (RFC 8300).

use super::super::DecodeError;
use super::super::field::{find_u8, find_u32};
use super::{Carried, Way, after_header, mpls, parse_ethernet};

/// Follows a header to IP: its length is six bits of the second byte, in words,
/// what follows is in the fourth, and the path in the next three.
///
/// # Errors
///
/// Where the header, or one behind it, is cut.
pub(in crate::decode) fn parse_nsh(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    const LAYER: &str = "NSH";
    after_header(LAYER, bytes, 8)?;
    let words = find_u8(bytes, 1).unwrap_or_default() & 0x3f;
    // Version 0, and the base header and the path are two words.
    if words < 2 || find_u8(bytes, 0).is_none_or(|first| first >> 6 != 0) {
        return Ok(None);
    }
    let payload = after_header(LAYER, bytes, usize::from(words) * 4)?;
    let path = find_u32(bytes, 4).unwrap_or_default() >> 8;
    let Some(way) = way.past(path) else { return Ok(None) };
    match find_u8(bytes, 3) {
        Some(1 | 2) => Ok(Some(way.leads_to(payload))),
        Some(3) => parse_ethernet(payload, way),
        Some(5) => mpls::parse_mpls(payload, way),
        _ => Ok(None),
    }
}
