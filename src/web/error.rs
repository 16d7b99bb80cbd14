//! Why a request failed, and how that is told: as a problem document under
//! `/api`, as a page elsewhere.

use std::net::IpAddr;

use axum::http::HeaderValue;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{Html, IntoResponse, Response};
use uuid::Uuid;

use super::assets::stylesheet_path;
use super::coding;
use super::pages::problem::{self, ProblemView};
use super::problem::Problem;
use super::problem_types::{self as types, ProblemType};
use crate::model::input::InputError;
use crate::model::stand_in::may_stand_in;
use crate::node::registry::FindNodeError;
use crate::store;

/// How a device was asked for. An address that stands for a name says nothing to anybody.
fn known_by(device: IpAddr) -> String {
    if may_stand_in(device) {
        "of that name".to_owned()
    } else {
        format!("with the address {device}")
    }
}

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
    #[error("the analysis {analysis} has no device {}", known_by(*device))]
    DeviceNotInAnalysis { analysis: Uuid, device: IpAddr },
    #[error("no analysis has seen a device {} yet", known_by(*_0))]
    DeviceNotFound(IpAddr),
    #[error("'{0}' is neither an address nor the name of a device in a report")]
    DeviceNameNotFound(String),
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
    #[error("{waiting} of {alerts} alerts can start nothing now: {reason}")]
    AlertsWait { waiting: usize, alerts: usize, reason: String },
    #[error(
        "/api/v1/analyses/{id} runs: a query about the same device at the same node, with other {members}"
    )]
    QueryDiffers { id: Uuid, members: String },
    #[error("no node query with the id {0} runs")]
    QueryNotRunning(Uuid),
    #[error("the analysis {0} belongs to no node query: its captures were uploaded")]
    QueryNotFound(Uuid),
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
    #[error("the content coding '{found}' is not decoded here; expected {taken}")]
    UnsupportedCoding { found: String, taken: &'static str },
    #[error("the body is larger than the limit of {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("the body is larger than {limit_bytes} bytes, and nothing so large is expected here")]
    BodyTooLarge { limit_bytes: usize },
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
    #[error("captures cannot be stored")]
    NotReady(#[source] store::Error),
    #[error("{}", render_store(.0))]
    Store(#[from] store::Error),
    #[error("the page cannot be rendered")]
    Template(#[from] askama::Error),
    #[error("something went wrong here, not with your request: {0}")]
    Internal(&'static str),
}

/// What a sender is told of a fault of the store: no path, and no word of the database.
fn render_store(error: &store::Error) -> String {
    match error {
        store::Error::Damaged { id, .. } => {
            format!("the stored report {id} cannot be read back")
        }
        store::Error::Blob { .. } => "a capture cannot be stored or removed".to_owned(),
        store::Error::Encode(_) => "the report cannot be stored".to_owned(),
        store::Error::Database(_)
        | store::Error::Migration(_)
        | store::Error::Open { .. }
        | store::Error::Directory { .. }
        | store::Error::InUse { .. } => {
            "the report store does not answer; try again in a minute".to_owned()
        }
    }
}

impl Error {
    /// The type of problem: the part that never varies per request.
    const fn kind(&self) -> &'static ProblemType {
        match self {
            Self::AnalysisNotFound(_) => types::ANALYSIS_NOT_FOUND,
            Self::AnalysisFailed { .. } => types::ANALYSIS_FAILED,
            Self::AnalysisRuns(_) => types::ANALYSIS_RUNS,
            Self::IdTaken(_) => types::ID_TAKEN,
            Self::TooManyListeners { .. } => types::TOO_MANY_LISTENERS,
            Self::Full | Self::Busy { .. } => types::BUSY,
            Self::DeviceNotInAnalysis { .. } => types::DEVICE_NOT_IN_ANALYSIS,
            Self::DeviceNotFound(_) | Self::DeviceNameNotFound(_) => types::DEVICE_NOT_FOUND,
            Self::FindNode(FindNodeError::Unknown(_)) => types::NODE_NOT_FOUND,
            Self::FindNode(FindNodeError::Ambiguous { .. }) => types::NODE_AMBIGUOUS,
            Self::NoAgent(_) => types::NO_AGENT,
            Self::AgentUnreachable { .. } => types::AGENT_UNREACHABLE,
            Self::AgentRefused { .. } => types::AGENT_REFUSED,
            Self::QueueFull { .. } => types::QUEUE_FULL,
            Self::AlertsWait { .. } => types::ALERTS_WAIT,
            Self::QueryDiffers { .. } => types::QUERY_DIFFERS,
            Self::QueryNotRunning(_) => types::QUERY_NOT_RUNNING,
            Self::QueryNotFound(_) => types::QUERY_NOT_FOUND,
            Self::StoppedInQueue => types::QUERY_STOPPED,
            Self::QueryInterrupted(_) => types::QUERY_INTERRUPTED,
            Self::Ending => types::ENDING,
            Self::Unauthorized => types::UNAUTHORIZED,
            Self::BadBody(_) => types::BAD_BODY,
            Self::RouteNotFound(_) => types::NOT_FOUND,
            Self::MethodNotAllowed { .. } => types::METHOD_NOT_ALLOWED,
            Self::BadPath(_) => types::BAD_PATH,
            Self::BadQuery(_) => types::BAD_QUERY,
            Self::BadMultipart(_) => types::BAD_MULTIPART,
            Self::BadMetadata(_) | Self::SecondMetadata => types::BAD_METADATA,
            Self::NothingSent(_) => types::EMPTY_UPLOAD,
            Self::UnsupportedMediaType { .. } => types::UNSUPPORTED_MEDIA_TYPE,
            Self::UnsupportedCoding { .. } => types::UNSUPPORTED_CONTENT_CODING,
            Self::TooLarge { .. } | Self::BodyTooLarge { .. } => types::TOO_LARGE,
            Self::Stalled { .. } => types::STALLED_UPLOAD,
            Self::TooSlow { .. } => types::SLOW_UPLOAD,
            Self::CutOff => types::INCOMPLETE_UPLOAD,
            Self::CrossSite => types::CROSS_SITE_REQUEST,
            Self::ForeignHost(_) => types::FOREIGN_HOST,
            Self::TimedOut { .. } => types::TIMEOUT,
            Self::Input(error) => types::of_input(&error.kind),
            Self::NotReady(_) => types::NOT_READY,
            Self::Store(store::Error::Damaged { .. }) => types::DAMAGED_REPORT,
            Self::Store(store::Error::Blob { .. }) => types::CAPTURE_STORE,
            Self::Store(store::Error::Encode(_)) | Self::Template(_) | Self::Internal(_) => {
                types::INTERNAL
            }
            Self::Store(
                store::Error::Database(_)
                | store::Error::Migration(_)
                | store::Error::Open { .. }
                | store::Error::Directory { .. }
                | store::Error::InUse { .. },
            ) => types::STORE,
        }
    }

    /// What the sender can do about it.
    fn hint(&self) -> &str {
        let advice = self.kind().advice;
        match self {
            Self::AnalysisFailed { problem, .. } => problem.hint.as_deref().unwrap_or(advice),
            Self::Input(error) => error.kind.hint(),
            Self::UnsupportedCoding { taken: coding::OF_CAPTURES, .. } => {
                "Send it as it is, or in a coding that the Accept-Encoding header names; a capture may be compressed itself."
            }
            Self::SecondMetadata => "Say title, points, devices and clusters in one metadata part.",
            Self::BodyTooLarge { .. } => "Send less; captures go to /api/v1/analyses.",
            Self::DeviceNameNotFound(_) => {
                "Send a capture in which the device talks, with an inventory or a name in its text that calls it so; or ask for its address."
            }
            _ => advice,
        }
    }

    /// Whether it is no fault of the request, nor of the service, and passes by itself.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::QueueFull { .. } | Self::Full | Self::Busy { .. } | Self::Ending)
    }

    /// Whether the service is to blame, and not what was sent.
    pub fn is_fault(&self) -> bool {
        self.kind().status.is_server_error()
    }

    fn retry_after_s(&self) -> Option<u16> {
        match self {
            Self::Busy { .. }
            | Self::Full
            | Self::TooManyListeners { .. }
            | Self::Ending
            | Self::AgentUnreachable { .. }
            | Self::TimedOut { .. } => Some(10),
            Self::QueueFull { .. } | Self::AlertsWait { .. } => Some(30),
            Self::AnalysisRuns(_) => Some(1),
            Self::NotReady(_) => Some(60),
            Self::Store(_) if self.kind() == types::STORE => Some(60),
            _ => None,
        }
    }

    /// Logs what no sender is to blame for once, with its source chain, which no sender
    /// sees. That there is too much to do, or that an agent is away, is no fault of ours.
    fn log(&self) {
        if !self.kind().status.is_server_error() {
            return;
        }
        let mut chain = Vec::new();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        let chain = chain.join(": ");
        match self {
            Self::Store(_) | Self::Template(_) | Self::Internal(_) => {
                tracing::error!(error = %self, chain, "request failed");
            }
            _ => tracing::warn!(error = %self, chain, "request refused"),
        }
    }

    /// The problem document.
    pub fn problem(&self) -> Problem {
        let ProblemType { token, status, title, .. } = self.kind();
        let (offset, capture) = match self {
            Self::Input(input) => (input.kind.offset_bytes(), Some(input.name.clone())),
            Self::AnalysisFailed { problem, .. } => (problem.offset, problem.capture.clone()),
            _ => (None, None),
        };
        Problem {
            kind: format!("/problems/{token}"),
            title: (*title).to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            offset,
            capture,
            hint: Some(self.hint().to_owned()),
        }
    }

    fn finish(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(self, Self::Unauthorized) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::UnsupportedCoding { taken, .. } = self {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(taken));
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The answer where `path` leads: pages for people, problems for programs.
    pub fn respond_at(self, path: &str) -> Response {
        let is_for_programs = path.starts_with("/api/")
            || ["/api", "/livez", "/readyz", "/metrics", "/openapi.json"].contains(&path);
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
        let &ProblemType { status, title, .. } = error.kind();
        let detail = error.to_string();
        // There is no report, which is this request's status; what went wrong is the other.
        let told_status = match &error {
            Error::AnalysisFailed { problem, .. } => problem.status,
            _ => status.as_u16(),
        };
        let view = ProblemView {
            stylesheet: stylesheet_path(),
            status: told_status,
            title,
            detail: &detail,
            hint: Some(error.hint()),
        };
        let response = match problem::render(&view) {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => (status, format!("{title}: {detail}\n")).into_response(),
        };
        error.finish(response)
    }
}
