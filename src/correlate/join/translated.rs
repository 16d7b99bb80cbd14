//! Sightings of one exchange under two clients: the source was translated on the
//! way to the pod (`externalTrafficPolicy: Cluster`), and with it the address asked.
//!
//! No endpoint is left to recognise it by, so its first words are: where they
//! were said as often outside as at the pods, and at the same pace, they are the same.
//! A text of one side may print none. Then it is known by how often something was sent,
//! how long the first of it was, and when the first and the last were.

use std::collections::BTreeMap;

use super::axis::Axis;
use super::clocks::{ClockOffset, clock_offsets_of};
use super::{Group, PACE, Place, Seen, TIME_APART, are_within, is_elsewhere, join_pairs};
use crate::correlate::audience::Audience;
use crate::correlate::record::{Flag, Record};
use crate::correlate::sayings::is_at_one_pace;
use crate::correlate::signature::Basis;
use crate::correlate::table::PointTable;
use crate::model::capture::{CaptureId, PointKind};
use crate::model::exchange::Point;
use crate::model::protocol::Protocol;

/// First words said more often than this tell nobody apart.
const MAX_ALIKE: usize = 64;

/// Joins what was seen of a translated client with what was seen only before that.
pub fn join(
    groups: &mut Vec<(Seen<'_>, Group)>,
    tables: &[PointTable],
    points: &[Point],
    axis: &Axis,
) {
    join_by(KnownBy::Words, groups, tables, points, axis);
    if tables.iter().any(|table| table.exchanges.iter().any(is_known_by_length)) {
        join_by(KnownBy::Shape, groups, tables, points, axis);
    }
}

/// By what sightings under two clients are held to be one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownBy {
    /// By what was said first.
    Words,
    /// By number, length and time, where a text of one side shows nothing else.
    Shape,
}

fn join_by(
    known_by: KnownBy,
    groups: &mut Vec<(Seen<'_>, Group)>,
    tables: &[PointTable],
    points: &[Point],
    axis: &Axis,
) {
    let is_pod = |at: &Place| points[at.table].kind == PointKind::Pod;
    let at_pod = |group: &Group| group.iter().any(is_pod);
    // Whom the group's sightings are compared by: at a pod's cable alone, which several
    // captures may show, or where the client left translated, with all points that saw
    // it so.
    let find_behind = |group: &Group| -> Option<Place> {
        if group.iter().all(is_pod) {
            return group.first().copied();
        }
        let leaves = |at: &Place| group.len() > 1 && leaves_translated(*at, group, tables);
        group.iter().copied().find(leaves)
    };
    let behind: Vec<Option<Place>> = groups.iter().map(|(_, group)| find_behind(group)).collect();
    if behind.iter().all(Option::is_none) {
        return;
    }
    let mut sides: BTreeMap<Words, Sides> = BTreeMap::new();
    for (position, (seen, group)) in groups.iter().enumerate() {
        let Some(words) = Words::of(seen, known_by) else { continue };
        match points[seen.place.table].kind {
            _ if behind[position].is_some() => {
                sides.entry(words).or_default().pods.push(position);
            }
            PointKind::Device | PointKind::Host if !at_pod(group) => {
                sides.entry(words).or_default().outside.push(position);
            }
            _ => {}
        }
    }
    let offsets = clock_offsets_of(groups.iter().map(|(_, group)| group), tables, points);
    let moved_ns = |place: Place| clocks_moved_ns(place, tables, &offsets, axis);
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for Sides { mut outside, mut pods } in sides.into_values() {
        if outside.len() != pods.len() || outside.len() > MAX_ALIKE {
            continue;
        }
        let place = |position: &usize| behind[*position].unwrap_or(groups[*position].0.place);
        let record = |position: &usize| -> &Record {
            let place = place(position);
            &tables[place.table].exchanges[place.position]
        };
        let begins_ns = |position: &usize| {
            let (first_at, _) = record(position).times();
            first_at.as_nanoseconds().saturating_add(moved_ns(place(position)))
        };
        let ends_ns = |position: &usize| {
            let last_at = record(position).requests.last.at;
            last_at.as_nanoseconds().saturating_add(moved_ns(place(position)))
        };
        outside.sort_by_key(begins_ns);
        pods.sort_by_key(begins_ns);
        let pairs = || outside.iter().zip(&pods);
        let mut apart_ns: Vec<i64> =
            pairs().map(|(near, far)| begins_ns(far).saturating_sub(begins_ns(near))).collect();
        if known_by == KnownBy::Shape {
            apart_ns.extend(pairs().map(|(near, far)| ends_ns(far).saturating_sub(ends_ns(near))));
            // Bytes of both sides would have told.
            let is_told = |position: &usize| is_known_by_length(record(position));
            if !pairs().all(|(near, far)| is_told(near) || is_told(far)) {
                continue;
            }
        }
        let differ = pairs().all(|(near, far)| {
            groups[*near].0.record.client != groups[*far].0.record.client
                && groups[*far].1.iter().all(|at| is_elsewhere(&groups[*near].1, *at))
        });
        // Within one capture there is one clock, and to forward takes no time.
        let capture_of = |position: &usize| tables[place(position).table].id.capture;
        let is_one_clock = pairs().all(|(near, far)| capture_of(near) == capture_of(far));
        let limit = if is_one_clock { PACE } else { TIME_APART };
        apart_ns.sort_unstable();
        let is_one_pace = apart_ns.len() == 1 || is_at_one_pace(&apart_ns);
        if !differ || !is_one_pace || !are_within(&apart_ns, limit) {
            continue;
        }
        joined.extend(pairs().map(|(near, far)| (*near, *far)));
    }
    join_pairs(groups, &joined);
}

/// By how much the times of a sighting are moved to the clock of the others: what is known
/// of its capture's clock, else what its time of day says.
pub(super) fn clocks_moved_ns(
    place: Place,
    tables: &[PointTable],
    offsets: &BTreeMap<CaptureId, ClockOffset>,
    axis: &Axis,
) -> i64 {
    let Some(offset) = offsets.get(&tables[place.table].id.capture) else {
        return axis.shift_ns(place.table);
    };
    let reference = offsets.keys().next().copied();
    let reference = tables.iter().position(|table| Some(table.id.capture) == reference);
    let reference_ns = reference.map_or(0, |table| axis.shift_ns(table));
    reference_ns.saturating_sub(offset.offset_us.saturating_mul(1_000))
}

/// Whether a text shows no more of what was said first than its length.
fn is_known_by_length(record: &Record) -> bool {
    record.opening().basis == Basis::Length && !record.flags.has(Flag::HasPayloads)
}

/// Whether `at` is where the client left the point translated, and nothing of the group
/// is what arrived there: that is another client's.
fn leaves_translated(at: Place, group: &Group, tables: &[PointTable]) -> bool {
    let id = tables[at.table].id;
    id != id.as_captured()
        && group
            .iter()
            .all(|other| *other == at || tables[other.table].id.as_captured() != id.as_captured())
}

/// What both sightings have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Words {
    protocol: Protocol,
    is_ipv6: bool,
    said: u64,
}

impl Words {
    /// Nothing where they mean little, or were said to a group.
    fn of(seen: &Seen<'_>, known_by: KnownBy) -> Option<Self> {
        let (record, opening) = (seen.record, seen.record.opening());
        let asks_one = record.audience != Audience::Group && record.asked.is_some();
        let (said, tells) = match known_by {
            KnownBy::Words => (opening.value, opening.is_sure()),
            KnownBy::Shape => {
                let (packets, length) = (record.requests.packets, record.synopsis().length());
                let is_open = is_known_by_length(record) || record.flags.has(Flag::HasPayloads);
                let said = u64::from(packets) << 32 | u64::from(length);
                (said, is_open && packets > 1 && length > 0)
            }
        };
        (asks_one && tells).then_some(Self {
            protocol: record.protocol,
            is_ipv6: record.client.address.is_ipv6(),
            said,
        })
    }
}

/// Positions of groups by where they were seen.
#[derive(Debug, Default)]
struct Sides {
    outside: Vec<usize>,
    pods: Vec<usize>,
}
