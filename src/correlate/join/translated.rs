//! Sightings of one exchange under two clients: the source was translated on the
//! way to the pod (`externalTrafficPolicy: Cluster`), and with it the address asked.
//!
//! No endpoint is left to recognise it by, so its first words are: where they
//! were said as often outside as at the pods, and at the same pace, they are the same.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Group, PACE, Place, Seen, TIME_APART, clock_offsets_of};
use crate::correlate::audience::Audience;
use crate::correlate::table::PointTable;
use crate::model::capture::PointKind;
use crate::model::exchange::Point;
use crate::model::protocol::Protocol;

/// First words said more often than this tell nobody apart.
const MAX_ALIKE: usize = 64;

/// Joins what was seen of a translated client with what was seen only before that.
pub fn join(groups: &mut Vec<(Seen<'_>, Group)>, tables: &[PointTable], points: &[Point]) {
    let at_pod = |group: &Group| group.iter().any(|at| points[at.table].kind == PointKind::Pod);
    // Whom the group's sightings are compared by: at a pod's cable alone, or where the
    // client left translated, with all points that saw it so.
    let find_behind = |group: &Group| -> Option<Place> {
        let [first] = group[..] else {
            return group.iter().copied().find(|at| leaves_translated(*at, group, tables));
        };
        (points[first.table].kind == PointKind::Pod).then_some(first)
    };
    let behind: Vec<Option<Place>> = groups.iter().map(|(_, group)| find_behind(group)).collect();
    if behind.iter().all(Option::is_none) {
        return;
    }
    let mut sides: BTreeMap<Words, Sides> = BTreeMap::new();
    for (position, (seen, group)) in groups.iter().enumerate() {
        let Some(words) = Words::of(seen) else { continue };
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
    let offsets = clock_offsets_of(groups.iter().map(|(_, group)| group), tables);
    let offset_ns = |place: Place| {
        let capture = tables[place.table].id.capture;
        offsets.get(&capture).map_or(0, |offset| offset.offset_us).saturating_mul(1_000)
    };
    let mut joined = vec![false; groups.len()];
    for Sides { mut outside, mut pods } in sides.into_values() {
        if outside.len() != pods.len() || outside.len() > MAX_ALIKE {
            continue;
        }
        let place = |position: &usize| behind[*position].unwrap_or(groups[*position].0.place);
        let begins_ns = |position: &usize| {
            let place = place(position);
            let (first_at, _) = tables[place.table].exchanges[place.position].times();
            first_at.as_nanoseconds().saturating_sub(offset_ns(place))
        };
        outside.sort_by_key(begins_ns);
        pods.sort_by_key(begins_ns);
        let pairs = || outside.iter().zip(&pods);
        let apart_ns: Vec<i64> =
            pairs().map(|(near, far)| begins_ns(far).saturating_sub(begins_ns(near))).collect();
        let differ = pairs().all(|(near, far)| {
            let is_elsewhere = |at: &Place| groups[*near].1.iter().all(|own| own.table != at.table);
            groups[*near].0.record.client != groups[*far].0.record.client
                && groups[*far].1.iter().all(is_elsewhere)
        });
        // Within one capture there is one clock, and to forward takes no time.
        let capture_of = |position: &usize| tables[place(position).table].id.capture;
        let is_one_clock = pairs().all(|(near, far)| capture_of(near) == capture_of(far));
        let limit = if is_one_clock { PACE } else { TIME_APART };
        if !differ || !is_one_pace(&apart_ns, limit) {
            continue;
        }
        let pairs: Vec<(usize, usize)> = pairs().map(|(near, far)| (*near, *far)).collect();
        for (near, far) in pairs {
            let places = std::mem::take(&mut groups[far].1);
            groups[near].1.extend(places);
            joined[far] = true;
        }
    }
    let mut joined = joined.into_iter();
    groups.retain(|_| joined.next() != Some(true));
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

/// Whether all were on their way for much the same time, and not for longer than `limit`.
fn is_one_pace(apart_ns: &[i64], limit: Duration) -> bool {
    let (Some(least), Some(most)) = (apart_ns.iter().min(), apart_ns.iter().max()) else {
        return false;
    };
    let within = |ns: u64, limit: Duration| Duration::from_nanos(ns) <= limit;
    within(most.abs_diff(*least), PACE)
        && within(least.unsigned_abs().max(most.unsigned_abs()), limit)
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
    fn of(seen: &Seen<'_>) -> Option<Self> {
        let (record, opening) = (seen.record, seen.record.opening());
        let tells =
            opening.is_sure() && record.audience != Audience::Group && record.asked.is_some();
        tells.then_some(Self {
            protocol: record.protocol,
            is_ipv6: record.client.address.is_ipv6(),
            said: opening.value,
        })
    }
}

/// Positions of groups by where they were seen.
#[derive(Debug, Default)]
struct Sides {
    outside: Vec<usize>,
    pods: Vec<usize>,
}
