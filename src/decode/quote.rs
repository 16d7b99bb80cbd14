//! The datagram, or the segment of a TCP handshake, that an ICMP error quotes, as far
//! as it goes.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{IpNumber, LaxIpSlice};

use super::field::{find_array, find_u8, find_u16, saturating_u32};
use super::ip::{is_later_fragment, parse_ip, slice_ip};
use super::tcp::find_quoted_segment;
use super::tunnel::{self, MAX_DEPTH};
use super::udp::parse_payload;
use crate::model::packet::{Quote, QuotedTunnel, TunnelKind};
use crate::model::segment::QuotedKind;

/// What an error quotes.
pub(super) enum Quoted {
    Packet(Quote),
    /// Cut before it says.
    Unknown,
    /// Of no concern: TCP in mid-connection, or neither UDP nor TCP.
    Other,
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
        return Quoted::Packet(quote(&slice, &[], QuotedKind::Unknown));
    }
    if is_later_fragment(&slice) {
        return match slice.payload_ip_number() {
            IpNumber::UDP => Quoted::Packet(quote(&slice, &[], QuotedKind::Datagram)),
            _ => Quoted::Other,
        };
    }
    let inner = find_inner_quote(bytes, depth);
    match slice.payload_ip_number() {
        IpNumber::UDP => {
            let outer = quote(&slice, slice.payload().payload, QuotedKind::Datagram);
            Quoted::Packet(match (inner, outer.destination_endpoint()) {
                (Some((kind, inner)), Some(far_end)) if inner.destination_port.is_some() => {
                    Quote { tunnel: Some(QuotedTunnel { kind, far_end }), ..inner }
                }
                _ => outer,
            })
        }
        IpNumber::TCP => {
            let tcp = slice.payload().payload;
            find_quoted_segment(tcp).map_or(Quoted::Other, |kind| {
                Quoted::Packet(quote(&slice, tcp, QuotedKind::Segment(Some(kind))))
            })
        }
        // No port says where it went.
        _ => inner
            .map_or(Quoted::Other, |(_, inner)| Quoted::Packet(Quote { tunnel: None, ..inner })),
    }
}

fn quote(slice: &LaxIpSlice<'_>, ports: &[u8], kind: QuotedKind) -> Quote {
    Quote {
        source: slice.source_addr(),
        source_port: find_u16(ports, 0),
        destination: slice.destination_addr(),
        destination_port: find_u16(ports, 2),
        kind,
        tunnel: None,
    }
}

/// The datagram inside a quoted tunnel packet, and the tunnel. An error about a mirror's
/// packet does not concern what is mirrored.
fn find_inner_quote(bytes: &[u8], depth: u8) -> Option<(TunnelKind, Quote)> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let packet = parse_ip(bytes, saturating_u32(bytes.len())).ok()?;
    let inner = if packet.protocol == IpNumber::UDP {
        tunnel::find_inner_of_datagram(&parse_payload(&packet).ok()?)?
    } else {
        tunnel::parse_inner(&packet).ok()??
    };
    if inner.kind.is_mirror() {
        return None;
    }
    match read_nested(inner.ip, depth + 1) {
        // Connections inside a tunnel are not followed.
        Quoted::Packet(quote) => {
            (quote.kind == QuotedKind::Datagram).then_some((inner.kind, quote))
        }
        Quoted::Unknown | Quoted::Other => None,
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
        return Quoted::Other;
    }
    let address = |offset| {
        find_array(bytes, offset).map(|octets: [u8; 4]| IpAddr::V4(Ipv4Addr::from(octets)))
    };
    match (version, address(12), address(16)) {
        (Some(4), Some(source), Some(destination)) => {
            let kind = match protocol {
                Some(IpNumber::UDP) => QuotedKind::Datagram,
                _ => QuotedKind::Unknown,
            };
            Quoted::Packet(Quote {
                source,
                source_port: None,
                destination,
                destination_port: None,
                kind,
                tunnel: None,
            })
        }
        _ => Quoted::Unknown,
    }
}
