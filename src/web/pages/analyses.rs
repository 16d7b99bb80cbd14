//! The first page, and pages of one analysis.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::super::assets::{script_path, stylesheet_path};
use super::super::error::{Error, PageError};
use super::super::extract::{DeviceAddress, PageQuery, Path, Query};
use super::super::query::{AnalysesQuery, kept_fields, render_next};
use super::super::security::WithScript;
use super::super::upload::{self, UploadQuery};
use super::super::{Found, Service};
use super::home::{self, HomeView};
use super::report::{self, ListQuery};
use super::running::{self, RunningView};
use crate::report::html::{Setting, render_device};

/// `GET /`: what to upload, and what was analysed lately.
pub async fn show_home(
    State(service): State<Service>,
    PageQuery(query): PageQuery<AnalysesQuery>,
) -> Result<Response, PageError> {
    let (filter, cursor, limit) = query.read()?;
    let page = service.store.list(&filter, cursor, limit).await?;
    let filter_text = filter.to_string();
    let older = page.next_cursor.map(|cursor| render_next(&filter, limit, cursor));
    let page = home::render(&HomeView {
        stylesheet: stylesheet_path(),
        script: script_path(),
        analyses: &page.entries,
        older: older.as_deref(),
        limit_bytes: service.settings.upload_limit_bytes,
        filter_text: Some(filter_text.as_str()).filter(|text| !text.is_empty()),
        verdict: filter.verdict,
        text: filter.text.as_deref().unwrap_or_default(),
        kept: &kept_fields(&filter),
        clusters: &service.settings.nodes.cluster_names(),
    })?;
    Ok((Extension(WithScript), Html(page)).into_response())
}

/// `POST /analyses`: the form of the first page.
pub async fn create_analysis(
    State(service): State<Service>,
    request: Request,
) -> Result<Redirect, PageError> {
    let report = upload::receive(&service, UploadQuery::default(), request).await?;
    Ok(Redirect::to(&format!("/analyses/{}", report.id)))
}

/// `POST /analyses/{id}/delete`: the button of a report's page.
pub async fn delete_analysis(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<Redirect, PageError> {
    service.delete(id).await?;
    Ok(Redirect::to("/"))
}

/// `GET /analyses/{id}`: the report, or how far it is.
pub async fn show_analysis(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    match service.find_created(id).await? {
        Found::Finished(created_at) => {
            Ok(report::respond(&service, id, created_at, query, &headers).await?)
        }
        Found::Running(progress) => {
            let page = running::render(&RunningView {
                stylesheet: stylesheet_path(),
                script: script_path(),
                progress,
                query: service.store.find_query(id).await?.as_ref(),
            })?;
            let caching = [(CACHE_CONTROL, "no-store")];
            let page = (caching, Extension(WithScript), Html(page));
            Ok((StatusCode::ACCEPTED, page).into_response())
        }
    }
}

/// `GET /analyses/{id}/devices/{device}`, by any of the device's addresses.
pub async fn show_analysis_device(
    State(service): State<Service>,
    Path((id, DeviceAddress(address))): Path<(Uuid, DeviceAddress)>,
) -> Result<Html<String>, PageError> {
    let mut report = service.find_frame(id).await?;
    let not_found = || Error::DeviceNotInAnalysis { analysis: id, device: address };
    let device = service.store.find_device(id, address).await?.ok_or_else(not_found)?;
    let address = device.device;
    report.devices.push(device);
    let setting = Setting::Service { stylesheet: stylesheet_path() };
    Ok(Html(render_device(&report, address, setting)?.ok_or_else(not_found)?))
}
