//! Which addresses the cables of pods lead to, by who takes part in what is seen there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::points;
use super::record::is_group;
use super::table::PointTable;
use crate::model::capture::PointKind;
use crate::model::exchange::{Point, PointId};

/// The addresses that take part in most exchanges of a pod's cable.
#[derive(Debug)]
pub struct Cables(BTreeMap<PointId, BTreeSet<IpAddr>>);

impl Cables {
    /// Looks at all points that are at pods; `tables` are in the order of `points`.
    pub fn of(tables: &[PointTable], points: &[Point]) -> Self {
        let at_pods = tables.iter().zip(points).filter(|(_, point)| point.kind == PointKind::Pod);
        Self(at_pods.map(|(table, point)| (point.id, leaders(table))).collect())
    }

    /// Whether the pod at `point` can be `address`: no other one takes part in more.
    pub fn lead_to(&self, point: PointId, address: IpAddr) -> bool {
        self.0.get(&point).is_some_and(|leaders| leaders.contains(&address))
    }
}

/// Those of each family that take part in most exchanges: the pod in all of them.
fn leaders(table: &PointTable) -> BTreeSet<IpAddr> {
    let mut uses = points::addressed(table);
    uses.retain(|address, _| !is_group(*address));
    let most = |is_ipv4: bool| {
        let counts = uses.iter().filter(|(address, _)| address.is_ipv4() == is_ipv4);
        counts.map(|(_, count)| *count).max()
    };
    let (most_v4, most_v6) = (most(true), most(false));
    let leads = |address: &IpAddr, count: usize| {
        let most = if address.is_ipv4() { most_v4 } else { most_v6 };
        most == Some(count)
    };
    uses.iter().filter(|(address, count)| leads(address, **count)).map(|(at, _)| *at).collect()
}
