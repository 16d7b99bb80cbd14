//! Fragments of datagrams in text: put together by their counts, or given up.
//!
//! `-v` prints identification, offset and the flag of more to come; IPv6 lines print
//! an offset always. Without `-v` an IPv4 line shows a first fragment only by a UDP
//! length that its packet cannot hold, which `-e` tells; without that as well only later
//! ones, printed right behind it as `ip-proto-17`, say that it was one.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::capture::Direction;
use crate::model::packet::{Content, Datagram, FragmentsEnd, FragmentsLost, FragmentsSeen, Packet};
use crate::model::time::Timestamp;

/// What Linux waits for the rest of an IPv4 datagram; as when frames are decoded.
const LIFETIME: Duration = Duration::from_secs(30);
/// Datagrams that are waited for at once; the oldest is given up first.
const LIMIT_WAITING: usize = 256;
/// Fragments of one datagram: 64 KiB in the smallest packets that links carry.
const LIMIT_PIECES: usize = 128;
/// RFC 768.
pub const UDP_HEADER_BYTES: u32 = 8;

/// What a line says of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub place: Place,
    pub identification: Option<u32>,
    /// Into the datagram; `None` for a later fragment of which no place is printed.
    pub offset_bytes: Option<u32>,
    /// Of the fragment behind its IP header.
    pub payload_bytes: u32,
    pub rest: Rest,
}

/// Where a fragment was seen. A datagram that passes two interfaces is seen in parts at
/// each, and may lose some of them between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub interface: u32,
    pub direction: Option<Direction>,
}

/// Whether fragments follow behind this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    More,
    Last,
    /// The line does not tell.
    Unknown,
}

/// What became of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// The datagram is whole.
    Whole(Box<Packet>),
    /// Its datagram is waited for.
    Waits,
    /// Nothing is known of its beginning.
    Alone,
}

/// Datagrams of which fragments are missing.
#[derive(Debug, Default)]
pub struct Fragments {
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    /// The last packet, where nothing but its length says that it may be a fragment.
    long: Option<Box<Waiting>>,
    /// Between whom later fragments were printed without numbers: what is too long for
    /// one packet of theirs came in parts.
    in_parts: HashSet<(IpAddr, IpAddr)>,
}

#[derive(Debug)]
struct Waiting {
    first: Packet,
    datagram: Datagram,
    fragment: Fragment,
    /// Bytes by the offset at which they begin.
    pieces: BTreeMap<u32, u32>,
    total_bytes: Option<u32>,
}

impl Fragments {
    /// Takes a first fragment: `packet` is its line, and what the line says of the
    /// datagram. Says whether it is kept: one that is known already at its place
    /// is a copy, from a mirror port for one.
    #[must_use]
    pub fn begin(&mut self, packet: Packet, datagram: Datagram, fragment: Fragment) -> bool {
        let total = datagram.length.saturating_add(UDP_HEADER_BYTES);
        // Of some protocols the fragment's own length is printed.
        let total_bytes = (total > fragment.payload_bytes).then_some(total);
        let known = self.waiting.iter_mut().rev().find(|waiting| {
            fragment.identification.is_some() && waiting.fragment.is_of_one(&fragment)
        });
        if known.is_some() {
            return false;
        }
        let pieces = BTreeMap::from([(0, fragment.payload_bytes)]);
        let waiting = Waiting { first: packet, datagram, fragment, pieces, total_bytes };
        // IPv6 prints the offset: it is a fragment.
        let is_only_long = fragment.rest == Rest::Unknown && fragment.source.is_ipv4();
        if is_only_long && !self.in_parts.contains(&fragment.ends()) {
            self.long = Some(Box::new(waiting));
        } else {
            self.waiting.push_back(waiting);
        }
        true
    }

    /// Whether a packet is held that is only long.
    pub const fn has_long(&self) -> bool {
        self.long.is_some()
    }

    /// Settles whether the packet that was only long is a first fragment: `later` is the
    /// fragment in the line behind it, if one stands there. A host sends the fragments of
    /// a datagram one after the other. Gives the packet back where it was whole.
    pub fn settle_long(&mut self, later: Option<&Fragment>) -> Option<Packet> {
        let long = self.long.take()?;
        if later.is_some_and(|later| long.fragment.is_of_one(later)) {
            self.waiting.push_back(*long);
            return None;
        }
        Some(long.first)
    }

    /// Takes a later fragment, whose line came at `at`.
    pub fn add(&mut self, fragment: &Fragment, at: Timestamp) -> Taken {
        if fragment.identification.is_none() && self.in_parts.len() < LIMIT_WAITING {
            self.in_parts.insert(fragment.ends());
        }
        let known = self.waiting.iter().rposition(|waiting| waiting.fragment.is_of_one(fragment));
        let Some(position) = known else { return Taken::Alone };
        let Some(waiting) = self.waiting.get_mut(position) else { return Taken::Alone };
        waiting.add(fragment);
        if !waiting.is_whole() {
            return Taken::Waits;
        }
        let Some(waiting) = self.waiting.remove(position) else { return Taken::Alone };
        let length = waiting
            .total_bytes
            .map_or(waiting.datagram.length, |total| total.saturating_sub(UDP_HEADER_BYTES));
        let datagram = Datagram { length, ..waiting.datagram };
        let content = Content::Datagram(datagram);
        Taken::Whole(Box::new(Packet { at, content, ..waiting.first }))
    }

    /// The next datagram that was given up by the time `now`; without a time the run
    /// has ended, and all are given up.
    pub fn take_lost(&mut self, now: Option<Timestamp>) -> Option<Packet> {
        let oldest = self.waiting.front()?;
        let ended = match now {
            None => FragmentsEnd::CaptureEnded,
            Some(now) if now.since(oldest.first.at) > LIFETIME => FragmentsEnd::TimedOut,
            Some(_) if self.waiting.len() > LIMIT_WAITING => FragmentsEnd::Evicted,
            Some(_) => return None,
        };
        self.waiting.pop_front().map(|waiting| waiting.lost(ended))
    }
}

impl Fragment {
    const fn ends(&self) -> (IpAddr, IpAddr) {
        (self.source, self.destination)
    }

    fn is_of_one(&self, other: &Self) -> bool {
        (self.source, self.destination, self.identification, self.place)
            == (other.source, other.destination, other.identification, other.place)
    }
}

impl Waiting {
    fn add(&mut self, fragment: &Fragment) {
        // Without offsets the fragments come in order.
        let end = self.pieces.last_key_value().map_or(0, |(offset, bytes)| offset + bytes);
        let offset = fragment.offset_bytes.unwrap_or(end);
        if self.pieces.len() >= LIMIT_PIECES && !self.pieces.contains_key(&offset) {
            return;
        }
        // A datagram ends at 64 KiB (RFC 791 section 3.1), so no sum is too large.
        let bytes = fragment.payload_bytes.min(65_535);
        self.pieces.insert(offset.min(65_535), bytes);
        let is_last = match fragment.rest {
            Rest::Last => true,
            Rest::More => false,
            // Only the last one may be shorter than the first (RFC 8200 section 4.5).
            Rest::Unknown => fragment.offset_bytes.is_some() && bytes < self.fragment.payload_bytes,
        };
        if is_last {
            self.total_bytes = self.total_bytes.or_else(|| offset.checked_add(bytes));
        }
    }

    fn received_bytes(&self) -> u32 {
        self.pieces.values().fold(0, |sum, bytes| bytes.saturating_add(sum))
    }

    fn is_whole(&self) -> bool {
        self.total_bytes.is_some_and(|total| self.received_bytes() >= total)
    }

    fn lost(self, ended: FragmentsEnd) -> Packet {
        let received_bytes = self.received_bytes();
        let content = Content::FragmentsLost(FragmentsLost {
            flow: Some(self.datagram.flow),
            source: self.fragment.source,
            destination: self.fragment.destination,
            identification: self.fragment.identification.unwrap_or(0),
            received_bytes,
            total_bytes: self.total_bytes,
            seen: FragmentsSeen::First,
            ended,
        });
        Packet { content, ..self.first }
    }
}

#[cfg(test)]
#[path = "fragments_tests.rs"]
mod tests;
