//! Nodes and clusters as the API tells of them.

use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::time::Timestamp;
use crate::model::topology::{FactSource, Role};

/// A node that is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeSummary {
    pub node: String,
    /// The cluster that it is of; `null` for one that is only registered by name.
    pub cluster: Option<String>,
    pub addresses: Vec<NodeAddress>,
    /// Pods on it that have not ended.
    pub pod_count: u64,
    pub agent: AgentSummary,
}

/// An address of a node, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeAddress {
    #[schema(value_type = String)]
    pub address: IpAddr,
    pub role: Role,
    pub source: FactSource,
    pub reason: String,
}

/// Whether the node can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentSummary {
    pub state: AgentState,
    /// Where it listens.
    pub url: Option<String>,
}

/// Whether an agent is known for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// None is registered for the node.
    None,
    /// One is registered; it was not asked here.
    Registered,
}

/// A node with what runs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeDetails {
    #[serde(flatten)]
    pub summary: NodeSummary,
    pub pods: Vec<PodSummary>,
}

/// A pod on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PodSummary {
    /// `namespace/name`
    pub pod: String,
    /// Its own; none where it uses the host's network.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    pub uses_host_network: bool,
}

/// How following a cluster goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClusterState {
    pub cluster: String,
    /// Whether everything that may be read there is up to date.
    pub connected: bool,
    /// Objects that are known.
    pub objects: u64,
    /// When the API last told anything, were it that nothing changed.
    pub last_event_at: Option<Timestamp>,
    /// Pods with the agents' label in other namespaces than that of our credentials: they
    /// are not asked, because they would be sent our token.
    pub agents_elsewhere: u64,
    pub resources: Vec<ResourceState>,
}

/// How following one resource of a cluster goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResourceState {
    /// `nodes`, `pods`, `services`, `endpointslices` or `ippools`.
    pub resource: String,
    pub state: ResourceHealth,
    pub objects: u64,
    /// Objects for which there is no room.
    pub objects_omitted: u64,
    pub last_event_at: Option<Timestamp>,
    /// What the API or the connection to it says.
    pub error: Option<String>,
}

/// Whether what is known of a resource is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceHealth {
    /// Not listed yet.
    #[default]
    Starting,
    /// Listed, and watched for changes.
    Fresh,
    /// Our account may not read it; nothing of it is known.
    Forbidden,
    /// The cluster does not have it, and need not.
    Absent,
    /// The API does not answer; what is known is of `last_event_at`.
    Failing,
}

impl ResourceHealth {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Fresh => "fresh",
            Self::Forbidden => "forbidden",
            Self::Absent => "absent",
            Self::Failing => "failing",
        }
    }
}
