//! Packets as the analysis sees them: who sent what kind of message to whom.

mod application;
mod fragments;
mod icmp;
mod tunnel;

use std::net::IpAddr;

use super::capture::Direction;
use super::endpoint::FlowKey;
use super::hop::HopMarks;
use super::neighbour::NeighbourMessage;
use super::segment::Segment;
use super::time::Timestamp;

pub use application::{
    Application, PayloadAddress, TftpMessage, TftpRequest, Transaction, TransactionRole,
};
pub use fragments::{FragmentsEnd, FragmentsLost, FragmentsSeen};
pub use icmp::{IcmpError, IcmpKind, Quote, QuotedTunnel};
pub use tunnel::{Tunnel, TunnelKind};

/// One packet that concerns an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The frame's number, counted from 1 within its capture.
    pub frame: u64,
    pub at: Timestamp,
    /// Index into the capture's interfaces, from 0.
    pub interface: u32,
    /// The capturing kernel's interface index, where the link layer says it
    /// (SLL2): one capture of `-i any` is taken at several interfaces.
    pub kernel_interface: Option<u32>,
    pub direction: Option<Direction>,
    /// To whom the innermost link header is addressed.
    pub link_audience: LinkAudience,
    /// IPv4 identification: tells a repeated datagram from a second copy of
    /// one datagram. `None` for IPv6, text, and where it is zero (RFC 6864
    /// lets senders of unfragmentable datagrams put anything there).
    pub ip_identification: Option<u16>,
    /// Of the innermost IP header.
    pub hop_marks: HopMarks,
    /// The VLANs, labels and sessions in which it was seen, or the overlay's network, folded
    /// into one number: two networks may use the same addresses. Zero where none is told.
    pub network: u32,
    /// The innermost tunnel in which the packet travelled; `None` where it
    /// was seen bare. `content` is what was inside.
    pub tunnel: Option<Tunnel>,
    /// The source port of that tunnel's own datagram, where UDP carries it: senders draw it
    /// from the flow inside (RFC 7348 section 5, RFC 8926 section 3.3).
    pub tunnel_port: Option<u16>,
    pub content: Content,
}

impl Packet {
    /// A packet of whose link and IP headers nothing but `content` is known: what a text
    /// tells.
    #[must_use]
    pub const fn without_headers(
        frame: u64,
        at: Timestamp,
        interface: u32,
        content: Content,
    ) -> Self {
        Self {
            frame,
            at,
            interface,
            kernel_interface: None,
            direction: None,
            link_audience: LinkAudience::Unknown,
            ip_identification: None,
            hop_marks: HopMarks::UNKNOWN,
            network: 0,
            tunnel: None,
            tunnel_port: None,
            content,
        }
    }

    /// Whether a packet to `destination` was sent to all hosts of its network, by its
    /// link header: to the broadcast address of a network whose mask nobody may know.
    ///
    /// A host throws away what comes to it in a broadcast frame under an address of its
    /// own (RFC 1122 section 3.3.6). A multicast frame says no such thing: clusters of
    /// firewalls and load balancers have one address and a group of link addresses.
    #[must_use]
    pub fn is_to_all_hosts(&self, destination: IpAddr) -> bool {
        self.link_audience == LinkAudience::Broadcast
            && destination.is_ipv4()
            && !destination.is_multicast()
            && !destination.is_loopback()
    }
}

/// To whom a link header is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkAudience {
    /// There is no such header, or it does not tell.
    Unknown,
    One,
    Multicast,
    Broadcast,
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Datagram(Datagram),
    IcmpError(IcmpError),
    /// A datagram that was never whole. Frame and time of its packet are those
    /// of the fragment seen first.
    FragmentsLost(FragmentsLost),
    /// A datagram that reached its addressee, which says itself that it threw
    /// it away, for it came from an endpoint that it had not asked (`dig`).
    Discarded(Datagram),
    /// A datagram that a datapath or a firewall threw away, and says why.
    Dropped(Box<Dropped>),
    /// ARP or neighbour discovery: why a packet may not leave.
    Neighbour(NeighbourMessage),
    /// The beginning of a TCP connection, or its refusal.
    Segment(Segment),
}

/// Who says that it dropped packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropper {
    Cilium,
    /// BSD's firewall `pf`, in its log.
    PacketFilter,
}

impl Dropper {
    /// As a sentence begins with it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Cilium => "Cilium",
            Self::PacketFilter => "The firewall (pf)",
        }
    }
}

/// A datagram that was sent and did not get on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub datagram: Datagram,
    pub by: Dropper,
    /// In the words of who dropped it: `Policy denied`.
    pub reason: Box<str>,
}

/// A UDP datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    pub flow: FlowKey,
    /// Payload length in bytes by the UDP header, whatever was captured of it.
    pub length: u32,
    /// Hash of the payload's first bytes and length: the same datagram has the
    /// same one at every capture point. `None` where no payload byte was captured (text).
    pub fingerprint: Option<u64>,
    /// A snap length cut the payload, so that it may say more than was read.
    pub is_cut: bool,
    pub application: Application,
}
