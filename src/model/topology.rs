//! What is known about addresses, from whom, and why.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an address is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A managed network element outside the cluster.
    Device,
    /// A service address on a node: keepalived, kube-vip, MetalLB, external IP.
    Vip,
    /// A node's own address.
    Node,
    Pod,
    /// A ClusterIP.
    Service,
    Multicast,
    Broadcast,
    External,
    Unknown,
}

impl Role {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Vip => "vip",
            Self::Node => "node",
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::External => "external",
            Self::Unknown => "unknown",
        }
    }

    /// As a sentence says it, with its article: `the VIP`.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Device => "the device",
            Self::Vip => "the VIP",
            Self::Node => "the node",
            Self::Pod => "the pod",
            Self::Service => "the service",
            Self::Multicast => "a multicast group",
            Self::Broadcast => "a broadcast address",
            Self::External => "an outside host",
            Self::Unknown => "an address of unknown role",
        }
    }
}

/// Where a fact about an address comes from, most trusted first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    /// An uploaded list of devices or roles.
    DeviceList,
    /// The Kubernetes API, or what `kubectl` printed of it.
    Kubernetes,
    /// `ip addr`.
    IpAddr,
    /// `ip route`.
    IpRoute,
    /// The address itself: multicast, broadcast, loopback.
    Address,
    /// Inferred from the packets.
    Packets,
}

/// One statement about one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressFact {
    pub address: IpAddr,
    pub role: Role,
    pub node: Option<String>,
    /// `namespace/name`, or the name alone where no namespace was printed.
    pub pod: Option<String>,
    pub source: FactSource,
    /// Why, as a clause: `/128 and deprecated on eth0 beside 2000::65:13/64`.
    pub reason: String,
}

/// A node's interface that leads to one address: a pod's cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFact {
    pub node: Option<String>,
    pub interface: String,
    pub leads_to: IpAddr,
}

/// A network element with its name and all its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    pub name: String,
    pub addresses: Vec<IpAddr>,
}

/// A network that a node has on one of its own links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFact {
    pub node: Option<String>,
    pub interface: String,
    pub network: IpNet,
}

/// What one inventory text says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub addresses: Vec<AddressFact>,
    pub links: Vec<LinkFact>,
    pub networks: Vec<NetworkFact>,
    pub devices: Vec<DeviceEntry>,
    /// Lines or entries that could not be used, and where.
    pub faults: Vec<super::input::Fault>,
}

impl Facts {
    /// Whether the text said nothing that we can use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
            && self.links.is_empty()
            && self.networks.is_empty()
            && self.devices.is_empty()
    }

    /// Takes over what `other` says.
    pub fn extend(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        self.links.extend(other.links);
        self.networks.extend(other.networks);
        self.devices.extend(other.devices);
        self.faults.extend(other.faults);
    }
}

/// What is believed of one address after weighing all facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRole {
    pub role: Role,
    pub node: Option<String>,
    pub pod: Option<String>,
    pub source: FactSource,
    pub reason: String,
}
