//! Problem documents (RFC 9457).

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request failed, RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; never varies between requests.
    #[serde(rename = "type")]
    #[schema(example = "/problems/analysis-not-found")]
    pub kind: String,
    #[schema(example = "Analysis not found")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// This request's case: what was expected, what was found.
    pub detail: String,
    /// Byte of the input at which reading stopped, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The input that the problem is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status)
            .unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        // A struct of strings and numbers always has a JSON form.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}
