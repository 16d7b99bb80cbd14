//! `/api/v1/analyses`

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::error::ApiError;
use super::super::events;
use super::super::extract::{Json, Path, Query};
use super::super::problem::Problem;
use super::super::query::{AnalysesQuery, number_or_none};
use super::super::tags::{entity_tag, names_tag};
use super::super::upload::{self, UploadForm, UploadQuery};
use super::super::{Found, Service};
use super::report_body::{FinishedAnalysis, report_body};
use super::responses::{FindProblems, ListProblems, ListenProblems, UploadProblems};
use crate::model::progress::Progress;
use crate::model::query::NodeQuery;
use crate::model::report::AnalysisSummary;
use crate::node::openapi::Binary;

/// A page of analyses.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysesPage {
    /// Newest first.
    analyses: Vec<AnalysisSummary>,
    /// What `cursor` says for the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// An analysis that runs: how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunningAnalysis {
    #[serde(flatten)]
    progress: Progress,
    /// The node query that it belongs to, where a node is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<NodeQuery>,
}

/// Analyses captures.
///
/// They come as the parts of a form, or one capture as the body itself, and
/// are analysed while they arrive. Formats are recognised by their content. A capture as
/// the body may come with `Content-Encoding: gzip` or `zstd`, also where it is a
/// compressed file.
/// Who chooses the `id` can follow the analysis by it before the body is sent. A report
/// on very many devices is a long answer: `device_limit` shortens it.
#[utoipa::path(post, path = "/api/v1/analyses", tag = "analyses", params(UploadQuery),
    request_body(content(
        (UploadForm = "multipart/form-data"),
        (inline(Binary) = "application/octet-stream"),
        (inline(Binary) = "application/vnd.tcpdump.pcap"),
        (inline(Binary) = "application/x-pcap"),
        (inline(Binary) = "application/x-pcapng"),
        (inline(Binary) = "application/gzip"),
        (inline(Binary) = "application/x-gzip"),
        (inline(Binary) = "application/zstd"),
        (inline(Binary) = "application/x-xz"),
        (inline(Binary) = "application/x-bzip2"),
        (inline(Binary) = "application/x-lz4"),
        (inline(Binary) = "application/zip"),
        (inline(Binary) = "application/x-zip-compressed"),
        (inline(Binary) = "application/x-tar"),
        (inline(Binary) = "application/x-gtar"),
        (String = "text/plain"),
        (String = "text/markdown"))),
    responses(
        (status = 201, description = "The report", body = FinishedAnalysis,
            headers(("Location" = String, description = "The report's own address"))),
        UploadProblems))]
pub async fn create_analysis(
    State(service): State<Service>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let most = query.device_limit();
    let frame = upload::receive(&service, query, request).await?;
    let location = format!("/api/v1/analyses/{}", frame.id);
    let body = report_body(service.store, frame, None, most).await?;
    let headers = [(LOCATION, location.as_str()), (CONTENT_TYPE, "application/json")];
    Ok((StatusCode::CREATED, headers, body).into_response())
}

/// Lists analyses, newest first.
#[utoipa::path(get, path = "/api/v1/analyses", tag = "analyses", params(AnalysesQuery),
    responses((status = 200, description = "A page of analyses", body = AnalysesPage), ListProblems))]
pub async fn list_analyses(
    State(service): State<Service>,
    Query(query): Query<AnalysesQuery>,
) -> Result<Json<AnalysesPage>, ApiError> {
    let (filter, cursor, limit) = query.read()?;
    let page = service.store.list(&filter, cursor, limit).await?;
    Ok(Json(AnalysesPage {
        analyses: page.entries,
        next_cursor: page.next_cursor.map(|id| id.to_string()),
    }))
}

/// How much of a report is returned.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The most devices that the report lists, worst first; `devices_omitted` counts
    /// the others. Without it, all: `/api/v1/analyses/{id}/devices` has them by pages.
    #[serde(deserialize_with = "number_or_none")]
    device_limit: Option<u64>,
}

/// Returns one analysis: its report, or how far it is.
#[utoipa::path(get, path = "/api/v1/analyses/{id}", tag = "analyses",
    params(("id" = Uuid, Path), ReportQuery, ("If-None-Match" = Option<String>, Header, description = "An ETag seen before")),
    responses(
        (status = 200, description = "The report", body = FinishedAnalysis,
            headers(("ETag" = String, description = "Changes with the report"))),
        (status = 202, description = "It runs: how far it is", body = RunningAnalysis,
            headers(("Retry-After" = u16, description = "When to ask again, in seconds"))),
        (status = 304, description = "The report is the one whose ETag was sent",
            headers(("ETag" = String, description = "The one that was sent"))),
        FindProblems))]
pub async fn get_analysis(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
    Query(query): Query<ReportQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    const CACHING: &str = "private, no-cache";
    if headers.contains_key(IF_NONE_MATCH)
        && let Some(summary) = service.store.find_summary(id).await?
    {
        let tag = entity_tag(id, summary.created_at);
        if names_tag(&headers, &tag) {
            let fixed = [(ETAG, tag.as_str()), (CACHE_CONTROL, CACHING)];
            return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
        }
    }
    let found = service.find(id).await?;
    let node_query = service.store.find_query(id).await?;
    match found {
        Found::Finished(frame) => {
            let tag = entity_tag(id, frame.created_at);
            let fixed = [(ETAG, tag.as_str()), (CACHE_CONTROL, CACHING)];
            let most = query.device_limit.unwrap_or(u64::MAX);
            let body = report_body(service.store, frame, node_query, most).await?;
            Ok((fixed, [(CONTENT_TYPE, "application/json")], body).into_response())
        }
        Found::Running(progress) => {
            let fixed = [(RETRY_AFTER, "1"), (CACHE_CONTROL, "no-store")];
            Ok((StatusCode::ACCEPTED, fixed, Json(RunningAnalysis { progress, query: node_query }))
                .into_response())
        }
    }
}

/// Follows an analysis while it runs.
///
/// Server-sent events: `progress` (a `Progress`) at most four times a second
/// while something changes, then one last event: `done` (`AnalysisFinished`),
/// `failed` (`AnalysisFailed`) or `unknown` (`AnalysisUnknown`). An analysis that
/// has ended has the last event only. One that has not begun is waited for, 30 s
/// long: listen first, then send the capture under the id that you chose.
#[utoipa::path(get, path = "/api/v1/analyses/{id}/events", tag = "analyses",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The events, until the last", body = String, content_type = "text/event-stream",
            example = "event: progress\ndata: {\"id\":\"01940000-0000-7000-8000-000000000001\",\"state\":\"running\",\"phase\":\"receiving\",\"bytes_received\":1048576,\"bytes_expected\":2147483648,\"packets\":4096,\"captures\":1}\n\n"),
        ListenProblems))]
pub async fn get_analysis_events(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<Response, ApiError> {
    Ok(events::follow(&service, id)?)
}

/// Deletes an analysis and its captures, or a node query that left no report.
#[utoipa::path(delete, path = "/api/v1/analyses/{id}", tag = "analyses",
    params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "It runs; a node query can be stopped first", body = Problem, content_type = "application/problem+json"),
        FindProblems))]
pub async fn delete_analysis(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    service.delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
