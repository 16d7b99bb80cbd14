//! Queries that the service's end cut short, at its next start.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use super::super::error::Error;
use super::super::running::Task;
use super::observed::Observed;
use super::{Queries, run, worker};
use crate::model::finding::Verdict;
use crate::model::input::InputError;
use crate::model::progress::Phase;
use crate::model::query::{NodeQuery, QueryState};
use crate::model::report::Report;
use crate::store::Error as StoreError;

/// Starts of the service that may analyse one capture: one at which the service
/// ended each time is left alone then.
const MOST_ATTEMPTS: u32 = 3;

impl Queries {
    /// Analyses what queries captured before the service ended, one after the
    /// other, in the background. Returns how many there are. A query is unfinished
    /// in the store until its report is there, so that it outlives another end.
    ///
    /// # Errors
    ///
    /// Where the store does not answer.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let unfinished = self.inner.store.unfinished_queries().await?;
        let count = unfinished.len();
        let mut tasks = Vec::with_capacity(count);
        for query in unfinished {
            // In the registry before anybody can ask for it.
            if let Ok(task) = self.begin(query.id, &Arc::<AtomicU64>::default()) {
                tasks.push((query, task));
            }
        }
        let recovery = Recovery::begin(self);
        tokio::spawn(async move {
            for (query, task) in tasks {
                if *recovery.0.inner.closing.borrow() {
                    // The next start goes on.
                    task.fail(Error::Ending.problem());
                } else {
                    recovery.0.conclude(query, task).await;
                }
            }
        });
        Ok(count)
    }

    async fn conclude(&self, query: NodeQuery, task: Task) {
        task.enter(Phase::Diagnosing);
        match self.analyse_again(&query).await {
            Ok(verdict) => task.finish(verdict),
            Err(error) => {
                tracing::warn!(id = %query.id, %error, "a node query that was cut short has no report");
                task.fail(error.problem());
            }
        }
    }

    async fn analyse_again(&self, query: &NodeQuery) -> Result<Verdict, Error> {
        let inner = &self.inner;
        let id = query.id;
        let end = async |message: &str| self.end(id, QueryState::Interrupted, Some(message)).await;
        let give_up = async |message: &'static str| match end(message).await {
            Ok(()) => Error::QueryInterrupted(message),
            Err(error) => error.into(),
        };
        if let Some(summary) = inner.store.find_summary(id).await? {
            self.end(id, QueryState::Finished, None).await?;
            return Ok(summary.verdict);
        }
        let Some(mut file) = inner.store.open_capture(id)? else {
            return Err(give_up("the service ended before anything was captured").await);
        };
        // Counted before it is done: what ends the service gets no other chance to be.
        if inner.store.count_attempt(id).await? > MOST_ATTEMPTS {
            let message =
                "the service ended each time it analysed what was captured; the capture is kept";
            return Err(give_up(message).await);
        }
        let observed = inner.store.find_observed(id).await?;
        let observed = observed.and_then(|json| serde_json::from_str::<Observed>(&json).ok());
        let rest = run::rest_of(self, query, observed.unwrap_or_default(), true);
        let limits = inner.limits;
        let worker =
            tokio::task::spawn_blocking(move || worker::analyse_again(&mut file, limits, rest));
        match self.wait_for_worker(id, worker).await? {
            Ok(Ok(report)) => {
                inner.store.save(&report).await?;
                inner.notices.note_saved(id);
                end("the service ended while the query ran").await?;
                Ok(report.verdict)
            }
            Ok(Err(error)) => {
                // As of a query whose capture cannot be read while it runs.
                end(&error.to_string()).await?;
                inner.store.remove_captures(id).await?;
                Err(error.into())
            }
            Err(_) => {
                let message =
                    "the analysis of what was captured ended unexpectedly; the capture is kept";
                Err(give_up(message).await)
            }
        }
    }

    /// Waits for the analysis. Where the service is told to end meanwhile, it is not
    /// the capture that ends it.
    async fn wait_for_worker(
        &self,
        id: Uuid,
        mut worker: JoinHandle<Result<Report, InputError>>,
    ) -> Result<Result<Result<Report, InputError>, JoinError>, StoreError> {
        let mut closing = self.inner.closing.subscribe();
        tokio::select! {
            analysed = &mut worker => return Ok(analysed),
            // The sender is in `self`.
            _ = closing.wait_for(|is_closing| *is_closing) => {}
        }
        self.inner.store.take_attempt_back(id).await?;
        Ok(worker.await)
    }
}

/// Dropped, nothing is left to be recovered.
struct Recovery(Queries);

impl Recovery {
    fn begin(queries: &Queries) -> Self {
        queries.note(|book| book.is_recovering = true);
        Self(queries.clone())
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.0.note(|book| book.is_recovering = false);
    }
}
