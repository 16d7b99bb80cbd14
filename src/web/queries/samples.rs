//! What agents say, for tests.

use serde_json::json;

use crate::node::wire::{NodeFacts, TrackedFlows};

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
