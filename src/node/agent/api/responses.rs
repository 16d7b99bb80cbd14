//! Problems that operations document, by what can go wrong there.

use utoipa::IntoResponses;

use crate::model::problem::Problem;

/// Problems of every operation that needs a token.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum TokenProblems {
    /// No valid token
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
}

/// Problems of an operation that asks the kernel about a device.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum DeviceProblems {
    /// Not an address
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The kernel does not answer, or has no such table
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation on one capture.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum CaptureProblems {
    /// Not an id
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No such capture
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// Problems of an operation that starts a capture.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum StartProblems {
    /// Not a capture that can be made
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The agent's settings forbid it
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// The interface is unknown
    #[response(status = 404, content_type = "application/problem+json")]
    UnknownInterface(Problem),
    /// As many captures run as may
    #[response(status = 429, content_type = "application/problem+json")]
    Busy(Problem),
    /// The kernel refuses
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Problems of an operation on what is watched.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum WatchProblems {
    /// No devices are watched
    #[response(status = 404, content_type = "application/problem+json")]
    WatchOff(Problem),
}

/// Problems of an operation that needs the kernel's answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the derive only")]
pub enum KernelProblems {
    /// The kernel does not answer
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
