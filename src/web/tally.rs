//! What the service did since it started, for its metrics.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// A counter with one label.
#[derive(Debug)]
pub struct Counter {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    /// All values of the label: each has its series from the start, so that the first
    /// event is a rise of one.
    values: &'static [&'static str],
}

/// Alerts by what became of them.
pub const ALERTS: Counter = Counter {
    name: "replyscope_alerts_total",
    help: "Alerts, by what became of them.",
    label: "status",
    values: &["started", "running", "duplicate", "ignored", "refused", "waiting"],
};

/// Node queries by how they ended.
pub const QUERIES: Counter = Counter {
    name: "replyscope_node_queries_total",
    help: "Node queries that ended, by their state.",
    label: "state",
    values: &["finished", "failed", "interrupted"],
};

/// Uploads by what became of them.
pub const UPLOADS: Counter = Counter {
    name: "replyscope_uploads_total",
    help: "Uploads: stored, refused for what was sent, turned away because of what else runs (busy), given up by their sender (abandoned), or failed by a fault of the service.",
    label: "outcome",
    values: &["stored", "refused", "busy", "abandoned", "failed"],
};

/// What was counted. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counts: Arc<Mutex<BTreeMap<(&'static str, &'static str), u64>>>,
}

impl Tally {
    /// Counts one event; `value` is one of the counter's.
    pub(super) fn note(&self, counter: &Counter, value: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((counter.name, value)).or_default();
        *count = count.saturating_add(1);
    }

    /// Appends all counters, in Prometheus' text format.
    pub(super) fn render(&self, text: &mut String) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for Counter { name, help, label, values } in [&ALERTS, &QUERIES, &UPLOADS] {
            write_head(text, name, "counter", help);
            for value in *values {
                let count = counts.get(&(*name, *value)).copied().unwrap_or_default();
                // Writing to a string does not fail.
                let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {count}");
            }
        }
    }
}

/// The lines that come before the series of a metric.
pub fn write_head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_series_from_the_start() {
        let tally = Tally::default();
        let mut text = String::new();
        tally.clone().note(&ALERTS, "refused");
        tally.note(&ALERTS, "refused");
        tally.render(&mut text);
        for line in [
            "# TYPE replyscope_alerts_total counter",
            "replyscope_alerts_total{status=\"refused\"} 2",
            "replyscope_alerts_total{status=\"started\"} 0",
            "replyscope_node_queries_total{state=\"failed\"} 0",
            "replyscope_uploads_total{outcome=\"stored\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
