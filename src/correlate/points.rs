//! On which side of the translation a capture point is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use smallvec::{SmallVec, smallvec};

use super::Place;
use super::table::PointTable;
use crate::model::capture::PointKind;
use crate::model::exchange::{Point, PointId};
use crate::model::topology::{Role, Topology};

/// What pod networks call a pod's interface on the node: Calico, the reference
/// plugins and kubenet, Cilium, AWS, GKE, Azure, Antrea's tap.
const POD_CABLES: [&str; 7] = ["cali", "veth", "lxc", "eni", "gke", "azv", "tap"];

/// Describes every point. What the sender stated holds; the rest is inferred.
pub fn describe(
    tables: &[PointTable],
    places: &BTreeMap<PointId, Place>,
    topology: &Topology,
) -> Vec<Point> {
    tables.iter().map(|table| describe_one(table, places, topology)).collect()
}

fn describe_one(
    table: &PointTable,
    places: &BTreeMap<PointId, Place>,
    topology: &Topology,
) -> Point {
    let captured_at = table.id.as_captured();
    let is_translated = captured_at != table.id;
    let place = places.get(&captured_at);
    let stated = place.map_or(PointKind::Unknown, |place| place.point.kind);
    let interface = place.and_then(|place| place.point.interface.clone());
    // Without an inventory no address says on which side of anything it is.
    let knows_roles = topology.beliefs().next().is_some();
    let addresses = if knows_roles { addressed(table) } else { BTreeMap::new() };
    let mut node = place.and_then(|place| place.point.node.clone());
    let kind = if stated != PointKind::Unknown && !is_translated {
        stated
    } else if is_translated && asks_pods(table, topology) {
        PointKind::Pod
    } else {
        let named = interface.as_deref().filter(|_| !is_translated);
        let leaves = if knows_roles { answered_translated(table, topology) } else { 0 };
        infer_kind(named, node.as_deref(), &addresses, leaves, topology)
    };
    if node.is_none() && kind != PointKind::Device {
        node = addresses.keys().find_map(|address| {
            topology.find(*address).filter(|belief| belief.role != Role::Device)?.node.clone()
        });
    }
    Point {
        id: table.id,
        kind,
        node,
        interface,
        capture_name: place.map(|place| place.capture_name.clone()).unwrap_or_default(),
        observed: table.observed,
        lost_packets: place.map_or(0, |place| place.lost_packets),
        unresolved: Vec::new(),
    }
}

/// A pod's cable by what the inventory or its name says; else by whether the
/// addresses there are those before or after translation. `leaves` counts what was
/// asked of pods and answered by others.
fn infer_kind(
    interface: Option<&str>,
    node: Option<&str>,
    addresses: &BTreeMap<IpAddr, usize>,
    leaves: usize,
    topology: &Topology,
) -> PointKind {
    if let Some(interface) = interface
        && (topology.link_behind(node, interface).is_some() || is_pod_cable(interface))
    {
        return PointKind::Pod;
    }
    let weigh = |wanted: &[Role]| -> usize {
        addresses
            .iter()
            .filter(|(address, _)| wanted.contains(&topology.role_of(**address)))
            .map(|(_, count)| count)
            .sum()
    };
    let inside = weigh(&[Role::Pod]);
    let outside = weigh(&[Role::Vip, Role::Node, Role::Service]) + leaves;
    match (inside, outside) {
        (0, 0) => PointKind::Unknown,
        (inside, outside) if inside > outside => PointKind::Pod,
        _ => PointKind::Host,
    }
}

/// Whether pod networks give this name to the node's end of a pod's cable.
fn is_pod_cable(interface: &str) -> bool {
    POD_CABLES.iter().any(|prefix| {
        interface.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= 4
                && rest.chars().all(|character| character.is_ascii_hexdigit() || character == '_')
        })
    })
}

/// Whether what is seen after translation is asked of pods: then this is their
/// side of it, whoever asks there.
fn asks_pods(table: &PointTable, topology: &Topology) -> bool {
    let live = table.exchanges.iter().filter(|exchange| !exchange.is_vacant());
    live.filter_map(|exchange| exchange.asked)
        .any(|asked| topology.role_of(asked.address) == Role::Pod)
}

/// How many exchanges were asked of a pod and answered by another address: on its own
/// cable a pod answers as itself, and what leaves translated is seen on an uplink.
fn answered_translated(table: &PointTable, topology: &Topology) -> usize {
    let live = table.exchanges.iter().filter(|exchange| !exchange.is_vacant());
    live.filter(|exchange| {
        let is_pods = |address| topology.role_of(address) == Role::Pod;
        let changed = exchange.details.iter().flat_map(|details| &details.replies);
        exchange.asked.is_some_and(|asked| is_pods(asked.address))
            && changed
                .filter(|replies| replies.origin.is_changed())
                .any(|replies| !is_pods(replies.source.address))
    })
    .count()
}

/// How many exchanges each address asked or answered here.
fn addressed(table: &PointTable) -> BTreeMap<IpAddr, usize> {
    let mut counts = BTreeMap::new();
    for exchange in table.exchanges.iter().filter(|exchange| !exchange.is_vacant()) {
        let mut addresses: SmallVec<[IpAddr; 4]> = smallvec![exchange.client.address];
        addresses.extend(exchange.asked.map(|asked| asked.address));
        let others = exchange.details.iter().flat_map(|details| &details.replies);
        addresses.extend(others.map(|replies| replies.source.address));
        addresses.sort_unstable();
        addresses.dedup();
        for address in addresses {
            *counts.entry(address).or_insert(0) += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_cables_are_known_by_their_names() {
        let cases = [
            ("cali928cc4cd898", true),
            ("veth0a1b2c3d", true),
            ("lxc_health", false),
            ("lxc0a1b2c3d4e5f", true),
            ("eth0", false),
            ("eni", false),
            ("bond0", false),
            ("tap0", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_pod_cable(name), expected, "{name}");
        }
    }
}
