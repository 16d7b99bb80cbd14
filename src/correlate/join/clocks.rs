//! By how much the clocks of captures differ, from exchanges that several of them saw.

use std::collections::BTreeMap;
use std::time::Duration;

use smallvec::SmallVec;

use super::telling::{find_distance_ns, find_lag_ns, says_again};
use super::{Group, Groups, PACE, TIME_APART};
use crate::correlate::count::Count;
use crate::correlate::record::{Flag, Record};
use crate::correlate::table::PointTable;
use crate::model::capture::CaptureId;
use crate::model::exchange::Point;

/// Captures of one exchange whose clocks are compared with each other.
const MAX_COMPARED: usize = 32;

/// What a capture's clock shows beside the first capture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset {
    /// This clock minus that of the first capture, in µs.
    pub offset_us: i64,
    /// The median absolute deviation of the matched pairs, in µs, summed up
    /// over the captures on the way from the first one; `None` where one pair
    /// alone was matched.
    pub error_us: Option<u64>,
}

/// The median distance between what both captures heard first of the exchanges seen in
/// both, carried on from the first capture to all that it is linked with.
pub fn clock_offsets(
    groups: &Groups,
    tables: &[PointTable],
    points: &[Point],
) -> BTreeMap<CaptureId, ClockOffset> {
    let Groups::Joined(groups) = groups else { return BTreeMap::new() };
    clock_offsets_of(groups.iter(), tables, points)
}

/// The same of these groups.
pub(super) fn clock_offsets_of<'a>(
    groups: impl Iterator<Item = &'a Group>,
    tables: &[PointTable],
    points: &[Point],
) -> BTreeMap<CaptureId, ClockOffset> {
    let mut distances: BTreeMap<(CaptureId, CaptureId), Vec<i64>> = BTreeMap::new();
    for group in groups.filter(|group| group.len() > 1) {
        let sightings = group.iter().map(|place| {
            let table = &tables[place.table];
            (table.id.capture, &table.exchanges[place.position], &points[place.table])
        });
        let sightings: SmallVec<[(CaptureId, &Record, &Point); 2]> = sightings.collect();
        // Of very many captures the first one's distances to all suffice.
        let compared = if sightings.len() > MAX_COMPARED { 1 } else { sightings.len() };
        for (index, (from, near, here)) in sightings.iter().enumerate().take(compared) {
            for (to, far, there) in sightings[index + 1..].iter().filter(|(to, ..)| to != from) {
                if is_one_flow_of_a_host((near, here), (far, there)) {
                    continue;
                }
                let Some(distance_us) = find_distance_us(near, far) else { continue };
                distances.entry((*from, *to)).or_default().push(distance_us);
                distances.entry((*to, *from)).or_default().push(-distance_us);
            }
        }
    }
    let mut offsets = BTreeMap::new();
    let Some(&(reference, _)) = distances.keys().next() else { return offsets };
    offsets.insert(reference, ClockOffset { offset_us: 0, error_us: Some(0) });
    let mut reached = vec![reference];
    while let Some(from) = reached.pop() {
        let links = (from, CaptureId(0))..=(from, CaptureId(u32::MAX));
        for ((_, to), values) in distances.range_mut(links) {
            if !offsets.contains_key(to) {
                let before: ClockOffset = offsets[&from];
                let step = offset_of(values);
                let error_us = before.error_us.zip(step.error_us);
                offsets.insert(
                    *to,
                    ClockOffset {
                        offset_us: before.offset_us.saturating_add(step.offset_us),
                        error_us: error_us.map(|(before, step)| before.saturating_add(step)),
                    },
                );
                reached.push(*to);
            }
        }
    }
    offsets
}

/// Whether two files of one host show the same flow, before or after every translation: what
/// came by one interface and what came by another is told apart by one clock, and the
/// distance is that of two packets.
fn is_one_flow_of_a_host((near, here): (&Record, &Point), (far, there): (&Record, &Point)) -> bool {
    let is_one_host = here.node_is_stated && there.node_is_stated && here.node == there.node;
    let is_one_flow = (near.client, near.asked) == (far.client, far.asked);
    // A text's time may be that of another zone.
    let are_bytes = [near, far].iter().all(|record| record.flags.has(Flag::HasPayloads));
    is_one_host && is_one_flow && are_bytes
}

/// How much later the second was seen, by what was heard at both; where one point may
/// not have heard the beginning, and both heard nothing else, that is not known. Of what is
/// said again and again each point heard the first that came after its capture began.
fn find_distance_us(near: &Record, far: &Record) -> Option<i64> {
    let comes_round = says_again(near) || says_again(far);
    if comes_round && !is_heard_as_long(near, far) {
        return None;
    }
    // Of text nothing but lengths is known: then the first packets are taken for one.
    let says_nothing = || near.heard().is_empty() && far.heard().is_empty();
    let by_beginning = || says_nothing().then(|| find_distance_ns(near, far));
    let distance_ns = find_lag_ns(near, far).or_else(by_beginning)?;
    let is_of_captures = comes_round
        && Duration::from_nanos(distance_ns.unsigned_abs()) > TIME_APART
        && is_at_one_time(near, far);
    (!is_of_captures).then_some(distance_ns / 1_000)
}

/// Whether both points heard as much of what the client said, for as long: then none came
/// later than the other. Of one packet there is nothing to miss.
fn is_heard_as_long(near: &Record, far: &Record) -> bool {
    let (here, there) = (near.requests, far.requests);
    let lasts = |count: Count| { count.last.at }.since(count.first.at);
    here.packets == 0
        || there.packets == 0
        || (here.packets == there.packets && lasts(here).abs_diff(lasts(there)) <= PACE)
}

/// Whether one was seen while the other was, by their own clocks. That clocks are further
/// apart than they mostly are is not known then.
fn is_at_one_time(near: &Record, far: &Record) -> bool {
    let ((began, ended), (began_there, ended_there)) = (near.times(), far.times());
    began <= ended_there && began_there <= ended
}

/// The median of some distances, and the median of how far they are from it.
fn offset_of(distances_us: &mut [i64]) -> ClockOffset {
    distances_us.sort_unstable();
    let offset_us = distances_us.get(distances_us.len() / 2).copied().unwrap_or(0);
    let mut deviations: Vec<u64> =
        distances_us.iter().map(|distance| distance.abs_diff(offset_us)).collect();
    deviations.sort_unstable();
    let error_us = deviations.get(deviations.len() / 2).copied();
    ClockOffset { offset_us, error_us: error_us.filter(|_| deviations.len() > 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_the_error_of_its_pairs() {
        let cases: [(&[i64], i64, Option<u64>); 5] = [
            (&[1_700_000], 1_700_000, None),
            (&[1_700_000, 1_700_000], 1_700_000, Some(0)),
            (&[90, 100, 120], 100, Some(10)),
            (&[-120, -100, -90], -100, Some(10)),
            // One retransmission that only one side saw moves neither.
            (&[100, 101, 99, 3_000_000, 102], 101, Some(1)),
        ];
        for (distances, offset_us, error_us) in cases {
            let expected = ClockOffset { offset_us, error_us };
            assert_eq!(offset_of(&mut distances.to_vec()), expected, "{distances:?}");
        }
    }
}
