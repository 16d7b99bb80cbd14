//! `/api/v1/alerts`

use axum::body::Body;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Service;
use super::super::alerts::{self, AlertAnswer, Notification};
use super::super::error::{ApiError, Error};
use super::super::extract::Json;
use super::queries::read_json;
use super::responses::AlertProblems;

/// A notification of 200 alerts with long annotations.
const MOST_BYTES: usize = 4 << 20;

/// What became of the alerts of a notification.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertAnswers {
    /// In the order of the notification.
    alerts: Vec<AlertAnswer>,
}

/// Takes a notification of Alertmanager (webhook, version 4).
///
/// An alert that fires starts a node query about the device, and at the node, that its labels
/// name. It answers at once.
#[utoipa::path(post, path = "/api/v1/alerts", tag = "alerts", request_body = Notification,
    security(("alert_token" = []), ()),
    responses((status = 200, description = "One answer for each alert", body = AlertAnswers), AlertProblems))]
pub async fn take_alerts(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AlertAnswers>, ApiError> {
    if let Some(token) = &service.settings.alerts.token {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if !given.and_then(find_bearer).is_some_and(|given| is_equal(given, token.as_bytes())) {
            return Err(Error::Unauthorized.into());
        }
    }
    let notification = read_json(body, MOST_BYTES).await?;
    Ok(Json(AlertAnswers { alerts: alerts::take(&service, notification).await? }))
}

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1); the scheme in any case.
fn find_bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Takes as long for a token that is almost right as for any other of its length.
fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_right() {
        let cases: [(&[u8], bool); 6] = [
            (b"Bearer secret", true),
            (b"bearer  secret ", true),
            (b"Bearer secreT", false),
            (b"Bearer secre", false),
            (b"Bearer ", false),
            (b"Basic secret", false),
        ];
        for (header, expected) in cases {
            let is_right = find_bearer(header).is_some_and(|given| is_equal(given, b"secret"));
            assert_eq!(is_right, expected, "{}", header.escape_ascii());
        }
    }
}
