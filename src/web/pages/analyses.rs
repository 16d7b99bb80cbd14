//! The first page, and pages of one analysis.

use axum::extract::{Request, State};
use axum::response::{Html, Redirect};
use uuid::Uuid;

use super::super::Service;
use super::super::assets::stylesheet_path;
use super::super::error::{Error, PageError};
use super::super::extract::{DeviceAddress, Path, Query};
use super::super::query::{AnalysesQuery, kept_fields, render_next};
use super::super::upload::{self, UploadQuery};
use super::home::{self, HomeView};
use super::report::{self, ListQuery};
use crate::report::html::{Setting, render_device};

/// `GET /`: what to upload, and what was analysed lately.
pub async fn show_home(
    State(service): State<Service>,
    Query(query): Query<AnalysesQuery>,
) -> Result<Html<String>, PageError> {
    let (filter, cursor, limit) = query.read()?;
    let page = service.store.list(&filter, cursor, limit).await?;
    let filter_text = filter.to_string();
    let older = page.next_cursor.map(|cursor| render_next(&filter, limit, cursor));
    Ok(Html(home::render(&HomeView {
        stylesheet: stylesheet_path(),
        analyses: &page.entries,
        older: older.as_deref(),
        limit_bytes: service.settings.upload_limit_bytes,
        filter_text: Some(filter_text.as_str()).filter(|text| !text.is_empty()),
        verdict: filter.verdict,
        text: filter.text.as_deref().unwrap_or_default(),
        kept: &kept_fields(&filter),
    })?))
}

/// `POST /analyses`: the form of the first page.
pub async fn create_analysis(
    State(service): State<Service>,
    request: Request,
) -> Result<Redirect, PageError> {
    let report = upload::receive(&service, UploadQuery::default(), request).await?;
    Ok(Redirect::to(&format!("/analyses/{}", report.id)))
}

/// `GET /analyses/{id}`
pub async fn show_analysis(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
    Query(query): Query<ListQuery>,
) -> Result<Html<String>, PageError> {
    Ok(Html(report::render(&service, id, query).await?))
}

/// `GET /analyses/{id}/devices/{device}`, by any of the device's addresses.
pub async fn show_analysis_device(
    State(service): State<Service>,
    Path((id, DeviceAddress(address))): Path<(Uuid, DeviceAddress)>,
) -> Result<Html<String>, PageError> {
    let store = &service.store;
    let mut report = store.find_frame(id).await?.ok_or(Error::AnalysisNotFound(id))?;
    let not_found = || Error::DeviceNotInAnalysis { analysis: id, device: address };
    let device = store.find_device(id, address).await?.ok_or_else(not_found)?;
    let address = device.device;
    report.devices.push(device);
    let setting = Setting::Service { stylesheet: stylesheet_path() };
    Ok(Html(render_device(&report, address, setting)?.ok_or_else(not_found)?))
}
