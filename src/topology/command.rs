//! What a command says beyond what it prints: the link, the namespace, and
//! whether it ran inside a pod.

use std::net::IpAddr;

use crate::model::command_network::{CommandNetwork, find_namespace, program};
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
        let host = match CommandNetwork::of(&words) {
            CommandNetwork::Prompt => Host::Node(node.map(ToOwned::to_owned)),
            CommandNetwork::Node(name) => Host::Node(name),
            CommandNetwork::Pod(name) => Host::Pod(name),
            // Its links tell a node.
            CommandNetwork::Container => Host::Pod(None),
        };
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

impl Command {
    /// Whether what it prints of links is all that there are.
    pub const fn shows_all_links(&self) -> bool {
        !self.filtered && self.interface.is_none()
    }
}

fn is_filter(stage: &str) -> bool {
    let name = program(stage.split_whitespace().next().unwrap_or_default());
    matches!(name, "grep" | "egrep" | "fgrep" | "rg" | "awk" | "sed" | "head" | "tail")
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
            ("kubectl debug tftp-0 -it --image=netshoot -- ip addr", Some("tftp-0")),
        ];
        for (command, pod) in cases {
            let actual = Command::of(command, Some("node3")).host;
            assert_eq!(actual, Host::Pod(pod.map(ToOwned::to_owned)), "{command}");
        }
    }

    #[test]
    fn a_command_run_in_a_nodes_network_prints_the_nodes_addresses() {
        let cases = [
            ("nsenter -t 1 -m -u -n -i ip addr", Some("node3")),
            ("docker exec kind-worker ip addr", Some("kind-worker")),
            ("kubectl debug node/node7 -it --image=busybox -- ip addr", Some("node7")),
            ("kubectl -n kube-system exec calico-node-x7k2p -- ip addr", None),
            ("kubectl exec debugger -- nsenter --target 1 --net ip addr", None),
        ];
        for (command, node) in cases {
            let actual = Command::of(command, Some("node3")).host;
            assert_eq!(actual, Host::Node(node.map(ToOwned::to_owned)), "{command}");
        }
    }
}
