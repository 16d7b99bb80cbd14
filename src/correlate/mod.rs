//! Packets to exchanges.
//!
//! Push packets as they are read, each with the point that saw it. Every point
//! has a table of live exchanges (`table`); `fit` says which exchange a
//! packet on a new flow belongs to, `record` counts it there. At the end
//! `points` says on which side of the translation each point is, `join`
//! puts together what several points saw of one exchange, and `roles` says
//! who the device is.

mod audience;
mod beside;
mod broadcasts;
mod bypass;
mod cables;
mod clients;
mod count;
mod details;
mod ended;
mod error_answer;
mod fit;
mod flows;
mod fold;
mod foregone;
mod halves;
mod handshakes;
mod identities;
mod index;
mod join;
mod latecomers;
mod midway;
mod moved;
mod neighbours;
mod opening;
mod outcome;
mod passage;
mod payload_address;
mod placement;
mod points;
mod record;
mod relayed;
mod repetition;
mod retries;
mod roles;
mod sayings;
mod sides;
mod signature;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod tftp;
mod tracked;
mod transactions;
mod unanswered;
mod unfold;
mod untranslated;
mod view;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use hashbrown::HashMap;

use crate::model::capture::{CaptureFilter, CaptureId, CapturePoint, FrameRef};
use crate::model::exchange::{PointId, Unread};
use crate::model::packet::{Content, Packet};
use crate::model::time::Timestamp;
use crate::model::topology::Topology;
use beside::Beside;
use flows::Foreseen;
use halves::Kept;
use join::{Ends, Stated};
use table::PointTable;

pub use index::{FlowHash, Hasher};
pub use join::ClockOffset;
pub use outcome::{Correlated, Entry, WellExchanges};
pub use tracked::Tracked;

/// Packets whose exchanges are fetched together: what a core's nearest cache holds.
const TOGETHER: usize = 32;

/// Follows the exchanges of all capture points.
#[derive(Debug)]
pub struct Correlator {
    /// Few, and the latest is most often the next: kept in order of appearance.
    tables: Vec<PointTable>,
    /// Positions in `tables`.
    by_point: HashMap<PointId, usize>,
    /// Position of the table used last.
    latest: usize,
    max_exchanges: usize,
    /// One for all tables, so that a packet is hashed once.
    hasher: Hasher,
    /// What stands beside the exchanges of a point. A point of which nothing else
    /// was seen has no table.
    beside: HashMap<PointId, Box<Beside>>,
    /// Packets of exchanges that do not show both their sides at one point yet.
    kept: Kept,
    /// Another point may show the other side.
    expects_rest_elsewhere: bool,
    /// What connection tracking says of clients that are translated on the way.
    stated: Stated,
    /// When captures listened at all of their points.
    listening: BTreeMap<CaptureId, (Timestamp, Timestamp)>,
}

/// What is known of a capture point before its packets are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As the sender stated it, or as the capture itself says.
    pub point: CapturePoint,
    /// The capture's name in the report.
    pub capture_name: String,
    /// Packets that the capture itself lost there.
    pub lost_packets: u64,
    /// Packets here of which the text could not be read.
    pub unread: Unread,
    /// It is a firewall's log, which does not hold all packets.
    pub is_log: bool,
    /// What the command that captured here let through, where that is known.
    pub filter: Option<CaptureFilter>,
}

impl Correlator {
    /// Follows at most `max_exchanges` at each point; the packets of further
    /// clients are counted only.
    #[must_use]
    pub fn new(max_exchanges: usize) -> Self {
        Self {
            tables: Vec::new(),
            by_point: HashMap::new(),
            latest: 0,
            max_exchanges,
            hasher: Hasher::default(),
            beside: HashMap::new(),
            kept: Kept::default(),
            expects_rest_elsewhere: true,
            stated: Stated::default(),
            listening: BTreeMap::new(),
        }
    }

    /// What hashes packets for [`push_hashed`](Self::push_hashed).
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        self.hasher.clone()
    }

    /// Whether another point may show the other side of exchanges from now on, as is
    /// assumed. Where one point is all there is nothing need be kept for that.
    pub fn expect_rest_elsewhere(&mut self, is_expected: bool) {
        if is_expected && !self.expects_rest_elsewhere {
            self.kept.note_lost();
        }
        self.expects_rest_elsewhere = is_expected;
    }

    /// Takes packets in their order, each with the point that saw it.
    pub fn push_all<'p>(&mut self, packets: impl IntoIterator<Item = (PointId, &'p Packet)>) {
        let hasher = self.hasher();
        let packets: Vec<_> = packets.into_iter().collect();
        let seen: Vec<_> =
            packets.iter().map(|(point, packet)| (*point, hasher.flow(packet))).collect();
        for (seen, packets) in seen.chunks(TOGETHER).zip(packets.chunks(TOGETHER)) {
            self.push_together(seen, packets.iter().map(|(_, packet)| *packet));
        }
    }

    /// The same of packets that [`hasher`](Self::hasher) has hashed: `seen` says of each
    /// which point saw it, and its hash.
    ///
    /// The result is that of one [`push`](Self::push) after another. Of a million live
    /// exchanges none is in a cache, so that each packet would wait for memory once
    /// or twice; looked up ahead, many wait together.
    pub fn push_hashed(&mut self, seen: &[(PointId, FlowHash)], packets: &[Packet]) {
        for (seen, packets) in seen.chunks(TOGETHER).zip(packets.chunks(TOGETHER)) {
            self.push_together(seen, packets.iter());
        }
    }

    /// Takes up to [`TOGETHER`] packets.
    fn push_together<'p>(
        &mut self,
        seen: &[(PointId, FlowHash)],
        packets: impl Iterator<Item = &'p Packet> + Clone,
    ) {
        let mut foreseen = [None; TOGETHER];
        for ((point, hash), foreseen) in seen.iter().zip(&mut foreseen) {
            *foreseen = self.foresee(*point, *hash);
        }
        for (packet, foreseen) in packets.clone().zip(&foreseen) {
            if let (Content::Datagram(datagram), Some((table, foreseen))) =
                (&packet.content, foreseen)
            {
                self.tables[*table].fetch(*foreseen, datagram);
            }
        }
        for (((point, _), packet), foreseen) in seen.iter().zip(packets).zip(foreseen) {
            match (&packet.content, foreseen) {
                // As nearly always.
                (Content::Datagram(datagram), Some((position, foreseen))) => {
                    self.latest = position;
                    let table = &mut self.tables[position];
                    table.observe(packet.at);
                    let frame = frame_of(*point, packet);
                    table.foreseen_datagram(packet, frame, datagram, foreseen);
                    if self.expects_rest_elsewhere && table.awaits_rest(datagram, Some(foreseen)) {
                        self.keep(*point, packet);
                    }
                }
                _ => self.push(*point, packet),
            }
        }
    }

    /// Takes a packet that `point` saw.
    pub fn push(&mut self, point: PointId, packet: &Packet) {
        let frame = frame_of(point, packet);
        match &packet.content {
            Content::Datagram(datagram) => {
                let expects_rest_elsewhere = self.expects_rest_elsewhere;
                let table = self.observed_table(point, packet.at);
                table.datagram(packet, frame, datagram);
                if expects_rest_elsewhere && table.awaits_rest(datagram, None) {
                    self.keep(point, packet);
                }
            }
            Content::Dropped(dropped) => {
                self.observed_table(point, packet.at).dropped(packet, frame, dropped);
            }
            Content::Discarded(datagram) => {
                self.observed_table(point, packet.at).discarded(packet, frame, datagram);
            }
            Content::IcmpError(error) => {
                let is_taken = !error.quotes_segment()
                    && self.observed_table(point, packet.at).icmp_error(frame, error);
                if !is_taken && error.may_quote_segment() {
                    self.push_beside(point, packet, frame);
                }
                if !error.quotes_segment() {
                    self.keep(point, packet);
                }
            }
            Content::FragmentsLost(lost) => {
                self.observed_table(point, packet.at).fragments_lost(packet, frame, lost);
                self.keep(point, packet);
            }
            Content::Neighbour(_) | Content::Segment(_) => self.push_beside(point, packet, frame),
        }
    }

    /// The position of the point's table, and what it knows of a datagram's flow.
    fn foresee(&self, point: PointId, hash: FlowHash) -> Option<(usize, Foreseen)> {
        let hash = hash.find()?;
        let position = self.find_table(point)?;
        Some((position, self.tables[position].foresee(hash)))
    }

    /// Keeps a packet until its exchange shows both its sides.
    fn keep(&mut self, point: PointId, packet: &Packet) {
        if !self.expects_rest_elsewhere {
            return;
        }
        if self.kept.is_full() {
            let (tables, by_point) = (&self.tables, &self.by_point);
            self.kept.retain(|seen| {
                let position = by_point.get(&seen.point);
                position.is_some_and(|position| tables[*position].still_awaits_rest(&seen.packet))
            });
        }
        self.kept.push(point, packet);
    }

    fn observed_table(&mut self, point: PointId, at: Timestamp) -> &mut PointTable {
        let table = self.table(point);
        table.observe(at);
        table
    }

    /// Notes that `point` saw some other packet at `at`: until then it was listening.
    pub fn observe(&mut self, point: PointId, at: Timestamp) {
        self.table(point).observe(at);
    }

    /// Notes that every point that saw packets was listening until `at`.
    pub fn observe_all(&mut self, at: Timestamp) {
        for table in &mut self.tables {
            table.observe(at);
        }
    }

    /// States that `capture` listened at all of its points between two times, at least:
    /// what one of them shows was a time in which the others were silent.
    pub fn state_listening(&mut self, capture: CaptureId, (from, until): (Timestamp, Timestamp)) {
        let (first, last) = self.listening.entry(capture).or_insert((from, until));
        (*first, *last) = ((*first).min(from), (*last).max(until));
    }

    /// States that requests arrive under other ends than they were sent with: first
    /// those that the sender used, then those that the receiver sees.
    pub fn state_translated(&mut self, requests: impl Iterator<Item = [Ends; 2]>) {
        self.stated.extend(requests.map(|[sent, seen]| (seen, sent)));
    }

    /// Which of `known` the exchanges use.
    #[must_use]
    pub fn used_of(&self, known: &HashSet<IpAddr>) -> HashSet<IpAddr> {
        let mut used = HashSet::new();
        for table in &self.tables {
            table.visit_addresses(&mut |address| {
                if known.contains(&address) {
                    used.insert(address);
                }
            });
        }
        used
    }

    /// Puts the views of all points together. `places` says what is known of
    /// each point; roles that only the packets show are added to `topology`.
    #[must_use]
    pub fn finish(self, places: &BTreeMap<PointId, Place>, topology: &mut Topology) -> Correlated {
        let unfollowed_packets = self
            .tables
            .iter()
            .filter(|table| table.unfollowed_packets > 0)
            .map(|table| (table.id, table.unfollowed_packets))
            .collect();
        let mut tables = Vec::new();
        let mut own = self.tables;
        own.iter_mut().for_each(PointTable::give_up_leases);
        let mut unresolved = beside::take_unresolved(self.beside, &mut own, &self.hasher);
        // Not in the order of files: whichever is given first, the result is the same.
        own.sort_by_key(|table| (table.observed, table.id));
        let is_cluster = |address| roles::is_cluster(topology.role_of(address));
        for mut table in own {
            let translated = table.take_translated(&is_cluster);
            tables.extend(std::iter::once(table).chain(translated));
        }
        for table in &mut tables {
            if let Some((first, last)) = self.listening.get(&table.id.capture) {
                table.observe(*first);
                table.observe(*last);
            }
        }
        halves::join(&mut tables, self.kept, places);
        broadcasts::settle(&mut tables);
        for table in &mut tables {
            table.forget_flows();
            midway::join_halves(table);
            foregone::join(table);
        }
        let mut points = points::describe(&tables, places, topology);
        for point in &mut points {
            point.unresolved = unresolved.remove(&point.id).unwrap_or_default();
        }
        latecomers::take_away(&mut tables, &points);
        Correlated::new(tables, points, unfollowed_packets, &self.stated, topology)
    }

    fn table(&mut self, point: PointId) -> &mut PointTable {
        self.latest = self.find_table(point).unwrap_or_else(|| {
            let hasher = self.hasher.clone();
            self.tables.push(PointTable::new(point, self.max_exchanges, hasher));
            self.by_point.insert(point, self.tables.len() - 1);
            self.tables.len() - 1
        });
        &mut self.tables[self.latest]
    }

    fn find_table(&self, point: PointId) -> Option<usize> {
        if self.tables.get(self.latest).is_some_and(|table| table.id == point) {
            return Some(self.latest);
        }
        self.by_point.get(&point).copied()
    }
}

const fn frame_of(point: PointId, packet: &Packet) -> FrameRef {
    FrameRef { capture: point.capture, number: packet.frame, at: packet.at }
}
