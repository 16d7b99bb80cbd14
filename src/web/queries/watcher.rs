//! Looks at what a node tracks while a query runs: UDP entries live for 30 s unanswered.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

use super::observed::Observed;
use super::run::Job;
use crate::node::client::{AgentClient, AgentError};

/// Looks at the connection tracking table from time to time; dropped, it stops.
#[derive(Debug)]
pub struct Watcher {
    observed: Arc<Mutex<Observed>>,
    /// Looks in a row that had no answer.
    pub misses: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Starts looking, and stores what is seen, beginning with `observed`.
    pub fn start(job: &Job, observed: Observed) -> Self {
        let observed = Arc::new(Mutex::new(observed));
        let misses = Arc::<AtomicU32>::default();
        let look = Look {
            agents: job.agents.clone(),
            agent: job.agent.clone(),
            addresses: job.query.addresses.clone(),
            observed: Arc::clone(&observed),
            misses: Arc::clone(&misses),
        };
        let (store, id) = (job.queries.inner.store.clone(), job.query.id);
        let pause = job.queries.inner.options.look_time;
        let task = tokio::spawn(async move {
            loop {
                let json = serde_json::to_string(&*lock(&look.observed)).unwrap_or_default();
                if let Err(error) = store.save_observed(id, &json).await {
                    tracing::warn!(%id, %error, "what the agent says is not stored");
                }
                tokio::time::sleep(pause).await;
                look.look().await;
            }
        });
        Self { observed, misses, task }
    }

    /// What was seen.
    pub fn end(self) -> Observed {
        self.task.abort();
        lock(&self.observed).clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Look {
    agents: AgentClient,
    agent: String,
    addresses: Vec<IpAddr>,
    observed: Arc<Mutex<Observed>>,
    misses: Arc<AtomicU32>,
}

impl Look {
    async fn look(&self) {
        for address in &self.addresses {
            match self.agents.conntrack(&self.agent, *address).await {
                Ok(flows) => {
                    self.misses.store(0, Ordering::Relaxed);
                    lock(&self.observed).take(flows);
                }
                Err(AgentError::Refused { .. }) => {
                    // It answers; there is no such table.
                    self.misses.store(0, Ordering::Relaxed);
                }
                Err(error) => {
                    self.misses.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(%error, "no look at the connection tracking table");
                    return;
                }
            }
        }
    }
}

fn lock(observed: &Mutex<Observed>) -> std::sync::MutexGuard<'_, Observed> {
    observed.lock().unwrap_or_else(PoisonError::into_inner)
}
