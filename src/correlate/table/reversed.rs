//! Two endpoints that each ask the other something, on the same pair of ports.
//!
//! Both sides of SIP are client and server (RFC 3261 section 6), name servers ask
//! each other from port 53, time servers from port 123, and each side of ICE checks
//! whether it reaches the other (RFC 8445 section 7). What the second side asks
//! answers nothing that the first one asked: it is an exchange of its own.

use super::PointTable;
use crate::correlate::flows::Flow;
use crate::correlate::record::{ExchangeIndex, Record};
use crate::model::capture::FrameRef;
use crate::model::exchange::Origin;
use crate::model::packet::{Application, Datagram, Packet, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

impl PointTable {
    /// Takes a packet on a known flow as part of what the flow's server asks its client,
    /// where its role says so.
    pub(super) fn takes_reversed(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        flow: Flow,
    ) -> bool {
        let is_of_client = flow.client == datagram.flow.source;
        let transaction = match &datagram.application {
            Application::Transaction(transaction) => transaction,
            Application::Report(protocol) if !is_of_client => {
                return self.takes_report(packet, frame, datagram, (*protocol, flow));
            }
            _ => return false,
        };
        match (transaction.role, is_of_client) {
            (TransactionRole::Request, false) => {
                let known = self.find_reversed(flow);
                let Some(index) = known.or_else(|| self.open_reversed(datagram, transaction, flow))
                else {
                    return false;
                };
                self.exchanges[index.position()].request(packet, frame, datagram);
                self.payload_addresses.note(index, datagram);
                true
            }
            // SIP's ACK.
            (TransactionRole::Notification, false) => {
                let Some(index) = self.find_reversed(flow) else { return false };
                self.exchanges[index.position()].request(packet, frame, datagram);
                true
            }
            (TransactionRole::Reply, true) => {
                let known = self.find_reversed(flow);
                let answered =
                    known.filter(|index| self.exchanges[index.position()].is_answered_by(datagram));
                let Some(index) = answered else { return false };
                self.exchanges[index.position()].reply(packet, frame, datagram, Origin::Asked);
                true
            }
            (TransactionRole::Request | TransactionRole::Notification, true)
            | (TransactionRole::Reply, false)
            | (TransactionRole::Unread, _) => false,
        }
    }

    /// Takes what a collector reports itself, to the port at which the flow's client collects:
    /// relays of logs send each other theirs (RFC 5424 section 3). Nobody answers that.
    fn takes_report(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        (protocol, flow): (Protocol, Flow),
    ) -> bool {
        let Some(exchange) = self.exchanges.get(flow.exchange.position()) else { return false };
        let is_between_collectors = exchange.protocol.is_one_way()
            && flow.course.is_none()
            && !flow.client.is_unknown()
            && protocol.is_served_at(flow.client.port);
        if !is_between_collectors {
            return false;
        }
        let known = self.find_reversed(flow);
        let Some(index) = known.or_else(|| self.put_reversed(datagram, protocol, flow)) else {
            return false;
        };
        self.exchanges[index.position()].request(packet, frame, datagram);
        true
    }

    /// Notes what a tunnel carries from the flow's server to its client: either may have begun
    /// a handshake, and who sends data has taken the response.
    pub(super) fn tunnelled_back(&mut self, datagram: &Datagram, flow: Flow) {
        if self.reversed.is_empty() {
            return;
        }
        if let Some(index) = self.find_reversed(flow) {
            self.exchanges[index.position()].note_tunnelled(datagram);
        }
    }

    /// The exchange of what the flow's server asks its client.
    pub(super) fn find_reversed(&self, flow: Flow) -> Option<ExchangeIndex> {
        let index = *self.reversed.get(&flow.exchange)?;
        let exchange = self.exchanges.get(index.position())?;
        // The place may be another exchange's by now.
        let is_its = exchange.client == flow.server && exchange.asked == Some(flow.client);
        is_its.then_some(index)
    }

    fn open_reversed(
        &mut self,
        datagram: &Datagram,
        transaction: &Transaction,
        flow: Flow,
    ) -> Option<ExchangeIndex> {
        if !self.may_be_reversed(transaction, flow) {
            return None;
        }
        self.put_reversed(datagram, transaction.protocol, flow)
    }

    fn put_reversed(
        &mut self,
        datagram: &Datagram,
        protocol: Protocol,
        flow: Flow,
    ) -> Option<ExchangeIndex> {
        let index = self.free_place()?;
        let (client, asked) = (flow.server, flow.client);
        self.put(index, Record::open(protocol, client, Some(asked), datagram));
        self.clients.add(&self.hasher, &mut self.exchanges, index);
        self.reversed.insert(flow.exchange, index);
        Some(index)
    }

    /// Whether what the flow's server asks its client can be an exchange of its own.
    pub(super) fn may_be_reversed(&self, transaction: &Transaction, flow: Flow) -> bool {
        let Some(exchange) = self.exchanges.get(flow.exchange.position()) else { return false };
        let protocol = exchange.protocol;
        let is_own_flow = flow.course.is_none() && !flow.client.is_unknown();
        // Each side of ICE checks the other, and each of a tunnel may begin the handshake
        // (the whitepaper of WireGuard, section 5.1).
        let both_ask = matches!(protocol, Protocol::Stun | Protocol::Wireguard);
        is_own_flow
            && protocol == transaction.protocol
            && (both_ask || (protocol.expects_answer() && !protocol.moves_by_design()))
    }
}
