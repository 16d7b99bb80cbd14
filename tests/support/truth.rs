//! What a scenario's `truth.json` says of its devices, and where a report differs.

use std::net::IpAddr;

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::{Device, Report};
use serde::Deserialize;

use crate::scenarios::Scenario;

/// What a right report says.
#[derive(Debug, Deserialize)]
pub struct Truth {
    devices: Vec<DeviceTruth>,
    /// `silent`: no device besides those listed is broken or tolerated.
    others: String,
}

#[derive(Debug, Deserialize)]
struct DeviceTruth {
    address: IpAddr,
    verdict: Verdict,
    /// Causes that the report must name at least, as tokens: not all are known yet.
    causes: Vec<String>,
    asked: Option<IpAddr>,
    answerer: Option<IpAddr>,
    icmp_errors: Option<u64>,
}

impl Truth {
    pub fn read(scenario: &Scenario) -> Self {
        let text = std::fs::read(scenario.folder.join("truth.json")).unwrap();
        serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{}/truth.json: {error}", scenario.name))
    }

    /// Causes that the truth asks for and that no rule of ours names yet.
    pub fn missing_causes(&self) -> Vec<&str> {
        let mut missing: Vec<&str> = self
            .devices
            .iter()
            .flat_map(|device| device.causes.iter().map(String::as_str))
            .filter(|token| Cause::find_token(token).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Where the report differs; empty where it is right.
    pub fn compare(&self, report: &Report) -> Vec<String> {
        let mut differences = Vec::new();
        for truth in &self.devices {
            let Some(device) = find_device(report, truth.address) else {
                differences.push(format!("{}: not in the report", truth.address));
                continue;
            };
            truth.compare(device, &mut differences);
        }
        if self.others != "silent" {
            differences.push(format!("others: '{}' is not understood", self.others));
        }
        for device in &report.devices {
            let is_listed = self.devices.iter().any(|truth| device.has_address(truth.address));
            if !is_listed && matches!(device.verdict, Verdict::Broken | Verdict::Tolerated) {
                differences.push(format!(
                    "{}: {}, but should stay silent",
                    device.device,
                    device.verdict.as_token()
                ));
            }
        }
        differences
    }
}

impl DeviceTruth {
    fn compare(&self, device: &Device, differences: &mut Vec<String>) {
        let mut differs = |what: &str, expected: &str, found: &str| {
            differences.push(format!("{}: {what} {expected} expected, {found}", self.address));
        };
        if device.verdict != self.verdict {
            differs("verdict", self.verdict.as_token(), device.verdict.as_token());
        }
        let causes: Vec<&str> =
            device.findings.iter().map(|finding| finding.cause.as_token()).collect();
        for cause in &self.causes {
            if !causes.contains(&cause.as_str()) {
                differs("cause", cause, &format!("found [{}]", causes.join(", ")));
            }
        }
        // A device may have several exchanges; the truth tells of the one that its
        // verdict comes from.
        let worst = device.exchanges.iter().filter(|exchange| exchange.verdict == device.verdict);
        let asked: Vec<Option<IpAddr>> = worst
            .clone()
            .map(|exchange| exchange.request.as_ref().map(|request| request.destination.address))
            .collect();
        if self.asked.is_some() && !asked.contains(&self.asked) {
            differs("asked", &print(self.asked), &format!("found {asked:?}"));
        }
        let answerers: Vec<IpAddr> = worst
            .filter(|exchange| {
                let asked = exchange.request.as_ref().map(|request| request.destination.address);
                self.asked.is_none() || asked == self.asked
            })
            .flat_map(|exchange| exchange.replies.iter().map(|reply| reply.source.address))
            .collect();
        if self.answerer.is_some_and(|answerer| !answerers.contains(&answerer)) {
            differs("answerer", &print(self.answerer), &format!("found {answerers:?}"));
        }
        if let Some(expected) = self.icmp_errors {
            let found: u64 = device
                .exchanges
                .iter()
                .flat_map(|exchange| exchange.icmp_errors.iter().map(|errors| errors.packets))
                .sum();
            if found != expected {
                differs("ICMP errors", &expected.to_string(), &format!("found {found}"));
            }
        }
    }
}

fn print(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "none".to_owned(), |address| address.to_string())
}

fn find_device(report: &Report, address: IpAddr) -> Option<&Device> {
    report.devices.iter().find(|device| device.has_address(address))
}

trait HasAddress {
    /// Whether an address is one of the device's: listed devices have several.
    fn has_address(&self, address: IpAddr) -> bool;
}

impl HasAddress for Device {
    fn has_address(&self, address: IpAddr) -> bool {
        self.device == address || self.addresses.contains(&address)
    }
}
