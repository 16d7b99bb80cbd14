//! Answers whose request was before the capture, from another address than the one that
//! the same client goes on to ask.
//!
//! A capture that begins in mid-exchange shows `A:5683 > client` twice, and then `client >
//! B:5683`. Who says the same again was not heard, or heard nothing: a message of CoAP comes
//! again until it is acknowledged (RFC 7252 section 4.2), a final response of SIP likewise
//! (RFC 3261 section 13.3.1.4). As the client speaks to the same port of another address in
//! the meantime, both may be of one conversation, and it is not known who was asked before.
//! A single answer says no more than that the client had asked A before it asked B, as a
//! client does that is set to several servers.

use super::count::CountWithRepeat;
use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use super::tftp::is_tftp_protocol;
use crate::model::exchange::SOONEST_REPEAT;
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
    /// Whether it is nothing but what a server says again from its port, and no word of it
    /// tells what it answers.
    fn is_foregone(&self) -> bool {
        let repeats_itself = |tally: &CountWithRepeat| {
            let count = tally.count;
            !tally.repeats.is_none() && count.last.at.since(count.first.at) >= SOONEST_REPEAT
        };
        let from_service = self.details.as_ref().is_some_and(|details| {
            details.replies.iter().all(|replies| {
                self.protocol.is_served_at(replies.source.port) && repeats_itself(&replies.tally)
            })
        });
        self.protocol.expects_answer()
            // There a server says something once for each request.
            && !self.protocol.asks_whom_it_is_set_to()
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
