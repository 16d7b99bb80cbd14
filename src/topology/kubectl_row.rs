//! One row of what `kubectl get` prints, and what it says.

use std::net::IpAddr;

use super::address::parse_address;
use crate::model::topology::{AddressFact, FactSource, Role};

/// A row with the cells that name addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row<'a> {
    Pod { namespace: Option<&'a str>, name: &'a str, status: &'a str, ip: &'a str, node: &'a str },
    Node { name: &'a str, internal_ip: &'a str, external_ip: &'a str },
    Service { namespace: Option<&'a str>, name: &'a str, cluster_ip: &'a str, external_ip: &'a str },
}

/// Recognises a row by the form of its cells: grep leaves the header behind,
/// and pasting squeezes the columns.
pub fn find_row(line: &str) -> Option<Row<'_>> {
    let words = words_of(line);
    find_pod(&words).or_else(|| find_service(&words)).or_else(|| find_node(&words))
}

/// The words of a row, without the `(3d ago)` that follows a count of restarts.
fn words_of(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(start) =
        words.windows(2).position(|pair| pair[0].starts_with('(') && pair[1].ends_with("ago)"))
    {
        words.drain(start..start + 2);
    }
    words
}

/// `[NAMESPACE] NAME READY STATUS RESTARTS AGE IP NODE …`
fn find_pod<'a>(words: &[&'a str]) -> Option<Row<'a>> {
    let ready = words.iter().take(3).position(|word| is_ready_count(word))?;
    let (namespace, name) = owner(words, ready)?;
    let [status, restarts, age, ip, node, ..] = *words.get(ready + 1..)? else { return None };
    if !is_number(restarts) || !is_age(age) {
        return None;
    }
    Some(Row::Pod { namespace, name, status, ip, node })
}

/// `[NAMESPACE] NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE …`
fn find_service<'a>(words: &[&'a str]) -> Option<Row<'a>> {
    let kind = words.iter().take(3).position(|word| {
        matches!(*word, "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName")
    })?;
    let (namespace, name) = owner(words, kind)?;
    let [cluster_ip, external_ip, ..] = *words.get(kind + 1..)? else { return None };
    Some(Row::Service { namespace, name, cluster_ip, external_ip })
}

/// `NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP …`
fn find_node<'a>(words: &[&'a str]) -> Option<Row<'a>> {
    let [name, status, _roles, age, version, internal_ip, external_ip, ..] = *words else {
        return None;
    };
    let is_node = matches!(status.split(',').next(), Some("Ready" | "NotReady" | "Unknown"))
        && is_age(age)
        && version
            .strip_prefix('v')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_node.then_some(Row::Node { name, internal_ip, external_ip })
}

/// The name before cell `at`, and the namespace before the name.
fn owner<'a>(words: &[&'a str], at: usize) -> Option<(Option<&'a str>, &'a str)> {
    match words.get(..at)? {
        [name] => Some((None, name)),
        [namespace, name] => Some((Some(namespace), name)),
        _ => None,
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1/1`
fn is_ready_count(word: &str) -> bool {
    word.split_once('/').is_some_and(|(ready, all)| is_number(ready) && is_number(all))
}

/// `13d`, `5h3m`, `2y41d`; `<unknown>` and `<invalid>` where clocks disagree.
fn is_age(word: &str) -> bool {
    word.starts_with('<')
        || word.ends_with(['s', 'm', 'h', 'd', 'y'])
            && word.bytes().all(|byte| byte.is_ascii_digit() || b"smhdy".contains(&byte))
}

/// What a row says. `namespace` is the one that the command names. Cells that
/// should be addresses and are not are added to `faults`.
pub fn facts_of(
    row: &Row<'_>,
    namespace: Option<&str>,
    faults: &mut Vec<String>,
) -> Vec<AddressFact> {
    let mut facts = Vec::new();
    match *row {
        Row::Pod { namespace: own, name, status, ip, node } => {
            // The address of a pod that has ended is given to another pod.
            if matches!(status, "Completed" | "Succeeded" | "Failed" | "Evicted") {
                return facts;
            }
            let pod = qualified(own.or(namespace), name);
            for address in addresses_of(ip, faults) {
                let reason = format!("IP of pod {pod}");
                facts.push(AddressFact {
                    pod: Some(pod.clone()),
                    node: Some(node.to_owned()).filter(|node| !is_blank(node)),
                    ..fact(address, Role::Pod, reason)
                });
            }
        }
        Row::Node { name, internal_ip, external_ip } => {
            let name = bare_name(name);
            for (cell, kind) in [(internal_ip, "InternalIP"), (external_ip, "ExternalIP")] {
                for address in addresses_of(cell, faults) {
                    let reason = format!("{kind} of node {name}");
                    facts.push(AddressFact {
                        node: Some(name.to_owned()),
                        ..fact(address, Role::Node, reason)
                    });
                }
            }
        }
        Row::Service { namespace: own, name, cluster_ip, external_ip } => {
            let service = qualified(own.or(namespace), name);
            for address in addresses_of(cluster_ip, faults) {
                facts.push(fact(address, Role::Service, format!("ClusterIP of service {service}")));
            }
            // A load balancer or ExternalName may be a host name: no address to know.
            let external = external_ip.split(',').filter(|cell| !is_host_name(cell));
            for address in external.flat_map(|cell| addresses_of(cell, faults)) {
                facts.push(fact(address, Role::Vip, format!("EXTERNAL-IP of service {service}")));
            }
        }
    }
    facts
}

fn fact(address: IpAddr, role: Role, reason: String) -> AddressFact {
    AddressFact { address, role, node: None, pod: None, source: FactSource::Kubernetes, reason }
}

/// The addresses of one cell. Without `-o wide` kubectl cuts long cells off
/// (`2001:db8:65::...`), which is a fault: half an address is none.
fn addresses_of(cell: &str, faults: &mut Vec<String>) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for word in cell.split(',').map(str::trim).filter(|word| !is_blank(word)) {
        match parse_address(word) {
            Ok(address) => addresses.push(address),
            Err(error) => faults.push(error.to_string()),
        }
    }
    addresses
}

/// `<none>`, `<pending>`, `None`: nothing is there.
fn is_blank(word: &str) -> bool {
    word.is_empty() || word.starts_with('<') || word == "None"
}

fn is_host_name(word: &str) -> bool {
    !word.contains(':')
        && !word.ends_with("...")
        && word.contains(|c: char| c.is_ascii_alphabetic())
}

/// `pod/NAME`, as kubectl prints several kinds at once, without its kind.
fn bare_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn qualified(namespace: Option<&str>, name: &str) -> String {
    let name = bare_name(name);
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}
