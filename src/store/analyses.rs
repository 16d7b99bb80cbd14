//! Reports: found, listed, deleted.

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::blobs::remove_folder;
use super::reserve::is_full;
use super::rows::{ANALYSIS_COLUMNS, AnalysisRow};
use super::{AnalysisCursor, Error, Filter, Page, Store};
use crate::model::report::{AnalysisSummary, Report};
use crate::model::time::Timestamp;

impl Store {
    /// The report with this id without its devices, which count as left out.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or the stored report cannot be read back.
    pub async fn find_frame(&self, id: Uuid) -> Result<Option<Report>, Error> {
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

    /// When the report with this id was made; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn find_created(&self, id: Uuid) -> Result<Option<Timestamp>, Error> {
        let created_at_ns: Option<i64> =
            sqlx::query_scalar("SELECT created_at_ns FROM analyses WHERE id = ?")
                .bind(id)
                .fetch_optional(self.pool())
                .await?;
        Ok(created_at_ns.map(Timestamp::from_nanoseconds))
    }

    /// Whether a report, a node query or captures have this id.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or the folder of captures cannot be looked at.
    pub async fn is_taken(&self, id: Uuid) -> Result<bool, Error> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM analyses WHERE id = ? UNION ALL SELECT 1 FROM queries WHERE id = ?",
        )
        .bind(id)
        .bind(id)
        .fetch_optional(self.pool())
        .await?;
        if found.is_some() {
            return Ok(true);
        }
        let path = self.captures_of(id);
        tokio::fs::try_exists(&path).await.map_err(|source| Error::Blob { path, source })
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

    /// Deletes a report or a node query, and its captures. `false`: there was none of
    /// the three. Does not look whether the analysis runs. On a full disk the captures,
    /// and what is kept for that, make the room that the database needs to forget the rest.
    ///
    /// # Errors
    ///
    /// Where the captures cannot be removed, or the database does not answer. It can
    /// be tried again then: what is left is still found.
    pub async fn delete(&self, id: Uuid) -> Result<bool, Error> {
        // Rows last: they say that there is something to delete.
        let had_captures = remove_folder(&self.captures_of(id)).await?;
        let rows = match self.delete_rows(id).await {
            Err(error) if is_full(&error) => {
                self.spend_reserve().await;
                self.delete_rows(id).await
            }
            rows => rows,
        };
        // Perhaps there is room again for one that was spent.
        self.keep_reserve().await;
        let rows = rows?;
        if rows > 0 {
            // Of a report whose captures could not be renamed.
            remove_folder(&self.partial_captures_of(id)).await?;
        }
        Ok(had_captures || rows > 0)
    }

    async fn delete_rows(&self, id: Uuid) -> Result<u64, Error> {
        let mut transaction = self.pool().begin().await?;
        let mut rows = 0;
        for statement in ["DELETE FROM analyses WHERE id = ?", "DELETE FROM queries WHERE id = ?"] {
            rows +=
                sqlx::query(statement).bind(id).execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(rows)
    }

    /// Up to `limit` reports that were made before `at`, oldest first.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn made_before(&self, at: Timestamp, limit: u32) -> Result<Vec<Uuid>, Error> {
        let found = sqlx::query_scalar(
            "SELECT id FROM analyses WHERE created_at_ns < ? ORDER BY created_at_ns LIMIT ?",
        );
        Ok(found.bind(at.as_nanoseconds()).bind(i64::from(limit)).fetch_all(self.pool()).await?)
    }
}
