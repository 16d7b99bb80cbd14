//! Weighs all facts: one belief per address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::networks::Networks;
use crate::model::topology::{
    AddressFact, AddressRole, DeviceEntry, FactSource, Facts, LinkFact, Role, Topology,
};

/// Weighs all facts: one belief per address, the most trusted source first.
///
/// What a less trusted source knows of the node or pod fills what the belief
/// lacks. Kubernetes' InternalIP outweighs what `ip addr` looks like: kube-vip
/// can mark a node's own address deprecated.
#[must_use]
pub fn resolve(mut facts: Facts) -> Topology {
    facts.devices = join_devices(std::mem::take(&mut facts.devices));
    let listed = facts.devices.iter().flat_map(|device| {
        device.addresses.iter().map(|address| AddressFact {
            address: *address,
            role: Role::Device,
            node: None,
            pod: None,
            source: FactSource::DeviceList,
            reason: format!("listed as device {}", device.name),
        })
    });
    let mut by_address: BTreeMap<IpAddr, Vec<AddressFact>> = BTreeMap::new();
    for fact in std::mem::take(&mut facts.addresses).into_iter().chain(listed) {
        by_address.entry(fact.address.to_canonical()).or_default().push(fact);
    }
    let networks = Networks::of(&facts.networks);
    let mut roles: BTreeMap<IpAddr, AddressRole> = by_address
        .into_iter()
        .filter_map(|(address, known)| Some((address, weigh(known, &networks)?)))
        .collect();
    for link in &mut facts.links {
        link.leads_to = link.leads_to.to_canonical();
    }
    keep_first(&mut facts.links, |link| (link.node.clone(), link.interface.clone(), link.leads_to));
    keep_first(&mut facts.networks, |fact| {
        (fact.node.clone(), fact.interface.clone(), fact.network)
    });
    keep_first(&mut facts.interfaces, |fact| (fact.node.clone(), fact.index, fact.name.clone()));
    name_pods_by_cable(&mut roles, &facts.links);
    Topology::new(roles, facts)
}

/// Keeps the first of equal facts: `ip addr` as text and as JSON say the same.
fn keep_first<Fact, Key: Ord>(facts: &mut Vec<Fact>, key: impl Fn(&Fact) -> Key) {
    let mut known = BTreeSet::new();
    facts.retain(|fact| known.insert(key(fact)));
}

/// Devices of one name are one device, over all lists.
fn join_devices(devices: Vec<DeviceEntry>) -> Vec<DeviceEntry> {
    let mut joined: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for device in devices {
        let addresses = device.addresses.iter().map(IpAddr::to_canonical);
        joined.entry(device.name).or_default().extend(addresses);
    }
    let mut devices = Vec::with_capacity(joined.len());
    for (name, mut addresses) in joined {
        keep_first(&mut addresses, |address| *address);
        devices.push(DeviceEntry { name, addresses });
    }
    devices
}

/// The belief about one address from all that is said of it; `None` of nothing.
fn weigh(mut known: Vec<AddressFact>, networks: &Networks) -> Option<AddressRole> {
    let on_host_network = is_on_host_network(&known, networks);
    known.sort_by_key(|fact| (fact.source, rank(fact, on_host_network)));
    let best = known.first()?;
    let mut belief = AddressRole {
        role: best.role,
        node: best.node.clone(),
        pod: best.pod.clone(),
        source: best.source,
        reason: best.reason.clone(),
    };
    if on_host_network && belief.role == Role::Pod {
        belief.role = Role::Node;
        belief.pod = None;
        belief.reason = format!("{}, which uses the host's network", belief.reason);
    }
    // A ClusterIP and a device belong to no node.
    if matches!(belief.role, Role::Node | Role::Vip | Role::Pod) {
        belief.node = belief.node.or_else(|| known.iter().find_map(|fact| fact.node.clone()));
    }
    if belief.role == Role::Pod {
        belief.pod = belief.pod.or_else(|| known.iter().find_map(|fact| fact.pod.clone()));
    }
    Some(belief)
}

/// Which of two statements of one source counts, lowest first.
///
/// Kubernetes states a node's addresses; a pod's may be its node's. A node's own
/// listing sees a VIP only on the node that holds it, and a node's own address may be
/// no more than a guess. Named facts go before nameless ones.
fn rank(fact: &AddressFact, on_host_network: bool) -> (usize, bool) {
    let order: &[Role] = match fact.source {
        FactSource::Kubernetes if on_host_network => {
            &[Role::Node, Role::Pod, Role::Vip, Role::Service]
        }
        FactSource::Kubernetes => &[Role::Node, Role::Vip, Role::Service, Role::Pod],
        FactSource::Agent | FactSource::IpAddr => {
            &[Role::Vip, Role::Service, Role::Pod, Role::Node]
        }
        FactSource::IpRoute => &[Role::Node],
        FactSource::DeviceList
        | FactSource::Conntrack
        | FactSource::Address
        | FactSource::Packets => &[],
    };
    let place = order.iter().position(|role| *role == fact.role).unwrap_or(order.len());
    (place, fact.pod.is_none() && fact.node.is_none())
}

/// Whether the pod that has the address uses its host's network: a node shows
/// the same address on a link of its own, in a network of that link.
///
/// `ip addr` run inside a pod looks alike, so names must not contradict: its
/// prompt shows the pod's name where the node's would be.
fn is_on_host_network(known: &[AddressFact], networks: &Networks) -> bool {
    let of =
        |source, role| known.iter().filter(move |fact| fact.source == source && fact.role == role);
    // One address may be in thousands of facts: each is looked at once.
    let pods: BTreeSet<(Option<&str>, Option<&str>)> = of(FactSource::Kubernetes, Role::Pod)
        .map(|pod| {
            let name = pod.pod.as_deref().and_then(|name| name.rsplit('/').next());
            (pod.node.as_deref(), name)
        })
        .collect();
    let nodes: BTreeSet<Option<&str>> = of(FactSource::Agent, Role::Node)
        .chain(of(FactSource::IpAddr, Role::Node))
        .map(|node| node.node.as_deref())
        .collect();
    let is_inside = known.first().is_some_and(|fact| networks.contain(fact.address));
    is_inside
        && pods.iter().any(|(node, name)| {
            nodes.contains(&None)
                || match node {
                    Some(node) => nodes.contains(&Some(*node)) && Some(*node) != *name,
                    None => nodes.iter().take(2).any(|node| node != name),
                }
        })
}

/// One cable leads to one pod: where the pod of one of its addresses is known,
/// the others, of the other family, are the same pod's.
fn name_pods_by_cable(roles: &mut BTreeMap<IpAddr, AddressRole>, links: &[LinkFact]) {
    let mut cables: BTreeMap<(Option<&str>, &str), Vec<IpAddr>> = BTreeMap::new();
    for link in links {
        let cable = (link.node.as_deref(), link.interface.as_str());
        cables.entry(cable).or_default().push(link.leads_to);
    }
    for addresses in cables.values() {
        let named = addresses
            .iter()
            .filter_map(|address| roles.get(address))
            .find(|belief| belief.role == Role::Pod && belief.pod.is_some());
        let Some(AddressRole { node, pod, .. }) = named.cloned() else { continue };
        for address in addresses {
            if let Some(belief) = roles.get_mut(address)
                && belief.role == Role::Pod
                && belief.pod.is_none()
            {
                belief.node = belief.node.take().or_else(|| node.clone());
                belief.pod.clone_from(&pod);
            }
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
