//! All that the node's kernel says, in one answer.

use std::net::{IpAddr, SocketAddr};

use super::{counters, netlink, settings};
use crate::analysis;
use crate::model::time::Timestamp;
use crate::node::wire::{API_VERSION, NodeFacts};

/// Reads the facts of this node; of neighbours those of `device`, and the way
/// to it, where one is named.
///
/// # Errors
///
/// Where the kernel does not list its links or routes: without them nothing follows.
pub async fn read(
    node: &str,
    at: Timestamp,
    device: Option<IpAddr>,
    kube_proxy: Option<SocketAddr>,
) -> Result<NodeFacts, netlink::Error> {
    let mut tables = netlink::Tables::open()?;
    let links = tables.links().await?;
    let routes = tables.routes().await?;
    let mut neighbours = tables.neighbours().await?;
    let device_route = match device {
        Some(device) => tables.find_route_to(device).await,
        None => None,
    };
    if let Some(device) = device {
        // The next hop's state says as much: behind a gateway a device is nobody's neighbour.
        let gateway = device_route.as_ref().and_then(|route| route.gateway);
        neighbours.retain(|one| one.address == device || Some(one.address) == gateway);
    }
    let settings = settings::read(&links, kube_proxy).await;
    let mut faults = std::mem::take(&mut tables.faults);
    let counters = counters::read(&mut faults);
    let mut facts = NodeFacts {
        version: API_VERSION,
        node: node.to_owned(),
        at,
        links,
        routes,
        neighbours,
        device_route,
        roles: Vec::new(),
        cables: Vec::new(),
        networks: Vec::new(),
        settings,
        counters,
        faults,
    };
    match render_tables(&facts) {
        Ok(text) => facts.set_derived(analysis::read_node_tables(node, &text)),
        Err(error) => facts.faults.push(format!("roles cannot be derived: {error}")),
    }
    Ok(facts)
}

/// Links and routes as `ip -j` prints them.
fn render_tables(facts: &NodeFacts) -> Result<String, serde_json::Error> {
    let links = serde_json::to_string(&facts.links)?;
    let routes = serde_json::to_string(&facts.routes)?;
    Ok(format!("{links}\n{routes}\n"))
}
