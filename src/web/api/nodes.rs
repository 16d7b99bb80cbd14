//! `/api/v1/nodes`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Service;
use super::super::error::ApiError;
use super::super::extract::{Json, Path, Query};
use super::super::query::{given, number_or_none, read_cursor, read_limit, read_text};
use super::responses::{FindNodeProblems, ListProblems};
use crate::node::summary::{ClusterState, NodeDetails, NodeSummary};

/// Which nodes a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct NodesQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(deserialize_with = "number_or_none")]
    limit: Option<u32>,
    /// Nodes of this cluster.
    cluster: Option<String>,
    /// Part of the node's name or of one of its addresses.
    q: Option<String>,
}

/// Which of several nodes of one name is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct NodePlace {
    /// Its cluster.
    pub cluster: Option<String>,
}

/// A page of nodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodesPage {
    /// By cluster and name.
    nodes: Vec<NodeSummary>,
    /// The clusters that are followed, and how that goes.
    clusters: Vec<ClusterState>,
    /// What `cursor` says for the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// Lists the nodes that are known, and the clusters that they come from.
#[utoipa::path(get, path = "/api/v1/nodes", tag = "nodes", params(NodesQuery),
    responses((status = 200, description = "A page of nodes", body = NodesPage), ListProblems))]
pub async fn list_nodes(
    State(service): State<Service>,
    Query(query): Query<NodesQuery>,
) -> Result<Json<NodesPage>, ApiError> {
    let limit = usize::try_from(read_limit(query.limit)?).unwrap_or(usize::MAX);
    let start = read_cursor(query.cursor.as_deref(), |text| text.parse::<usize>().ok())?;
    let start = start.unwrap_or_default();
    let text = read_text(query.q)?;
    let nodes = find_nodes(&service, given(query.cluster).as_deref(), text.as_deref());
    let end = start.saturating_add(limit);
    let next_cursor = (nodes.len() > end).then(|| end.to_string());
    Ok(Json(NodesPage {
        nodes: nodes.into_iter().skip(start).take(limit).collect(),
        clusters: service.settings.nodes.cluster_states(),
        next_cursor,
    }))
}

/// Returns one node with its pods.
#[utoipa::path(get, path = "/api/v1/nodes/{node}", tag = "nodes",
    params(("node" = String, Path, description = "The node's name", example = "node3"), NodePlace),
    responses((status = 200, description = "The node", body = NodeDetails), FindNodeProblems))]
pub async fn get_node(
    State(service): State<Service>,
    Path(node): Path<String>,
    Query(query): Query<NodePlace>,
) -> Result<Json<NodeDetails>, ApiError> {
    let found = service.settings.nodes.find(&node, given(query.cluster).as_deref());
    Ok(Json(found.map_err(super::super::error::Error::from)?))
}

/// The nodes of a cluster whose name or address holds `text`.
pub fn find_nodes(
    service: &Service,
    cluster: Option<&str>,
    text: Option<&str>,
) -> Vec<NodeSummary> {
    let text = text.map(str::to_lowercase);
    let mut nodes = service.settings.nodes.list();
    nodes.retain(|node| {
        let holds = |text: &String| {
            node.node.to_lowercase().contains(text)
                || node.addresses.iter().any(|one| one.address.to_string().contains(text))
        };
        cluster.is_none_or(|name| node.cluster.as_deref() == Some(name))
            && text.as_ref().is_none_or(holds)
    });
    nodes
}
