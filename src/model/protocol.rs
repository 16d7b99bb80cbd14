//! The protocols we know by their ports, and their habits.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::endpoint::Transport;

/// A UDP application protocol, or TCP.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Tftp,
    Dns,
    Mdns,
    Llmnr,
    Nbns,
    Snmp,
    SnmpTrap,
    /// A notification that wants to be answered (RFC 3416 section 4.2.7).
    SnmpInform,
    Syslog,
    Ntp,
    Radius,
    Sip,
    Dhcp,
    Dhcpv6,
    Ssdp,
    Coap,
    Stun,
    Ike,
    NetFlow,
    Ipfix,
    Sflow,
    Statsd,
    Quic,
    Wireguard,
    Bacnet,
    Teredo,
    Vxlan,
    Geneve,
    GtpU,
    /// None of these.
    Udp,
    /// The handshake of a TCP connection; what it carries is not looked at.
    Tcp,
}

/// Which side of an exchange the managed device habitually is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceSide {
    /// The device asks: TFTP, syslog, flow exports, traps, RADIUS, NTP.
    Client,
    /// The device answers: SNMP polling.
    Server,
    /// The protocol does not say; the initiator is taken.
    Either,
}

impl Protocol {
    /// The protocol registered for, or by wide habit used at, a port.
    #[must_use]
    pub const fn of_port(port: u16) -> Option<Self> {
        Some(match port {
            69 => Self::Tftp,
            53 => Self::Dns,
            5353 => Self::Mdns,
            5355 => Self::Llmnr,
            137 => Self::Nbns,
            161 => Self::Snmp,
            162 => Self::SnmpTrap,
            514 => Self::Syslog,
            123 => Self::Ntp,
            1812 | 1813 | 1645 | 1646 => Self::Radius,
            5060 => Self::Sip,
            67 | 68 => Self::Dhcp,
            546 | 547 => Self::Dhcpv6,
            1900 => Self::Ssdp,
            5683 => Self::Coap,
            3478 => Self::Stun,
            500 | 4500 => Self::Ike,
            2055 | 9995 | 9996 => Self::NetFlow,
            4739 => Self::Ipfix,
            6343 => Self::Sflow,
            8125 => Self::Statsd,
            443 => Self::Quic,
            51820 => Self::Wireguard,
            47808 => Self::Bacnet,
            3544 => Self::Teredo,
            4789 | 8472 => Self::Vxlan,
            6081 => Self::Geneve,
            2152 => Self::GtpU,
            _ => return None,
        })
    }

    /// Whether the protocol expects no answer at all.
    #[must_use]
    pub const fn is_one_way(self) -> bool {
        matches!(
            self,
            Self::Syslog
                | Self::NetFlow
                | Self::Ipfix
                | Self::Sflow
                | Self::Statsd
                | Self::SnmpTrap
        )
    }

    /// Whether requests are answered, so that silence means something. Of an
    /// unknown protocol, and of tunnels, nobody knows.
    #[must_use]
    pub const fn expects_answer(self) -> bool {
        matches!(
            self,
            Self::Tftp
                | Self::Dns
                | Self::Snmp
                | Self::SnmpInform
                | Self::Ntp
                | Self::Radius
                | Self::Sip
                | Self::Coap
                | Self::Stun
                | Self::Tcp
        )
    }

    /// Whether an answer may come from another host, or go on with one, by
    /// design: discovery, relays, migration, overlays. No asymmetry is claimed of these.
    #[must_use]
    pub const fn moves_by_design(self) -> bool {
        matches!(
            self,
            Self::Mdns
                | Self::Llmnr
                | Self::Nbns
                | Self::Ssdp
                | Self::Dhcp
                | Self::Dhcpv6
                | Self::Bacnet
                | Self::Ike
                | Self::Stun
                | Self::Quic
                | Self::Wireguard
                | Self::Teredo
                | Self::Vxlan
                | Self::Geneve
                | Self::GtpU
        )
    }

    /// Which side of an exchange is the managed device.
    #[must_use]
    pub const fn device_side(self) -> DeviceSide {
        match self {
            Self::Snmp => DeviceSide::Server,
            Self::Tftp
            | Self::SnmpTrap
            | Self::SnmpInform
            | Self::Syslog
            | Self::Ntp
            | Self::Radius
            | Self::NetFlow
            | Self::Ipfix
            | Self::Sflow
            | Self::Statsd => DeviceSide::Client,
            _ => DeviceSide::Either,
        }
    }

    /// What carries it.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            _ => Transport::Udp,
        }
    }

    /// As a sentence says it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Tftp => "TFTP",
            Self::Dns => "DNS",
            Self::Mdns => "mDNS",
            Self::Llmnr => "LLMNR",
            Self::Nbns => "NetBIOS name service",
            Self::Snmp => "SNMP",
            Self::SnmpTrap => "SNMP trap",
            Self::SnmpInform => "SNMP inform",
            Self::Syslog => "syslog",
            Self::Ntp => "NTP",
            Self::Radius => "RADIUS",
            Self::Sip => "SIP",
            Self::Dhcp => "DHCP",
            Self::Dhcpv6 => "DHCPv6",
            Self::Ssdp => "SSDP",
            Self::Coap => "CoAP",
            Self::Stun => "STUN",
            Self::Ike => "IKE",
            Self::NetFlow => "NetFlow",
            Self::Ipfix => "IPFIX",
            Self::Sflow => "sFlow",
            Self::Statsd => "StatsD",
            Self::Quic => "QUIC",
            Self::Wireguard => "WireGuard",
            Self::Bacnet => "BACnet",
            Self::Teredo => "Teredo",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "Geneve",
            Self::GtpU => "GTP-U",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}
