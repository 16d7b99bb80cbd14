//! Open transactions of which there are too many to tell apart, and how often each of them
//! was asked.
//!
//! A relay asks for all of its clients from one socket. Once its server is dead all of them
//! ask on, and each is forgotten before it asks again. How often each asked tells a dead
//! server from one that leaves these clients to another (RFC 3074), so it is counted of
//! some: those whose hashes are the lowest, which stay the same ones however many there are.

use super::asks::Asks;
use crate::correlate::count::{Mark, Waiting};
use crate::model::time::Timestamp;

/// Transactions that stand for all.
const MAX_SAMPLE: usize = 64;

/// What is known of the transactions for which there was no room.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Their requests.
    packets: u32,
    /// Those of transactions that were new after the last answer.
    since_answer: u32,
    /// The first of these.
    first: Option<Mark>,
    /// Once there are such: how often some of all that were new since then were asked, by
    /// ascending hash.
    sample: Vec<(u32, u32)>,
}

impl Forgotten {
    /// Takes a transaction that is forgotten; the last answer came at `heard_at`.
    pub fn add(&mut self, waiting: Waiting, heard_at: Option<Timestamp>) {
        self.packets = self.packets.saturating_add(waiting.packets);
        if is_new(waiting, heard_at) {
            self.since_answer = self.since_answer.saturating_add(waiting.packets);
            self.first.get_or_insert(waiting.first);
        }
    }

    /// Whether none was forgotten since the last answer.
    pub const fn is_none_since_answer(&self) -> bool {
        self.since_answer == 0
    }

    /// Begins to count how often transactions are asked, with one that was until now.
    pub fn begin(&mut self, asks: Asks, waiting: Waiting, heard_at: Option<Timestamp>) {
        if is_new(waiting, heard_at) {
            self.count(asks, waiting.packets);
        }
    }

    /// Counts a request of any transaction.
    pub fn ask(&mut self, asks: Asks) {
        if !self.is_none_since_answer() {
            self.count(asks, 1);
        }
    }

    /// Notes an answer, to whichever transaction.
    pub fn answer(&mut self) {
        (self.since_answer, self.first) = (0, None);
        self.sample.clear();
    }

    /// Takes an answer to one of them; says whether there was one.
    pub const fn answer_one(&mut self) -> bool {
        let had_one = self.packets > 0;
        self.packets = self.packets.saturating_sub(1);
        had_one
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.packets == 0
    }

    /// All their requests.
    pub fn packets(&self) -> u64 {
        u64::from(self.packets)
    }

    /// Requests of transactions that were open when the last answer came.
    pub fn packets_before_answer(&self) -> u64 {
        u64::from(self.packets.saturating_sub(self.since_answer))
    }

    /// Requests of transactions that were new after the last answer, and the first of them.
    pub fn since_answer(&self) -> Option<(u64, Mark)> {
        let first = self.first.filter(|_| self.since_answer > 0)?;
        Some((u64::from(self.since_answer), first))
    }

    /// How many of `packets`, which were asked since the last answer, ask something again.
    pub fn count_repeats(&self, packets: u64) -> u64 {
        let asked: u64 = self.sample.iter().map(|(_, asked)| u64::from(*asked)).sum();
        let transactions = u64::try_from(self.sample.len()).unwrap_or(u64::MAX);
        let repeats = asked.saturating_sub(transactions);
        packets.saturating_mul(repeats).checked_div(asked).unwrap_or(0)
    }

    fn count(&mut self, asks: Asks, packets: u32) {
        let rank = asks.rank();
        match self.sample.binary_search_by_key(&rank, |(rank, _)| *rank) {
            Ok(place) => {
                let (_, asked) = &mut self.sample[place];
                *asked = asked.saturating_add(packets);
            }
            Err(place) if place < MAX_SAMPLE => {
                self.sample.truncate(MAX_SAMPLE - 1);
                self.sample.insert(place, (rank, packets));
            }
            Err(_) => {}
        }
    }
}

fn is_new(waiting: Waiting, heard_at: Option<Timestamp>) -> bool {
    heard_at.is_none_or(|heard_at| { waiting.first.at } > heard_at)
}
