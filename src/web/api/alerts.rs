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
use crate::model::bearer::{find_bearer, is_equal};

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
        if !given.and_then(find_bearer).is_some_and(|given| is_equal(token.as_bytes(), given)) {
            return Err(Error::Unauthorized.into());
        }
    }
    let notification = read_json(&headers, body, MOST_BYTES).await?;
    Ok(Json(AlertAnswers { alerts: alerts::take(&service, notification).await? }))
}
