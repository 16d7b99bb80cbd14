//! Which sightings of several points are one exchange.

mod apart;
mod axis;
mod clocks;
mod late;
mod named;
mod same;
mod stated;
mod telling;
mod translated;
mod zone;

use std::time::Duration;

use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use self::apart::Apart;
use self::axis::Axis;
pub use self::clocks::{ClockOffset, clock_offsets};
use self::same::BySocket;
pub use self::stated::{Ends, Stated};
use super::record::Record;
use super::sayings::PACE;
use super::signature::Basis;
use super::table::PointTable;
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Point;
use crate::model::protocol::{DeviceSide, Protocol};
use crate::model::time::Timestamp;
use crate::model::topology::{Role, Topology};

/// Hosts' clocks differ by seconds, rarely by more; without a payload only time relates two views.
/// So long may an answer be on its way, too, or a capture begin after another.
pub const TIME_APART: Duration = Duration::from_secs(10);
/// Times before this are those of a clock that knows no date: one year.
const UNDATED: Duration = Duration::from_hours(365 * 24);
/// Transactions of one identity that are looked at for a translated client.
const MAX_CANDIDATES: usize = 64;

/// Where a sighting stands: its table and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub table: usize,
    pub position: usize,
}

/// The sightings of one exchange, that nearest to the device first.
pub type Group = SmallVec<[Place; 1]>;

/// All exchanges, as groups of sightings.
#[derive(Debug)]
pub enum Groups {
    /// Of one table only: each of these places is an exchange.
    Alone(Vec<u32>),
    Joined(Vec<Group>),
}

impl Groups {
    /// How many exchanges there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Alone(positions) => positions.len(),
            Self::Joined(groups) => groups.len(),
        }
    }

    /// The exchange with this number.
    pub fn get(&self, number: usize) -> Option<Group> {
        match self {
            Self::Alone(positions) => positions.get(number).map(|position| {
                let group: Group = smallvec![Place { table: 0, position: *position as usize }];
                group
            }),
            Self::Joined(groups) => groups.get(number).cloned(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Group> + '_ {
        (0..self.len()).filter_map(|number| self.get(number))
    }
}

/// Joins the sightings of all tables, which are in the order of `points`; `stated`
/// is what connection tracking knows of translated clients.
pub fn join(
    tables: &[PointTable],
    points: &[Point],
    stated: &Stated,
    topology: &Topology,
) -> Groups {
    if let [table] = tables {
        return Groups::Alone(taken(table).collect());
    }
    let places = tables.iter().enumerate().flat_map(|(index, table)| {
        taken(table).map(move |position| Place { table: index, position: position as usize })
    });
    let mut axis = Axis::of(tables);
    let mut seen: Vec<Seen<'_>> =
        places.map(|place| Seen::new(place, tables, points, topology, &axis)).collect();
    seen.sort_by_key(|seen| {
        (seen.distance, seen.hops, seen.place.table, seen.first_at, seen.place.position)
    });
    let mut apart = Apart::default();
    let mut groups = group(&seen, tables, Some(&mut apart));
    let captures: Vec<CaptureId> = tables.iter().map(|table| table.id.capture).collect();
    let clocks = apart.prove(&groups, &captures);
    if !clocks.is_empty() {
        for seen in &mut seen {
            seen.set_back(clocks.ahead_ns(captures[seen.place.table]));
        }
        axis.set_back(|table| clocks.ahead_ns(captures[table]));
        groups = group(&seen, tables, None);
    }
    stated::join(&mut groups, tables, stated);
    translated::join(&mut groups, tables, points, &axis);
    late::join(&mut groups, tables, points, &axis);
    let mut groups = groups.into_iter().map(|(_, group)| group).collect();
    named::separate(&mut groups, tables, topology);
    Groups::Joined(groups)
}

/// Groups the sightings by what is the same at all points: the client's socket, or a
/// transaction. What says the same at another time is noted at `apart`.
fn group<'a>(
    seen: &[Seen<'a>],
    tables: &'a [PointTable],
    mut apart: Option<&mut Apart>,
) -> Vec<(Seen<'a>, Group)> {
    let mut groups: Vec<(Seen<'_>, Group)> = Vec::new();
    let mut by_socket = BySocket::default();
    let mut by_transaction: HashMap<Transaction, Vec<usize>> = HashMap::new();
    for seen in seen {
        let transaction = seen.find_transaction();
        let same_socket = by_socket.find(&groups, seen, tables);
        let same_transaction = || {
            let candidates = by_transaction.get(&transaction?)?;
            let mut latest = candidates.iter().rev().take(MAX_CANDIDATES).rev().copied();
            latest.find(|&group| is_translated_client(&groups[group], seen))
        };
        if let Some(group) = same_socket.or_else(same_transaction) {
            groups[group].1.push(seen.place);
            continue;
        }
        if let Some(apart) = &mut apart {
            by_socket.note_apart(&groups, seen, tables, apart);
        }
        by_socket.add(seen, groups.len());
        if let Some(transaction) = transaction {
            by_transaction.entry(transaction).or_default().push(groups.len());
        }
        groups.push((*seen, smallvec![seen.place]));
    }
    groups
}

/// Makes one group of each pair, in the place of the first; a group is in one pair at most.
fn join_pairs(groups: &mut Vec<(Seen<'_>, Group)>, pairs: &[(usize, usize)]) {
    let mut joined = vec![false; groups.len()];
    for (near, far) in pairs {
        let places = std::mem::take(&mut groups[*far].1);
        groups[*near].1.extend(places);
        joined[*far] = true;
    }
    remove_joined(groups, joined);
}

/// Lets go of the groups whose places others have taken.
fn remove_joined(groups: &mut Vec<(Seen<'_>, Group)>, joined: Vec<bool>) {
    let mut joined = joined.into_iter();
    groups.retain(|_| joined.next() != Some(true));
}

/// Whether none of the group was seen where `place` is: one point sees an exchange once.
fn is_elsewhere(group: &Group, place: Place) -> bool {
    group.iter().all(|known| known.table != place.table)
}

/// Whether no lag, in ns, is longer than `limit`.
fn are_within(lags_ns: &[i64], limit: Duration) -> bool {
    lags_ns.iter().all(|lag_ns| Duration::from_nanos(lag_ns.unsigned_abs()) <= limit)
}

/// The places in a table that hold an exchange.
fn taken(table: &PointTable) -> impl Iterator<Item = u32> + '_ {
    let records = (0..).zip(&table.exchanges);
    records.filter(|(_, record)| !record.is_vacant()).map(|(position, _)| position)
}

/// The identity by which a transaction is recognised though its client was translated.
type Transaction = (Protocol, Option<Endpoint>, u64);

/// A sighting and what it is compared by.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    place: Place,
    record: &'a Record,
    first_at: Timestamp,
    last_at: Timestamp,
    /// From the device, by the side of the translation; a pod is asked behind it.
    distance: (u8, bool),
    /// From the device, as the hop limit tells among points on one side.
    hops: u8,
}

impl<'a> Seen<'a> {
    fn new(
        place: Place,
        tables: &'a [PointTable],
        points: &[Point],
        topology: &Topology,
        axis: &Axis,
    ) -> Self {
        let record = &tables[place.table].exchanges[place.position];
        let asks_pod =
            record.asked.is_some_and(|asked| topology.role_of(asked.address) == Role::Pod);
        let distance = (distance_from_device(points[place.table].kind), asks_pod);
        let hop_limit = record.client_hop_limit();
        // Where the device is asked, its client is at the other end. Who did not see the
        // client's packets comes last.
        let hops = match record.protocol.device_side() {
            DeviceSide::Server if hop_limit > 0 => hop_limit,
            DeviceSide::Server => u8::MAX,
            DeviceSide::Client | DeviceSide::Either => u8::MAX - hop_limit,
        };
        let (first_at, last_at) = record.times();
        let [first_at, last_at] = [first_at, last_at].map(|at| axis.place(place.table, at));
        Self { place, record, first_at, last_at, distance, hops }
    }

    /// Reads the times by a clock that is `ahead_ns` behind.
    fn set_back(&mut self, ahead_ns: i64) {
        (self.first_at, self.last_at) = (self.first_at.back(ahead_ns), self.last_at.back(ahead_ns));
    }

    /// File names are no identity: many devices write `startup.cfg`.
    fn find_transaction(&self) -> Option<Transaction> {
        let opening = self.record.opening();
        let is_told = matches!(opening.basis, Basis::Meaning | Basis::Words);
        let identified = is_told && self.record.protocol != Protocol::Tftp;
        identified.then_some((self.record.protocol, self.record.asked, opening.value))
    }

    /// Whether both were seen at one time, or nearly: neither point need have seen the
    /// beginning.
    fn is_near_in_time(&self, other: &Self) -> bool {
        let (earlier, later) =
            if self.first_at <= other.first_at { (self, other) } else { (other, self) };
        later.first_at.since(earlier.last_at) <= TIME_APART
    }

    /// Whether its times tell a date: text mostly has none, and a device without a clock
    /// of its own begins in 1970.
    fn has_date(&self) -> bool {
        self.first_at.since(Timestamp::EPOCH) >= UNDATED
    }

    fn begins_near(&self, other: &Self) -> bool {
        self.first_at.distance(other.first_at) <= TIME_APART
    }
}

/// Nearer to the device comes first: its verdict is about what the device sees.
pub const fn distance_from_device(kind: PointKind) -> u8 {
    match kind {
        PointKind::Device => 0,
        PointKind::Host => 1,
        PointKind::Unknown => 2,
        PointKind::Pod => 3,
    }
}

fn is_translated_client((first, group): &(Seen<'_>, Group), seen: &Seen<'_>) -> bool {
    is_elsewhere(group, seen.place) && first.begins_near(seen)
}
