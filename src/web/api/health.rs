//! `/livez` and `/readyz`, for supervisors.

use axum::extract::State;

use super::super::Service;
use super::super::error::ApiError;
use super::super::problem::Problem;

/// Says that the process runs.
#[utoipa::path(get, path = "/livez", tag = "operations",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain")))]
pub async fn live() -> &'static str {
    "live\n"
}

/// Says that the service can work: its store answers.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "It can work", body = String, content_type = "text/plain"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json")))]
pub async fn ready(State(service): State<Service>) -> Result<&'static str, ApiError> {
    service.store.is_ready().await?;
    Ok("ready\n")
}
