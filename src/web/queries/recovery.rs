//! Queries that the service's end cut short, at its next start.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::super::error::Error;
use super::super::running::Task;
use super::observed::Observed;
use super::{Queries, run, worker};
use crate::model::finding::Verdict;
use crate::model::progress::Phase;
use crate::model::query::{NodeQuery, QueryState};
use crate::store::Error as StoreError;

impl Queries {
    /// Analyses what queries captured before the service ended, one after the
    /// other, in the background. Returns how many there are.
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
        let queries = self.clone();
        tokio::spawn(async move {
            for (query, task) in tasks {
                queries.conclude(query, task).await;
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
        let end = async |message: &str| {
            let at = (inner.now)();
            inner.store.end_query(id, QueryState::Interrupted, at, Some(message)).await
        };
        if let Some(summary) = inner.store.find_summary(id).await? {
            inner.store.end_query(id, QueryState::Finished, (inner.now)(), None).await?;
            return Ok(summary.verdict);
        }
        let observed = inner.store.find_observed(id).await?;
        let observed = observed.and_then(|json| serde_json::from_str::<Observed>(&json).ok());
        // Told before it is done: a capture that ends the service does so once.
        end("the service ended while the query ran").await?;
        let Some(mut file) = inner.store.open_capture(id)? else {
            let message = "the service ended before anything was captured";
            end(message).await?;
            return Err(Error::QueryInterrupted(message));
        };
        let rest = run::rest_of(self, query, observed.unwrap_or_default(), true);
        let limits = inner.limits;
        let worker =
            tokio::task::spawn_blocking(move || worker::analyse_again(&mut file, limits, rest));
        let report = worker.await.map_err(|_| Error::Internal("the analysis ended"))??;
        inner.store.save(&report).await?;
        inner.notices.note_saved(id);
        Ok(report.verdict)
    }
}
