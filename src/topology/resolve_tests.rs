//! Which statement about an address wins.

use std::net::IpAddr;

use super::*;
use crate::model::topology::{InterfaceFact, NetworkFact};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn fact(
    address: &str,
    source: FactSource,
    role: Role,
    node: Option<&str>,
    pod: Option<&str>,
) -> AddressFact {
    let [node, pod] = [node, pod].map(|name| name.map(ToOwned::to_owned));
    AddressFact { address: ip(address), role, node, pod, source, reason: "said".to_owned() }
}

#[test]
fn the_most_trusted_source_wins_and_the_others_fill_names() {
    use FactSource::{DeviceList, IpAddr as Links, IpRoute, Kubernetes};
    use Role::{Device, Node, Pod, Service, Vip};
    type Said = (FactSource, Role, Option<&'static str>, Option<&'static str>);
    type Belief = (Role, FactSource, Option<&'static str>, Option<&'static str>);
    let cases: [(&str, &[Said], Belief); 11] = [
        (
            "list over Kubernetes",
            &[(Kubernetes, Vip, None, None), (DeviceList, Device, None, None)],
            (Device, DeviceList, None, None),
        ),
        (
            "InternalIP over a VIP's looks",
            &[(Links, Vip, Some("node1"), None), (Kubernetes, Node, None, None)],
            (Node, Kubernetes, Some("node1"), None),
        ),
        (
            "VIP's holder from its links",
            &[(Kubernetes, Vip, None, None), (Links, Vip, Some("node1"), None)],
            (Vip, Kubernetes, Some("node1"), None),
        ),
        (
            "InternalIP over a pod on the host's network",
            &[
                (Kubernetes, Pod, Some("node1"), Some("ss/p")),
                (Kubernetes, Node, Some("node1"), None),
            ],
            (Node, Kubernetes, Some("node1"), None),
        ),
        (
            "pod's name over a route",
            &[(IpRoute, Pod, Some("node1"), None), (Kubernetes, Pod, None, Some("ss/p"))],
            (Pod, Kubernetes, Some("node1"), Some("ss/p")),
        ),
        (
            "named over nameless",
            &[(Kubernetes, Pod, None, None), (Kubernetes, Pod, Some("node1"), Some("ss/p"))],
            (Pod, Kubernetes, Some("node1"), Some("ss/p")),
        ),
        (
            "VIP on one node, own prefix on another",
            &[(Links, Node, Some("node1"), None), (Links, Vip, Some("node2"), None)],
            (Vip, Links, Some("node2"), None),
        ),
        (
            "links over routes",
            &[(IpRoute, Node, None, None), (Links, Vip, None, None)],
            (Vip, Links, None, None),
        ),
        (
            "a ClusterIP has no node",
            &[(Kubernetes, Service, None, None), (Links, Service, Some("node1"), None)],
            (Service, Kubernetes, None, None),
        ),
        (
            "first of equals",
            &[(DeviceList, Vip, None, None), (DeviceList, Device, None, None)],
            (Vip, DeviceList, None, None),
        ),
        (
            "a pod's name is no node's",
            &[(Links, Node, Some("node1"), None), (IpRoute, Pod, None, Some("p"))],
            (Node, Links, Some("node1"), None),
        ),
    ];
    for (name, said, (role, source, node, pod)) in cases {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let addresses = said
                .iter()
                .map(|(source, role, node, pod)| fact(address, *source, *role, *node, *pod))
                .collect();
            let topology = resolve(Facts { addresses, ..Facts::default() });
            let belief = topology.find(ip(address)).unwrap();
            assert_eq!((belief.role, belief.source), (role, source), "{name}, {address}");
            assert_eq!(belief.node.as_deref(), node, "{name}, {address}");
            assert_eq!(belief.pod.as_deref(), pod, "{name}, {address}");
        }
    }
}

#[test]
fn a_pod_with_an_address_of_its_nodes_link_is_on_the_hosts_network() {
    let cases = [
        // the node at the prompt, the node of the pod, expected
        ("the node itself", Some("node1"), Some("node1"), Role::Node),
        ("no prompt", None, Some("node1"), Role::Node),
        ("another node", Some("node2"), Some("node1"), Role::Pod),
        ("a prompt inside the pod", Some("p"), None, Role::Pod),
    ];
    for (name, prompt, node, expected) in cases {
        for (address, network) in [("192.0.2.1", "192.0.2.0/24"), ("2001:db8::1", "2001:db8::/64")]
        {
            let facts = Facts {
                addresses: vec![
                    fact(address, FactSource::IpAddr, Role::Node, prompt, None),
                    fact(address, FactSource::Kubernetes, Role::Pod, node, Some("ss/p")),
                ],
                networks: vec![NetworkFact {
                    node: None,
                    interface: "eth0".to_owned(),
                    network: network.parse().unwrap(),
                }],
                ..Facts::default()
            };
            assert_eq!(resolve(facts).role_of(ip(address)), expected, "{name}, {address}");
        }
    }
}

#[test]
fn facts_said_twice_count_once_and_devices_join() {
    let link =
        LinkFact { node: None, interface: "cali1".to_owned(), leads_to: ip("::ffff:192.0.2.7") };
    let index = InterfaceFact { node: None, index: 2, name: "eth0".to_owned() };
    let device = |address| DeviceEntry { name: "sw".to_owned(), addresses: vec![ip(address)] };
    let once = resolve(Facts {
        links: vec![LinkFact { leads_to: ip("192.0.2.7"), ..link.clone() }],
        interfaces: vec![index.clone()],
        devices: vec![DeviceEntry {
            name: "sw".to_owned(),
            addresses: vec![ip("192.0.2.1"), ip("2001:db8::1")],
        }],
        ..Facts::default()
    });
    let twice = resolve(Facts {
        links: vec![link.clone(), link],
        interfaces: vec![index.clone(), index],
        devices: vec![device("192.0.2.1"), device("2001:db8::1"), device("192.0.2.1")],
        ..Facts::default()
    });
    assert_eq!(once, twice);
}

#[test]
fn nothing_said_leaves_the_form_of_the_address() {
    let topology = resolve(Facts::default());
    let cases = [
        ("224.0.0.251", Role::Multicast),
        ("ff02::fb", Role::Multicast),
        ("255.255.255.255", Role::Broadcast),
        ("192.0.2.1", Role::Unknown),
        ("2001:db8::1", Role::Unknown),
    ];
    for (address, role) in cases {
        assert_eq!(topology.role_of(ip(address)), role, "{address}");
        assert!(topology.find(ip(address)).is_none(), "{address}");
    }
}
