//! Who the device is, and what only the packets tell about addresses.

use std::net::IpAddr;

use super::cables::Cables;
use super::record::is_group;
use crate::model::capture::PointKind;
use crate::model::exchange::{DeviceRule, Exchange, Point, View};
use crate::model::protocol::{DeviceSide, Protocol};
use crate::model::report::StepKind;
use crate::model::topology::{AddressRole, FactSource, Role, Topology};

/// Adds to `topology` the roles that nothing but this exchange's packets tells.
pub fn infer(exchange: &Exchange, points: &[Point], cables: &Cables, topology: &mut Topology) {
    infer_pod(exchange, points, cables, topology);
    infer_vip(exchange, topology);
}

/// On a pod's cable, the side that is not the device is the pod: not whom the pod asks,
/// though that one answers as well.
fn infer_pod(exchange: &Exchange, points: &[Point], cables: &Cables, topology: &mut Topology) {
    let Some(view) = exchange.pod_view() else { return };
    let Some(asked) = view.asked.filter(|asked| !is_group(asked.address)) else { return };
    let opened_by = view.steps.iter().find(|step| step.kind == StepKind::Request);
    let client = opened_by.map_or(exchange.client.address, |step| step.source);
    // A cable leads to one pod: where one end is it, the other is not.
    if [client, asked.address].iter().any(|end| topology.role_of(*end) == Role::Pod) {
        return;
    }
    let pod = match exchange.protocol.device_side() {
        DeviceSide::Client => asked.address,
        DeviceSide::Server => exchange.client.address,
        DeviceSide::Either => return,
    };
    if topology.find(pod).is_some() || !cables.lead_to(view.point, pod) {
        return;
    }
    let point = points.iter().find(|point| point.id == view.point);
    let node = point.and_then(|point| point.node.clone());
    let interface = point.and_then(|point| point.interface.clone());
    let behind = interface
        .as_deref()
        .and_then(|interface| topology.link_behind(node.as_deref(), interface))
        .and_then(|link| topology.find(link.leads_to));
    let name = behind.and_then(|belief| belief.pod.clone());
    let reason = match (&interface, &name) {
        (Some(interface), Some(name)) => format!("talks on {interface}, which leads to pod {name}"),
        (Some(interface), None) => format!("talks on {interface}, a pod's cable"),
        (None, _) => "talks at a capture point on the pod's side".to_owned(),
    };
    topology.infer(
        pod,
        AddressRole { role: Role::Pod, node, pod: name, source: FactSource::Packets, reason },
    );
}

/// Whoever asks all hosts of a network shows which address stands for them.
pub fn infer_broadcast(asked: IpAddr, topology: &mut Topology) {
    let reason = "what is sent to it is for all hosts of its network".to_owned();
    let (role, source) = (Role::Broadcast, FactSource::Packets);
    topology.infer(asked, AddressRole { role, node: None, pod: None, source, reason });
}

/// An address asked on a service port, and answered for by another, is a VIP;
/// not where the device is the one asked: agents have several addresses.
fn infer_vip(exchange: &Exchange, topology: &mut Topology) {
    let view = exchange.primary();
    let Some(asked) = view.asked.filter(|asked| !is_group(asked.address)) else { return };
    let Some(answer) = view.changed_replies().next() else { return };
    if view.asks_changed_answerer(exchange.protocol) || exchange.protocol == Protocol::Teredo {
        return;
    }
    let device_asks = exchange.protocol.device_side() == DeviceSide::Client
        && !is_cluster(topology.role_of(exchange.client.address));
    if device_asks && Protocol::of_port(asked.port).is_some() && view.kind != PointKind::Pod {
        let reason = format!(
            "asked on port {}, answered from {}: probably a virtual address",
            asked.port, answer.source.address
        );
        topology.infer(
            asked.address,
            AddressRole {
                role: Role::Vip,
                node: None,
                pod: None,
                source: FactSource::Packets,
                reason,
            },
        );
    }
}

/// The inventory decides which side is the device; else the cluster's side is
/// not; else the protocol's habit; else who sent first.
pub fn choose_device(exchange: &Exchange, topology: &Topology) -> (IpAddr, DeviceRule) {
    let peer = find_peer(exchange.primary());
    choose_side(exchange.client.address, peer, exchange.protocol, topology)
}

/// Which of two addresses is the device's, as [`choose_device`] says.
pub fn choose_side(
    client: IpAddr,
    peer: Option<IpAddr>,
    protocol: Protocol,
    topology: &Topology,
) -> (IpAddr, DeviceRule) {
    let is_nobody = |address| is_group(address) || topology.role_of(address) == Role::Broadcast;
    let Some(peer) = peer.filter(|peer| !is_nobody(*peer)) else {
        return (client, DeviceRule::Initiator);
    };
    // A group is nobody: what is sent to it is its sender's.
    if is_nobody(client) {
        return (peer, DeviceRule::Initiator);
    }
    // Who asked is not told; in DHCP the unspecified address is the client's own.
    if client.is_unspecified() && !matches!(protocol, Protocol::Dhcp | Protocol::Dhcpv6) {
        return (peer, DeviceRule::OnlyKnownSide);
    }
    let listed = |address| {
        topology.device_of(address).is_some() || topology.role_of(address) == Role::Device
    };
    let habit = match protocol.device_side() {
        DeviceSide::Client => Some(client),
        DeviceSide::Server => Some(peer),
        DeviceSide::Either => None,
    };
    match (listed(client), listed(peer)) {
        (true, false) => return (client, DeviceRule::Listed),
        (false, true) => return (peer, DeviceRule::Listed),
        (true, true) => return (habit.unwrap_or(client), DeviceRule::Listed),
        (false, false) => {}
    }
    match (is_cluster(topology.role_of(client)), is_cluster(topology.role_of(peer))) {
        (true, false) => (peer, DeviceRule::OtherSideIsCluster),
        (false, true) => (client, DeviceRule::OtherSideIsCluster),
        _ => match habit {
            Some(device) => (device, DeviceRule::ProtocolHabit),
            None => (client, DeviceRule::Initiator),
        },
    }
}

/// The other side: whom the client asked, else who answered, else whom it spoke to.
fn find_peer(view: &View) -> Option<IpAddr> {
    view.asked
        .or_else(|| view.replies.first().map(|replies| replies.source))
        .or_else(|| view.follow_ups.first().map(|follow_ups| follow_ups.destination))
        .map(|endpoint| endpoint.address)
}

/// Whether an address of this role belongs to the cluster.
pub fn is_cluster(role: Role) -> bool {
    matches!(role, Role::Vip | Role::Node | Role::Pod | Role::Service)
}
