//! Requests that were not answered among others that were.

use std::time::Duration;

use super::{Habit, Reading};
use crate::model::exchange::Tally;
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;

/// Of so many requests one may be lost, as datagrams are: that is no fault by itself.
const ORDINARY_LOSS: u64 = 20;
/// Who asked something else so much later went on without this answer.
const WENT_ON: Duration = Duration::from_secs(1);

impl Reading<'_> {
    /// The requests that nothing answered, though others of the same socket were
    /// answered after them, and how sure it is that this is a fault. A request that
    /// was repeated in vain was missed; others may have been lost alone.
    #[must_use]
    pub fn passed_over(&self) -> Option<(Tally, Confidence)> {
        let passed = self.view.passed_over;
        let (first, last) = (passed.first?, passed.last?);
        let counts = self.habit == Habit::Conversation
            && self.is_answered()
            && self.exchange.protocol.expects_answer()
            && self.exchange.protocol != Protocol::Tftp
            && !self.has_asymmetry()
            && self.is_silent_since(first);
        let is_share = passed.packets * ORDINARY_LOSS >= self.view.requests.packets;
        let went_on =
            self.view.requests.last.is_some_and(|request| request.at.since(last.at) >= WENT_ON);
        // A message of CoAP that wants no answer looks like any other (RFC 7967), but
        // for that nobody repeats it.
        if self.exchange.protocol == Protocol::Coap && passed.repeats == 0 {
            return None;
        }
        let confidence = match (passed.packets, passed.repeats) {
            (_, 1..) => Confidence::Likely,
            (2.., _) if is_share => Confidence::Likely,
            (1, _) if is_share && !went_on => Confidence::Possible,
            _ => return None,
        };
        counts.then_some((passed, confidence))
    }
}
