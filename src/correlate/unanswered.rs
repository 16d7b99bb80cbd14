//! Requests that nobody has answered yet.
//!
//! One socket may ask several things at once: resolvers send A and AAAA together,
//! pollers a whole round. An answer closes the transaction that it names, and no
//! other. Most exchanges have one open at a time, asked once: that takes no room beside.

mod asks;
mod forgotten;
mod questions;

use std::num::{NonZeroU16, NonZeroU32};

use smallvec::SmallVec;

use super::count::{Mark, Waiting};
use super::repetition::COPY;
use super::signature::shorten_to_nonzero;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::Tally;
use crate::model::time::Timestamp;
pub use asks::Asks;
use forgotten::Forgotten;

/// Transactions of one exchange that are told apart while they are open.
const MAX_OPEN: usize = 64;

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
    /// Those for which there was no room.
    forgotten: Forgotten,
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
        let identity = shorten_to_nonzero(identity);
        self.identities().any(|open| open == identity)
    }

    /// Counts a request. `before` is the request before it, and `heard_at` says when the
    /// last answer came.
    pub fn ask(&mut self, asks: Asks, before: Mark, heard_at: Option<Timestamp>) {
        if let Some(waiting) = self.latest(before)
            && self.asks().is_other_than(asks)
        {
            let left = Open { asks: self.asks(), waiting, last: before };
            self.close_latest();
            let others = self.beside.get_or_insert_default().others.get_or_insert_default();
            others.add(left, heard_at);
        }
        if let Some(others) = self.others_mut() {
            others.forgotten.ask(asks);
        }
        if let Some(waiting) = self.latest(before) {
            self.beside.get_or_insert_default().first = Some(waiting.first);
        } else {
            (self.identity, self.question) = (asks.identity, asks.question);
            if let Some(open) = self.take(|open| !open.asks.is_other_than(asks)) {
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
        if let Some(others) = self.others_mut() {
            others.forgotten.answer();
        }
        let identity = Some(shorten_to_nonzero(identity));
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

    /// Whether a request that asks this, sent at `at`, comes sooner after the last
    /// one of the same than anybody's timer runs; `None` if that is not open.
    /// `last_request` is the exchange's.
    pub fn is_asked_at_once(&self, asks: Asks, at: Timestamp, last_request: Mark) -> Option<bool> {
        let last = if self.packets > 0 && !self.asks().is_other_than(asks) {
            last_request
        } else {
            let mut others = self.others()?.open.iter();
            others.find(|open| !open.asks.is_other_than(asks))?.last
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
        if let Some(Others { forgotten, .. }) = self.others() {
            if passed_over.packets > 0 {
                passed_over.packets += forgotten.packets_before_answer();
            }
            if let Some((packets, first)) = forgotten.since_answer()
                && since_reply.packets > 0
            {
                since_reply.packets += packets;
                since_reply.first = Some(first.frame(capture));
                since_reply.repeats = forgotten.count_repeats(since_reply.packets);
            }
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
            others.forgotten = Forgotten::default();
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
        let had_one = self.others_mut().is_some_and(|others| others.forgotten.answer_one());
        self.tidy();
        had_one
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
    fn add(&mut self, left: Open, heard_at: Option<Timestamp>) {
        self.open.push(left);
        if self.open.len() > MAX_OPEN {
            let was_none = self.forgotten.is_none_since_answer();
            self.forgotten.add(self.open[0].waiting, heard_at);
            if was_none && !self.forgotten.is_none_since_answer() {
                for open in &self.open {
                    self.forgotten.begin(open.asks, open.waiting, heard_at);
                }
            }
            self.open.remove(0);
        }
    }

    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.forgotten.is_empty()
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

#[cfg(test)]
mod tests;
