//! What handlers take from a request, and JSON as an answer. Axum's own
//! extractors answer in plain text.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::Error;

/// Names of addresses and a few numbers: no request is longer.
const MAX_BODY_BYTES: usize = 64 << 10;

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// `?device=ADDRESS`, if there is one. Other members are refused: a misspelt
/// one would give an answer about everything.
#[derive(Debug)]
pub struct Device(pub Option<IpAddr>);

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceQuery {
    device: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        #[expect(clippy::disallowed_types, reason = "its rejection is made a problem here")]
        let query = axum::extract::Query::<DeviceQuery>::try_from_uri(&parts.uri);
        let query = query.map_err(|rejection| {
            let source = std::error::Error::source(&rejection);
            let detail = source.map_or_else(|| rejection.body_text(), ToString::to_string);
            Error::BadQuery(format!("cannot read the query: {detail}"))
        })?;
        let Some(text) = query.0.device else { return Ok(Self(None)) };
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(&text).parse().map_err(|_| {
            let text = text.escape_debug();
            Error::BadQuery(format!("expected an IPv4 or IPv6 address as device, found '{text}'"))
        })?;
        Ok(Self(Some(address.to_canonical())))
    }
}

/// The capture that the path names.
#[derive(Debug)]
pub struct CaptureId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for CaptureId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let path = parts.uri.path();
        let id = path.rsplit('/').next().unwrap_or_default();
        let id = id.parse().map_err(|_| {
            Error::BadQuery(format!("expected the id of a capture, a UUID, found '{id}'"))
        })?;
        Ok(Self(id))
    }
}

/// A body of JSON, whatever its content type says: `curl -d` says nothing useful.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Error> {
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES);
        let body = tokio::time::timeout(BODY_TIME, body).await.map_err(|_| {
            Error::BadBody(format!("the body did not come within {} s", BODY_TIME.as_secs()))
        })?;
        let body: Bytes = body.map_err(|_| {
            Error::BadBody(format!(
                "expected a body of at most {MAX_BODY_BYTES} bytes, sent to its end"
            ))
        })?;
        let value = serde_json::from_slice(&body);
        value.map(Self).map_err(|error| {
            Error::BadBody(format!("the body is not what the API describes: {error}"))
        })
    }
}

/// An answer in JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(_) => Error::Internal("the answer has no JSON form").into_response(),
        }
    }
}
