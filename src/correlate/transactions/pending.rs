//! One transaction of an exchange: what it asks, and who answered it when.

use std::num::NonZeroU32;
use std::time::Duration;

use super::CROSSING;
use crate::correlate::signature::{shorten, shorten_to_nonzero};
use crate::model::packet::Transaction;
use crate::model::time::Timestamp;

/// A transaction that may still be answered, or asked again.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// Half of a hash, less two bits, tells eight transactions apart well enough. The
    /// two say who answered since it was asked last.
    identity: u32,
    pub(super) question: Option<NonZeroU32>,
    /// [`NEVER`] while it is open.
    pub(super) answered_at: Timestamp,
}

/// The time of an answer that did not come.
pub(super) const NEVER: Timestamp = Timestamp::from_nanoseconds(i64::MIN);

/// Who answers a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    /// The endpoint that was asked.
    Asked,
    Other,
}

impl Pending {
    /// The bits of `identity` that say who answered.
    const ANSWERERS: u32 = 0b11 << 30;

    pub(super) const fn new(identity: u64, question: Option<NonZeroU32>) -> Self {
        Self { identity: shorten(identity) & !Self::ANSWERERS, question, answered_at: NEVER }
    }

    pub(super) const fn is(&self, identity: u64) -> bool {
        self.identity & !Self::ANSWERERS == shorten(identity) & !Self::ANSWERERS
    }

    /// Whether both questions are known, and differ.
    pub(super) fn asks_other_than(&self, question: Option<NonZeroU32>) -> bool {
        self.question.zip(question).is_some_and(|(own, other)| own != other)
    }

    const fn bit(by: Answerer) -> u32 {
        match by {
            Answerer::Asked => 1 << 30,
            Answerer::Other => 1 << 31,
        }
    }

    pub(super) const fn is_answered_by(&self, by: Answerer) -> bool {
        self.identity & Self::bit(by) != 0
    }

    pub(super) const fn note_answerer(&mut self, by: Answerer) {
        self.identity |= Self::bit(by);
    }

    pub(super) const fn forget_answerers(&mut self) {
        self.identity &= !Self::ANSWERERS;
    }

    /// Whether it was answered, at most `within` before `at`, and long enough
    /// for the answer to have reached the client.
    pub(super) fn was_answered(&self, at: Timestamp, within: Duration) -> bool {
        self.answered_at != NEVER && (CROSSING..=within).contains(&at.since(self.answered_at))
    }
}

/// What a request asks, in as few bytes as tell it from the others of its exchange.
pub(super) fn find_question(transaction: &Transaction) -> Option<NonZeroU32> {
    transaction.question.map(shorten_to_nonzero)
}
