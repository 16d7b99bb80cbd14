//! Headers that operating systems make up where there is no common one.

use super::super::DecodeError;
use super::super::field::{find_u8, find_u16, find_u32};
use super::{Link, Way, after_header, parse_ether_type};
use crate::model::capture::Direction;
use crate::model::packet::LinkAudience;

/// `tcpdump -i any` of older versions:
/// packet type 2, ARPHRD type 2, address length 2, address 8, protocol 2.
pub(super) fn parse_sll(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("Linux cooked", bytes, 16)?;
    if !has_ether_type(find_u16(bytes, 2)) {
        return Ok(None);
    }
    let packet_type = find_u16(bytes, 0);
    let direction = packet_type.and_then(find_direction);
    let way = Way::START.to(find_audience(packet_type));
    let carried = parse_ether_type(find_u16(bytes, 14), payload, way)?;
    Ok(carried.map(|carried| Link { direction, ..carried.into() }))
}

/// `tcpdump -i any`: protocol 2, reserved 2, interface index 4, ARPHRD type 2,
/// packet type 1, address length 1, address 8.
pub(super) fn parse_sll2(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("Linux cooked v2", bytes, 20)?;
    if !has_ether_type(find_u16(bytes, 8)) {
        return Ok(None);
    }
    let packet_type = find_u8(bytes, 10).map(u16::from);
    let direction = packet_type.and_then(find_direction);
    let way = Way::START.to(find_audience(packet_type));
    let kernel_interface = find_u32(bytes, 4);
    let carried = parse_ether_type(find_u16(bytes, 0), payload, way)?;
    Ok(carried.map(|carried| Link { direction, kernel_interface, ..carried.into() }))
}

/// Whether the protocol field of a cooked header is an Ethernet type. It is
/// none on netlink (824), Frame Relay (770) and 802.11 monitor (801 to 803)
/// interfaces.
const fn has_ether_type(arphrd_type: Option<u16>) -> bool {
    !matches!(arphrd_type, Some(770 | 801..=803 | 824))
}

/// The kernel's `PACKET_*` values of `linux/if_packet.h`: 0 to this host, 1
/// broadcast, 2 multicast, 3 to another host, 4 sent by this host. A packet to
/// another host was neither received nor sent by this one.
pub(super) const fn find_direction(packet_type: u16) -> Option<Direction> {
    match packet_type {
        0..=2 => Some(Direction::In),
        4 => Some(Direction::Out),
        _ => None,
    }
}

/// Bytes that should begin with IP. OpenBSD's link type 12, which is raw IP on
/// other systems, is its loopback header.
pub(super) fn find_raw(bytes: &[u8]) -> Link<'_> {
    match (bytes.first().map(|first| first >> 4), bytes.get(4).map(|first| first >> 4)) {
        (Some(0), Some(4 | 6)) => match parse_loopback("LOOP", bytes) {
            Ok(Some(link)) => link,
            Ok(None) | Err(_) => Link::bare(bytes),
        },
        _ => Link::bare(bytes),
    }
}

/// What IPsec hands on (`enc(4)` of OpenBSD and FreeBSD): an address family in the
/// host's byte order, the association's number 4, flags 4, the packet without ESP.
pub(super) fn parse_enc(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("ENC", bytes, 12)?;
    Ok(is_internet(bytes).then_some(Link::bare(payload)))
}

/// What Solaris' IP hands on (`ipnet(7D)`): version 1, family 1, direction 2 (0
/// received, 1 sent, 2 from one zone to another), length 4, interface index 4,
/// that of its group 4, the zones 4 each.
pub(super) fn parse_ipnet(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("IPNET", bytes, 24)?;
    // AF_INET and AF_INET6 of Solaris.
    if !matches!(find_u8(bytes, 1), Some(2 | 26)) {
        return Ok(None);
    }
    let direction = match find_u16(bytes, 2) {
        Some(0) => Some(Direction::In),
        Some(1) => Some(Direction::Out),
        _ => None,
    };
    let kernel_interface = find_u32(bytes, 8);
    Ok(Some(Link { direction, kernel_interface, ..Link::bare(payload) }))
}

/// To whom the frame was addressed. Of one that this host sent it is not told.
const fn find_audience(packet_type: Option<u16>) -> LinkAudience {
    match packet_type {
        Some(0 | 3) => LinkAudience::One,
        Some(1) => LinkAudience::Broadcast,
        Some(2) => LinkAudience::Multicast,
        _ => LinkAudience::Unknown,
    }
}

/// BSD loopback: an address family in 4 bytes. NULL has them in the capturing
/// host's byte order and LOOP in network order, but writers mix the two up, so
/// both orders are read.
pub(super) fn parse_loopback<'a>(
    layer: &'static str,
    bytes: &'a [u8],
) -> Result<Option<Link<'a>>, DecodeError> {
    let payload = after_header(layer, bytes, 4)?;
    Ok(is_internet(bytes).then_some(Link::bare(payload)))
}

/// Whether four bytes, in either order, are the address family of IP.
fn is_internet(bytes: &[u8]) -> bool {
    let family = find_u32(bytes, 0).map(|value| value.min(value.swap_bytes()));
    family.is_some_and(is_internet_family)
}

/// AF_INET is 2 everywhere. AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28
/// on FreeBSD, 30 on Darwin.
pub(super) const fn is_internet_family(family: u32) -> bool {
    matches!(family, 2 | 10 | 24 | 28 | 30)
}
