//! What a Kubernetes cluster says beside addresses: its services, and how its
//! pods' addresses are translated.

use std::net::IpAddr;

use ipnet::IpNet;

use super::time::Timestamp;
use super::topology::Facts;

/// Where a service sends what reaches it: `externalTrafficPolicy` and
/// `internalTrafficPolicy` of its specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficPolicy {
    /// To any endpoint. What comes from outside gets the address of the node that
    /// passes it on: the pod does not see who sent it.
    Cluster,
    /// To endpoints on the same node only. The pod sees who sent it.
    Local,
}

impl TrafficPolicy {
    /// As the specification writes it.
    #[must_use]
    pub fn find_token(token: &str) -> Option<Self> {
        match token {
            "Cluster" => Some(Self::Cluster),
            "Local" => Some(Self::Local),
            _ => None,
        }
    }

    /// The value in the specification.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Local => "Local",
        }
    }
}

/// Who makes a service's address reachable from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcer {
    KubeVip,
    MetalLb,
    Cilium,
}

impl Announcer {
    /// Its name.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::KubeVip => "kube-vip",
            Self::MetalLb => "MetalLB",
            Self::Cilium => "Cilium",
        }
    }
}

/// What a service's port carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Sctp,
}

/// One port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePort {
    pub transport: Transport,
    pub number: u16,
}

/// A service of a cluster. `None` is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFact {
    /// `namespace/name`, or the name alone where no namespace was printed.
    pub name: String,
    /// The cluster's name where it was asked itself; pasted output has none.
    pub cluster: Option<String>,
    /// Addresses of load balancers and external addresses.
    pub vips: Vec<IpAddr>,
    pub cluster_ips: Vec<IpAddr>,
    pub ports: Vec<ServicePort>,
    pub external_traffic_policy: Option<TrafficPolicy>,
    pub internal_traffic_policy: Option<TrafficPolicy>,
    pub announcer: Option<Announcer>,
    /// The node that answers for the addresses, where the announcer notes it.
    pub vip_node: Option<String>,
    /// `kube-vip.io/egress`: what the pods begin themselves leaves with the VIP.
    pub has_egress: bool,
}

impl ServiceFact {
    /// Whether `address` is one of its addresses and it has the UDP port.
    #[must_use]
    pub fn serves_udp(&self, address: IpAddr, port: u16) -> bool {
        let port = ServicePort { transport: Transport::Udp, number: port };
        (self.vips.contains(&address) || self.cluster_ips.contains(&address))
            && self.ports.contains(&port)
    }

    /// Its namespace and its name; the namespace is `None` where it is not known.
    #[must_use]
    pub fn name_parts(&self) -> (Option<&str>, &str) {
        match self.name.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, &self.name),
        }
    }
}

/// A pool of which pods get their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPool {
    pub name: String,
    pub cluster: Option<String>,
    pub network: IpNet,
    /// Whether what pods send to addresses outside all pools gets the node's address:
    /// Calico's `natOutgoing`.
    pub nat_outgoing: bool,
}

/// What one cluster says of itself at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFacts {
    /// The name under which it is configured.
    pub cluster: String,
    /// When it said so.
    pub at: Timestamp,
    pub facts: Facts,
}
