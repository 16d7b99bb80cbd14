//! Pods and containers that share their node's network, or are the node, by their names.
//!
//! A name proves little: `etcd-0` is the control plane's, or some application's; a worker
//! is a node of kind's, or a queue's.

use super::command_network::CommandNetwork;

/// How the pods are called that use their node's network: the agents of network
/// plugins, kube-proxy, the control plane's static pods, and those that
/// `kubectl debug node/NAME` makes.
const OWN_NAMES: [&str; 22] = [
    "antrea-agent-",
    "aws-node-",
    "calico-node-",
    "calico-typha-",
    "frr-k8s-",
    "kindnet-",
    "kube-apiserver-",
    "kube-controller-manager-",
    "kube-flannel-",
    "kube-multus-ds-",
    "kube-ovn-",
    "kube-proxy-",
    "kube-router-",
    "kube-scheduler-",
    "kube-vip-",
    "metallb-speaker-",
    "node-debugger-",
    "node-exporter-",
    "node-local-dns-",
    "ovnkube-",
    "prometheus-node-exporter-",
    "weave-net-",
];

/// Names of such pods that others have as well: they count in the namespaces of the system.
const SHARED_NAMES: [&str; 5] = ["canal-", "cilium-", "etcd-", "ovs-", "speaker-"];

/// Pods of the same projects that have a network of their own.
const BESIDE_THEM: [&str; 3] =
    ["frr-k8s-statuscleaner-", "frr-k8s-webhook-server-", "kube-vip-cloud-provider-"];

/// Options of `docker exec` and its like that take a value behind a space.
pub(super) const CONTAINER_OPTIONS: [&str; 11] = [
    "-e",
    "--env",
    "--env-file",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--detach-keys",
    "--namespace",
    "--exec-id",
    "--index",
];

/// Whether the pod uses its node's network.
pub(super) fn is_host_network_pod(namespace: Option<&str>, name: &str) -> bool {
    // A StatefulSet numbers its pods; static pods end with the name of their node, and those
    // of a DaemonSet with letters by chance.
    let is_ordinal = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let is_of = |leads: &[&str]| {
        leads.iter().any(|lead| name.strip_prefix(lead).is_some_and(|rest| !is_ordinal(rest)))
    };
    if BESIDE_THEM.iter().any(|lead| name.starts_with(lead)) {
        return false;
    }
    is_of(&OWN_NAMES) || (is_of(&SHARED_NAMES) && namespace.is_none_or(is_of_system))
}

/// Whether the pods of a DaemonSet do.
pub(super) fn is_host_network_set(namespace: Option<&str>, name: &str) -> bool {
    let has =
        |names: &[&str]| names.iter().any(|lead| name.starts_with(lead.trim_end_matches('-')));
    has(&OWN_NAMES) || (has(&SHARED_NAMES) && namespace.is_none_or(is_of_system))
}

/// Namespaces in which a cluster keeps its own parts.
fn is_of_system(namespace: &str) -> bool {
    namespace.starts_with("kube-")
        || namespace.starts_with("openshift-")
        || namespace.ends_with("-system")
        || matches!(namespace, "cilium" | "metallb" | "ovn-kubernetes")
}

/// Whose network the container `name` has. The servers and agents of k3d are nodes, those of
/// minikube, and of kind `NAME-control-plane`, or one of several. Its workers are called as
/// many a queue's are, but for those of its default cluster.
pub(super) fn of_container(name: &str) -> CommandNetwork {
    let is_numbered = |lead: &str| {
        name.rsplit_once(lead)
            .is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_k3d = || is_numbered("-server-") || is_numbered("-agent-");
    let is_node = is_numbered("-control-plane")
        || (name.starts_with("kind-") && is_numbered("-worker"))
        || (name.starts_with("k3d-") && is_k3d())
        || name == "minikube"
        || (name.starts_with("minikube-") && is_numbered("-m"));
    if is_node {
        CommandNetwork::Node(Some(name.to_owned()))
    } else if is_numbered("-worker") {
        CommandNetwork::Container
    } else {
        CommandNetwork::Pod(None)
    }
}
