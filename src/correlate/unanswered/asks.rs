//! What a request asks, in as few bytes as tell it from the others of its exchange.

use std::num::{NonZeroU16, NonZeroU32};

use crate::correlate::signature::shorten_to_nonzero;
use crate::model::packet::Transaction;

/// What a request asks, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// What its answer shares with it; `None` where nothing is read of it.
    pub(super) identity: Option<NonZeroU32>,
    /// The same where the same is asked again under another identity.
    pub(super) question: Option<NonZeroU16>,
}

impl Asks {
    /// Nothing is read of the request but that it is one.
    pub const UNKNOWN: Self = Self { identity: None, question: None };

    pub fn of(transaction: &Transaction) -> Self {
        Self {
            identity: Some(shorten_to_nonzero(transaction.identity)),
            question: transaction.question.map(|question| halve(shorten_to_nonzero(question))),
        }
    }

    /// An order in which transactions stand by chance.
    pub(super) fn rank(self) -> u32 {
        let identity = self.identity.map_or(0, NonZeroU32::get);
        let question = u32::from(self.question.map_or(0, NonZeroU16::get));
        (identity ^ question.rotate_left(16)).wrapping_mul(0x9e37_79b1)
    }

    /// Whether these are two transactions: of two identities, or of one that the client
    /// never changes and two questions.
    pub(super) fn is_other_than(self, other: Self) -> bool {
        self.identity != other.identity
            || self.question.zip(other.question).is_some_and(|(one, other)| one != other)
    }

    /// Whether a client that has its answer to `answered` has what this asks, too: the
    /// same question, or one that cannot be told from it and was asked before.
    pub(super) fn is_settled_by(self, answered: Self, is_earlier: bool) -> bool {
        match self.question.zip(answered.question) {
            Some((one, other)) => one == other,
            None => is_earlier,
        }
    }
}

/// A quarter of a hash tells the questions of one exchange apart.
#[expect(clippy::cast_possible_truncation, reason = "a quarter of a hash is hash enough")]
const fn halve(hash: NonZeroU32) -> NonZeroU16 {
    let hash = hash.get();
    match NonZeroU16::new((hash ^ (hash >> 16)) as u16) {
        Some(short) => short,
        None => NonZeroU16::MAX,
    }
}
