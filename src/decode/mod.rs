//! A frame's bytes to a [`Packet`].
//!
//! | file | reads |
//! |---|---|
//! | `link` | link layers, tags and labels, down to the IP header |
//! | `ip` | IPv4, IPv6 and its extension headers |
//! | `fragment` | keeps fragments until their datagram is whole |
//! | `tunnel` | finds the packet inside a packet |
//! | `reader` | goes from the IP header through both to UDP or ICMP |
//! | `udp` | ports, lengths and the payload's fingerprint |
//! | `icmp`, `quote` | ICMP and ICMPv6 errors and the datagram that they quote |
//! | `neighbour` | ARP and IPv6 neighbour discovery |
//! | `tcp` | the segments that open or refuse a connection |
//! | `lost` | says what is known of a datagram that was never whole |
//! | `names` | numbers interfaces that link headers name |
//! | `app` | what the payload says, as far as pairing needs it |
//!
//! Every header may be cut by a snap length. What is there is read; what is
//! missing stays unknown.

mod app;
mod field;
mod fingerprint;
mod fragment;
mod icmp;
mod ip;
mod link;
mod lost;
mod names;
mod neighbour;
mod quote;
mod reader;
mod tcp;
mod tunnel;
mod udp;

use std::net::IpAddr;
use std::time::Duration;

use crate::model::capture::{Frame, LinkType};
use crate::model::packet::{Content, Dropped, Dropper, Packet, Tunnel};
use crate::model::time::Timestamp;
use fragment::Fragments;
use link::Logged;
use names::InterfaceNames;
use reader::{Path, Reader, Spot};

/// What a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A UDP datagram, an ICMP error that may concern one, a question for a
    /// neighbour, or a segment of a TCP handshake.
    Packet(Packet),
    /// A tunnel's datagram with TCP data inside, or of whose inside a snap length
    /// left too little to tell. It belongs to no exchange.
    Carrier(Tunnel),
    /// Anything else: TCP data, ICMP echo, a fragment that does not complete its datagram.
    Other,
}

/// Why a frame could not be decoded. Other frames of the capture are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{0} is not supported")]
    UnsupportedLinkType(LinkType),
    #[error("{layer} header needs {required_bytes} bytes, {found_bytes} are there")]
    Cut { layer: &'static str, required_bytes: usize, found_bytes: usize },
    #[error("{layer} header is damaged: {message}")]
    Damaged { layer: &'static str, message: String },
    /// IP may be inside, in a form that is not read.
    #[error("{0} is not read")]
    Unread(&'static str),
}

/// What fragments of incomplete datagrams may cost, per capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Datagrams waited for at once; the oldest is given up first.
    pub fragmented_datagrams: usize,
    /// Bytes of all of them together.
    pub fragment_bytes: usize,
    /// How long one is waited for, by the packets' times.
    pub fragment_lifetime: Duration,
}

impl Default for Limits {
    /// 30 s is what Linux waits for IPv4; RFC 791 section 3.2 says 15 s, RFC
    /// 8200 section 4.5 says 60 s.
    fn default() -> Self {
        Self {
            fragmented_datagrams: 1024,
            fragment_bytes: 16 << 20,
            fragment_lifetime: Duration::from_secs(30),
        }
    }
}

/// Decodes the frames of one capture, in their order.
#[derive(Debug)]
pub struct Decoder {
    fragments: Fragments,
    names: InterfaceNames,
}

impl Decoder {
    /// A decoder that has not seen any fragment.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { fragments: Fragments::new(limits), names: InterfaceNames::default() }
    }

    /// Reads one frame.
    ///
    /// A packet in a tunnel is what is inside, where that is a datagram, an ICMP
    /// error or TCP; else a UDP tunnel's datagram is itself the packet.
    ///
    /// A fragmented datagram is handed out once, when the fragment comes that
    /// completes it: with that one's time, and with the frame of the fragment
    /// that has the ports. The other fragments are [`Decoded::Other`]. Where a
    /// snap length cut one of them the datagram cannot be put together, and is
    /// handed out as far as the first fragment goes.
    ///
    /// # Errors
    ///
    /// Where the link type is unknown, a header that leads to UDP or ICMP is
    /// cut or damaged before its ports, or a fragment contradicts others.
    pub fn decode(&mut self, frame: &Frame<'_>) -> Result<Decoded, DecodeError> {
        let Some(link) = link::parse_link(frame.link_type, frame.bytes)? else {
            return Ok(find_arp(frame).map_or(Decoded::Other, Decoded::Packet));
        };
        let header_bytes = field::saturating_u32(frame.bytes.len() - link.ip.len());
        let named = link.logged.and_then(|logged| self.names.number(logged.interface?));
        let path = Path {
            interface: frame.interface,
            kernel_interface: link.kernel_interface.or(named),
            direction: link.direction.or(frame.direction),
            link_audience: link.audience,
            segment: link.segment,
            tunnel: None,
        };
        let spot = Spot { path, frame: frame.number, depth: 0, tunnel_port: None };
        let wire_bytes = frame.original_length.saturating_sub(header_bytes);
        let fragments = Some(&mut self.fragments);
        let mut reader = Reader { fragments, at: frame.at, has_kept: false };
        // Handed on where it stands, as nearly always: a packet is not small.
        let Some(logged) = link.logged else { return reader.read_ip(&spot, link.ip, wire_bytes) };
        Ok(drop_blocked(reader.read_ip(&spot, link.ip, wire_bytes)?, logged))
    }

    /// Between whom the datagram is whose ports a snap length cut off, source first: of a
    /// frame with which [`decode`](Self::decode) failed.
    #[must_use]
    pub fn find_ends_of_cut(frame: &Frame<'_>) -> Option<[IpAddr; 2]> {
        let link = link::parse_link(frame.link_type, frame.bytes).ok()??;
        ip::find_ends_of_datagram(link.ip)
    }

    /// The name of an interface that a packet's [`Packet::kernel_interface`] stands for,
    /// where its link header had a name instead of a number.
    #[must_use]
    pub fn find_interface_name(&self, kernel_interface: u32) -> Option<&str> {
        self.names.find(kernel_interface)
    }

    /// Whether there is a datagram that [`take_lost`](Self::take_lost) may hand out
    /// sooner or later.
    #[must_use]
    pub fn waits_for_fragments(&self) -> bool {
        !self.fragments.is_idle()
    }

    /// The next datagram that was given up because fragments of it did not
    /// come, as a packet with [`Content::FragmentsLost`]. `now` is the time of
    /// the newest frame; `None` where the capture has ended.
    ///
    /// Call it until there is none: those that nobody takes are not kept for ever.
    ///
    /// [`Content::FragmentsLost`]: crate::model::packet::Content::FragmentsLost
    pub fn take_lost(&mut self, now: Option<Timestamp>) -> Option<Packet> {
        loop {
            let lost = self.fragments.take_lost(now)?;
            if let Some(packet) = lost::find_packet(&lost) {
                return Some(packet);
            }
        }
    }
}

/// A datagram that a firewall logged is dropped where its rule says so.
fn drop_blocked(decoded: Decoded, logged: Logged<'_>) -> Decoded {
    let Some(rule) = logged.blocking_rule else { return decoded };
    let Decoded::Packet(mut packet) = decoded else { return decoded };
    packet.content = match packet.content {
        Content::Datagram(datagram) => {
            let reason = rule.block_reason(logged.interface);
            Content::Dropped(Box::new(Dropped { datagram, by: Dropper::PacketFilter, reason }))
        }
        other => other,
    };
    Decoded::Packet(packet)
}

/// The packet of a frame that carries ARP.
fn find_arp(frame: &Frame<'_>) -> Option<Packet> {
    let link = link::find_arp(frame.link_type, frame.bytes)?;
    let content = Content::Neighbour(neighbour::find_arp(link.ip)?);
    Some(Packet {
        kernel_interface: link.kernel_interface,
        direction: link.direction.or(frame.direction),
        ..Packet::without_headers(frame.number, frame.at, frame.interface, content)
    })
}

#[cfg(test)]
mod tests;
