//! Where a query captures: the ways to the device, and the pods behind.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::node::wire::{
    CaptureFilter, CaptureInterface, CaptureLimits, CaptureRequest, NodeFacts, TrackedFlows,
};

/// Interfaces of one capture, as agents take them.
pub(super) const MOST_INTERFACES: usize = 16;

/// Where a query captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub interfaces: Vec<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// The interfaces that matter to a device: those through which the node reaches
/// it, and the cables of pods. Pods that the device's tracked flows lead to come
/// first, because a node can have more pods than a capture has room for.
///
/// `ways` are the facts that were read with each of the device's addresses.
pub fn choose_interfaces(ways: &[NodeFacts], flows: Option<&TrackedFlows>) -> Chosen {
    let mut chosen: Vec<&str> = Vec::new();
    chosen
        .extend(ways.iter().filter_map(|facts| facts.device_route.as_ref()?.interface.as_deref()));
    if let Some(facts) = ways.first() {
        let entries = flows.iter().flat_map(|flows| &flows.entries);
        let behind: BTreeSet<IpAddr> = entries
            .flat_map(|flow| [flow.expected_reply.source.address, flow.original.source.address])
            .collect();
        let (near, far): (Vec<_>, Vec<_>) =
            facts.cables.iter().partition(|cable| behind.contains(&cable.leads_to));
        chosen.extend(near.into_iter().chain(far).map(|cable| cable.interface.as_str()));
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|name| seen.insert(*name));
    let left_out = chosen.len().saturating_sub(MOST_INTERFACES);
    let notes = (left_out > 0).then(|| {
        format!(
            "{left_out} of the node's interfaces to pods were not captured: a capture has {MOST_INTERFACES} interfaces at most, and these are not known to lead to where the device's packets go; a request can name interfaces"
        )
    });
    Chosen {
        interfaces: chosen.into_iter().take(MOST_INTERFACES).map(str::to_owned).collect(),
        notes: notes.into_iter().collect(),
    }
}

/// The capture at these interfaces: packets of these addresses, and what explains them.
pub fn request_of(
    interfaces: Vec<CaptureInterface>,
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
    limits: CaptureLimits,
) -> CaptureRequest {
    CaptureRequest {
        interfaces,
        filter: Some(CaptureFilter { ports, ..CaptureFilter::of_devices(addresses) }),
        everything: false,
        snap_length_bytes: 65_535,
        limits,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{facts, flows};
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
            let chosen = choose_interfaces(&ways, flows.as_ref());
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
        );
        assert_eq!(chosen.interfaces.len(), MOST_INTERFACES);
        assert_eq!(chosen.interfaces[..2], ["eth0", "cali39"]);
        // What it leaves out, it says: 40 pods and the way to the device.
        assert!(chosen.notes[0].starts_with("25 of the node's interfaces"), "{:?}", chosen.notes);
    }
}
