//! The transactions of one exchange: which are open, and which were asked again.

use std::num::NonZeroU32;
use std::time::Duration;

use smallvec::{SmallVec, smallvec};

use crate::model::exchange::Novelty;
use crate::model::finding::Confidence;
use crate::model::packet::Transaction;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A repetition this soon after the reply was on its way before the reply came.
pub const CROSSING: Duration = Duration::from_millis(50);
/// The same question under a new identity counts as asked again within this time.
const SAME_QUESTION: Duration = Duration::from_secs(30);
/// Transactions that can be open, or be asked again, at once.
const MAX_PENDING: usize = 8;

/// The latest transactions, oldest first.
#[derive(Debug, Default)]
pub enum Transactions {
    #[default]
    None,
    /// What most exchanges have.
    One(Pending),
    Several(Box<SmallVec<[Pending; MAX_PENDING]>>),
}

/// A transaction that may still be answered, or asked again.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// Half of a hash tells eight transactions apart well enough.
    identity: u32,
    question: Option<NonZeroU32>,
    /// [`NEVER`] while it is open.
    answered_at: Timestamp,
}

/// The time of an answer that did not come.
const NEVER: Timestamp = Timestamp::from_nanoseconds(i64::MIN);

/// How a request relates to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub novelty: Novelty,
    /// It asks what had been answered before; how sure that is.
    pub after_answer: Option<Confidence>,
}

impl Transactions {
    /// Whether a request with this identity was sent lately.
    pub fn knows(&self, identity: u64) -> bool {
        self.pending().iter().any(|pending| pending.identity == shorten(identity))
    }

    /// Whether no request that carries an identity was seen.
    pub fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Takes a request.
    pub fn ask(&mut self, transaction: &Transaction, at: Timestamp) -> Asked {
        let identity = shorten(transaction.identity);
        let question = transaction.question.and_then(|question| NonZeroU32::new(shorten(question)));
        let known = self.pending().iter().find(|pending| pending.identity == identity);
        if let Some(known) = known {
            let after_answer = known.was_answered(at, Duration::MAX).then_some(Confidence::Certain);
            return Asked { novelty: Novelty::Repeat, after_answer };
        }
        // A resolver that took the answer would not ask the same again so soon.
        // Pollers do: their questions are the same every time.
        let asks_same = transaction.protocol == Protocol::Dns
            && question.is_some()
            && self.pending().iter().any(|pending| {
                pending.question == question && pending.was_answered(at, SAME_QUESTION)
            });
        self.add(Pending { identity, question, answered_at: NEVER });
        Asked { novelty: Novelty::New, after_answer: asks_same.then_some(Confidence::Likely) }
    }

    /// Takes a reply.
    pub fn answer(&mut self, identity: u64, at: Timestamp) {
        let pending = match self {
            Self::None => &mut [][..],
            Self::One(pending) => std::slice::from_mut(pending),
            Self::Several(pending) => pending.as_mut_slice(),
        };
        let known = pending.iter_mut().find(|pending| pending.identity == shorten(identity));
        if let Some(known) = known.filter(|known| known.answered_at == NEVER) {
            known.answered_at = at;
        }
    }

    fn pending(&self) -> &[Pending] {
        match self {
            Self::None => &[],
            Self::One(pending) => std::slice::from_ref(pending),
            Self::Several(pending) => pending,
        }
    }

    fn add(&mut self, latest: Pending) {
        match self {
            Self::None => *self = Self::One(latest),
            Self::One(first) => *self = Self::Several(Box::new(smallvec![*first, latest])),
            Self::Several(pending) => {
                if pending.len() == MAX_PENDING {
                    pending.remove(0);
                }
                pending.push(latest);
            }
        }
    }
}

impl Pending {
    /// Whether it was answered, at most `within` before `at`, and long enough
    /// for the answer to have reached the client.
    fn was_answered(&self, at: Timestamp, within: Duration) -> bool {
        self.answered_at != NEVER && (CROSSING..=within).contains(&at.since(self.answered_at))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash is hash enough")]
const fn shorten(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}
