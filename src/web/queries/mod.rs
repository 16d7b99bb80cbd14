//! Node queries: live captures by a node's agent, analysed while they come.
//!
//! A query is a row of the store and a task of its own: it outlives the request
//! that asked for it. One node is asked about one device once at a time.

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use super::Settings;
use super::error::Error;
use super::notices::Notices;
use super::running::{Refusal, Running, Task};
use super::tally::{QUERIES, Tally};
use crate::analysis::Limits;
use crate::model::query::{NodeQuery, QueryState};
use crate::model::time::Timestamp;
use crate::node::client::{AgentClient, AgentError};
use crate::node::registry::Nodes;
use crate::node::summary::NodeSummary;
use crate::node::wire::InterfaceStatus;
use crate::store::{Error as StoreError, Store};

mod book;
mod masks;
mod observed;
mod plan;
mod recovery;
mod request;
mod run;
#[cfg(test)]
mod samples;
mod sides;
mod watcher;
mod worker;

pub use request::{Preflight, QueryRequest};

use book::{Book, Entered, How, Slot, Stop};
use request::{MOST_ADDRESSES, ask_first};

/// How node queries run.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Asks the agents; without it, no node can be asked.
    pub agents: Option<AgentClient>,
    /// Queries that capture at the same time.
    pub concurrent: usize,
    /// Queries that may wait for their turn.
    pub queue: usize,
    /// The longest capture, in seconds.
    pub longest_s: u32,
    /// The largest capture, in bytes.
    pub largest_bytes: u64,
    /// How often the connection tracking table is read: its UDP entries live for 30 s.
    pub look_time: Duration,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            agents: None,
            concurrent: 4,
            queue: 32,
            longest_s: 600,
            largest_bytes: 1 << 30,
            look_time: Duration::from_secs(10),
        }
    }
}

/// A query that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It has just begun.
    New(Uuid),
    /// It ran already.
    Running(Uuid),
}

impl Started {
    /// The analysis' id.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::New(id) | Self::Running(id) => id,
        }
    }
}

/// The node queries of a service. Clones share them.
#[derive(Debug, Clone)]
pub struct Queries {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    nodes: Nodes,
    running: Running,
    notices: Notices,
    options: QueryOptions,
    limits: Limits,
    turns: Arc<Semaphore>,
    book: Mutex<Book>,
    /// How many are left, for the end of the service.
    active: watch::Sender<usize>,
    /// Whether the service ends.
    closing: watch::Sender<bool>,
    tally: Tally,
    now: fn() -> Timestamp,
    new_id: fn() -> Uuid,
}

impl Queries {
    /// Nothing runs yet. Nodes, registry, clocks and limits are those of `settings`.
    #[must_use]
    pub fn new(store: Store, settings: &Settings, options: QueryOptions) -> Self {
        let turns = options.concurrent.clamp(1, Semaphore::MAX_PERMITS);
        let inner = Inner {
            store,
            nodes: settings.nodes.clone(),
            running: settings.running.clone(),
            notices: settings.notices.clone(),
            limits: Limits { expanded_bytes: settings.expanded_limit_bytes, ..Limits::default() },
            turns: Arc::new(Semaphore::new(turns)),
            book: Mutex::default(),
            active: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            tally: settings.tally.clone(),
            now: settings.now,
            new_id: settings.new_id,
            options,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a query, or finds the one that asks the same.
    ///
    /// # Errors
    ///
    /// Where the node is not known or has no agent, the request is out of bounds,
    /// as many queries wait as may, another one about the device runs there, or the
    /// agent says no.
    pub(super) async fn start(
        &self,
        request: QueryRequest,
        preflight: Preflight,
    ) -> Result<Started, Error> {
        let inner = &self.inner;
        let request = request.checked(inner.options.longest_s)?;
        let node = inner.nodes.find(&request.node, request.cluster.as_deref())?.summary;
        let agent = node.agent.url.ok_or_else(|| Error::NoAgent(node.node.clone()))?;
        let agents =
            inner.options.agents.clone().ok_or_else(|| Error::NoAgent(node.node.clone()))?;
        let how = How::of(&request);
        let cluster = node.cluster.as_deref();
        if let Some(running) = self.find_active(cluster, &node.node, request.device, &how) {
            return join(running, preflight);
        }
        if preflight == Preflight::AskFirst {
            ask_first(&agents, &agent, &node.node, &request).await?;
        }
        let mut addresses = vec![request.device];
        addresses.extend(&request.addresses);
        addresses.extend(inner.store.addresses_of_device(request.device).await?);
        let mut seen = HashSet::new();
        addresses.retain(|address| seen.insert(*address));
        addresses.truncate(MOST_ADDRESSES);

        let query = NodeQuery {
            id: (inner.new_id)(),
            node: node.node,
            cluster: node.cluster,
            device: request.device,
            addresses,
            duration_s: request.duration_s,
            state: QueryState::Queued,
            created_at: (inner.now)(),
            started_at: None,
            ended_at: None,
            message: None,
        };
        let slot = match self.enter(&query, &how)? {
            Entered::Running(running) => return join(running, preflight),
            Entered::New(slot) => slot,
        };
        let id = query.id;
        let received_bytes = Arc::<AtomicU64>::default();
        let task = self.begin(id, &received_bytes)?;
        if let Err(error) = inner.store.insert_query(&query).await {
            task.withdraw();
            return Err(error.into());
        }
        let job = run::Job {
            queries: self.clone(),
            agents,
            agent,
            query,
            interfaces: request.interfaces,
            ports: request.ports,
            received_bytes,
            slot,
        };
        tokio::spawn(job.run(task));
        Ok(Started::New(id))
    }

    /// Interfaces at which a node's agent may capture, for a form.
    ///
    /// # Errors
    ///
    /// Where the node has no agent, or it does not answer.
    pub(super) async fn interfaces_of(
        &self,
        node: &NodeSummary,
    ) -> Result<Vec<InterfaceStatus>, Error> {
        let no_agent = || Error::NoAgent(node.node.clone());
        let agent = node.agent.url.as_deref().ok_or_else(no_agent)?;
        let agents = self.inner.options.agents.as_ref().ok_or_else(no_agent)?;
        let status = agents.status(agent).await.map_err(|error| agent_failed(&node.node, error))?;
        let mut interfaces = status.interfaces;
        interfaces.retain(|one| one.may_capture);
        Ok(interfaces)
    }

    /// The longest capture, in seconds.
    pub(super) fn longest_s(&self) -> u32 {
        self.inner.options.longest_s
    }

    /// Notes in the store, and counts, how a query ended.
    async fn end(
        &self,
        id: Uuid,
        state: QueryState,
        message: Option<&str>,
    ) -> Result<(), StoreError> {
        self.inner.tally.note(&QUERIES, state.as_token());
        self.inner.store.end_query(id, state, (self.inner.now)(), message).await
    }

    fn begin(&self, id: Uuid, received_bytes: &Arc<AtomicU64>) -> Result<Task, Error> {
        let begun = self.inner.running.begin(id, None, Arc::clone(received_bytes));
        begun.map_err(|refusal| match refusal {
            Refusal::IdTaken => Error::IdTaken(id),
            Refusal::Full => Error::Full,
        })
    }
}

/// Answers with a query that runs already. Who asks for something else than it does is
/// told so; an alert is glad of any.
fn join(running: book::Running, preflight: Preflight) -> Result<Started, Error> {
    let book::Running { id, differs_in } = running;
    if preflight == Preflight::AskFirst && !differs_in.is_empty() {
        return Err(Error::QueryDiffers { id, members: differs_in.join(", ") });
    }
    Ok(Started::Running(id))
}

/// Tells a failure of an agent.
fn agent_failed(node: &str, error: AgentError) -> Error {
    let node = node.to_owned();
    match error {
        AgentError::Unreachable(reason) => Error::AgentUnreachable { node, reason },
        AgentError::Refused { reason, .. } => Error::AgentRefused { node, reason },
        AgentError::Malformed(reason) => Error::AgentRefused {
            node,
            reason: format!("what it answers is not understood: {reason}"),
        },
    }
}
