//! What `kubectl get … -o json` prints: a list, or one object.

use serde_json::Value;

use super::kubectl_object::{Object, ObjectReading, fact, text_of};
use super::kubectl_service::{self, VIP_ANNOTATIONS, find_vip_node};
use crate::model::input::{Fault, Place};
use crate::model::topology::{AddressFact, Facts, Role};

/// Whether a JSON value is an object or a list of the Kubernetes API.
pub fn is_object(value: &Value) -> bool {
    let has_kind = value.get("kind").is_some_and(Value::is_string);
    has_kind && (value.get("metadata").is_some() || value.get("items").is_some())
        || value.get("items").is_some_and(Value::is_array)
}

/// Reads an object, or all objects of a list. Kinds without addresses are passed over.
pub fn read(value: &Value, facts: &mut Facts, faults: &mut Vec<String>) {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let mut reading = ObjectReading { facts, faults };
    match value.get("items").and_then(Value::as_array) {
        // The API's own lists (`PodList`) leave the kind of their items away.
        Some(items) => {
            let kind = kind.strip_suffix("List").unwrap_or(kind);
            for item in items {
                read_one(&Object::new(item, kind), &mut reading);
            }
        }
        None => read_one(&Object::new(value, kind), &mut reading),
    }
}

/// Reads one object as the API sends it; `kind` is its kind where it does not say so.
#[must_use]
pub fn read_object(kind: &str, value: &Value) -> Facts {
    let mut facts = Facts::default();
    let mut faults = Vec::new();
    read_one(
        &Object::new(value, kind),
        &mut ObjectReading { facts: &mut facts, faults: &mut faults },
    );
    let as_fault = |message| Fault { place: Place::Whole, message };
    facts.faults.extend(faults.into_iter().map(as_fault));
    facts
}

fn read_one(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    match object.kind {
        "Pod" => read_pod(object, reading),
        "Node" => read_node(object, reading),
        "Service" => {
            read_service(object, reading);
            kubectl_service::read_service(object, reading);
        }
        "IPPool" => kubectl_service::read_pool(object, reading),
        "Endpoints" => {
            for subset in object.elements("/subsets") {
                let addresses = subset.get("addresses").and_then(Value::as_array);
                for endpoint in addresses.into_iter().flatten() {
                    read_endpoint(object, endpoint, text_of(endpoint, "ip"), reading);
                }
            }
        }
        "EndpointSlice" => {
            for endpoint in object.elements("/endpoints") {
                let addresses = endpoint.get("addresses").and_then(Value::as_array);
                for address in addresses.into_iter().flatten() {
                    read_endpoint(object, endpoint, address.as_str(), reading);
                }
            }
        }
        _ => read_ingress(object, reading),
    }
}

/// A pod's addresses are the node's where it uses the host's network; those of
/// a pod that has ended may belong to another by now.
fn read_pod(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    let name = object.name();
    let node = object.text("/spec/nodeName").map(ToOwned::to_owned);
    let mut hosts = object.texts("/status/hostIPs", "ip");
    hosts.extend(object.text("/status/hostIP"));
    hosts.sort_unstable();
    hosts.dedup();
    for word in &hosts {
        reading.add(object, word, |address| AddressFact {
            node: node.clone(),
            ..fact(address, Role::Node, format!("hostIP of pod {name}"))
        });
    }
    if matches!(object.text("/status/phase"), Some("Succeeded" | "Failed")) {
        return;
    }
    let mut pods = object.texts("/status/podIPs", "ip");
    pods.extend(object.text("/status/podIP"));
    pods.sort_unstable();
    pods.dedup();
    let is_declared = object.at("/spec/hostNetwork") == Some(&Value::Bool(true));
    for word in pods {
        let on_host = is_declared || hosts.contains(&word);
        reading.add(object, word, |address| {
            let (role, pod, reason) = if on_host {
                (Role::Node, None, format!("pod {name} uses the host's network"))
            } else {
                (Role::Pod, Some(name.clone()), format!("podIP of pod {name}"))
            };
            AddressFact { node: node.clone(), pod, ..fact(address, role, reason) }
        });
    }
}

fn read_node(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    /// Where network plugins note further addresses of the node, among them
    /// the tunnel addresses that a pod sees as its client after SNAT.
    const ANNOTATIONS: [&str; 9] = [
        "projectcalico.org/IPv4Address",
        "projectcalico.org/IPv6Address",
        "projectcalico.org/IPv4IPIPTunnelAddr",
        "projectcalico.org/IPv4VXLANTunnelAddr",
        "projectcalico.org/IPv6VXLANTunnelAddr",
        "flannel.alpha.coreos.com/public-ip",
        "flannel.alpha.coreos.com/public-ipv6",
        "network.cilium.io/ipv4-cilium-host",
        "network.cilium.io/ipv6-cilium-host",
    ];
    let name = object.name();
    let of_node = |address, reason| AddressFact {
        node: Some(name.clone()),
        ..fact(address, Role::Node, reason)
    };
    for entry in object.elements("/status/addresses") {
        let kind = text_of(entry, "type").unwrap_or_default();
        if let (Some(word), "InternalIP" | "ExternalIP") = (text_of(entry, "address"), kind) {
            reading.add(object, word, |address| of_node(address, format!("{kind} of node {name}")));
        }
    }
    for annotation in ANNOTATIONS {
        if let Some(word) = object.annotation(annotation).filter(|word| !word.is_empty()) {
            reading.add(object, word, |address| {
                of_node(address, format!("annotation {annotation} of node {name}"))
            });
        }
    }
}

fn read_service(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    let name = object.name();
    let holder = find_vip_node(object).map(ToOwned::to_owned);
    let vip =
        |address, reason| AddressFact { node: holder.clone(), ..fact(address, Role::Vip, reason) };
    let mut cluster = object.texts("/spec/clusterIPs", "");
    cluster.extend(object.text("/spec/clusterIP"));
    cluster.sort_unstable();
    cluster.dedup();
    for word in cluster {
        reading.add(object, word, |address| {
            fact(address, Role::Service, format!("ClusterIP of service {name}"))
        });
    }
    for word in object.texts("/spec/externalIPs", "") {
        reading.add(object, word, |address| vip(address, format!("external IP of service {name}")));
    }
    read_ingress(object, reading);
    if let Some(word) = object.text("/spec/loadBalancerIP") {
        reading
            .add(object, word, |address| vip(address, format!("loadBalancerIP of service {name}")));
    }
    for annotation in VIP_ANNOTATIONS {
        let words = object.annotation(annotation).unwrap_or_default();
        for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            reading.add(object, word, |address| {
                vip(address, format!("annotation {annotation} of service {name}"))
            });
        }
    }
}

/// The addresses that a load balancer gave to a service, an ingress or the like.
fn read_ingress(object: &Object<'_>, reading: &mut ObjectReading<'_>) {
    let kind = object.kind.to_lowercase();
    let name = object.name();
    for word in object.texts("/status/loadBalancer/ingress", "ip") {
        reading.add(object, word, |address| AddressFact {
            node: find_vip_node(object).map(ToOwned::to_owned),
            ..fact(address, Role::Vip, format!("load balancer address of {kind} {name}"))
        });
    }
}

/// An endpoint that says which pod it is.
fn read_endpoint(
    object: &Object<'_>,
    endpoint: &Value,
    word: Option<&str>,
    reading: &mut ObjectReading<'_>,
) {
    let target = endpoint.get("targetRef");
    let is_pod = target.and_then(|target| text_of(target, "kind")) == Some("Pod");
    let (Some(word), Some(target), true) = (word, target, is_pod) else { return };
    let name = match (text_of(target, "namespace"), text_of(target, "name")) {
        (Some(namespace), Some(name)) => Some(format!("{namespace}/{name}")),
        (None, Some(name)) => Some(name.to_owned()),
        (_, None) => None,
    };
    reading.add(object, word, |address| AddressFact {
        node: text_of(endpoint, "nodeName").map(ToOwned::to_owned),
        pod: name,
        ..fact(address, Role::Pod, format!("endpoint of {}", object.name()))
    });
}

#[cfg(test)]
#[path = "kubectl_json_tests.rs"]
mod tests;
