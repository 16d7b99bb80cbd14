//! Node queries: what is asked of a node's agent, and what became of it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::finding::Verdict;
use super::time::Timestamp;

/// A live capture at one node for one device. Its id is the analysis' id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeQuery {
    pub id: Uuid,
    pub node: String,
    /// The cluster that the node is of; `null` for one that is registered by name only.
    pub cluster: Option<String>,
    #[schema(value_type = String, example = "2000::65:119")]
    pub device: IpAddr,
    /// All addresses that are captured, the device's first one included.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// How long it captures, in seconds.
    pub duration_s: u32,
    pub state: QueryState,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Why it failed, was interrupted, or ended before its time.
    pub message: Option<String>,
}

/// A node query, and what its report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuerySummary {
    #[serde(flatten)]
    pub query: NodeQuery,
    /// The report's verdict, of all that was captured; `null` where there is no report.
    pub verdict: Option<Verdict>,
    /// The report's headline; `null` where there is no report.
    pub headline: Option<String>,
}

/// Where a node query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryState {
    /// As many run as may; its turn has not come.
    Queued,
    Running,
    /// It captured for its time, or was stopped by somebody; there is a report.
    Finished,
    /// Nothing could be captured, analysed or stored; there is no report.
    Failed,
    /// Something cut it short: the agent was lost, the service ended, or somebody
    /// stopped it before its turn. What was captured till then is in the report; where
    /// nothing was, or it cannot be analysed, there is none.
    Interrupted,
}

impl QueryState {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}
