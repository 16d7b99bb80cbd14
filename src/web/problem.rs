//! Problem documents as answers.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::model::problem::PROBLEM_JSON;
pub use crate::model::problem::Problem;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status)
            .unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        // A struct of strings and numbers always has a JSON form.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}
