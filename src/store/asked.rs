//! What was asked about a device, and what came of it.

use std::net::IpAddr;

use sqlx::{QueryBuilder, Sqlite};

use super::queries::{COLUMNS, QueryRow};
use super::rows::read_token;
use super::{Error, Store};
use crate::model::query::{NodeQuery, QuerySummary};

#[derive(Debug, sqlx::FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    query: QueryRow,
    report_verdict: Option<String>,
    report_headline: Option<String>,
}

impl Store {
    /// Up to `limit` node queries about the device that has `address`, newest first: by
    /// that address, or by another one that the device's newest report gives it.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or a row cannot be read back.
    pub async fn queries_of_device(
        &self,
        address: IpAddr,
        limit: u32,
    ) -> Result<Vec<QuerySummary>, Error> {
        let others = self.addresses_of_device(address).await?;
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(COLUMNS).push(
            ", a.verdict AS report_verdict, a.headline AS report_headline FROM queries q \
             LEFT JOIN analyses a ON a.id = q.id WHERE q.device IN (",
        );
        let mut addresses = statement.separated(", ");
        for known in others.into_iter().chain([address]) {
            addresses.push_bind(known.to_string());
        }
        statement
            .push(") ORDER BY q.created_at_ns DESC, q.id DESC LIMIT ")
            .push_bind(i64::from(limit));
        let rows: Vec<SummaryRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        let read = |row: SummaryRow| {
            let query = NodeQuery::try_from(row.query)?;
            let verdict = row.report_verdict.map(|token| read_token(query.id, token));
            let (verdict, headline) = (verdict.transpose()?, row.report_headline);
            Ok(QuerySummary { query, verdict, headline })
        };
        rows.into_iter().map(read).collect()
    }
}
