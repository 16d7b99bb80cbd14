//! Problems that operations document, by what can go wrong there. That a request may
//! come under a foreign name, all of them document: see [`super::super::openapi`].

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::super::openapi::problem_response;

/// A status, and when it is answered.
type Case = (u16, &'static str);

const BAD_REQUEST: Case = (400, "The path or query cannot be read.");
const NOT_FOUND: Case = (404, "There is no such thing.");
const NO_NODE: Case = (404, "No node has this name.");
const STALLED: Case = (408, "The body did not come.");
const TOO_LARGE: Case = (413, "The body is larger than such a request ever is.");
const UNSUPPORTED_CODING: Case = (415, "The body is in a coding that is not decoded.");
const INTERNAL: Case = (500, "A fault of the service.");
const UNAVAILABLE: Case = (503, "The store does not answer, or took too long.");

macro_rules! problems {
    ($($(#[$about:meta])* $name:ident: $($case:expr),+;)*) => {$(
        $(#[$about])*
        pub enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let cases: &[Case] = &[$($case),+];
                let responses = cases.iter().map(|(status, description)| {
                    (status.to_string(), RefOr::T(problem_response(description)))
                });
                responses.collect()
            }
        }
    )*};
}

problems! {
    /// Problems of an operation on one thing that may not exist.
    FindProblems: BAD_REQUEST, NOT_FOUND, INTERNAL, UNAVAILABLE;

    /// Problems of an operation on one node.
    FindNodeProblems: BAD_REQUEST, NO_NODE,
        (409, "Several clusters have a node of this name."),
        (503, "The answer took too long.");

    /// Problems of an operation that asks a node.
    QueryProblems: (400, "The path, query or body cannot be read, or asks for too much."),
        NO_NODE, STALLED,
        (409, "The node has no agent, several clusters have a node of this name, or a query about the device runs there that captures otherwise: wait for it, or stop it."),
        TOO_LARGE, UNSUPPORTED_CODING,
        (429, "As many queries run or wait as may."),
        INTERNAL,
        (502, "The agent refuses; the detail says why."),
        (503, "The agent is out of reach, or the store does not answer.");

    /// Problems of a notification.
    AlertProblems: (400, "The body is not Alertmanager's webhook of version 4."),
        (401, "The token is missing or wrong."),
        STALLED, TOO_LARGE, UNSUPPORTED_CODING, INTERNAL,
        (503, "Alerts could start nothing only because of what else runs: send all of them again. Or the store does not answer.");

    /// Problems of an operation that follows something.
    ListenProblems: (400, "The path cannot be read."),
        (503, "As many requests follow analyses as may.");

    /// Problems of a list.
    ListProblems: (400, "The query cannot be read."), INTERNAL, UNAVAILABLE;

    /// Problems of an upload.
    UploadProblems: (400, "The query, form or metadata cannot be read, or an input cannot be analysed."),
        (408, "The body stood still, or came too slowly, for too long."),
        (409, "An analysis has the `id` already."),
        (413, "The body, or what it expands to, is larger than the limit."),
        (415, "The content type is not one of those listed, or the content coding is not decoded."),
        INTERNAL,
        (503, "Too many analyses run at once, or the store does not answer.");
}
