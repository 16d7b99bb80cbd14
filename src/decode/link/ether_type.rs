//! Ethernet, VLAN tags, PPPoE, and what an Ethernet type leads to.

use super::super::DecodeError;
use super::super::field::find_u16;
use super::{Carried, Way, after_header, mpls, ppp};
use crate::model::packet::LinkAudience;

/// IEEE 802.3: up to here the field is the frame's length.
const MAX_LENGTH_BYTES: u16 = 1500;

/// Follows an Ethernet frame to IP.
///
/// # Errors
///
/// Where its header, or one behind it, is cut.
pub(in crate::decode) fn parse_ethernet(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let payload = after_header("Ethernet", bytes, 14)?;
    let way = way.to(find_audience(bytes));
    // 12 bytes of addresses, then the type.
    match find_u16(bytes, 12) {
        Some(0..=MAX_LENGTH_BYTES) => match payload {
            // LLC and SNAP with an Ethernet type (RFC 1042).
            [0xaa, 0xaa, 3, 0, 0, 0, high, low, payload @ ..] => {
                parse_ether_type(Some(u16::from_be_bytes([*high, *low])), payload, way)
            }
            _ => Ok(None),
        },
        ether_type => parse_ether_type(ether_type, payload, way),
    }
}

/// By the destination, the frame's first six bytes: the lowest bit of the first marks
/// groups (IEEE 802 section 8.2.2), and all bits all hosts.
const fn find_audience(frame: &[u8]) -> LinkAudience {
    match frame {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ..] => LinkAudience::Broadcast,
        [first, ..] if *first & 1 == 1 => LinkAudience::Multicast,
        [_, ..] => LinkAudience::One,
        [] => LinkAudience::Unknown,
    }
}

/// Follows VLAN tags (802.1Q, 802.1ad and the older QinQ values, in any
/// order), MPLS labels and PPPoE sessions to IP. `None` where something else is carried.
///
/// # Errors
///
/// Where a header on the way is cut.
pub(in crate::decode) fn parse_ether_type(
    ether_type: Option<u16>,
    payload: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    let (mut ether_type, mut payload, mut way) = (ether_type, payload, way);
    loop {
        match ether_type {
            Some(0x0800 | 0x86dd) => return Ok(Some(way.leads_to(payload))),
            Some(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => {
                let tag = find_u16(payload, 0).map_or(0, |control| control & 0x0fff);
                let Some(further) = way.past(tag.into()) else { return Ok(None) };
                way = further;
                ether_type = find_u16(payload, 2);
                payload = after_header("VLAN", payload, 4)?;
            }
            Some(0x8847 | 0x8848) => return mpls::parse_mpls(payload, way),
            Some(0x8864) => return parse_pppoe(payload, way),
            _ => return Ok(None),
        }
    }
}

/// Whether a value is a type that Ethernet frames often have. Where nothing
/// says that bytes are a frame, this has to.
pub(in crate::decode) const fn is_common_ether_type(ether_type: Option<u16>) -> bool {
    matches!(
        ether_type,
        Some(0x0800 | 0x0806 | 0x86dd | 0x8100 | 0x88a8 | 0x8847 | 0x8848 | 0x8863 | 0x8864)
    )
}

/// A PPPoE session (RFC 2516): version and type, code 0, session id 2, length 2, PPP.
fn parse_pppoe(bytes: &[u8], way: Way) -> Result<Option<Carried<'_>>, DecodeError> {
    let payload = after_header("PPPoE", bytes, 6)?;
    let session = find_u16(bytes, 2).unwrap_or_default();
    let Some(way) = way.past(session.into()) else { return Ok(None) };
    if !bytes.starts_with(&[0x11, 0]) {
        return Ok(None);
    }
    ppp::parse_ppp(payload, way)
}
