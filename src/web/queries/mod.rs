//! Node queries: live captures by a node's agent, analysed while they come.
//!
//! A query is a row of the store and a task of its own: it outlives the request
//! that asked for it. One node is asked about one device once at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use super::Settings;
use super::error::Error;
use super::notices::Notices;
use super::running::{Refusal, Running, Task};
use crate::analysis::Limits;
use crate::model::query::{NodeQuery, QueryState};
use crate::model::time::Timestamp;
use crate::node::client::{AgentClient, AgentError};
use crate::node::registry::Nodes;
use crate::node::summary::NodeSummary;
use crate::node::wire::InterfaceStatus;
use crate::store::Store;

mod masks;
mod observed;
mod plan;
mod recovery;
mod run;
#[cfg(test)]
mod samples;
mod watcher;
mod worker;

pub use plan::MOST_INTERFACES;

/// Addresses of one device, and ports, as agents take them.
const MOST_ADDRESSES: usize = 32;
const MOST_PORTS: usize = 64;

/// Names of interfaces in Linux are shorter than this (`IFNAMSIZ`).
const INTERFACE_NAME_BYTES: usize = 16;

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

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRequest {
    pub node: String,
    /// Needed where several clusters have a node of this name.
    pub cluster: Option<String>,
    pub device: IpAddr,
    /// More addresses of the device; those of its newest report count as well.
    pub addresses: Vec<IpAddr>,
    pub duration_s: u32,
    /// None: those that matter to the device.
    pub interfaces: Vec<String>,
    /// None: all.
    pub ports: Vec<u16>,
}

/// Whether the agent is asked before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// What it would refuse is refused at once.
    AskFirst,
    /// The answer is due at once; the query's state tells the rest.
    Trust,
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

/// Why a query shall end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Somebody has seen enough.
    Asked,
    /// The service ends.
    Ending,
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
    now: fn() -> Timestamp,
    new_id: fn() -> Uuid,
}

#[derive(Debug, Default)]
struct Book {
    active: HashMap<Uuid, Active>,
    /// What an earlier run of the service captured is analysed.
    is_recovering: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Active {
    cluster: Option<String>,
    node: String,
    addresses: Vec<IpAddr>,
    stop: watch::Sender<Option<Stop>>,
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
    /// as many queries wait as may, or the agent says no.
    pub(super) async fn start(
        &self,
        request: QueryRequest,
        preflight: Preflight,
    ) -> Result<Started, Error> {
        let inner = &self.inner;
        let request = self.check(request)?;
        let node = inner.nodes.find(&request.node, request.cluster.as_deref())?.summary;
        let agent = node.agent.url.ok_or_else(|| Error::NoAgent(node.node.clone()))?;
        let agents =
            inner.options.agents.clone().ok_or_else(|| Error::NoAgent(node.node.clone()))?;
        if let Some(id) = self.find_active(node.cluster.as_deref(), &node.node, request.device) {
            return Ok(Started::Running(id));
        }
        if preflight == Preflight::AskFirst {
            ask_first(&agents, &agent, &node.node, &request).await?;
        }
        let mut addresses = vec![request.device];
        addresses.extend(&request.addresses);
        addresses.extend(inner.store.addresses_of_device(request.device).await?);
        let mut seen = std::collections::HashSet::new();
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
        let slot = match self.enter(&query)? {
            Entered::Running(id) => return Ok(Started::Running(id)),
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

    /// Ends a query early; its report is made of what was captured.
    ///
    /// # Errors
    ///
    /// Where no query of this id runs.
    pub(super) fn stop(&self, id: Uuid) -> Result<(), Error> {
        let book = self.lock();
        let active = book.active.get(&id).ok_or(Error::QueryNotRunning(id))?;
        active.stop.send_replace(Some(Stop::Asked));
        Ok(())
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

    /// The query about a device that runs or waits at any node.
    pub(super) fn find_active_of(&self, device: IpAddr) -> Option<Uuid> {
        let book = self.lock();
        book.active.iter().find(|(_, one)| one.addresses.contains(&device)).map(|(id, _)| *id)
    }

    /// Begins no more queries, and ends those that run: they are analysed and saved.
    pub fn close(&self) {
        let mut book = self.lock();
        book.is_closed = true;
        for active in book.active.values() {
            active.stop.send_replace(Some(Stop::Ending));
        }
        self.inner.closing.send_replace(true);
    }

    /// Waits until no query is left, and none that is recovered.
    pub async fn wait_for_end(&self) {
        // The sender is in `self`.
        let _ = self.inner.active.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Refuses what no agent takes, or more than the settings allow.
    fn check(&self, mut request: QueryRequest) -> Result<QueryRequest, Error> {
        let longest_s = self.inner.options.longest_s;
        let bad = |text: String| Err(Error::BadBody(text));
        if !(1..=longest_s).contains(&request.duration_s) {
            return bad(format!("duration_s is {}; expected 1 to {longest_s}", request.duration_s));
        }
        request.device = request.device.to_canonical();
        for address in &mut request.addresses {
            *address = address.to_canonical();
        }
        for address in request.addresses.iter().chain([&request.device]) {
            if address.is_unspecified() || address.is_multicast() {
                return bad(format!("{address} is not the address of one device"));
            }
        }
        for (name, found, most) in [
            ("addresses", request.addresses.len() + 1, MOST_ADDRESSES),
            ("interfaces", request.interfaces.len(), MOST_INTERFACES),
            ("ports", request.ports.len(), MOST_PORTS),
        ] {
            if found > most {
                return bad(format!("{found} {name} are asked for; expected at most {most}"));
            }
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() < INTERFACE_NAME_BYTES
                && name.chars().all(|sign| sign.is_ascii_graphic() && sign != '/')
        };
        if let Some(name) = request.interfaces.iter().find(|name| !is_name(name)) {
            let name: String = name.chars().take(40).collect();
            return bad(format!("'{name}' is not the name of an interface"));
        }
        let mut seen = std::collections::HashSet::new();
        request.interfaces.retain(|name| seen.insert(name.clone()));
        Ok(request)
    }

    fn find_active(&self, cluster: Option<&str>, node: &str, device: IpAddr) -> Option<Uuid> {
        find_active(&self.lock(), cluster, node, device)
    }

    /// Takes a place in the queue.
    fn enter(&self, query: &NodeQuery) -> Result<Entered, Error> {
        let limit = self.inner.options.concurrent.saturating_add(self.inner.options.queue);
        let mut book = self.lock();
        if book.is_closed {
            return Err(Error::Ending);
        }
        // Somebody may have asked the same in the meantime.
        if let Some(id) = find_active(&book, query.cluster.as_deref(), &query.node, query.device) {
            return Ok(Entered::Running(id));
        }
        if book.active.len() >= limit {
            return Err(Error::QueueFull { limit });
        }
        let (stop, stopped) = watch::channel(None);
        let active = Active {
            cluster: query.cluster.clone(),
            node: query.node.clone(),
            addresses: query.addresses.clone(),
            stop,
        };
        book.active.insert(query.id, active);
        self.publish(&book);
        Ok(Entered::New(Slot { queries: self.clone(), id: query.id, stopped }))
    }

    fn begin(&self, id: Uuid, received_bytes: &Arc<AtomicU64>) -> Result<Task, Error> {
        let begun = self.inner.running.begin(id, None, Arc::clone(received_bytes));
        begun.map_err(|refusal| match refusal {
            Refusal::IdTaken => Error::IdTaken(id),
            Refusal::Full => Error::Full,
        })
    }

    fn note(&self, change: impl FnOnce(&mut Book)) {
        let mut book = self.lock();
        change(&mut book);
        self.publish(&book);
    }

    /// Tells how many are left.
    fn publish(&self, book: &Book) {
        self.inner.active.send_replace(book.active.len() + usize::from(book.is_recovering));
    }

    /// Held for a look or a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.inner.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find_active(book: &Book, cluster: Option<&str>, node: &str, device: IpAddr) -> Option<Uuid> {
    let is_same = |one: &Active| {
        one.cluster.as_deref() == cluster && one.node == node && one.addresses.contains(&device)
    };
    book.active.iter().find(|(_, one)| is_same(one)).map(|(id, _)| *id)
}

enum Entered {
    New(Slot),
    Running(Uuid),
}

/// A query's place; dropped, it is free, however the query ended.
#[derive(Debug)]
struct Slot {
    queries: Queries,
    id: Uuid,
    stopped: watch::Receiver<Option<Stop>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.queries.note(|book| {
            book.active.remove(&self.id);
        });
    }
}

/// Asks the agent what it would say to the capture.
async fn ask_first(
    agents: &AgentClient,
    agent: &str,
    node: &str,
    request: &QueryRequest,
) -> Result<(), Error> {
    let status = agents.status(agent).await.map_err(|error| agent_failed(node, error))?;
    for name in &request.interfaces {
        let found = status.interfaces.iter().find(|one| one.name == *name);
        let reason = match found {
            None => format!("it has no interface {name}"),
            Some(one) if !one.may_capture => {
                format!("its settings allow no capture at {name}")
            }
            Some(_) => continue,
        };
        return Err(Error::AgentRefused { node: node.to_owned(), reason });
    }
    Ok(())
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
