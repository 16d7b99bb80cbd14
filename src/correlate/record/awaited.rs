//! Which requests of an exchange still wait for an answer.

use std::time::Duration;

use super::Record;
use crate::correlate::count::Mark;
use crate::correlate::repetition::{COPY, is_untimed};
use crate::correlate::transactions::{LONGEST_RETRY, RETRY};
use crate::correlate::unanswered::Asks;
use crate::model::capture::FrameRef;
use crate::model::packet::{Application, Datagram, Packet, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

impl Record {
    /// Notes that a request waits for its answer; `before` is the request before it.
    pub(super) fn note_awaited(&mut self, datagram: &Datagram, before: Mark) {
        // Nobody answers these; a socket may send them all day.
        if self.protocol.is_one_way() {
            return;
        }
        let asks = match &datagram.application {
            Application::Transaction(transaction) => match transaction.role {
                TransactionRole::Request => Asks::of(transaction),
                // A peer's messages answer and ask at once (RFC 5905 section 9.2).
                TransactionRole::Reply if transaction.protocol == Protocol::Ntp => Asks::UNKNOWN,
                TransactionRole::Reply
                | TransactionRole::Notification
                | TransactionRole::Unread => {
                    return self.unanswered.pass(before);
                }
            },
            Application::Tftp(_)
            | Application::Plain(_)
            | Application::Report(_)
            | Application::Unknown { .. } => Asks::UNKNOWN,
        };
        self.unanswered.ask(asks, before, self.from_server.map(|last| last.at));
    }

    /// Notes a reply at the requests that it answers.
    pub(super) fn note_answered(&mut self, datagram: &Datagram) {
        match &datagram.application {
            Application::Transaction(answer) => {
                let is_known = self.transactions.knows(answer.identity);
                self.unanswered.answer(answer.identity, is_known, self.requests.last);
            }
            Application::Tftp(_)
            | Application::Plain(_)
            | Application::Report(_)
            | Application::Unknown { .. } => {
                self.unanswered.answer_all();
            }
        }
    }

    /// Whether `datagram` asks again what was asked, sooner after the last request of
    /// the same than anybody's timer runs: a mirror port's copy, behind another request.
    pub(super) fn repeats_at_once(&self, packet: &Packet, datagram: &Datagram) -> bool {
        let Application::Transaction(transaction) = &datagram.application else { return false };
        // Behind another request, or behind what followed the answer.
        let is_behind = self.requests.packets > 1
            || self.details.as_ref().is_some_and(|details| details.has_follow_ups());
        if transaction.role != TransactionRole::Request
            || !is_behind
            || !self.transactions.knows_request(transaction)
        {
            return false;
        }
        let last = self.requests.last;
        if is_untimed(packet.at, last.at) {
            return false;
        }
        self.unanswered
            .is_asked_at_once(Asks::of(transaction), packet.at, last)
            // Its answer came as quickly.
            .unwrap_or_else(|| {
                packet.at.distance(last.at) <= COPY
                    && self.from_server.is_some_and(|last| packet.at.distance(last.at) <= COPY)
            })
    }

    /// Whether a request whose identity is known asks anew: it was answered, and nobody
    /// would wait so long before asking again.
    pub(super) fn asks_anew(&self, frame: FrameRef, transaction: &Transaction) -> bool {
        self.is_answered()
            && !self.unanswered.is_open(transaction.identity)
            && self.from_server.is_some_and(|last| {
                frame.at.since(last.at) > self.longest_retry(transaction.protocol)
            })
    }

    /// Whether a reply, the first since one at `before`, answers what was asked anew: after
    /// long, or as another question under the identity that the client gives all of them.
    pub(super) fn answers_anew(
        &self,
        packet: &Packet,
        datagram: &Datagram,
        before: Timestamp,
    ) -> bool {
        let Application::Transaction(transaction) = &datagram.application else { return false };
        let is_late = || packet.at.since(before) > self.longest_retry(transaction.protocol);
        self.transactions.awaits(transaction.identity)
            || (is_late() && self.unanswered.is_open(transaction.identity))
    }

    /// How long after an answer a client that does not take it asks again, at most.
    /// Identities that stay the same occur: nothing but habit makes clients of SNMP and NTP
    /// change theirs, and few of them wait for long.
    fn longest_retry(&self, protocol: Protocol) -> Duration {
        let mut replies = self.details.iter().flat_map(|details| &details.replies);
        let are_changed = replies.any(|replies| replies.origin.is_other_endpoint());
        match protocol {
            Protocol::Snmp | Protocol::SnmpInform | Protocol::Ntp if !are_changed => *RETRY.end(),
            _ => LONGEST_RETRY,
        }
    }
}
