//! A node's links with their addresses, and what each address is for.

use std::net::IpAddr;

use super::address::{Prefixed, has_role};
use super::command::Host;
use super::link::LinkKind;
use super::surroundings::{Surroundings, Uplinks};
use crate::model::topology::{AddressFact, FactSource, Facts, InterfaceFact, NetworkFact, Role};

/// One link, as `ip addr` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's index, where it was printed.
    pub index: Option<u32>,
    /// The name before `@`; `None` where only `inet` lines were kept.
    pub name: Option<String>,
    /// `UP`, `DOWN`, `UNKNOWN` …
    pub state: Option<String>,
    pub addresses: Vec<InterfaceAddress>,
    /// Lines may be missing: what is beside an address is not known for sure.
    pub partial: bool,
    /// Its other end is in another network namespace: `eth0@if7`.
    pub is_paired: bool,
}

impl Interface {
    /// A link without addresses.
    pub const fn new(index: Option<u32>, name: Option<String>) -> Self {
        Self { index, name, state: None, addresses: Vec::new(), partial: false, is_paired: false }
    }

    /// What the link is for, by its name.
    pub fn kind(&self) -> LinkKind {
        self.name.as_deref().map_or(LinkKind::Ordinary, LinkKind::of)
    }

    /// ` on eth0`, or nothing.
    fn place(&self) -> String {
        self.name.as_deref().map_or_else(String::new, |name| format!(" on {name}"))
    }
}

/// One address on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    pub prefixed: Prefixed,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// `host`: it is not valid outside of this host.
    pub host_scope: bool,
    pub deprecated: bool,
    /// A privacy address (RFC 8981).
    pub temporary: bool,
    /// It has a lifetime: by DHCP or router advertisement.
    pub dynamic: bool,
    pub secondary: bool,
    /// Hosts share it, and one of them has it at a time: CARP's `vhid`.
    pub shared: bool,
    /// Another host has this address (RFC 4862, section 5.4).
    pub duplicate: bool,
    /// Seconds for which it is preferred, where printed and not `forever`.
    pub preferred_lifetime_seconds: Option<u64>,
}

impl InterfaceAddress {
    /// A permanent address without flags.
    pub const fn new(prefixed: Prefixed) -> Self {
        Self {
            prefixed,
            peer: None,
            host_scope: false,
            deprecated: false,
            temporary: false,
            dynamic: false,
            secondary: false,
            shared: false,
            duplicate: false,
            preferred_lifetime_seconds: None,
        }
    }

    /// Sets the flag that `ip` prints as `word`; whether there is such a flag.
    pub fn set_flag(&mut self, word: &str) -> bool {
        match word {
            "deprecated" => self.deprecated = true,
            "temporary" => self.temporary = true,
            "dynamic" => self.dynamic = true,
            // The kernel has one bit for both: temporary in IPv6, secondary in IPv4.
            "secondary" if self.prefixed.address.is_ipv6() => self.temporary = true,
            "secondary" => self.secondary = true,
            "dadfailed" => self.duplicate = true,
            "tentative" | "optimistic" | "nodad" | "home" | "permanent" | "mngtmpaddr"
            | "noprefixroute" | "autojoin" | "stable-privacy" => {}
            _ => return false,
        }
        true
    }

    fn address(&self) -> IpAddr {
        self.prefixed.address
    }

    /// Whether the address says something about who owns it.
    pub fn counts(&self) -> bool {
        has_role(self.address()) && !self.host_scope && !self.duplicate
    }

    /// Whether the host may choose it as the source of what it sends first.
    pub const fn is_preferred(&self) -> bool {
        !self.deprecated && !self.temporary
    }
}

/// What the links say about addresses, networks and indexes.
pub fn facts_of(interfaces: &[Interface], host: &Host) -> Facts {
    let mut facts = Facts::default();
    let uplinks = Uplinks::of(interfaces);
    for interface in interfaces {
        let around = Surroundings::of(interface, uplinks);
        for address in interface.addresses.iter().filter(|address| address.counts()) {
            facts.addresses.extend(find_fact(interface, address, around, host));
            if address.temporary {
                facts.temporary.push(address.address());
            }
        }
        // A pod's own links have indexes and networks that mean nothing on the node.
        if let (Host::Node(node), Some(name)) = (host, &interface.name) {
            facts.interfaces.extend(interface.index.map(|index| InterfaceFact {
                node: node.clone(),
                index,
                name: name.clone(),
            }));
            facts.networks.extend(networks_of(interface, name, node.as_ref()));
        }
    }
    facts
}

fn networks_of(interface: &Interface, name: &str, node: Option<&String>) -> Vec<NetworkFact> {
    let own =
        interface.addresses.iter().filter(|address| address.counts() && address.peer.is_none());
    let mut networks: Vec<_> = own.filter_map(|address| address.prefixed.network()).collect();
    networks.sort_unstable();
    networks.dedup();
    let fact = |network| NetworkFact { node: node.cloned(), interface: name.to_owned(), network };
    networks.into_iter().map(fact).collect()
}

fn find_fact(
    interface: &Interface,
    address: &InterfaceAddress,
    around: Surroundings<'_>,
    host: &Host,
) -> Option<AddressFact> {
    let (role, mut reason) = find_role(interface, address, around)?;
    if interface.state.as_deref() == Some("DOWN") {
        reason.push_str(" (the link is down)");
    }
    // A ClusterIP bound on every node belongs to none.
    let mut fact = host.fact(address.address(), role, FactSource::IpAddr, reason);
    if role == Role::Service {
        fact.node = None;
    }
    Some(fact)
}

/// The role of one address, and why. The rules:
///
/// * keepalived, kube-vip and MetalLB add a VIP as /32 or /128 beside the
///   node's own prefix, and mark an IPv6 VIP deprecated so that the kernel does
///   not choose it as a source (RFC 6724, rule 3). Such an address is permanent;
/// * an address with a lifetime is a lease (DHCPv6 gives out /128) or comes from
///   a router advertisement, and ages: it is the node's;
/// * what is on a virtual router's own link, or has CARP's `vhid`, is a VIP;
/// * keepalived adds a VIP whose length is given as `secondary` beside the node's address
///   of the same network, where further addresses of the node itself are too: it stays open;
/// * where grep left lines out, a lone /32 or /128 stays open, unless deprecated.
fn find_role(
    interface: &Interface,
    address: &InterfaceAddress,
    around: Surroundings<'_>,
) -> Option<(Role, String)> {
    let place = interface.place();
    let length = format!("/{}", address.prefixed.length_bits);
    let kind = interface.kind();
    if kind == LinkKind::ServiceBinding {
        return Some((Role::Service, format!("bound to {}", interface.name.as_deref()?)));
    }
    if kind == LinkKind::VirtualRouter {
        return Some((Role::Vip, format!("{length}{place}, a virtual router's link")));
    }
    if address.shared {
        return Some((Role::Vip, format!("{length}{place}, shared by CARP")));
    }
    if let Some(peer) = address.peer {
        return Some((Role::Node, format!("point-to-point address{place}, peer {peer}")));
    }
    if kind == LinkKind::Overlay {
        return Some((Role::Node, format!("{length}{place}, a link of the cluster's own network")));
    }
    if address.temporary {
        return Some((
            Role::Node,
            format!("{length}{place}, temporary: it will change (RFC 8981)"),
        ));
    }
    if address.dynamic {
        let age = if address.deprecated { " and deprecated" } else { "" };
        return Some((Role::Node, format!("{length}{place}, leased or autoconfigured{age}")));
    }
    let state = match (address.deprecated, address.preferred_lifetime_seconds) {
        (true, Some(0)) => " and deprecated (preferred_lft 0sec)",
        (true, _) => " and deprecated",
        (false, _) => "",
    };
    if address.prefixed.is_host()
        && let Some(wider) = around.of_family(address).wider
    {
        let wider = render(wider);
        return Some((Role::Vip, format!("{length}{state}{place}, beside {wider}")));
    }
    if address.deprecated
        && let Some(preferred) = around.of_family(address).preferred
    {
        let preferred = render(preferred);
        return Some((Role::Vip, format!("{length}{state}{place}, beside {preferred}")));
    }
    if kind == LinkKind::Loopback && address.prefixed.is_host() {
        return Some(if around.uplinks.lack_family_of(address) {
            let reason =
                format!("{length}{place}, and no other link has an address of this family");
            (Role::Node, reason)
        } else {
            (Role::Vip, format!("{length}{state}{place}, a link without a wire"))
        });
    }
    if interface.partial && address.prefixed.is_host() {
        return address.deprecated.then(|| (Role::Vip, format!("{length}{state}{place}")));
    }
    // The kernel says so only of the network of an address that was there before.
    let own = around.of_family(address).wider;
    let is_beside_own = own.is_some_and(|own| !own.deprecated && !own.secondary);
    if address.secondary && is_beside_own && !address.prefixed.is_host() {
        return None;
    }
    let secondary = if address.secondary { ", secondary" } else { "" };
    let alone = if address.prefixed.is_host() { " without a wider prefix" } else { "" };
    Some((Role::Node, format!("{length}{state}{place}{alone}{secondary}")))
}

fn render(address: &InterfaceAddress) -> String {
    format!("{}/{}", address.address(), address.prefixed.length_bits)
}

#[cfg(test)]
#[path = "interface_tests.rs"]
mod tests;
