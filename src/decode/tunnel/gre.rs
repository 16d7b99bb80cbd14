//! GRE (RFC 2784, RFC 2890), PPTP's variant of it (RFC 2637), and ERSPAN.

use super::super::DecodeError;
use super::super::field::{find_u16, find_u32};
use super::super::link::{Carried, Way, parse_ether_type, parse_ethernet, parse_ppp};
use crate::model::packet::TunnelKind;

/// What kind of tunnel it is, its key or session, and what it carries.
type Found<'a> = ((TunnelKind, Option<u32>), Carried<'a>);

const HAS_CHECKSUM: u16 = 0x8000;
const HAS_ROUTING: u16 = 0x4000;
const HAS_KEY: u16 = 0x2000;
const HAS_SEQUENCE: u16 = 0x1000;
/// PPTP only.
const HAS_ACKNOWLEDGEMENT: u16 = 0x0080;

/// Follows a GRE header to IP. `None` where it carries something else, and for
/// the source routes of RFC 1701, which nobody sends.
///
/// # Errors
///
/// Where the header, or one behind it, is cut.
pub(super) fn parse_gre(bytes: &[u8]) -> Result<Option<Found<'_>>, DecodeError> {
    after(bytes, 4)?;
    let flags = find_u16(bytes, 0).unwrap_or_default();
    let protocol = find_u16(bytes, 2);
    if flags & HAS_ROUTING != 0 {
        return Ok(None);
    }
    let word = |flag: u16| if flags & flag == 0 { 0 } else { 4 };
    let key_offset = 4 + word(HAS_CHECKSUM);
    let end = key_offset + word(HAS_KEY) + word(HAS_SEQUENCE);
    let key = if flags & HAS_KEY == 0 { None } else { find_u32(bytes, key_offset) };
    let version = flags & 7;
    if version == 1 && protocol == Some(0x880b) {
        // The upper half of the key is a length, the lower the call's id.
        let payload = after(bytes, end + word(HAS_ACKNOWLEDGEMENT))?;
        return carried(TunnelKind::Gre, payload, key.map(|key| key & 0xffff), parse_ppp);
    }
    if version != 0 {
        return Ok(None);
    }
    let payload = after(bytes, end)?;
    match protocol {
        Some(0x6558) => carried(TunnelKind::Gre, payload, key, parse_ethernet),
        // ERSPAN type I has no header of its own, and no sequence number.
        Some(0x88be) if flags & HAS_SEQUENCE == 0 => {
            carried(TunnelKind::Erspan, payload, key, parse_ethernet)
        }
        Some(0x88be) => {
            let frame = after(payload, 8)?;
            carried(TunnelKind::Erspan, frame, find_session(payload), parse_ethernet)
        }
        Some(0x22eb) => parse_erspan_3(payload),
        // What a router redirects to a cache (WCCP): in version 2 behind four bytes.
        Some(0x883e) => carried(TunnelKind::Gre, payload, key, |redirected, way| {
            let ip = match redirected {
                [0x45..=0x4f | 0x60..=0x6f, ..] => redirected,
                _ => after(redirected, 4)?,
            };
            Ok(Some(way.leads_to(ip)))
        }),
        _ => carried(TunnelKind::Gre, payload, key, |payload, way| {
            parse_ether_type(protocol, payload, way)
        }),
    }
}

/// ERSPAN type III: 12 bytes that end in the frame type (0 Ethernet, 2 IP) and
/// a flag for 8 more, which depend on the switch.
fn parse_erspan_3(payload: &[u8]) -> Result<Option<Found<'_>>, DecodeError> {
    let rest = after(payload, 12)?;
    let flags = find_u16(payload, 10).unwrap_or_default();
    let frame = if flags & 1 == 0 { rest } else { after(rest, 8)? };
    let session = find_session(payload);
    match flags >> 10 & 0x1f {
        0 => carried(TunnelKind::Erspan, frame, session, parse_ethernet),
        2 => carried(TunnelKind::Erspan, frame, session, |ip, way| Ok(Some(way.leads_to(ip)))),
        _ => Ok(None),
    }
}

/// The mirror session: ten bits in the second half of the first word.
fn find_session(header: &[u8]) -> Option<u32> {
    find_u16(header, 2).map(|bits| u32::from(bits & 0x03ff))
}

fn carried<'a>(
    kind: TunnelKind,
    payload: &'a [u8],
    id: Option<u32>,
    parse: impl Fn(&'a [u8], Way) -> Result<Option<Carried<'a>>, DecodeError>,
) -> Result<Option<Found<'a>>, DecodeError> {
    let way = match id {
        Some(id) => Way::START.past(id),
        None => Some(Way::START),
    };
    let Some(way) = way else { return Ok(None) };
    Ok(parse(payload, way)?.map(|carried| ((kind, id), carried)))
}

fn after(bytes: &[u8], required_bytes: usize) -> Result<&[u8], DecodeError> {
    bytes.get(required_bytes..).ok_or(DecodeError::Cut {
        layer: "GRE",
        required_bytes,
        found_bytes: bytes.len(),
    })
}
