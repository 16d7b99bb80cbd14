//! Node queries, and the alerts that started them.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::rows::{read_json, read_token};
use super::{Error, Store};
use crate::model::query::{NodeQuery, QueryState};
use crate::model::time::Timestamp;

pub(super) const COLUMNS: &str = "q.id, q.node, q.cluster, q.device, q.addresses, q.duration_s, q.state, \
     q.created_at_ns, q.started_at_ns, q.ended_at_ns, q.message";

/// How long a query without a report is remembered.
const MEMORY: Duration = Duration::from_hours(24 * 30);

#[derive(Debug, sqlx::FromRow)]
pub(super) struct QueryRow {
    id: Uuid,
    node: String,
    cluster: Option<String>,
    device: String,
    addresses: String,
    duration_s: i64,
    state: String,
    created_at_ns: i64,
    started_at_ns: Option<i64>,
    ended_at_ns: Option<i64>,
    message: Option<String>,
}

impl TryFrom<QueryRow> for NodeQuery {
    type Error = Error;

    fn try_from(row: QueryRow) -> Result<Self, Error> {
        let id = row.id;
        Ok(Self {
            id,
            node: row.node,
            cluster: row.cluster,
            device: row.device.parse().map_err(|_| Error::Damaged {
                id,
                message: format!("'{}' is not an address", row.device),
            })?,
            addresses: read_json(id, &row.addresses)?,
            duration_s: u32::try_from(row.duration_s).unwrap_or(u32::MAX),
            state: read_token(id, row.state)?,
            created_at: Timestamp::from_nanoseconds(row.created_at_ns),
            started_at: row.started_at_ns.map(Timestamp::from_nanoseconds),
            ended_at: row.ended_at_ns.map(Timestamp::from_nanoseconds),
            message: row.message,
        })
    }
}

impl Store {
    /// Notes a query that waits for its turn, and forgets old ones that left no report.
    ///
    /// # Errors
    ///
    /// Where the database does not take it.
    pub async fn insert_query(&self, query: &NodeQuery) -> Result<(), Error> {
        let addresses =
            serde_json::to_string(&query.addresses).map_err(|error| Error::Encode(error.into()))?;
        let memory_ns = i64::try_from(MEMORY.as_nanos()).unwrap_or(i64::MAX);
        let forgotten: Vec<Uuid> = sqlx::query_scalar(
            "DELETE FROM queries WHERE state IN ('finished', 'failed', 'interrupted') \
             AND created_at_ns < ? AND id NOT IN (SELECT id FROM analyses) RETURNING id",
        )
        .bind(query.created_at.as_nanoseconds().saturating_sub(memory_ns))
        .fetch_all(self.pool())
        .await?;
        for id in forgotten {
            if let Err(error) = self.remove_captures(id).await {
                tracing::warn!(%id, %error, "the capture of a query that is forgotten stays");
            }
        }
        sqlx::query(
            "INSERT INTO queries (id, node, cluster, device, addresses, duration_s, state, created_at_ns) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(query.id)
        .bind(&query.node)
        .bind(&query.cluster)
        .bind(query.device.to_string())
        .bind(addresses)
        .bind(i64::from(query.duration_s))
        .bind(query.state.as_token())
        .bind(query.created_at.as_nanoseconds())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes that a query has its turn.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn start_query(&self, id: Uuid, at: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE queries SET state = 'running', started_at_ns = ? WHERE id = ?")
            .bind(at.as_nanoseconds())
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Notes what the agent said so far, for a report after a crash.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn save_observed(&self, id: Uuid, json: &str) -> Result<(), Error> {
        sqlx::query("UPDATE queries SET observed = ? WHERE id = ?")
            .bind(json)
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// What the agent of a query said till the service ended.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn find_observed(&self, id: Uuid) -> Result<Option<String>, Error> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("SELECT observed FROM queries WHERE id = ?")
                .bind(id)
                .fetch_optional(self.pool())
                .await?;
        Ok(found.flatten())
    }

    /// Notes how a query ended.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn end_query(
        &self,
        id: Uuid,
        state: QueryState,
        at: Timestamp,
        message: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE queries SET state = ?, ended_at_ns = ?, message = ?, observed = NULL WHERE id = ?",
        )
        .bind(state.as_token())
        .bind(at.as_nanoseconds())
        .bind(message)
        .bind(id)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Counts one more start of the service that analyses what a query captured before
    /// the last end; returns how many there are with it.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn count_attempt(&self, id: Uuid) -> Result<u32, Error> {
        let attempts: i64 = sqlx::query_scalar(
            "UPDATE queries SET attempts = attempts + 1 WHERE id = ? RETURNING attempts",
        )
        .bind(id)
        .fetch_one(self.pool())
        .await?;
        Ok(u32::try_from(attempts).unwrap_or(u32::MAX))
    }

    /// Counts one start less: the service ends for another reason.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn take_attempt_back(&self, id: Uuid) -> Result<(), Error> {
        sqlx::query("UPDATE queries SET attempts = attempts - 1 WHERE id = ? AND attempts > 0")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// The query with this id.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or the row cannot be read back.
    pub async fn find_query(&self, id: Uuid) -> Result<Option<NodeQuery>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(COLUMNS).push(" FROM queries q WHERE q.id = ").push_bind(id);
        let row: Option<QueryRow> = statement.build_query_as().fetch_optional(self.pool()).await?;
        row.map(NodeQuery::try_from).transpose()
    }

    /// Queries that had not ended when the service did, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`Store::find_query`].
    pub async fn unfinished_queries(&self) -> Result<Vec<NodeQuery>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(COLUMNS).push(
            " FROM queries q WHERE q.state IN ('queued', 'running') ORDER BY q.created_at_ns",
        );
        let rows: Vec<QueryRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        rows.into_iter().map(NodeQuery::try_from).collect()
    }

    /// The newest query of a device.
    ///
    /// # Errors
    ///
    /// As [`Store::find_query`].
    pub async fn newest_query_of(&self, device: IpAddr) -> Result<Option<NodeQuery>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement
            .push(COLUMNS)
            .push(" FROM queries q WHERE q.device = ")
            .push_bind(device.to_string())
            .push(" ORDER BY q.created_at_ns DESC LIMIT 1");
        let row: Option<QueryRow> = statement.build_query_as().fetch_optional(self.pool()).await?;
        row.map(NodeQuery::try_from).transpose()
    }

    /// All addresses of a device by its newest report; none where it was never seen.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn addresses_of_device(&self, address: IpAddr) -> Result<Vec<IpAddr>, Error> {
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT y.address FROM device_addresses y JOIN \
             (SELECT d.analysis_id, d.device FROM device_addresses x JOIN devices d \
              ON d.analysis_id = x.analysis_id AND d.device = x.device WHERE x.address = ? \
              ORDER BY d.analysed_at_ns DESC, d.analysis_id DESC LIMIT 1) n \
             ON y.analysis_id = n.analysis_id AND y.device = n.device ORDER BY y.address",
        )
        .bind(address.to_string())
        .fetch_all(self.pool())
        .await?;
        Ok(found.iter().filter_map(|text| text.parse().ok()).collect())
    }

    /// The query that an alert started, if it did since `after` and the query runs or
    /// has a report: one that ended without is no reason to start nothing.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn find_alert(
        &self,
        fingerprint: &str,
        after: Timestamp,
    ) -> Result<Option<Uuid>, Error> {
        let found = sqlx::query_scalar(
            "SELECT a.query_id FROM alerts a WHERE a.fingerprint = ? AND a.started_at_ns > ? \
             AND NOT EXISTS (SELECT 1 FROM queries q WHERE q.id = a.query_id \
             AND q.state IN ('failed', 'interrupted') AND q.id NOT IN (SELECT id FROM analyses))",
        )
        .bind(fingerprint)
        .bind(after.as_nanoseconds())
        .fetch_optional(self.pool())
        .await?;
        Ok(found)
    }

    /// Notes that an alert started a query at `at`, and forgets those up to `after`.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn save_alert(
        &self,
        fingerprint: &str,
        query: Uuid,
        at: Timestamp,
        after: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("DELETE FROM alerts WHERE started_at_ns <= ?")
            .bind(after.as_nanoseconds())
            .execute(self.pool())
            .await?;
        sqlx::query(
            "INSERT INTO alerts (fingerprint, query_id, started_at_ns) VALUES (?, ?, ?) \
             ON CONFLICT (fingerprint) DO UPDATE SET query_id = excluded.query_id, \
             started_at_ns = excluded.started_at_ns",
        )
        .bind(fingerprint)
        .bind(query)
        .bind(at.as_nanoseconds())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The first capture of an analysis, as far as it was written; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where it is there and cannot be opened.
    pub fn open_capture(&self, id: Uuid) -> Result<Option<File>, Error> {
        let path = self.captures_of(id).join("0");
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Blob { path, source }),
        }
    }
}
