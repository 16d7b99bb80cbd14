//! Why a request to the agent failed, told as a problem document.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::super::capture::{self, Refusal};
use super::super::{conntrack, facts, netlink};
use crate::model::problem::{PROBLEM_JSON, Problem};
use crate::model::reason::render_chain;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the request has no bearer token")]
    TokenMissing,
    #[error("the request's bearer token is none of this agent's")]
    TokenWrong,
    #[error("there is nothing at {0}")]
    RouteNotFound(String),
    #[error("{method} does not work at {path}; the Allow header names what does")]
    MethodNotAllowed { method: String, path: String },
    #[error("{0}")]
    BadQuery(String),
    #[error("{0}")]
    BadBody(String),
    #[error("no capture has the id {0}; it may have ended long ago")]
    CaptureNotFound(Uuid),
    #[error(transparent)]
    Capture(#[from] capture::Error),
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    #[error(transparent)]
    Facts(#[from] facts::Error),
    #[error(transparent)]
    Conntrack(#[from] conntrack::Error),
    #[error("this agent watches no devices")]
    WatchOff,
    #[error("something went wrong here, not with your request: {0}")]
    Internal(&'static str),
}

impl Error {
    /// Status, problem type and title: the part that never varies per request.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::TokenMissing | Self::TokenWrong => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "Token needed")
            }
            Self::RouteNotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::BadQuery(_) => (StatusCode::BAD_REQUEST, "bad-query", "Query not understood"),
            Self::BadBody(_) => (StatusCode::BAD_REQUEST, "bad-capture", "Capture not understood"),
            Self::CaptureNotFound(_) => {
                (StatusCode::NOT_FOUND, "capture-not-found", "Capture not found")
            }
            Self::WatchOff => (StatusCode::NOT_FOUND, "watch-off", "Nothing is watched"),
            Self::Capture(error) => match error {
                capture::Error::Refused(refusal) => match refusal {
                    Refusal::Malformed(_) => {
                        (StatusCode::BAD_REQUEST, "bad-capture", "Capture not understood")
                    }
                    Refusal::Unfiltered(_) => {
                        (StatusCode::BAD_REQUEST, "unfiltered-capture", "Capture without a filter")
                    }
                    Refusal::EverythingForbidden => (
                        StatusCode::FORBIDDEN,
                        "everything-forbidden",
                        "Capture of everything forbidden",
                    ),
                    Refusal::InterfaceForbidden(_) => {
                        (StatusCode::FORBIDDEN, "interface-forbidden", "Interface forbidden")
                    }
                },
                capture::Error::UnknownInterface { .. } => {
                    (StatusCode::NOT_FOUND, "unknown-interface", "Interface unknown")
                }
                capture::Error::Busy { .. } => {
                    (StatusCode::TOO_MANY_REQUESTS, "busy", "Too many captures at once")
                }
                capture::Error::Program(_) => {
                    (StatusCode::BAD_REQUEST, "bad-capture", "Capture not understood")
                }
                capture::Error::Ending
                | capture::Error::NoInterface
                | capture::Error::TooManyRings { .. }
                | capture::Error::Open { .. }
                | capture::Error::Netlink(_)
                | capture::Error::Thread(_) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "capture-failed", "Capture not possible")
                }
            },
            Self::Netlink(_) | Self::Facts(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "kernel", "Kernel does not answer")
            }
            Self::Conntrack(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "conntrack-unavailable",
                "No connection tracking table",
            ),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// What the sender can do about it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TokenMissing | Self::TokenWrong => Some(
                "Send 'Authorization: Bearer TOKEN' with a token of the file that the agent was started with.",
            ),
            Self::RouteNotFound(_) => Some("The API is described at /openapi.json."),
            Self::Capture(error) => match error {
                capture::Error::Refused(Refusal::EverythingForbidden) => {
                    Some("Name devices or ports, or start the agent with --allow-everything.")
                }
                capture::Error::Refused(Refusal::InterfaceForbidden(_)) => Some(
                    "Choose another interface, or start the agent with --interface for this one.",
                ),
                capture::Error::Busy { .. } => {
                    Some("Try again when one has ended; GET /v1/status lists them.")
                }
                capture::Error::Open { .. } => {
                    Some("The agent needs CAP_NET_RAW, and the interface must be up.")
                }
                _ => None,
            },
            Self::WatchOff => Some("Start the agent with --watch or --watch-file."),
            Self::Conntrack(_) => Some("The agent needs CAP_NET_ADMIN for this table."),
            _ => None,
        }
    }

    /// Logs a fault of ours once, with its source chain.
    fn log(&self) {
        if self.kind().0.is_server_error() {
            tracing::error!(error = render_chain(self), "request failed");
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let (status, token, title) = self.kind();
        let problem = Problem {
            kind: format!("/problems/{token}"),
            title: title.to_owned(),
            status: status.as_u16(),
            // The sources are told as well: who asks an agent is who runs it.
            detail: render_chain(&self),
            offset: None,
            capture: None,
            hint: self.hint().map(str::to_owned),
        };
        // A struct of strings and numbers always has a JSON form.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
