//! What a DHCP server says to a relay.
//!
//! It answers to the address that the relay wrote into the request, `giaddr`, at the
//! servers' port (RFC 2131 section 4.1). That is the relay's address on its clients' link;
//! the request came from the one on the link to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use smallvec::SmallVec;

use super::PointTable;
use crate::correlate::record::{ExchangeIndex, is_group};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Origin;
use crate::model::packet::{Application, Datagram, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Where servers and relays listen.
const PORT: u16 = 67;
/// Servers that relays ask, and relays that ask one of them: a network has few.
const MAX_SERVERS: usize = 256;
const MAX_RELAYS: usize = 32;
/// A client that got nothing asks again after so long (RFC 2131 section 4.1).
const OFFER_DELAY: Duration = Duration::from_secs(10);

/// What relays ask, by the server that they ask.
#[derive(Debug, Default)]
pub struct Relays(BTreeMap<Endpoint, SmallVec<[ExchangeIndex; 2]>>);

impl Relays {
    /// Notes that `exchange` is opened by `client`, which asks `server`.
    pub fn note(&mut self, exchange: ExchangeIndex, client: Endpoint, server: Endpoint) {
        if (client.port, server.port) != (PORT, PORT) || is_group(server.address) {
            return;
        }
        if self.0.len() >= MAX_SERVERS && !self.0.contains_key(&server) {
            return;
        }
        let relays = self.0.entry(server).or_default();
        if relays.len() < MAX_RELAYS && !relays.contains(&exchange) {
            relays.push(exchange);
        }
    }
}

impl PointTable {
    /// Takes what a server says to a relay's other address as the answer to the latest
    /// request of a relay that still waits for one.
    pub(super) fn reply_to_relay(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let is_to_relay = (source.port, destination.port) == (PORT, PORT)
            && is_dhcp(datagram)
            && !is_group(destination.address);
        if !is_to_relay {
            return false;
        }
        let Some(relays) = self.relays.0.get(&source) else { return false };
        let waiting = relays.iter().filter(|index| {
            // The place may be another exchange's by now.
            self.exchanges.get(index.position()).is_some_and(|relay| {
                relay.protocol == Protocol::Dhcp
                    && relay.asked == Some(source)
                    && !relay.unanswered.is_empty()
                    && relay.is_answered_by(datagram)
                    && packet.at.since(relay.requests.last.at) <= OFFER_DELAY
            })
        });
        let asked_at = |index: &&ExchangeIndex| -> Timestamp {
            self.exchanges[index.position()].requests.last.at
        };
        let Some(latest) = waiting.max_by_key(asked_at).copied() else { return false };
        // No flow is registered: several relays may have one such address.
        self.exchanges[latest.position()].reply(packet, frame, datagram, Origin::ByDesign);
        true
    }
}

fn is_dhcp(datagram: &Datagram) -> bool {
    match &datagram.application {
        Application::Plain(protocol) => *protocol == Protocol::Dhcp,
        Application::Transaction(transaction) => transaction.protocol == Protocol::Dhcp,
        Application::Tftp(_) | Application::Unknown { .. } => false,
    }
}
