//! All routes, and what every request passes on its way.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::Level;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

use super::error::{ApiError, Error, PageError};
use super::rendered::RenderedPages;
use super::{Queries, Service, Settings, api, assets, openapi, pages, security};
use crate::store::Store;

/// The whole service on one router.
///
/// # Errors
///
/// Where the API's document cannot be written as JSON.
pub fn router(
    store: Store,
    settings: Settings,
    queries: Queries,
) -> Result<Router, serde_json::Error> {
    let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
    let turns = permits(settings.concurrent_analyses.max(1));
    let uploads = permits(settings.concurrent_uploads.max(1));
    let listeners = permits(settings.listener_limit);
    let new_id = settings.new_id;
    let request_time = settings.request_time;
    let hosts = settings.accepted_hosts.clone();
    let rendered = RenderedPages::new(settings.page_cache_bytes);
    let settings = Arc::new(settings);
    let service = Service { store, settings, queries, pages: rendered, turns, uploads, listeners };

    let (api, document) = openapi::start().merge(api::routes()).split_for_parts();
    let document: Arc<str> = openapi::render(&document)?.into();
    let api = api
        .route("/openapi.json", get(move || async move { json_text(&document) }))
        .layer(CatchPanicLayer::custom(api_panicked));
    let pages = pages::routes()
        .route("/assets/{name}", get(assets::get_asset))
        .route("/favicon.ico", get(assets::get_icon))
        .layer(CatchPanicLayer::custom(page_panicked));
    let docs = SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));

    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(NewRequestId(new_id)))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_response(DefaultOnResponse::new().level(Level::INFO))
                // An error logs itself, with its reason.
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(security::set_headers))
        .layer(CompressionLayer::new())
        .layer(from_fn(security::refuse_cross_site))
        .layer(from_fn_with_state(hosts, security::refuse_foreign_host))
        .layer(from_fn_with_state(request_time, limit_time))
        // Uploads have their own limit, which names itself in its problem.
        .layer(DefaultBodyLimit::disable());
    Ok(api
        .merge(pages)
        .with_state(service)
        .merge(Router::<()>::from(docs).layer(from_fn(explain_absence)))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(layers))
}

/// The documentation's own files have no words for one that is not there.
async fn explain_absence(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return Error::RouteNotFound(path).respond_at("/docs/");
    }
    response
}

fn json_text(document: &str) -> Response {
    ([(CONTENT_TYPE, "application/json")], document.to_owned()).into_response()
}

async fn route_not_found(request: Request) -> Response {
    let path = request.uri().path();
    Error::RouteNotFound(path.to_owned()).respond_at(path)
}

async fn method_not_allowed(request: Request) -> Response {
    let path = request.uri().path();
    let method = request.method().to_string();
    Error::MethodNotAllowed { method, path: path.to_owned() }.respond_at(path)
}

/// Ends what takes too long. Uploads take as long as their bodies keep coming.
async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TimedOut { limit_s: limit.as_secs() }.respond_at(&path),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn api_panicked(panic: Box<dyn Any + Send>) -> Response {
    ApiError(panicked(panic.as_ref())).into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn page_panicked(panic: Box<dyn Any + Send>) -> Response {
    PageError(panicked(panic.as_ref())).into_response()
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or_default(), "a handler panicked");
    Error::Internal("the request was given up")
}

fn request_span(request: &Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    // Without the query: it may hold names that are nobody's business in a log.
    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), id)
}

/// Gives each request an id, for the log and the answer.
#[derive(Debug, Clone, Copy)]
struct NewRequestId(fn() -> Uuid);

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&self.0().to_string()).ok().map(RequestId::new)
    }
}
