//! `/api/v1/analyses/{id}/devices`

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Service;
use super::super::error::{ApiError, Error};
use super::super::extract::{DeviceAddress, Json, Path, Query};
use super::super::problem::Problem;
use super::super::query::{empty_as_none, number_or_none, read_cursor, read_limit, read_text};
use super::report_body::append_parts;
use super::responses::FindProblems;
use crate::model::finding::{Cause, Verdict};
use crate::model::report::Device;
use crate::store::DeviceFilter;

/// Which of an analysis' devices a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReportDevicesQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(deserialize_with = "number_or_none")]
    limit: Option<u32>,
    /// The device's verdict.
    #[param(inline)]
    #[serde(deserialize_with = "empty_as_none")]
    verdict: Option<Verdict>,
    /// A cause found at the device.
    #[param(inline)]
    #[serde(deserialize_with = "empty_as_none")]
    cause: Option<Cause>,
    /// Part of the device's name, one of its addresses, or its headline.
    q: Option<String>,
}

/// A page of an analysis' devices.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what the handler puts together from the parts as saved")]
pub struct ReportDevicesPage {
    /// Worst first.
    devices: Vec<Device>,
    /// What `cursor` says for the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// Lists the devices of an analysis, worst first.
#[utoipa::path(get, path = "/api/v1/analyses/{id}/devices", tag = "analyses",
    params(("id" = Uuid, Path), ReportDevicesQuery),
    responses(
        (status = 200, description = "A page of devices", body = ReportDevicesPage),
        (status = 409, description = "The analysis runs", body = Problem, content_type = "application/problem+json"),
        FindProblems))]
pub async fn list_analysis_devices(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
    Query(query): Query<ReportDevicesQuery>,
) -> Result<Response, ApiError> {
    let limit = read_limit(query.limit)?;
    let cursor = read_cursor(query.cursor.as_deref(), |text| text.parse::<u64>().ok())?;
    let text = read_text(query.q)?;
    let filter = DeviceFilter { verdict: query.verdict, cause: query.cause, text };
    let store = &service.store;
    let mut page = store.device_parts(id, &filter, cursor, limit).await?;
    if page.entries.is_empty() {
        // Says whether it runs or failed; where it ended a moment ago, devices are there now.
        service.find_frame(id).await?;
        page = store.device_parts(id, &filter, cursor, limit).await?;
    }
    let mut json = b"{\"devices\":[".to_vec();
    append_parts(&page.entries, &mut json);
    let next = page.next_cursor.map_or_else(|| "null".to_owned(), |place| format!("\"{place}\""));
    json.extend_from_slice(format!("],\"next_cursor\":{next}}}").as_bytes());
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Returns one device's part of an analysis.
#[utoipa::path(get, path = "/api/v1/analyses/{id}/devices/{device}", tag = "analyses",
    params(("id" = Uuid, Path), ("device" = String, Path, description = "Any of the device's addresses, or ADDRESS:PORT; `ip:NAME` or `ip6:NAME` where reports know no more than its name", example = "2000::65:119")),
    responses(
        (status = 200, description = "The device's part", body = Device),
        (status = 409, description = "The analysis runs", body = Problem, content_type = "application/problem+json"),
        FindProblems))]
pub async fn get_analysis_device(
    State(service): State<Service>,
    Path((id, device)): Path<(Uuid, DeviceAddress)>,
) -> Result<Json<Device>, ApiError> {
    let store = &service.store;
    if let Some(device) = store.find_device(id, device.0).await? {
        return Ok(Json(device));
    }
    // Says whether it runs or failed; where it ended a moment ago, the device is there now.
    service.find_frame(id).await?;
    let not_found = || Error::DeviceNotInAnalysis { analysis: id, device: device.0 };
    Ok(Json(store.find_device(id, device.0).await?.ok_or_else(not_found)?))
}
