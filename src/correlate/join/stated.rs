//! Sightings under two clients that a connection tracking table relates: the request of
//! a device, and what the pod saw of it with the node's address in the device's place.

use hashbrown::HashMap;

use super::{Group, PACE, Seen, TIME_APART, is_elsewhere, remove_joined};
use crate::correlate::table::PointTable;
use crate::model::endpoint::Endpoint;

/// Who asked, and who was asked.
pub type Ends = (Endpoint, Endpoint);

/// The ends of requests as they left, by those as they arrived: where both differ.
pub type Stated = HashMap<Ends, Ends>;

/// Joins what arrived under other ends with what was sent.
pub fn join(groups: &mut Vec<(Seen<'_>, Group)>, tables: &[PointTable], stated: &Stated) {
    if stated.is_empty() {
        return;
    }
    let mut by_ends: HashMap<Ends, Vec<usize>> = HashMap::new();
    for (position, (seen, _)) in groups.iter().enumerate() {
        if let Some(ends) = find_ends(seen) {
            by_ends.entry(ends).or_default().push(position);
        }
    }
    let mut joined = vec![false; groups.len()];
    for far in 0..groups.len() {
        let seen = groups[far].0;
        let [place] = groups[far].1[..] else { continue };
        let sent = find_ends(&seen).and_then(|ends| stated.get(&ends));
        let candidates = sent.and_then(|sent| by_ends.get(sent)).into_iter().flatten().copied();
        // A socket can ask several times; of one host's clock the times are the same.
        let capture_of = |seen: &Seen<'_>| tables[seen.place.table].id.capture;
        let apart = |near: usize| groups[near].0.first_at.distance(seen.first_at);
        let may_be = |near: &usize| {
            let (first, group) = &groups[*near];
            let is_one_clock = capture_of(first) == capture_of(&seen);
            *near != far
                && !joined[*near]
                && is_elsewhere(group, place)
                && apart(*near) <= if is_one_clock { PACE } else { TIME_APART }
        };
        if let Some(near) = candidates.filter(may_be).min_by_key(|near| apart(*near)) {
            groups[near].1.push(place);
            joined[far] = true;
        }
    }
    remove_joined(groups, joined);
}

fn find_ends(seen: &Seen<'_>) -> Option<Ends> {
    Some((seen.record.client, seen.record.asked?))
}
