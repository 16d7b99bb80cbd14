//! `/livez` and `/readyz`, for supervisors.

use axum::extract::State;

use super::super::Service;
use super::super::error::{ApiError, Error};
use super::super::problem::Problem;
use crate::store;

/// Says that the process runs.
#[utoipa::path(get, path = "/livez", tag = "operations",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain")))]
pub async fn live() -> &'static str {
    "live\n"
}

/// Says that the service can work: its database answers, and captures can be written.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "It can work", body = String, content_type = "text/plain"),
        (status = 503, description = "The database does not answer, or captures cannot be written", body = Problem, content_type = "application/problem+json")))]
pub async fn ready(State(service): State<Service>) -> Result<&'static str, ApiError> {
    service.store.check_ready().await.map_err(|error| match error {
        store::Error::Blob { .. } => Error::NotReady(error),
        _ => error.into(),
    })?;
    Ok("ready\n")
}
