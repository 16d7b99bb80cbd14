//! `/api/v1/devices`

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Service;
use super::super::error::{ApiError, Error};
use super::super::extract::{DeviceAddress, Json, Path, Query};
use super::super::query::{empty_as_none, number_or_none, read_cursor, read_limit, read_text};
use super::responses::{FindProblems, ListProblems};
use crate::model::finding::Verdict;
use crate::model::query::QuerySummary;
use crate::model::report::DeviceSummary;
use crate::store::DeviceCursor;

/// Which devices a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DevicesQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(deserialize_with = "number_or_none")]
    limit: Option<u32>,
    /// The newest verdict.
    #[param(inline)]
    #[serde(deserialize_with = "empty_as_none")]
    verdict: Option<Verdict>,
    /// Part of the device's name, one of its addresses, or its newest headline.
    q: Option<String>,
}

/// How much is shown of what has no pages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LimitQuery {
    /// The newest entries, at most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(deserialize_with = "number_or_none")]
    limit: Option<u32>,
}

/// A page of devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct DevicesPage {
    /// Each with its newest verdict; the one analysed last comes first.
    devices: Vec<DeviceSummary>,
    /// What `cursor` says for the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// One device over all analyses.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceHistory {
    /// The address that identifies it in its newest analysis.
    #[schema(value_type = String)]
    device: IpAddr,
    name: Option<String>,
    /// The newest verdict.
    verdict: Verdict,
    /// The newest headline.
    headline: String,
    /// Newest first.
    history: Vec<DeviceSummary>,
    /// The newest node queries about it, whatever became of them; newest first.
    queries: Vec<DeviceQuery>,
}

/// What was asked about one device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceQueries {
    /// Newest first.
    queries: Vec<DeviceQuery>,
}

/// A node query about a device, and where what came of it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceQuery {
    #[serde(flatten)]
    summary: QuerySummary,
    /// Where its state and its report are.
    url: String,
    /// Where its page is.
    page: String,
}

impl From<QuerySummary> for DeviceQuery {
    fn from(summary: QuerySummary) -> Self {
        let id = summary.query.id;
        Self { url: format!("/api/v1/analyses/{id}"), page: format!("/analyses/{id}"), summary }
    }
}

/// Queries that a device's history has.
const NEWEST_QUERIES: u32 = 10;

/// Lists devices with their newest verdict.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(DevicesQuery),
    responses((status = 200, description = "A page of devices", body = DevicesPage), ListProblems))]
pub async fn list_devices(
    State(service): State<Service>,
    Query(query): Query<DevicesQuery>,
) -> Result<Json<DevicesPage>, ApiError> {
    let limit = read_limit(query.limit)?;
    let cursor = read_cursor(query.cursor.as_deref(), |text| text.parse::<DeviceCursor>().ok())?;
    let text = read_text(query.q)?;
    let page =
        service.store.newest_per_device(query.verdict, text.as_deref(), cursor, limit).await?;
    Ok(Json(DevicesPage {
        devices: page.entries,
        next_cursor: page.next_cursor.map(|cursor| cursor.to_string()),
    }))
}

/// Returns one device's verdicts over all analyses.
#[utoipa::path(get, path = "/api/v1/devices/{device}", tag = "devices",
    params(("device" = String, Path, description = "Any of the device's addresses, or ADDRESS:PORT; `ip:NAME` or `ip6:NAME` where reports know no more than its name", example = "2000::65:119"), LimitQuery),
    responses((status = 200, description = "The device's history", body = DeviceHistory), FindProblems))]
pub async fn get_device(
    State(service): State<Service>,
    Path(device): Path<DeviceAddress>,
    Query(query): Query<LimitQuery>,
) -> Result<Json<DeviceHistory>, ApiError> {
    let limit = read_limit(query.limit)?;
    let history = service.store.device_history(device.0, limit).await?;
    let newest = history.first().ok_or(Error::DeviceNotFound(device.0))?;
    Ok(Json(DeviceHistory {
        device: newest.device,
        name: newest.name.clone(),
        verdict: newest.verdict,
        headline: newest.headline.clone(),
        queries: find_queries(&service, device.0, NEWEST_QUERIES).await?,
        history,
    }))
}

/// Returns the node queries about one device: what was asked, what became of it, and why.
///
/// A device that no analysis has seen has them, too: an alert's query that failed, or saw
/// no packet of the device, is here.
#[utoipa::path(get, path = "/api/v1/devices/{device}/queries", tag = "devices",
    params(("device" = String, Path, description = "Any of the device's addresses, or ADDRESS:PORT; `ip:NAME` or `ip6:NAME` where reports know no more than its name", example = "2000::65:119"), LimitQuery),
    responses((status = 200, description = "The queries; none where the device was never asked about", body = DeviceQueries), ListProblems))]
pub async fn list_device_queries(
    State(service): State<Service>,
    Path(device): Path<DeviceAddress>,
    Query(query): Query<LimitQuery>,
) -> Result<Json<DeviceQueries>, ApiError> {
    let limit = read_limit(query.limit)?;
    Ok(Json(DeviceQueries { queries: find_queries(&service, device.0, limit).await? }))
}

async fn find_queries(
    service: &Service,
    device: IpAddr,
    limit: u32,
) -> Result<Vec<DeviceQuery>, Error> {
    let found = service.store.queries_of_device(device, limit).await?;
    Ok(found.into_iter().map(DeviceQuery::from).collect())
}
