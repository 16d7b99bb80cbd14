//! One query, from its turn to its report.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::super::error::Error;
use super::super::running::Task;
use super::observed::Observed;
use super::plan::{Chosen, Pods};
use super::watcher::Watcher;
use super::worker::{self, Piece, Rest};
use super::{Queries, Slot, Stop, agent_failed, masks, plan};
use crate::analysis::ReportHeader;
use crate::model::cluster::ServiceFact;
use crate::model::progress::Phase;
use crate::model::query::{NodeQuery, QueryState};
use crate::model::report::Report;
use crate::node::client::{AgentClient, LiveCapture};
use crate::node::wire::{CaptureLimits, NodeFacts, TrackedFlows};
use crate::store::CaptureBlobs;

/// Pieces that wait between the network and the analysis.
const QUEUE_PIECES: usize = 8;

/// How long the end of a capture may be late: the agent has to flush, and the
/// network to deliver.
const GRACE_TIME: Duration = Duration::from_secs(15);

/// Looks in a row without an answer after which an agent is lost.
const MOST_MISSES: u32 = 3;

/// Packets of one capture; the limit of bytes comes first, as a rule.
const MOST_PACKETS: u64 = 10_000_000;

/// A query and what it needs.
#[derive(Debug)]
pub struct Job {
    pub(super) queries: Queries,
    pub(super) agents: AgentClient,
    /// Where the node's agent listens.
    pub(super) agent: String,
    pub(super) query: NodeQuery,
    pub(super) interfaces: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) received_bytes: Arc<AtomicU64>,
    pub(super) slot: Slot,
}

/// How a capture ended.
#[derive(Debug)]
enum Ending {
    /// Its time was over, or somebody stopped it.
    Whole(Option<String>),
    /// Something cut it short: why.
    Cut(String),
}

/// Why there is no report.
#[derive(Debug)]
struct Failure {
    state: QueryState,
    error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { state: QueryState::Failed, error }
    }
}

impl Job {
    /// Runs it to its end, which the store and the registry are told.
    pub async fn run(mut self, task: Task) {
        let id = self.query.id;
        let outcome = self.perform(&task).await;
        let inner = &self.queries.inner;
        let (state, message, verdict) = match outcome {
            Ok((report, captures, ending)) => {
                task.enter(Phase::Storing);
                match inner.store.save(&report).await {
                    Ok(()) => {
                        captures.keep();
                        inner.notices.note_saved(id);
                        match ending {
                            Ending::Whole(message) => {
                                (QueryState::Finished, message, Ok(report.verdict))
                            }
                            Ending::Cut(message) => {
                                (QueryState::Interrupted, Some(message), Ok(report.verdict))
                            }
                        }
                    }
                    Err(error) => {
                        let error = Error::from(error);
                        (QueryState::Failed, Some(error.to_string()), Err(error))
                    }
                }
            }
            Err(Failure { state, error }) => (state, Some(error.to_string()), Err(error)),
        };
        let node = &self.query.node;
        // Not `message`: the line's own text has that name.
        tracing::info!(%id, node, device = %self.query.device, state = state.as_token(),
            reason = message.as_deref().unwrap_or_default(), "node query ended");
        if let Err(error) = self.queries.end(id, state, message.as_deref()).await {
            tracing::error!(%id, %error, "the end of a node query is not stored");
        }
        match verdict {
            Ok(verdict) => task.finish(verdict),
            Err(error) => task.fail(error.problem()),
        }
    }

    async fn perform(&mut self, task: &Task) -> Result<(Report, CaptureBlobs, Ending), Failure> {
        let mut stopped = self.slot.stopped.clone();
        let turns = Arc::clone(&self.queries.inner.turns);
        let _turn = tokio::select! {
            turn = turns.acquire_owned() => turn.map_err(|_| Error::Ending)?,
            stop = wait_for_stop(&mut stopped) => {
                let error = match stop {
                    Stop::Ending => Error::Ending,
                    Stop::Asked => Error::StoppedInQueue,
                };
                return Err(Failure { state: QueryState::Interrupted, error });
            }
        };
        task.enter(Phase::Receiving);
        let inner = Arc::clone(&self.queries.inner);
        inner.store.start_query(self.query.id, (inner.now)()).await.map_err(Error::from)?;

        let (ways, flows) = self.look_first().await?;
        let mut chosen = if self.interfaces.is_empty() {
            plan::choose_interfaces(&ways, flows.as_ref(), self.pods())
        } else {
            Chosen { interfaces: self.interfaces.clone(), notes: Vec::new() }
        };
        if chosen.interfaces.is_empty() {
            let node = self.query.node.clone();
            let reason = format!("the node has no route to {}", self.query.device);
            return Err(Error::AgentRefused { node, reason }.into());
        }
        let limits = CaptureLimits {
            seconds: self.query.duration_s,
            packets: MOST_PACKETS,
            bytes: inner.options.largest_bytes,
        };
        let addresses = &self.query.addresses;
        let services = self.find_services();
        let addresses_of_node = match ways.first() {
            Some(facts) if masks::may_be_masked(flows.as_ref(), &services) => {
                masks::masks_of(facts, addresses, &mut chosen.notes)
            }
            _ => Vec::new(),
        };
        for note in &chosen.notes {
            tracing::info!(id = %self.query.id, note, "the capture is not all that it could be");
        }
        let interfaces = masks::with_masks(
            chosen.interfaces,
            ways.first(),
            addresses,
            &self.ports,
            &addresses_of_node,
        );
        let next_hops = plan::next_hops_of(&ways);
        let (addresses, ports) = (addresses.clone(), self.ports.clone());
        let request = plan::request_of(interfaces, addresses, next_hops, ports, limits);
        let started = self.agents.capture(&self.agent, &request).await;
        let capture = started.map_err(|error| agent_failed(&self.query.node, error))?;

        let observed = Observed { facts: ways.into_iter().next(), flows, notes: chosen.notes };
        let watcher = Watcher::start(self, observed);
        let (pieces, queue) = mpsc::channel(QUEUE_PIECES);
        let (counts, hold) = (task.counts(), task.hold());
        let captures = inner.store.new_query_captures(self.query.id);
        let (limits, node) = (inner.limits, self.query.node.clone());
        let worker = tokio::task::spawn_blocking(move || {
            let _held = hold;
            worker::analyse(queue, limits, counts, &node, captures)
        });
        let capture_id = capture.id();
        let ending = self.receive(capture, &pieces, &watcher).await;
        task.enter(Phase::Diagnosing);
        let observed = self.look_last(watcher, &ending).await;
        let mut rest = rest_of(&self.queries, &self.query, observed, is_cut(&ending));
        if !is_cut(&ending) {
            // An agent that does not know says nothing of silence.
            let ended = self.agents.statistics(&self.agent, capture_id).await.ok();
            rest.observed_until = ended.and_then(|ended| ended.observed_until);
        }
        // Where it fails, the worker has ended, and says why.
        let _ = pieces.send(Piece::End(Box::new(rest))).await;
        drop(pieces);
        let analysed = worker.await.map_err(|_| Error::Internal("the analysis ended"))?;
        let (report, captures) = analysed.map_err(|error| match (error, &ending) {
            // That nothing can be read matters less than why nothing came.
            (Error::Input(_), Ending::Cut(reason)) => {
                let reason = reason.clone();
                Error::AgentUnreachable { node: self.query.node.clone(), reason }
            }
            (error, _) => error,
        })?;
        Ok((report, captures, ending))
    }

    /// What the node says before the capture: the way to each address, and what it tracks.
    async fn look_first(&self) -> Result<(Vec<NodeFacts>, Option<TrackedFlows>), Failure> {
        let failed = |error| agent_failed(&self.query.node, error);
        let mut ways = Vec::new();
        let mut observed = Observed::default();
        for address in &self.query.addresses {
            ways.push(self.agents.facts(&self.agent, *address).await.map_err(failed)?);
            // A node may have no such table.
            if let Ok(flows) = self.agents.conntrack(&self.agent, *address).await {
                observed.take(flows);
            }
        }
        Ok((ways, observed.flows))
    }

    /// Whether the cluster knows pods on the node.
    fn pods(&self) -> Pods {
        let NodeQuery { node, cluster, .. } = &self.query;
        let found = self.queries.inner.nodes.find(node, cluster.as_deref());
        match found {
            Ok(details) if details.summary.pod_count > 0 => Pods::Known,
            _ => Pods::NotKnown,
        }
    }

    /// The services of the node's cluster.
    fn find_services(&self) -> Vec<ServiceFact> {
        let Some(cluster) = self.query.cluster.clone() else { return Vec::new() };
        let said = self.queries.inner.nodes.facts(Some(&[cluster])).unwrap_or_default();
        said.into_iter().flat_map(|cluster| cluster.facts.services).collect()
    }

    /// Passes the capture on while it comes.
    async fn receive(
        &self,
        mut capture: LiveCapture,
        pieces: &mpsc::Sender<Piece>,
        watcher: &Watcher,
    ) -> Ending {
        let began = Instant::now();
        let id = capture.id();
        let duration = Duration::from_secs(u64::from(self.query.duration_s));
        let mut deadline = began + duration + GRACE_TIME;
        let mut stopped = self.slot.stopped.clone();
        let mut why = None;
        let mut look = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                chunk = capture.next() => match chunk {
                    Ok(Some(chunk)) => {
                        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                        self.received_bytes.fetch_add(length, Ordering::Relaxed);
                        if pieces.send(Piece::Bytes(chunk)).await.is_err() {
                            return Ending::Cut("the capture cannot be stored".to_owned());
                        }
                    }
                    Ok(None) => return self.judge_end(why, began.elapsed()).await,
                    Err(_) if why.is_some() => return self.judge_end(why, began.elapsed()).await,
                    Err(error) => return Ending::Cut(error.to_string()),
                },
                stop = wait_for_stop(&mut stopped), if why.is_none() => {
                    why = Some(stop);
                    deadline = Instant::now() + GRACE_TIME;
                    // Where it is out of reach, the deadline ends the capture.
                    let (agents, agent) = (self.agents.clone(), self.agent.clone());
                    tokio::spawn(async move { agents.stop(&agent, id).await });
                }
                _ = look.tick() => {
                    if watcher.misses.load(Ordering::Relaxed) >= MOST_MISSES {
                        return Ending::Cut("the agent does not answer any more".to_owned());
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    return Ending::Cut("the agent did not end the capture in time".to_owned());
                }
            }
        }
    }

    /// Why a stream ended that ended well.
    async fn judge_end(&self, why: Option<Stop>, took: Duration) -> Ending {
        let seconds = took.as_secs();
        match why {
            Some(Stop::Asked) => Ending::Whole(Some(format!("stopped after {seconds} s"))),
            Some(Stop::Ending) => {
                Ending::Cut(format!("the service was stopped {seconds} s into the capture"))
            }
            None if took + Duration::from_secs(2)
                < Duration::from_secs(u64::from(self.query.duration_s)) =>
            {
                // A limit of the agent, or the agent itself.
                if self.agents.status(&self.agent).await.is_ok() {
                    Ending::Whole(Some(format!(
                        "the agent ended the capture after {seconds} s, at a limit of its own"
                    )))
                } else {
                    Ending::Cut(format!("the agent was lost {seconds} s into the capture"))
                }
            }
            None => Ending::Whole(None),
        }
    }

    /// What the node says after the capture; what it said before where it is lost.
    async fn look_last(&self, watcher: Watcher, ending: &Ending) -> Observed {
        let mut observed = watcher.end();
        if is_cut(ending) && self.agents.status(&self.agent).await.is_err() {
            let ways = observed.facts.as_slice();
            observed.notes.extend(plan::neighbour_notes(ways));
            return observed;
        }
        if let Ok(facts) = self.agents.facts(&self.agent, self.query.device).await {
            observed.facts = Some(facts);
        }
        let mut ways: Vec<NodeFacts> = observed.facts.clone().into_iter().collect();
        for address in &self.query.addresses {
            if *address != self.query.device
                && let Ok(facts) = self.agents.facts(&self.agent, *address).await
            {
                ways.push(facts);
            }
        }
        observed.notes.extend(plan::neighbour_notes(&ways));
        for address in &self.query.addresses {
            if let Ok(flows) = self.agents.conntrack(&self.agent, *address).await {
                observed.take(flows);
            }
        }
        observed
    }
}

/// Waits until the query shall end before its time.
async fn wait_for_stop(stopped: &mut watch::Receiver<Option<Stop>>) -> Stop {
    // The sender is in the book for as long as the query has its slot.
    let stop = stopped.wait_for(Option::is_some).await.map_or(None, |stop| *stop);
    stop.unwrap_or(Stop::Ending)
}

fn is_cut(ending: &Ending) -> bool {
    matches!(ending, Ending::Cut(_))
}

/// What the report of a query needs beside packets.
pub(super) fn rest_of(
    queries: &Queries,
    query: &NodeQuery,
    observed: Observed,
    is_cut: bool,
) -> Rest {
    let inner = &queries.inner;
    let clusters = query.cluster.clone().map(|cluster| inner.nodes.facts(Some(&[cluster])));
    let end = if is_cut { ", cut short" } else { "" };
    Rest {
        header: ReportHeader {
            id: query.id,
            title: Some(format!("{} asked about {}{end}", query.node, query.device)),
            created_at: query.created_at,
        },
        node: query.node.clone(),
        device: query.device,
        addresses: query.addresses.clone(),
        observed,
        observed_until: None,
        // A cluster that is not followed any more says nothing.
        clusters: clusters.and_then(Result::ok).unwrap_or_default(),
    }
}
