//! Alerts of Alertmanager, and the node queries that they start.
//!
//! Labels are data of whoever writes alert rules, and partly of devices: they
//! select among the nodes that are registered, and never say where to connect.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Service;
use super::error::Error;
use super::extract::find_address;
use super::queries::{Preflight, QueryRequest, Started};
use super::tally::ALERTS;
use crate::model::time::Timestamp;
use crate::node::summary::NodeSummary;

/// Alerts of one notification that are looked at.
const MOST_ALERTS: usize = 200;

/// The longest part of a label that an answer repeats, in characters.
const REPEATED_CHARACTERS: usize = 100;

/// How alerts start queries.
#[derive(Debug, Clone)]
pub struct AlertOptions {
    /// The bearer token that must come with alerts; without it, anybody may send them.
    pub token: Option<String>,
    /// The label that names the device.
    pub device_label: String,
    /// The label that names the node.
    pub node_label: String,
    /// How long a query captures, in seconds.
    pub duration_s: u32,
    /// How long the same alert starts nothing more.
    pub window: Duration,
    /// Comes before the paths of links; empty where it is not known.
    pub public_url: String,
}

impl Default for AlertOptions {
    fn default() -> Self {
        Self {
            token: None,
            device_label: "device".to_owned(),
            node_label: "node".to_owned(),
            duration_s: 60,
            window: Duration::from_hours(1),
            public_url: String::new(),
        }
    }
}

/// What Alertmanager sends: its webhook, version 4. Other members are not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Notification {
    #[schema(example = "4")]
    pub version: String,
    pub alerts: Vec<Alert>,
}

/// One alert.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Alert {
    /// `firing` or `resolved`.
    #[schema(example = "firing")]
    pub status: String,
    /// `device` and `node` are looked at, or what the settings call them.
    #[serde(default)]
    #[schema(example = json!({"alertname": "DeviceBackupFailed", "device": "192.0.2.7", "node": "node3"}))]
    pub labels: BTreeMap<String, String>,
    /// Without it, the alert starts nothing.
    #[serde(default)]
    #[schema(example = "0b7a6d5e4c3b2a19", required)]
    pub fingerprint: String,
}

/// What became of one alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertAnswer {
    pub fingerprint: String,
    pub status: AlertStatus,
    /// Why nothing was started.
    pub reason: Option<String>,
    pub links: AlertLinks,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It started a node query.
    Started,
    /// A node query about its device runs at this node already.
    Running,
    /// It started one lately, which runs or has a report.
    Duplicate,
    /// It asks for nothing: it is resolved.
    Ignored,
    /// It asks for something that is not possible.
    Refused,
}

impl AlertStatus {
    /// The JSON value.
    const fn as_token(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Running => "running",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }
}

/// Where to look. Members that make no sense for an alert are left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct AlertLinks {
    /// The page of the query, then of its report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The device's permanent page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Why an alert started nothing.
#[derive(Debug)]
struct Refusal {
    reason: String,
    device: Option<IpAddr>,
    /// Whether it may start something when it is sent again.
    is_passing: bool,
}

/// Starts what the alerts ask for, one answer for each.
///
/// # Errors
///
/// Where there are too many, or the store does not answer. Where alerts could start
/// nothing only because of what else runs, all of them must come again: Alertmanager
/// keeps no answer, and repeats a notification only after a status of 500 or more. Those
/// that started something are then known by their fingerprints.
pub async fn take(
    service: &Service,
    notification: Notification,
) -> Result<Vec<AlertAnswer>, Error> {
    let Notification { version, alerts } = notification;
    if version != "4" {
        let version = shorten(&version);
        return Err(Error::BadBody(format!("the webhook has version '{version}'; expected 4")));
    }
    if alerts.len() > MOST_ALERTS {
        let detail = format!("{} alerts came; expected at most {MOST_ALERTS}", alerts.len());
        return Err(Error::BadBody(detail));
    }
    let all = alerts.len();
    let mut answers = Vec::with_capacity(all);
    let (mut waiting, mut why) = (0, None);
    for alert in alerts {
        let tally = &service.settings.tally;
        match take_one(service, &alert).await? {
            Ok(answer) => {
                tally.note(&ALERTS, answer.status.as_token());
                answers.push(answer);
            }
            Err(refusal) => {
                tally.note(&ALERTS, if refusal.is_passing { "waiting" } else { "refused" });
                log_refusal(&service.settings.alerts, &alert, &refusal);
                if refusal.is_passing {
                    waiting += 1;
                    why = Some(refusal.reason.clone());
                }
                let (status, reason) = (AlertStatus::Refused, Some(refusal.reason));
                answers.push(answer(service, &alert, status, reason, refusal.device, None));
            }
        }
    }
    match why {
        Some(reason) => Err(Error::AlertsWait { waiting, alerts: all, reason }),
        None => Ok(answers),
    }
}

/// Whoever sent it does not look at the answer: the log is where it can be found.
fn log_refusal(options: &AlertOptions, alert: &Alert, refusal: &Refusal) {
    let label = |name: &str| alert.labels.get(name).map(|text| shorten(text)).unwrap_or_default();
    tracing::warn!(
        fingerprint = shorten(&alert.fingerprint),
        device = label(&options.device_label),
        node = label(&options.node_label),
        alertname = label("alertname"),
        reason = refusal.reason,
        "alert starts no query"
    );
}

fn answer(
    service: &Service,
    alert: &Alert,
    status: AlertStatus,
    reason: Option<String>,
    device: Option<IpAddr>,
    id: Option<Uuid>,
) -> AlertAnswer {
    let base = &service.settings.alerts.public_url;
    AlertAnswer {
        fingerprint: shorten(&alert.fingerprint),
        status,
        reason,
        links: AlertLinks {
            analysis: id.map(|id| format!("{base}/analyses/{id}")),
            api: id.map(|id| format!("{base}/api/v1/analyses/{id}")),
            device: device.map(|device| format!("{base}/devices/{device}")),
        },
    }
}

async fn take_one(service: &Service, alert: &Alert) -> Result<Result<AlertAnswer, Refusal>, Error> {
    let options = &service.settings.alerts;
    let fingerprint: String = shorten(&alert.fingerprint);
    let answer = |status, reason, device, id| answer(service, alert, status, reason, device, id);
    let refuse = |reason, device| Ok(Err(Refusal { reason, device, is_passing: false }));
    if alert.status != "firing" {
        let reason = "only alerts that fire start a capture".to_owned();
        let device = alert.labels.get(&options.device_label).and_then(|text| find_address(text));
        return Ok(Ok(answer(AlertStatus::Ignored, Some(reason), device, None)));
    }
    if fingerprint.is_empty() {
        return refuse("the alert has no fingerprint".to_owned(), None);
    }
    let device = match find_device(service, alert).await? {
        Ok(device) => device,
        Err(reason) => return refuse(reason, None),
    };
    let now = (service.settings.now)();
    let window_ns = i64::try_from(options.window.as_nanos()).unwrap_or(i64::MAX);
    let after = Timestamp::from_nanoseconds(now.as_nanoseconds().saturating_sub(window_ns));
    if let Some(id) = service.store.find_alert(&fingerprint, after).await? {
        let reason = format!("it started a capture less than {} s ago", options.window.as_secs());
        return Ok(Ok(answer(AlertStatus::Duplicate, Some(reason), Some(device), Some(id))));
    }
    let node = match find_node(service, alert, device).await? {
        Ok(node) => node,
        Err(reason) => return refuse(reason, Some(device)),
    };
    let request = QueryRequest {
        node: node.node,
        cluster: node.cluster,
        device,
        addresses: Vec::new(),
        duration_s: options.duration_s,
        interfaces: Vec::new(),
        ports: Vec::new(),
    };
    match service.queries.start(request, Preflight::Trust).await {
        Ok(started) => {
            let id = started.id();
            let status = match started {
                Started::New(_) => {
                    service.store.save_alert(&fingerprint, id, now, after).await?;
                    AlertStatus::Started
                }
                // It may ask for something else, or be about to end: when the alert comes
                // again, it has a capture of its own to start.
                Started::Running(_) => AlertStatus::Running,
            };
            Ok(Ok(answer(status, None, Some(device), Some(id))))
        }
        Err(error @ Error::Store(_)) => Err(error),
        Err(error) => Ok(Err(Refusal {
            reason: error.to_string(),
            device: Some(device),
            is_passing: error.is_passing(),
        })),
    }
}

/// The device that the alert's label names: by address, or by the name that a
/// report gave it.
async fn find_device(service: &Service, alert: &Alert) -> Result<Result<IpAddr, String>, Error> {
    let label = &service.settings.alerts.device_label;
    let Some(text) = alert.labels.get(label).filter(|text| !text.is_empty()) else {
        return Ok(Err(format!("the alert has no label '{label}'")));
    };
    if let Some(address) = find_address(text) {
        return Ok(Ok(address));
    }
    let named = service.store.find_named_device(text).await?;
    Ok(named.ok_or_else(|| {
        format!(
            "the label '{label}' is '{}', which is neither an address nor the name of a device in a report",
            shorten(text)
        )
    }))
}

/// The node that the alert's label names; without the label, the one where the
/// device was looked for last, or the only one that has an agent.
async fn find_node(
    service: &Service,
    alert: &Alert,
    device: IpAddr,
) -> Result<Result<NodeSummary, String>, Error> {
    let nodes = &service.settings.nodes;
    let label = &service.settings.alerts.node_label;
    if let Some(name) = alert.labels.get(label).filter(|name| !name.is_empty()) {
        let found = nodes.find(name, None).map(|node| node.summary);
        return Ok(found.map_err(|error| shorten(&error.to_string())));
    }
    if let Some(query) = service.store.newest_query_of(device).await?
        && let Ok(node) = nodes.find(&query.node, query.cluster.as_deref())
    {
        return Ok(Ok(node.summary));
    }
    let mut askable = nodes.list();
    askable.retain(|node| node.agent.url.is_some());
    let count = askable.len();
    Ok(match (count, askable.pop()) {
        (1, Some(node)) => Ok(node),
        (0, _) => Err("no node has an agent".to_owned()),
        _ => Err(format!(
            "the alert has no label '{label}', and {count} nodes could be meant: none was asked about {device} before"
        )),
    })
}

/// The part of a foreign text that an answer repeats.
pub fn shorten(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(REPEATED_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alertmanager_sends_is_read() {
        let json = r#"{"version": "4", "groupKey": "{}", "status": "firing", "receiver": "r",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://a",
            "truncatedAlerts": 0,
            "alerts": [{"status": "firing", "labels": {"device": "2001:db8::7"}, "annotations": {},
                "startsAt": "2024-11-19T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "", "fingerprint": "0b7a6d5e4c3b2a19"}]}"#;
        let read: Notification = serde_json::from_str(json).unwrap();
        assert_eq!(read.alerts[0].labels["device"], "2001:db8::7");
        assert_eq!(read.alerts[0].fingerprint, "0b7a6d5e4c3b2a19");
    }
}
