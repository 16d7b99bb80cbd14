//! The page of one analysis, with a page of its devices.

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::Service;
use super::super::assets::{fnv1a, stylesheet_path};
use super::super::error::Error;
use super::super::query::{empty_as_none, read_text, render_fields};
use super::super::rendered::{Keeping, PageEncoding, PageKey, RenderedPage};
use super::super::tags::names_tag;
use crate::model::finding::Verdict;
use crate::model::report::{DeviceSummary, Report};
use crate::model::time::Timestamp;
use crate::report::html::{DETAILED_MAX, DEVICES_PER_PAGE, Listed, render_listed};
use crate::store::{DeviceFilter, Store};

const HTML: &str = "text/html; charset=utf-8";

/// Which devices the page lists. Fields that are none of these are let be: links
/// to reports come from everywhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    #[serde(deserialize_with = "empty_as_none")]
    verdict: Option<Verdict>,
    /// Part of a device's name, address or headline.
    q: Option<String>,
    /// From 1.
    #[serde(deserialize_with = "read_page")]
    page: Option<u64>,
}

/// The devices of a report that one page lists.
struct Part {
    filter: DeviceFilter,
    /// From 1.
    page: u64,
}

/// The answer with the page of the report `id`, which was made at `created_at`.
///
/// # Errors
///
/// Where the store does not answer, or the template cannot be rendered.
pub async fn respond(
    service: &Service,
    id: Uuid,
    created_at: Timestamp,
    query: ListQuery,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let filter = DeviceFilter { verdict: query.verdict, cause: None, text: read_text(query.q)? };
    let part = Part { filter, page: query.page.unwrap_or(1).max(1) };
    let encoding = PageEncoding::accepted(headers);
    let key = PageKey { id, created_at, verdict: part.filter.verdict, page: part.page, encoding };
    let make = make(&service.store, key, &part);
    // What people search for is seldom searched for again.
    let page = match part.filter.text {
        None => service.pages.find_or_make(key, make).await?,
        Some(_) => make.await?.0,
    };
    let fixed = [(ETAG, page.tag.to_string()), (VARY, "accept-encoding".to_owned())];
    if names_tag(headers, &page.tag) {
        // With the headers of the page itself: RFC 9110, section 15.4.5.
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let html = [(CONTENT_TYPE, HTML)];
    let mut response = (fixed, html, page.bytes).into_response();
    if let Some(token) = encoding.token() {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    Ok(response)
}

/// Makes a page, and says whether the report was the same all the time.
async fn make(store: &Store, key: PageKey, part: &Part) -> Result<(RenderedPage, Keeping), Error> {
    let PageKey { id, created_at, encoding, .. } = key;
    let frame = store.find_frame(id).await?.ok_or(Error::AnalysisNotFound(id))?;
    let page = render(store, frame, part).await?;
    let is_same = store.find_created(id).await? == Some(created_at);
    let tag = format!("W/\"{:016x}\"", fnv1a(page.as_bytes())).into();
    let bytes =
        encoding.encode(page).map_err(|_| Error::Internal("the page cannot be compressed"))?;
    let keeping = if is_same { Keeping::Keep } else { Keeping::Drop };
    Ok((RenderedPage { bytes, tag }, keeping))
}

/// The page of the report whose frame is `report`.
async fn render(store: &Store, mut report: Report, part: &Part) -> Result<String, Error> {
    let (id, Part { filter, page }) = (report.id, part);
    let page = *page;
    let skip = (page - 1).saturating_mul(u64::from(DEVICES_PER_PAGE));
    let rows = store.device_lines(id, filter, skip, DEVICES_PER_PAGE).await?;
    let matching = match (&filter.text, filter.verdict) {
        (None, None) => report.summary.devices,
        (None, Some(verdict)) => report.summary.verdicts.get(&verdict).copied().unwrap_or(0),
        (Some(_), _) => store.count_devices(id, filter).await?,
    };
    if filter.is_empty() && page == 1 {
        // Without a filter, the first row has the place 0.
        let places: Vec<u64> = (0..)
            .zip(&rows)
            .filter(|(place, row)| *place == 0 || needs_detail(row))
            .map(|(place, _)| place)
            .take(DETAILED_MAX)
            .collect();
        for part in store.device_parts_at(id, &places).await? {
            report.devices.push(part.parse(id)?);
        }
    }
    let fields = [
        ("verdict", filter.verdict.map(|verdict| verdict.as_token().to_owned())),
        ("q", filter.text.clone()),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let listed = Listed {
        rows: &rows,
        matching,
        page,
        verdict: filter.verdict,
        text: filter.text.as_deref().unwrap_or_default(),
        query: &render_fields(fields),
    };
    Ok(render_listed(&report, listed, stylesheet_path())?)
}

/// Whether there is more to say about a device than that it works.
fn needs_detail(row: &DeviceSummary) -> bool {
    !row.causes.is_empty() || !matches!(row.verdict, Verdict::Symmetric | Verdict::OneWay)
}

/// A page's number; what is none leads to the first.
fn read_page<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
