//! What is known about addresses, from whom, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cluster::{AddressPool, ServiceFact};
use super::conntrack::TrackedEntry;

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

    /// The role that an address has by its form alone: multicast (RFC 5771,
    /// RFC 4291 section 2.7) and the limited broadcast (RFC 919).
    #[must_use]
    pub fn of_form(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_multicast() {
            Some(Self::Multicast)
        } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            Some(Self::Broadcast)
        } else {
            None
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
    /// A node's agent: addresses and routes as the kernel has them.
    Agent,
    /// `ip addr`.
    IpAddr,
    /// `ip route`.
    IpRoute,
    /// Connection tracking: what its entries translate, and to what.
    Conntrack,
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

/// A node's interface by its kernel index, as `ip addr` numbers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceFact {
    pub node: Option<String>,
    pub index: u32,
    pub name: String,
}

/// How a node is set, as far as it decides which remedy fits. `None` is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeSettings {
    pub node: Option<String>,
    /// `net.netfilter.nf_conntrack_helper`: helpers are assigned by port, without a
    /// rule. Linux 6.0 removed it.
    pub assigns_helpers: Option<bool>,
    /// Loaded kernel modules of connection helpers: `nf_conntrack_tftp`, `nf_nat_tftp`.
    pub helper_modules: Option<Vec<String>>,
    /// `net.ipv4.conf.*.rp_filter` by interface; `all` is one.
    pub reverse_path_filters: BTreeMap<String, u8>,
    /// `net.ipv6.conf.*.use_tempaddr` by interface (RFC 8981).
    pub temporary_addresses: BTreeMap<String, i32>,
    /// `iptables`, `ipvs`, `nftables`, or who replaces it.
    pub kube_proxy_mode: Option<String>,
}

/// What one inventory text says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub addresses: Vec<AddressFact>,
    pub links: Vec<LinkFact>,
    pub networks: Vec<NetworkFact>,
    pub interfaces: Vec<InterfaceFact>,
    pub devices: Vec<DeviceEntry>,
    pub settings: Vec<NodeSettings>,
    pub services: Vec<ServiceFact>,
    pub pools: Vec<AddressPool>,
    /// IPv6 addresses that a host makes for a while (RFC 8981).
    pub temporary: Vec<IpAddr>,
    /// Entries of a connection tracking table, in the order of the text.
    pub tracked: Vec<TrackedEntry>,
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
            && self.interfaces.is_empty()
            && self.devices.is_empty()
            && self.settings.is_empty()
            && self.services.is_empty()
            && self.pools.is_empty()
            && self.tracked.is_empty()
    }

    /// Takes over what `other` says.
    pub fn extend(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        self.links.extend(other.links);
        self.networks.extend(other.networks);
        self.interfaces.extend(other.interfaces);
        self.devices.extend(other.devices);
        self.settings.extend(other.settings);
        self.services.extend(other.services);
        self.pools.extend(other.pools);
        self.temporary.extend(other.temporary);
        self.tracked.extend(other.tracked);
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

/// All that is known about addresses, links and devices, one belief per address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topology {
    roles: BTreeMap<IpAddr, AddressRole>,
    links: Vec<LinkFact>,
    interfaces: Vec<InterfaceFact>,
    networks: Vec<NetworkFact>,
    devices: Vec<DeviceEntry>,
    settings: Vec<NodeSettings>,
    services: Vec<ServiceFact>,
    pools: Vec<AddressPool>,
    temporary: BTreeSet<IpAddr>,
    /// Position in `devices` by address: lists are long, and every exchange asks.
    device_by_address: BTreeMap<IpAddr, usize>,
}

impl Topology {
    /// A topology of weighed beliefs; `facts` gives its links and devices.
    #[must_use]
    pub fn new(roles: BTreeMap<IpAddr, AddressRole>, facts: Facts) -> Self {
        let Facts { links, interfaces, networks, devices, settings, .. } = facts;
        let Facts { services, pools, temporary, .. } = facts;
        let device_by_address = devices
            .iter()
            .enumerate()
            .flat_map(|(position, device)| {
                device.addresses.iter().map(move |address| (*address, position))
            })
            // The first entry wins where two name one address.
            .rev()
            .collect();
        Self {
            roles,
            links,
            interfaces,
            networks,
            devices,
            settings,
            services,
            pools,
            temporary: temporary.into_iter().collect(),
            device_by_address,
        }
    }

    /// What is believed of `address`.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&AddressRole> {
        self.roles.get(&address)
    }

    /// The role of `address`: what is believed, else what its form says, else
    /// [`Role::Unknown`].
    #[must_use]
    pub fn role_of(&self, address: IpAddr) -> Role {
        self.find(address)
            .map(|belief| belief.role)
            .or_else(|| Role::of_form(address))
            .unwrap_or(Role::Unknown)
    }

    /// Adds a belief about an address of which nothing is known yet; what an
    /// inventory said stays.
    pub fn infer(&mut self, address: IpAddr, belief: AddressRole) {
        self.roles.entry(address).or_insert(belief);
    }

    /// All beliefs, by address.
    pub fn beliefs(&self) -> impl Iterator<Item = (IpAddr, &AddressRole)> {
        self.roles.iter().map(|(address, belief)| (*address, belief))
    }

    /// The listed device that owns `address`.
    #[must_use]
    pub fn device_of(&self, address: IpAddr) -> Option<&DeviceEntry> {
        self.device_by_address.get(&address).and_then(|position| self.devices.get(*position))
    }

    /// The address to which an interface leads: a pod's cable.
    #[must_use]
    pub fn link_behind(&self, node: Option<&str>, interface: &str) -> Option<&LinkFact> {
        self.links.iter().find(|link| {
            link.interface == interface
                && (node.is_none() || link.node.is_none() || link.node.as_deref() == node)
        })
    }

    /// The name of the interface with this kernel index.
    #[must_use]
    pub fn interface_name(&self, node: Option<&str>, index: u32) -> Option<&str> {
        self.interfaces
            .iter()
            .find(|fact| {
                fact.index == index
                    && (node.is_none() || fact.node.is_none() || fact.node.as_deref() == node)
            })
            .map(|fact| fact.name.as_str())
    }

    /// Whether `address` is a temporary one (RFC 8981).
    #[must_use]
    pub fn is_temporary(&self, address: IpAddr) -> bool {
        self.temporary.contains(&address)
    }

    /// What is known of how nodes are set.
    #[must_use]
    pub fn settings(&self) -> &[NodeSettings] {
        &self.settings
    }

    /// The service that has this address and UDP port. Services of several clusters
    /// that share it say nothing certain, so `None` then.
    #[must_use]
    pub fn service_of(&self, address: IpAddr, udp_port: u16) -> Option<&ServiceFact> {
        let mut serving = self.services.iter().filter(|one| one.serves_udp(address, udp_port));
        let first = serving.next()?;
        serving
            .all(|other| other.name == first.name && other.cluster == first.cluster)
            .then_some(first)
    }

    /// The pool that a pod's address is of: the narrowest.
    #[must_use]
    pub fn pool_of(&self, address: IpAddr) -> Option<&AddressPool> {
        let holding = self.pools.iter().filter(|pool| pool.network.contains(&address));
        holding.max_by_key(|pool| pool.network.prefix_len())
    }

    /// Whether `address` is the broadcast address of one of the nodes' networks.
    #[must_use]
    pub fn is_broadcast(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|fact| match (fact.network, address) {
            (IpNet::V4(network), IpAddr::V4(v4)) => {
                network.prefix_len() < 31 && network.broadcast() == v4
            }
            _ => false,
        })
    }
}
