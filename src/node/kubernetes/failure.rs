//! What went wrong between us and an API server.

use std::error::Error as _;

/// Why a list or a watch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// We may not read this.
    Forbidden(String),
    /// The cluster does not have such a resource.
    Absent(String),
    /// The version from which to go on is too old: list again.
    Expired,
    /// The server has too much to do, and wants to be asked later.
    Busy(String),
    /// The server answers, and says no.
    Refused(String),
    /// The connection.
    Other(String),
}

impl Failure {
    /// What an error means.
    pub fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status.code, &status.message),
            other => Self::Other(render(other)),
        }
    }

    /// What a status of the API means.
    pub fn of_status(code: u16, message: &str) -> Self {
        match code {
            403 => Self::Forbidden(message.to_owned()),
            404 => Self::Absent(message.to_owned()),
            410 => Self::Expired,
            401 => Self::Refused(format!("the credentials are not accepted: {message}")),
            429 => Self::Busy(format!("status 429: {message}")),
            other => Self::Refused(format!("status {other}: {message}")),
        }
    }
}

/// The chain of sources from the outside in, each part once: some of them repeat
/// their source.
fn render(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let part = inner.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = inner.source();
    }
    text
}
