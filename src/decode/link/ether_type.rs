//! Ethernet, tags, PPPoE, and what an Ethernet type leads to.

use super::super::DecodeError;
use super::super::field::{find_u16, find_u32};
use super::{Carried, Way, after_header, mpls, nsh, ppp};
use crate::model::packet::LinkAudience;

/// IEEE 802.3: up to here the field is the frame's length.
const MAX_LENGTH_BYTES: u16 = 1500;

/// What a frame's types, tags and labels end in, where that is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending<'a> {
    Ip(Carried<'a>),
    /// The ARP message.
    Arp(&'a [u8]),
}

impl<'a> Ending<'a> {
    fn find_ip(self) -> Option<Carried<'a>> {
        match self {
            Self::Ip(carried) => Some(carried),
            Self::Arp(_) => None,
        }
    }
}

type Followed<'a> = Result<Option<Ending<'a>>, DecodeError>;

/// The IP packet right behind an Ethernet header, as in most frames: what
/// [`parse_ethernet`] finds there on a longer way.
#[inline]
pub(super) fn find_plain(bytes: &[u8]) -> Option<Carried<'_>> {
    match bytes {
        [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x00, ip @ ..]
        | [_, _, _, _, _, _, _, _, _, _, _, _, 0x86, 0xdd, ip @ ..] => {
            Some(Way::START.to(find_audience(bytes)).leads_to(ip))
        }
        _ => None,
    }
}

/// Follows an Ethernet frame to IP.
///
/// # Errors
///
/// Where its header, or one behind it, is cut or not read.
pub(in crate::decode) fn parse_ethernet(
    bytes: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    Ok(follow_ethernet(bytes, way)?.and_then(Ending::find_ip))
}

/// Follows an Ethernet type to IP. `None` where something else is carried.
///
/// # Errors
///
/// Where a header on the way is cut or not read.
pub(in crate::decode) fn parse_ether_type(
    ether_type: Option<u16>,
    payload: &[u8],
    way: Way,
) -> Result<Option<Carried<'_>>, DecodeError> {
    Ok(follow_ether_type(ether_type, payload, way)?.and_then(Ending::find_ip))
}

/// Follows an Ethernet frame to its end.
///
/// # Errors
///
/// As [`parse_ethernet`].
pub(super) fn follow_ethernet(bytes: &[u8], way: Way) -> Followed<'_> {
    let payload = after_header("Ethernet", bytes, 14)?;
    let way = way.to(find_audience(bytes));
    // 12 bytes of addresses, then the type.
    match find_u16(bytes, 12) {
        Some(0..=MAX_LENGTH_BYTES) => follow_llc(payload, way),
        ether_type => follow_ether_type(ether_type, payload, way),
    }
}

/// By the destination, the frame's first six bytes: the lowest bit of the first marks
/// groups (IEEE 802 section 8.2.2), and all bits all hosts.
pub(super) const fn find_audience(frame: &[u8]) -> LinkAudience {
    match frame {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ..] => LinkAudience::Broadcast,
        [first, ..] if *first & 1 == 1 => LinkAudience::Multicast,
        [_, ..] => LinkAudience::One,
        [] => LinkAudience::Unknown,
    }
}

/// Follows IEEE 802.2: SNAP with an Ethernet type (RFC 1042), or IP's own number
/// for both service access points.
///
/// # Errors
///
/// Where a header behind it is cut or not read.
pub(super) fn follow_llc(payload: &[u8], way: Way) -> Followed<'_> {
    match payload {
        [0xaa, 0xaa, 3, 0, 0, 0, high, low, payload @ ..] => {
            follow_ether_type(Some(u16::from_be_bytes([*high, *low])), payload, way)
        }
        [6, 6, 3, payload @ ..] => Ok(Some(Ending::Ip(way.leads_to(payload)))),
        _ => Ok(None),
    }
}

/// Follows VLAN tags (802.1Q, 802.1ad and the older QinQ values, in any order),
/// the tags of port extenders and rings, frames in frames, MPLS labels and PPPoE
/// sessions to what they end in.
///
/// # Errors
///
/// Where a header on the way is cut, or leads to IP and is not read.
pub(super) fn follow_ether_type(ether_type: Option<u16>, payload: &[u8], way: Way) -> Followed<'_> {
    let (mut ether_type, mut payload, mut way) = (ether_type, payload, way);
    loop {
        let (layer, tag_bytes, id) = match ether_type {
            Some(0x0800 | 0x86dd) => return Ok(Some(Ending::Ip(way.leads_to(payload)))),
            Some(0x0806) => return Ok(Some(Ending::Arp(payload))),
            Some(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => {
                ("VLAN", 2, find_u16(payload, 0).map_or(0, |control| control & 0x0fff))
            }
            // Ports behind an extender: VN-Tag, and 802.1BR. They differ by direction.
            Some(0x8926) => ("VN-Tag", 4, 0),
            Some(0x893f) => ("E-Tag", 6, 0),
            // Path, size and sequence number of a ring (IEC 62439-3).
            Some(0x892f) => ("HSR", 4, 0),
            // Cisco's metadata: version 1, length 1, one option with a security group.
            Some(0x8909) if payload.starts_with(&[1, 1]) => ("metadata", 6, 0),
            Some(0x88e7) => return follow_backbone(payload, way),
            Some(0x8847 | 0x8848) => return ip_in(mpls::parse_mpls(payload, way)),
            Some(0x8864) => return ip_in(parse_pppoe(payload, way)),
            Some(0x894f) => return ip_in(nsh::parse_nsh(payload, way)),
            Some(0x88e5) => return Err(DecodeError::Unread("what is inside MACsec")),
            Some(0x22f3) => return Err(DecodeError::Unread("what is inside TRILL")),
            Some(0x8903) => return Err(DecodeError::Unread("what is inside FabricPath")),
            _ => return Ok(None),
        };
        let Some(further) = way.past(id.into()) else { return Ok(None) };
        way = further;
        ether_type = find_u16(payload, tag_bytes);
        payload = after_header(layer, payload, tag_bytes + 2)?;
    }
}

/// A provider's backbone (802.1ah): flags 1, service 3, the customer's frame.
fn follow_backbone(payload: &[u8], way: Way) -> Followed<'_> {
    let frame = after_header("802.1ah", payload, 4)?;
    let service = find_u32(payload, 0).unwrap_or_default() & 0x00ff_ffff;
    match way.past(service) {
        Some(way) => follow_ethernet(frame, way),
        None => Ok(None),
    }
}

fn ip_in(parsed: Result<Option<Carried<'_>>, DecodeError>) -> Followed<'_> {
    Ok(parsed?.map(Ending::Ip))
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
pub(super) fn parse_pppoe(bytes: &[u8], way: Way) -> Result<Option<Carried<'_>>, DecodeError> {
    let payload = after_header("PPPoE", bytes, 6)?;
    let session = find_u16(bytes, 2).unwrap_or_default();
    let Some(way) = way.past(session.into()) else { return Ok(None) };
    if !bytes.starts_with(&[0x11, 0]) {
        return Ok(None);
    }
    ppp::parse_ppp(payload, way)
}
