//! `/api/v1/nodes/{node}/analyses`, and what becomes of a node query.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use uuid::Uuid;

use super::super::Service;
use super::super::coding::{OF_OTHERS, check_coding};
use super::super::error::{ApiError, Error};
use super::super::extract::{DeviceAddress, Json, Path, Query};
use super::super::problem::Problem;
use super::super::queries::{Preflight, QueryRequest};
use super::super::query::given;
use super::nodes::NodePlace;
use super::responses::{FindProblems, QueryProblems};
use crate::model::query;

/// Seconds of a capture where nothing is said.
pub const DEFAULT_DURATION_S: u32 = 60;

/// A request in JSON is short.
const MOST_BYTES: usize = 64 << 10;

/// What to ask a node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeQueryRequest {
    /// The device's address.
    #[schema(value_type = String, example = "2000::65:119")]
    device: DeviceAddress,
    /// More addresses of the device. Those of its newest report count as well.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 31)]
    addresses: Vec<DeviceAddress>,
    /// How long to capture, in seconds.
    #[serde(default = "default_duration_s")]
    #[schema(default = 60, minimum = 1)]
    duration_s: u32,
    /// Where to capture. None: the ways to the device, and the cables of the node's pods.
    #[serde(default)]
    #[schema(max_items = 16)]
    interfaces: Vec<String>,
    /// UDP ports of which one must be the source's or the destination's. None: all.
    /// A TFTP server answers from a port of its own, which a port here would hide.
    #[serde(default)]
    #[schema(max_items = 64, value_type = Vec<Port>)]
    ports: Vec<u16>,
}

/// A UDP port. Packets have no port 0: it is reserved (RFC 768, RFC 6335, section 6).
enum Port {}

impl utoipa::PartialSchema for Port {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer);
        schema.minimum(Some(1)).maximum(Some(u16::MAX)).into()
    }
}

impl ToSchema for Port {}

const fn default_duration_s() -> u32 {
    DEFAULT_DURATION_S
}

/// A node query that runs, and where to follow it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedQuery {
    #[serde(flatten)]
    query: query::NodeQuery,
    /// Where its state and its report are.
    url: String,
    /// Where its page is.
    page: String,
}

/// Asks a node about a device: captures there and analyses what comes.
///
/// One node is asked about one device once at a time. While a query runs, another request
/// about its device is answered with it; `addresses` of the new one are not added. One with
/// other `interfaces`, `ports` or `duration_s` is a conflict, which names the one that runs.
#[utoipa::path(post, path = "/api/v1/nodes/{node}/analyses", tag = "nodes",
    params(("node" = String, Path, description = "The node's name", example = "node3"), NodePlace),
    request_body = NodeQueryRequest,
    responses(
        (status = 202, description = "It runs", body = AcceptedQuery,
            headers(("Location" = String, description = "Where its state and its report are"))),
        QueryProblems))]
pub async fn create_query(
    State(service): State<Service>,
    Path(node): Path<String>,
    Query(place): Query<NodePlace>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: NodeQueryRequest = read_json(&headers, body, MOST_BYTES).await?;
    let request = QueryRequest {
        node,
        cluster: given(place.cluster),
        device: asked.device.0,
        addresses: asked.addresses.into_iter().map(|address| address.0).collect(),
        duration_s: asked.duration_s,
        interfaces: asked.interfaces,
        ports: asked.ports,
    };
    let id = service.queries.start(request, Preflight::AskFirst).await?.id();
    let query = find_query(&service, id).await?;
    let url = format!("/api/v1/analyses/{id}");
    let headers = [(LOCATION, url.clone()), (CACHE_CONTROL, "no-store".to_owned())];
    let answer = AcceptedQuery { query, url, page: format!("/analyses/{id}") };
    Ok((StatusCode::ACCEPTED, headers, Json(answer)).into_response())
}

/// Returns the node query of an analysis, whatever became of it.
#[utoipa::path(get, path = "/api/v1/analyses/{id}/query", tag = "analyses",
    params(("id" = Uuid, Path)),
    responses((status = 200, description = "The query", body = query::NodeQuery), FindProblems))]
pub async fn get_query(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<Response, ApiError> {
    let query = find_query(&service, id).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(query)).into_response())
}

/// Ends a node query early: its report is made of what was captured.
#[utoipa::path(post, path = "/api/v1/analyses/{id}/stop", tag = "analyses",
    params(("id" = Uuid, Path)),
    responses(
        (status = 202, description = "It ends; its report is due", body = query::NodeQuery,
            headers(("Location" = String, description = "Where its state and its report are"))),
        (status = 409, description = "No node query of this id runs", body = Problem, content_type = "application/problem+json"),
        FindProblems))]
pub async fn stop_query(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<Response, ApiError> {
    let stopped = service.queries.stop(id);
    // Says first where there is no such query.
    let query = find_query(&service, id).await?;
    stopped?;
    let location = [(LOCATION, format!("/api/v1/analyses/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(query)).into_response())
}

async fn find_query(service: &Service, id: Uuid) -> Result<query::NodeQuery, Error> {
    if let Some(query) = service.store.find_query(id).await? {
        return Ok(query);
    }
    match service.find(id).await {
        Ok(_) | Err(Error::AnalysisFailed { .. }) => Err(Error::QueryNotFound(id)),
        Err(error) => Err(error),
    }
}

/// Reads a short body as JSON.
pub async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    most_bytes: usize,
) -> Result<T, Error> {
    check_coding(headers, OF_OTHERS)?;
    let bytes = read_body(body, most_bytes).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::BadBody(format!("cannot read the body as JSON: {error}")))
}

/// Reads a short body, which must come soon.
pub async fn read_body(body: Body, most_bytes: usize) -> Result<Vec<u8>, Error> {
    const SECONDS: u64 = 15;
    let read = async {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Error::CutOff)?;
            if bytes.len() + chunk.len() > most_bytes {
                return Err(Error::BodyTooLarge { limit_bytes: most_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(std::time::Duration::from_secs(SECONDS), read)
        .await
        .unwrap_or(Err(Error::Stalled { seconds: SECONDS }))
}
