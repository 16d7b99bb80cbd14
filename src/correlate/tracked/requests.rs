//! Which entries ask something that a report is about.
//!
//! A busy node tracks thousands of flows: pods that resolve names, fetch things
//! and are masqueraded on the way out. Only what comes from outside to an
//! address of the cluster, and polls of devices, are told.

use std::net::IpAddr;
use std::time::Duration;

use super::index::{Entry, Index, Position};
use super::links;
use crate::correlate::record::is_group;
use crate::model::conntrack::{TrackedEvent, TrackedFlow, UNREPLIED_LIFE};
use crate::model::protocol::{DeviceSide, Protocol};
use crate::model::topology::{Role, Topology};

/// Entries of UDP in a table that somebody chose, at most.
const MAX_SHORT: usize = 32;

/// The entries that a report tells of.
pub fn find(index: &Index, topology: &Topology) -> Vec<Position> {
    index.positions().filter(|position| is_told(index, *position, topology)).collect()
}

/// All entries that ask a host something, of tables that are short: pasted for their own
/// sake, or searched for what matters. Whatever a busy node does besides is not in them.
pub fn find_all(index: &Index) -> Vec<Position> {
    if index.len() > MAX_SHORT {
        return Vec::new();
    }
    let is_between_hosts = |position: &Position| {
        let ends = &index[*position].flow.original;
        [ends.source.address, ends.destination.address].iter().all(|address| {
            !(is_group(*address) || address.is_loopback() || address.is_unspecified())
        })
    };
    let all: Vec<Position> = index.positions().filter(is_between_hosts).collect();
    // What a server's answer made an entry of is its request's.
    let answers = |position: &Position| {
        all.iter().any(|request| {
            let protocol = protocol_of(&index[*request].flow);
            let ends = links::answered_apart(index, *request, protocol);
            ends.into_iter().any(|answer| answer == *position)
        })
    };
    all.iter().copied().filter(|position| !answers(position)).collect()
}

/// The protocol, by the port asked, or by the port behind a node port.
pub fn protocol_of(flow: &TrackedFlow) -> Protocol {
    Protocol::of_port(flow.original.destination.port)
        .or_else(|| Protocol::of_port(flow.translated_destination().port))
        .unwrap_or(Protocol::Udp)
}

/// The protocol that an entry's packets speak. At a collector's port an answer makes it a
/// conversation, as `Record::find_disproof` says of packets: the kernel marks an entry as
/// replied with the first packet that comes back (`IPS_SEEN_REPLY`), and an ICMP error is none.
/// Informs are answered at the trap port, and each side of BFD has a session of its own.
pub fn spoken_protocol(flow: &TrackedFlow) -> Protocol {
    let protocol = protocol_of(flow);
    let is_guess = protocol.is_one_way() && !matches!(protocol, Protocol::SnmpTrap | Protocol::Bfd);
    let is_between_collectors =
        Protocol::of_port(flow.original.source.port).is_some_and(Protocol::is_one_way);
    let is_disproved = is_guess && flow.is_replied && !is_between_collectors;
    if is_disproved { Protocol::Udp } else { protocol }
}

/// For how long the last packet of an entry got no answer. An entry counts its
/// life down from the last packet of either side.
pub fn silence(entry: &Entry) -> Duration {
    let flow = &entry.flow;
    if flow.is_replied {
        return Duration::ZERO;
    }
    // Of a longer life nothing is known.
    let counted =
        |left_s: Option<u32>| UNREPLIED_LIFE.checked_sub(Duration::from_secs(u64::from(left_s?)));
    let silent = match flow.event {
        None => counted(flow.expires_in_s),
        // An entry that ran out has nothing left; one that was deleted has.
        Some(TrackedEvent::Destroy) => counted(Some(flow.expires_in_s.unwrap_or(0))),
        Some(TrackedEvent::New | TrackedEvent::Update) => {
            entry.followed_until.map(|until| until.since(entry.frame.at))
        }
    };
    silent.unwrap_or(Duration::ZERO)
}

fn is_told(index: &Index, position: Position, topology: &Topology) -> bool {
    let entry = &index[position];
    let flow = &entry.flow;
    let (client, asked) = (flow.original.source.address, flow.original.destination.address);
    if !is_usable(client) || !is_usable(asked) {
        return false;
    }
    let protocol = protocol_of(flow);
    let is_listed = |address: IpAddr| {
        topology.device_of(address).is_some() || topology.role_of(address) == Role::Device
    };
    if protocol.device_side() == DeviceSide::Server {
        let from_inside = is_inside(index, client, topology);
        let to_outside = is_listed(asked) || !is_inside(index, asked, topology);
        // A poll that was sent just now is no poll in vain.
        let says_something = flow.is_replied || silence(entry) >= Duration::from_secs(1);
        return from_inside && to_outside && says_something;
    }
    let leads_in = flow.translated_destination().address != asked
        || index.is_service(asked)
        || matches!(topology.role_of(asked), Role::Vip | Role::Service | Role::Node);
    if !leads_in || (is_inside(index, client, topology) && !is_listed(client)) {
        return false;
    }
    let has_habit = protocol.device_side() == DeviceSide::Client;
    let of_listed = is_listed(client) && (protocol.expects_answer() || protocol.is_one_way());
    let is_near = !is_listed(client) && is_near_its_pod(flow, topology);
    (has_habit && !is_near) || of_listed || {
        let replies = links::find(index, position, protocol, topology).replies;
        let asked_port = flow.original.destination.port;
        replies.iter().any(|reply| {
            let source = index[*reply].flow.translated_source();
            // TFTP answers from a new port by design: RFC 1350 section 4.
            source.address != asked || (protocol != Protocol::Tftp && source.port != asked_port)
        })
    }
}

/// Whether an address belongs to the cluster: the inventory says so, or what the
/// entries do with it.
fn is_inside(index: &Index, address: IpAddr, topology: &Topology) -> bool {
    match topology.role_of(address) {
        Role::Vip | Role::Node | Role::Pod | Role::Service => true,
        Role::Device | Role::External | Role::Multicast | Role::Broadcast => false,
        Role::Unknown => {
            index.is_pod(address)
                || index.is_service(address)
                || index.gives_source(address)
                || index.is_replaced(address)
        }
    }
}

/// Pods of one node have addresses of one range: a client of unknown role from the range
/// of the pod that serves it is most likely one of them, not a device. A /24 is the usual
/// range of a node's IPv4 pods, a /64 that of its IPv6 pods; the devices of a site can
/// share the wider range of all of them (RFC 6177: a site has a /48).
fn is_near_its_pod(flow: &TrackedFlow, topology: &Topology) -> bool {
    let client = flow.original.source.address;
    let pod = flow.translated_destination().address;
    let is_sent_on = pod != flow.original.destination.address;
    is_sent_on
        && topology.role_of(client) == Role::Unknown
        && match (client, pod) {
            (IpAddr::V4(client), IpAddr::V4(pod)) => client.octets()[..3] == pod.octets()[..3],
            (IpAddr::V6(client), IpAddr::V6(pod)) => client.octets()[..8] == pod.octets()[..8],
            _ => false,
        }
}

/// An address that a device or a service can have.
fn is_usable(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(is_group(address) || address.is_loopback() || address.is_unspecified() || is_link_local)
}
