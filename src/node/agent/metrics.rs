//! The agent's health for Prometheus, in its text format.

use std::fmt::Write as _;

use super::capture::Captures;
use super::watch::metrics::escape;

/// Renders all metrics.
pub fn render(node: &str, captures: &Captures) -> String {
    let counts = captures.counts();
    let last_packet_s = captures.last_packet_at().map(|at| at.as_nanoseconds() / 1_000_000_000);
    let metrics = [
        (
            "replyscope_agent_captures_running",
            "gauge",
            "Captures that run.",
            captures.list().len().to_string(),
        ),
        (
            "replyscope_agent_captures_limit",
            "gauge",
            "Captures that may run at the same time.",
            captures.policy().captures.to_string(),
        ),
        (
            "replyscope_agent_packets_total",
            "counter",
            "Packets that passed the filters of captures, dropped ones included.",
            counts.received.to_string(),
        ),
        (
            "replyscope_agent_kernel_drops_total",
            "counter",
            "Packets for captures that the kernel dropped for want of room.",
            counts.dropped.to_string(),
        ),
        (
            "replyscope_agent_last_packet_timestamp_seconds",
            "gauge",
            "When the last packet of a capture came; 0 before the first.",
            last_packet_s.unwrap_or(0).to_string(),
        ),
    ];
    let node = escape(node);
    let mut text = String::new();
    for (name, kind, help, value) in metrics {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{node=\"{node}\"}} {value}"
        );
    }
    text
}
