//! Devices over all reports: their history and their newest verdicts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::filter::{like_pattern, push_likes};
use super::rows::{DEVICE_COLUMNS, DeviceRow};
use super::{Error, Page, Store};
use crate::model::finding::Verdict;
use crate::model::report::DeviceSummary;
use crate::model::time::Timestamp;

/// The last device of a page: where the next one goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceCursor {
    analysed_at: Timestamp,
    analysis: Uuid,
    device: IpAddr,
}

impl fmt::Display for DeviceCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.analysed_at.as_nanoseconds(), self.analysis, self.device)
    }
}

impl FromStr for DeviceCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let expected = "not a cursor; use the next_cursor of the page before";
        let (time_ns, rest) = text.split_once('_').ok_or(expected)?;
        let (analysis, device) = rest.split_once('_').ok_or(expected)?;
        Ok(Self {
            analysed_at: Timestamp::from_nanoseconds(time_ns.parse().map_err(|_| expected)?),
            analysis: analysis.parse().map_err(|_| expected)?,
            device: device.parse().map_err(|_| expected)?,
        })
    }
}

impl Store {
    /// Up to `limit` analyses of the device that has `address`, newest first.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn device_history(
        &self,
        address: IpAddr,
        limit: u32,
    ) -> Result<Vec<DeviceSummary>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement
            .push(DEVICE_COLUMNS)
            .push(
                " FROM device_addresses x JOIN devices d \
                 ON d.analysis_id = x.analysis_id AND d.device = x.device WHERE x.address = ",
            )
            .push_bind(address.to_string())
            .push(" ORDER BY d.analysed_at_ns DESC, d.analysis_id DESC, d.device LIMIT ")
            .push_bind(i64::from(limit));
        self.fetch_devices(&mut statement).await
    }

    /// The newest verdict of each device, newest first. `verdict` and `text`
    /// (a part of its name, headline or one of its addresses) are about that newest one.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn newest_per_device(
        &self,
        verdict: Option<Verdict>,
        text: Option<&str>,
        cursor: Option<DeviceCursor>,
        limit: u32,
    ) -> Result<Page<DeviceSummary, DeviceCursor>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(DEVICE_COLUMNS).push(
            " FROM devices d WHERE d.analysis_id = \
             (SELECT e.analysis_id FROM devices e WHERE e.device = d.device \
              ORDER BY e.analysed_at_ns DESC, e.analysis_id DESC LIMIT 1)",
        );
        if let Some(verdict) = verdict {
            statement.push(" AND d.verdict = ").push_bind(verdict.as_token());
        }
        if let Some(text) = text {
            let pattern = like_pattern(text);
            statement.push(" AND (");
            push_likes(&mut statement, ["d.name", "d.headline"], &pattern);
            statement
                .push(
                    "EXISTS (SELECT 1 FROM device_addresses x WHERE x.analysis_id = d.analysis_id \
                     AND x.device = d.device AND x.address LIKE ",
                )
                .push_bind(pattern)
                .push(r" ESCAPE '\'))");
        }
        if let Some(cursor) = cursor {
            statement
                .push(" AND ((d.analysed_at_ns, d.analysis_id) < (")
                .push_bind(cursor.analysed_at.as_nanoseconds())
                .push(", ")
                .push_bind(cursor.analysis)
                .push(") OR (d.analysis_id = ")
                .push_bind(cursor.analysis)
                .push(" AND d.device > ")
                .push_bind(cursor.device.to_string())
                .push("))");
        }
        statement
            .push(" ORDER BY d.analysed_at_ns DESC, d.analysis_id DESC, d.device LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let mut entries = self.fetch_devices(&mut statement).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = entries.len() <= limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| !is_last);
        let next_cursor = last.map(|entry| DeviceCursor {
            analysed_at: entry.analysed_at,
            analysis: entry.analysis,
            device: entry.device,
        });
        Ok(Page { entries, next_cursor })
    }

    async fn fetch_devices(
        &self,
        statement: &mut QueryBuilder<Sqlite>,
    ) -> Result<Vec<DeviceSummary>, Error> {
        let rows: Vec<DeviceRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        rows.into_iter().map(DeviceSummary::try_from).collect()
    }
}
