//! All that the node's kernel says, in one answer.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::{counters, netlink, settings};
use crate::analysis;
use crate::model::time::Timestamp;
use crate::node::wire::{API_VERSION, NodeFacts, Settings};

/// Why there are no facts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    #[error("the facts could not be put together")]
    Unfinished,
}

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
) -> Result<NodeFacts, Error> {
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
    let kube_proxy_mode = settings::find_kube_proxy_mode(&links, kube_proxy).await;
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
        settings: Settings::default(),
        counters: BTreeMap::new(),
        faults: std::mem::take(&mut tables.faults),
    };
    // Many small files and long tables: not for a thread that serves others.
    let finish = move || {
        facts.settings = settings::read(kube_proxy_mode);
        facts.counters = counters::read(&mut facts.faults);
        match render_tables(&facts) {
            Ok(text) => facts.set_derived(analysis::read_node_tables(&facts.node, &text)),
            Err(error) => facts.faults.push(format!("roles cannot be derived: {error}")),
        }
        facts
    };
    tokio::task::spawn_blocking(finish).await.map_err(|_| Error::Unfinished)
}

/// Links and routes as `ip -j` prints them.
fn render_tables(facts: &NodeFacts) -> Result<String, serde_json::Error> {
    let links = serde_json::to_string(&facts.links)?;
    let routes = serde_json::to_string(&facts.routes)?;
    Ok(format!("{links}\n{routes}\n"))
}
