//! The requests, one function each.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::super::{conntrack, facts, metrics, netlink};
use super::Agent;
use super::error::Error;
use super::extract::{CaptureId, Device, Json, JsonBody};
use super::responses::{
    CaptureProblems, DeviceProblems, KernelProblems, StartProblems, TokenProblems, WatchProblems,
};
use crate::node::openapi::Binary;
use crate::node::wire::{
    API_VERSION, CAPTURE_ID_HEADER, CaptureRequest, CaptureStatistics, InterfaceStatus, NodeFacts,
    PCAPNG_MEDIA_TYPE, Status, TrackedFlows, Watch,
};

/// Entries of one answer, some 300 bytes each.
const MAX_TRACKED_FLOWS: usize = 50_000;

/// Returns what the node's kernel says of links, addresses, routes, neighbours and settings.
#[utoipa::path(get, path = "/v1/facts", tag = "facts",
    params(("device" = Option<String>, Query, description = "Adds the way to this address; of neighbours it and its next hop are left")),
    responses(
        (status = 200, description = "All facts", body = NodeFacts),
        DeviceProblems, TokenProblems))]
pub async fn get_facts(
    State(agent): State<Agent>,
    Device(device): Device,
) -> Result<Json<NodeFacts>, Error> {
    let at = (agent.now)();
    Ok(Json(facts::read(&agent.node, at, device, agent.kube_proxy).await?))
}

/// Returns UDP entries of the connection tracking table.
#[utoipa::path(get, path = "/v1/conntrack", tag = "facts",
    params(("device" = Option<String>, Query, description = "Only entries that name this address, in either direction")),
    responses(
        (status = 200, description = "Entries", body = TrackedFlows),
        DeviceProblems, TokenProblems))]
pub async fn get_conntrack(
    State(agent): State<Agent>,
    Device(device): Device,
) -> Result<Json<TrackedFlows>, Error> {
    let at = (agent.now)();
    let read = move || conntrack::read(device, MAX_TRACKED_FLOWS);
    let listing = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Error::Internal("the table could not be read"))??;
    Ok(Json(TrackedFlows {
        version: API_VERSION,
        node: agent.node.clone(),
        at,
        entries: listing.flows.iter().map(Into::into).collect(),
        entries_omitted: listing.omitted,
    }))
}

/// Captures live; the answer is pcapng and comes while packets come.
///
/// The header `replyscope-capture-id` names the capture. Closing the connection
/// stops it; `DELETE` ends it with its statistics in the stream.
#[utoipa::path(post, path = "/v1/captures", tag = "captures", request_body = CaptureRequest,
    responses(
        (status = 200, description = "The capture, as it comes", body = inline(Binary), content_type = "application/x-pcapng",
            headers(("replyscope-capture-id" = String, description = "The capture's id"))),
        StartProblems, TokenProblems))]
pub async fn create_capture(
    State(agent): State<Agent>,
    JsonBody(request): JsonBody<CaptureRequest>,
) -> Result<Response, Error> {
    let (id, mut receiver) = agent.captures.start(&request).await?;
    let chunks = stream::poll_fn(move |context| receiver.poll_recv(context));
    let chunks = futures_util::StreamExt::map(chunks, Ok::<_, std::convert::Infallible>);
    let headers = [
        (CONTENT_TYPE.as_str(), PCAPNG_MEDIA_TYPE.to_owned()),
        (CACHE_CONTROL.as_str(), "no-store".to_owned()),
        (CAPTURE_ID_HEADER, id.to_string()),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// Returns what became of a capture so far.
#[utoipa::path(get, path = "/v1/captures/{id}", tag = "captures",
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "Its statistics", body = CaptureStatistics),
        CaptureProblems, TokenProblems))]
pub async fn get_capture(
    State(agent): State<Agent>,
    CaptureId(id): CaptureId,
) -> Result<Json<CaptureStatistics>, Error> {
    agent.captures.find(id).map(Json).ok_or(Error::CaptureNotFound(id))
}

/// Ends a capture: its stream ends with statistics, which are returned as well.
#[utoipa::path(delete, path = "/v1/captures/{id}", tag = "captures",
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "Its statistics", body = CaptureStatistics),
        CaptureProblems, TokenProblems))]
pub async fn delete_capture(
    State(agent): State<Agent>,
    CaptureId(id): CaptureId,
) -> Result<Json<CaptureStatistics>, Error> {
    agent.captures.stop(id).await.map(Json).ok_or(Error::CaptureNotFound(id))
}

/// Returns what the agent believes of the devices that it watches.
#[utoipa::path(get, path = "/v1/watch", tag = "watch",
    responses(
        (status = 200, description = "The devices, in the order in which they were named", body = Watch),
        WatchProblems, TokenProblems))]
pub async fn get_watch(State(agent): State<Agent>) -> Result<Json<Watch>, Error> {
    agent.watch.as_ref().map(|watch| Json(watch.view())).ok_or(Error::WatchOff)
}

/// Returns how the agent is: interfaces, captures, packets seen and dropped.
#[utoipa::path(get, path = "/v1/status", tag = "operations",
    responses(
        (status = 200, description = "The agent's state", body = Status),
        KernelProblems, TokenProblems))]
pub async fn get_status(State(agent): State<Agent>) -> Result<Json<Status>, Error> {
    let policy = agent.captures.policy();
    let links = netlink::Tables::open()?.links().await?;
    let counts = agent.captures.counts();
    Ok(Json(Status {
        version: API_VERSION,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        node: agent.node.clone(),
        started_at: agent.started_at,
        at: (agent.now)(),
        interfaces: links
            .into_iter()
            .map(|link| InterfaceStatus {
                may_capture: policy.allows(&link.name),
                name: link.name,
                index: link.index,
                state: link.state,
            })
            .collect(),
        captures: agent.captures.list(),
        capture_limit: policy.captures,
        packets_seen: counts.received,
        kernel_drops: counts.dropped,
        last_packet_at: agent.captures.last_packet_at(),
    }))
}

/// Returns the agent's health as Prometheus metrics, and the verdicts on watched devices.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses(
        (status = 200, description = "Metrics", body = String, content_type = "text/plain"),
        TokenProblems))]
pub async fn get_metrics(State(agent): State<Agent>) -> Response {
    let mut text = metrics::render(&agent.node, &agent.captures);
    if let Some(watch) = &agent.watch {
        watch.render_metrics(&mut text);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Says that the process runs.
#[utoipa::path(get, path = "/livez", tag = "operations",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain")))]
pub async fn live() -> &'static str {
    "live\n"
}

/// Says that the agent can work: the kernel answers it.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "It can work", body = String, content_type = "text/plain"),
        KernelProblems))]
pub async fn ready() -> Result<&'static str, Error> {
    netlink::Tables::open()?.links().await?;
    Ok("ready\n")
}
