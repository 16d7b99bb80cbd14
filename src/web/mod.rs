//! Pages and the JSON API.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::model::time::Timestamp;
use crate::node::registry::Nodes;
use crate::store::Store;

mod api;
mod assets;
mod connections;
mod error;
mod extract;
pub mod labels;
mod openapi;
mod pages;
mod problem;
mod query;
mod router;
mod security;
mod upload;

pub use connections::{Connections, serve};
pub use openapi::render_openapi;
pub use problem::Problem;
pub use router::router;

/// What the service may cost, and whom it asks for time, ids and nodes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes of one request's body.
    pub upload_limit_bytes: u64,
    /// Bytes of one input after decompression.
    pub expanded_limit_bytes: u64,
    /// Analyses that run at the same time.
    pub concurrent_analyses: usize,
    /// How long a body may stand still.
    pub stall_time: Duration,
    /// The slowest body that is heard out: so many bytes in each `rate_time`
    /// in which we waited for it.
    pub least_bytes: u64,
    pub rate_time: Duration,
    /// How long an upload waits for its turn.
    pub queue_time: Duration,
    /// How long a request other than an upload may take.
    pub request_time: Duration,
    pub now: fn() -> Timestamp,
    pub new_id: fn() -> Uuid,
    /// The nodes and clusters that are known.
    pub nodes: Nodes,
}

impl Settings {
    /// The defaults that the documentation names.
    #[must_use]
    pub fn new(now: fn() -> Timestamp, new_id: fn() -> Uuid) -> Self {
        Self {
            upload_limit_bytes: 2 << 30,
            expanded_limit_bytes: 16 << 30,
            concurrent_analyses: 1,
            stall_time: Duration::from_mins(1),
            least_bytes: 60 << 10,
            rate_time: Duration::from_mins(1),
            queue_time: Duration::from_secs(30),
            request_time: Duration::from_secs(30),
            now,
            new_id,
            nodes: Nodes::default(),
        }
    }
}

/// What every handler can reach.
#[derive(Debug, Clone)]
struct Service {
    store: Store,
    settings: Arc<Settings>,
    /// One permit per analysis that may run.
    turns: Arc<Semaphore>,
}
