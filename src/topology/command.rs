//! What a command says beyond what it prints: the link, the namespace, and
//! whether it ran inside a pod.

use std::net::IpAddr;

use crate::model::topology::{AddressFact, FactSource, Role};

/// Whose addresses a command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A node, by the name at its prompt.
    Node(Option<String>),
    /// A pod, by `namespace/name`: `kubectl exec`, `nsenter -n`.
    Pod(Option<String>),
}

impl Host {
    /// The node's name.
    pub fn node(&self) -> Option<String> {
        match self {
            Self::Node(name) => name.clone(),
            Self::Pod(_) => None,
        }
    }

    /// A fact about an address of this host. Whatever its form, an address
    /// inside a pod is the pod's.
    pub fn fact(
        &self,
        address: IpAddr,
        role: Role,
        source: FactSource,
        reason: String,
    ) -> AddressFact {
        match self {
            Self::Node(node) => {
                AddressFact { address, role, node: node.clone(), pod: None, source, reason }
            }
            Self::Pod(pod) => AddressFact {
                address,
                role: Role::Pod,
                node: None,
                pod: pod.clone(),
                source,
                reason: format!("{reason}, inside the pod"),
            },
        }
    }
}

/// A command as typed, without its prompt; all hints are `None` where none is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub host: Host,
    /// The link that `ip addr show LINK` names.
    pub interface: Option<String>,
    /// The namespace that `kubectl -n NAMESPACE` names.
    pub namespace: Option<String>,
    /// Lines were left out: `| grep …`.
    pub filtered: bool,
    /// It lists names of hosts: `cat /etc/hosts`, `getent hosts`.
    pub lists_hosts: bool,
}

impl Command {
    /// Reads the hints of `command`, typed on `node`.
    pub fn of(command: &str, node: Option<&str>) -> Self {
        let mut stages = command.split('|');
        let first = stages.next().unwrap_or_default();
        let filtered = stages.any(is_filter);
        let words: Vec<&str> = first.split_whitespace().collect();
        let namespace = find_namespace(&words);
        let host = find_pod_host(&words, namespace.as_deref())
            .unwrap_or_else(|| Host::Node(node.map(ToOwned::to_owned)));
        // Of `ip addr show eth0; ip addr show eth1` no line says which it is from.
        let several = first.contains(';') || first.contains('&');
        let interface = if several { None } else { find_interface(&words) };
        let lists_hosts = words.windows(2).any(|pair| match pair {
            ["cat", path] => *path == "/etc/hosts",
            ["getent", database] => matches!(*database, "hosts" | "ahosts"),
            _ => false,
        });
        Self { host, interface, namespace, filtered, lists_hosts }
    }
}

/// The last part of a program's path.
fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_filter(stage: &str) -> bool {
    let name = program(stage.split_whitespace().next().unwrap_or_default());
    matches!(name, "grep" | "egrep" | "fgrep" | "rg" | "awk" | "sed" | "head" | "tail")
}

fn is_kubectl(word: &str) -> bool {
    matches!(program(word), "kubectl" | "k" | "oc" | "kubecolor")
}

fn find_namespace(words: &[&str]) -> Option<String> {
    let start = words.iter().position(|word| is_kubectl(word))?;
    let mut words = words.get(start + 1..)?.iter().take_while(|word| **word != "--");
    while let Some(word) = words.next() {
        let value = match *word {
            "-n" | "--namespace" => words.next().copied(),
            word => word
                .strip_prefix("--namespace=")
                .or_else(|| word.strip_prefix("-n").filter(|_| !word.starts_with("--"))),
        };
        if let Some(value) = value {
            return Some(value.trim_start_matches('=').to_owned()).filter(|name| !name.is_empty());
        }
    }
    None
}

/// The pod inside which the command ran, if it ran in one.
fn find_pod_host(words: &[&str], namespace: Option<&str>) -> Option<Host> {
    if let Some(start) = words.iter().position(|word| is_kubectl(word)) {
        let exec = start + words.get(start..)?.iter().position(|word| *word == "exec")?;
        let name = find_exec_target(words.get(exec + 1..)?);
        return Some(Host::Pod(name.map(|name| match namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        })));
    }
    let programs: Vec<&str> = words.iter().map(|word| program(word)).collect();
    let runs_in_container = programs
        .windows(2)
        .any(|pair| matches!(pair, ["docker" | "crictl" | "podman" | "nerdctl", "exec"]));
    let enters_network = programs.contains(&"nsenter")
        && words.iter().any(|word| word.starts_with("-n") || word.starts_with("--net"));
    // Container runtimes name a pod's network namespace `cni-UUID`.
    let names_network = words.iter().any(|word| word.starts_with("cni-"));
    (runs_in_container || enters_network || names_network).then_some(Host::Pod(None))
}

/// The pod of `kubectl exec [-it] [-c CONTAINER] POD -- …`. `deploy/NAME` names no pod.
fn find_exec_target<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut words = words.iter().take_while(|word| **word != "--");
    while let Some(word) = words.next() {
        match *word {
            "-n" | "--namespace" | "-c" | "--container" => {
                words.next();
            }
            word if word.starts_with('-') => {}
            word => {
                let name = word.strip_prefix("pod/").or_else(|| word.strip_prefix("po/"));
                return name.or(Some(word)).filter(|name| !name.contains('/'));
            }
        }
    }
    None
}

/// The link of `ip addr show [dev] LINK`. `ip` takes any unambiguous beginning
/// of its words: `ip a s eth0`.
fn find_interface(words: &[&str]) -> Option<String> {
    const FILTERS: [&str; 14] = [
        "up",
        "scope",
        "to",
        "label",
        "type",
        "vrf",
        "master",
        "group",
        "permanent",
        "dynamic",
        "secondary",
        "primary",
        "temporary",
        "deprecated",
    ];
    let ip = words.iter().position(|word| program(word) == "ip")?;
    let rest = words.get(ip + 1..)?;
    let object = rest.iter().position(|word| !word.starts_with('-'))?;
    let is_address = rest.get(object).is_some_and(|word| "address".starts_with(word));
    if !is_address {
        return None;
    }
    let link = rest.get(object + 1..)?.iter().find(|word| {
        !("show".starts_with(**word) || matches!(**word, "list" | "ls" | "lst" | "dev"))
    })?;
    let names_link = !link.starts_with('-') && !FILTERS.contains(link);
    names_link.then(|| (*link).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_and_the_namespace_are_read_from_the_command() {
        let cases = [
            ("ip addr show eth0", Some("eth0"), None),
            ("ip a s dev bond0", Some("bond0"), None),
            ("sudo /sbin/ip -6 addr show eth0 | grep inet", Some("eth0"), None),
            ("ip addr", None, None),
            ("ip a | grep inet", None, None),
            ("ip addr show up", None, None),
            ("ip addr show eth0; ip addr show eth1", None, None),
            ("ip route show dev eth0", None, None),
            ("kubectl get pod -n ss -owide|grep -n tftp", None, Some("ss")),
            ("kubectl --namespace=ss get pod", None, Some("ss")),
            ("kubectl get pod -nss", None, Some("ss")),
            ("kubectl get pod -A -owide|grep tftp", None, None),
            ("", None, None),
        ];
        for (command, interface, namespace) in cases {
            let actual = Command::of(command, Some("node3"));
            assert_eq!(actual.interface.as_deref(), interface, "{command}");
            assert_eq!(actual.namespace.as_deref(), namespace, "{command}");
            assert_eq!(actual.host, Host::Node(Some("node3".to_owned())), "{command}");
        }
    }

    #[test]
    fn a_command_run_inside_a_pod_prints_the_pods_addresses() {
        let cases = [
            ("kubectl -n ss exec -it tftp-0 -c main -- ip addr", Some("ss/tftp-0")),
            ("kubectl exec pod/tftp-0 -- ip addr", Some("tftp-0")),
            ("kubectl exec deploy/tftp -- ip addr", None),
            ("nsenter -t 4711 -n ip addr", None),
            ("crictl exec 3f2a ip addr", None),
            ("ip netns exec cni-0b6c ip addr", None),
        ];
        for (command, pod) in cases {
            let actual = Command::of(command, Some("node3")).host;
            assert_eq!(actual, Host::Pod(pod.map(ToOwned::to_owned)), "{command}");
        }
    }
}
