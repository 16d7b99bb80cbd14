//! The watch for Prometheus, in its text format.

use std::fmt::Write as _;

use crate::model::finding::Verdict;
use crate::node::wire::{Watch, WatchedDevice, WatchedState};

/// Appends all metrics of the watch to `text`.
pub fn render(text: &mut String, watch: &Watch) {
    let mut out = Out { text, node: escape(&watch.node) };
    out.whole(watch);
    out.interfaces(watch);
    out.devices(watch);
}

/// A label's value: backslash, quotation mark and line feed are escaped.
pub fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

struct Out<'a> {
    text: &'a mut String,
    node: String,
}

impl Out<'_> {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.text, "{name}{{node=\"{}\"", self.node);
        for (label, label_value) in labels {
            let _ = write!(self.text, ",{label}=\"{}\"", escape(label_value));
        }
        let _ = writeln!(self.text, "}} {value}");
    }

    fn whole(&mut self, watch: &Watch) {
        let analysis = watch.last_analysis.as_ref();
        let covered = analysis.map(|last| last.until.since(last.from).as_secs_f64());
        let took =
            analysis.map(|last| std::time::Duration::from_micros(last.took_us).as_secs_f64());
        let single = [
            (
                "replyscope_watch_capturing",
                "gauge",
                "Whether packets of the watched devices are captured.",
                Some(u8::from(watch.is_capturing).to_string()),
            ),
            (
                "replyscope_watch_devices",
                "gauge",
                "Devices that are watched.",
                Some(watch.devices.len().to_string()),
            ),
            (
                "replyscope_watch_devices_uncaptured",
                "gauge",
                "Devices to which no captured interface leads: nothing is known of them.",
                Some(watch.devices.iter().filter(|one| is_uncaptured(one)).count().to_string()),
            ),
            (
                "replyscope_watch_packets_skipped_total",
                "counter",
                "Packets that had to make room, or became too old, before an analysis saw them.",
                Some(watch.packets_skipped.to_string()),
            ),
            (
                "replyscope_watch_window_seconds",
                "gauge",
                "Seconds of packets that the last analysis had.",
                covered.map(|seconds| seconds.to_string()),
            ),
            (
                "replyscope_watch_analysis_seconds",
                "gauge",
                "How long the last analysis took.",
                took.map(|seconds| seconds.to_string()),
            ),
            (
                "replyscope_watch_last_analysis_timestamp_seconds",
                "gauge",
                "When the last analysis looked at the window.",
                analysis.map(|last| seconds(last.until).to_string()),
            ),
        ];
        for (name, kind, help, value) in single {
            if let Some(value) = value {
                self.head(name, kind, help);
                self.sample(name, &[], &value);
            }
        }
    }

    fn interfaces(&mut self, watch: &Watch) {
        let name = "replyscope_watch_packets_total";
        self.head(name, "counter", "Packets of the watched devices, dropped ones included.");
        for interface in &watch.interfaces {
            self.sample(name, &[("interface", &interface.name)], &interface.packets.to_string());
        }
        let name = "replyscope_watch_drops_total";
        self.head(name, "counter", "Of those, packets that the kernel dropped for want of room.");
        for interface in &watch.interfaces {
            self.sample(name, &[("interface", &interface.name)], &interface.drops.to_string());
        }
    }

    fn devices(&mut self, watch: &Watch) {
        let known = || watch.devices.iter().filter_map(|one| Some((one, one.state.as_ref()?)));
        let name = "replyscope_device_verdict";
        self.head(name, "gauge", "1 for the verdict of the device, 0 for the others.");
        for (device, state) in known() {
            for verdict in Verdict::WORST_FIRST {
                let value = if verdict == state.verdict { "1" } else { "0" };
                self.device(name, device, &[("verdict", verdict.as_token())], value);
            }
        }
        let name = "replyscope_device_findings";
        self.head(name, "gauge", "Findings by cause; one that is gone has no series.");
        for (device, state) in known() {
            for finding in &state.findings {
                let severity = finding.severity.as_token();
                let labels = [("cause", finding.cause.as_token()), ("severity", severity)];
                self.device(name, device, &labels, "1");
            }
        }
        let name = "replyscope_device_last_packet_timestamp_seconds";
        self.head(name, "gauge", "When the last packet of an exchange of the device came.");
        for (device, WatchedState { last_packet_at, .. }) in known() {
            self.device(name, device, &[], &seconds(*last_packet_at).to_string());
        }
    }

    fn device(&mut self, name: &str, device: &WatchedDevice, labels: &[(&str, &str)], value: &str) {
        let address = device.device.to_string();
        // An empty label is none.
        let own = [("device", address.as_str()), ("name", device.name.as_deref().unwrap_or(""))];
        self.sample(name, &[&own[..], labels].concat(), value);
    }
}

/// Whether no packet of the device can be seen, by any of its addresses.
fn is_uncaptured(device: &WatchedDevice) -> bool {
    device.addresses.iter().all(|address| device.uncaptured_addresses.contains(address))
}

const fn seconds(at: crate::model::time::Timestamp) -> i64 {
    at.as_nanoseconds().div_euclid(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::samples::at;
    use super::*;
    use crate::model::finding::{Cause, Confidence, Severity};
    use crate::node::wire::{WatchAnalysis, WatchedFinding, WatchedInterface};

    #[test]
    fn each_device_has_its_series() {
        let finding = WatchedFinding {
            cause: Cause::FollowUpToRequestAddress,
            severity: Severity::Error,
            confidence: Confidence::Certain,
            title: String::new(),
            evidence: 3,
        };
        let device = |address: &str, name: Option<&str>, state| WatchedDevice {
            device: address.parse().unwrap(),
            name: name.map(str::to_owned),
            addresses: vec![address.parse().unwrap()],
            uncaptured_addresses: (address == "192.0.2.8")
                .then(|| address.parse().unwrap())
                .into_iter()
                .collect(),
            state,
        };
        let state = |verdict, findings| WatchedState {
            verdict,
            headline: String::new(),
            judged_at: at(90),
            last_packet_at: at(80),
            exchanges: BTreeMap::new(),
            findings,
        };
        let watch = Watch {
            version: 1,
            node: "node3".to_owned(),
            at: at(100),
            is_capturing: true,
            fault: None,
            window_seconds: 60,
            stale_after_seconds: 300,
            packets_skipped: 4,
            last_analysis: Some(WatchAnalysis {
                from: at(30),
                until: at(90),
                packets: 7,
                has_gap: false,
                took_us: 1_500,
            }),
            interfaces: vec![WatchedInterface { name: "eth0".into(), packets: 9, drops: 2 }],
            devices: vec![
                device("192.0.2.7", None, Some(state(Verdict::Broken, vec![finding]))),
                device("2001:db8::7", Some("a \"b\""), Some(state(Verdict::Tolerated, vec![]))),
                device("192.0.2.8", None, None),
            ],
        };
        let mut text = String::new();
        render(&mut text, &watch);
        for line in [
            r#"replyscope_watch_capturing{node="node3"} 1"#,
            r#"replyscope_watch_devices{node="node3"} 3"#,
            r#"replyscope_watch_devices_uncaptured{node="node3"} 1"#,
            r#"replyscope_watch_packets_skipped_total{node="node3"} 4"#,
            r#"replyscope_watch_window_seconds{node="node3"} 60"#,
            r#"replyscope_watch_analysis_seconds{node="node3"} 0.0015"#,
            r#"replyscope_watch_packets_total{node="node3",interface="eth0"} 9"#,
            r#"replyscope_watch_drops_total{node="node3",interface="eth0"} 2"#,
            r#"replyscope_device_verdict{node="node3",device="192.0.2.7",name="",verdict="broken"} 1"#,
            r#"replyscope_device_verdict{node="node3",device="192.0.2.7",name="",verdict="tolerated"} 0"#,
            r#"replyscope_device_verdict{node="node3",device="2001:db8::7",name="a \"b\"",verdict="tolerated"} 1"#,
            r#"replyscope_device_findings{node="node3",device="192.0.2.7",name="",cause="follow_up_to_request_address",severity="error"} 1"#,
            r#"replyscope_device_last_packet_timestamp_seconds{node="node3",device="192.0.2.7",name=""} 1700000080"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("192.0.2.8"), "nothing is known of it");
        let verdicts = text.lines().filter(|line| line.starts_with("replyscope_device_verdict{"));
        assert_eq!(verdicts.count(), 14);
    }
}
