//! What a DHCP server says to a relay.
//!
//! It answers to the address that the relay wrote into the request, `giaddr`, at the
//! servers' port (RFC 2131 section 4.1). That is the relay's address on its clients' link;
//! the request came from the one on the link to the server. Which request an answer is for
//! its transaction id tells, which the client chose (section 2).

use std::collections::VecDeque;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::PointTable;
use super::lease::OFFER_DELAY;
use crate::correlate::record::{ExchangeIndex, is_group};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Origin;
use crate::model::packet::{Application, Datagram, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Where servers and relays listen.
const PORT: u16 = 67;
/// Requests of relays that are remembered: of more, the latest. Those of a campus are
/// answered within seconds.
const MAX_REQUESTS: usize = 4_096;
/// Relays that pass one request on, or whose requests show no id.
const MAX_RELAYS: usize = 32;

/// What relays ask: of which server, under which identity.
#[derive(Debug, Default)]
pub struct Relays {
    asked: HashMap<Request, SmallVec<[ExchangeIndex; 2]>>,
    /// The same, the earliest first.
    in_order: VecDeque<Request>,
}

/// A server, and the identity of what it is asked, where that was read.
type Request = (Endpoint, Option<u64>);

impl Relays {
    /// Notes a datagram of the client of `exchange`, if it is a relay's request.
    pub fn note(&mut self, exchange: ExchangeIndex, datagram: &Datagram) {
        let server = datagram.flow.destination;
        if !is_between_servers(datagram) || is_group(server.address) {
            return;
        }
        let Some(identity) = find_identity(datagram, TransactionRole::Request) else { return };
        let request = (server, identity);
        let is_new = !self.asked.contains_key(&request);
        if is_new
            && self.in_order.len() >= MAX_REQUESTS
            && let Some(earliest) = self.in_order.pop_front()
        {
            self.asked.remove(&earliest);
        }
        let relays = self.asked.entry(request).or_default();
        if !relays.contains(&exchange) {
            if relays.len() >= MAX_RELAYS {
                relays.remove(0);
            }
            relays.push(exchange);
        }
        if is_new {
            self.in_order.push_back(request);
        }
    }
}

impl PointTable {
    /// Takes what a server says to a relay's other address, where that is
    /// [between servers](is_between_servers), as the answer to the latest request with that
    /// identity: one that waits, or else, of an answer that comes twice or of a second
    /// server, one that was just answered. A server may answer from another address than the
    /// one asked; then its answer is for the one relay that waits for it.
    pub(super) fn reply_to_relay(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        if is_group(destination.address) {
            return false;
        }
        let Some(identity) = find_identity(datagram, TransactionRole::Reply) else { return false };
        let Some(relays) = self.relays.asked.get(&(source, identity)) else {
            let only = identity.and_then(|identity| self.find_only_waiting(identity, packet.at));
            let Some(only) = only.filter(|_| !self.is_asked_by(source, destination)) else {
                return false;
            };
            self.exchanges[only.position()].reply(packet, frame, datagram, Origin::ByDesign);
            return true;
        };
        if self.is_asked_by(source, destination) {
            return false;
        }
        let may_be = relays.iter().filter_map(|index| {
            let relay = self.exchanges.get(index.position())?;
            // The place may be another exchange's by now.
            let is_its = relay.protocol == Protocol::Dhcp && relay.asked == Some(source);
            let asked_at = relay.requests.last.at;
            let is_timely = packet.at.since(asked_at) <= OFFER_DELAY;
            let waits = match identity {
                Some(identity) => relay.unanswered.is_open(identity),
                None => !relay.unanswered.is_empty(),
            };
            let rank: (bool, Timestamp) = (waits, asked_at);
            (is_its && is_timely && relay.is_answered_by(datagram)).then_some((rank, *index))
        });
        let Some((_, latest)) = may_be.max_by_key(|(rank, _)| *rank) else { return false };
        // No flow is registered: several relays may have one such address.
        self.exchanges[latest.position()].reply(packet, frame, datagram, Origin::ByDesign);
        true
    }

    /// The exchange that waits for an answer with this identity, whomever it asked; `None`
    /// where several do: then the answer is any's.
    fn find_only_waiting(&self, identity: u64, at: Timestamp) -> Option<ExchangeIndex> {
        let of_identity = |(_, known): &&Request| *known == Some(identity);
        let requests = self.relays.in_order.iter().filter(of_identity);
        let relays = requests.filter_map(|request| self.relays.asked.get(request)).flatten();
        let mut waiting = relays.filter(|index| {
            let relay = self.exchanges.get(index.position());
            relay.is_some_and(|relay| {
                relay.protocol == Protocol::Dhcp
                    && relay.unanswered.is_open(identity)
                    && at.since(relay.requests.last.at) <= OFFER_DELAY
            })
        });
        waiting.next().copied().filter(|_| waiting.next().is_none())
    }

    /// Whether `relay` itself asked `server`, from the address that is answered.
    fn is_asked_by(&self, server: Endpoint, relay: Endpoint) -> bool {
        let flow = self.flows.look(&self.hasher, &self.exchanges, server, relay);
        flow.filter(|flow| flow.client == relay)
            .and_then(|flow| self.exchanges.get(flow.exchange.position()))
            .is_some_and(|exchange| exchange.requests.packets > 0)
    }
}

/// Whether a datagram goes between two ports at which only servers and relays listen.
pub(super) fn is_between_servers(datagram: &Datagram) -> bool {
    (datagram.flow.source.port, datagram.flow.destination.port) == (PORT, PORT)
}

/// The identity of a DHCP message with this role: `Some(None)` where it was not read, `None`
/// where it is no such message.
#[expect(clippy::option_option, reason = "an identity that was not read is still a message")]
fn find_identity(datagram: &Datagram, role: TransactionRole) -> Option<Option<u64>> {
    match &datagram.application {
        Application::Plain(Protocol::Dhcp) => Some(None),
        Application::Transaction(said) if said.protocol == Protocol::Dhcp => {
            (said.role == role).then_some(Some(said.identity))
        }
        Application::Plain(_)
        | Application::Report(_)
        | Application::Transaction(_)
        | Application::Tftp(_)
        | Application::Unknown { .. } => None,
    }
}
