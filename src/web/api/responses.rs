//! Problems that operations document, by what can go wrong there.

use utoipa::IntoResponses;

use super::super::problem::Problem;

/// Problems of an operation on one thing that may not exist.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum FindProblems {
    /// The path or query cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// The store does not answer, or took too long.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation on one node.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum FindNodeProblems {
    /// The path or query cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No node has this name.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Several clusters have a node of this name.
    #[response(status = 409, content_type = "application/problem+json")]
    Ambiguous(Problem),
    /// The answer took too long.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation that asks a node.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum QueryProblems {
    /// The path, query or body cannot be read, or asks for too much.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A browser sent the request in the name of another site's page, or under a name that is not the service's.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// No node has this name.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The body did not come.
    #[response(status = 408, content_type = "application/problem+json")]
    Stalled(Problem),
    /// The node has no agent, or several clusters have a node of this name.
    #[response(status = 409, content_type = "application/problem+json")]
    NoAgent(Problem),
    /// The body is larger than such a request ever is.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is in a coding that is not decoded.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedCoding(Problem),
    /// As many queries run or wait as may.
    #[response(status = 429, content_type = "application/problem+json")]
    QueueFull(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// The agent refuses; the detail says why.
    #[response(status = 502, content_type = "application/problem+json")]
    Refused(Problem),
    /// The agent is out of reach, or the store does not answer.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of a notification.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum AlertProblems {
    /// The body is not Alertmanager's webhook of version 4.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The token is missing or wrong.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// A browser sent the request in the name of another site's page, or under a name that is not the service's.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// The body did not come.
    #[response(status = 408, content_type = "application/problem+json")]
    Stalled(Problem),
    /// The body is larger than such a request ever is.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is in a coding that is not decoded.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedCoding(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Alerts could start nothing only because of what else runs: send all of them again. Or the store does not answer.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation that changes something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum ChangeProblems {
    /// The path or query cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A browser sent the request in the name of another site's page, or under a name that is not the service's.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// The store does not answer, or took too long.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation that follows something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum ListenProblems {
    /// The path cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// As many requests follow analyses as may.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of a list.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum ListProblems {
    /// The query cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// The store does not answer, or took too long.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an upload.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum UploadProblems {
    /// The query, form or metadata cannot be read, or an input cannot be analysed.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A browser sent the request in the name of another site's page, or under a name that is not the service's.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// The body stood still, or came too slowly, for too long.
    #[response(status = 408, content_type = "application/problem+json")]
    Stalled(Problem),
    /// An analysis has the `id` already.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body, or what it expands to, is larger than the limit.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The content type is not one of those listed, or the content coding is not decoded.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too many analyses run at once, or the store does not answer.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
