//! Interfaces of a node that lead to its pods, whichever way they are connected.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::node::wire::{Link, NodeFacts};

/// An interface behind which pods are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSide {
    pub interface: String,
    /// What is known to be behind it.
    pub behind: Vec<IpNet>,
}

impl PodSide {
    /// Whether an address is known to be behind it.
    pub fn leads_to(&self, address: IpAddr) -> bool {
        self.behind.iter().any(|network| network.contains(&address))
    }
}

/// The interfaces that lead to pods: cables with a route of their own (Calico), bridges
/// to which cables are connected (Flannel, kubenet, Docker), and cables without routes
/// (Cilium, OVN). Of a bridge's cables none: the bridge shows the packets of all.
pub fn pod_sides(facts: &NodeFacts) -> Vec<PodSide> {
    let mut sides: Vec<PodSide> = Vec::new();
    for cable in &facts.cables {
        let behind = IpNet::from(cable.leads_to);
        match sides.iter_mut().find(|side| side.interface == cable.interface) {
            Some(known) => known.behind.push(behind),
            None => {
                sides.push(PodSide { interface: cable.interface.clone(), behind: vec![behind] });
            }
        }
    }
    let is_bridge = |name: &str| {
        facts.links.iter().any(|link| link.name == name && link.kind.as_deref() == Some("bridge"))
    };
    for link in facts.links.iter().filter(|link| is_cable(link)) {
        let bridge = link.controller.as_deref().filter(|name| is_bridge(name));
        let name = bridge.unwrap_or(&link.name);
        if sides.iter().any(|side| side.interface == name) {
            continue;
        }
        let networks = facts.networks.iter().filter(|one| one.interface == name);
        let behind = networks.map(|one| one.network).collect();
        sides.push(PodSide { interface: name.to_owned(), behind });
    }
    sides
}

/// Whether an interface leads to pods.
pub fn is_pod_side(facts: &NodeFacts, name: &str) -> bool {
    pod_sides(facts).iter().any(|side| side.interface == name)
}

/// Whether a link's other end is in another namespace, and the node itself does not talk
/// through it: the uplink of a node that is a container itself has an address.
fn is_cable(link: &Link) -> bool {
    link.peer_namespace.is_some()
        && matches!(link.kind.as_deref(), Some("veth" | "netkit"))
        && link.addresses.iter().all(|one| one.scope != "global")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{bridged, facts, link};
    use super::*;

    #[test]
    fn sides_are_found_however_pods_are_connected() {
        let mut cilium = facts("eth0", &[]);
        cilium.links = vec![
            link("eth0", "veth", Some(0), None, &["192.0.2.13", "2001:db8::13"]),
            link("lxc1", "veth", Some(1), None, &[]),
            link("wg0", "wireguard", None, None, &["198.51.100.1"]),
        ];
        let calico = facts("eth0", &[("cali1", "198.51.100.2"), ("cali1", "2001:db8:1::2")]);
        let mut plain_bridge = facts("br0", &[]);
        // A bridge over hardware: no pods.
        plain_bridge.links =
            vec![link("br0", "bridge", None, None, &[]), link("eth0", "", None, Some("br0"), &[])];
        let cases = [
            (cilium, "lxc1"),
            (calico, "cali1 198.51.100.2/32 2001:db8:1::2/128"),
            (bridged("eth0"), "cni0 10.42.0.0/24 fd00:42::/64"),
            (plain_bridge, ""),
        ];
        for (facts, expected) in cases {
            let sides = pod_sides(&facts);
            let render = |side: &PodSide| {
                let behind = side.behind.iter().map(ToString::to_string);
                [side.interface.clone()].into_iter().chain(behind).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(sides.iter().map(render).collect::<Vec<_>>().join("|"), expected);
        }
    }
}
