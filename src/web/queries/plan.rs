//! Where a query captures: the ways to the device, and the pods behind.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::sides;
use crate::node::wire::{
    CaptureFilter, CaptureInterface, CaptureLimits, CaptureRequest, NodeFacts, TrackedFlows,
};

/// Interfaces of one capture, as agents take them.
pub(super) const MOST_INTERFACES: usize = 16;

/// Gateways of one filter, as agents take them.
const MOST_NEXT_HOPS: usize = 16;

/// Where a query captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub interfaces: Vec<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// Whether pods are known to be on the node that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// The cluster says that there are some.
    Known,
    NotKnown,
}

/// The interfaces that matter to a device: those through which the node reaches
/// it, and those that lead to pods. Those that the device's tracked flows lead to come
/// first, because a node can have more pods than a capture has room for.
///
/// `ways` are the facts that were read with each of the device's addresses.
pub fn choose_interfaces(ways: &[NodeFacts], flows: Option<&TrackedFlows>, pods: Pods) -> Chosen {
    let way_of = |facts: &NodeFacts| facts.device_route.as_ref()?.interface.clone();
    let mut chosen: Vec<String> = ways.iter().filter_map(way_of).collect();
    let mut notes = Vec::new();
    if let Some(facts) = ways.first() {
        let entries = || flows.into_iter().flat_map(|flows| &flows.entries);
        let behind: BTreeSet<IpAddr> = entries()
            .flat_map(|flow| [flow.expected_reply.source.address, flow.original.source.address])
            .collect();
        let sides = sides::pod_sides(facts);
        let sides = sides.into_iter().filter(|side| !chosen.contains(&side.interface));
        let (near, far): (Vec<_>, Vec<_>) =
            sides.partition(|side| behind.iter().any(|address| side.leads_to(*address)));
        let is_translated = entries()
            .any(|flow| flow.expected_reply.source.address != flow.original.destination.address);
        if near.is_empty() && far.is_empty() && (pods == Pods::Known || is_translated) {
            notes.push("the pods' side was not captured: none of the node's interfaces is known to lead to pods; a request can name interfaces".to_owned());
        }
        chosen.extend(near.into_iter().chain(far).map(|side| side.interface));
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|name| seen.insert(name.clone()));
    let left_out = chosen.len().saturating_sub(MOST_INTERFACES);
    if left_out > 0 {
        notes.push(format!(
            "{left_out} of the node's interfaces to pods were not captured: a capture has {MOST_INTERFACES} interfaces at most, and these are not known to lead to where the device's packets go; a request can name interfaces"
        ));
    }
    chosen.truncate(MOST_INTERFACES);
    Chosen { interfaces: chosen, notes }
}

/// The gateways behind which a device is: whether they answer explains why it does not.
pub fn next_hops_of(ways: &[NodeFacts]) -> Vec<IpAddr> {
    let gateway_of = |facts: &NodeFacts| facts.device_route.as_ref()?.gateway;
    let gateways: BTreeSet<IpAddr> = ways.iter().filter_map(gateway_of).collect();
    gateways.into_iter().take(MOST_NEXT_HOPS).collect()
}

/// Says which next hops of a device do not answer, as the node's kernel knows it
/// (RFC 826, RFC 4861 section 7.3.2): no packet to the device leaves then.
pub fn neighbour_notes(ways: &[NodeFacts]) -> Vec<String> {
    let mut notes = Vec::new();
    for facts in ways {
        for one in &facts.neighbours {
            let state = match one.state.as_str() {
                "FAILED" => "it did not answer",
                "INCOMPLETE" => "it has not answered yet",
                _ => continue,
            };
            let note = format!(
                "the node's neighbour {} at {}, its next hop to the device, is {}: {state}, and no packet leaves for it",
                one.address, one.interface, one.state
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// The capture at these interfaces: packets of these addresses, and what explains them.
pub fn request_of(
    interfaces: Vec<CaptureInterface>,
    addresses: Vec<IpAddr>,
    next_hops: Vec<IpAddr>,
    ports: Vec<u16>,
    limits: CaptureLimits,
) -> CaptureRequest {
    CaptureRequest {
        interfaces,
        filter: Some(CaptureFilter { ports, next_hops, ..CaptureFilter::of_devices(addresses) }),
        everything: false,
        snap_length_bytes: 65_535,
        limits,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{bridged, facts, flows};
    use super::*;

    #[test]
    fn ways_to_the_device_come_first_then_the_pods_it_talks_to() {
        let cables =
            [("cali1", "198.51.100.1"), ("cali2", "198.51.100.2"), ("cali2", "2001:db8:1::2")];
        let ways = [facts("eth0", &cables), facts("eth1", &cables)];
        let cases = [
            (None, ["eth0", "eth1", "cali1", "cali2"]),
            (
                Some(flows("198.51.100.2", "192.0.2.9", "192.0.2.21")),
                ["eth0", "eth1", "cali2", "cali1"],
            ),
            (
                Some(flows("2001:db8:1::2", "2001:db8::9", "2001:db8::21")),
                ["eth0", "eth1", "cali2", "cali1"],
            ),
        ];
        for (flows, expected) in cases {
            let chosen = choose_interfaces(&ways, flows.as_ref(), Pods::Known);
            assert_eq!(
                (chosen.interfaces.as_slice(), chosen.notes.len()),
                (&expected.map(str::to_owned)[..], 0)
            );
        }
    }

    #[test]
    fn a_node_with_many_pods_does_not_ask_for_too_many_interfaces() {
        let names: Vec<_> = (0..40)
            .map(|number| (format!("cali{number}"), format!("198.51.100.{number}")))
            .collect();
        let cables: Vec<_> = names.iter().map(|(name, to)| (name.as_str(), to.as_str())).collect();
        let chosen = choose_interfaces(
            &[facts("eth0", &cables)],
            Some(&flows("198.51.100.39", "192.0.2.9", "192.0.2.21")),
            Pods::Known,
        );
        assert_eq!(chosen.interfaces.len(), MOST_INTERFACES);
        assert_eq!(chosen.interfaces[..2], ["eth0", "cali39"]);
        // What it leaves out, it says: 40 pods and the way to the device.
        assert!(chosen.notes[0].starts_with("25 of the node's interfaces"), "{:?}", chosen.notes);
    }

    #[test]
    fn pods_behind_a_bridge_are_captured_at_it() {
        for [pod, client, asked] in [
            ["10.42.0.7", "192.0.2.9", "192.0.2.21"],
            ["fd00:42::7", "2001:db8::9", "2001:db8::21"],
        ] {
            let (bridged, seen) = (bridged("eth0"), flows(pod, client, asked));
            for flows in [None, Some(&seen)] {
                let chosen = choose_interfaces(std::slice::from_ref(&bridged), flows, Pods::Known);
                assert_eq!(chosen.interfaces[..2], ["eth0", "cni0"], "{pod}");
                assert_eq!(chosen.notes, Vec::<String>::new());
            }
        }
    }

    #[test]
    fn that_the_pods_side_is_missing_is_said_where_there_are_pods() {
        let ways = [facts("eth0", &[])];
        for [pod, client, asked] in [
            ["198.51.100.2", "192.0.2.9", "192.0.2.21"],
            ["2001:db8:1::2", "2001:db8::9", "2001:db8::21"],
        ] {
            let (translated, plain) = (flows(pod, client, asked), flows(asked, client, asked));
            let cases = [
                (Some(&translated), Pods::NotKnown, 1),
                (Some(&plain), Pods::NotKnown, 0),
                (None, Pods::NotKnown, 0),
                (None, Pods::Known, 1),
            ];
            for (flows, pods, expected) in cases {
                let chosen = choose_interfaces(&ways, flows, pods);
                assert_eq!(chosen.interfaces, ["eth0"]);
                assert_eq!(chosen.notes.len(), expected, "{pods:?} {:?}", chosen.notes);
            }
        }
    }

    #[test]
    fn gateways_are_captured_and_their_silence_told() {
        for [gateway, other] in [["192.0.2.1", "192.0.2.77"], ["2001:db8::1", "2001:db8::77"]] {
            let mut way = facts("eth0", &[]);
            let gateway: IpAddr = gateway.parse().unwrap();
            way.device_route.as_mut().unwrap().gateway = Some(gateway);
            let ways = [way.clone(), facts("eth0", &[]), way.clone()];
            let request = request_of(
                Vec::new(),
                vec![other.parse().unwrap()],
                next_hops_of(&ways),
                Vec::new(),
                CaptureLimits::default(),
            );
            assert_eq!(request.filter.unwrap().next_hops, [gateway]);
            for (state, expected) in
                [("REACHABLE", 0), ("STALE", 0), ("PROBE", 0), ("FAILED", 1), ("INCOMPLETE", 1)]
            {
                let neighbour = serde_json::json!({"dst": gateway, "dev": "eth0", "state": state});
                way.neighbours = vec![serde_json::from_value(neighbour).unwrap()];
                let notes = neighbour_notes(&[way.clone(), way.clone()]);
                assert_eq!(notes.len(), expected, "{state}");
                let is_named = |note: &String| note.contains(&gateway.to_string());
                assert!(notes.iter().all(is_named), "{notes:?}");
            }
        }
    }
}
