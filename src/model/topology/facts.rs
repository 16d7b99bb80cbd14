//! What inventories state, before it is weighed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;
use crate::model::cluster::{AddressPool, ServiceFact};
use crate::model::conntrack::TrackedEntry;

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

/// A host's name and one of its addresses: a line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFact {
    pub name: String,
    pub address: IpAddr,
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
    /// Those of which it is not known, although others are: parts of a kernel without
    /// modules leave no trace.
    pub unknown_modules: Vec<String>,
    /// `net.ipv4.conf.*.rp_filter` by interface; `all` is one.
    pub reverse_path_filters: BTreeMap<String, u8>,
    /// `net.ipv6.conf.*.use_tempaddr` by interface (RFC 8981).
    pub temporary_addresses: BTreeMap<String, i32>,
    /// `iptables`, `ipvs`, `nftables`, or who replaces it.
    pub kube_proxy_mode: Option<String>,
}

impl NodeSettings {
    /// Takes over what `later` says of the same node.
    pub fn extend(&mut self, later: Self) {
        self.assigns_helpers = later.assigns_helpers.or(self.assigns_helpers);
        if later.helper_modules.is_some() {
            self.helper_modules = later.helper_modules;
            self.unknown_modules = later.unknown_modules;
        }
        self.reverse_path_filters.extend(later.reverse_path_filters);
        self.temporary_addresses.extend(later.temporary_addresses);
        self.kube_proxy_mode = later.kube_proxy_mode.or(self.kube_proxy_mode.take());
    }

    /// One entry for each node, in order of appearance.
    pub(super) fn joined(all: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        let mut places: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for settings in all {
            let place = *places.entry(settings.node.clone()).or_insert(joined.len());
            if let Some(known) = joined.get_mut(place) {
                known.extend(settings);
            } else {
                joined.push(settings);
            }
        }
        joined
    }
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
    pub hosts: Vec<HostFact>,
    pub services: Vec<ServiceFact>,
    pub pools: Vec<AddressPool>,
    /// IPv6 addresses that a host makes for a while (RFC 8981).
    pub temporary: Vec<IpAddr>,
    /// Entries of a connection tracking table, in the order of the text.
    pub tracked: Vec<TrackedEntry>,
    /// Lines or entries that could not be used, and where.
    pub faults: Vec<crate::model::input::Fault>,
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
            && self.hosts.is_empty()
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
        self.hosts.extend(other.hosts);
        self.services.extend(other.services);
        self.pools.extend(other.pools);
        self.temporary.extend(other.temporary);
        self.tracked.extend(other.tracked);
        self.faults.extend(other.faults);
    }
}
