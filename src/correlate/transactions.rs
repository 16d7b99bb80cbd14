//! The transactions of one exchange: which are open, and which were asked again.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
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
/// Where all that is known of a request is its question (text), a client that
/// waits for its answer in vain asks again after so long. Who asks sooner has had
/// it, and who asks later asks anew, as pollers do.
const RETRY: RangeInclusive<Duration> = Duration::from_millis(800)..=Duration::from_secs(6);
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
        let known = self.pending_mut().iter_mut().find(|pending| pending.identity == identity);
        if let Some(known) = known {
            let is_question_alone = transaction.question == Some(transaction.identity);
            if is_question_alone && known.answered_at != NEVER {
                let again = RETRY.contains(&at.since(known.answered_at));
                if again {
                    let after_answer = Some(Confidence::Likely);
                    return Asked { novelty: Novelty::Repeat, after_answer };
                }
                known.answered_at = NEVER;
                return Asked { novelty: Novelty::New, after_answer: None };
            }
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
        let identity = shorten(identity);
        let known = self.pending_mut().iter_mut().find(|pending| pending.identity == identity);
        if let Some(known) = known.filter(|known| known.answered_at == NEVER) {
            known.answered_at = at;
        }
    }

    /// Takes a reply that does not say which request it answers: text that does
    /// not read it. It answers the latest.
    pub fn answer_latest(&mut self, at: Timestamp) {
        let latest = self.pending_mut().last_mut();
        if let Some(latest) = latest.filter(|latest| latest.answered_at == NEVER) {
            latest.answered_at = at;
        }
    }

    fn pending_mut(&mut self) -> &mut [Pending] {
        match self {
            Self::None => &mut [],
            Self::One(pending) => std::slice::from_mut(pending),
            Self::Several(pending) => pending.as_mut_slice(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TransactionRole;

    fn request(identity: u64, question: Option<u64>) -> Transaction {
        Transaction {
            protocol: Protocol::Snmp,
            role: TransactionRole::Request,
            identity,
            question,
            label: "GetRequest",
            reply_to: None,
        }
    }

    #[test]
    fn a_question_without_an_identity_is_asked_again_at_the_pace_of_retries() {
        let at = |milliseconds: i64| Timestamp::from_nanoseconds(milliseconds * 1_000_000);
        let cases = [
            ("the next of a walk", 300, Novelty::New, None),
            ("a retry", 1_000, Novelty::Repeat, Some(Confidence::Likely)),
            ("the fifth retry", 5_500, Novelty::Repeat, Some(Confidence::Likely)),
            ("the next poll", 10_000, Novelty::New, None),
        ];
        for (name, milliseconds, novelty, after_answer) in cases {
            let mut transactions = Transactions::default();
            transactions.ask(&request(7, Some(7)), at(0));
            transactions.answer(7, at(1));
            let asked = transactions.ask(&request(7, Some(7)), at(1 + milliseconds));
            assert_eq!(asked, Asked { novelty, after_answer }, "{name}");
        }
        let mut transactions = Transactions::default();
        transactions.ask(&request(9, Some(7)), at(0));
        transactions.answer(9, at(1));
        let asked = transactions.ask(&request(9, Some(7)), at(10_000));
        assert_eq!(asked.after_answer, Some(Confidence::Certain), "an identity tells");
    }

    #[test]
    fn a_reply_that_text_does_not_read_answers_the_latest_request() {
        let at = Timestamp::from_seconds;
        let mut transactions = Transactions::default();
        transactions.answer_latest(at(0));
        transactions.ask(&request(9, None), at(1));
        transactions.answer_latest(at(2));
        let asked = transactions.ask(&request(9, None), at(3));
        assert_eq!(asked.after_answer, Some(Confidence::Certain));
    }
}
