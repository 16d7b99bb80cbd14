//! Sightings at other captures of ends that have a name and no address.
//!
//! Within one run a name and an address are two ends, and so are two names: `tcpdump`
//! prints an address alike throughout. Of two runs that is not known: the other host may
//! have another resolver, or prints addresses. What differs there is no translation.

use smallvec::smallvec;

use super::{Group, Place};
use crate::correlate::table::PointTable;
use crate::model::endpoint::Endpoint;
use crate::model::topology::Topology;

/// Takes sightings apart of different captures whose ends differ, where a name is all that is
/// known of one of them. What was seen at several interfaces of one capture stays together.
pub fn separate(groups: &mut Vec<Group>, tables: &[PointTable], topology: &Topology) {
    let names = topology.stand_ins();
    if names.is_empty() {
        return;
    }
    let record = |place: &Place| &tables[place.table].exchanges[place.position];
    let ends = |place: &Place| (record(place).client, record(place).asked);
    let capture = |place: &Place| tables[place.table].id.capture;
    let is_named = |end: Endpoint| names.find(end.address).is_some();
    let are_comparable = |one: &Place, other: &Place| {
        let ((client, asked), (client_there, asked_there)) = (ends(one), ends(other));
        let all = [Some(client), asked, Some(client_there), asked_there];
        capture(one) == capture(other)
            || (client == client_there && asked == asked_there)
            || !all.into_iter().flatten().any(is_named)
    };
    let mut apart: Vec<Group> = Vec::new();
    for group in groups.iter_mut().filter(|group| group.len() > 1) {
        let mut parts = part(group, are_comparable).into_iter();
        if let Some(first) = parts.next() {
            *group = first;
        }
        apart.extend(parts);
    }
    groups.extend(apart);
}

/// Parts of a group in which each place may be compared with another, in their order.
fn part(group: &Group, are_comparable: impl Fn(&Place, &Place) -> bool) -> Vec<Group> {
    let mut parts: Vec<Group> = Vec::new();
    for place in group {
        let is_own = |part: &Group| part.iter().any(|other| are_comparable(other, place));
        let Some(first) = parts.iter().position(is_own) else {
            parts.push(smallvec![*place]);
            continue;
        };
        // It may relate parts that had nothing in common before.
        let mut at = first + 1;
        while at < parts.len() {
            if is_own(&parts[at]) {
                let further = parts.remove(at);
                parts[first].extend(further);
            } else {
                at += 1;
            }
        }
        parts[first].push(*place);
    }
    parts
}
