//! Pages and the JSON API.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::Semaphore;
use uuid::Uuid;

use self::error::Error;
use self::rendered::RenderedPages;
use self::running::Known;
use crate::model::progress::Progress;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use crate::node::registry::Nodes;
use crate::store::{self, Store};

mod alerts;
mod api;
mod assets;
mod chunks;
mod coding;
mod connections;
mod error;
mod events;
mod extract;
mod notices;
mod openapi;
mod pages;
mod problem;
mod problem_types;
mod queries;
mod query;
mod rendered;
mod router;
mod running;
mod security;
mod tags;
mod tally;
mod upload;

pub use alerts::AlertOptions;
pub use connections::{Connections, serve};
pub use notices::Notices;
pub use openapi::render_openapi;
pub use problem::Problem;
pub use queries::{Queries, QueryOptions, QueryRequest, Started};
pub use router::router;
pub use running::Running;
pub use security::AcceptedHosts;
pub use tally::Tally;

/// What the service may cost, and whom it asks for time, ids and nodes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes of one request's body.
    pub upload_limit_bytes: u64,
    /// Bytes of one input after decompression.
    pub expanded_limit_bytes: u64,
    /// Uploads that are analysed at the same moment; the others wait for a turn.
    pub concurrent_analyses: usize,
    /// Uploads that are open at the same time. Each has the memory that its analysis
    /// needs, also while it waits.
    pub concurrent_uploads: usize,
    /// How long a body may stand still.
    pub stall_time: Duration,
    /// The slowest body that is heard out: so many bytes in each `rate_time`
    /// in which we waited for it.
    pub least_bytes: u64,
    pub rate_time: Duration,
    /// How long an upload waits until another one ends.
    pub queue_time: Duration,
    /// How long a request other than an upload may take.
    pub request_time: Duration,
    /// Bytes of rendered pages that are kept for the next reader.
    pub page_cache_bytes: usize,
    /// The analyses that run.
    pub running: Running,
    /// Requests that may follow analyses at the same time.
    pub listener_limit: usize,
    /// How long such a request waits for its analysis to begin.
    pub listener_patience: Duration,
    /// The least time between two events of one analysis.
    pub event_pause: Duration,
    pub now: fn() -> Timestamp,
    pub new_id: fn() -> Uuid,
    /// The nodes and clusters that are known.
    pub nodes: Nodes,
    /// How alerts start node queries.
    pub alerts: AlertOptions,
    /// Who is told when a device's verdict changes.
    pub notices: Notices,
    /// The hosts under which the service answers.
    pub accepted_hosts: AcceptedHosts,
    /// What was done since the start.
    pub tally: Tally,
}

impl Settings {
    /// The defaults that the documentation and the command's help name.
    #[must_use]
    pub fn new(now: fn() -> Timestamp, new_id: fn() -> Uuid) -> Self {
        Self {
            upload_limit_bytes: 4 << 30,
            expanded_limit_bytes: 16 << 30,
            concurrent_analyses: available_parallelism().map_or(1, NonZeroUsize::get),
            concurrent_uploads: 64,
            stall_time: Duration::from_mins(1),
            least_bytes: 60 << 10,
            rate_time: Duration::from_mins(1),
            queue_time: Duration::from_secs(30),
            request_time: Duration::from_secs(30),
            page_cache_bytes: 32 << 20,
            running: Running::new(),
            listener_limit: 128,
            listener_patience: Duration::from_secs(30),
            event_pause: Duration::from_millis(250),
            now,
            new_id,
            nodes: Nodes::default(),
            alerts: AlertOptions::default(),
            notices: Notices::off(),
            accepted_hosts: AcceptedHosts::Any,
            tally: Tally::default(),
        }
    }
}

/// What every handler can reach.
#[derive(Debug, Clone)]
struct Service {
    store: Store,
    settings: Arc<Settings>,
    queries: Queries,
    pages: RenderedPages,
    /// One permit per upload that may be analysed at the same moment.
    turns: Arc<Semaphore>,
    /// One permit per upload that may be open.
    uploads: Arc<Semaphore>,
    /// One permit per request that may follow an analysis.
    listeners: Arc<Semaphore>,
}

/// What is known of an analysis by its id.
#[derive(Debug)]
enum Found<T = Box<Report>> {
    /// The report's frame, where nothing else is asked of it: its devices, which may
    /// be many, are read as they are needed.
    Finished(T),
    Running(Progress),
}

impl Service {
    /// The analysis with this id.
    ///
    /// # Errors
    ///
    /// Where there is none, or it failed; where the store does not answer.
    async fn find(&self, id: Uuid) -> Result<Found, Error> {
        self.find_with(id, async { Ok(self.store.find_frame(id).await?.map(Box::new)) }).await
    }

    /// When the report with this id was made.
    ///
    /// # Errors
    ///
    /// As [`Service::find`].
    async fn find_created(&self, id: Uuid) -> Result<Found<Timestamp>, Error> {
        self.find_with(id, self.store.find_created(id)).await
    }

    /// What `read` finds in the store of the analysis with this id, unless it runs.
    async fn find_with<T>(
        &self,
        id: Uuid,
        read: impl Future<Output = Result<Option<T>, store::Error>>,
    ) -> Result<Found<T>, Error> {
        // The registry first: an analysis is stored before it leaves it.
        let known = self.settings.running.find(id);
        if let Some(Known::Running(entry)) = &known {
            return Ok(Found::Running(entry.progress()));
        }
        match (read.await?, known) {
            (Some(found), _) => Ok(Found::Finished(found)),
            (None, Some(Known::Failed(problem))) => {
                Err(Error::AnalysisFailed { id, problem: Box::new(problem) })
            }
            (None, None | Some(Known::Running(_))) => Err(self.explain_absence(id).await?),
        }
    }

    /// Deletes an analysis and its captures, or a node query that left no report.
    ///
    /// # Errors
    ///
    /// Where there is none, it runs, or the store does not do it.
    async fn delete(&self, id: Uuid) -> Result<(), Error> {
        // The registry first: captures of an analysis that runs are written.
        if let Some(Known::Running(_)) = self.settings.running.find(id) {
            return Err(Error::AnalysisRuns(id));
        }
        let was_stored = self.store.delete(id).await?;
        self.pages.forget(id);
        // One that failed leaves no more than why, in the registry or in the store.
        let was_remembered = self.settings.running.forget(id);
        if was_stored || was_remembered { Ok(()) } else { Err(Error::AnalysisNotFound(id)) }
    }

    /// Why there is no report: a node query remembers it, also over a restart.
    async fn explain_absence(&self, id: Uuid) -> Result<Error, Error> {
        let query = self.store.find_query(id).await?;
        let Some(message) = query.and_then(|query| query.message) else {
            return Ok(Error::AnalysisNotFound(id));
        };
        let problem = Problem {
            kind: "/problems/analysis-failed".to_owned(),
            title: "Node query without a report".to_owned(),
            status: 404,
            detail: message,
            offset: None,
            capture: None,
            hint: None,
        };
        Ok(Error::AnalysisFailed { id, problem: Box::new(problem) })
    }

    /// The frame of the stored report with this id.
    ///
    /// # Errors
    ///
    /// As [`Service::find`], and where the analysis still runs.
    async fn find_frame(&self, id: Uuid) -> Result<Box<Report>, Error> {
        match self.find(id).await? {
            Found::Finished(report) => Ok(report),
            Found::Running(_) => Err(Error::AnalysisRuns(id)),
        }
    }
}
