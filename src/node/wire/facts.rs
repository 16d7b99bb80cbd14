//! What a node knows about itself: links, addresses, routes, neighbours, and
//! how it is set.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::time::Timestamp;
use crate::model::topology::{
    AddressFact, FactSource, Facts, InterfaceFact, LinkFact, NetworkFact, NodeSettings, Role,
};

/// All that a node's agent reads from its kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeFacts {
    /// The version of this API.
    #[schema(example = 1)]
    pub version: u32,
    #[schema(example = "node3")]
    pub node: String,
    /// When it was read, by the node's clock.
    pub at: Timestamp,
    /// Links with their addresses, as `ip -d -j addr` names them.
    pub links: Vec<Link>,
    /// Routes of the main table, as `ip -j route` names them; one entry for each next hop.
    pub routes: Vec<Route>,
    /// Neighbours, as `ip -j neigh` names them; of the device alone where one was asked for.
    pub neighbours: Vec<Neighbour>,
    /// The way to the device that was asked for, policy routing included.
    pub device_route: Option<Route>,
    /// What each of the node's addresses is for, and why: one entry for each statement
    /// of the tables, so an address can be there twice.
    pub roles: Vec<AddressRole>,
    /// Which interface leads to which single address: a pod's cable.
    pub cables: Vec<Cable>,
    /// The networks on the node's own links.
    pub networks: Vec<InterfaceNetwork>,
    /// What decides which remedy fits.
    pub settings: Settings,
    /// The kernel's counters for IP, UDP and ICMP of both families, as `nstat` names them.
    pub counters: BTreeMap<String, u64>,
    /// What could not be read or was left out, and why.
    pub faults: Vec<String>,
}

/// A network link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    #[serde(rename = "ifindex")]
    pub index: u32,
    #[serde(rename = "ifname")]
    #[schema(example = "eth0")]
    pub name: String,
    /// `ether`, `loopback`, `none`, or the number of another link layer (`ARPHRD_…`).
    pub link_type: String,
    /// `UP`, `DOWN`, `UNKNOWN` …, as the driver says.
    #[serde(rename = "operstate")]
    pub state: String,
    /// Bytes of the largest packet.
    #[serde(rename = "mtu")]
    pub mtu_bytes: Option<u32>,
    /// `veth`, `bridge`, `vlan`, `vxlan` …; nothing for hardware.
    #[serde(rename = "info_kind", skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<String>,
    /// The index of the link at the other end of a veth pair, or below a VLAN.
    #[serde(rename = "link_index", skip_serializing_if = "Option::is_none", default)]
    pub peer_index: Option<u32>,
    /// The kernel's number for the namespace that the other end is in: a pod's.
    #[serde(rename = "link_netnsid", skip_serializing_if = "Option::is_none", default)]
    pub peer_namespace: Option<i32>,
    /// The bridge or bond that this link belongs to.
    #[serde(rename = "master", skip_serializing_if = "Option::is_none", default)]
    pub controller: Option<String>,
    #[serde(rename = "addr_info")]
    pub addresses: Vec<InterfaceAddress>,
}

/// An address on a link, with flags and lifetimes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InterfaceAddress {
    /// `inet` or `inet6`.
    pub family: String,
    #[serde(rename = "local")]
    #[schema(value_type = String, example = "192.0.2.13")]
    pub address: IpAddr,
    /// The other end of a point-to-point link.
    #[serde(rename = "address", skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub peer: Option<IpAddr>,
    #[serde(rename = "prefixlen")]
    pub prefix_length: u8,
    /// `global`, `link` or `host`.
    pub scope: String,
    /// Not to be used as the source of new flows (RFC 4862, section 5.5.4).
    pub deprecated: bool,
    /// A privacy address (RFC 8981).
    pub temporary: bool,
    /// Not the first of its network (IPv4).
    pub secondary: bool,
    /// Duplicate address detection still runs (RFC 4862, section 5.4).
    pub tentative: bool,
    /// Another host has this address.
    pub dadfailed: bool,
    /// It has a lifetime: by DHCP or router advertisement.
    pub dynamic: bool,
    pub noprefixroute: bool,
    /// Seconds; 4294967295 is for ever.
    #[serde(rename = "valid_life_time")]
    pub valid_lifetime_seconds: u32,
    /// Seconds; 4294967295 is for ever.
    #[serde(rename = "preferred_life_time")]
    pub preferred_lifetime_seconds: u32,
}

/// A route, or one next hop of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Route {
    /// `unicast`, `local`, `broadcast`, `blackhole` …
    #[serde(rename = "type")]
    pub kind: String,
    /// A network, an address, or `default`.
    #[serde(rename = "dst")]
    #[schema(example = "198.51.100.0/24")]
    pub destination: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub gateway: Option<IpAddr>,
    #[serde(rename = "dev", skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// `kernel`, `static`, `dhcp`, `bird` …
    pub protocol: String,
    /// `global`, `link` or `host`.
    pub scope: String,
    /// The address that the node uses towards the destination.
    #[serde(rename = "prefsrc", skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metric: Option<u32>,
}

/// A neighbour, and whether it answers (ARP, RFC 826; NDP, RFC 4861).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Neighbour {
    #[serde(rename = "dst")]
    #[schema(value_type = String)]
    pub address: IpAddr,
    #[serde(rename = "dev")]
    pub interface: String,
    /// Its link-layer address, where one is known.
    #[serde(rename = "lladdr", skip_serializing_if = "Option::is_none", default)]
    pub link_address: Option<String>,
    /// `REACHABLE`, `STALE`, `FAILED`, `INCOMPLETE` …
    #[schema(example = "REACHABLE")]
    pub state: String,
}

/// What one address is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddressRole {
    #[schema(value_type = String)]
    pub address: IpAddr,
    pub role: Role,
    /// Why, as a clause.
    #[schema(example = "/32 on eth0 beside 192.0.2.13/24")]
    pub reason: String,
}

/// An interface that leads to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cable {
    pub interface: String,
    #[schema(value_type = String)]
    pub leads_to: IpAddr,
}

/// A network on one of the node's links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InterfaceNetwork {
    pub interface: String,
    #[schema(value_type = String, example = "192.0.2.0/24")]
    pub network: IpNet,
}

/// How the node is set. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// `net.netfilter.nf_conntrack_helper`: helpers are assigned by port, without a rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nf_conntrack_helper: Option<bool>,
    /// Kernel modules of connection helpers for TFTP, SIP and SNMP that are there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub helper_modules: Option<Vec<String>>,
    /// NAT parts of helpers that are built into the kernel: the kernel does not tell
    /// whether they are, too.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub helper_modules_unknown: Vec<String>,
    /// `net.ipv4.conf.*.rp_filter` by interface; `all` is one.
    pub rp_filter: BTreeMap<String, u8>,
    /// `net.ipv6.conf.*.use_tempaddr` by interface (RFC 8981).
    pub use_tempaddr: BTreeMap<String, i32>,
    /// `iptables`, `ipvs` or `nftables`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kube_proxy_mode: Option<String>,
}

impl NodeFacts {
    /// The same in the words of the model. Faults stay here: they concern the
    /// agent, not an input's line.
    #[must_use]
    pub fn to_facts(&self) -> Facts {
        let node = Some(self.node.clone());
        Facts {
            addresses: self
                .roles
                .iter()
                .map(|one| AddressFact {
                    address: one.address,
                    role: one.role,
                    // A pod's address is on this node, too: its cable is.
                    node: node.clone(),
                    pod: None,
                    source: FactSource::Agent,
                    reason: one.reason.clone(),
                })
                .collect(),
            links: self
                .cables
                .iter()
                .map(|cable| LinkFact {
                    node: node.clone(),
                    interface: cable.interface.clone(),
                    leads_to: cable.leads_to,
                })
                .collect(),
            networks: self
                .networks
                .iter()
                .map(|one| NetworkFact {
                    node: node.clone(),
                    interface: one.interface.clone(),
                    network: one.network,
                })
                .collect(),
            interfaces: self
                .links
                .iter()
                .map(|link| InterfaceFact {
                    node: node.clone(),
                    index: link.index,
                    name: link.name.clone(),
                })
                .collect(),
            temporary: self
                .links
                .iter()
                .flat_map(|link| &link.addresses)
                .filter(|address| address.temporary)
                .map(|address| address.address)
                .collect(),
            settings: vec![self.settings.to_model(&self.node)],
            ..Facts::default()
        }
    }

    /// Takes over roles, cables and networks from `facts`, which were derived
    /// from the links and routes.
    pub fn set_derived(&mut self, facts: Facts) {
        self.roles = facts
            .addresses
            .into_iter()
            .map(|fact| AddressRole { address: fact.address, role: fact.role, reason: fact.reason })
            .collect();
        self.cables = facts
            .links
            .into_iter()
            .map(|fact| Cable { interface: fact.interface, leads_to: fact.leads_to })
            .collect();
        self.networks.clear();
        for fact in facts.networks {
            // An address and its route say the same.
            let network = InterfaceNetwork { interface: fact.interface, network: fact.network };
            if !self.networks.contains(&network) {
                self.networks.push(network);
            }
        }
    }
}

impl Settings {
    /// The same in the words of the model, of the node called `node`.
    #[must_use]
    pub fn to_model(&self, node: &str) -> NodeSettings {
        NodeSettings {
            node: Some(node.to_owned()),
            assigns_helpers: self.nf_conntrack_helper,
            helper_modules: self.helper_modules.clone(),
            unknown_modules: self.helper_modules_unknown.clone(),
            reverse_path_filters: self.rp_filter.clone(),
            temporary_addresses: self.use_tempaddr.clone(),
            kube_proxy_mode: self.kube_proxy_mode.clone(),
        }
    }
}
