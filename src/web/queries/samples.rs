//! What agents say, for tests.

use serde_json::{Value, json};

use crate::node::wire::{Link, NodeFacts, TrackedFlows};

/// A node with an uplink, and cables with where they lead.
pub fn facts(uplink: &str, cables: &[(&str, &str)]) -> NodeFacts {
    let cables: Vec<_> = cables
        .iter()
        .map(|(interface, leads_to)| json!({"interface": interface, "leads_to": leads_to}))
        .collect();
    serde_json::from_value(json!({
        "version": 1, "node": "node3", "at": "2024-11-19T00:00:00Z", "links": [], "routes": [],
        "neighbours": [], "roles": [], "cables": cables, "networks": [], "counters": {},
        "settings": {"rp_filter": {}, "use_tempaddr": {}}, "faults": [],
        "device_route": {"type": "unicast", "dst": "default", "dev": uplink,
            "protocol": "static", "scope": "global"},
    }))
    .unwrap()
}

/// A node whose pods are behind a bridge.
pub fn bridged(uplink: &str) -> NodeFacts {
    let mut facts = facts(uplink, &[]);
    facts.links = vec![
        link(uplink, "", None, None, &["192.0.2.13", "2001:db8::13"]),
        link("cni0", "bridge", None, None, &["10.42.0.1", "fd00:42::1"]),
        link("vethpod", "veth", Some(1), Some("cni0"), &[]),
    ];
    let networks = json!([{"interface": uplink, "network": "192.0.2.0/24"},
        {"interface": "cni0", "network": "10.42.0.0/24"},
        {"interface": "cni0", "network": "fd00:42::/64"}]);
    facts.networks = serde_json::from_value(networks).unwrap();
    facts
}

/// A link with addresses of global scope.
pub fn link(
    name: &str,
    kind: &str,
    namespace: Option<i32>,
    controller: Option<&str>,
    addresses: &[&str],
) -> Link {
    let address = |text: &&str| -> Value {
        json!({"family": "inet", "local": text, "prefixlen": 24, "scope": "global",
            "deprecated": false, "temporary": false, "secondary": false, "tentative": false,
            "dadfailed": false, "dynamic": false, "noprefixroute": false,
            "valid_life_time": u32::MAX, "preferred_life_time": u32::MAX})
    };
    let kind = Some(kind).filter(|kind| !kind.is_empty());
    serde_json::from_value(json!({"ifindex": 7, "ifname": name, "link_type": "ether",
        "operstate": "UP", "mtu": 1500, "info_kind": kind, "link_netnsid": namespace,
        "master": controller, "addr_info": addresses.iter().map(address).collect::<Vec<_>>()}))
    .unwrap()
}

/// One entry: what a client asks, and the pod that it is sent on to.
pub fn flows(pod: &str, client: &str, asked: &str) -> TrackedFlows {
    serde_json::from_value(json!({
        "version": 1, "node": "node3", "at": "2024-11-19T00:00:00Z", "entries_omitted": 0,
        "entries": [{"is_replied": false, "is_assured": false,
            "original": {"source": {"address": client, "port": 5000},
                "destination": {"address": asked, "port": 69}},
            "expected_reply": {"source": {"address": pod, "port": 69},
                "destination": {"address": client, "port": 5000}}}],
    }))
    .unwrap()
}
