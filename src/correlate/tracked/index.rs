//! All entries of UDP, to be found by their ends.

use std::net::IpAddr;
use std::ops;

use hashbrown::hash_map::Entry as MapEntry;
use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use crate::model::capture::{CaptureId, FrameRef};
use crate::model::conntrack::{TrackedEntry, TrackedEvent, TrackedFlow, TrackingTable};
use crate::model::endpoint::{Endpoint, FlowKey, Transport};
use crate::model::time::Timestamp;

/// Entries looked at for one end: more of them belong to one socket only in
/// tables that are made to cost time.
const MAX_CANDIDATES: usize = 64;

/// An entry's place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u32);

impl Position {
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// An entry, and where the tables have it.
#[derive(Debug)]
pub struct Entry {
    pub frame: FrameRef,
    pub flow: TrackedFlow,
    /// Until when its table was followed, where that shows what became of entries:
    /// of `conntrack -E -e NEW` an answer cannot be seen.
    pub followed_until: Option<Timestamp>,
}

/// All entries.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    /// By zone while they are taken in; of several zones the best entry stays.
    by_zone: HashMap<(Option<u16>, FlowKey), Position>,
    by_original: HashMap<FlowKey, Position>,
    /// As they are after translation, where that differs.
    by_translated: HashMap<FlowKey, Position>,
    by_source: HashMap<Endpoint, SmallVec<[Position; 2]>>,
    by_destination: HashMap<Endpoint, SmallVec<[Position; 2]>>,
    /// Addresses to which destinations are translated: of pods.
    pods: HashSet<IpAddr>,
    /// Addresses that are asked and translated: of services.
    services: HashSet<IpAddr>,
    /// Addresses that sources are given: of nodes.
    given: HashSet<IpAddr>,
    /// Sources that are replaced on the way out: of pods.
    replaced: HashSet<IpAddr>,
}

impl Index {
    /// Takes in all tables. Of several entries of one flow in one table, as
    /// `conntrack -E` prints them, the last counts; of several tables the first
    /// that has the flow; of several zones that which tells most.
    pub fn new(tables: Vec<(CaptureId, TrackingTable)>) -> Self {
        let mut index = Self::default();
        for (capture, table) in tables {
            let changes = |entry: &TrackedEntry| {
                matches!(entry.flow.event, Some(TrackedEvent::Update | TrackedEvent::Destroy))
            };
            let ends_at = table.entries.iter().filter_map(|entry| entry.flow.at).max();
            let followed_until = ends_at.filter(|_| table.entries.iter().any(changes));
            for entry in table.entries {
                if entry.flow.original.transport == Transport::Udp {
                    index.take(capture, followed_until, entry);
                }
            }
        }
        index.keep_best();
        index.link();
        index
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn positions(&self) -> impl Iterator<Item = Position> + use<> {
        (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(Position)
    }

    /// The entry of the packets from `source` to `destination`, before or after
    /// their translation.
    pub fn find(&self, source: Endpoint, destination: Endpoint) -> Option<Position> {
        let key = FlowKey::udp(source, destination);
        self.by_original.get(&key).or_else(|| self.by_translated.get(&key)).copied()
    }

    /// Entries whose first packet came from `source`.
    pub fn from(&self, source: Endpoint) -> impl Iterator<Item = Position> + '_ {
        self.by_source.get(&source).into_iter().flatten().copied().take(MAX_CANDIDATES)
    }

    /// Entries whose first packet went to `destination`.
    pub fn to(&self, destination: Endpoint) -> impl Iterator<Item = Position> + '_ {
        self.by_destination.get(&destination).into_iter().flatten().copied().take(MAX_CANDIDATES)
    }

    /// Whether destinations are translated to `address`.
    pub fn is_pod(&self, address: IpAddr) -> bool {
        self.pods.contains(&address)
    }

    /// Whether requests to `address` are translated.
    pub fn is_service(&self, address: IpAddr) -> bool {
        self.services.contains(&address)
    }

    /// Whether sources are given `address`.
    pub fn gives_source(&self, address: IpAddr) -> bool {
        self.given.contains(&address)
    }

    /// Whether what `address` sends out is given another source.
    pub fn is_replaced(&self, address: IpAddr) -> bool {
        self.replaced.contains(&address)
    }

    fn take(
        &mut self,
        capture: CaptureId,
        followed_until: Option<Timestamp>,
        TrackedEntry { line, flow }: TrackedEntry,
    ) {
        let at = flow.at.unwrap_or(Timestamp::EPOCH);
        let frame = FrameRef { capture, number: line, at };
        match self.by_zone.entry((flow.zone, flow.original)) {
            MapEntry::Occupied(slot) => {
                let before = &mut self.entries[slot.get().place()];
                if before.frame.capture != capture {
                    return;
                }
                // A listing has one flow twice where its zones are not told.
                let is_listed = before.flow.event.is_none() && flow.event.is_none();
                if is_listed && tells(&before.flow) > tells(&flow) {
                    return;
                }
                let was = std::mem::replace(before, Entry { frame, flow, followed_until });
                if was.flow.expected_reply == before.flow.expected_reply {
                    before.frame.at = was.frame.at;
                    carry_on(&mut before.flow, was.flow);
                }
            }
            MapEntry::Vacant(slot) => {
                let Ok(position) = u32::try_from(self.entries.len()) else { return };
                slot.insert(Position(position));
                self.entries.push(Entry { frame, flow, followed_until });
            }
        }
    }

    /// Of each flow keeps the entry that tells most, of the first table that has it.
    fn keep_best(&mut self) {
        self.by_zone = HashMap::new();
        let mut kept: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in std::mem::take(&mut self.entries) {
            match self.by_original.entry(entry.flow.original) {
                MapEntry::Occupied(slot) => {
                    let best = &mut kept[slot.get().place()];
                    let is_better = tells(&entry.flow) > tells(&best.flow);
                    if is_better && best.frame.capture == entry.frame.capture {
                        *best = entry;
                    }
                }
                MapEntry::Vacant(slot) => {
                    let Ok(position) = u32::try_from(kept.len()) else { break };
                    slot.insert(Position(position));
                    kept.push(entry);
                }
            }
        }
        self.entries = kept;
    }

    /// Makes the ways to find entries, once they are all in.
    fn link(&mut self) {
        for position in self.positions() {
            let flow = &self.entries[position.place()].flow;
            let FlowKey { source, destination, .. } = flow.original;
            if !flow.is_untranslated() {
                let translated = flow.expected_reply.reversed();
                self.by_translated.entry(translated).or_insert(position);
            }
            self.by_source.entry(source).or_default().push(position);
            self.by_destination.entry(destination).or_default().push(position);
            let (pod, left) = (flow.translated_destination(), flow.translated_source());
            let sent_on = pod.address != destination.address;
            if sent_on {
                self.pods.insert(pod.address);
                self.services.insert(destination.address);
            }
            if left.address != source.address {
                self.given.insert(left.address);
                if !sent_on {
                    self.replaced.insert(source.address);
                }
            }
        }
    }
}

impl ops::Index<Position> for Index {
    type Output = Entry;

    fn index(&self, position: Position) -> &Entry {
        &self.entries[position.place()]
    }
}

/// How much an entry tells of its flow: in one zone a flow is translated and answered, in
/// another it only passes.
fn tells(flow: &TrackedFlow) -> (bool, bool) {
    (flow.is_replied, !flow.is_untranslated())
}

/// What an earlier event said of the same entry and a later one does not.
fn carry_on(flow: &mut TrackedFlow, before: TrackedFlow) {
    flow.is_replied |= before.is_replied && before.event != Some(TrackedEvent::Destroy);
    flow.is_assured |= before.is_assured;
    flow.original_count = flow.original_count.or(before.original_count);
    flow.reply_count = flow.reply_count.or(before.reply_count);
    flow.helper = flow.helper.take().or(before.helper);
}
