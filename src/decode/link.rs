//! Link layers, down to the IP header.

use super::DecodeError;
use super::field::{find_u8, find_u16, find_u32};
use crate::model::capture::{Direction, LinkType};

/// VLAN tags that are followed; more than any network nests.
const MAX_VLAN_TAGS: usize = 8;

/// What a link layer says of the packet it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// The bytes from the IP header on.
    pub ip: &'a [u8],
    /// Set by the cooked headers of `-i any` only.
    pub direction: Option<Direction>,
    /// The capturing kernel's interface index (SLL2).
    pub kernel_interface: Option<u32>,
}

impl<'a> Link<'a> {
    const fn bare(ip: &'a [u8]) -> Self {
        Self { ip, direction: None, kernel_interface: None }
    }
}

/// Takes the link layer off; `None` where it does not carry IP.
///
/// # Errors
///
/// Where the link type is unknown or its header, or a VLAN tag, is cut.
pub(super) fn parse_link(
    link_type: LinkType,
    bytes: &[u8],
) -> Result<Option<Link<'_>>, DecodeError> {
    match link_type {
        LinkType::Ethernet => parse_ethernet(bytes),
        LinkType::LinuxSll => parse_sll(bytes),
        LinkType::LinuxSll2 => parse_sll2(bytes),
        LinkType::RawIp | LinkType::Ipv4 | LinkType::Ipv6 => Ok(Some(Link::bare(bytes))),
        LinkType::Null => parse_loopback("NULL", bytes),
        LinkType::Loop => parse_loopback("LOOP", bytes),
        LinkType::Other(_) => Err(DecodeError::UnsupportedLinkType(link_type)),
    }
}

fn parse_ethernet(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("Ethernet", bytes, 14)?;
    // 12 bytes of addresses, then the type. Values below 0x600 are the length
    // of an IEEE 802.3 frame and match no type.
    Ok(parse_ether_type(find_u16(bytes, 12), payload)?.map(Link::bare))
}

/// `tcpdump -i any` of older versions:
/// packet type 2, ARPHRD type 2, address length 2, address 8, protocol 2.
fn parse_sll(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("Linux cooked", bytes, 16)?;
    if !has_ether_type(find_u16(bytes, 2)) {
        return Ok(None);
    }
    let direction = find_u16(bytes, 0).and_then(find_direction);
    let ip = parse_ether_type(find_u16(bytes, 14), payload)?;
    Ok(ip.map(|ip| Link { ip, direction, kernel_interface: None }))
}

/// `tcpdump -i any`: protocol 2, reserved 2, interface index 4, ARPHRD type 2,
/// packet type 1, address length 1, address 8.
fn parse_sll2(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    let payload = after_header("Linux cooked v2", bytes, 20)?;
    if !has_ether_type(find_u16(bytes, 8)) {
        return Ok(None);
    }
    let direction = find_u8(bytes, 10).and_then(|value| find_direction(value.into()));
    let kernel_interface = find_u32(bytes, 4);
    let ip = parse_ether_type(find_u16(bytes, 0), payload)?;
    Ok(ip.map(|ip| Link { ip, direction, kernel_interface }))
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
const fn find_direction(packet_type: u16) -> Option<Direction> {
    match packet_type {
        0..=2 => Some(Direction::In),
        4 => Some(Direction::Out),
        _ => None,
    }
}

/// BSD loopback: an address family in 4 bytes. NULL has them in the capturing
/// host's byte order and LOOP in network order, but writers mix the two up, so
/// both orders are read.
fn parse_loopback<'a>(
    layer: &'static str,
    bytes: &'a [u8],
) -> Result<Option<Link<'a>>, DecodeError> {
    let payload = after_header(layer, bytes, 4)?;
    let family = find_u32(bytes, 0).map(|value| value.min(value.swap_bytes()));
    // AF_INET is 2 everywhere. AF_INET6 is 10 on Linux, 24 on NetBSD and
    // OpenBSD, 28 on FreeBSD, 30 on Darwin.
    Ok(matches!(family, Some(2 | 10 | 24 | 28 | 30)).then_some(Link::bare(payload)))
}

/// Follows VLAN tags (802.1Q, 802.1ad and the older QinQ values, in any order)
/// to IP. `None` where something else is carried.
fn parse_ether_type(ether_type: Option<u16>, payload: &[u8]) -> Result<Option<&[u8]>, DecodeError> {
    let (mut ether_type, mut payload) = (ether_type, payload);
    for _ in 0..=MAX_VLAN_TAGS {
        match ether_type {
            Some(0x0800 | 0x86dd) => return Ok(Some(payload)),
            Some(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => {
                ether_type = find_u16(payload, 2);
                payload = after_header("VLAN", payload, 4)?;
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn after_header<'a>(
    layer: &'static str,
    bytes: &'a [u8],
    required_bytes: usize,
) -> Result<&'a [u8], DecodeError> {
    bytes.get(required_bytes..).ok_or(DecodeError::Cut {
        layer,
        required_bytes,
        found_bytes: bytes.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    fn ethernet(tags: &[u16], ether_type: u16) -> Vec<u8> {
        let mut frame = ADDRESSES.to_vec();
        for tag in tags {
            frame.extend(tag.to_be_bytes());
            frame.extend([0, 7]);
        }
        frame.extend(ether_type.to_be_bytes());
        frame.extend(b"IP");
        frame
    }

    #[test]
    fn ethernet_carries_ip_under_any_nesting_of_vlan_tags() {
        let cases: [(&[u16], u16, bool); 10] = [
            (&[], 0x0800, true),
            (&[], 0x86dd, true),
            (&[0x8100], 0x0800, true),
            (&[0x88a8, 0x8100], 0x86dd, true),
            (&[0x8100, 0x88a8, 0x9100], 0x0800, true),
            (&[0x8100; 8], 0x86dd, true),
            (&[0x8100; 9], 0x0800, false),
            (&[], 0x0806, false),
            (&[], 0x0026, false),
            (&[0x8100], 0x0026, false),
        ];
        for (tags, ether_type, carries_ip) in cases {
            let frame = ethernet(tags, ether_type);
            let link = parse_link(LinkType::Ethernet, &frame).unwrap();
            let expected = carries_ip.then_some(Link::bare(b"IP".as_slice()));
            assert_eq!(link, expected, "{tags:x?} {ether_type:x}");
        }
    }

    #[test]
    fn cooked_headers_tell_direction_and_interface() {
        let sll = |packet_type: u8, arphrd: u16, ether_type: u16| {
            let mut bytes = vec![0, packet_type];
            bytes.extend(arphrd.to_be_bytes());
            bytes.extend([0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
            bytes.extend(ether_type.to_be_bytes());
            bytes.extend(b"IP");
            bytes
        };
        let sll2 = |packet_type: u8, arphrd: u16, ether_type: u16| {
            let mut bytes = ether_type.to_be_bytes().to_vec();
            bytes.extend([0, 0, 0, 0, 1, 2]);
            bytes.extend(arphrd.to_be_bytes());
            bytes.extend([packet_type, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
            bytes.extend(b"IP");
            bytes
        };
        let cases = [
            (0, 1, 0x0800, Some(Some(Direction::In))),
            (0, 1, 0x86dd, Some(Some(Direction::In))),
            (1, 1, 0x0800, Some(Some(Direction::In))),
            (2, 1, 0x86dd, Some(Some(Direction::In))),
            (3, 1, 0x0800, Some(None)),
            (4, 772, 0x0800, Some(Some(Direction::Out))),
            (4, 1, 0x86dd, Some(Some(Direction::Out))),
            (4, 1, 0x0806, None),
            (0, 824, 0x0800, None),
        ];
        for (packet_type, arphrd, ether_type, expected) in cases {
            let bytes = sll(packet_type, arphrd, ether_type);
            let link = parse_link(LinkType::LinuxSll, &bytes).unwrap();
            assert_eq!(
                link.map(|link| link.direction),
                expected,
                "SLL {packet_type} {ether_type:x}"
            );
            assert!(link.is_none_or(|link| link.ip == b"IP" && link.kernel_interface.is_none()));

            let bytes = sll2(packet_type, arphrd, ether_type);
            let link = parse_link(LinkType::LinuxSll2, &bytes).unwrap();
            assert_eq!(
                link.map(|link| link.direction),
                expected,
                "SLL2 {packet_type} {ether_type:x}"
            );
            assert!(link.is_none_or(|link| link.ip == b"IP" && link.kernel_interface == Some(258)));
        }
    }

    #[test]
    fn a_vlan_tag_inside_a_cooked_header_is_followed() {
        let mut bytes = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0x00];
        bytes.extend([0, 7, 0x86, 0xdd]);
        bytes.extend(b"IP");
        assert_eq!(parse_link(LinkType::LinuxSll, &bytes).unwrap().unwrap().ip, b"IP");
    }

    #[test]
    fn loopback_families_are_read_in_both_byte_orders() {
        let cases: [(u32, bool); 7] =
            [(2, true), (10, true), (24, true), (28, true), (30, true), (7, false), (0, false)];
        for link_type in [LinkType::Null, LinkType::Loop] {
            for (family, carries_ip) in cases {
                for order in [family.to_be_bytes(), family.to_le_bytes()] {
                    let bytes = [order.as_slice(), b"IP"].concat();
                    let link = parse_link(link_type, &bytes).unwrap();
                    assert_eq!(link.is_some(), carries_ip, "{link_type} {order:?}");
                }
            }
        }
    }

    #[test]
    fn cut_headers_say_what_is_missing() {
        let cases = [
            (LinkType::Ethernet, 13, "Ethernet header needs 14 bytes, 13 are there"),
            (LinkType::LinuxSll, 3, "Linux cooked header needs 16 bytes, 3 are there"),
            (LinkType::LinuxSll2, 19, "Linux cooked v2 header needs 20 bytes, 19 are there"),
            (LinkType::Null, 0, "NULL header needs 4 bytes, 0 are there"),
            (LinkType::Loop, 2, "LOOP header needs 4 bytes, 2 are there"),
            (LinkType::Other(147), 64, "link type 147 is not supported"),
        ];
        for (link_type, found_bytes, expected) in cases {
            let error = parse_link(link_type, &vec![0; found_bytes]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let tagged = ethernet(&[0x8100], 0x0800);
        let error = parse_link(LinkType::Ethernet, &tagged[..16]).unwrap_err();
        assert_eq!(error.to_string(), "VLAN header needs 4 bytes, 2 are there");
    }
}
