//! Rows of Wireshark's packet list in their order, and ports for those that name none.
//!
//! The packet list names the ports of what Wireshark reads no further only. So the request
//! of a TFTP transfer has none, and what a node answers from another address has. The port
//! of the client is then that of the next such row; where no row names it, it is 0.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::columns::{Sender, Unported, name_inform};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Content, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Rows that are held while a request waits for its client's port.
const LIMIT_HELD: usize = 64;
/// An answer does not take longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clients, and flows with ports, that are remembered.
const LIMIT_KNOWN: usize = 4_096;
/// Servers of one client and protocol that are remembered.
const LIMIT_SERVERS: usize = 16;

/// The service of TFTP, whose server goes on from a port of its own (RFC 1350 section 4).
const TFTP_PORT: u16 = 69;

/// A row that is to be handed out.
#[derive(Debug)]
pub struct Held {
    pub line: u64,
    pub frame: u64,
    pub at: Timestamp,
    /// `None` of what is of no concern.
    pub packet: Option<Packet>,
    /// Where the row names no ports: what the packet is to be made of.
    pub unported: Option<Unported>,
}

/// Rows on their way.
#[derive(Debug, Default)]
pub struct Rows {
    held: VecDeque<Held>,
    /// Requests of a client at a service, the latest last.
    asked: HashMap<(IpAddr, u16), Vec<Asked>>,
    /// Flows with ports that were handed out.
    flows: HashSet<(Endpoint, Endpoint)>,
    count: u64,
}

/// What is known of a client's socket, and of whom it asked.
#[derive(Debug, Clone, Copy)]
struct Asked {
    server: IpAddr,
    /// Zero where no row names it.
    client_port: u16,
    /// The port from which a TFTP transfer was answered, by whomever.
    answered_from: Option<u16>,
    /// Requests in their order.
    number: u64,
}

/// What the rows behind a request say of its client's port.
enum Outlook {
    Port(u16),
    /// There will be none.
    Nothing,
    Open,
}

impl Rows {
    /// Takes the next row.
    pub fn push(&mut self, row: Held) {
        self.held.push_back(row);
    }

    /// The next row to be handed out, its ports filled in; `None` where it has to wait.
    /// `is_end` says that no further row comes. A row that cannot be placed comes without
    /// a packet, and its `unported` is still there.
    pub fn take(&mut self, is_end: bool) -> Option<Held> {
        let first = self.held.front()?;
        let mut port = None;
        if let Some(request) = first.unported.as_ref().filter(|row| row.asks()) {
            match self.look_ahead(first, request) {
                Outlook::Port(found) => port = Some(found),
                Outlook::Nothing => {}
                Outlook::Open if is_end || self.is_overdue(first.at) => {}
                Outlook::Open => return None,
            }
        }
        let mut row = self.held.pop_front()?;
        match row.unported.take() {
            None => self.learn(row.packet.as_ref()),
            Some(unported) => match self.place(&unported, port) {
                Some(flow) => {
                    row.packet = row.packet.map(|packet| with_ports(packet, flow, &unported));
                }
                None => row = Held { packet: None, unported: Some(unported), ..row },
            },
        }
        Some(row)
    }

    fn is_overdue(&self, since: Timestamp) -> bool {
        let last = self.held.back().map_or(since, |last| last.at);
        self.held.len() > LIMIT_HELD || last.since(since) > PATIENCE
    }

    /// What the rows behind the first say of the port from which it was sent.
    fn look_ahead(&self, first: &Held, request: &Unported) -> Outlook {
        let (client, server) = (request.source, request.destination);
        let known = self.find_known(client, request.services, server).map(|(_, asked)| asked);
        let known_port = known.map(|asked| asked.client_port).filter(|port| *port > 0);
        for row in self.held.iter().skip(1) {
            if row.at.since(first.at) > PATIENCE {
                return Outlook::Nothing;
            }
            if let Some(other) = &row.unported {
                let is_again = other == request;
                let is_next = other.source == client
                    && other.destination == server
                    && other.services == request.services;
                let is_answer = other.destination == client
                    && other.services.iter().any(|port| request.services.contains(port));
                if !is_again && (is_next || is_answer) {
                    return Outlook::Nothing;
                }
                continue;
            }
            let Some(FlowKey { source, destination, .. }) = flow_of(row.packet.as_ref()) else {
                continue;
            };
            if source.address == client && destination.address == server {
                return Outlook::Port(source.port);
            }
            if destination.address == client
                && (Some(destination.port) == known_port || self.may_answer(source, destination))
            {
                return Outlook::Port(destination.port);
            }
        }
        Outlook::Open
    }

    /// Whether a datagram with ports may be the first answer to a request without: it is
    /// none of a conversation before it, and of no protocol that the ports tell.
    fn may_answer(&self, source: Endpoint, destination: Endpoint) -> bool {
        let is_known = self.flows.contains(&(source, destination))
            || self.flows.contains(&(destination, source));
        let is_service = [source.port, destination.port]
            .into_iter()
            .any(|port| Protocol::of_port(port).is_some());
        !is_known && !is_service
    }

    /// The ends of a row without ports. `found` is the client's port, if rows behind it
    /// name it. `None` where it is not known who is the client.
    fn place(&mut self, row: &Unported, found: Option<u16>) -> Option<FlowKey> {
        let (source, destination) = (row.source, row.destination);
        let to_server = self.find_known(source, row.services, destination);
        let to_client = self.find_known(destination, row.services, source);
        let is_of = |known: Option<(u16, Asked)>, server: IpAddr| {
            known.is_some_and(|(_, asked)| asked.server == server)
        };
        let is_client = match row.sender {
            Sender::Client => true,
            Sender::Server => false,
            Sender::Unknown => is_of(to_server, destination) || !is_of(to_client, source),
            Sender::InMidst if is_of(to_server, destination) => true,
            Sender::InMidst if is_of(to_client, source) => false,
            Sender::InMidst => return None,
        };
        let known = if is_client { to_server } else { to_client };
        let (service, asked) = match known {
            Some((service, asked)) => (service, Some(asked)),
            None => (*row.services.first()?, None),
        };
        let client_port = found.or(asked.map(|asked| asked.client_port)).unwrap_or(0);
        let is_request = row.asks();
        if is_client {
            self.note_asked(source, service, destination, client_port, is_request);
        }
        // What follows a TFTP request goes on between ports of which none is printed.
        let server_port = if service == TFTP_PORT && !is_request {
            asked.and_then(|asked| asked.answered_from).unwrap_or(0)
        } else {
            service
        };
        Some(if is_client {
            let client = Endpoint::new(source, client_port);
            FlowKey::udp(client, Endpoint::new(destination, server_port))
        } else {
            let client = Endpoint::new(destination, client_port);
            FlowKey::udp(Endpoint::new(source, server_port), client)
        })
    }

    fn note_asked(
        &mut self,
        client: IpAddr,
        service: u16,
        server: IpAddr,
        client_port: u16,
        is_request: bool,
    ) {
        self.count += 1;
        let number = self.count;
        if self.asked.len() >= LIMIT_KNOWN {
            self.asked.clear();
        }
        let asked = self.asked.entry((client, service)).or_default();
        let before = asked.iter().position(|asked| asked.server == server);
        let before = before.map(|position| asked.remove(position));
        if asked.len() >= LIMIT_SERVERS {
            asked.remove(0);
        }
        let answered_from = before.and_then(|asked| asked.answered_from);
        let is_new = before.is_none_or(|asked| asked.client_port != client_port);
        let answered_from = answered_from.filter(|_| !(is_request && is_new));
        asked.push(Asked { server, client_port, answered_from, number });
    }

    /// What `client` asked `server` at one of `services`, or else anybody: the latest.
    fn find_known(&self, client: IpAddr, services: &[u16], server: IpAddr) -> Option<(u16, Asked)> {
        let known = services.iter().flat_map(|service| {
            let asked = self.asked.get(&(client, *service)).into_iter().flatten();
            asked.map(|asked| (*service, *asked))
        });
        known.max_by_key(|(_, asked)| (asked.server == server, asked.number))
    }

    /// Takes what a row with ports says of a transfer's.
    fn learn(&mut self, packet: Option<&Packet>) {
        let Some(FlowKey { source, destination, .. }) = flow_of(packet) else { return };
        if self.flows.len() >= LIMIT_KNOWN {
            self.flows.clear();
        }
        self.flows.insert((source, destination));
        let asked = self.asked.get_mut(&(destination.address, TFTP_PORT));
        let of_socket = asked
            .into_iter()
            .flatten()
            .filter(|asked| asked.client_port == destination.port && asked.client_port > 0);
        if let Some(latest) = of_socket.max_by_key(|asked| asked.number) {
            latest.answered_from = Some(source.port);
        }
    }
}

impl Unported {
    /// Whether it opens a conversation, as far as the row says.
    fn asks(&self) -> bool {
        self.sender == Sender::Client
    }
}

fn flow_of(packet: Option<&Packet>) -> Option<FlowKey> {
    match packet.map(|packet| &packet.content) {
        Some(Content::Datagram(datagram)) => Some(datagram.flow),
        _ => None,
    }
}

fn with_ports(packet: Packet, flow: FlowKey, row: &Unported) -> Packet {
    let Content::Datagram(mut datagram) = packet.content else { return packet };
    datagram.flow = flow;
    name_inform(&mut datagram.application, &flow);
    datagram.length = row.length;
    Packet { content: Content::Datagram(datagram), ..packet }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
