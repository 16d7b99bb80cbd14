//! Neighbours that do not answer.

use super::commands::ip;
use crate::diagnose::neighbour_unresolved::interface_of;
use crate::diagnose::reading::{LostNeighbour, Reading, Tie};
use crate::diagnose::wording::plain_name;
use crate::model::finding::Remedy;
use crate::model::neighbour::Unresolved;

/// Finds out why an address does not answer on its link.
#[must_use]
pub fn bring_back(reading: &Reading<'_>, lost: &LostNeighbour<'_>) -> Remedy {
    let Unresolved { address, asker, .. } = lost.unresolved;
    let ip = ip(address);
    let interface = interface_of(reading, lost.point.id).unwrap_or("IFACE");
    let node = reading.node_of(asker).or(lost.point.node.as_deref().and_then(plain_name));
    let host = node.map_or_else(|| asker.to_string(), |node| format!("{node} ({asker})"));
    let ask = if address.is_ipv4() {
        format!("arping -c 3 -I {interface} {address}")
    } else {
        format!("ndisc6 -r 3 {address} {interface}")
    };
    let mut steps = vec![
        format!(
            "See whether {address} is switched on, and in the same network and VLAN as {host}."
        ),
        format!(
            "On {host}: see which route leads there. A prefix that is too wide makes a host look on its own link for an address that is behind a router."
        ),
    ];
    steps.push(match lost.tie {
        Tie::WayBack => format!(
            "{address} is heard, so it is there: see whether a switch or a filter on the link drops what goes to it, and whether its own prefix includes {asker}."
        ),
        Tie::NextHopReported(_) => format!(
            "{address} is the next hop: if that router is gone, the route through it has to go too."
        ),
        Tie::Reported(_) | Tie::NotSeenLeaving => format!(
            "If {address} has moved, delete what is remembered of it (`{ip} neigh flush to {address}`)."
        ),
    });
    steps.push("Not tried here.".to_owned());
    Remedy {
        title: format!("Let {address} answer on the link of {asker}"),
        steps,
        commands: vec![
            format!("{ip} route get {address}"),
            format!("{ip} neigh show to {address}"),
            ask,
        ],
    }
}
