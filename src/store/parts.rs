//! The devices of one report: worst first, a page at a time.

use std::net::IpAddr;

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::filter::{like_pattern, push_likes};
use super::rows::{DEVICE_COLUMNS, DeviceRow};
use super::{Error, Page, Store};
use crate::model::finding::{Cause, Verdict};
use crate::model::report::{Device, DeviceSummary};

/// Which of a report's devices are meant: those that match all that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    pub verdict: Option<Verdict>,
    pub cause: Option<Cause>,
    /// Part of the device's name, one of its addresses, or its headline; ASCII
    /// letters match in either case.
    pub text: Option<String>,
}

/// One device's part of a report, as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePart {
    /// The device's place in its report, from 0: worst first.
    pub place: u64,
    /// A [`Device`] in JSON.
    pub json: Vec<u8>,
}

impl Store {
    /// The part of one device, by any of its addresses.
    ///
    /// # Errors
    ///
    /// As [`Store::find_frame`].
    pub async fn find_device(&self, id: Uuid, address: IpAddr) -> Result<Option<Device>, Error> {
        let address = address.to_string();
        let row: Option<PartRow> = sqlx::query_as(
            // Without the hint, all addresses of the analysis are read.
            "SELECT p.place, p.part FROM device_addresses x INDEXED BY device_addresses_by_address \
             JOIN devices d ON d.analysis_id = x.analysis_id AND d.device = x.device \
             JOIN device_parts p ON p.analysis_id = d.analysis_id AND p.place = d.place \
             WHERE x.analysis_id = ? AND x.address = ? \
             ORDER BY d.device <> x.address, d.place LIMIT 1",
        )
        .bind(id)
        .bind(address)
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| row.read(id).and_then(|part| part.parse(id))).transpose()
    }

    /// Up to `limit` parts of the devices that match `filter`, worst first, from
    /// behind the place `after`.
    ///
    /// # Errors
    ///
    /// As [`Store::find_frame`].
    pub async fn device_parts(
        &self,
        id: Uuid,
        filter: &DeviceFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Page<DevicePart, u64>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new(
            "SELECT d.place, p.part FROM devices d \
             JOIN device_parts p ON p.analysis_id = d.analysis_id AND p.place = d.place \
             WHERE d.analysis_id = ",
        );
        statement.push_bind(id);
        filter.push_conditions(&mut statement, id);
        if let Some(after) = after {
            statement.push(" AND d.place > ").push_bind(i64::try_from(after).unwrap_or(i64::MAX));
        }
        statement.push(" ORDER BY d.place LIMIT ").push_bind(i64::from(limit) + 1);
        let mut rows: Vec<PartRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let entries: Vec<DevicePart> =
            rows.into_iter().map(|row| row.read(id)).collect::<Result<_, Error>>()?;
        let next_cursor = if is_last { None } else { entries.last().map(|part| part.place) };
        Ok(Page { entries, next_cursor })
    }

    /// The parts at these places of the report, those that there are.
    ///
    /// # Errors
    ///
    /// As [`Store::find_frame`].
    pub async fn device_parts_at(
        &self,
        id: Uuid,
        places: &[u64],
    ) -> Result<Vec<DevicePart>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new(
            "SELECT place, part FROM device_parts WHERE analysis_id = ",
        );
        statement.push_bind(id).push(" AND place IN (");
        let mut listed = statement.separated(", ");
        for place in places {
            listed.push_bind(i64::try_from(*place).unwrap_or(i64::MAX));
        }
        statement.push(") ORDER BY place");
        let rows: Vec<PartRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        rows.into_iter().map(|row| row.read(id)).collect()
    }

    /// Up to `limit` lines about the devices that match `filter`, worst first,
    /// without the first `skip`.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn device_lines(
        &self,
        id: Uuid,
        filter: &DeviceFilter,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<DeviceSummary>, Error> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement.push(DEVICE_COLUMNS).push(" FROM devices d WHERE d.analysis_id = ").push_bind(id);
        filter.push_conditions(&mut statement, id);
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        if filter.is_empty() {
            // Places are counted without gaps: no row has to be skipped.
            statement.push(" AND d.place >= ").push_bind(skip);
        }
        statement.push(" ORDER BY d.place LIMIT ").push_bind(i64::from(limit));
        if !filter.is_empty() {
            statement.push(" OFFSET ").push_bind(skip);
        }
        let rows: Vec<DeviceRow> = statement.build_query_as().fetch_all(self.pool()).await?;
        rows.into_iter().map(DeviceSummary::try_from).collect()
    }

    /// How many devices of a report match `filter`.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn count_devices(&self, id: Uuid, filter: &DeviceFilter) -> Result<u64, Error> {
        let mut statement =
            QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM devices d WHERE d.analysis_id = ");
        statement.push_bind(id);
        filter.push_conditions(&mut statement, id);
        let count: i64 = statement.build_query_scalar().fetch_one(self.pool()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl DeviceFilter {
    /// Whether every device matches.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.verdict.is_none() && self.cause.is_none() && self.text.is_none()
    }

    /// Adds the conditions for `devices AS d` of the analysis `id` to a statement
    /// that ends in a condition.
    fn push_conditions(&self, statement: &mut QueryBuilder<Sqlite>, id: Uuid) {
        if let Some(verdict) = self.verdict {
            statement.push(" AND d.verdict = ").push_bind(verdict.as_token());
        }
        if let Some(cause) = self.cause {
            statement
                .push(" AND d.device IN (SELECT device FROM device_causes WHERE analysis_id = ")
                .push_bind(id)
                .push(" AND cause = ")
                .push_bind(cause.as_token())
                .push(")");
        }
        if let Some(text) = &self.text {
            let pattern = like_pattern(text);
            statement.push(" AND (");
            push_likes(statement, ["d.name", "d.headline"], &pattern);
            // One pass over the addresses, not one per device.
            statement
                .push("d.device IN (SELECT device FROM device_addresses WHERE analysis_id = ")
                .push_bind(id)
                .push(" AND address LIKE ")
                .push_bind(pattern)
                .push(r" ESCAPE '\'))");
        }
    }
}

impl DevicePart {
    /// The device.
    ///
    /// # Errors
    ///
    /// Where the part of the analysis `id` is none.
    pub fn parse(&self, id: Uuid) -> Result<Device, Error> {
        serde_json::from_slice(&self.json)
            .map_err(|error| Error::Damaged { id, message: error.to_string() })
    }
}

#[derive(Debug, sqlx::FromRow)]
struct PartRow {
    place: i64,
    part: Vec<u8>,
}

impl PartRow {
    fn read(self, id: Uuid) -> Result<DevicePart, Error> {
        let json = zstd::stream::decode_all(self.part.as_slice())
            .map_err(|error| Error::Damaged { id, message: error.to_string() })?;
        Ok(DevicePart { place: u64::try_from(self.place).unwrap_or(0), json })
    }
}
