//! Where to capture next.

use std::net::IpAddr;

use crate::diagnose::reading::Reading;
use crate::diagnose::wording::plain_name;
use crate::model::capture::{CaptureFilter, PointKind};
use crate::model::finding::Remedy;
use crate::model::topology::Role;

/// Captures at the points that this analysis lacks. The filter has addresses
/// and no protocol's name: ICMP errors and later fragments belong to the story.
#[must_use]
pub fn next(reading: &Reading<'_>) -> Remedy {
    let device = reading.exchange.device;
    if !knows_cluster(reading) {
        return at_both_ends(reading, device);
    }
    let kind = reading.view.kind;
    let node = serving_node(reading);
    let on_node = node.map_or_else(|| "on the pod's node".to_owned(), |node| format!("on {node}"));
    let uplink = uplink(reading).unwrap_or("any");
    let mut steps = Vec::new();
    let mut commands = Vec::new();
    let node_command = format!("tcpdump -n -i {uplink} -w node.pcap 'host {device} and not tcp'");
    let pod_command = pod_command(reading, device);
    if kind == PointKind::Pod {
        steps.push(format!("Capture {on_node} at its uplink, while the device tries again: it shows with which address the answer leaves and where the device sends what follows."));
        commands.extend([node_command, pod_command]);
    } else {
        steps.push(format!("Capture {on_node} at the pod's cable and at the uplink at the same time, while the device tries again: what is at one and not at the other was lost between them."));
        commands.extend([pod_command, node_command]);
    }
    if kind == PointKind::Host {
        steps.push(format!("If the pod answers and the answer leaves the node, capture nearer to {device}, at its switch port or on the device."));
    }
    steps.push("Analyse both files together, with the output of `ip addr` and `kubectl get pod,node,svc -A -o wide`.".to_owned());
    Remedy { title: "Capture at the next point".to_owned(), steps, commands }
}

/// Whether anything says that a cluster is part of this: otherwise there may
/// be no pod to capture at.
fn knows_cluster(reading: &Reading<'_>) -> bool {
    let in_cluster =
        |role: Role| matches!(role, Role::Vip | Role::Node | Role::Pod | Role::Service);
    reading.topology.beliefs().any(|(_, belief)| in_cluster(belief.role))
        || reading.points.iter().any(|point| point.kind == PointKind::Pod)
}

fn at_both_ends(reading: &Reading<'_>, device: IpAddr) -> Remedy {
    let asked = reading.view.asked.map(|asked| asked.address).filter(|asked| *asked != device);
    let far = asked.map_or_else(|| "the other side".to_owned(), |asked| asked.to_string());
    Remedy {
        title: "Capture at the next point".to_owned(),
        steps: vec![
            format!("Capture near {device} and near {far} at the same time, while it is tried again: what is at one and not at the other was lost between them."),
            "Analyse both files together. If a Kubernetes cluster is on the way, add the output of `ip addr` and `kubectl get pod,node,svc -A -o wide`: it tells which addresses are its own.".to_owned(),
        ],
        commands: vec![format!("tcpdump -n -i any -w capture.pcap 'host {device} and not tcp'")],
    }
}

/// Captures again with both directions.
#[must_use]
pub fn both_directions(reading: &Reading<'_>) -> Remedy {
    let other = reading.view.asked.map(|asked| asked.address);
    let client = find_client(reading);
    let mut steps = vec![
        "Capture without a direction (`-Q in`, `-Q out`) and without a filter by source or destination.".to_owned(),
        "If it was captured without either, the other direction takes another interface or another host: capture at all interfaces.".to_owned(),
    ];
    if let Some(other) = other {
        steps.push(format!(
            "Do not filter by {other} alone: the answer may come from another address."
        ));
    }
    Remedy {
        title: "Capture both directions".to_owned(),
        steps,
        commands: vec![format!("tcpdump -n -i any -w both.pcap 'host {client} and not tcp'")],
    }
}

/// Captures again with answers from any address.
#[must_use]
pub fn any_answerer(reading: &Reading<'_>, filter: &CaptureFilter) -> Remedy {
    let client = find_client(reading);
    Remedy {
        title: "Capture answers from any address".to_owned(),
        steps: vec![format!(
            "`{}` shows no answer from another address than the one asked: filter by {client}, which asks.",
            filter.text
        )],
        commands: vec![format!("tcpdump -n -i any -w answers.pcap 'host {client} and not tcp'")],
    }
}

/// Whom all answers go to, whatever address they come from: the device, unless it was asked.
fn find_client(reading: &Reading<'_>) -> IpAddr {
    let (client, device) = (reading.exchange.client.address, reading.exchange.device);
    let is_asked = reading.view.asked.is_some_and(|asked| asked.address == device);
    if is_asked && !client.is_unspecified() { client } else { device }
}

/// Captures again with the bytes that say which request an answer belongs to.
#[must_use]
pub fn with_identities(reading: &Reading<'_>) -> Remedy {
    let device = reading.exchange.device;
    Remedy {
        title: "Capture with the bytes".to_owned(),
        steps: vec![
            "Give the capture itself instead of its text, with whole packets (`-s 0`): each answer carries what its request said, and that tells whose it is.".to_owned(),
        ],
        commands: vec![format!("tcpdump -n -s 0 -i any -w bytes.pcap 'host {device} and not tcp'")],
    }
}

/// Gives the text with the addresses that are missing in it.
#[must_use]
pub fn give_addresses() -> Remedy {
    Remedy {
        title: "Give the text with its addresses".to_owned(),
        steps: vec![
            "Capture with `-n`, so that no name stands for an address. Where an address has to stay private, write another one for it, the same each time, as of 192.0.2.0/24 or 2001:db8::/32: two that differ have to stay different.".to_owned(),
        ],
        commands: Vec::new(),
    }
}

/// The pod's cable is known from a capture there, or the kernel knows it.
fn pod_command(reading: &Reading<'_>, device: IpAddr) -> String {
    let known = reading.points.iter().find(|point| point.kind == PointKind::Pod);
    if let Some(interface) = known.and_then(|p| p.interface.as_deref()).and_then(plain_name) {
        return format!("tcpdump -n -i {interface} -w pod.pcap 'not tcp'");
    }
    // Inside the pod's network there is one interface, and the pod may see a
    // node in the device's place: no host filter there.
    let pod = reading.exchange.pod_view().and_then(|view| view.asked).map(|asked| asked.address);
    let pod = pod.filter(|pod| *pod != device);
    let pod = pod.map_or_else(|| "POD_ADDRESS".to_owned(), |pod| pod.to_string());
    format!(
        "tcpdump -n -i \"$(ip route get {pod} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')\" -w pod.pcap 'not tcp'"
    )
}

/// The interface of a host capture of this analysis.
fn uplink<'a>(reading: &'a Reading<'_>) -> Option<&'a str> {
    let host = reading.points.iter().find(|point| point.kind == PointKind::Host)?;
    host.interface.as_deref().and_then(plain_name)
}

/// The node of the view, or of the address asked.
fn serving_node<'a>(reading: &'a Reading<'_>) -> Option<&'a str> {
    let point = reading.points.iter().find(|point| point.id == reading.view.point);
    let by_point = point.and_then(|point| point.node.as_deref()).and_then(plain_name);
    by_point.or_else(|| reading.view.asked.and_then(|asked| reading.node_of(asked.address)))
}
