//! The protocols we know by their ports, and their habits.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::endpoint::{FlowKey, Transport};

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
    /// Each side tells the other that it is there, from a port of its own (RFC 5881).
    Bfd,
    Teredo,
    Vxlan,
    Geneve,
    GtpU,
    /// None of these.
    Udp,
    /// The handshake of a TCP connection; what it carries is not looked at.
    Tcp,
}

/// From here on Linux hands out ports to clients (`net.ipv4.ip_local_port_range`), and
/// so do others: a registered port above it may be a client's by chance.
pub const FIRST_EPHEMERAL_PORT: u16 = 32_768;
/// Below it ports are services', and no system gives them to programs at random (RFC 6335
/// section 6).
pub const FIRST_UNPRIVILEGED_PORT: u16 = 1_024;

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
            // RFC 5176 has requests to the NAS at 3799. Cisco's 1700 is LoRa gateways' too,
            // so there only the message tells.
            1812 | 1813 | 1645 | 1646 | 3799 => Self::Radius,
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
            // One hop, echo, several hops, and on the links of a bundle (RFC 5881, 5883, 7130).
            3784 | 3785 | 4784 | 6784 => Self::Bfd,
            3544 => Self::Teredo,
            // Its generic extension has a port of its own (draft-ietf-nvo3-vxlan-gpe section 3).
            4789 | 4790 | 8472 => Self::Vxlan,
            6081 => Self::Geneve,
            2152 => Self::GtpU,
            _ => return None,
        })
    }

    /// The protocol of a datagram of which no more than its ends is known: that of the
    /// port asked, or else of the port that answers.
    #[must_use]
    pub fn of_flow(flow: &FlowKey) -> Option<Self> {
        let (source, destination) = (flow.source.port, flow.destination.port);
        // A client may have been given the port by chance, and then asks a lower one.
        let may_answer = source < FIRST_EPHEMERAL_PORT || destination >= FIRST_EPHEMERAL_PORT;
        let protocol =
            Self::of_port(destination).or_else(|| Self::of_port(source).filter(|_| may_answer))?;
        let is_to_group = flow.destination.address.is_multicast();
        Some(protocol.at_ports(source, destination, is_to_group))
    }

    /// What it is between these ports: between two hosts, mDNS's port serves plain DNS
    /// (clusters' name servers run there), unless both sides use it (RFC 6762 section 11).
    #[must_use]
    pub const fn at_ports(self, source: u16, destination: u16, is_to_group: bool) -> Self {
        match self {
            Self::Mdns if !is_to_group && source != destination => Self::Dns,
            _ => self,
        }
    }

    /// Whether a server of the protocol may use `port`.
    #[must_use]
    pub fn is_served_at(self, port: u16) -> bool {
        let known = Self::of_port(port);
        known == Some(self) || (self == Self::Dns && known == Some(Self::Mdns))
    }

    /// Whether a port is so surely a server's that no client has it.
    #[must_use]
    pub const fn is_only_for_servers(port: u16) -> bool {
        port < FIRST_EPHEMERAL_PORT && Self::of_port(port).is_some()
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
            Self::Bfd => "BFD",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_tells_its_protocol() {
        let cases = [
            ("asked", "192.0.2.7:40000", "192.0.2.1:53", Some(Protocol::Dns)),
            ("answered", "[2001:db8::1]:53", "[2001:db8::7]:40000", Some(Protocol::Dns)),
            ("mDNS", "192.0.2.7:5353", "224.0.0.251:5353", Some(Protocol::Mdns)),
            ("mDNS", "[2001:db8::7]:40000", "[ff02::fb]:5353", Some(Protocol::Mdns)),
            ("mDNS, unicast", "192.0.2.7:5353", "192.0.2.1:5353", Some(Protocol::Mdns)),
            ("DNS in a pod", "192.0.2.7:40000", "192.0.2.1:5353", Some(Protocol::Dns)),
            ("its answer", "[2001:db8::1]:5353", "[2001:db8::7]:40000", Some(Protocol::Dns)),
            ("a trap", "192.0.2.7:161", "192.0.2.1:162", Some(Protocol::SnmpTrap)),
            ("CoA", "[2001:db8::7]:40000", "[2001:db8::1]:3799", Some(Protocol::Radius)),
            ("LoRa", "192.0.2.7:40000", "192.0.2.1:1700", None),
            ("BFD", "192.0.2.7:49152", "192.0.2.1:3784", Some(Protocol::Bfd)),
            ("BACnet", "192.0.2.7:47808", "192.0.2.1:47808", Some(Protocol::Bacnet)),
            ("its answer", "192.0.2.1:47808", "192.0.2.7:50000", Some(Protocol::Bacnet)),
            ("a client's by chance", "192.0.2.7:47808", "192.0.2.1:9000", None),
            ("a client's by chance", "[2001:db8::7]:51820", "[2001:db8::1]:9000", None),
            ("asked", "[2001:db8::7]:9000", "[2001:db8::1]:51820", Some(Protocol::Wireguard)),
        ];
        for (name, source, destination, expected) in cases {
            let end = |text: &str| text.parse::<std::net::SocketAddr>().unwrap().into();
            let flow = FlowKey::udp(end(source), end(destination));
            assert_eq!(Protocol::of_flow(&flow), expected, "{name}: {source} to {destination}");
        }
    }
}
