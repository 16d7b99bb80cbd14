//! From an IP header to what an exchange consists of, through tunnels and fragments.

use etherparse::IpNumber;

use super::DecodeError;
use super::field::saturating_u32;
use super::fragment::{Fragments, Key, Lost, Seen};
use super::icmp::{parse_icmp, parse_icmpv6};
use super::ip::{self, Fragment, IpPacket};
use super::neighbour::find_neighbour_discovery;
use super::tcp::find_segment;
use super::tunnel::{self, Inner, MAX_DEPTH};
use super::udp;
use crate::model::capture::Direction;
use crate::model::packet::{Content, Tunnel};
use crate::model::time::Timestamp;

/// Where a packet was found: at which interface, in which VLAN and tunnel.
/// Packets that differ in this are not the same, whatever their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Path {
    pub interface: u32,
    pub kernel_interface: Option<u32>,
    pub direction: Option<Direction>,
    /// VLANs, labels and the tunnels' own networks, folded into one number as
    /// in [`Carried`](super::link::Carried).
    pub segment: u64,
    pub tunnel: Option<Tunnel>,
}

/// A packet on its way: where it was found, and in which frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub path: Path,
    /// The frame that holds its beginning.
    pub frame: u64,
    /// Tunnels passed.
    pub depth: u8,
}

/// What an IP packet turned out to be.
#[derive(Debug)]
pub(super) enum Reading {
    Content(Found),
    /// A fragment whose datagram is not whole yet, or a copy of one.
    Kept,
    /// Nothing that concerns an exchange.
    Nothing,
}

/// A message of an exchange.
#[derive(Debug)]
pub(super) struct Found {
    pub frame: u64,
    pub tunnel: Option<Tunnel>,
    pub ip_identification: Option<u16>,
    pub content: Content,
}

/// Reads the packets of one frame.
pub(super) struct Reader<'f> {
    /// Without, of a fragmented packet the first fragment is read alone.
    pub fragments: Option<&'f mut Fragments>,
    pub at: Timestamp,
}

impl Reader<'_> {
    /// Reads the packet that `ip` begins with, of `wire_bytes` bytes where its
    /// header does not say.
    ///
    /// # Errors
    ///
    /// Where a header that leads to UDP or ICMP is cut or damaged before its ports.
    pub fn read_ip(
        &mut self,
        spot: Spot,
        ip: &[u8],
        wire_bytes: u32,
    ) -> Result<Reading, DecodeError> {
        if ip::is_tcp(ip) {
            return Ok(read_tcp(spot, ip));
        }
        let packet = ip::parse_ip(ip, wire_bytes)?;
        match &packet.fragment {
            None => self.read_packet(spot, &packet),
            Some(fragment) => self.read_fragment(spot, &packet, fragment),
        }
    }

    fn read_fragment(
        &mut self,
        spot: Spot,
        packet: &IpPacket<'_>,
        fragment: &Fragment<'_>,
    ) -> Result<Reading, DecodeError> {
        if !leads_to_udp(fragment.protocol, packet.source.is_ipv6()) {
            return Ok(Reading::Nothing);
        }
        let Some(fragments) = self.fragments.as_deref_mut() else {
            let is_first = fragment.is_first();
            return if is_first { self.read_packet(spot, packet) } else { Ok(Reading::Nothing) };
        };
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.source.is_ipv4().then_some(fragment.protocol),
            identification: fragment.identification,
            path: spot.path,
        };
        let seen = Seen { frame: spot.frame, at: self.at };
        let Some(whole) = fragments.add(key, fragment, seen)? else { return Ok(Reading::Kept) };
        let Some((protocol, payload)) = ip::skip_extensions(whole.protocol, &whole.payload)? else {
            return Ok(Reading::Nothing);
        };
        let extension_bytes = whole.payload.len() - payload.len();
        let length = whole.length.saturating_sub(saturating_u32(extension_bytes));
        let packet = IpPacket { protocol, payload, length, fragment: None, ..*packet };
        self.read_packet(Spot { frame: whole.frame, ..spot }, &packet)
    }

    fn read_packet(&mut self, spot: Spot, packet: &IpPacket<'_>) -> Result<Reading, DecodeError> {
        let content = match packet.protocol {
            IpNumber::UDP => return self.read_udp(spot, packet),
            IpNumber::ICMP => parse_icmp(packet)?.map(Content::IcmpError),
            // Neighbours inside a tunnel are those of another link.
            IpNumber::IPV6_ICMP => match parse_icmpv6(packet)? {
                None if spot.depth == 0 => find_neighbour_discovery(packet).map(Content::Neighbour),
                error => error.map(Content::IcmpError),
            },
            _ => {
                return match tunnel::parse_inner(packet)? {
                    Some(inner) => self.read_inner(spot, packet, &inner),
                    None => Ok(Reading::Nothing),
                };
            }
        };
        Ok(content.map_or(Reading::Nothing, |content| found(spot, packet, content)))
    }

    /// The message inside a tunnel's datagram, or the datagram itself where
    /// nothing inside concerns an exchange.
    fn read_udp(&mut self, spot: Spot, packet: &IpPacket<'_>) -> Result<Reading, DecodeError> {
        let payload = udp::parse_payload(packet)?;
        if let Some(inner) = tunnel::find_inner_of_datagram(&payload)
            && let Ok(reading @ (Reading::Content(_) | Reading::Kept)) =
                self.read_inner(spot, packet, &inner)
        {
            return Ok(reading);
        }
        Ok(found(spot, packet, Content::Datagram(udp::read_datagram(packet, &payload))))
    }

    fn read_inner(
        &mut self,
        spot: Spot,
        outer: &IpPacket<'_>,
        inner: &Inner<'_>,
    ) -> Result<Reading, DecodeError> {
        if spot.depth >= MAX_DEPTH {
            return Ok(Reading::Nothing);
        }
        let tunnel = Tunnel {
            kind: inner.kind,
            source: outer.source,
            destination: outer.destination,
            key: inner.key,
        };
        let segment = spot.path.segment.rotate_left(1) ^ inner.segment;
        let path = Path { tunnel: Some(tunnel), segment, ..spot.path };
        let spot = Spot { path, depth: spot.depth + 1, ..spot };
        self.read_ip(spot, inner.ip, inner.wire_bytes)
    }
}

/// Reads the beginning of a datagram that was given up.
///
/// # Errors
///
/// As [`Reader::read_ip`].
pub(super) fn read_lost(lost: &Lost, head: &[u8]) -> Result<Reading, DecodeError> {
    let Some((protocol, payload)) = ip::skip_extensions(lost.protocol, head)? else {
        return Ok(Reading::Nothing);
    };
    let length = lost.total_bytes.unwrap_or(lost.received_bytes);
    let packet = IpPacket {
        source: lost.key.source,
        destination: lost.key.destination,
        protocol,
        payload,
        length,
        identification: None,
        fragment: None,
    };
    let spot = Spot { path: lost.key.path, frame: lost.seen.frame, depth: 0 };
    Reader { fragments: None, at: lost.seen.at }.read_packet(spot, &packet)
}

/// A segment of a handshake. Inside a tunnel's datagram the datagram counts.
fn read_tcp(spot: Spot, ip: &[u8]) -> Reading {
    if spot.depth > 0 {
        return Reading::Nothing;
    }
    find_segment(ip).map_or(Reading::Nothing, |(segment, ip_identification)| {
        Reading::Content(Found {
            frame: spot.frame,
            tunnel: spot.path.tunnel,
            ip_identification,
            content: Content::Segment(segment),
        })
    })
}

fn found(spot: Spot, packet: &IpPacket<'_>, content: Content) -> Reading {
    Reading::Content(Found {
        frame: spot.frame,
        tunnel: spot.path.tunnel,
        ip_identification: packet.identification,
        content,
    })
}

/// Whether the bytes of a fragmented packet can hold a datagram or an ICMP
/// error. Nothing else is worth its memory.
fn leads_to_udp(protocol: IpNumber, is_v6: bool) -> bool {
    match protocol {
        IpNumber::UDP
        | IpNumber::GRE
        | IpNumber::IPV4
        | IpNumber::IPV6
        | IpNumber::AUTHENTICATION_HEADER => true,
        IpNumber::ICMP => !is_v6,
        IpNumber::IPV6_ICMP => is_v6,
        other => is_v6 && other.is_ipv6_ext_header_value(),
    }
}
