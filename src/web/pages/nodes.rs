//! The pages of nodes.

use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

use super::super::Service;
use super::super::api::nodes::{NodePlace, find_nodes};
use super::super::assets::stylesheet_path;
use super::super::error::{Error, PageError};
use super::super::extract::{PageQuery, Path, Query};
use super::super::query::{given, read_text};
use super::node::{self, NodeView, NodesView};

/// Nodes on one page; a filter finds the others.
const MOST_NODES: usize = 500;

/// Which nodes the page shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedNodes {
    cluster: Option<String>,
    q: Option<String>,
}

/// `GET /nodes`
pub async fn show_nodes(
    State(service): State<Service>,
    Query(query): Query<ListedNodes>,
) -> Result<Html<String>, PageError> {
    let (cluster, text) = (given(query.cluster), read_text(query.q)?);
    let mut nodes = find_nodes(&service, cluster.as_deref(), text.as_deref());
    let omitted = nodes.len().saturating_sub(MOST_NODES);
    nodes.truncate(MOST_NODES);
    Ok(Html(node::render_nodes(&NodesView {
        stylesheet: stylesheet_path(),
        nodes: &nodes,
        omitted,
        clusters: &service.settings.nodes.cluster_states(),
        cluster: cluster.as_deref(),
        text: text.as_deref().unwrap_or_default(),
    })?))
}

/// `GET /nodes/{node}`
pub async fn show_node(
    State(service): State<Service>,
    Path(name): Path<String>,
    PageQuery(query): PageQuery<NodePlace>,
) -> Result<Html<String>, PageError> {
    let found = service.settings.nodes.find(&name, given(query.cluster).as_deref());
    let node = found.map_err(Error::from)?;
    let asked = match node.summary.agent.url {
        Some(_) => Some(service.queries.interfaces_of(&node.summary).await),
        None => None,
    };
    let (interfaces, complaint) = match asked {
        None => (None, None),
        Some(Ok(interfaces)) => (Some(interfaces), None),
        // Perhaps it answers when it is asked for the capture.
        Some(Err(error)) => (Some(Vec::new()), Some(error.to_string())),
    };
    Ok(Html(node::render_node(&NodeView {
        stylesheet: stylesheet_path(),
        node: &node,
        interfaces: interfaces.as_deref(),
        complaint: complaint.as_deref(),
        longest_s: service.queries.longest_s(),
    })?))
}
