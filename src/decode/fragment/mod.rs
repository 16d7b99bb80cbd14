//! Fragments of datagrams, kept until the datagram is whole or given up.
//!
//! | file | |
//! |---|---|
//! | `buffer` | the bytes of one datagram, put together from its fragments |
//! | `pieces` | by which a copy of a fragment is known |
//! | `waiting` | one datagram until it can be handed out |
//!
//! What is kept is bounded by [`Limits`](super::Limits): number of datagrams,
//! bytes, and time by the packets' clock.

mod buffer;
mod pieces;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use etherparse::IpNumber;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::ip::Fragment;
use super::reader::Path;
use super::{DecodeError, Limits};
use crate::model::packet::FragmentsEnd;
use crate::model::time::Timestamp;
use pieces::{Piece, Pieces};
use waiting::{Reassembled, Rest, Waiting};

/// Copies from a mirror port or a second interface come with the original or
/// soon after. Later, the identification may belong to another datagram.
const COPIES_WITHIN: Duration = Duration::from_secs(1);
/// Finished datagrams that are remembered, so that copies of their fragments
/// are known as such.
const MAX_FINISHED: usize = 256;
/// Bytes of a lost datagram that are kept: enough for the headers of nested tunnels.
const HEAD_BYTES: usize = 512;

/// What fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// IPv4 only: IPv6's fragments need not agree (RFC 8200 section 4.5).
    pub protocol: Option<IpNumber>,
    pub identification: u32,
    pub path: Path,
}

/// The frame of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub frame: u64,
    pub at: Timestamp,
}

/// A datagram that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    pub key: Key,
    pub seen: Seen,
    pub protocol: IpNumber,
    /// The datagram's beginning; `None` where its first fragment was not seen.
    pub head: Option<Vec<u8>>,
    pub received_bytes: u32,
    pub total_bytes: Option<u32>,
    pub ended: FragmentsEnd,
}

/// All fragmented datagrams of one capture that are not yet forgotten.
#[derive(Debug)]
pub(super) struct Fragments {
    limits: Limits,
    waiting: HashMap<Key, Waiting, FxBuildHasher>,
    waiting_bytes: usize,
    /// Oldest first; some are no longer waited for.
    ages: VecDeque<Age>,
    finished: HashMap<Key, Finished, FxBuildHasher>,
    finished_ages: VecDeque<(u64, Key)>,
    lost: VecDeque<Lost>,
    next_number: u64,
}

/// When a datagram was first seen.
#[derive(Debug)]
struct Age {
    number: u64,
    at: Timestamp,
    key: Key,
}

/// A datagram that was handed out.
#[derive(Debug)]
struct Finished {
    number: u64,
    at: Timestamp,
    pieces: Pieces,
    rest: Rest,
}

impl Fragments {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: HashMap::default(),
            waiting_bytes: 0,
            ages: VecDeque::new(),
            finished: HashMap::default(),
            finished_ages: VecDeque::new(),
            lost: VecDeque::new(),
            next_number: 0,
        }
    }

    /// Takes a fragment; gives the datagram once it is whole, or once it is
    /// clear that a snap length took a part of it and its first fragment is there.
    ///
    /// # Errors
    ///
    /// Where the fragment contradicts itself or an earlier one, which stays.
    pub fn add(
        &mut self,
        key: Key,
        fragment: &Fragment<'_>,
        seen: Seen,
    ) -> Result<Option<Reassembled>, DecodeError> {
        self.expire(seen.at);
        buffer::check(fragment)?;
        let piece = Piece::of(fragment);
        if self.is_copy(&key, piece, fragment, seen.at) {
            return Ok(None);
        }
        if !self.waiting.contains_key(&key) {
            self.begin(key, fragment, seen);
        }
        if key.source.is_ipv6() && self.refuse_overlapping(&key, fragment, seen.at) {
            return Ok(None);
        }
        let Some(waiting) = self.waiting.get_mut(&key) else { return Ok(None) };
        let bytes_before = waiting.buffer.allocated_bytes();
        let filled = waiting.take(fragment, seen);
        let bytes_after = waiting.buffer.allocated_bytes();
        let reassembled = filled.map(|()| {
            waiting.pieces.push(piece);
            waiting.find_reassembled(fragment)
        });
        self.waiting_bytes = (self.waiting_bytes + bytes_after).saturating_sub(bytes_before);
        if let Ok(Some((_, rest))) = &reassembled {
            self.finish(key, seen.at, *rest);
        }
        while self.waiting.len() > self.limits.fragmented_datagrams
            || self.waiting_bytes > self.limits.fragment_bytes
        {
            if !self.give_up_oldest(FragmentsEnd::Evicted) {
                break;
            }
        }
        Ok(reassembled?.map(|(reassembled, _)| reassembled))
    }

    /// Gives up an IPv6 datagram of which a fragment overlaps others: RFC 8200 section 4.5
    /// has hosts throw away all of it, those to come as well. What repeats an earlier one
    /// is no overlap. Of IPv4, of which routers may fragment fragments again, hosts differ.
    fn refuse_overlapping(&mut self, key: &Key, fragment: &Fragment<'_>, at: Timestamp) -> bool {
        let Some(waiting) = self.waiting.get(key) else { return false };
        if fragment.is_cut() || !waiting.buffer.overlaps_in_part(fragment) {
            return false;
        }
        let number = waiting.number;
        self.give_up(key, number, FragmentsEnd::Overlapping);
        let pieces = Pieces::default();
        self.remember(*key, Finished { number, at, pieces, rest: Rest::Refused });
        true
    }

    /// Whether nothing is waited for, and nothing was given up that nobody took.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.lost.is_empty()
    }

    /// The next datagram that was given up by the time `now`. Without a time
    /// the capture has ended, and all are given up.
    ///
    /// Of those that nobody takes, no more are kept than are waited for.
    pub fn take_lost(&mut self, now: Option<Timestamp>) -> Option<Lost> {
        match now {
            Some(now) => self.expire(now),
            None => while self.give_up_oldest(FragmentsEnd::CaptureEnded) {},
        }
        self.lost.pop_front()
    }

    /// Whether a fragment belongs to a datagram that was handed out. If not,
    /// that one's identification is in use again.
    fn is_copy(&mut self, key: &Key, piece: Piece, fragment: &Fragment<'_>, at: Timestamp) -> bool {
        let Some(finished) = self.finished.get(key) else { return false };
        let is_copy = finished.at.distance(at) <= COPIES_WITHIN
            && (finished.pieces.contain(piece)
                || finished.rest == Rest::Refused
                || finished.rest == Rest::Outstanding && !fragment.is_first());
        if !is_copy {
            self.finished.remove(key);
        }
        is_copy
    }

    fn begin(&mut self, key: Key, fragment: &Fragment<'_>, seen: Seen) {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.insert(key, Waiting::new(number, fragment.protocol, seen));
        self.ages.push_back(Age { number, at: seen.at, key });
        if self.ages.len() > 2 * self.limits.fragmented_datagrams.max(1) {
            let waiting = &self.waiting;
            self.ages.retain(|age| {
                waiting.get(&age.key).is_some_and(|known| known.number == age.number)
            });
        }
    }

    fn finish(&mut self, key: Key, at: Timestamp, rest: Rest) {
        let Some(waiting) = self.waiting.remove(&key) else { return };
        self.waiting_bytes = self.waiting_bytes.saturating_sub(waiting.buffer.allocated_bytes());
        let Waiting { number, pieces, .. } = waiting;
        self.remember(key, Finished { number, at, pieces, rest });
    }

    fn remember(&mut self, key: Key, finished: Finished) {
        let number = finished.number;
        self.finished.insert(key, finished);
        self.finished_ages.push_back((number, key));
        if self.finished_ages.len() > MAX_FINISHED
            && let Some((number, key)) = self.finished_ages.pop_front()
            && self.finished.get(&key).is_some_and(|known| known.number == number)
        {
            self.finished.remove(&key);
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(age) = self.ages.front()
            && now.since(age.at) > self.limits.fragment_lifetime
        {
            let Some(Age { number, key, .. }) = self.ages.pop_front() else { return };
            self.give_up(&key, number, FragmentsEnd::TimedOut);
        }
    }

    /// Gives up the datagram that was waited for longest; whether there was one.
    fn give_up_oldest(&mut self, ended: FragmentsEnd) -> bool {
        while let Some(Age { number, key, .. }) = self.ages.pop_front() {
            if self.give_up(&key, number, ended) {
                return true;
            }
        }
        false
    }

    /// Whether the datagram was still waited for.
    fn give_up(&mut self, key: &Key, number: u64, ended: FragmentsEnd) -> bool {
        if self.waiting.get(key).is_none_or(|known| known.number != number) {
            return false;
        }
        let Some(waiting) = self.waiting.remove(key) else { return false };
        self.waiting_bytes = self.waiting_bytes.saturating_sub(waiting.buffer.allocated_bytes());
        if self.lost.len() >= self.limits.fragmented_datagrams {
            self.lost.pop_front();
        }
        let head = waiting.buffer.head();
        self.lost.push_back(Lost {
            key: *key,
            seen: waiting.seen,
            protocol: waiting.protocol,
            head: waiting.first_frame.map(|_| head.get(..HEAD_BYTES).unwrap_or(head).to_vec()),
            received_bytes: waiting.buffer.received_bytes().saturating_add(waiting.cut_bytes),
            total_bytes: waiting.buffer.total_bytes(),
            ended,
        });
        true
    }
}
