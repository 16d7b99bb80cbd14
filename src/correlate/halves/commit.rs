//! Puts what several points saw in the place of its parts.

use std::collections::{BTreeMap, BTreeSet};

use super::joined::Joined;
use super::replay::{Moment, Replay};
use super::{Half, Scene, Seen, find_flow_ends};
use crate::correlate::record::{ExchangeIndex, Record};
use crate::correlate::table::PointTable;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Beside, PointId};
use crate::model::packet::Content;
use crate::model::time::Timestamp;

/// What was put together, and of which of the parts.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of these, what further points may have seen more of.
    pub joined: Vec<Half>,
    pub used: Vec<usize>,
}

impl Replay {
    /// Puts the exchanges that several points saw in the place of their parts.
    /// `repeats` are the parts that say again what the point that asks saw.
    pub fn commit(mut self, scene: &mut Scene<'_>, parts: &[&Half], repeats: &[usize]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut of_exchange: BTreeMap<ExchangeIndex, Vec<usize>> = BTreeMap::new();
        // Those about which another point saw an error.
        let mut foreign: BTreeSet<ExchangeIndex> = BTreeSet::new();
        let home = scene.tables[self.home].id;
        for (place, moment) in self.moments.iter().enumerate() {
            let Some(exchange) = moment.exchange else { continue };
            of_exchange.entry(exchange).or_default().push(place);
            let seen = &scene.kept[moment.number];
            if seen.point != home && matches!(seen.packet.content, Content::IcmpError(_)) {
                foreign.insert(exchange);
            }
        }
        let mut gone: BTreeMap<usize, Vec<ExchangeIndex>> = BTreeMap::new();
        let mut sound: Vec<ExchangeIndex> = Vec::new();
        for Connected { used, exchanges } in self.connected(parts.len()) {
            let tables: BTreeSet<usize> = used.iter().map(|part| parts[*part].table).collect();
            let has_foreign = exchanges.iter().any(|index| foreign.contains(index));
            let is_repeated =
                exchanges.len() < used.len() && used.iter().any(|part| repeats.contains(part));
            let is_one = tables.len() > 1 && (is_repeated || self.is_sound(&exchanges));
            if !has_foreign && !is_one {
                continue;
            }
            for part in &used {
                let half = parts[*part];
                gone.entry(half.table).or_default().push(half.index);
            }
            sound.extend(exchanges);
            outcome.used.extend(used);
        }
        for (table, gone) in gone {
            take_away(&mut scene.tables[table], &gone);
        }
        for exchange in sound {
            let own = of_exchange.remove(&exchange).unwrap_or_default();
            outcome.joined.extend(self.put(scene, exchange, &own));
        }
        if !outcome.used.is_empty() {
            let frames = self.moments.iter().map(|moment| {
                let seen = &scene.kept[moment.number];
                let (capture, packet) = (seen.point.capture, &seen.packet);
                FrameRef { capture, number: packet.frame, at: packet.at }
            });
            scene.tables[self.home].joined.borrow(frames);
        }
        outcome
    }

    /// Parts and exchanges, by which of them have packets in common.
    fn connected(&self, parts: usize) -> Vec<Connected> {
        let mut roots: Vec<usize> = (0..parts + self.records.len()).collect();
        for moment in &self.moments {
            let Some((part, exchange)) = moment.part.zip(moment.exchange) else { continue };
            let of_part = find_root(&mut roots, part);
            let of_exchange = find_root(&mut roots, parts + exchange.position());
            let (low, high) = (of_part.min(of_exchange), of_part.max(of_exchange));
            roots[high] = low;
        }
        let mut connected: BTreeMap<usize, Connected> = BTreeMap::new();
        for part in 0..parts {
            let root = find_root(&mut roots, part);
            connected.entry(root).or_default().used.push(part);
        }
        for position in 0..self.records.len() {
            let root = find_root(&mut roots, parts + position);
            if let Some((known, index)) = connected.get_mut(&root).zip(ExchangeIndex::new(position))
            {
                known.exchanges.push(index);
            }
        }
        connected.into_values().collect()
    }

    /// Whether both sides of one of the exchanges are there now.
    fn is_sound(&self, exchanges: &[ExchangeIndex]) -> bool {
        let mut records = exchanges.iter().filter_map(|index| self.record(*index));
        let follows = |record: &Record| {
            record.details.as_ref().is_some_and(|details| details.has_follow_ups())
        };
        records.any(|record| record.is_answered() && (record.asked.is_some() || follows(record)))
    }

    fn record(&self, index: ExchangeIndex) -> Option<&Record> {
        self.records.get(index.position())?.as_ref()
    }

    /// Puts an exchange to those of the table that asks; `own` are the places of its
    /// packets among the moments.
    fn put(
        &mut self,
        scene: &mut Scene<'_>,
        exchange: ExchangeIndex,
        own: &[usize],
    ) -> Option<Half> {
        let client = self.record(exchange)?.client;
        let moments = || own.iter().filter_map(|place| self.moments.get(*place));
        let joined = Joined {
            observed: find_observed(scene, client, moments(), self.home),
            beside: find_beside(scene, client, moments(), self.home),
        };
        let parts = moments().filter(|moment| moment.part.is_some());
        let packets = parts.map(|moment| moment.number).collect();
        let mut record = self.records.get_mut(exchange.position())?.take()?;
        record.previous_of_client = None;
        let (first_at, is_whole) = (record.times().0, record.is_whole());
        let home = &mut scene.tables[self.home];
        let index = home.adopt(record)?;
        home.clients.add(&home.hasher, &mut home.exchanges, index);
        home.joined.insert(index, joined);
        let half = Half { table: self.home, index, first_at, packets };
        (!is_whole).then_some(half)
    }
}

/// Parts that share exchanges.
#[derive(Debug, Default)]
struct Connected {
    used: Vec<usize>,
    exchanges: Vec<ExchangeIndex>,
}

fn find_root(roots: &mut [usize], mut at: usize) -> usize {
    while roots[at] != at {
        roots[at] = roots[roots[at]];
        at = roots[at];
    }
    at
}

/// When the points of an exchange listened. Of several captures each tells of the side that
/// it shows: of the server's silence that with its answers; of the client's, where it did
/// not go on, the one that ended first.
fn find_observed<'m>(
    scene: &Scene<'_>,
    client: Endpoint,
    moments: impl Iterator<Item = &'m Moment>,
    home: usize,
) -> Option<(Timestamp, Timestamp)> {
    let mut points: BTreeMap<PointId, (i64, bool)> = BTreeMap::new();
    let (mut answered_at, mut went_on_at) = (None, None);
    for moment in moments {
        let seen = &scene.kept[moment.number];
        let (_, answers) =
            points.entry(seen.point).or_insert((seen.packet.at.ahead_of_ns(moment.at), false));
        if is_from(seen, client) {
            went_on_at = Some(moment.at);
        } else {
            *answers = true;
            answered_at.get_or_insert(moment.at);
        }
    }
    let mut captures: BTreeMap<CaptureId, (Timestamp, Timestamp, bool)> = BTreeMap::new();
    for (point, (ahead_ns, answers)) in points {
        let table = scene.by_point.get(&point).and_then(|place| scene.tables.get(*place));
        let Some((first, last)) = table.and_then(|table| table.observed) else { continue };
        let (first, last) = (first.back(ahead_ns), last.back(ahead_ns));
        let known = captures.entry(point.capture).or_insert((first, last, answers));
        *known = (known.0.min(first), known.1.max(last), known.2 | answers);
    }
    let first = captures.values().map(|(first, ..)| *first).min()?;
    let goes_on = went_on_at > answered_at;
    let telling = captures.values().filter(|(.., answers)| *answers || !goes_on);
    let last = telling.map(|(_, last, _)| *last).min();
    // Who says again what nobody answered has heard nothing until then, wherever that is seen.
    let own = captures.get(&scene.tables.get(home)?.id.capture).map(|(_, last, _)| *last);
    Some((first, last.or(own.max(went_on_at))?))
}

/// Where else an exchange was seen: first where another clock runs, then where the answers
/// were.
fn find_beside<'m>(
    scene: &Scene<'_>,
    client: Endpoint,
    moments: impl Iterator<Item = &'m Moment> + Clone,
    home: usize,
) -> Option<Beside> {
    let home = scene.tables.get(home)?.id;
    let seen = moments.map(|moment| (&scene.kept[moment.number], moment));
    let mut elsewhere = seen.filter(|(seen, _)| seen.point != home);
    let mut answers = elsewhere.clone().filter(|(seen, _)| !is_from(seen, client));
    let found = elsewhere.find(|(seen, _)| seen.point.capture != home.capture);
    let (seen, moment) = found.or_else(|| answers.next())?;
    Some(Beside { point: seen.point, ahead_ns: seen.packet.at.ahead_of_ns(moment.at) })
}

/// Whether the client sent a packet, and no error about it.
fn is_from(seen: &Seen, client: Endpoint) -> bool {
    let is_error = matches!(seen.packet.content, Content::IcmpError(_));
    !is_error && find_flow_ends(&seen.packet).is_some_and(|(source, _)| source == client)
}

/// Takes exchanges away, however many one client has.
pub fn take_away(table: &mut PointTable, gone: &[ExchangeIndex]) {
    for index in gone {
        let Some(record) = table.exchanges.get_mut(index.position()) else { continue };
        // Its client's exchanges are found through it until all are gone through.
        let previous_of_client = record.previous_of_client;
        record.vacate();
        record.previous_of_client = previous_of_client;
        table.passed_on.remove(index);
        table.joined.remove(*index);
    }
    table.clients.remove_vacated(&table.hasher, &mut table.exchanges, gone);
    table.vacant.extend_from_slice(gone);
}
