//! PPP and its relatives on serial lines.

use super::super::DecodeError;
use super::super::field::{find_u8, find_u16};
use super::{Carried, Link, Way, after_header, mpls, parse_ether_type};
use crate::model::capture::Direction;

/// Longest Frame Relay address (Q.922).
const MAX_ADDRESS_BYTES: usize = 4;

/// PPP (RFC 1661). Address and control bytes (RFC 1662) may stand before it,
/// and peers may agree to leave them out and to shorten the protocol to one
/// byte, which is odd then.
///
/// # Errors
///
/// Where the protocol, or a label stack behind it, is cut.
pub(in crate::decode) fn parse_ppp(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let bytes = match bytes {
        // No protocol has this number, so the rest of the two bytes is cut.
        [0xff] => return after_header("PPP", bytes, 4).map(|_| None),
        [0xff, 3, rest @ ..] => rest,
        _ => bytes,
    };
    let (protocol, payload) = match find_u8(bytes, 0) {
        Some(short) if short & 1 == 1 => (Some(short.into()), after_header("PPP", bytes, 1)?),
        _ => (find_u16(bytes, 0), after_header("PPP", bytes, 2)?),
    };
    match protocol {
        Some(0x0021 | 0x0057) => Ok(Some(way.leads_to(payload))),
        Some(0x0281 | 0x0283) => mpls::parse_mpls(payload, way),
        _ => Ok(None),
    }
}

/// Link type 50: PPP in HDLC-like framing, or Cisco HDLC.
pub(super) fn parse_ppp_or_cisco(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    match bytes {
        [0x0f | 0x8f, ..] => parse_cisco_hdlc(bytes),
        _ => parse_ppp(bytes, Way::START),
    }
}

/// Link type 204: zero where this host received the packet.
pub(super) fn parse_ppp_with_direction(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("PPP direction", bytes, 1)?;
    let direction = match bytes {
        [0, ..] => Direction::In,
        _ => Direction::Out,
    };
    let carried = parse_ppp(payload, Way::START)?;
    Ok(carried.map(|carried| Link { direction: Some(direction), ..carried.into() }))
}

/// Cisco HDLC: address (unicast 0x0f, broadcast 0x8f), control 0, Ethernet type.
pub(super) fn parse_cisco_hdlc(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    let payload = after_header("Cisco HDLC", bytes, 4)?;
    parse_ether_type(find_u16(bytes, 2), payload, Way::START)
}

/// Frame Relay: an address whose last byte is odd, then the NLPIDs of RFC 2427,
/// or in Cisco's encapsulation an Ethernet type.
pub(super) fn parse_frame_relay(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    let header = bytes.get(..MAX_ADDRESS_BYTES).unwrap_or(bytes);
    let Some(last) = header.iter().position(|byte| byte & 1 == 1) else {
        return after_header("Frame Relay", bytes, MAX_ADDRESS_BYTES).map(|_| None);
    };
    let payload = after_header("Frame Relay", bytes, last + 3)?;
    let circuit = header.iter().take(last + 1).fold(0, |id, byte| id << 7 | u32::from(byte >> 1));
    let Some(way) = Way::START.past(circuit) else { return Ok(None) };
    match bytes.get(last + 1..).unwrap_or_default() {
        [3, 0xcc | 0x8e, ..] => Ok(Some(way.leads_to(payload))),
        // SNAP, with the byte that pads its header, and an Ethernet type.
        [3, 0, 0x80, 0, 0, 0, high, low, payload @ ..]
        | [3, 0x80, 0, 0, 0, high, low, payload @ ..] => {
            parse_ether_type(Some(u16::from_be_bytes([*high, *low])), payload, way)
        }
        _ => parse_ether_type(find_u16(bytes, last + 1), payload, way),
    }
}
