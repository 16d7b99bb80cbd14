//! Addresses of the node in a device's place: under `externalTrafficPolicy: Cluster` a
//! pod sees the node where the device sent, and so does a capture at the pod's cable.

use std::net::IpAddr;

use super::MOST_ADDRESSES;
use super::sides::is_pod_side;
use crate::model::cluster::{ServiceFact, TrafficPolicy, Transport};
use crate::model::topology::Role;
use crate::node::wire::{CaptureFilter, CaptureInterface, NodeFacts, TrackedFlow, TrackedFlows};

/// Whether pods may see the node where the device sent: its tracked flows show it, or a
/// service that is asked from outside is not known to leave the sender as it is
/// (`externalTrafficPolicy: Local`).
pub fn may_be_masked(flows: Option<&TrackedFlows>, services: &[ServiceFact]) -> bool {
    let mut entries = flows.into_iter().flat_map(|flows| &flows.entries);
    let is_masked = |flow: &TrackedFlow| {
        flow.expected_reply.source != flow.original.destination
            && flow.expected_reply.destination.address != flow.original.source.address
    };
    let has_udp = |one: &ServiceFact| one.ports.iter().any(|port| port.transport == Transport::Udp);
    let from_outside = |one: &&ServiceFact| {
        has_udp(one) && (!one.vips.is_empty() || one.external_traffic_policy.is_some())
    };
    let mut known = services.iter().filter(from_outside).peekable();
    let may_be = known.peek().is_none()
        || known.any(|one| one.external_traffic_policy != Some(TrafficPolicy::Local));
    may_be || entries.any(is_masked)
}

/// The addresses that the node may put in the device's place: its own of global scope,
/// those that are no VIP first. A masquerade takes one of the outgoing interface, and
/// where that has none, as a pod's cable, one of any other.
pub fn masks_of(facts: &NodeFacts, devices: &[IpAddr], notes: &mut Vec<String>) -> Vec<IpAddr> {
    let own = facts.links.iter().flat_map(|link| &link.addresses);
    let own = own.filter(|one| one.scope == "global" && !one.temporary).map(|one| one.address);
    let mut masks: Vec<IpAddr> = own.filter(|address| !devices.contains(address)).collect();
    let is_vip = |address: &IpAddr| {
        facts.roles.iter().any(|one| one.address == *address && one.role == Role::Vip)
    };
    masks.sort_by_key(|address| (is_vip(address), *address));
    masks.dedup();
    let room = MOST_ADDRESSES.saturating_sub(devices.len());
    if masks.len() > room {
        notes.push(format!(
            "the node has {} addresses by which a pod may know the device; packets with {} of them were not captured at pods",
            masks.len(),
            masks.len() - room
        ));
        masks.truncate(room);
    }
    masks
}

/// These interfaces, of which those that lead to pods take packets of `masks`, too. All
/// ports that are asked for count, and none more: a TFTP server answers from one that
/// nobody knows before.
pub fn with_masks(
    interfaces: Vec<String>,
    facts: Option<&NodeFacts>,
    devices: &[IpAddr],
    ports: &[u16],
    masks: &[IpAddr],
) -> Vec<CaptureInterface> {
    let is_cable = |name: &str| facts.is_some_and(|facts| is_pod_side(facts, name));
    let filter_of = |name: &str| {
        (!masks.is_empty() && is_cable(name)).then(|| CaptureFilter {
            ports: ports.to_vec(),
            ..CaptureFilter::of_devices([devices, masks].concat())
        })
    };
    let with_filter = |name: String| CaptureInterface { filter: filter_of(&name), name };
    interfaces.into_iter().map(with_filter).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{bridged, facts, flows};
    use super::*;
    use crate::model::cluster::ServicePort;

    fn service(policy: Option<TrafficPolicy>, transport: Transport, vips: &[&str]) -> ServiceFact {
        ServiceFact {
            name: "lab/tftp".to_owned(),
            cluster: Some("lab".to_owned()),
            vips: vips.iter().map(|vip| vip.parse().unwrap()).collect(),
            cluster_ips: Vec::new(),
            ports: vec![ServicePort { transport, number: 69 }],
            external_traffic_policy: policy,
            internal_traffic_policy: None,
            announcer: None,
            vip_node: None,
            has_egress: false,
        }
    }

    #[test]
    fn pods_may_see_the_node_unless_all_is_known_to_say_no() {
        let (cluster, local) = (Some(TrafficPolicy::Cluster), Some(TrafficPolicy::Local));
        let vip = &["192.0.2.21", "2001:db8::21"][..];
        let cases = [
            // services, whether they may see the node
            (vec![], true),
            (vec![service(cluster, Transport::Udp, vip)], true),
            (vec![service(local, Transport::Udp, vip)], false),
            (vec![service(local, Transport::Udp, &[]), service(None, Transport::Udp, &[])], false),
            (vec![service(local, Transport::Udp, vip), service(None, Transport::Udp, vip)], true),
            (
                vec![service(local, Transport::Udp, vip), service(cluster, Transport::Tcp, vip)],
                false,
            ),
            // Whoever has the VIP is no service that is known.
            (vec![service(None, Transport::Udp, &[])], true),
        ];
        for (services, expected) in cases {
            assert_eq!(may_be_masked(None, &services), expected, "{services:?}");
        }
        let services = [service(local, Transport::Udp, vip)];
        for [pod, client, asked, node] in [
            ["198.51.100.2", "192.0.2.9", "192.0.2.21", "192.0.2.13"],
            ["2001:db8:1::2", "2001:db8::9", "2001:db8::21", "2001:db8::13"],
        ] {
            let mut flows = flows(pod, client, asked);
            assert!(!may_be_masked(Some(&flows), &services));
            flows.entries[0].expected_reply.destination.address = node.parse().unwrap();
            assert!(may_be_masked(Some(&flows), &services));
        }
    }

    #[test]
    fn cables_take_what_a_masquerade_may_have_made_of_the_device() {
        let mut facts = facts("eth0", &[("cali1", "198.51.100.1"), ("cali1", "2001:db8:1::1")]);
        let address = |text: &str, scope: &str| {
            json!({"family": "inet", "local": text, "prefixlen": 24, "scope": scope,
                "deprecated": false, "temporary": false, "secondary": false, "tentative": false,
                "dadfailed": false, "dynamic": false, "noprefixroute": false,
                "valid_life_time": 4_294_967_295_u32, "preferred_life_time": 4_294_967_295_u32})
        };
        let link = json!({"ifindex": 2, "ifname": "eth0", "link_type": "ether", "operstate": "UP",
            "mtu": 1500, "addr_info": [address("192.0.2.21", "global"), address("192.0.2.13", "global"),
                address("2001:db8::13", "global"), address("fe80::1", "link"), address("127.0.0.1", "host")]});
        facts.links.push(serde_json::from_value(link).unwrap());
        let vip = json!({"address": "192.0.2.21", "role": "vip", "reason": "a /32"});
        facts.roles.push(serde_json::from_value(vip).unwrap());
        let devices: Vec<IpAddr> =
            ["192.0.2.9", "2001:db8::9"].map(|text| text.parse().unwrap()).into();
        let mut notes = Vec::new();
        let masks = masks_of(&facts, &devices, &mut notes);
        let texts: Vec<_> = masks.iter().map(ToString::to_string).collect();
        assert_eq!(
            (texts.as_slice(), notes.len()),
            (&["192.0.2.13", "2001:db8::13", "192.0.2.21"].map(str::to_owned)[..], 0)
        );

        let names = || vec!["eth0".to_owned(), "cali1".to_owned()];
        let interfaces = with_masks(names(), Some(&facts), &devices, &[69], &masks);
        assert_eq!(interfaces[0].filter, None);
        let filter = interfaces[1].filter.as_ref().unwrap();
        assert_eq!((filter.devices.len(), filter.ports.as_slice()), (5, &[69][..]));
        let plain = with_masks(names(), Some(&facts), &devices, &[], &[]);
        assert!(plain.iter().all(|one| one.filter.is_none()));

        // Pods behind a bridge are behind it for the same reason.
        let bridge = || vec!["eth0".to_owned(), "cni0".to_owned()];
        let interfaces = with_masks(bridge(), Some(&bridged("eth0")), &devices, &[], &masks);
        assert_eq!((&interfaces[0].filter, interfaces[1].filter.is_some()), (&None, true));

        // More addresses than a filter has room for.
        for number in 0..40 {
            facts.links[0].addresses.push(
                serde_json::from_value(address(&format!("203.0.113.{number}"), "global")).unwrap(),
            );
        }
        let masks = masks_of(&facts, &devices, &mut notes);
        assert_eq!(masks.len(), MOST_ADDRESSES - devices.len());
        assert!(notes[0].contains("13 of them were not captured"), "{notes:?}");
    }
}
