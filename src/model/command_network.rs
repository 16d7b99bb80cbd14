//! Whose network a typed command sees.
//!
//! A command that runs in a container's network prints and captures what is the pod's.
//! A container may share its node's network, though, or be the node.

use super::host_network::{
    CONTAINER_OPTIONS, is_host_network_pod, is_host_network_set, of_container,
};

/// Whose links, addresses and packets a command shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandNetwork {
    /// That of the host at whose prompt it was typed.
    Prompt,
    /// A node's, by name where the command tells.
    Node(Option<String>),
    /// A pod's, by `namespace/name` or name where the command tells.
    Pod(Option<String>),
    /// A container's that is called as a node of kind's may be, or anything else.
    Container,
}

impl CommandNetwork {
    /// Reads a command by its words. `kubectl exec`, `docker exec`, `nsenter` and
    /// `ip netns exec cni-…` enter a container's network.
    #[must_use]
    pub fn of(words: &[&str]) -> Self {
        let words: Vec<&str> = words.iter().map(|word| word.trim_matches(['\'', '"'])).collect();
        if let Some(at) = words.iter().position(|word| is_kubectl(word)) {
            return of_kubectl(words.get(at + 1..).unwrap_or_default());
        }
        if let Some(rest) = find_container_exec(&words) {
            return if enters(rest) == Some(Entered::Init) {
                Self::Node(None)
            } else {
                of_container(find_name(rest, &CONTAINER_OPTIONS).unwrap_or_default())
            };
        }
        // Container runtimes name a pod's network namespace `cni-UUID`.
        let names_network = words.iter().any(|word| word.starts_with("cni-"));
        match enters(&words) {
            Some(Entered::Process) => Self::Pod(None),
            None if names_network => Self::Pod(None),
            Some(Entered::Init) | None => Self::Prompt,
        }
    }
}

/// Whether a word is Kubernetes' command line.
#[must_use]
pub fn is_kubectl(word: &str) -> bool {
    matches!(program(word), "kubectl" | "k" | "oc" | "kubecolor")
}

/// The namespace that `kubectl -n NAMESPACE` names.
#[must_use]
pub fn find_namespace(words: &[&str]) -> Option<String> {
    let start = words.iter().position(|word| is_kubectl(word))?;
    find_namespace_option(words.get(start + 1..)?)
}

/// The same of what follows `kubectl`.
fn find_namespace_option(words: &[&str]) -> Option<String> {
    let mut words = words.iter().take_while(|word| **word != "--");
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

/// The last part of a program's path.
#[must_use]
pub fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// What follows `exec` of a container runtime's command line. A host and a user may have a
/// runtime's name as well: `ssh docker docker exec`.
fn find_container_exec<'a, 'w>(words: &'a [&'w str]) -> Option<&'a [&'w str]> {
    (0..words.len()).find_map(|at| {
        let (word, rest) = words.get(at..)?.split_first()?;
        let is_runtime =
            matches!(program(word), "docker" | "crictl" | "podman" | "nerdctl" | "ctr");
        find_exec(rest).filter(|_| is_runtime)
    })
}

/// The same of what follows the runtime's name. Before `exec` stand options, with their
/// values, and the kind of what is meant: `docker compose -p lab exec`,
/// `ctr -n k8s.io tasks exec`.
fn find_exec<'a, 'w>(mut rest: &'a [&'w str]) -> Option<&'a [&'w str]> {
    loop {
        rest = match rest {
            ["exec", behind @ ..] => return Some(behind),
            ["compose" | "container" | "task" | "tasks" | "t", behind @ ..] => behind,
            [option, behind @ ..] if option.starts_with('-') => match behind {
                ["exec", ..] => behind,
                [value, further @ ..] if !option.contains('=') && !value.starts_with('-') => {
                    further
                }
                _ => behind,
            },
            _ => return None,
        }
    }
}

/// What follows `kubectl`.
fn of_kubectl(words: &[&str]) -> CommandNetwork {
    let before_command = || words.iter().take_while(|word| **word != "--");
    let find_verb = |verb| before_command().position(|word| *word == verb);
    if let Some(debug) = find_verb("debug") {
        let node = words.get(debug + 1..).and_then(|rest| {
            rest.iter().find_map(|word| word.strip_prefix("node/").or(word.strip_prefix("no/")))
        });
        // A container added to a pod shares the pod's network.
        return node.map_or_else(
            || CommandNetwork::Pod(find_pod(words, debug)),
            |node| CommandNetwork::Node(Some(node.to_owned())),
        );
    }
    let Some(exec) = find_verb("exec") else { return CommandNetwork::Prompt };
    if enters(words) == Some(Entered::Init) {
        return CommandNetwork::Node(None);
    }
    let namespace = find_namespace_option(words);
    let target = find_target(words, exec).unwrap_or_default();
    let of_set = target.strip_prefix("ds/").or_else(|| target.strip_prefix("daemonset/"));
    let is_on_host = match of_set {
        Some(set) => is_host_network_set(namespace.as_deref(), set),
        None => is_host_network_pod(namespace.as_deref(), bare_name(target)),
    };
    if is_on_host { CommandNetwork::Node(None) } else { CommandNetwork::Pod(find_pod(words, exec)) }
}

/// The pod of `exec [-it] [-c CONTAINER] POD -- …`, whose verb is the word at `verb`.
/// `deploy/NAME` names no pod.
fn find_pod(words: &[&str], verb: usize) -> Option<String> {
    let name = Some(bare_name(find_target(words, verb)?)).filter(|name| !name.contains('/'))?;
    Some(match find_namespace_option(words) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    })
}

/// What the verb at `verb` is about: `POD`, `pod/POD`, `ds/NAME`.
fn find_target<'w>(words: &[&'w str], verb: usize) -> Option<&'w str> {
    const OPTIONS: [&str; 6] = ["-n", "--namespace", "-c", "--container", "--image", "--target"];
    find_name(words.get(verb + 1..)?, &OPTIONS)
}

fn bare_name(target: &str) -> &str {
    target.strip_prefix("pod/").or_else(|| target.strip_prefix("po/")).unwrap_or(target)
}

/// The first word that is no option, nor the value of one of `with_value`.
fn find_name<'w>(words: &[&'w str], with_value: &[&str]) -> Option<&'w str> {
    let mut rest = words.iter().take_while(|word| **word != "--");
    while let Some(word) = rest.next() {
        if with_value.contains(word) {
            rest.next();
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

/// Whose network `nsenter` enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entered {
    /// That of process 1: the node's.
    Init,
    Process,
}

fn enters(words: &[&str]) -> Option<Entered> {
    let at = words.iter().position(|word| program(word) == "nsenter")?;
    let (mut is_init, mut enters) = (false, false);
    let mut rest = words.get(at + 1..)?.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-t" | "--target" => is_init = rest.next() == Some(&"1"),
            "-t1" | "--target=1" => is_init = true,
            "-a" | "--all" => enters = true,
            // Options that take a value behind a space.
            "-S" | "-G" | "--setuid" | "--setgid" | "-N" | "--net-socket" => {
                rest.next();
            }
            word if word.starts_with("-n") || word.starts_with("--net") => {
                enters = true;
                is_init |= word.ends_with("/proc/1/ns/net");
            }
            word if word.starts_with('-') => {}
            // The program that runs there.
            _ => break,
        }
    }
    enters.then_some(if is_init { Entered::Init } else { Entered::Process })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_see_the_network_that_they_enter() {
        let pod = |name: &str| CommandNetwork::Pod(Some(name.to_owned()));
        let node = |name: &str| CommandNetwork::Node(Some(name.to_owned()));
        let cases = [
            ("ip addr", CommandNetwork::Prompt),
            ("sudo tcpdump -ni eth0", CommandNetwork::Prompt),
            ("kubectl get pod -A -owide", CommandNetwork::Prompt),
            ("kubectl -n ss exec -it tftp-0 -c main -- ip addr", pod("ss/tftp-0")),
            ("kubectl exec pod/tftp-0 -- ip addr", pod("tftp-0")),
            ("kubectl exec tftp-0 -n ss -- ip addr", pod("ss/tftp-0")),
            ("kubectl exec deploy/tftp -- ip addr", CommandNetwork::Pod(None)),
            ("kubectl debug tftp-0 -it --image=netshoot -- tcpdump", pod("tftp-0")),
            ("kubectl debug node/node3 -it --image=busybox -- ip addr", node("node3")),
            (
                "kubectl -n kube-system exec calico-node-x7k2p -- ip addr",
                CommandNetwork::Node(None),
            ),
            ("kubectl -n kube-system exec kube-proxy-4x -- ip addr", CommandNetwork::Node(None)),
            ("kubectl -n kube-system exec ds/cilium -- ip addr", CommandNetwork::Node(None)),
            (
                "kubectl exec debugger -- nsenter --target 1 --net ip addr",
                CommandNetwork::Node(None),
            ),
            ("nsenter -t 4711 -n ip addr", CommandNetwork::Pod(None)),
            ("sudo nsenter --net=/var/run/netns/cni-0b6c ip addr", CommandNetwork::Pod(None)),
            ("nsenter -t 1 -m -u -n -i ip addr", CommandNetwork::Prompt),
            ("nsenter --net=/proc/1/ns/net ip addr", CommandNetwork::Prompt),
            ("nsenter -t 4711 -m ls", CommandNetwork::Prompt),
            ("crictl exec 3f2a ip addr", CommandNetwork::Pod(None)),
            ("docker exec -it kind-worker ip addr", node("kind-worker")),
            ("docker exec demo-control-plane ip addr", node("demo-control-plane")),
            ("docker exec k3d-demo-agent-0 ip addr", node("k3d-demo-agent-0")),
            ("docker exec -it celery-worker ip addr", CommandNetwork::Container),
            ("docker exec demo-worker2 ip addr", CommandNetwork::Container),
            ("docker exec kind-registry ip addr", CommandNetwork::Pod(None)),
            ("docker exec k3d-demo-serverlb ip addr", CommandNetwork::Pod(None)),
            ("docker exec minikube-m02 ip addr", node("minikube-m02")),
            ("docker compose exec tftp ip addr", CommandNetwork::Pod(None)),
            ("docker compose -p lab exec -T --index 2 tftp ip addr", CommandNetwork::Pod(None)),
            ("docker container exec tftp ip addr", CommandNetwork::Pod(None)),
            ("docker --context prod exec tftp ip addr", CommandNetwork::Pod(None)),
            ("docker --debug exec kind-worker ip addr", node("kind-worker")),
            ("ctr -n k8s.io tasks exec --exec-id 7 3f2a ip addr", CommandNetwork::Pod(None)),
            ("sudo podman --url=unix:/run/podman.sock exec 3f2a ip a", CommandNetwork::Pod(None)),
            ("docker ps", CommandNetwork::Prompt),
            ("docker network ls; tcpdump -ni eth0", CommandNetwork::Prompt),
            ("ssh docker docker exec tftp tcpdump -ni eth0", CommandNetwork::Pod(None)),
            ("sudo -u docker docker exec tftp tcpdump", CommandNetwork::Pod(None)),
            ("ssh docker tcpdump -ni eth0", CommandNetwork::Prompt),
            ("docker exec coworker ip addr", CommandNetwork::Pod(None)),
            ("docker exec ab12 ping demo-control-plane", CommandNetwork::Pod(None)),
            ("docker exec -u root demo-control-plane ip addr", node("demo-control-plane")),
            ("kubectl -n app exec etcd-0 -- ip addr", pod("app/etcd-0")),
            ("kubectl -n app exec kindnet-0 -- ip addr", pod("app/kindnet-0")),
            (
                "kubectl -n kube-system exec kube-vip-cloud-provider-0 -- ip addr",
                pod("kube-system/kube-vip-cloud-provider-0"),
            ),
            ("kubectl -n metallb-system exec frr-k8s-x7k2p -- ip addr", CommandNetwork::Node(None)),
            (
                "kubectl -n frr-k8s-system exec frr-k8s-webhook-server-7d-x7k2p -- ip addr",
                pod("frr-k8s-system/frr-k8s-webhook-server-7d-x7k2p"),
            ),
            (
                "kubectl -n kube-system exec kube-multus-ds-x7k2p -- ip a",
                CommandNetwork::Node(None),
            ),
            (
                "kubectl -n calico-system exec calico-typha-5b6f-x7k2p -- ip a",
                CommandNetwork::Node(None),
            ),
            ("kubectl -n app exec speaker-7 -- ip addr", pod("app/speaker-7")),
            ("kubectl -n app exec ds/cilium-demo -- ip addr", CommandNetwork::Pod(None)),
            ("kubectl -n kube-system exec etcd-node3 -- ip addr", CommandNetwork::Node(None)),
            ("kubectl -n metallb-system exec speaker-x7k2p -- ip addr", CommandNetwork::Node(None)),
            ("ip netns exec cni-0b6c ip addr", CommandNetwork::Pod(None)),
            ("", CommandNetwork::Prompt),
        ];
        for (command, expected) in cases {
            let words: Vec<&str> = command.split_whitespace().collect();
            assert_eq!(CommandNetwork::of(&words), expected, "{command}");
        }
    }
}
