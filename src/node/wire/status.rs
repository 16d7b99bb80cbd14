//! How an agent is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CaptureStatistics;
use crate::model::time::Timestamp;

/// The agent, its node's interfaces, and its captures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The version of this API.
    #[schema(example = 1)]
    pub version: u32,
    /// The version of the program.
    pub program_version: String,
    pub node: String,
    pub started_at: Timestamp,
    /// The node's clock now.
    pub at: Timestamp,
    pub interfaces: Vec<InterfaceStatus>,
    /// Captures that run.
    pub captures: Vec<CaptureStatistics>,
    /// How many may run at the same time.
    pub capture_limit: u32,
    /// Packets that captures have seen since the agent started.
    pub packets_seen: u64,
    /// Packets for captures that the kernel dropped since the agent started.
    pub kernel_drops: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_packet_at: Option<Timestamp>,
}

/// An interface of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InterfaceStatus {
    pub name: String,
    pub index: u32,
    /// `UP`, `DOWN`, `UNKNOWN` …
    pub state: String,
    /// Whether the agent's settings allow captures here.
    pub may_capture: bool,
}
