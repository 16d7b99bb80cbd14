//! What of an exchange the filter of a capture lets through.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::model::endpoint::Endpoint;

/// The filter that a capture was taken with (pcap-filter(7)), with all else that chooses
/// packets: a direction at the interface, and a search in what was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureFilter {
    /// As a sentence shows it.
    pub text: String,
    pub condition: Condition,
}

/// What a packet has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Carries(Carried),
    /// Of the source, the destination, either or both of them.
    End(Side, End),
    ToGroup,
    /// It holds of packets of one direction only: `-Q in`, or a search for words that only
    /// requests have.
    OneDirection,
    /// It holds of a packet's answer if it holds of the packet.
    Alike,
    /// Whether it holds is not known: it is of the packet's bytes or its length, or what a
    /// search leaves out.
    Unknown,
}

/// What a packet is, or carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    Ipv4,
    Ipv6,
    Udp,
    Icmp,
    /// Nothing that exchanges consist of: TCP, ARP.
    Other,
}

/// Which ends of a packet are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source,
    Destination,
    Either,
    Both,
}

/// What an end has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Network(IpNet),
    Ports(RangeInclusive<u16>),
    /// A host or a port of which only the name is known.
    Named(String),
}

/// A packet that a filter sees.
#[derive(Debug, Clone, Copy)]
struct Seen {
    source: IpAddr,
    destination: IpAddr,
    ports: Ports,
    is_back: bool,
}

#[derive(Debug, Clone, Copy)]
enum Ports {
    /// The source's is `None` where its sender picks one at random, which no filter foresees.
    Udp {
        source: Option<u16>,
        destination: u16,
    },
    Icmp,
}

impl Ports {
    const fn source(self) -> Option<u16> {
        match self {
            Self::Udp { source, .. } => source,
            Self::Icmp => None,
        }
    }

    const fn destination(self) -> Option<u16> {
        match self {
            Self::Udp { destination, .. } => Some(destination),
            Self::Icmp => None,
        }
    }
}

impl CaptureFilter {
    /// Whether the request of an exchange was seen, and its answer, from `answer_port` of
    /// whom it asked, would not have been; `None` is a port that nobody foresees.
    #[must_use]
    pub fn hides_answers(
        &self,
        client: Endpoint,
        asked: Endpoint,
        answer_port: Option<u16>,
    ) -> bool {
        let answer = Seen {
            source: asked.address,
            destination: client.address,
            ports: Ports::Udp { source: answer_port, destination: client.port },
            is_back: true,
        };
        self.is_of_request(client, asked) && self.condition.holds(answer) != Some(true)
    }

    /// Whether the request of an exchange was seen, and an ICMP error of whom it asked
    /// would not have been.
    #[must_use]
    pub fn hides_errors(&self, client: Endpoint, asked: Endpoint) -> bool {
        let error = Seen {
            source: asked.address,
            destination: client.address,
            ports: Ports::Icmp,
            is_back: true,
        };
        self.is_of_request(client, asked) && self.condition.holds(error) == Some(false)
    }

    /// Whether it lets the request through: of which it does not, it is another's.
    fn is_of_request(&self, client: Endpoint, asked: Endpoint) -> bool {
        let request = Seen {
            source: client.address,
            destination: asked.address,
            ports: Ports::Udp { source: Some(client.port), destination: asked.port },
            is_back: false,
        };
        self.condition.holds(request) != Some(false)
    }
}

impl Condition {
    /// Whether it is known of each packet if it fulfils it.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_understood),
            Self::Not(part) => part.is_understood(),
            Self::End(_, End::Named(_)) | Self::Unknown => false,
            Self::Carries(_) | Self::End(..) | Self::ToGroup | Self::OneDirection | Self::Alike => {
                true
            }
        }
    }

    /// Whether a packet fulfils it; `None` where that is not known.
    fn holds(&self, packet: Seen) -> Option<bool> {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds(packet))),
            Self::Any(parts) => any(parts.iter().map(|part| part.holds(packet))),
            Self::Not(part) => part.holds(packet).map(|holds| !holds),
            Self::Carries(carried) => Some(match carried {
                Carried::Ipv4 => packet.source.is_ipv4(),
                Carried::Ipv6 => packet.source.is_ipv6(),
                Carried::Udp => matches!(packet.ports, Ports::Udp { .. }),
                Carried::Icmp => matches!(packet.ports, Ports::Icmp),
                Carried::Other => false,
            }),
            Self::End(side, end) => {
                let source = || end.is(packet.source, packet.ports.source());
                let destination = || end.is(packet.destination, packet.ports.destination());
                match side {
                    Side::Source => source(),
                    Side::Destination => destination(),
                    Side::Either => any([source(), destination()].into_iter()),
                    Side::Both => all([source(), destination()].into_iter()),
                }
            }
            Self::ToGroup => Some(match packet.destination {
                IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
                IpAddr::V6(address) => address.is_multicast(),
            }),
            Self::OneDirection => Some(!packet.is_back),
            Self::Alike => Some(true),
            Self::Unknown => None,
        }
    }
}

impl End {
    /// `port` is `None` where it is random, or the packet has none.
    fn is(&self, address: IpAddr, port: Option<u16>) -> Option<bool> {
        match self {
            Self::Network(network) => Some(network.contains(&address)),
            Self::Ports(range) => Some(port.is_some_and(|port| range.contains(&port))),
            Self::Named(_) => None,
        }
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(parts.map(|part| part.map(|holds| !holds))).map(|fails| !fails)
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut is_known = true;
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}
