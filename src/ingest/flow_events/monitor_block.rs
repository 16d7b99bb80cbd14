//! Events of `cilium monitor -v` and `-vv`: a block of lines for each, behind a line of
//! hyphens (`DumpVerbose` and `Dissect` of Cilium's `pkg/monitor`).
//!
//! - `CPU 01: MARK 0x328f0a14 FROM 2929 to-endpoint: 62 bytes (62 captured), state new, …`
//! - `IPv4⇥{Contents=[..20..] … SrcIP=192.0.2.9 DstIP=198.51.100.7 Options=[] Padding=[]}`
//! - `UDP⇥{Contents=[..8..] … SrcPort=52539 DstPort=69(tftp) Length=28 Checksum=46317}`
//!
//! The layers are gopacket's `LayerString`: the name, a tab and the exported fields. Old
//! versions print them before the line of the event, for they do not buffer them; new ones
//! print them behind it, and of a tunnel also the inner ones, which are what counts.

use std::net::IpAddr;

use super::event::{Carries, Fate, FlowEvent, Party, Side, Who, find_icmp_error};
use super::monitor_line::is_reply_state;
use crate::model::packet::IcmpKind;

const LACKS_EVENT: &str = "begins a packet's layers, without the line `CPU … MARK … FROM …` that tells where it was seen; paste the whole block";
const LACKS_LAYERS: &str =
    "begins an event, without all the layers of its packet; paste the whole block";

/// The block that is open.
#[derive(Debug, Default)]
pub(super) struct MonitorBlock {
    open: Option<Block>,
}

/// What a line is to the blocks.
#[derive(Debug)]
pub(super) struct Taken {
    pub belongs: bool,
    /// The block before it.
    pub ended: Option<EndedBlock>,
}

/// A block of which all lines were seen.
#[derive(Debug)]
pub(super) struct EndedBlock {
    /// The first line, counted from 1.
    pub line: u64,
    /// The event, or what is missing.
    pub event: Result<FlowEvent, &'static str>,
}

#[derive(Debug, Default)]
struct Block {
    line: u64,
    event: Option<Event>,
    has_layers: bool,
    /// A tunnel's header was told last.
    is_in_tunnel: bool,
    network: Option<Network>,
    transport: Option<Transport>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Packet {
        point: String,
        fate: Fate,
        is_reply: Option<bool>,
    },
    /// What the datapath notes for its developers shows a packet once more.
    Debug,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    /// By the link header: the IP header is to come.
    Unread,
    Ends {
        source: IpAddr,
        destination: IpAddr,
        carries_udp: bool,
    },
    /// ARP and the like.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp { source_port: u16, destination_port: u16 },
    Icmp(Option<IcmpKind>),
    Other,
}

/// A line of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Separator,
    Event(Event),
    Network(Network),
    Transport(Transport),
    /// The header of VXLAN or Geneve.
    Tunnel,
    /// What could not be decoded.
    Remark,
}

/// Whether a line begins a block, where no other line of the program stands before it.
#[must_use]
pub(super) fn begins_block(text: &str) -> bool {
    matches!(find_part(text), Some(Part::Event(_) | Part::Network(_)))
}

impl MonitorBlock {
    /// Takes the next line of the program.
    pub fn push(&mut self, line: u64, text: &str) -> Taken {
        if text.trim().is_empty() {
            return Taken { belongs: false, ended: None };
        }
        let Some(part) = find_part(text) else {
            return Taken { belongs: false, ended: self.end() };
        };
        let is_next = self.open.as_ref().is_some_and(|open| open.is_ended_by(&part));
        let ended = if is_next { self.end() } else { None };
        if part != Part::Separator {
            let open = self.open.get_or_insert_with(|| Block { line, ..Block::default() });
            open.add(part);
        }
        Taken { belongs: true, ended }
    }

    /// Ends the block that is open.
    pub fn end(&mut self) -> Option<EndedBlock> {
        self.open.take()?.into_event()
    }
}

impl Block {
    /// Whether a line is of the next block.
    fn is_ended_by(&self, part: &Part) -> bool {
        match part {
            Part::Separator => true,
            Part::Event(_) => self.event.is_some(),
            // Further layers stand behind a tunnel's header only.
            Part::Network(_) => {
                self.event.is_some() && self.transport.is_some() && !self.is_in_tunnel
            }
            Part::Transport(_) | Part::Tunnel | Part::Remark => false,
        }
    }

    fn add(&mut self, part: Part) {
        match part {
            Part::Separator => {}
            Part::Event(event) => self.event = Some(event),
            Part::Network(network) => {
                self.has_layers = true;
                // The outer ends stay until the inner ones are told.
                if network != Network::Unread || self.network.is_none() {
                    (self.network, self.transport) = (Some(network), None);
                }
            }
            Part::Transport(transport) => {
                (self.has_layers, self.is_in_tunnel) = (true, false);
                self.transport = Some(transport);
            }
            Part::Tunnel => self.is_in_tunnel = true,
            Part::Remark => self.has_layers = true,
        }
    }

    fn into_event(self) -> Option<EndedBlock> {
        let Self { line, event, has_layers, network, transport, .. } = self;
        let event = match event {
            Some(Event::Debug) => return None,
            Some(event) => event,
            // Nothing of a packet was told.
            None if !has_layers || network.is_none() => return None,
            None => return Some(EndedBlock { line, event: Err(LACKS_EVENT) }),
        };
        Some(EndedBlock { line, event: read_event(event, network, transport)? })
    }
}

/// The event of a block; `None` for a packet that is none of IP.
fn read_event(
    event: Event,
    network: Option<Network>,
    transport: Option<Transport>,
) -> Option<Result<FlowEvent, &'static str>> {
    let Event::Packet { point, fate, is_reply } = event else { return None };
    let (source, destination, carries_udp) = match network {
        Some(Network::Ends { source, destination, carries_udp }) => {
            (source, destination, carries_udp)
        }
        Some(Network::Other) => return None,
        Some(Network::Unread) | None => return Some(Err(LACKS_LAYERS)),
    };
    let (carries, ports) = match transport {
        Some(Transport::Udp { source_port, destination_port }) => {
            (Carries::Udp, (Some(source_port), Some(destination_port)))
        }
        Some(Transport::Icmp(Some(kind))) => (Carries::IcmpError(kind), (None, None)),
        None if carries_udp => return Some(Err(LACKS_LAYERS)),
        Some(Transport::Icmp(None) | Transport::Other) | None => (Carries::Other, (None, None)),
    };
    let side = match fate {
        Fate::Dropped if point.starts_with("Policy") => Side::Endpoint,
        _ => Side::of_point(&point),
    };
    Some(Ok(FlowEvent {
        stamp: None,
        source: Party { who: Who::Address(source), port: ports.0 },
        destination: Party { who: Who::Address(destination), port: ports.1 },
        carries,
        point,
        side,
        fate,
        is_reply,
    }))
}

fn find_part(text: &str) -> Option<Part> {
    /// The program prints 78 hyphens.
    const SEPARATOR_BYTES: usize = 40;
    const REMARKS: [&str; 3] =
        ["Failed to decode layer", "Packet has been truncated", "Unknown layer"];
    let text = text.trim();
    if text.starts_with("--") {
        let is_line = text.len() >= SEPARATOR_BYTES && text.bytes().all(|byte| byte == b'-');
        return is_line.then_some(Part::Separator);
    }
    if text.starts_with("CPU ") {
        return find_event(text).map(Part::Event);
    }
    if REMARKS.iter().any(|remark| text.starts_with(remark)) {
        return Some(Part::Remark);
    }
    find_layer(text)
}

/// `CPU 01: MARK 0x328f0a14 FROM 2929 to-endpoint: 62 bytes (62 captured), state new, …`,
/// `CPU 01: MARK 0x0 FROM 173 DROP: 86 bytes, reason Policy denied, identity 5->7479`.
fn find_event(text: &str) -> Option<Event> {
    let (_, rest) = text.split_once(" MARK ")?;
    let (_, rest) = rest.split_once(" FROM ")?;
    let (what, rest) = rest.split_once(": ")?;
    let (_, what) = what.split_once(' ')?;
    if what == "DEBUG" {
        return Some(Event::Debug);
    }
    if what == "DROP" {
        let (_, reason) = rest.split_once(", reason ")?;
        let end = [", identity ", ", to endpoint ", ", file ", ", ifindex "]
            .iter()
            .filter_map(|behind| reason.find(behind))
            .min();
        let point = reason.get(..end.unwrap_or(reason.len()))?.trim().to_owned();
        return Some(Event::Packet { point, fate: Fate::Dropped, is_reply: None });
    }
    let state = rest.split_once(", state ").map(|(_, state)| state);
    let state = state.and_then(|state| state.split([',', ' ']).next()).unwrap_or_default();
    let is_point = what.starts_with("to-") || what.starts_with("from-");
    is_point.then(|| Event::Packet {
        point: what.to_owned(),
        fate: Fate::Forwarded,
        is_reply: is_reply_state(state),
    })
}

/// `IPv4⇥{… SrcIP=192.0.2.9 DstIP=198.51.100.7 …}`; pages make a tab a space.
fn find_layer(text: &str) -> Option<Part> {
    let (name, fields) = text.split_once(['\t', ' '])?;
    let fields = fields.trim_start().strip_prefix('{').filter(|fields| fields.contains('='))?;
    Some(match name {
        "Ethernet" => {
            let carries = find_field(fields, "EthernetType=").unwrap_or_default();
            // Where the line is cut, the IP header is missing as well.
            let is_other = !carries.is_empty() && !carries.starts_with("IPv");
            Part::Network(if is_other { Network::Other } else { Network::Unread })
        }
        "IPv4" | "IPv6" => Part::Network(find_network(fields).unwrap_or(Network::Unread)),
        "UDP" => {
            let ports = find_port(fields, "SrcPort=").zip(find_port(fields, "DstPort="));
            let (source_port, destination_port) = ports?;
            Part::Transport(Transport::Udp { source_port, destination_port })
        }
        "ICMPv4" | "ICMPv6" => {
            let kind = find_field(fields, "TypeCode=").and_then(find_icmp_error);
            Part::Transport(Transport::Icmp(kind))
        }
        "TCP" | "SCTP" | "IGMP" | "VRRP" | "IPSecESP" | "IPSecAH" => {
            Part::Transport(Transport::Other)
        }
        "VXLAN" | "Geneve" => Part::Tunnel,
        _ => return None,
    })
}

fn find_network(fields: &str) -> Option<Network> {
    let source: IpAddr = find_field(fields, "SrcIP=")?.parse().ok()?;
    let destination: IpAddr = find_field(fields, "DstIP=")?.parse().ok()?;
    let protocol = find_field(fields, "Protocol=").or_else(|| find_field(fields, "NextHeader="));
    let is_first = find_field(fields, "FragOffset=").is_none_or(|offset| offset == "0");
    Some(Network::Ends {
        source: source.to_canonical(),
        destination: destination.to_canonical(),
        carries_udp: protocol == Some("UDP") && is_first,
    })
}

/// `69(tftp)`: gopacket names the ports that it knows.
fn find_port(fields: &str, name: &str) -> Option<u16> {
    find_field(fields, name)?.split('(').next()?.parse().ok()
}

/// The value of a field; `None` where the line ends in it, for then it may be cut.
fn find_field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let at = fields.match_indices(name).map(|(at, _)| at).find(|at| {
        at.checked_sub(1).is_none_or(|before| fields.as_bytes().get(before) == Some(&b' '))
    })?;
    let value = fields.get(at + name.len()..)?;
    value.get(..value.find([' ', '}'])?)
}

#[cfg(test)]
#[path = "monitor_block_tests.rs"]
mod tests;
