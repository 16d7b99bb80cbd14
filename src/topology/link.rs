//! What a link is for, by its name.

/// What a network link of a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A link to the outside, or one whose name says nothing.
    Ordinary,
    /// `lo` and dummies: they hold addresses that other links announce.
    Loopback,
    /// A bridge or tunnel of the cluster's own network.
    Overlay,
    /// Where kube-proxy (IPVS mode) and the local DNS cache bind service addresses.
    ServiceBinding,
    /// The link of a virtual router (RFC 9568): it holds what the routers share.
    VirtualRouter,
    /// The host's end of a pod's cable.
    PodCable,
}

impl LinkKind {
    /// The kind of the link called `name`.
    pub fn of(name: &str) -> Self {
        /// Docker, containerd's and kubenet's bridges, Flannel, Calico, Cilium,
        /// kube-router, Weave, OVN-Kubernetes, Antrea, Kube-OVN.
        const OVERLAYS: [&str; 18] = [
            "docker",
            "br-",
            "cni",
            "cbr",
            "flannel",
            "tunl",
            "vxlan.calico",
            "vxlan-v6.calico",
            "wireguard.cali",
            "wg-v6.cali",
            "cilium_",
            "lxc_health",
            "kube-bridge",
            "weave",
            "ovn-k8s-",
            "antrea-gw",
            "ovn0",
            "nerdctl",
        ];
        /// Prefix, then hexadecimal digits or a hash: Calico, plain veth pairs,
        /// Cilium, Kata, AWS, GKE, Azure.
        const CABLES: [&str; 7] = ["cali", "veth", "lxc", "tap", "eni", "gke", "azv"];
        if name == "lo" || name.starts_with("dummy") {
            Self::Loopback
        } else if is_virtual_router(name) {
            Self::VirtualRouter
        } else if matches!(name, "kube-ipvs0" | "nodelocaldns") {
            Self::ServiceBinding
        } else if OVERLAYS.iter().any(|prefix| name.starts_with(prefix)) {
            Self::Overlay
        } else if CABLES
            .iter()
            .any(|prefix| name.strip_prefix(prefix).is_some_and(|hash| !hash.is_empty()))
        {
            Self::PodCable
        } else {
            Self::Ordinary
        }
    }
}

/// `vrrp.51` of keepalived's `use_vmac`, `vrrp4-2-1` of FRR.
fn is_virtual_router(name: &str) -> bool {
    name.strip_prefix("vrrp").is_some_and(|rest| {
        let number = rest.strip_prefix('.').unwrap_or(rest);
        number.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Whether the name is one of an uplink: `eth0`, systemd's `ens3`, bonds,
/// bridges. Such a link may have a host route, to its gateway, yet leads to many.
pub fn is_uplink(name: &str) -> bool {
    const UPLINKS: [&str; 12] =
        ["eth", "eno", "ens", "enp", "enx", "bond", "team", "br", "wl", "ib", "vlan", "ww"];
    UPLINKS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_links_are_for() {
        let cases = [
            ("lo", LinkKind::Loopback),
            ("dummy0", LinkKind::Loopback),
            ("kube-ipvs0", LinkKind::ServiceBinding),
            ("vrrp.51", LinkKind::VirtualRouter),
            ("vrrp4-2-1", LinkKind::VirtualRouter),
            ("vrrpd", LinkKind::Ordinary),
            ("docker0", LinkKind::Overlay),
            ("flannel.1", LinkKind::Overlay),
            ("tunl0", LinkKind::Overlay),
            ("vxlan.calico", LinkKind::Overlay),
            ("cilium_host", LinkKind::Overlay),
            ("lxc_health", LinkKind::Overlay),
            ("cali928cc4cd898", LinkKind::PodCable),
            ("veth1a2b3c4d", LinkKind::PodCable),
            ("lxc0123456789ab", LinkKind::PodCable),
            ("eni8ea2c11fe35", LinkKind::PodCable),
            ("eth0", LinkKind::Ordinary),
            ("ens192", LinkKind::Ordinary),
            ("br0", LinkKind::Ordinary),
            ("", LinkKind::Ordinary),
        ];
        for (name, kind) in cases {
            assert_eq!(LinkKind::of(name), kind, "{name}");
        }
    }
}
