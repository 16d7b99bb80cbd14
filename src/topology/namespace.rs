//! Whose network a listing of links shows, by the links themselves.

use super::command::{Command, Host};
use super::interface::{Interface, InterfaceAddress};
use super::link::LinkKind;
use super::surroundings::{Surroundings, Uplinks};

/// The host whose links were printed below `command`.
///
/// Only a node has the node's ends of pods' cables, links of the cluster's own
/// network, or an address that another host may take over; a pod that shows those
/// uses its node's network. A container has one link besides `lo`, whose other end is
/// elsewhere; a listing that was cut down shows no such thing.
pub fn host_of(interfaces: &[Interface], command: &Command) -> Host {
    match &command.host {
        Host::Pod(_) if interfaces.iter().any(is_nodes) || has_vip(interfaces) => Host::Node(None),
        // The prompt names the container's own host: a pod's name is that.
        Host::Node(name) if command.shows_all_links() && is_container(interfaces) => {
            Host::Pod(name.clone())
        }
        known => known.clone(),
    }
}

/// The kernel shows tunnels without an address (`tunl0`) in every namespace.
fn is_nodes(interface: &Interface) -> bool {
    match interface.kind() {
        LinkKind::PodCable => true,
        LinkKind::Overlay | LinkKind::ServiceBinding | LinkKind::VirtualRouter => {
            has_addresses(interface)
        }
        LinkKind::Ordinary | LinkKind::Loopback => false,
    }
}

fn has_addresses(interface: &Interface) -> bool {
    interface.addresses.iter().any(InterfaceAddress::counts)
}

/// A single address beside a wider prefix on a link to the outside.
fn has_vip(interfaces: &[Interface]) -> bool {
    let uplinks = Uplinks::of(interfaces);
    interfaces.iter().filter(|interface| interface.kind() == LinkKind::Ordinary).any(|interface| {
        let around = Surroundings::of(interface, uplinks);
        interface.addresses.iter().any(|address| {
            address.counts()
                && address.prefixed.is_host()
                && address.peer.is_none()
                && !address.dynamic
                && around.of_family(address).wider.is_some()
        })
    })
}

fn is_container(interfaces: &[Interface]) -> bool {
    let mut others = interfaces.iter().filter(|link| {
        link.kind() == LinkKind::PodCable
            || (link.kind() != LinkKind::Loopback && has_addresses(link))
    });
    let is_only = matches!((others.next(), others.next()), (Some(link), None)
        if link.is_paired && link.kind() == LinkKind::Ordinary);
    is_only && interfaces.len() >= 2 && !has_vip(interfaces) && !has_lease(interfaces)
}

/// An IPv4 address with a lifetime, as DHCP gives: pods' networks assign theirs for good,
/// so this is a machine in a container of its own (LXC), node or not. Of IPv6 it says
/// nothing, for pods hear advertisements as well.
fn has_lease(interfaces: &[Interface]) -> bool {
    let mut addresses = interfaces.iter().flat_map(|interface| &interface.addresses);
    addresses.any(|address| address.dynamic && address.prefixed.address.is_ipv4())
}

#[cfg(test)]
mod tests {
    use crate::model::topology::Role;
    use crate::topology::{parse, resolve};

    const LOOPBACK: &str = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n";

    #[test]
    fn links_tell_a_nodes_listing_from_a_pods() {
        let pods = |address: &str, length| {
            format!(
                "{LOOPBACK}3: eth0@if7: <BROADCAST,UP> mtu 1500 state UP\n    inet{} {address}/{length} scope global\n",
                if address.contains(':') { "6" } else { "" }
            )
        };
        let tunnel =
            "9: tunl0@NONE: <NOARP> mtu 1480 state DOWN\n    link/ipip 0.0.0.0 brd 0.0.0.0\n";
        let cable = "7: cali1@if3: <BROADCAST,UP> mtu 1500 state UP\n";
        for (address, length, vip) in
            [("192.0.2.13", 24, "192.0.2.21/32"), ("2001:db8::13", 64, "2001:db8::21/128")]
        {
            let (own, family) =
                (pods(address, length), if address.contains(':') { "inet6" } else { "inet" });
            let uplink = own.replace("eth0@if7", "eth0");
            let leased = own.replace("scope global", "scope global dynamic");
            let lessee = if address.contains(':') { Role::Pod } else { Role::Node };
            let cases = [
                ("ip addr", own.clone(), Role::Pod),
                ("ip addr", format!("{own}{cable}"), Role::Node),
                ("ip addr", format!("{own}    {family} {vip} scope global\n"), Role::Node),
                ("ip addr", uplink.clone(), Role::Node),
                ("ip addr", leased, lessee),
                ("ip addr | grep inet", own.clone(), Role::Node),
                ("ip addr show eth0", own.clone(), Role::Node),
                ("", own.clone(), Role::Pod),
                ("ip addr", format!("{own}{tunnel}"), Role::Pod),
                ("kubectl exec a -- ip addr", format!("{own}{tunnel}"), Role::Pod),
                ("kubectl exec a -- ip addr", own.clone(), Role::Pod),
                ("kubectl exec a -- ip addr", format!("{own}{cable}"), Role::Node),
                (
                    "kubectl exec a -- ip addr",
                    format!("{uplink}    {family} {vip} scope global\n"),
                    Role::Node,
                ),
            ];
            for (command, text, role) in cases {
                let topology = resolve(parse(command, Some("node3"), &text, 1));
                let found = topology.find(address.parse().unwrap()).unwrap();
                assert_eq!(found.role, role, "{command}: {text}");
            }
        }
    }
}
