//! Extractors whose rejections are problem documents or problem pages, and the
//! JSON responder. Axum's own answer in plain text.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::IntoParams;

use super::error::{ApiError, Error};
use crate::model::stand_in::find_segment;

/// The parts of the path, as axum's `Path`.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        #[expect(clippy::disallowed_types, reason = "this is the wrapper that replaces it")]
        let result = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        match result {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) => {
                let mut words = vec!["cannot read the path".to_owned()];
                if let Ok(given) = RawPathParams::from_request_parts(parts, state).await {
                    words.extend(given.iter().map(|(name, value)| format!("{name} '{value}'")));
                }
                let reason = rejection.body_text();
                let reason = reason.strip_prefix("Invalid URL: ").unwrap_or(&reason);
                let detail = format!("{}: {reason}", words.join(", "));
                Err(Error::BadPath(detail).respond_at(parts.uri.path()))
            }
        }
    }
}

/// The query, as axum's `Query`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        #[expect(clippy::disallowed_types, reason = "this is the wrapper that replaces it")]
        let result = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        match result {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let source = std::error::Error::source(&rejection);
                let detail = source.map_or_else(|| rejection.body_text(), ToString::to_string);
                let detail = format!("cannot read the query: {detail}");
                Err(Error::BadQuery(detail).respond_at(parts.uri.path()))
            }
        }
    }
}

/// The query of a page that it shares with the API, which is strict: as [`Query`], but
/// fields that are not known are let be.
/// Links to pages come from everywhere, with marks of those who count visits.
#[derive(Debug)]
pub struct PageQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for PageQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let known: Vec<String> =
            T::into_params(|| None).into_iter().map(|field| field.name).collect();
        let given = parts.uri.query().unwrap_or_default();
        let is_known = |field: &&str| {
            let name = field.split('=').next().unwrap_or_default();
            known.iter().any(|one| one == name)
        };
        let kept: Vec<&str> = given.split('&').filter(is_known).collect();
        let kept = format!("{}?{}", parts.uri.path(), kept.join("&"));
        parts.uri = kept.parse().map_err(|_| {
            let detail = "cannot read the query".to_owned();
            Error::BadQuery(detail).respond_at(parts.uri.path())
        })?;
        let Query(query) = Query::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// An answer in JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(_) => ApiError(Error::Internal("the answer has no JSON form")).into_response(),
        }
    }
}

/// A device in a path, a query or a label: see [`find_device`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceAddress(pub IpAddr);

/// The address of a device as a path has it: an [address](find_address), or `ip:switch7` and
/// `ip6:switch7`, which are the addresses that stand for a name.
pub fn find_device(text: &str) -> Option<IpAddr> {
    find_segment(text).or_else(|| find_address(text))
}

impl<'de> Deserialize<'de> for DeviceAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        find_device(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "'{text}' is neither an IPv4 nor an IPv6 address, with or without a port, nor ip:NAME or ip6:NAME"
            ))
        })
    }
}

/// The address that a text is: RFC 5952 or any other spelling, `[…]` as in a URL allowed,
/// or with a port, as labels of Prometheus have it (`instance`). An IPv4-mapped one is
/// taken for the IPv4 address it holds.
pub fn find_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_spelling() {
        let switch7 = crate::model::stand_in::address_of("switch7", false).to_string();
        let cases = [
            ("192.0.2.1", Some("192.0.2.1")),
            ("2001:DB8:0:0::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:161", Some("192.0.2.1")),
            ("[2001:db8::1]:161", Some("2001:db8::1")),
            ("[::ffff:192.0.2.1]:161", Some("192.0.2.1")),
            ("ip:switch7", Some(&*switch7)),
            ("ip:", None),
            ("192.0.2", None),
            ("fe80::1%eth0", None),
            ("switch-7", None),
            ("http://192.0.2.1/", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read: Result<DeviceAddress, _> = serde_json::from_value(text.into());
            assert_eq!(read.ok().map(|read| read.0.to_string()).as_deref(), expected, "{text}");
        }
    }
}
