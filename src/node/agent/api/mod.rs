//! The agent's HTTP API.

mod error;
mod extract;
mod handlers;
mod openapi;
mod responses;
mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::error::Error;
pub use self::openapi::render_openapi;
pub use self::tokens::{TokenError, Tokens};
use super::capture::Captures;
use super::watch::Watch;
use crate::model::bearer::find_bearer;
use crate::model::time::Timestamp;

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct Agent {
    pub node: String,
    pub started_at: Timestamp,
    pub captures: Arc<Captures>,
    /// Nothing where no devices are watched.
    pub watch: Option<Arc<Watch>>,
    /// Where kube-proxy tells its mode, if it shall be asked.
    pub kube_proxy: Option<SocketAddr>,
    pub now: fn() -> Timestamp,
}

/// The whole API. Without `tokens` whoever connects is trusted: then the
/// connection itself must say who that is.
///
/// # Errors
///
/// Where the API's document cannot be written as JSON.
pub fn router(agent: Agent, tokens: Option<Tokens>) -> Result<Router, serde_json::Error> {
    let document: Arc<str> = render_openapi()?.into();
    let describe = move || async move {
        ([(CONTENT_TYPE, "application/json")], document.to_string()).into_response()
    };
    let (guarded, _) = guarded_routes().split_for_parts();
    let guarded = guarded.layer(from_fn_with_state(tokens.map(Arc::new), require_token));
    let (open, _) = open_routes().split_for_parts();
    Ok(open
        .merge(guarded)
        .route("/openapi.json", get(describe))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(set_headers))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(agent))
}

fn guarded_routes() -> OpenApiRouter<Agent> {
    OpenApiRouter::new()
        .routes(routes!(handlers::get_facts))
        .routes(routes!(handlers::get_conntrack))
        .routes(routes!(handlers::create_capture))
        .routes(routes!(handlers::get_capture, handlers::delete_capture))
        .routes(routes!(handlers::get_watch))
        .routes(routes!(handlers::get_status))
        .routes(routes!(handlers::get_metrics))
}

fn open_routes() -> OpenApiRouter<Agent> {
    OpenApiRouter::new().routes(routes!(handlers::live)).routes(routes!(handlers::ready))
}

async fn require_token(
    State(tokens): State<Option<Arc<Tokens>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(tokens) = tokens else { return next.run(request).await };
    let given = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    match given.and_then(find_bearer) {
        None => Error::TokenMissing.into_response(),
        Some(token) if tokens.contains(token) => next.run(request).await,
        Some(_) => Error::TokenWrong.into_response(),
    }
}

async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn route_not_found(request: Request) -> Response {
    Error::RouteNotFound(request.uri().path().to_owned()).into_response()
}

async fn method_not_allowed(request: Request) -> Response {
    let method = request.method().to_string();
    Error::MethodNotAllowed { method, path: request.uri().path().to_owned() }.into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or_default(), "a handler panicked");
    Error::Internal("the request was given up").into_response()
}
