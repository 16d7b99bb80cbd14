//! From an IP header to what an exchange consists of, through tunnels and fragments.

use etherparse::IpNumber;

use super::field::{find_u16, saturating_u32};
use super::fragment::{Fragments, Key, Lost, Seen};
use super::icmp::{parse_icmp, parse_icmpv6};
use super::ip::{self, Fragment, IpPacket};
use super::neighbour::find_neighbour_discovery;
use super::tcp::{find_segment, find_segment_behind};
use super::tunnel::{self, Inner, MAX_DEPTH};
use super::udp;
use super::{DecodeError, Decoded};
use crate::model::capture::Direction;
use crate::model::hop::HopMarks;
use crate::model::packet::{Content, LinkAudience, Packet, Tunnel, TunnelKind};
use crate::model::time::Timestamp;

/// Where a packet was found: at which interface, in which VLAN and tunnel.
/// Packets that differ in this are not the same, whatever their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Path {
    pub interface: u32,
    pub kernel_interface: Option<u32>,
    pub direction: Option<Direction>,
    pub link_audience: LinkAudience,
    /// VLANs, labels and the tunnels' own networks, folded into one number as
    /// in [`Carried`](super::link::Carried).
    pub segment: u64,
    pub tunnel: Option<Tunnel>,
}

impl Path {
    /// What tells networks apart that use the same addresses; zero where nothing does. Of
    /// tunnels only an overlay's network says that: a session has a key for each direction.
    pub(super) fn network(&self) -> u32 {
        let segment = match self.tunnel {
            None => self.segment,
            Some(Tunnel { kind: TunnelKind::Vxlan | TunnelKind::Geneve, key, .. }) => {
                key.map_or(0, |key| u64::from(key) + 1)
            }
            Some(_) => 0,
        };
        let [high, low] = [segment >> 32, segment & u64::from(u32::MAX)];
        u32::try_from(high ^ low).unwrap_or(u32::MAX)
    }
}

/// A packet on its way: where it was found, and in which frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub path: Path,
    /// The frame that holds its beginning.
    pub frame: u64,
    /// Tunnels passed.
    pub depth: u8,
    /// See [`Packet::tunnel_port`]. No part of the path: fragments of one datagram inside
    /// come from several.
    pub tunnel_port: Option<u16>,
}

/// Reads the packets of one frame.
pub(super) struct Reader<'f> {
    /// Without, of a fragmented packet the first fragment is read alone.
    pub fragments: Option<&'f mut Fragments>,
    pub at: Timestamp,
    /// A fragment was kept whose datagram is not whole yet, or a copy of one came.
    pub has_kept: bool,
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
        spot: &Spot,
        ip: &[u8],
        wire_bytes: u32,
    ) -> Result<Decoded, DecodeError> {
        if ip::is_tcp(ip) {
            return Ok(self.read_tcp(spot, ip));
        }
        if let Some(packet) = ip::find_plain_udp(ip) {
            return self.read_udp(spot, &packet);
        }
        let packet = ip::parse_ip(ip, wire_bytes)?;
        match &packet.fragment {
            None => self.read_packet(spot, &packet),
            Some(fragment) => self.read_fragment(spot, &packet, fragment),
        }
    }

    fn read_fragment(
        &mut self,
        spot: &Spot,
        packet: &IpPacket<'_>,
        fragment: &Fragment<'_>,
    ) -> Result<Decoded, DecodeError> {
        if !leads_to_udp(fragment.protocol, packet.source.is_ipv6()) {
            return Ok(Decoded::Other);
        }
        let Some(fragments) = self.fragments.as_deref_mut() else {
            let is_first = fragment.is_first();
            return if is_first { self.read_packet(spot, packet) } else { Ok(Decoded::Other) };
        };
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.source.is_ipv4().then_some(fragment.protocol),
            identification: fragment.identification,
            path: spot.path,
        };
        let seen = Seen { frame: spot.frame, at: self.at };
        let Some(whole) = fragments.add(key, fragment, seen)? else {
            self.has_kept = true;
            return Ok(Decoded::Other);
        };
        let Some((protocol, payload)) = ip::skip_extensions(whole.protocol, &whole.payload)? else {
            return Ok(Decoded::Other);
        };
        let extension_bytes = whole.payload.len() - payload.len();
        let length = whole.length.saturating_sub(saturating_u32(extension_bytes));
        let packet = IpPacket { protocol, payload, length, fragment: None, ..*packet };
        self.read_packet(&Spot { frame: whole.frame, ..*spot }, &packet)
    }

    fn read_packet(&mut self, spot: &Spot, packet: &IpPacket<'_>) -> Result<Decoded, DecodeError> {
        let content = match packet.protocol {
            IpNumber::UDP => return self.read_udp(spot, packet),
            IpNumber::TCP => find_segment_behind(packet).map(Content::Segment),
            IpNumber::ICMP => parse_icmp(packet)?.map(Content::IcmpError),
            // Neighbours inside a tunnel are those of another link.
            IpNumber::IPV6_ICMP => match parse_icmpv6(packet)? {
                None if spot.depth == 0 => find_neighbour_discovery(packet).map(Content::Neighbour),
                error => error.map(Content::IcmpError),
            },
            _ => {
                return match tunnel::parse_inner(packet)? {
                    Some(inner) => self.read_inner(spot, packet, &inner),
                    None => Ok(Decoded::Other),
                };
            }
        };
        Ok(content.map_or(Decoded::Other, |content| self.found(spot, packet, content)))
    }

    /// The message inside a tunnel's datagram, or the datagram itself where
    /// neither that nor TCP is inside.
    fn read_udp(&mut self, spot: &Spot, packet: &IpPacket<'_>) -> Result<Decoded, DecodeError> {
        let payload = udp::parse_payload(packet)?;
        // As deep as the limit a datagram is not taken for a tunnel's any more.
        if spot.depth < MAX_DEPTH
            && let Some(inner) = tunnel::find_inner_of_datagram(&payload)
        {
            // Of a lost datagram its own ports are what is known.
            let is_lost = self.fragments.is_none();
            match self.read_inner(spot, packet, &inner) {
                Ok(Decoded::Other) if self.has_kept => return Ok(Decoded::Other),
                Ok(Decoded::Other) if !is_lost && ip::is_tcp(inner.ip) => {
                    return Ok(Decoded::Carrier(tunnel_of(packet, &inner)));
                }
                // A snap length left too little of what is inside to tell.
                Err(DecodeError::Cut { .. }) if !is_lost => {
                    return Ok(Decoded::Carrier(tunnel_of(packet, &inner)));
                }
                Ok(Decoded::Carrier(tunnel)) if !is_lost => return Ok(Decoded::Carrier(tunnel)),
                Ok(Decoded::Packet(read)) => return Ok(Decoded::Packet(read)),
                Ok(Decoded::Other | Decoded::Carrier(_)) | Err(_) => {}
            }
        }
        Ok(self.found(spot, packet, Content::Datagram(udp::read_datagram(packet, &payload))))
    }

    fn read_inner(
        &mut self,
        spot: &Spot,
        outer: &IpPacket<'_>,
        inner: &Inner<'_>,
    ) -> Result<Decoded, DecodeError> {
        if spot.depth >= MAX_DEPTH {
            return Ok(Decoded::Other);
        }
        let tunnel = tunnel_of(outer, inner);
        let segment = spot.path.segment.rotate_left(1) ^ inner.segment;
        let path =
            Path { tunnel: Some(tunnel), segment, link_audience: inner.audience, ..spot.path };
        let is_in_udp = outer.protocol == IpNumber::UDP;
        let tunnel_port = find_u16(outer.payload, 0).filter(|_| is_in_udp);
        let spot = Spot { path, depth: spot.depth + 1, tunnel_port, ..*spot };
        self.read_ip(&spot, inner.ip, inner.wire_bytes)
    }

    /// A segment of a handshake.
    fn read_tcp(&self, spot: &Spot, ip: &[u8]) -> Decoded {
        find_segment(ip).map_or(Decoded::Other, |(segment, ip_identification)| {
            self.packet(spot, ip_identification, ip::hop_limit_of(ip), Content::Segment(segment))
        })
    }

    fn found(&self, spot: &Spot, packet: &IpPacket<'_>, content: Content) -> Decoded {
        self.packet(spot, packet.identification, packet.hop_marks, content)
    }

    fn packet(
        &self,
        spot: &Spot,
        ip_identification: Option<u16>,
        hop_marks: HopMarks,
        content: Content,
    ) -> Decoded {
        Decoded::Packet(Packet {
            frame: spot.frame,
            at: self.at,
            interface: spot.path.interface,
            kernel_interface: spot.path.kernel_interface,
            direction: spot.path.direction,
            link_audience: spot.path.link_audience,
            ip_identification,
            hop_marks,
            network: spot.path.network(),
            tunnel: spot.path.tunnel,
            tunnel_port: spot.tunnel_port,
            content,
        })
    }
}

/// The tunnel whose packet `outer` is.
const fn tunnel_of(outer: &IpPacket<'_>, inner: &Inner<'_>) -> Tunnel {
    Tunnel {
        kind: inner.kind,
        source: outer.source,
        destination: outer.destination,
        key: inner.key,
    }
}

/// Reads the beginning of a datagram that was given up.
///
/// # Errors
///
/// As [`Reader::read_ip`].
pub(super) fn read_lost(lost: &Lost, head: &[u8]) -> Result<Decoded, DecodeError> {
    let Some((protocol, payload)) = ip::skip_extensions(lost.protocol, head)? else {
        return Ok(Decoded::Other);
    };
    let length = lost.total_bytes.unwrap_or(lost.received_bytes);
    let packet = IpPacket {
        source: lost.key.source,
        destination: lost.key.destination,
        protocol,
        payload,
        length,
        identification: None,
        hop_marks: HopMarks::UNKNOWN,
        fragment: None,
    };
    let (path, frame) = (lost.key.path, lost.seen.frame);
    let spot = Spot { path, frame, depth: 0, tunnel_port: None };
    let mut reader = Reader { fragments: None, at: lost.seen.at, has_kept: false };
    reader.read_packet(&spot, &packet)
}

/// Whether the bytes of a fragmented packet can hold a datagram or an ICMP
/// error. Nothing else is worth its memory.
fn leads_to_udp(protocol: IpNumber, is_v6: bool) -> bool {
    match protocol {
        IpNumber::UDP
        | IpNumber::GRE
        | IpNumber::IPV4
        | IpNumber::IPV6
        | IpNumber::AUTHENTICATION_HEADER
        | IpNumber::ETHER_IP
        | IpNumber::MPLS_IN_IP
        | tunnel::PIM
        | tunnel::ETHERNET => true,
        IpNumber::ICMP => !is_v6,
        IpNumber::IPV6_ICMP => is_v6,
        other => is_v6 && other.is_ipv6_ext_header_value(),
    }
}
