//! Tunnels: how a packet is carried inside another.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tunnel by its outer addresses, and what its header tells networks apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tunnel {
    pub kind: TunnelKind,
    /// The outer source: the tunnel's end that sent the packet.
    pub source: IpAddr,
    pub destination: IpAddr,
    /// See [`TunnelKind::key_name`]; `None` where the header has none.
    pub key: Option<u32>,
}

/// How a packet is carried inside another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TunnelKind {
    /// RFC 2784 and RFC 2890, and PPTP's variant (RFC 2637).
    Gre,
    /// A switch's mirror port, carried over GRE.
    Erspan,
    /// IPv4 in IPv4 (RFC 2003).
    FourInFour,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// IPv4 in IPv6 (RFC 2473).
    FourInSix,
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix,
    /// RFC 7348
    Vxlan,
    /// RFC 8926
    Geneve,
    /// A mobile network's user plane (3GPP TS 29.281).
    GtpU,
    /// IPv6 in UDP through NAT (RFC 4380).
    Teredo,
    /// RFC 8086
    GreInUdp,
    /// RFC 7510
    MplsInUdp,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// An Ethernet frame as an IPv6 packet's content: segment routing (RFC 8986).
    EthernetInIp,
    /// RFC 4023
    MplsInIp,
    /// PPP sessions of version 2 (RFC 2661).
    L2tp,
    /// A router's or access point's mirror of frames (TaZmen Sniffer Protocol).
    Tzsp,
    /// Frames between an access point and its controller (RFC 5415).
    Capwap,
    /// A packet behind the header of Generic UDP Encapsulation.
    Gue,
    /// A packet without any header before it, as Linux' FOU and others send it.
    IpInUdp,
    /// What a router sends to the rendezvous point of a multicast group (RFC 7761).
    PimRegister,
}

impl TunnelKind {
    /// As people call it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::FourInFour => "IPIP",
            Self::SixInFour => "6in4",
            Self::FourInSix => "4in6",
            Self::SixInSix => "6in6",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "Geneve",
            Self::GtpU => "GTP-U",
            Self::Teredo => "Teredo",
            Self::GreInUdp => "GRE in UDP",
            Self::MplsInUdp => "MPLS in UDP",
            Self::EtherIp => "EtherIP",
            Self::EthernetInIp => "Ethernet in IP",
            Self::MplsInIp => "MPLS in IP",
            Self::L2tp => "L2TP",
            Self::Tzsp => "TZSP",
            Self::Capwap => "CAPWAP",
            Self::Gue => "GUE",
            Self::IpInUdp => "IP in UDP",
            Self::PimRegister => "PIM register",
        }
    }

    /// What the number in the header stands for: the network of VXLAN and Geneve,
    /// GTP-U's tunnel endpoint, GRE's key (of PPTP the call), the session of
    /// ERSPAN and L2TP.
    #[must_use]
    pub const fn key_name(self) -> &'static str {
        match self {
            Self::Vxlan | Self::Geneve => "network",
            Self::GtpU => "tunnel",
            Self::Erspan | Self::L2tp => "session",
            Self::Gre
            | Self::GreInUdp
            | Self::FourInFour
            | Self::SixInFour
            | Self::FourInSix
            | Self::SixInSix
            | Self::Teredo
            | Self::MplsInUdp
            | Self::EtherIp
            | Self::EthernetInIp
            | Self::MplsInIp
            | Self::Tzsp
            | Self::Capwap
            | Self::Gue
            | Self::IpInUdp
            | Self::PimRegister => "key",
        }
    }

    /// Whether it brings copies of packets to whoever looks at them: nobody misses what it
    /// does not carry.
    #[must_use]
    pub const fn is_mirror(self) -> bool {
        matches!(self, Self::Erspan | Self::Tzsp)
    }

    /// Whether all that it carries is lost where its far end refuses its datagrams. A Teredo
    /// client tries peers, of which many are not there (RFC 4380 section 5.2.4).
    #[must_use]
    pub const fn is_refused_as_one(self) -> bool {
        self.is_in_udp() && !self.is_mirror() && !matches!(self, Self::Teredo)
    }

    /// Whether it is carried by UDP datagrams.
    #[must_use]
    pub const fn is_in_udp(self) -> bool {
        match self {
            Self::Vxlan
            | Self::Geneve
            | Self::GtpU
            | Self::Teredo
            | Self::GreInUdp
            | Self::MplsInUdp
            | Self::L2tp
            | Self::Tzsp
            | Self::Capwap
            | Self::Gue
            | Self::IpInUdp => true,
            Self::Gre
            | Self::Erspan
            | Self::FourInFour
            | Self::SixInFour
            | Self::FourInSix
            | Self::SixInSix
            | Self::EtherIp
            | Self::EthernetInIp
            | Self::MplsInIp
            | Self::PimRegister => false,
        }
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}
