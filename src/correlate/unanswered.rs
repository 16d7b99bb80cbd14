//! Requests that nobody has answered yet.
//!
//! One socket may ask several things at once: resolvers send A and AAAA together,
//! pollers a whole round. An answer closes the transaction that it names, and no
//! other. Most exchanges have one open at a time, asked once: that takes no room beside.

use std::num::{NonZeroU16, NonZeroU32};

use smallvec::SmallVec;

use super::count::{Mark, Waiting};
use super::repetition::COPY;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::Tally;
use crate::model::packet::Transaction;
use crate::model::time::Timestamp;

/// Transactions of one exchange that are told apart while they are open.
const MAX_OPEN: usize = 64;

/// What a request asks, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// What its answer shares with it; `None` where nothing is read of it.
    identity: Option<NonZeroU32>,
    /// The same where the same is asked again under another identity.
    question: Option<NonZeroU16>,
}

/// The requests of one exchange that nobody has answered yet.
#[derive(Debug)]
pub struct Unanswered {
    /// Of the transaction that was asked last; see [`Asks`].
    identity: Option<NonZeroU32>,
    question: Option<NonZeroU16>,
    /// Its requests; zero where it was answered.
    packets: u16,
    beside: Option<Box<Beside>>,
}

/// What few exchanges need, or for a moment.
#[derive(Debug, Default)]
struct Beside {
    /// The first request of the transaction asked last, where that is not the
    /// exchange's last request.
    first: Option<Mark>,
    others: Option<Box<Others>>,
}

/// Open transactions beside the one asked last.
#[derive(Debug, Default)]
struct Others {
    /// In the order in which they were left for others.
    open: SmallVec<[Open; 4]>,
    /// Requests of transactions for which there was no room.
    forgotten: u32,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    asks: Asks,
    waiting: Waiting,
    last: Mark,
}

/// What is still open when all packets are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StillOpen {
    /// Asked since the last reply.
    pub since_reply: Tally,
    /// Asked before it: other requests were answered, these were passed over.
    pub passed_over: Tally,
}

impl Asks {
    /// Nothing is read of the request but that it is one.
    pub const UNKNOWN: Self = Self { identity: None, question: None };

    pub fn of(transaction: &Transaction) -> Self {
        Self {
            identity: Some(shorten(transaction.identity)),
            question: transaction.question.map(|question| halve(shorten(question))),
        }
    }

    /// Whether a client that has its answer to `answered` has what this asks, too: the
    /// same question, or one that cannot be told from it and was asked before.
    fn is_settled_by(self, answered: Self, is_earlier: bool) -> bool {
        match self.question.zip(answered.question) {
            Some((one, other)) => one == other,
            None => is_earlier,
        }
    }
}

impl Unanswered {
    pub const NONE: Self = Self { identity: None, question: None, packets: 0, beside: None };

    /// Whether every request was answered.
    pub fn is_empty(&self) -> bool {
        self.packets == 0 && self.others().is_none()
    }

    /// The requests of the transaction asked last, if that is open; `last_request` is
    /// the exchange's.
    fn latest(&self, last_request: Mark) -> Option<Waiting> {
        let first = self.beside.as_ref().and_then(|beside| beside.first);
        let packets = u32::from(self.packets);
        (packets > 0).then_some(Waiting { packets, first: first.unwrap_or(last_request) })
    }

    /// All that was asked after `at` and is open.
    pub fn asked_since(&self, at: Timestamp, last_request: Mark) -> Option<Waiting> {
        let others = self.others().into_iter().flat_map(|others| &others.open);
        let all = others.map(|open| open.waiting).chain(self.latest(last_request));
        let asked_at = |waiting: &Waiting| waiting.first.at;
        all.filter(|waiting| asked_at(waiting) > at).reduce(|one, other| Waiting {
            packets: one.packets.saturating_add(other.packets),
            first: if asked_at(&other) < asked_at(&one) { other.first } else { one.first },
        })
    }

    /// The identities of the open transactions, the latest first.
    pub fn identities(&self) -> impl Iterator<Item = NonZeroU32> {
        let latest = self.identity.filter(|_| self.packets > 0);
        let others = self.others().into_iter().flat_map(|others| others.open.iter().rev());
        latest.into_iter().chain(others.filter_map(|open| open.asks.identity))
    }

    /// Whether the transaction with this identity is open.
    pub fn is_open(&self, identity: u64) -> bool {
        let identity = shorten(identity);
        self.identities().any(|open| open == identity)
    }

    /// Counts a request. `before` is the request before it.
    pub fn ask(&mut self, asks: Asks, before: Mark) {
        if let Some(waiting) = self.latest(before)
            && self.identity != asks.identity
        {
            let left = Open { asks: self.asks(), waiting, last: before };
            self.close_latest();
            self.beside.get_or_insert_default().others.get_or_insert_default().add(left);
        }
        if let Some(waiting) = self.latest(before) {
            self.beside.get_or_insert_default().first = Some(waiting.first);
        } else {
            (self.identity, self.question) = (asks.identity, asks.question);
            if let Some(open) = self.take(|open| open.asks.identity == asks.identity) {
                self.packets = u16::try_from(open.waiting.packets).unwrap_or(u16::MAX);
                self.beside.get_or_insert_default().first = Some(open.waiting.first);
            }
        }
        self.packets = self.packets.saturating_add(1);
    }

    /// Notes that the client sends something that waits for no answer; `before` is what
    /// it sent before that.
    pub fn pass(&mut self, before: Mark) {
        if let Some(waiting) = self.latest(before) {
            self.beside.get_or_insert_default().first = Some(waiting.first);
        }
    }

    /// Takes a reply that does not say what it answers.
    pub fn answer_all(&mut self) {
        self.packets = 0;
        self.beside = None;
    }

    /// Takes a reply to the transaction with this identity; `is_known` says whether
    /// that was asked lately, `last_request` is the exchange's.
    pub fn answer(&mut self, identity: u64, is_known: bool, last_request: Mark) {
        let identity = Some(shorten(identity));
        let latest = self.latest(last_request).filter(|_| self.identity == identity);
        let answered = if let Some(waiting) = latest {
            self.close_latest();
            Some((self.asks(), waiting.first.at))
        } else {
            let taken = self.take(|open| open.asks.identity == identity);
            taken.map(|open| (open.asks, open.waiting.first.at))
        };
        // As nearly always.
        if self.is_empty() {
            return;
        }
        match answered {
            Some((asks, asked_at)) => self.close_alike(asks, asked_at, last_request),
            // Answered before, and again.
            None if is_known => {}
            None if self.forget_one() => {}
            // It answers what was not seen, or its identity was cut off.
            None => return self.answer_all(),
        }
        // What does not say what it asks may be what was answered.
        if self.identity.is_none() {
            self.close_latest();
        }
        self.keep(|open| open.asks.identity.is_some());
    }

    /// Whether a request with this identity, sent at `at`, comes sooner after the last
    /// one of the same than anybody's timer runs; `None` if that is not open.
    /// `last_request` is the exchange's.
    pub fn is_asked_at_once(
        &self,
        identity: u64,
        at: Timestamp,
        last_request: Mark,
    ) -> Option<bool> {
        let identity = Some(shorten(identity));
        let last = if self.packets > 0 && self.identity == identity {
            last_request
        } else {
            let mut others = self.others()?.open.iter();
            others.find(|open| open.asks.identity == identity)?.last
        };
        Some(at.distance(last.at) <= COPY)
    }

    /// What is open at the end: `last_request` and `last_reply` are the exchange's, and
    /// `is_settled` says whether what was asked at some time has waited for long enough.
    pub fn still_open(
        &self,
        capture: CaptureId,
        last_request: Mark,
        last_reply: Option<FrameRef>,
        is_settled: impl Fn(Timestamp) -> bool,
    ) -> StillOpen {
        let mut since_reply = Tally::NONE;
        let mut passed_over = Tally::NONE;
        let latest = self.latest(last_request).map(|waiting| (waiting, last_request));
        let others = self.others().into_iter().flat_map(|others| &others.open);
        let others = others.map(|open| (open.waiting, open.last));
        for (waiting, last) in others.chain(latest) {
            let (first, last) = (waiting.first.frame(capture), last.frame(capture));
            let when = |frame: FrameRef| (frame.at, frame.number);
            if last_reply.is_none_or(|reply| when(reply) < when(first)) {
                add(&mut since_reply, waiting.packets, first, last);
                since_reply.repeats += u64::from(waiting.packets.saturating_sub(1));
            } else if is_settled(last.at) {
                add(&mut passed_over, waiting.packets, first, last);
                passed_over.repeats += u64::from(waiting.packets.saturating_sub(1));
            }
        }
        let forgotten = u64::from(self.others().map_or(0, |others| others.forgotten));
        if passed_over.packets > 0 {
            passed_over.packets += forgotten;
        } else if last_reply.is_none() && since_reply.packets > 0 {
            since_reply.packets += forgotten;
        }
        StillOpen { since_reply, passed_over }
    }

    /// Closes what else the client has its answer to with that to `answered`, which it
    /// asked at `asked_at`.
    fn close_alike(&mut self, answered: Asks, asked_at: Timestamp, last_request: Mark) {
        let is_settled = |asks: Asks, waiting: Waiting| {
            let first_at = waiting.first.at;
            asks.is_settled_by(answered, first_at <= asked_at)
        };
        if self.latest(last_request).is_some_and(|latest| is_settled(self.asks(), latest)) {
            self.close_latest();
        }
        if answered.question.is_none()
            && let Some(others) = self.others_mut()
        {
            others.forgotten = 0;
        }
        self.keep(|open| !is_settled(open.asks, open.waiting));
    }

    /// What the transaction asks that was asked last.
    const fn asks(&self) -> Asks {
        Asks { identity: self.identity, question: self.question }
    }

    fn close_latest(&mut self) {
        self.packets = 0;
        if let Some(beside) = &mut self.beside {
            beside.first = None;
        }
        self.tidy();
    }

    fn others(&self) -> Option<&Others> {
        self.beside.as_ref()?.others.as_deref()
    }

    fn others_mut(&mut self) -> Option<&mut Others> {
        self.beside.as_mut()?.others.as_deref_mut()
    }

    fn take(&mut self, is_wanted: impl Fn(&Open) -> bool) -> Option<Open> {
        let others = self.others_mut()?;
        let place = others.open.iter().position(is_wanted)?;
        let taken = others.open.remove(place);
        self.tidy();
        Some(taken)
    }

    fn keep(&mut self, is_kept: impl Fn(&Open) -> bool) {
        if let Some(others) = self.others_mut() {
            others.open.retain(|open| is_kept(open));
        }
        self.tidy();
    }

    fn forget_one(&mut self) -> bool {
        let Some(others) = self.others_mut().filter(|others| others.forgotten > 0) else {
            return false;
        };
        others.forgotten -= 1;
        self.tidy();
        true
    }

    fn tidy(&mut self) {
        let Some(beside) = &mut self.beside else { return };
        if beside.others.as_ref().is_some_and(|others| others.is_empty()) {
            beside.others = None;
        }
        if beside.others.is_none() && beside.first.is_none() {
            self.beside = None;
        }
    }
}

impl Others {
    fn add(&mut self, left: Open) {
        if self.open.len() == MAX_OPEN {
            let oldest = self.open.remove(0);
            self.forgotten = self.forgotten.saturating_add(oldest.waiting.packets);
        }
        self.open.push(left);
    }

    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.forgotten == 0
    }
}

fn add(tally: &mut Tally, packets: u32, first: FrameRef, last: FrameRef) {
    tally.packets += u64::from(packets);
    if tally.first.is_none_or(|known| first.number < known.number) {
        tally.first = Some(first);
    }
    if tally.last.is_none_or(|known| last.number > known.number) {
        tally.last = Some(last);
    }
}

/// Half of a hash tells the open transactions of one exchange apart well enough.
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is hash enough")]
pub const fn shorten(hash: u64) -> NonZeroU32 {
    match NonZeroU32::new((hash ^ (hash >> 32)) as u32) {
        Some(short) => short,
        None => NonZeroU32::MAX,
    }
}

/// A quarter of one tells their questions apart.
#[expect(clippy::cast_possible_truncation, reason = "a quarter of a hash is hash enough")]
const fn halve(hash: NonZeroU32) -> NonZeroU16 {
    let hash = hash.get();
    match NonZeroU16::new((hash ^ (hash >> 16)) as u16) {
        Some(short) => short,
        None => NonZeroU16::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TransactionRole;
    use crate::model::protocol::Protocol;

    const CAPTURE: CaptureId = CaptureId(0);

    /// What happens, one second after the other.
    #[derive(Clone, Copy)]
    enum Event {
        Ask(u64, Option<u64>),
        AskUnknown,
        Answer(u64),
        /// To what was not asked lately.
        AnswerStranger(u64),
        AnswerUnknown,
    }

    fn asks(identity: u64, question: Option<u64>) -> Asks {
        Asks::of(&Transaction {
            protocol: Protocol::Dns,
            role: TransactionRole::Request,
            identity,
            question,
            label: "query",
            reply_to: None,
        })
    }

    fn frame(number: u64) -> FrameRef {
        let at = Timestamp::from_seconds(i64::try_from(number).unwrap());
        FrameRef { capture: CAPTURE, number, at }
    }

    fn play(events: &[Event]) -> (Unanswered, Mark, Option<FrameRef>) {
        let mut unanswered = Unanswered::NONE;
        let (mut last_request, mut last_reply) = (Mark::new(frame(0)), None);
        for (number, event) in (1..).zip(events) {
            let frame = frame(number);
            match *event {
                Event::Ask(identity, question) => {
                    unanswered.ask(asks(identity, question), last_request);
                    last_request = Mark::new(frame);
                }
                Event::AskUnknown => {
                    unanswered.ask(Asks::UNKNOWN, last_request);
                    last_request = Mark::new(frame);
                }
                Event::Answer(identity) => unanswered.answer(identity, true, last_request),
                Event::AnswerStranger(identity) => unanswered.answer(identity, false, last_request),
                Event::AnswerUnknown => unanswered.answer_all(),
            }
            if matches!(event, Event::Answer(_) | Event::AnswerStranger(_) | Event::AnswerUnknown) {
                last_reply = Some(frame);
            }
        }
        (unanswered, last_request, last_reply)
    }

    #[test]
    fn an_answer_closes_what_it_answers_and_no_more() {
        use Event::{Answer, AnswerStranger, AnswerUnknown, Ask, AskUnknown};
        // packets and repeats that were passed over, packets since the last reply
        type Case<'a> = (&'a str, &'a [Event], (u64, u64), u64);

        let cases: [Case<'_>; 15] = [
            ("answered", &[Ask(1, Some(1)), Answer(1)], (0, 0), 0),
            ("one of two", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(1)], (1, 0), 0),
            ("the other", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(2)], (1, 0), 0),
            ("both", &[Ask(1, Some(1)), Ask(2, Some(2)), Answer(2), Answer(1)], (0, 0), 0),
            (
                "one of two, both repeated",
                &[
                    Ask(1, Some(1)),
                    Ask(2, Some(2)),
                    Answer(1),
                    Ask(1, Some(1)),
                    Ask(2, Some(2)),
                    Answer(1),
                ],
                (2, 1),
                0,
            ),
            (
                "an answer twice",
                &[Ask(1, Some(1)), Answer(1), Ask(2, Some(2)), Answer(1)],
                (1, 0),
                0,
            ),
            ("no more", &[Ask(1, Some(1)), Answer(1), Ask(2, Some(2)), Ask(2, Some(2))], (0, 0), 2),
            ("the same under a new one", &[Ask(1, Some(9)), Ask(2, Some(9)), Answer(2)], (0, 0), 0),
            ("the older of the same", &[Ask(1, Some(9)), Ask(2, Some(9)), Answer(1)], (0, 0), 0),
            ("the older of some", &[Ask(1, None), Ask(2, None), Answer(1)], (1, 0), 0),
            ("questions not known", &[Ask(1, None), Ask(2, None), Answer(2)], (0, 0), 0),
            ("text", &[AskUnknown, AskUnknown, AnswerUnknown, AskUnknown], (0, 0), 1),
            (
                "a reply that text does not read",
                &[Ask(1, None), Ask(2, None), AnswerUnknown],
                (0, 0),
                0,
            ),
            ("a request that was cut", &[AskUnknown, Ask(1, Some(1)), Answer(1)], (0, 0), 0),
            (
                "a reply that was cut",
                &[Ask(1, Some(1)), Ask(2, Some(2)), AnswerStranger(3)],
                (0, 0),
                0,
            ),
        ];
        for (name, events, passed, since_reply) in cases {
            let (unanswered, last_request, last_reply) = play(events);
            let open = unanswered.still_open(CAPTURE, last_request, last_reply, |_| true);
            let found = (open.passed_over.packets, open.passed_over.repeats);
            assert_eq!((found, open.since_reply.packets), (passed, since_reply), "{name}");
            assert_eq!(unanswered.is_empty(), passed.0 + since_reply == 0, "{name}");
        }
    }

    #[test]
    fn what_was_asked_just_now_may_still_be_answered() {
        let events = [Event::Ask(1, Some(1)), Event::Ask(2, Some(2)), Event::Answer(1)];
        let (unanswered, last_request, last_reply) = play(&events);
        let open = unanswered.still_open(CAPTURE, last_request, last_reply, |_| false);
        assert_eq!((open.passed_over.packets, open.since_reply.packets), (0, 0));
    }

    #[test]
    fn many_at_once_are_counted_though_not_told_apart() {
        let mut unanswered = Unanswered::NONE;
        let mut before = Mark::new(frame(0));
        for number in 1..=1_000 {
            unanswered.ask(asks(number, Some(number)), before);
            before = Mark::new(frame(number));
        }
        for identity in 1..=990 {
            unanswered.answer(identity, identity > 992, before);
        }
        let open = unanswered.still_open(CAPTURE, before, Some(frame(1_001)), |_| true);
        assert_eq!(open.passed_over.packets, 10);
        for identity in 991..=1_000 {
            unanswered.answer(identity, true, before);
        }
        assert!(unanswered.is_empty());
        assert_eq!(size_of::<Unanswered>(), 16);
    }
}
