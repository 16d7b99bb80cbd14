//! A node's routes, and what they say about addresses.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use super::address::has_role;
use super::command::Host;
use super::link::{LinkKind, is_uplink};
use crate::model::topology::{FactSource, Facts, LinkFact, NetworkFact, Role};

/// One route that names a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub kind: RouteKind,
    /// `None` for the default route.
    pub destination: Option<IpNet>,
    pub via_gateway: bool,
    pub interface: String,
    /// The address that the node uses towards the destination.
    pub source: Option<IpAddr>,
    /// `kernel`, `dhcp`, `bird` …; `None` for routes added by hand or by Calico's Felix.
    pub protocol: Option<String>,
    pub link_scope: bool,
}

/// The types of routes that say something about addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    Unicast,
    Local,
    Broadcast,
}

impl Route {
    /// The address of a host route: no prefix, /32 or /128.
    fn host(&self) -> Option<IpAddr> {
        self.destination
            .filter(|network| network.prefix_len() == network.max_prefix_len())
            .map(|network| network.addr())
            .filter(|address| has_role(*address))
    }

    fn is_kernels(&self) -> bool {
        self.protocol.as_deref() == Some("kernel")
    }

    /// A host route that leads to one neighbour behind the link.
    ///
    /// `proto kernel` is the node's own address. IPv6 routes print no scope.
    fn neighbour(&self) -> Option<IpAddr> {
        let leads = self.kind == RouteKind::Unicast && !self.via_gateway && !self.is_kernels();
        let address = self.host().filter(|_| leads)?;
        let on_link = self.link_scope
            || address.is_ipv6()
            || LinkKind::of(&self.interface) == LinkKind::PodCable;
        on_link.then_some(address)
    }
}

/// What all routes of one link say together.
#[derive(Debug, Default)]
struct LinkRoutes {
    /// A network or a gateway is behind the link.
    leads_to_many: bool,
    /// The single addresses behind the link.
    hosts: Addresses,
    /// The node's own addresses that have a host route of the kernel's.
    own_hosts: BTreeSet<IpAddr>,
    /// The sources of the kernel's routes, which came with the link's addresses.
    sources: Addresses,
}

/// Addresses, and how many there are of each family: a node may have thousands of both.
#[derive(Debug, Default)]
struct Addresses {
    known: BTreeSet<IpAddr>,
    v4: usize,
    v6: usize,
}

impl Addresses {
    fn add(&mut self, address: Option<IpAddr>) {
        let Some(address) = address.filter(|address| self.known.insert(*address)) else { return };
        if address.is_ipv4() {
            self.v4 += 1;
        } else {
            self.v6 += 1;
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.known.contains(&address)
    }

    /// How many there are of the family of `address`.
    const fn count_like(&self, address: IpAddr) -> usize {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }
}

impl LinkRoutes {
    fn add(&mut self, route: &Route) {
        if route.kind != RouteKind::Unicast {
            return;
        }
        let is_link_local = route.destination.is_some_and(|network| !has_role(network.addr()));
        let host = route.host();
        self.leads_to_many |= route.via_gateway || (host.is_none() && !is_link_local);
        if route.is_kernels() {
            self.own_hosts.extend(host);
            self.sources.add(route.source);
        } else {
            self.hosts.add(host);
        }
    }

    /// Whether `address` is the only one of its family behind the link.
    const fn leads_only_to(&self, address: IpAddr) -> bool {
        !self.leads_to_many && self.hosts.count_like(address) < 2
    }

    /// Whether the kernel's routes name other sources of this family, and not this one.
    fn names_another_source(&self, address: IpAddr) -> bool {
        !self.sources.contains(address) && self.sources.count_like(address) > 0
    }
}

/// What the routes of one text say.
pub fn facts_of(routes: &[Route], host: &Host) -> Facts {
    let mut facts = Facts::default();
    let mut links: HashMap<&str, LinkRoutes> = HashMap::new();
    for route in routes {
        links.entry(&route.interface).or_default().add(route);
    }
    for route in routes {
        let Some(link) = links.get(route.interface.as_str()) else { continue };
        add_source(&mut facts, route, link, host);
        add_own(&mut facts, route, link, host);
        if let Host::Node(node) = host {
            add_neighbour(&mut facts, route, link, host);
            let network = route.destination.filter(|_| {
                route.kind == RouteKind::Unicast && !route.via_gateway && route.is_kernels()
            });
            let network = network.filter(|network| {
                network.prefix_len() < network.max_prefix_len() && has_role(network.addr())
            });
            facts.networks.extend(network.map(|network| NetworkFact {
                node: node.clone(),
                interface: route.interface.clone(),
                network,
            }));
        }
    }
    facts
}

fn add_neighbour(facts: &mut Facts, route: &Route, link: &LinkRoutes, host: &Host) {
    let Some(address) = route.neighbour() else { return };
    let is_cable = LinkKind::of(&route.interface) == LinkKind::PodCable;
    // A cloud's uplink has a host route to its gateway, and is no cable.
    let leads_to_one = LinkKind::of(&route.interface) == LinkKind::Ordinary
        && !is_uplink(&route.interface)
        && link.leads_only_to(address);
    if !is_cable && !leads_to_one {
        return;
    }
    facts.links.push(LinkFact {
        node: host.node(),
        interface: route.interface.clone(),
        leads_to: address,
    });
    if is_cable {
        let reason = format!("host route by {}, a pod's cable", route.interface);
        facts.addresses.push(host.fact(address, Role::Pod, FactSource::IpRoute, reason));
    }
}

/// `src A`: an address of the node. A route added by hand may name a VIP there
/// (`ip route add CLIENTS via GATEWAY src VIP` is a known cure), so it counts
/// only where the kernel's own routes of that link name no other.
fn add_source(facts: &mut Facts, route: &Route, link: &LinkRoutes, host: &Host) {
    let Some(source) = route.source.filter(|source| has_role(*source)) else { return };
    if route.kind != RouteKind::Unicast {
        return;
    }
    let by_hand = matches!(route.protocol.as_deref(), None | Some("static" | "boot"));
    if by_hand && link.names_another_source(source) {
        return;
    }
    let to = route.destination.map_or_else(|| "default".to_owned(), |network| network.to_string());
    let reason = format!("source of the route to {to} on {}", route.interface);
    facts.addresses.push(host.fact(source, Role::Node, FactSource::IpRoute, reason));
}

/// Entries of the kernel's local table: `local A`, `broadcast A`.
///
/// A VIP is there too. Where the link's network routes show which address is
/// the node's (IPv4), or the VIP's own host route is there (IPv6), it gets no role.
fn add_own(facts: &mut Facts, route: &Route, link: &LinkRoutes, host: &Host) {
    let Some(address) = route.host() else { return };
    let name = &route.interface;
    let (role, reason) = match route.kind {
        RouteKind::Unicast => return,
        RouteKind::Broadcast => (Role::Broadcast, format!("broadcast address on {name}")),
        RouteKind::Local if LinkKind::of(name) == LinkKind::ServiceBinding => {
            (Role::Service, format!("bound to {name}"))
        }
        RouteKind::Local => {
            if link.names_another_source(address) || link.own_hosts.contains(&address) {
                return;
            }
            (Role::Node, format!("local address on {name}"))
        }
    };
    let mut fact = host.fact(address, role, FactSource::IpRoute, reason);
    if role != Role::Node {
        fact.role = role;
        fact.node = None;
    }
    facts.addresses.push(fact);
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
