//! Headers with which an operating system wraps a packet and its link header.

use super::super::DecodeError;
use super::super::field::{find_array, find_u16, find_u32};
use super::{Link, Way, after_header, parse_ethernet, parse_link};
use crate::model::capture::{Direction, LinkType};

/// `linux/netfilter/nfnetlink_log.h`: incoming interface, outgoing interface, packet.
const NFULA_IFINDEX_INDEV: u16 = 4;
const NFULA_IFINDEX_OUTDEV: u16 = 5;
const NFULA_PAYLOAD: u16 = 9;

/// Registered for private use (USER2); Apple's systems write PKTAP so.
const APPLE_PKTAP: u16 = 149;
/// Its header has 108 bytes, and 156 in newer systems.
const MAX_PKTAP_BYTES: u32 = 512;

/// What Linux's firewall logged: address family 1, version 1, group 2, then
/// attributes of length 2, type 2 and value, padded to four bytes. The two are
/// in the capturing host's byte order.
pub(super) fn parse_nflog(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    const LAYER: &str = "NFLOG";
    let mut rest = after_header(LAYER, bytes, 4)?;
    // AF_INET and AF_INET6 on Linux.
    if !matches!(bytes, [2 | 10, ..]) {
        return Ok(None);
    }
    // The first attribute is short; read in the wrong order its length is not.
    let is_little_endian =
        find_array(rest, 0).map(u16::from_le_bytes) <= find_array(rest, 0).map(u16::from_be_bytes);
    let number = |pair: [u8; 2]| {
        if is_little_endian { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let (mut direction, mut kernel_interface) = (None, None);
    loop {
        let value = after_header(LAYER, rest, 4)?;
        let (Some(length), Some(kind)) =
            (find_array(rest, 0).map(number), find_array(rest, 2).map(number))
        else {
            return Ok(None);
        };
        let length_bytes = usize::from(length);
        let Some(value_bytes) = length_bytes.checked_sub(4) else {
            let message = format!("an attribute of {length} bytes is shorter than its header");
            return Err(DecodeError::Damaged { layer: LAYER, message });
        };
        match kind {
            NFULA_PAYLOAD => {
                let ip = value.get(..value_bytes).unwrap_or(value);
                return Ok(Some(Link { direction, kernel_interface, ..Link::bare(ip) }));
            }
            NFULA_IFINDEX_INDEV => {
                (direction, kernel_interface) = (Some(Direction::In), find_u32(value, 0));
            }
            NFULA_IFINDEX_OUTDEV if direction.is_none() => {
                (direction, kernel_interface) = (Some(Direction::Out), find_u32(value, 0));
            }
            _ => {}
        }
        rest = after_header(LAYER, rest, length_bytes.next_multiple_of(4))?;
    }
}

/// Apple's PKTAP, little-endian: header length 4, record type 4 (1 is a
/// packet), link type 4, interface name 24, flags 4 (1 received, 2 sent), more.
pub(super) fn parse_pktap(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let Some((link_type, payload, direction)) = unwrap_pktap(bytes)? else { return Ok(None) };
    if matches!(link_type, LinkType::Pktap | LinkType::Ppi) || is_private_pktap(link_type, payload)
    {
        return Err(DecodeError::UnsupportedLinkType(link_type));
    }
    let link = parse_link(link_type, payload)?;
    Ok(link.map(|link| Link { direction: direction.or(link.direction), ..link }))
}

/// The link type of a packet in PKTAP, the packet, and its direction.
///
/// # Errors
///
/// Where the header is cut.
#[expect(clippy::type_complexity, reason = "three parts of one header, taken apart at once")]
pub(super) fn unwrap_pktap(
    bytes: &[u8],
) -> Result<Option<(LinkType, &[u8], Option<Direction>)>, DecodeError> {
    const LAYER: &str = "PKTAP";
    after_header(LAYER, bytes, 40)?;
    let field = |offset| find_array(bytes, offset).map_or(0, u32::from_le_bytes);
    if field(4) != 1 {
        return Ok(None);
    }
    let header_bytes = usize::try_from(field(0)).unwrap_or(usize::MAX);
    let payload = after_header(LAYER, bytes, header_bytes.max(40))?;
    let link_type = LinkType::from(u16::try_from(field(8)).unwrap_or(u16::MAX));
    let direction = match field(36) & 3 {
        1 => Some(Direction::In),
        2 => Some(Direction::Out),
        _ => None,
    };
    Ok(Some((link_type, payload, direction)))
}

/// Whether a frame has PKTAP's header under the number that Apple gives it,
/// which is registered for private use: its length, a packet, a link type.
pub(super) fn is_private_pktap(link_type: LinkType, bytes: &[u8]) -> bool {
    let field = |offset| find_array(bytes, offset).map_or(0, u32::from_le_bytes);
    link_type == LinkType::Other(APPLE_PKTAP)
        && (40..=MAX_PKTAP_BYTES).contains(&field(0))
        && field(4) == 1
        && field(8) <= u16::MAX.into()
}

/// Juniper's frames (`monitor traffic write-file`): "MGC", flags (1 received, 2
/// without a link header, 0x80 with extensions of a length in 2 bytes), an
/// Ethernet frame, or a protocol's number in 4 bytes and IP.
pub(super) fn parse_juniper_ethernet(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    const LAYER: &str = "Juniper";
    after_header(LAYER, bytes, 4)?;
    let [b'M', b'G', b'C', flags, ..] = bytes else { return Ok(None) };
    let header_bytes = if flags & 0x80 == 0 {
        4
    } else {
        after_header(LAYER, bytes, 6)?;
        6 + usize::from(find_u16(bytes, 4).unwrap_or_default())
    };
    let payload = after_header(LAYER, bytes, header_bytes)?;
    let direction = Some(if flags & 1 == 0 { Direction::Out } else { Direction::In });
    let link = if flags & 2 == 0 {
        parse_ethernet(payload, Way::START)?.map(Link::from)
    } else {
        Some(Link::bare(after_header(LAYER, payload, 4)?))
    };
    Ok(link.map(|link| Link { direction, ..link }))
}
