//! What a point sees that belongs to no exchange by itself: whom hosts looked for, and
//! TCP connections that begin.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::Correlator;
use super::handshakes::Handshakes;
use super::index::Hasher;
use super::neighbours::Neighbours;
use super::table::PointTable;
use crate::model::capture::FrameRef;
use crate::model::exchange::PointId;
use crate::model::neighbour::Unresolved;
use crate::model::packet::{Content, Packet};

/// What one point sees beside its exchanges.
#[derive(Debug, Default)]
pub struct Beside {
    neighbours: Neighbours,
    handshakes: Handshakes,
}

impl Correlator {
    /// Takes a packet that opens an exchange at most by what follows it.
    pub(super) fn push_beside(&mut self, point: PointId, packet: &Packet, frame: FrameRef) {
        if let Some(position) = self.find_table(point) {
            self.tables[position].observe(packet.at);
        }
        let mut beside = self.beside.remove(&point).unwrap_or_default();
        match &packet.content {
            Content::Neighbour(message) => beside.neighbours.take(*message, frame),
            Content::Segment(segment) => {
                beside
                    .handshakes
                    .take(packet, frame, *segment, || self.observed_table(point, packet.at));
            }
            Content::IcmpError(error) => {
                beside
                    .handshakes
                    .icmp_error(packet, frame, error, || self.observed_table(point, packet.at));
            }
            Content::Datagram(_)
            | Content::Discarded(_)
            | Content::Dropped(_)
            | Content::FragmentsLost(_) => {}
        }
        self.beside.insert(point, beside);
    }
}

/// Whom hosts looked for in vain, by the point that saw it. A point that saw nothing else
/// gets a table of its own among `tables`.
pub fn take_unresolved(
    beside: HashMap<PointId, Box<Beside>>,
    tables: &mut Vec<PointTable>,
    hasher: &Hasher,
) -> BTreeMap<PointId, Vec<Unresolved>> {
    let mut unresolved = BTreeMap::new();
    for (point, beside) in beside {
        let Beside { neighbours, .. } = *beside;
        let waited_for = neighbours.unresolved();
        if waited_for.is_empty() {
            continue;
        }
        if tables.iter().all(|table| table.id != point) {
            let mut table = PointTable::new(point, 0, hasher.clone());
            table.observed = neighbours.observed();
            tables.push(table);
        }
        unresolved.insert(point, waited_for);
    }
    unresolved
}
