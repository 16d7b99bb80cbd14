//! Whole reports: saved, found, listed, deleted.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::rows::{ANALYSIS_COLUMNS, AnalysisRow};
use super::{AnalysisCursor, Error, Filter, Page, Store};
use crate::model::report::{AnalysisSummary, Device, Report};

/// Rows of one statement: a statement for each would cost a report on thousands
/// of devices most of its time. SQLite takes 32,766 values in one.
const ROWS_AT_ONCE: usize = 2_000;

/// Reports compress some tenfold at the fast levels already.
const ZSTD_LEVEL: i32 = 3;

impl Store {
    /// Saves a report in one transaction: whole or not at all.
    ///
    /// # Errors
    ///
    /// Where the database does not take it, such as a second report of one id.
    pub async fn save(&self, report: &Report) -> Result<(), Error> {
        let json = serde_json::to_vec(report).map_err(|error| Error::Encode(error.into()))?;
        let compressed = zstd::bulk::compress(&json, ZSTD_LEVEL).map_err(Error::Encode)?;
        let captures: Vec<&str> = report.captures.iter().map(|one| one.name.as_str()).collect();
        let mut transaction = self.pool().begin().await?;
        sqlx::query(
            "INSERT INTO analyses (id, title, created_at_ns, verdict, headline, device_count, captures, report) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(report.id)
        .bind(&report.title)
        .bind(report.created_at.as_nanoseconds())
        .bind(report.verdict.as_token())
        .bind(&report.headline)
        .bind(i64::try_from(report.devices.len()).unwrap_or(i64::MAX))
        .bind(encode(&captures)?)
        .bind(compressed)
        .execute(&mut *transaction)
        .await?;
        for devices in report.devices.chunks(ROWS_AT_ONCE) {
            insert_devices(&mut transaction, report, devices).await?;
        }
        let nodes = report.captures.iter().filter_map(|capture| capture.node.as_deref());
        let nodes = nodes.chain(report.addresses.iter().filter_map(|one| one.node.as_deref()));
        for node in nodes.collect::<BTreeSet<_>>() {
            sqlx::query("INSERT INTO analysis_nodes (analysis_id, node) VALUES (?, ?)")
                .bind(report.id)
                .bind(node)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The report with this id.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or the stored report cannot be read back.
    pub async fn find(&self, id: Uuid) -> Result<Option<Report>, Error> {
        let compressed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT report FROM analyses WHERE id = ?")
                .bind(id)
                .fetch_optional(self.pool())
                .await?;
        let Some(compressed) = compressed else { return Ok(None) };
        let damaged = |message: String| Error::Damaged { id, message };
        let json = zstd::stream::decode_all(compressed.as_slice())
            .map_err(|error| damaged(error.to_string()))?;
        serde_json::from_slice(&json).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// The part of one device, by any of its addresses.
    ///
    /// # Errors
    ///
    /// As [`Store::find`].
    pub async fn find_device(&self, id: Uuid, address: IpAddr) -> Result<Option<Device>, Error> {
        let report = self.find(id).await?;
        Ok(report.and_then(|report| {
            report
                .devices
                .into_iter()
                .find(|device| device.device == address || device.addresses.contains(&address))
        }))
    }

    /// Whether there is a report with this id.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn contains(&self, id: Uuid) -> Result<bool, Error> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM analyses WHERE id = ?")
            .bind(id)
            .fetch_optional(self.pool())
            .await?;
        Ok(found.is_some())
    }

    /// What lists show of the report with this id.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or the row cannot be read back.
    pub async fn find_summary(&self, id: Uuid) -> Result<Option<AnalysisSummary>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(ANALYSIS_COLUMNS).push(" FROM analyses a WHERE a.id = ").push_bind(id);
        let row: Option<AnalysisRow> =
            statement.build_query_as().fetch_optional(self.pool()).await?;
        row.map(AnalysisSummary::try_from).transpose()
    }

    /// Up to `limit` reports that match `filter`, newest first, older than `cursor`.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn list(
        &self,
        filter: &Filter,
        cursor: Option<AnalysisCursor>,
        limit: u32,
    ) -> Result<Page<AnalysisSummary>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(ANALYSIS_COLUMNS).push(" FROM analyses a WHERE 1 = 1");
        if let Some(cursor) = cursor {
            statement
                .push(" AND (a.created_at_ns, a.id) < (")
                .push_bind(cursor.created_at.as_nanoseconds())
                .push(", ")
                .push_bind(cursor.id)
                .push(")");
        }
        filter.push_conditions(&mut statement);
        statement
            .push(" ORDER BY a.created_at_ns DESC, a.id DESC LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let rows: Vec<AnalysisRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            entries.push(AnalysisSummary::try_from(row)?);
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = entries.len() <= limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| !is_last);
        let next_cursor =
            last.map(|entry| AnalysisCursor { created_at: entry.created_at, id: entry.id });
        Ok(Page { entries, next_cursor })
    }

    /// Deletes a report and its captures. `false`: there was none.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or the captures cannot be removed;
    /// the report is gone then, and the captures go at the next start.
    pub async fn delete(&self, id: Uuid) -> Result<bool, Error> {
        let deleted = sqlx::query("DELETE FROM analyses WHERE id = ?")
            .bind(id)
            .execute(self.pool())
            .await?
            .rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        self.remove_captures(id).await?;
        Ok(true)
    }
}

async fn insert_devices(
    connection: &mut SqliteConnection,
    report: &Report,
    devices: &[Device],
) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(devices.len());
    let (mut addresses, mut causes) = (Vec::new(), Vec::new());
    for device in devices {
        let own: Vec<_> = device.findings.iter().map(|finding| finding.cause).collect();
        rows.push((device, encode(&own)?));
        let name = device.device.to_string();
        let all: BTreeSet<IpAddr> =
            device.addresses.iter().copied().chain([device.device]).collect();
        addresses.extend(all.into_iter().map(|one| (name.clone(), one.to_string())));
        let own: BTreeSet<_> = own.into_iter().collect();
        causes.extend(own.into_iter().map(|cause| (name.clone(), cause.as_token().to_owned())));
    }
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO devices (analysis_id, device, name, verdict, headline, causes, analysed_at_ns) ",
    );
    statement.push_values(rows, |mut row, (device, causes)| {
        row.push_bind(report.id)
            .push_bind(device.device.to_string())
            .push_bind(device.name.clone())
            .push_bind(device.verdict.as_token())
            .push_bind(device.headline.clone())
            .push_bind(causes)
            .push_bind(report.created_at.as_nanoseconds());
    });
    statement.build().execute(&mut *connection).await?;
    for (head, pairs) in [
        ("INSERT INTO device_addresses (analysis_id, device, address) ", addresses),
        ("INSERT INTO device_causes (analysis_id, device, cause) ", causes),
    ] {
        for pairs in pairs.chunks(ROWS_AT_ONCE) {
            let mut statement = QueryBuilder::<Sqlite>::new(head);
            statement.push_values(pairs, |mut row, (device, value)| {
                row.push_bind(report.id).push_bind(device.clone()).push_bind(value.clone());
            });
            statement.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn encode<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}
