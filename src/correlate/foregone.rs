//! Answers whose request was before the capture, from another address than the one that
//! the same client goes on to ask.
//!
//! A capture that begins in mid-exchange shows `A:5683 > client` first, and then `client >
//! B:5683`. A socket of a client has a port of its own (RFC 6335 section 6), and who speaks
//! to it from the service's port has been asked from it. So both are of one conversation, as
//! far as can be seen, and it is not known who was asked before.

use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use super::tftp::is_tftp_protocol;
use crate::model::protocol::Protocol;

/// Puts the answers of an address that is not asked at what the same client asks elsewhere.
pub fn join(table: &mut PointTable) {
    let capture = table.id.capture;
    for position in 0..table.exchanges.len() {
        let Some(index) = ExchangeIndex::new(position) else { return };
        let Some(own) = find_asking(table, index) else { continue };
        table.clients.remove(&table.hasher, &mut table.exchanges, index);
        if let Ok([asks, answers]) = table.exchanges.get_disjoint_mut([own, position]) {
            asks.take_foregone(answers, capture);
        }
        table.discard(index);
    }
}

/// The position of what the client asks to whom the exchange at `index` only speaks.
fn find_asking(table: &PointTable, index: ExchangeIndex) -> Option<usize> {
    let answers = table.exchanges.get(index.position())?;
    if answers.is_vacant() || !answers.is_foregone() {
        return None;
    }
    let own = table.clients.exchanges(&table.hasher, &table.exchanges, answers.client);
    let mut others = own.filter(|(other, _)| *other != index);
    let (other, asks) = others.next()?;
    // Who talks to several may be answered by any of them.
    (others.next().is_none() && asks.goes_on_from(answers)).then_some(other.position())
}

impl Record {
    /// Whether it is nothing but what a server says from its port, and no word of it tells
    /// what it answers.
    fn is_foregone(&self) -> bool {
        let from_service = self.details.as_ref().is_some_and(|details| {
            let mut replies = details.replies.iter();
            replies.all(|replies| self.protocol.is_served_at(replies.source.port))
        });
        self.protocol.expects_answer()
            && !is_tftp_protocol(self.protocol)
            && self.is_reply_alone()
            && self.has_no_identity()
            && !Protocol::is_only_for_servers(self.client.port)
            && from_service
    }

    /// Whether its client asks somebody else at the port from which `answers` came shortly
    /// before, in vain.
    fn goes_on_from(&self, answers: &Self) -> bool {
        let source = answers.details.as_ref().and_then(|details| details.replies.first());
        let (Some(asked), Some(source)) = (self.asked, source.map(|replies| replies.source)) else {
            return false;
        };
        let (_, answered_until) = answers.times();
        let asked_at = self.requests.first.at;
        self.protocol == answers.protocol
            && asked.port == source.port
            && asked.address != source.address
            && self.requests.packets > 0
            && !self.is_answered()
            && self.has_no_identity()
            && self.details.as_ref().is_none_or(|details| details.icmp_errors.is_empty())
            && answers.times().0 <= asked_at
            && asked_at.distance(answered_until) <= super::fit::ANSWER_DELAY
    }
}
