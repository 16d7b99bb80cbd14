//! On which side of the translation a capture point is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use smallvec::{SmallVec, smallvec};

use super::Place;
use super::table::PointTable;
use crate::model::capture::{CapturePoint, PointKind};
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
    let node_is_stated = node.is_some();
    if node.is_none() && kind != PointKind::Device {
        node = find_node(&addresses, topology);
    }
    Point {
        id: table.id,
        kind,
        kind_is_stated: stated != PointKind::Unknown && !is_translated,
        node,
        node_is_stated,
        interface,
        capture_name: place.map(|place| place.capture_name.clone()).unwrap_or_default(),
        observed: table.observed,
        lost_packets: place.map_or(0, |place| place.lost_packets),
        unread: place.map(|place| place.unread.clone()).unwrap_or_default(),
        is_log: place.is_some_and(|place| place.is_log),
        filter: place.and_then(|place| place.filter.clone()),
        unresolved: Vec::new(),
    }
}

/// What a point is by what the sender stated, or by its interface's name, without a look at
/// what was seen there.
pub fn kind_by_name(point: PointId, places: &BTreeMap<PointId, Place>) -> PointKind {
    let Some(Place { point: CapturePoint { kind, interface, .. }, .. }) = places.get(&point) else {
        return PointKind::Unknown;
    };
    match kind {
        PointKind::Unknown if interface.as_deref().is_some_and(is_pod_cable) => PointKind::Pod,
        kind => *kind,
    }
}

/// The node whose addresses, and whose pods', most exchanges here use; `None` where it is
/// not clear which: an address seen once may be another node's that asks something.
fn find_node(addresses: &BTreeMap<IpAddr, usize>, topology: &Topology) -> Option<String> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (address, count) in addresses {
        let belief = topology.find(*address).filter(|belief| belief.role != Role::Device);
        if let Some(node) = belief.and_then(|belief| belief.node.as_deref()) {
            *uses.entry(node).or_insert(0) += count;
        }
    }
    let all: usize = uses.values().sum();
    let (node, most) = uses.into_iter().max_by_key(|(_, count)| *count)?;
    (2 * most > all).then(|| node.to_owned())
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
    let outside = weigh(&[Role::Vip, Role::Node]) + leaves;
    let services = weigh(&[Role::Service]);
    match (inside, outside) {
        (0, 0) if services == 0 => PointKind::Unknown,
        // A cluster's own service address is used on a pod's cable, which leads to one
        // pod, and inside the node, which has many.
        (inside, outside)
            if inside > outside && (services == 0 || is_one_pod(addresses, topology)) =>
        {
            PointKind::Pod
        }
        _ => PointKind::Host,
    }
}

/// Whether all pods here can be one: it has an address of each family at most.
fn is_one_pod(addresses: &BTreeMap<IpAddr, usize>, topology: &Topology) -> bool {
    let pods = || addresses.keys().filter(|address| topology.role_of(**address) == Role::Pod);
    pods().filter(|address| address.is_ipv4()).count() <= 1
        && pods().filter(|address| address.is_ipv6()).count() <= 1
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
pub fn addressed(table: &PointTable) -> BTreeMap<IpAddr, usize> {
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
    use crate::model::topology::{AddressRole, FactSource};

    /// Roles by address, each with the node that the address belongs to.
    fn topology(roles: &[(&str, Role, Option<&str>)]) -> Topology {
        let mut topology = Topology::default();
        for (address, role, node) in roles {
            let belief = AddressRole {
                role: *role,
                node: node.map(str::to_owned),
                pod: None,
                source: FactSource::Kubernetes,
                reason: String::new(),
            };
            topology.infer(address.parse().unwrap(), belief);
        }
        topology
    }

    type Uses<'a> = &'a [(&'a str, usize)];

    fn uses(counts: Uses<'_>) -> BTreeMap<IpAddr, usize> {
        counts.iter().map(|(address, count)| (address.parse().unwrap(), *count)).collect()
    }

    #[test]
    fn a_point_is_at_the_node_that_most_exchanges_use() {
        for [first, second, pod, device] in [
            ["192.0.2.11", "192.0.2.13", "10.244.1.16", "198.51.100.7"],
            ["2001:db8::11", "2001:db8::13", "fd00::16", "2001:db8:1::7"],
        ] {
            let topology = topology(&[
                (first, Role::Node, Some("node1")),
                (second, Role::Node, Some("node2")),
                (pod, Role::Pod, Some("node2")),
                (device, Role::Device, Some("rack1")),
            ]);
            let cases: [(&str, Uses<'_>, Option<&str>); 5] = [
                ("one", &[(first, 1), (device, 9)], Some("node1")),
                ("one asks the other", &[(first, 1), (second, 2)], Some("node2")),
                ("by its pod", &[(first, 2), (second, 1), (pod, 2)], Some("node2")),
                ("as often", &[(first, 2), (second, 2)], None),
                ("none", &[(device, 2)], None),
            ];
            for (name, counts, expected) in cases {
                assert_eq!(find_node(&uses(counts), &topology).as_deref(), expected, "{name}");
            }
        }
    }

    #[test]
    fn a_service_inside_the_cluster_is_used_on_the_pods_side() {
        for [vip, service, pod, other] in [
            ["192.0.2.21", "10.96.0.10", "10.244.1.16", "10.244.1.17"],
            ["2001:db8::21", "fd00:96::10", "fd00::16", "fd00::17"],
        ] {
            let topology = topology(&[
                (vip, Role::Vip, None),
                (service, Role::Service, None),
                (pod, Role::Pod, None),
                (other, Role::Pod, None),
            ]);
            let cases: [(&str, Uses<'_>, PointKind); 5] = [
                ("one pod asks it", &[(pod, 4), (service, 4)], PointKind::Pod),
                ("two pods do", &[(pod, 4), (other, 1), (service, 5)], PointKind::Host),
                ("who asks is not known", &[(service, 4)], PointKind::Host),
                ("before translation", &[(vip, 4), (pod, 1), (service, 1)], PointKind::Host),
                ("nobody is known", &[], PointKind::Unknown),
            ];
            for (name, counts, expected) in cases {
                assert_eq!(infer_kind(None, None, &uses(counts), 0, &topology), expected, "{name}");
            }
        }
    }

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
