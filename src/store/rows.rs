//! Rows of the database, and what they stand for.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Error;
use crate::model::report::{AnalysisSummary, DeviceSummary};
use crate::model::time::Timestamp;

/// Columns of [`AnalysisRow`], of `analyses AS a`.
pub(super) const ANALYSIS_COLUMNS: &str =
    "a.id, a.title, a.created_at_ns, a.verdict, a.headline, a.device_count, a.captures";

/// Columns of [`DeviceRow`], of `devices AS d`.
pub(super) const DEVICE_COLUMNS: &str =
    "d.analysis_id, d.device, d.name, d.verdict, d.headline, d.causes, d.analysed_at_ns";

#[derive(Debug, sqlx::FromRow)]
pub(super) struct AnalysisRow {
    id: Uuid,
    title: String,
    created_at_ns: i64,
    verdict: String,
    headline: String,
    device_count: i64,
    captures: String,
}

impl TryFrom<AnalysisRow> for AnalysisSummary {
    type Error = Error;

    fn try_from(row: AnalysisRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            title: row.title,
            created_at: Timestamp::from_nanoseconds(row.created_at_ns),
            verdict: read_token(row.id, row.verdict)?,
            headline: row.headline,
            devices: u64::try_from(row.device_count).unwrap_or(0),
            captures: read_json(row.id, &row.captures)?,
        })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct DeviceRow {
    analysis_id: Uuid,
    device: String,
    name: Option<String>,
    verdict: String,
    headline: String,
    causes: String,
    analysed_at_ns: i64,
}

impl TryFrom<DeviceRow> for DeviceSummary {
    type Error = Error;

    fn try_from(row: DeviceRow) -> Result<Self, Error> {
        Ok(Self {
            device: row.device.parse().map_err(|_| Error::Damaged {
                id: row.analysis_id,
                message: format!("'{}' is not an address", row.device),
            })?,
            name: row.name,
            analysis: row.analysis_id,
            analysed_at: Timestamp::from_nanoseconds(row.analysed_at_ns),
            verdict: read_token(row.analysis_id, row.verdict)?,
            headline: row.headline,
            causes: read_json(row.analysis_id, &row.causes)?,
        })
    }
}

pub(super) fn read_token<T: DeserializeOwned>(id: Uuid, token: String) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(token))
        .map_err(|error| Error::Damaged { id, message: error.to_string() })
}

pub(super) fn read_json<T: DeserializeOwned>(id: Uuid, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Damaged { id, message: error.to_string() })
}
