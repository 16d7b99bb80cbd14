//! What is kept of one object: its facts, and of a pod where it runs.

use std::net::IpAddr;

use serde_json::Value;

use super::agents::{find_agent, has_agent_label};
use super::resource::Resource;
use crate::model::cluster::{AddressPool, ServiceFact};
use crate::model::topology::{AddressFact, Facts};

/// Objects of one resource; more are counted. Some 1 KB each.
pub const MOST_OBJECTS: usize = 200_000;

/// One object's facts.
#[derive(Debug)]
pub struct Kept {
    pub addresses: Box<[AddressFact]>,
    pub service: Option<Box<ServiceFact>>,
    pub pool: Option<Box<AddressPool>>,
    pub pod: Option<Box<PodPlace>>,
}

/// A pod that has not ended.
#[derive(Debug, Clone)]
pub struct PodPlace {
    /// `namespace/name`
    pub name: String,
    pub node: Option<String>,
    /// Its own; none where it uses the host's network.
    pub addresses: Vec<IpAddr>,
    pub uses_host_network: bool,
    /// Where it listens, if it is an agent of ours.
    pub agent: Option<String>,
    /// It calls itself an agent, in a namespace where none is believed.
    pub is_agent_elsewhere: bool,
}

impl Kept {
    /// What is kept of an object that says `facts`. Agents are believed in
    /// `agent_namespace` only.
    pub fn of(facts: Facts, resource: Resource, object: &Value, agent_namespace: &str) -> Self {
        let is_pod = resource == Resource::Pods;
        Self {
            addresses: facts.addresses.into_boxed_slice(),
            service: facts.services.into_iter().next().map(Box::new),
            pool: facts.pools.into_iter().next().map(Box::new),
            pod: is_pod.then(|| find_place(object, agent_namespace)).flatten().map(Box::new),
        }
    }
}

/// `namespace/name`, or the name alone.
pub fn name_of(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or_default();
    match text("/metadata/namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

fn find_place(object: &Value, agent_namespace: &str) -> Option<PodPlace> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    if matches!(text("/status/phase"), Some("Succeeded" | "Failed")) {
        return None;
    }
    let uses_host_network = object.pointer("/spec/hostNetwork") == Some(&Value::Bool(true));
    let words = object.pointer("/status/podIPs").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(|entry| entry.get("ip")?.as_str());
    let mut addresses: Vec<IpAddr> =
        words.chain(text("/status/podIP")).filter_map(|word| word.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    if uses_host_network {
        addresses.clear();
    }
    Some(PodPlace {
        name: name_of(object),
        node: text("/spec/nodeName").filter(|node| !node.is_empty()).map(str::to_owned),
        addresses,
        uses_host_network,
        agent: find_agent(object, agent_namespace),
        is_agent_elsewhere: has_agent_label(object)
            && text("/metadata/namespace") != Some(agent_namespace),
    })
}
