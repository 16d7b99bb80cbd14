//! Why a request failed, and how that is told: as a problem document under
//! `/api`, as a page elsewhere.

use std::net::IpAddr;

use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use uuid::Uuid;

use super::assets::stylesheet_path;
use super::pages::problem::{self, ProblemView};
use super::problem::Problem;
use crate::model::input::{InputError, InputErrorKind};
use crate::node::registry::FindNodeError;
use crate::store;

/// Why a request failed, without a word about HTTP bodies or HTML.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no analysis has the id {0}; it may have been deleted")]
    AnalysisNotFound(Uuid),
    #[error("the analysis {id} failed: {}", problem.detail)]
    AnalysisFailed { id: Uuid, problem: Box<Problem> },
    #[error("the analysis {0} runs; it has no report yet")]
    AnalysisRuns(Uuid),
    #[error("there is an analysis with the id {0} already")]
    IdTaken(Uuid),
    #[error("{limit} requests follow analyses, and no more may")]
    TooManyListeners { limit: usize },
    #[error("as many analyses run or wait as this service takes")]
    Full,
    #[error("the analysis {analysis} has no device with the address {device}")]
    DeviceNotInAnalysis { analysis: Uuid, device: IpAddr },
    #[error("no analysis has seen a device with the address {0} yet")]
    DeviceNotFound(IpAddr),
    #[error(transparent)]
    FindNode(#[from] FindNodeError),
    #[error("no agent is registered for the node '{0}'")]
    NoAgent(String),
    #[error("the agent of {node} is out of reach: {reason}")]
    AgentUnreachable { node: String, reason: String },
    #[error("the agent of {node} refuses: {reason}")]
    AgentRefused { node: String, reason: String },
    #[error("{limit} node queries run or wait, and no more may")]
    QueueFull { limit: usize },
    #[error("no node query with the id {0} runs")]
    QueryNotRunning(Uuid),
    #[error("it was stopped before its turn came")]
    StoppedInQueue,
    #[error("{0}")]
    QueryInterrupted(&'static str),
    #[error("the service ends")]
    Ending,
    #[error("the token of the request is missing or wrong")]
    Unauthorized,
    #[error("{0}")]
    BadBody(String),
    #[error("there is nothing at {0}")]
    RouteNotFound(String),
    #[error("{method} does not work at {path}; the Allow header names what does")]
    MethodNotAllowed { method: String, path: String },
    #[error("{0}")]
    BadPath(String),
    #[error("{0}")]
    BadQuery(String),
    #[error("{0}")]
    BadMultipart(String),
    #[error("{0}")]
    BadMetadata(String),
    #[error("a second metadata part came; expected at most one")]
    SecondMetadata,
    #[error("{0}")]
    NothingSent(&'static str),
    #[error("{found} cannot be read; expected {expected}")]
    UnsupportedMediaType { found: String, expected: &'static str },
    #[error("the body is larger than the limit of {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("no byte of the body came for {seconds} s")]
    Stalled { seconds: u64 },
    #[error("less than {least_bytes} bytes of the body came in {seconds} s")]
    TooSlow { least_bytes: u64, seconds: u64 },
    #[error("the body ended before it was complete")]
    CutOff,
    #[error("another site's page sent this request")]
    CrossSite,
    #[error("this service is not reached as '{0}'")]
    ForeignHost(String),
    #[error("as many uploads are open as this service allows; none ended within {waited_s} s")]
    Busy { waited_s: u64 },
    #[error("the answer took longer than {limit_s} s")]
    TimedOut { limit_s: u64 },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("the report store does not answer; try again in a minute")]
    Store(#[from] store::Error),
    #[error("the page cannot be rendered")]
    Template(#[from] askama::Error),
    #[error("something went wrong here, not with your request: {0}")]
    Internal(&'static str),
}

impl Error {
    /// Status, problem type and title: the part that never varies per request.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::AnalysisNotFound(_) => {
                (StatusCode::NOT_FOUND, "analysis-not-found", "Analysis not found")
            }
            Self::AnalysisFailed { .. } => {
                (StatusCode::NOT_FOUND, "analysis-failed", "Analysis failed")
            }
            Self::AnalysisRuns(_) => (StatusCode::CONFLICT, "analysis-runs", "Analysis runs"),
            Self::IdTaken(_) => (StatusCode::CONFLICT, "id-taken", "Id already used"),
            Self::TooManyListeners { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "too-many-listeners", "Too many listeners")
            }
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many analyses at once"),
            Self::DeviceNotInAnalysis { .. } => {
                (StatusCode::NOT_FOUND, "device-not-in-analysis", "Device not in this analysis")
            }
            Self::DeviceNotFound(_) => {
                (StatusCode::NOT_FOUND, "device-not-found", "Device not seen yet")
            }
            Self::FindNode(FindNodeError::Unknown(_)) => {
                (StatusCode::NOT_FOUND, "node-not-found", "Node not known")
            }
            Self::FindNode(FindNodeError::Ambiguous { .. }) => {
                (StatusCode::CONFLICT, "node-ambiguous", "Several nodes have this name")
            }
            Self::NoAgent(_) => (StatusCode::CONFLICT, "no-agent", "Node without an agent"),
            Self::AgentUnreachable { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "agent-unreachable", "Agent out of reach")
            }
            Self::AgentRefused { .. } => {
                (StatusCode::BAD_GATEWAY, "agent-refused", "Agent refuses")
            }
            Self::QueueFull { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "queue-full", "Too many node queries")
            }
            Self::QueryNotRunning(_) => {
                (StatusCode::CONFLICT, "query-not-running", "Node query not running")
            }
            Self::StoppedInQueue => (StatusCode::CONFLICT, "query-stopped", "Node query stopped"),
            Self::QueryInterrupted(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "query-interrupted", "Node query interrupted")
            }
            Self::Ending => (StatusCode::SERVICE_UNAVAILABLE, "ending", "Service ends"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Token needed"),
            Self::BadBody(_) => (StatusCode::BAD_REQUEST, "bad-body", "Request not understood"),
            Self::RouteNotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::BadPath(_) => (StatusCode::BAD_REQUEST, "bad-path", "Path not understood"),
            Self::BadQuery(_) => (StatusCode::BAD_REQUEST, "bad-query", "Query not understood"),
            Self::BadMultipart(_) => {
                (StatusCode::BAD_REQUEST, "bad-multipart", "Form not understood")
            }
            Self::BadMetadata(_) | Self::SecondMetadata => {
                (StatusCode::BAD_REQUEST, "bad-metadata", "Metadata not understood")
            }
            Self::NothingSent(_) => (StatusCode::BAD_REQUEST, "empty-upload", "Nothing to analyse"),
            Self::UnsupportedMediaType { .. } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Content type not supported",
            ),
            Self::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Upload too large")
            }
            Self::Stalled { .. } => {
                (StatusCode::REQUEST_TIMEOUT, "stalled-upload", "Upload stalled")
            }
            Self::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "slow-upload", "Upload too slow"),
            Self::CutOff => (StatusCode::BAD_REQUEST, "incomplete-upload", "Upload incomplete"),
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "cross-site-request", "Request from another site")
            }
            Self::ForeignHost(_) => {
                (StatusCode::FORBIDDEN, "foreign-host", "Request under another name")
            }
            Self::Busy { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many analyses at once")
            }
            Self::TimedOut { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "timeout", "Answer took too long")
            }
            Self::Input(error) => match error.kind {
                InputErrorKind::TooLarge { .. } | InputErrorKind::ExpandsTooFar { .. } => {
                    (StatusCode::PAYLOAD_TOO_LARGE, error.kind.as_token(), "Input too large")
                }
                _ => (StatusCode::BAD_REQUEST, error.kind.as_token(), "Input cannot be analysed"),
            },
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store", "Store unavailable"),
            Self::Template(_) | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error")
            }
        }
    }

    /// What the sender can do about it.
    fn hint(&self) -> Option<&str> {
        match self {
            Self::AnalysisFailed { problem, .. } => problem.hint.as_deref(),
            Self::AnalysisRuns(_) => Some("Wait until it has ended; its events say when."),
            Self::IdTaken(_) => Some("Choose a new UUID for each analysis."),
            Self::Input(error) => Some(error.kind.hint()),
            Self::TooLarge { .. } => Some(
                "Cut the capture down first, for example with `tcpdump -r IN -w OUT host DEVICE`, or start the service with a larger --upload-limit-bytes.",
            ),
            Self::UnsupportedMediaType { .. } => Some(
                "With curl, send `-F capture=@FILE`, or `-H 'Content-Type: application/octet-stream' --data-binary @FILE`.",
            ),
            Self::SecondMetadata => {
                Some("Say title, points, devices and clusters in one metadata part.")
            }
            Self::NothingSent(_) => Some("Choose a capture file, or paste what tcpdump printed."),
            Self::DeviceNotFound(_) => Some(
                "Send a capture in which the device talks; its verdict is then here, under the same address.",
            ),
            Self::FindNode(FindNodeError::Unknown(_)) => Some(
                "Nodes come from the clusters that the service follows (--cluster, --in-cluster) and from --node NAME=URL; /api/v1/nodes lists them.",
            ),
            Self::FindNode(FindNodeError::Ambiguous { .. }) => {
                Some("Say which one is meant, with ?cluster=NAME.")
            }
            Self::NoAgent(_) => Some(
                "Start `replyscope agent` there, and register it with --node NAME=URL; in a followed cluster, its DaemonSet does both.",
            ),
            Self::AgentUnreachable { .. } => Some(
                "Check that the agent runs, and that a firewall lets this service reach it; /nodes names its address.",
            ),
            Self::Unauthorized => Some("Send the header `Authorization: Bearer TOKEN`."),
            Self::RouteNotFound(_) => Some("The API is described at /docs."),
            Self::Stalled { .. } | Self::CutOff => Some("Send it again."),
            Self::TooSlow { .. } => Some(
                "Write the capture to a file first, and send the file; gzip or zstd make it smaller.",
            ),
            Self::Busy { .. }
            | Self::Full
            | Self::TooManyListeners { .. }
            | Self::QueueFull { .. }
            | Self::Ending
            | Self::TimedOut { .. } => Some("Try again later; the Retry-After header says when."),
            Self::CrossSite => Some("Open this service in its own tab and send the form there."),
            Self::ForeignHost(_) => Some(
                "It listens on loopback only: use localhost, or, behind a proxy, start it with --public-url and the address that people use.",
            ),
            _ => None,
        }
    }

    fn retry_after_s(&self) -> Option<u16> {
        match self {
            Self::Busy { .. }
            | Self::Full
            | Self::TooManyListeners { .. }
            | Self::Ending
            | Self::AgentUnreachable { .. }
            | Self::TimedOut { .. } => Some(10),
            Self::QueueFull { .. } => Some(30),
            Self::AnalysisRuns(_) => Some(1),
            Self::Store(_) => Some(60),
            _ => None,
        }
    }

    /// Logs a fault of ours once, with its source chain, which no sender sees.
    fn log(&self) {
        if self.kind().0.is_server_error() {
            let mut chain = Vec::new();
            let mut source = std::error::Error::source(self);
            while let Some(error) = source {
                chain.push(error.to_string());
                source = error.source();
            }
            tracing::error!(error = %self, chain = chain.join(": "), "request failed");
        }
    }

    /// The problem document.
    pub fn problem(&self) -> Problem {
        let (status, token, title) = self.kind();
        let (offset, capture) = match self {
            Self::Input(input) => (input.kind.offset_bytes(), Some(input.name.clone())),
            Self::AnalysisFailed { problem, .. } => (problem.offset, problem.capture.clone()),
            _ => (None, None),
        };
        Problem {
            kind: format!("/problems/{token}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            offset,
            capture,
            hint: self.hint().map(str::to_owned),
        }
    }

    fn finish(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(self, Self::Unauthorized) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The answer where `path` leads: pages for people, problems for programs.
    pub fn respond_at(self, path: &str) -> Response {
        let is_for_programs = path.starts_with("/api/")
            || ["/api", "/livez", "/readyz", "/openapi.json"].contains(&path);
        if is_for_programs {
            ApiError(self).into_response()
        } else {
            PageError(self).into_response()
        }
    }
}

/// Tells an error as a problem document.
#[derive(Debug)]
pub struct ApiError(pub Error);

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        error.log();
        error.finish(error.problem().into_response())
    }
}

/// Tells an error as a page.
#[derive(Debug)]
pub struct PageError(pub Error);

impl<E: Into<Error>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        error.log();
        let (status, _, title) = error.kind();
        let detail = error.to_string();
        let view = ProblemView {
            stylesheet: stylesheet_path(),
            status: status.as_u16(),
            title,
            detail: &detail,
            hint: error.hint(),
        };
        let response = match problem::render(&view) {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => (status, format!("{title}: {detail}\n")).into_response(),
        };
        error.finish(response)
    }
}
