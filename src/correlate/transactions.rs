//! The transactions of one exchange: which are open, and which were asked again.

mod pending;

use std::ops::RangeInclusive;
use std::time::Duration;

use smallvec::{SmallVec, smallvec};

pub use self::pending::Answerer;
use self::pending::{NEVER, Pending, find_question};
use crate::model::exchange::Novelty;
use crate::model::finding::Confidence;
use crate::model::packet::Transaction;
use crate::model::time::Timestamp;

/// A repetition this soon after the reply was on its way before the reply came.
pub const CROSSING: Duration = Duration::from_millis(50);
/// Who asks again though it was answered does so within this time of the answer; who asks
/// later asks anew.
pub const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// Where all that is known of a request is its question (text), a client that
/// waits for its answer in vain asks again after so long. Who asks sooner has had
/// it, and who asks later asks anew, as pollers do.
pub const RETRY: RangeInclusive<Duration> = Duration::from_millis(800)..=Duration::from_secs(6);
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

/// How a request relates to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub novelty: Novelty,
    /// It asks what had been answered before; how sure that is.
    pub after_answer: Option<Confidence>,
    /// It asks, under a new identity, what was asked before.
    pub same_question: Option<SameQuestion>,
}

/// How a question that was answered comes again under a new identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameQuestion {
    /// As the very next one.
    Next,
    /// After others.
    Later,
}

impl Transactions {
    /// Whether a request with this identity was sent lately.
    pub fn knows(&self, identity: u64) -> bool {
        self.pending().iter().any(|pending| pending.is(identity))
    }

    /// Whether whom it asked has answered this transaction, which was not asked again
    /// since: then an answer of somebody else answers another request.
    pub fn is_settled(&self, identity: u64) -> bool {
        let known = self.pending().iter().find(|pending| pending.is(identity));
        known.is_some_and(|pending| pending.is_answered_by(Answerer::Asked))
    }

    /// Whether nobody has answered this transaction since it was new.
    pub fn awaits(&self, identity: u64) -> bool {
        let known = self.pending().iter().find(|pending| pending.is(identity));
        known.is_some_and(|pending| pending.answered_at == NEVER)
    }

    /// Whether no request that carries an identity was seen.
    pub fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Whether a request that asks the same under the same identity was sent lately.
    pub fn knows_request(&self, transaction: &Transaction) -> bool {
        let question = find_question(transaction);
        let known = self.pending().iter().find(|pending| pending.is(transaction.identity));
        known.is_some_and(|pending| !pending.asks_other_than(question))
    }

    /// Takes a request.
    ///
    /// An identity with another question is another transaction: some clients give all of
    /// theirs one. Who repeats a request repeats it as it was (RFC 1035 section 4.2.1, RFC
    /// 3416 section 4.1, RFC 2865 section 3).
    pub fn ask(&mut self, transaction: &Transaction, at: Timestamp) -> Asked {
        let question = find_question(transaction);
        let known = self.pending().iter().position(|pending| pending.is(transaction.identity));
        if let Some(place) = known
            && self.pending()[place].asks_other_than(question)
        {
            self.replace(place, Pending::new(transaction.identity, question));
            return Asked { novelty: Novelty::New, after_answer: None, same_question: None };
        }
        if let Some(known) = known.and_then(|place| self.pending_mut().get_mut(place)) {
            known.forget_answerers();
            known.question = known.question.or(question);
            let same_question = None;
            let is_question_alone = transaction.question == Some(transaction.identity);
            if is_question_alone && known.answered_at != NEVER {
                let again = RETRY.contains(&at.since(known.answered_at));
                if again {
                    let after_answer = Some(Confidence::Likely);
                    return Asked { novelty: Novelty::Repeat, after_answer, same_question };
                }
                known.answered_at = NEVER;
                return Asked { novelty: Novelty::New, after_answer: None, same_question };
            }
            let after_answer = known.was_answered(at, Duration::MAX).then_some(Confidence::Certain);
            return Asked { novelty: Novelty::Repeat, after_answer, same_question };
        }
        let is_same = |pending: &Pending| {
            question.is_some()
                && pending.question == question
                && pending.was_answered(at, LONGEST_RETRY)
        };
        let same_question = match self.pending() {
            [.., last] if is_same(last) => Some(SameQuestion::Next),
            pending if pending.iter().any(is_same) => Some(SameQuestion::Later),
            _ => None,
        };
        self.add(Pending::new(transaction.identity, question));
        Asked { novelty: Novelty::New, after_answer: None, same_question }
    }

    /// Takes a reply. Says whether somebody else answered what whom it asked answers now,
    /// though it was asked only once: then both were asked.
    pub fn answer(&mut self, identity: u64, by: Answerer, at: Timestamp) -> bool {
        let known = self.pending_mut().iter_mut().find(|pending| pending.is(identity));
        let Some(known) = known else { return false };
        if known.answered_at == NEVER {
            known.answered_at = at;
        }
        let is_first = !known.is_answered_by(by);
        known.note_answerer(by);
        by == Answerer::Asked && is_first && known.is_answered_by(Answerer::Other)
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

    /// Puts `latest` in the stead of the one at `place`.
    fn replace(&mut self, place: usize, latest: Pending) {
        if let Self::Several(pending) = self {
            pending.remove(place);
            pending.push(latest);
        } else {
            *self = Self::One(latest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TransactionRole;
    use crate::model::protocol::Protocol;

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
            transactions.answer(7, Answerer::Asked, at(1));
            let asked = transactions.ask(&request(7, Some(7)), at(1 + milliseconds));
            assert_eq!(asked, Asked { novelty, after_answer, same_question: None }, "{name}");
        }
        let mut transactions = Transactions::default();
        transactions.ask(&request(9, Some(7)), at(0));
        transactions.answer(9, Answerer::Asked, at(1));
        let asked = transactions.ask(&request(9, Some(7)), at(10_000));
        assert_eq!(asked.after_answer, Some(Confidence::Certain), "an identity tells");
    }

    #[test]
    fn an_identity_that_never_changes_tells_no_questions_apart() {
        let at = Timestamp::from_seconds;
        let cases = [
            ("another question", Some(8), Novelty::New, None),
            ("the same", Some(7), Novelty::Repeat, Some(Confidence::Certain)),
            ("one that is not known", None, Novelty::Repeat, Some(Confidence::Certain)),
        ];
        for (name, question, novelty, after_answer) in cases {
            let mut transactions = Transactions::default();
            transactions.ask(&request(1, Some(7)), at(0));
            transactions.answer(1, Answerer::Asked, at(1));
            let is_known = novelty == Novelty::Repeat;
            assert_eq!(transactions.knows_request(&request(1, question)), is_known, "{name}");
            let asked = transactions.ask(&request(1, question), at(2));
            assert_eq!(asked, Asked { novelty, after_answer, same_question: None }, "{name}");
            assert!(!transactions.is_settled(1), "{name}");
        }
        // Beside others, the one that was asked last is the latest.
        let mut transactions = Transactions::default();
        for (identity, question) in [(1, 7), (2, 7), (1, 8)] {
            transactions.ask(&request(identity, Some(question)), at(0));
        }
        transactions.answer_latest(at(1));
        let again = transactions.ask(&request(1, Some(8)), at(2));
        assert_eq!(again.after_answer, Some(Confidence::Certain));
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

    #[test]
    fn a_question_is_known_again_under_a_new_identity() {
        let at = Timestamp::from_seconds;
        let cases = [
            ("the same, next", vec![(1, 7)], 2, Some(SameQuestion::Next)),
            ("the same, after another", vec![(1, 7), (2, 8)], 3, Some(SameQuestion::Later)),
            ("another", vec![(1, 8)], 2, None),
            ("long ago", vec![(1, 7)], 40, None),
        ];
        for (name, before, second, expected) in cases {
            let mut transactions = Transactions::default();
            for (second, question) in before {
                let identity = u64::try_from(second).unwrap() * 1_000;
                transactions.ask(&request(identity, Some(question)), at(second));
                transactions.answer(identity, Answerer::Other, at(second));
            }
            let asked = transactions.ask(&request(77, Some(7)), at(second));
            assert_eq!(asked.same_question, expected, "{name}");
        }
        let mut transactions = Transactions::default();
        transactions.ask(&request(1_000, Some(7)), at(1));
        let asked = transactions.ask(&request(2_000, Some(7)), at(2));
        assert_eq!(asked.same_question, None, "not answered");
    }

    #[test]
    fn one_request_that_two_answer_was_sent_to_both() {
        use Answerer::{Asked, Other};
        let at = Timestamp::from_seconds;
        let cases: [(&str, &[Answerer], &[bool], bool); 4] = [
            ("asked, other", &[Asked, Other], &[false, false], true),
            ("other, asked", &[Other, Asked], &[false, true], true),
            ("other, asked twice", &[Other, Asked, Asked], &[false, true, false], true),
            ("other", &[Other, Other], &[false, false], false),
        ];
        for (name, answerers, both, settled) in cases {
            let mut transactions = Transactions::default();
            transactions.ask(&request(7, None), at(1));
            let told: Vec<bool> =
                answerers.iter().map(|by| transactions.answer(7, *by, at(2))).collect();
            assert_eq!((told.as_slice(), transactions.is_settled(7)), (both, settled), "{name}");
        }
        // Asked again, it may be answered by one and then by the other.
        let mut transactions = Transactions::default();
        transactions.ask(&request(7, None), at(1));
        transactions.answer(7, Other, at(2));
        transactions.ask(&request(7, None), at(3));
        assert!(!transactions.answer(7, Asked, at(4)));
    }
}
