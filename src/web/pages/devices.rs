//! The page of a device over all analyses: where alert templates link to.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::super::Service;
use super::super::alerts::shorten;
use super::super::assets::stylesheet_path;
use super::super::error::{Error, PageError};
use super::super::extract::{Path, find_device};
use super::history::{self, HistoryView};
use crate::model::stand_in::{may_stand_in, render_segment};

/// Entries of a history page.
const HISTORY_LIMIT: u32 = 200;

/// Node queries that the page shows.
const QUERIES_LIMIT: u32 = 20;

/// `GET /devices/{device}`. A device that nobody has analysed yet has a page
/// as well: an alert links to it before there is a capture. The name of a device leads
/// to its address, or to the page of the name where no report has its address: an alert's
/// label may hold either.
pub async fn show_device(
    State(service): State<Service>,
    Path(device): Path<String>,
) -> Result<Response, PageError> {
    let Some(address) = find_device(&device) else {
        let named = service.store.find_reported_device(&device).await?;
        let address = named.ok_or_else(|| Error::DeviceNameNotFound(shorten(&device)))?;
        // Not for good: another device may have the name one day.
        let segment = render_segment(address, Some(&device));
        return Ok(Redirect::temporary(&format!("/devices/{segment}")).into_response());
    };
    let entries = service.store.device_history(address, HISTORY_LIMIT).await?;
    let newest = entries.first();
    let is_named = may_stand_in(address);
    if is_named && newest.is_none() {
        return Err(Error::DeviceNotFound(address).into());
    }
    let mut nodes = service.settings.nodes.list();
    // No node can look for what has a name and no address.
    nodes.retain(|node| node.agent.url.is_some() && !is_named);
    let asked = service.store.queries_of_device(address, QUERIES_LIMIT).await?;
    let last = asked.first().map(|one| &one.query);
    let page = history::render(&HistoryView {
        stylesheet: stylesheet_path(),
        device: newest.map_or(address, |entry| entry.device),
        name: newest.and_then(|entry| entry.name.as_deref()),
        entries: &entries,
        nodes: &nodes,
        last_node: last.map(|query| (query.cluster.as_deref(), query.node.as_str())),
        asked: &asked,
        running: service.queries.find_active_of(address),
    })?;
    Ok(Html(page).into_response())
}
