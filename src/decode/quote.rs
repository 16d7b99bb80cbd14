//! The datagram that an ICMP error quotes, as far as it goes.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{IpNumber, LaxIpSlice};

use super::field::{find_array, find_u8, find_u16, saturating_u32};
use super::ip::{is_later_fragment, parse_ip, slice_ip};
use super::tunnel::{self, MAX_DEPTH};
use super::udp::parse_payload;
use crate::model::packet::Quote;

/// What an error quotes.
pub(super) enum Quoted {
    Udp(Quote),
    /// Cut before it says.
    Unknown,
    OtherProtocol,
}

/// Reads the quoted packet, through its tunnels where enough of it is there.
pub(super) fn read_quote(bytes: &[u8]) -> Quoted {
    read_nested(bytes, 0)
}

fn read_nested(bytes: &[u8], depth: u8) -> Quoted {
    let Ok((slice, stop)) = slice_ip(bytes) else {
        return read_cut_header(bytes);
    };
    // Where the extension headers are cut, the protocol is not known, and the
    // addresses are worth keeping.
    if stop.is_some() {
        return Quoted::Udp(quote(&slice, &[]));
    }
    if is_later_fragment(&slice) {
        return match slice.payload_ip_number() {
            IpNumber::UDP => Quoted::Udp(quote(&slice, &[])),
            _ => Quoted::OtherProtocol,
        };
    }
    let inner = find_inner_quote(bytes, depth);
    match slice.payload_ip_number() {
        IpNumber::UDP => Quoted::Udp(match inner {
            Some(inner) if inner.destination_port.is_some() => inner,
            _ => quote(&slice, slice.payload().payload),
        }),
        _ => inner.map_or(Quoted::OtherProtocol, Quoted::Udp),
    }
}

fn quote(slice: &LaxIpSlice<'_>, ports: &[u8]) -> Quote {
    Quote {
        source: slice.source_addr(),
        source_port: find_u16(ports, 0),
        destination: slice.destination_addr(),
        destination_port: find_u16(ports, 2),
    }
}

/// The datagram inside a quoted tunnel packet.
fn find_inner_quote(bytes: &[u8], depth: u8) -> Option<Quote> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let packet = parse_ip(bytes, saturating_u32(bytes.len())).ok()?;
    let inner = if packet.protocol == IpNumber::UDP {
        tunnel::find_inner_of_datagram(&parse_payload(&packet).ok()?)?
    } else {
        tunnel::parse_inner(&packet).ok()??
    };
    match read_nested(inner.ip, depth + 1) {
        Quoted::Udp(quote) => Some(quote),
        Quoted::Unknown | Quoted::OtherProtocol => None,
    }
}

/// A quoted header of which only the beginning is there. The protocol stands
/// before the addresses, so it is often known, and an IPv4 header cut in its
/// options still has both addresses.
fn read_cut_header(bytes: &[u8]) -> Quoted {
    let version = find_u8(bytes, 0).map(|byte| byte >> 4);
    let protocol = match version {
        Some(4) => find_u8(bytes, 9).map(IpNumber),
        Some(6) => find_u8(bytes, 6).map(IpNumber),
        _ => None,
    };
    let may_lead_to_udp = match protocol {
        None | Some(IpNumber::UDP) => true,
        Some(other) => other.is_ipv6_ext_header_value(),
    };
    if !may_lead_to_udp {
        return Quoted::OtherProtocol;
    }
    let address = |offset| {
        find_array(bytes, offset).map(|octets: [u8; 4]| IpAddr::V4(Ipv4Addr::from(octets)))
    };
    match (version, address(12), address(16)) {
        (Some(4), Some(source), Some(destination)) => {
            Quoted::Udp(Quote { source, source_port: None, destination, destination_port: None })
        }
        _ => Quoted::Unknown,
    }
}
