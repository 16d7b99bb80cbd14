//! What is known about addresses, from whom, and why.

mod facts;
mod role;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hashbrown::HashMap;
use ipnet::IpNet;

use super::cluster::{AddressPool, ServiceFact};
use super::stand_in::StandIns;

pub use facts::{
    AddressFact, DeviceEntry, FactSource, Facts, HostFact, InterfaceFact, LinkFact, NetworkFact,
    NodeSettings,
};
pub use role::Role;

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
    /// The roles alone: every exchange asks for several.
    role_by_address: HashMap<IpAddr, Role>,
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
    stand_ins: StandIns,
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
        let settings = NodeSettings::joined(settings);
        let role_by_address =
            roles.iter().map(|(address, belief)| (*address, belief.role)).collect();
        Self {
            roles,
            role_by_address,
            links,
            interfaces,
            networks,
            devices,
            settings,
            services,
            pools,
            temporary: temporary.into_iter().collect(),
            device_by_address,
            stand_ins: StandIns::default(),
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
        self.role_by_address
            .get(&address)
            .copied()
            .or_else(|| Role::of_form(address))
            .unwrap_or(Role::Unknown)
    }

    /// Adds a belief about an address of which nothing is known yet; what an
    /// inventory said stays.
    pub fn infer(&mut self, address: IpAddr, belief: AddressRole) {
        let belief = self.roles.entry(address).or_insert(belief);
        self.role_by_address.insert(address, belief.role);
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

    /// States which addresses stand for names that nothing resolves.
    pub fn set_stand_ins(&mut self, stand_ins: StandIns) {
        self.stand_ins = stand_ins;
    }

    /// The addresses that stand for names.
    #[must_use]
    pub const fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    /// What is known of how nodes are set.
    #[must_use]
    pub fn settings(&self) -> &[NodeSettings] {
        &self.settings
    }

    /// How the node that holds `address` is set; where one node alone is known,
    /// without a name, it is that.
    #[must_use]
    pub fn settings_at(&self, address: IpAddr) -> Option<&NodeSettings> {
        let node = self.find(address).and_then(|belief| belief.node.as_deref());
        let named = self
            .settings
            .iter()
            .find(|settings| node.is_some() && settings.node.as_deref() == node);
        match (named, self.settings.as_slice()) {
            (Some(named), _) => Some(named),
            (None, [only]) if node.is_none() || only.node.is_none() => Some(only),
            _ => None,
        }
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
