//! Sightings under two clients whose captures began at different packets.
//!
//! The first words differ then; but several that both heard, at one pace, are of one
//! client, if nobody else said them.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::axis::Axis;
use super::clocks::clock_offsets_of;
use super::translated::clocks_moved_ns;
use super::{Group, Place, Seen, TIME_APART, are_within, is_elsewhere, join_pairs};
use crate::correlate::audience::Audience;
use crate::correlate::sayings::{Heard, is_at_one_pace};
use crate::correlate::table::PointTable;
use crate::model::capture::PointKind;
use crate::model::exchange::Point;
use crate::model::protocol::Protocol;

/// Words said by more clients than this tell nobody apart.
const MAX_ALIKE: usize = 16;

/// Joins what one table alone saw with what was seen elsewhere under another client.
pub fn join(
    groups: &mut Vec<(Seen<'_>, Group)>,
    tables: &[PointTable],
    points: &[Point],
    axis: &Axis,
) {
    // What is joined already tells how far the clocks are apart.
    let offsets = clock_offsets_of(groups.iter().map(|(_, group)| group), tables, points);
    let moved_ns = |place: Place| clocks_moved_ns(place, tables, &offsets, axis);
    let heard: Vec<Option<Heard>> =
        groups.iter().map(|(seen, _)| said_to_one(seen, &moved_ns)).collect();
    let mut by_word: HashMap<(Protocol, u32), SmallVec<[usize; 2]>> = HashMap::new();
    for (position, heard) in heard.iter().enumerate() {
        let Some(heard) = heard else { continue };
        for word in heard.words() {
            let alike = by_word.entry((groups[position].0.record.protocol, word)).or_default();
            if alike.len() <= MAX_ALIKE {
                alike.push(position);
            }
        }
    }
    // Who says the same but can be no part of this, as under an address of the other family,
    // makes nothing ambiguous.
    let can_be = |one: usize, other: usize| {
        let (near, far) = (one.min(other), one.max(other));
        is_seen_alike(&groups[far].1, points) && is_translation(&groups[near], &groups[far], points)
    };
    let partners = |position: usize| -> SmallVec<[usize; 2]> {
        let Some(own) = &heard[position] else { return SmallVec::new() };
        let protocol = groups[position].0.record.protocol;
        let alike = own.words().filter_map(|word| by_word.get(&(protocol, word)));
        let alike = alike.filter(|alike| alike.len() <= MAX_ALIKE).flatten().copied();
        let mut found: SmallVec<[usize; 2]> = SmallVec::new();
        for other in alike {
            let is_new = other != position && !found.contains(&other);
            if is_new
                && can_be(position, other)
                && heard[other].as_ref().is_some_and(|heard| is_one_client(own, heard))
            {
                found.push(other);
            }
        }
        found
    };
    let pairs: Vec<(usize, usize)> = (0..groups.len())
        .filter_map(|far| {
            let [near] = partners(far)[..] else { return None };
            (near < far && partners(near)[..] == [far]).then_some((near, far))
        })
        .collect();
    join_pairs(groups, &pairs);
}

/// What was said to one server, where that is enough to tell its client.
fn said_to_one(seen: &Seen<'_>, moved_ns: &dyn Fn(Place) -> i64) -> Option<Heard> {
    let tells = seen.record.audience != Audience::Group && seen.record.asked.is_some();
    let heard = seen.record.heard();
    (tells && heard.len() > 1).then(|| heard.moved(moved_ns(seen.place)))
}

/// Whether it was seen at one point, or only at the pod, which several captures show.
fn is_seen_alike(group: &Group, points: &[Point]) -> bool {
    group.len() == 1 || group.iter().all(|place| points[place.table].kind == PointKind::Pod)
}

fn is_one_client(one: &Heard, other: &Heard) -> bool {
    let lags_ns = one.lags_ns(other);
    is_at_one_pace(&lags_ns) && are_within(&lags_ns, TIME_APART)
}

/// Whether the client of the first can be the second's under another address: both ask
/// one server, or the second was seen at a pod and the first outside.
fn is_translation(
    (near, group): &(Seen<'_>, Group),
    (far, far_group): &(Seen<'_>, Group),
    points: &[Point],
) -> bool {
    let kind = |seen: &Seen<'_>| points[seen.place.table].kind;
    let at_pod = group.iter().any(|place| points[place.table].kind == PointKind::Pod);
    let leads_in = kind(far) == PointKind::Pod
        && !at_pod
        && matches!(kind(near), PointKind::Device | PointKind::Host);
    near.record.client != far.record.client
        && near.record.client.address.is_ipv4() == far.record.client.address.is_ipv4()
        && far_group.iter().all(|place| is_elsewhere(group, *place))
        && (leads_in || near.record.asked == far.record.asked)
}
