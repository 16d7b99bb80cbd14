//! `/metrics`, for Prometheus, in its text format.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::super::Service;
use super::super::problem::Problem;
use super::super::tally::write_head;
use crate::notify::ReceiverCounts;
use crate::store::Usage;

/// Returns the service's metrics: analyses that run, bytes that are stored, and what
/// became of uploads, node queries, alerts, and messages about changed verdicts.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses(
        (status = 200, description = "Metrics", body = String, content_type = "text/plain"),
        (status = 503, description = "The answer took too long", body = Problem, content_type = "application/problem+json")))]
pub async fn get_metrics(State(service): State<Service>) -> Response {
    let settings = &service.settings;
    let usage = service.store.usage().await.inspect_err(|error| {
        tracing::warn!(%error, "stored bytes cannot be counted");
    });
    let mut text = render(settings.running.count(), &settings.notices.counts());
    settings.tally.render(&mut text);
    if let Ok(Some(usage)) = usage {
        render_usage(&mut text, usage);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Names of receivers are ours: nothing in them has to be escaped.
fn render(analyses_running: usize, receivers: &[ReceiverCounts]) -> String {
    let mut text = String::new();
    write_head(&mut text, "replyscope_analyses_running", "gauge", "Analyses that run or wait.");
    // Writing to a string does not fail.
    let _ = writeln!(text, "replyscope_analyses_running {analyses_running}");
    if receivers.is_empty() {
        return text;
    }
    let name = "replyscope_notices_total";
    write_head(
        &mut text,
        name,
        "counter",
        "Messages about changed verdicts, by what became of them.",
    );
    for one in receivers {
        for (outcome, count) in
            [("sent", one.sent), ("failed", one.failed), ("dropped", one.dropped)]
        {
            let receiver = &one.receiver;
            let _ =
                writeln!(text, "{name}{{receiver=\"{receiver}\",outcome=\"{outcome}\"}} {count}");
        }
    }
    let name = "replyscope_notice_attempts_failed_total";
    write_head(&mut text, name, "counter", "Requests to receivers that did not succeed.");
    for one in receivers {
        let _ = writeln!(text, "{name}{{receiver=\"{}\"}} {}", one.receiver, one.failed_attempts);
    }
    let name = "replyscope_notices_waiting";
    write_head(&mut text, name, "gauge", "Messages that wait for their turn.");
    for one in receivers {
        let _ = writeln!(text, "{name}{{receiver=\"{}\"}} {}", one.receiver, one.waiting);
    }
    text
}

fn render_usage(text: &mut String, usage: Usage) {
    let name = "replyscope_stored_bytes";
    write_head(
        text,
        name,
        "gauge",
        "Bytes of captures and of the database, without its log of writes.",
    );
    for (kind, bytes) in [("captures", usage.captures_bytes), ("database", usage.database_bytes)] {
        let _ = writeln!(text, "{name}{{kind=\"{kind}\"}} {bytes}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receiver_has_its_series() {
        let counts = |receiver: &str, sent| ReceiverCounts {
            receiver: receiver.to_owned(),
            sent,
            failed: 1,
            dropped: 0,
            failed_attempts: 6,
            waiting: 2,
        };
        let text = render(3, &[counts("slack", 4), counts("slack-2", 5)]);
        for line in [
            "replyscope_analyses_running 3",
            "replyscope_notices_total{receiver=\"slack\",outcome=\"sent\"} 4",
            "replyscope_notices_total{receiver=\"slack-2\",outcome=\"sent\"} 5",
            "replyscope_notices_total{receiver=\"slack\",outcome=\"failed\"} 1",
            "replyscope_notice_attempts_failed_total{receiver=\"slack\"} 6",
            "replyscope_notices_waiting{receiver=\"slack\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!render(0, &[]).contains("notices"));
    }
}
