//! Answers that leave a host as they are, though it translated their request.
//!
//! One interface, or files of several that were merged into one, may show the request before
//! and behind the translation, and the answer only as the pod sent it. Mostly that is on its
//! way to be translated back. Where it is seen once more with one hop less and the same
//! source, the host has passed it on like that (RFC 791 section 3.2, RFC 8200 section 3: who
//! forwards a packet takes one off its hop limit), and the client gets it so: unless what it
//! asked answers as well, for then another host translated it back.
//!
//! A client that refuses the answer with ICMP shows it, too: its error goes to whom the answer
//! came from (RFC 1122 section 3.2.2, RFC 4443 section 2.2), and so past the point that saw
//! the request if that was whom it had asked.

use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use crate::model::packet::IcmpKind;
use crate::model::report::Quotes;

/// Shows clients the answers that are known to have left `translated` as they are.
pub fn show(own: &mut PointTable, translated: &mut PointTable) {
    let left = std::mem::take(&mut translated.left_untranslated);
    for (position, copy) in translated.exchanges.iter_mut().enumerate() {
        let is_left = ExchangeIndex::new(position).is_some_and(|index| left.contains(&index));
        if !is_left && !refuses_answers(copy) {
            continue;
        }
        let Some(position) = find_request(own, copy) else { continue };
        if let Some(request) = own.exchanges.get_mut(position) {
            request.take_answers_of(copy, own.id.capture);
        }
    }
}

/// Whether the client itself refuses answers.
fn refuses_answers(copy: &Record) -> bool {
    let mut errors = copy.details.iter().flat_map(|details| &details.icmp_errors);
    errors.any(|errors| {
        errors.kind == IcmpKind::PortUnreachable
            && errors.quotes == Quotes::Reply
            && errors.from == copy.client.address
    })
}

/// The position of the request of which `copy` is the translated one, if nobody answered it.
fn find_request(own: &PointTable, copy: &Record) -> Option<usize> {
    if copy.is_vacant() || !copy.is_answered() {
        return None;
    }
    let mut requests = own.clients.exchanges(&own.hasher, &own.exchanges, copy.client);
    let found = requests.find(|(_, request)| {
        request.requests.packets > 0
            && request.opening() == copy.opening()
            && request.opening().is_sure()
            && request.asked.is_some()
            && request.asked != copy.asked
    });
    let (index, request) = found?;
    let is_silent = !request.is_answered()
        && request.details.as_ref().is_none_or(|details| details.icmp_errors.is_empty());
    is_silent.then_some(index.position())
}
