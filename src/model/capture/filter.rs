//! What of an exchange the filter of a capture lets through.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::model::endpoint::{Endpoint, is_group};
use crate::model::protocol::FIRST_UNPRIVILEGED_PORT;

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
    source: Sender,
    destination: IpAddr,
    ports: Ports,
    is_back: bool,
}

/// Who sent it.
#[derive(Debug, Clone, Copy)]
enum Sender {
    Host(IpAddr),
    /// Any host of the family but this one.
    OtherThan(IpAddr),
}

#[derive(Debug, Clone, Copy)]
enum Ports {
    Udp { source: Port, destination: u16 },
    Icmp,
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Number(u16),
    /// Its sender picks one at random.
    Drawn,
    /// The packet has none.
    Missing,
}

impl Sender {
    const fn is_ipv4(self) -> bool {
        match self {
            Self::Host(address) | Self::OtherThan(address) => address.is_ipv4(),
        }
    }
}

impl Ports {
    const fn source(self) -> Port {
        match self {
            Self::Udp { source, .. } => source,
            Self::Icmp => Port::Missing,
        }
    }

    const fn destination(self) -> Port {
        match self {
            Self::Udp { destination, .. } => Port::Number(destination),
            Self::Icmp => Port::Missing,
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
        let answer = answer(client, Sender::Host(asked.address), answer_port);
        self.is_of_request(client, asked) && self.condition.holds(answer) != Some(true)
    }

    /// Whether the request of an exchange was seen, and its answer would not have been if
    /// it came from another address than the one asked: `host` with the address of a
    /// service shows nothing that a node sends with its own.
    #[must_use]
    pub fn hides_other_answers(
        &self,
        client: Endpoint,
        asked: Endpoint,
        answer_port: Option<u16>,
    ) -> bool {
        let answer = answer(client, Sender::OtherThan(asked.address), answer_port);
        self.is_of_request(client, asked) && self.condition.holds(answer) == Some(false)
    }

    /// Whether the request of an exchange was seen, and an ICMP error of whom it asked
    /// would not have been.
    #[must_use]
    pub fn hides_errors(&self, client: Endpoint, asked: Endpoint) -> bool {
        let error = Seen {
            source: Sender::Host(asked.address),
            destination: client.address,
            ports: Ports::Icmp,
            is_back: true,
        };
        self.is_of_request(client, asked) && self.condition.holds(error) == Some(false)
    }

    /// Whether it lets the request through: of which it does not, it is another's.
    fn is_of_request(&self, client: Endpoint, asked: Endpoint) -> bool {
        let request = Seen {
            source: Sender::Host(client.address),
            destination: asked.address,
            ports: Ports::Udp { source: Port::Number(client.port), destination: asked.port },
            is_back: false,
        };
        self.condition.holds(request) != Some(false)
    }
}

fn answer(client: Endpoint, source: Sender, port: Option<u16>) -> Seen {
    Seen {
        source,
        destination: client.address,
        ports: Ports::Udp {
            source: port.map_or(Port::Drawn, Port::Number),
            destination: client.port,
        },
        is_back: true,
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
                Carried::Ipv6 => !packet.source.is_ipv4(),
                Carried::Udp => matches!(packet.ports, Ports::Udp { .. }),
                Carried::Icmp => matches!(packet.ports, Ports::Icmp),
                Carried::Other => false,
            }),
            Self::End(side, end) => {
                let source = || end.is(packet.source, packet.ports.source());
                let destination =
                    || end.is(Sender::Host(packet.destination), packet.ports.destination());
                match side {
                    Side::Source => source(),
                    Side::Destination => destination(),
                    Side::Either => any([source(), destination()].into_iter()),
                    Side::Both => all([source(), destination()].into_iter()),
                }
            }
            Self::ToGroup => Some(is_group(packet.destination)),
            Self::OneDirection => Some(!packet.is_back),
            Self::Alike => Some(true),
            Self::Unknown => None,
        }
    }
}

impl End {
    fn is(&self, address: Sender, port: Port) -> Option<bool> {
        match (self, address, port) {
            (Self::Network(network), Sender::Host(address), _) => Some(network.contains(&address)),
            (Self::Network(network), Sender::OtherThan(address), _) => {
                let is_host = network.prefix_len() == network.max_prefix_len();
                let is_other_family = network.addr().is_ipv4() != address.is_ipv4();
                let is_out = is_other_family || (is_host && network.contains(&address));
                is_out.then_some(false)
            }
            (Self::Ports(range), _, Port::Number(port)) => Some(range.contains(&port)),
            (Self::Ports(range), _, Port::Drawn) => holds_drawn(range),
            (Self::Ports(_), _, Port::Missing) => Some(false),
            (Self::Named(_), ..) => None,
        }
    }
}

/// Whether a port that a program was given at random is in `range`: no system takes it from
/// those of services (RFC 6335 section 6), and which of the others are in question differs.
/// That it is the only one of a range is no more than chance.
fn holds_drawn(range: &RangeInclusive<u16>) -> Option<bool> {
    let (first, last) = (*range.start(), *range.end());
    if first <= FIRST_UNPRIVILEGED_PORT && last == u16::MAX {
        return Some(true);
    }
    (first >= last || last < FIRST_UNPRIVILEGED_PORT).then_some(false)
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
