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

/// Takes sightings apart that differ in ends of which a name is all that is known, and
/// that are of different captures.
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
        let first = group[0];
        let (same, others): (Vec<Place>, Vec<Place>) =
            group.iter().partition(|place| are_comparable(&first, place));
        if others.is_empty() {
            continue;
        }
        *group = same.into_iter().collect();
        apart.extend(others.into_iter().map(|place| {
            let alone: Group = smallvec![place];
            alone
        }));
    }
    groups.extend(apart);
}
