//! ICMP and ICMPv6 errors, and what they quote.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tunnel::TunnelKind;
use crate::model::endpoint::Endpoint;
use crate::model::segment::QuotedKind;

/// An ICMP or ICMPv6 error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpError {
    pub kind: IcmpKind,
    pub from: IpAddr,
    pub to: IpAddr,
    /// The packet that the error is about; `None` where a snap length cut
    /// the quote before its addresses.
    pub quote: Option<Quote>,
    /// Hash of what it quotes and of its IP identification, by which a second copy of it
    /// is known again; `None` where only its words are known.
    pub fingerprint: Option<u64>,
}

/// The head of the packet that an ICMP error quotes. Ports are `None` where
/// the capture or the text does not show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub source: IpAddr,
    pub source_port: Option<u16>,
    pub destination: IpAddr,
    pub destination_port: Option<u16>,
    pub kind: QuotedKind,
    /// The UDP tunnel whose packet the error is about, where what is quoted was inside it.
    pub tunnel: Option<QuotedTunnel>,
}

/// The outermost tunnel of a quoted packet, and where its datagram went: who refuses that
/// refuses all that the tunnel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedTunnel {
    pub kind: TunnelKind,
    pub far_end: Endpoint,
}

impl IcmpError {
    /// Whether it quotes a TCP segment, for all that is shown.
    #[must_use]
    pub fn may_quote_segment(&self) -> bool {
        self.quote.is_some_and(|quote| quote.kind != QuotedKind::Datagram)
    }

    /// The tunnel that is refused, and all that it carries, if that is what it says.
    #[must_use]
    pub fn find_refused_tunnel(&self) -> Option<QuotedTunnel> {
        let tunnel = self.quote?.tunnel?;
        (self.kind.is_refusal() && tunnel.kind.is_refused_as_one()).then_some(tunnel)
    }

    /// Whether it quotes a TCP segment for sure.
    #[must_use]
    pub fn quotes_segment(&self) -> bool {
        self.quote.is_some_and(|quote| matches!(quote.kind, QuotedKind::Segment(_)))
    }
}

impl Quote {
    /// The quoted destination, if its port is known.
    #[must_use]
    pub fn destination_endpoint(&self) -> Option<Endpoint> {
        self.destination_port.map(|port| Endpoint::new(self.destination, port))
    }

    /// The quoted source, if its port is known.
    #[must_use]
    pub fn source_endpoint(&self) -> Option<Endpoint> {
        self.source_port.map(|port| Endpoint::new(self.source, port))
    }
}

/// What an ICMP error says; IPv4 and IPv6 errors of one meaning share a kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IcmpKind {
    /// ICMP 3/3, ICMPv6 1/4: nothing listens there.
    PortUnreachable,
    /// ICMP 3/1, 3/7, 3/8, 3/12, 3/14, 3/15, ICMPv6 1/2, 1/3: there is no way to the host
    /// that may be taken.
    HostUnreachable,
    /// ICMP 3/0, 3/6, 3/11, ICMPv6 1/0.
    NetworkUnreachable,
    /// ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6: a firewall or policy refused.
    AdminProhibited,
    /// ICMP 3/4, ICMPv6 2/0.
    PacketTooBig,
    /// ICMP 11/0, ICMPv6 3/0: out of hops, which traceroute provokes on purpose.
    TimeExceeded,
    /// ICMP 11/1, ICMPv6 3/1: some fragments of the datagram did not arrive.
    ReassemblyTimeExceeded,
    /// Any other error type.
    Other,
}

impl IcmpKind {
    /// What an ICMP message of this type and code is, read as Linux does
    /// (`icmp_err_convert`); `None` for what is no error, and for source quench (4), which
    /// tells of no loss and is to be ignored (RFC 6633 section 3).
    #[must_use]
    pub const fn of_v4(message: u8, code: u8) -> Option<Self> {
        Some(match (message, code) {
            // Unknown, and closed to this type of service, are unreachable as well.
            (3, 0 | 6 | 11) => Self::NetworkUnreachable,
            (3, 1 | 7 | 8 | 12 | 14 | 15) => Self::HostUnreachable,
            (3, 3) => Self::PortUnreachable,
            (3, 4) => Self::PacketTooBig,
            (3, 9 | 10 | 13) => Self::AdminProhibited,
            // Of a destination that waited for fragments in vain.
            (11, 1) => Self::ReassemblyTimeExceeded,
            (11, _) => Self::TimeExceeded,
            // Parameter problem.
            (3 | 12, _) => Self::Other,
            _ => return None,
        })
    }

    /// What an ICMPv6 message of this type and code is (RFC 4443 section 3); `None` for
    /// what is no error.
    #[must_use]
    pub const fn of_v6(message: u8, code: u8) -> Option<Self> {
        Some(match (message, code) {
            (1, 0) => Self::NetworkUnreachable,
            (1, 1 | 5 | 6) => Self::AdminProhibited,
            // Code 2: the source's scope ends on the way.
            (1, 2 | 3) => Self::HostUnreachable,
            (1, 4) => Self::PortUnreachable,
            (2, _) => Self::PacketTooBig,
            (3, 1) => Self::ReassemblyTimeExceeded,
            (3, _) => Self::TimeExceeded,
            // Parameter problem.
            (1 | 4, _) => Self::Other,
            _ => return None,
        })
    }

    /// As a sentence says it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::PortUnreachable => "port unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::NetworkUnreachable => "network unreachable",
            Self::AdminProhibited => "administratively prohibited",
            Self::PacketTooBig => "packet too big",
            Self::TimeExceeded => "time exceeded",
            Self::ReassemblyTimeExceeded => "fragment reassembly time exceeded",
            Self::Other => "error",
        }
    }

    /// Whether it says that no such packet arrives there: any kind of unreachable (RFC 792,
    /// RFC 4443 section 3.1). What is too big goes again in smaller parts (RFC 1191
    /// section 3, RFC 8201 section 3), some fragments come late, and who traces a route
    /// wants its packets to expire.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::PortUnreachable
            | Self::HostUnreachable
            | Self::NetworkUnreachable
            | Self::AdminProhibited => true,
            Self::PacketTooBig
            | Self::TimeExceeded
            | Self::ReassemblyTimeExceeded
            | Self::Other => false,
        }
    }
}
