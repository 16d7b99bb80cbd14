//! Packets of flows that are known.

use super::PointTable;
use crate::correlate::fit::Fit;
use crate::correlate::flows::{Flow, Foreseen};
use crate::correlate::record::{ExchangeIndex, Record, Renewal};
use crate::correlate::tftp::{is_tftp_protocol, tftp_shape};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Course;
use crate::model::packet::{Application, Datagram, Packet, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;

impl PointTable {
    pub(super) fn known_flow(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        foreseen: Foreseen,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let found = self.flows.find_foreseen(&self.exchanges, foreseen, source, destination);
        let Some(flow) = found else { return false };
        if self.takes_reversed(packet, frame, datagram, flow) {
            return true;
        }
        if flow.client != source && self.answers_another(flow, packet, datagram) {
            self.leave(flow);
            return self.reply_from_elsewhere(packet, frame, datagram);
        }
        if flow.client == source && self.stray_answer(packet, frame, datagram, flow) {
            return true;
        }
        let is_behind = self.is_behind();
        let exchange = &mut self.exchanges[flow.exchange.position()];
        if flow.client != source {
            // Of unknown clients only the transaction tells which one is answered.
            if flow.client.is_unknown() && !exchange.is_answered_by(datagram) {
                return false;
            }
            exchange.count_payload_reply(destination);
            let leaves = is_behind && exchange.is_answer_passed_on(packet, datagram);
            exchange.reply(packet, frame, datagram, flow.origin);
            if leaves {
                self.left_untranslated.insert(flow.exchange);
            }
            if exchange.protocol == Protocol::Wireguard {
                self.tunnelled_back(datagram, flow);
            }
            return true;
        }
        if exchange.asked.is_none() && !is_tftp_protocol(exchange.protocol) {
            exchange.ask(flow.server);
        }
        match flow.course {
            Some(course) => exchange.follow_up(packet, frame, datagram, course),
            // Who acknowledges an answer of the endpoint asked follows it.
            None if acknowledges(datagram) && exchange.answers.packets > 0 => {
                exchange.follow_up(packet, frame, datagram, Course::ToAnswerer);
            }
            None if !is_tftp_protocol(exchange.protocol) => {
                exchange.request(packet, frame, datagram);
                self.payload_addresses.note(flow.exchange, datagram);
                self.identities.note(flow.exchange, datagram);
                self.relays.note(flow.exchange, datagram);
            }
            None => self.transfer_request(packet, frame, datagram, flow),
        }
        true
    }

    /// Takes a client's packet to the endpoint of which it asked a TFTP transfer.
    fn transfer_request(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        flow: Flow,
    ) {
        let exchange = &mut self.exchanges[flow.exchange.position()];
        if let Some(renewal) = exchange.find_renewal(datagram, packet.at) {
            if renewal == Renewal::SameAgain {
                self.forget_answerers(flow.exchange);
            }
            let hash = self.hasher.pair(flow.client, flow.server);
            self.open(packet, frame, datagram, hash);
        } else if is_late_for_request(exchange, datagram) {
            let course = course_at_asked_port(exchange, flow.server);
            exchange.follow_up(packet, frame, datagram, course);
        } else {
            exchange.request(packet, frame, datagram);
        }
    }

    /// Lets go of the endpoints that answered a transfer which is over: a server may
    /// answer the next one from the same port.
    fn forget_answerers(&mut self, index: ExchangeIndex) {
        let Some(exchange) = self.exchanges.get(index.position()) else { return };
        let client = exchange.client;
        let replies = exchange.details.iter().flat_map(|details| &details.replies);
        let sources: Vec<Endpoint> = replies.map(|replies| replies.source).collect();
        for source in sources {
            self.flows.forget(&self.hasher, &self.exchanges, client, source);
            self.by_tid.remove(&source);
        }
    }

    /// Whether a reply on a flow of which no request was captured answers what the
    /// same client asked since: the capture began in the middle of an exchange.
    fn answers_another(&self, flow: Flow, packet: &Packet, datagram: &Datagram) -> bool {
        let exchange = &self.exchanges[flow.exchange.position()];
        // Blocks of a transfer ask nobody; a server may answer the next request from the
        // port of the last one.
        let begins_anew = || {
            exchange.is_midway()
                && tftp_shape(datagram).is_some_and(TftpMessage::can_answer_request)
        };
        let is_other = |(index, fit): (ExchangeIndex, Fit)| fit.is_sure() && index != flow.exchange;
        (exchange.asked.is_none() || begins_anew())
            && self.best_reply_fit(datagram, packet.at).is_some_and(is_other)
    }

    /// Gives up a flow that turns out to be another exchange's, and the exchange
    /// that it began, if that was nothing but its replies.
    fn leave(&mut self, flow: Flow) {
        let exchange = &self.exchanges[flow.exchange.position()];
        if exchange.asked == Some(flow.server) {
            self.flows.forget_own(&self.hasher, exchange, flow.exchange);
        }
        self.flows.forget(&self.hasher, &self.exchanges, flow.client, flow.server);
        self.by_tid.remove(&flow.server);
        if self.exchanges[flow.exchange.position()].is_reply_alone() {
            self.clients.remove(&self.hasher, &mut self.exchanges, flow.exchange);
            self.discard(flow.exchange);
        }
    }
}

/// Whether a datagram neither asks nor answers: SIP's ACK, CoAP's acknowledgement.
fn acknowledges(datagram: &Datagram) -> bool {
    matches!(&datagram.application, Application::Transaction(transaction)
        if transaction.role == TransactionRole::Notification)
}

/// TFTP to the port asked that is no request. Where nobody answered, its bytes must say so.
fn is_late_for_request(exchange: &Record, datagram: &Datagram) -> bool {
    match tftp_shape(datagram) {
        Some(message) => !message.is_request(),
        None => exchange.is_answered() && !exchange.is_request_by_length(datagram),
    }
}

/// DATA or ACK on the port that only takes requests (RFC 1350 section 4), unless a
/// single-port server answered from there, or may have where no answer was captured:
/// nobody sends DATA before one.
fn course_at_asked_port(exchange: &Record, asked: Endpoint) -> Course {
    if !exchange.is_answered() {
        return Course::AnswererUnseen;
    }
    let answered_from_there =
        exchange.details.as_ref().is_some_and(|details| details.knows_reply_from(asked));
    if answered_from_there { Course::ToAnswerer } else { Course::ToAskedPort }
}
