//! The lab's scenarios: captures of real packets, and what a right report says of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use replyscope::analysis::{Analysis, Limits, ReportHeader};
use replyscope::model::capture::{CapturePoint, PointKind};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::input::InputErrorKind;
use replyscope::model::report::{Device, Report};
use replyscope::model::time::Timestamp;
use serde::Deserialize;

/// One scenario: the folder with its captures, and its truth.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    folder: PathBuf,
    truth: Truth,
}

#[derive(Debug, Deserialize)]
struct Truth {
    inputs: Inputs,
    devices: Vec<DeviceTruth>,
    /// `silent`: no device besides those listed is broken or tolerated.
    others: String,
}

#[derive(Debug, Deserialize)]
struct Inputs {
    captures: Vec<CaptureInput>,
    inventory: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct CaptureInput {
    file: String,
    point: String,
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

/// What came of a scenario.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Where the report differs from the truth; empty where the scenario passes.
    pub differences: Vec<String>,
    /// Inventories, and whether their kind is read.
    pub inventories: Vec<(String, Readable)>,
}

/// Whether the library takes a text for an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    Yes,
    NotYet,
}

/// The scenarios in a folder, by name.
pub fn read_scenarios(folder: &Path) -> Vec<Scenario> {
    let mut scenarios = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let truth = folder.join("truth.json");
        if !truth.is_file() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let truth = serde_json::from_reader(File::open(truth).unwrap())
            .unwrap_or_else(|error| panic!("{name}/truth.json: {error}"));
        scenarios.insert(name.clone(), Scenario { name, folder, truth });
    }
    scenarios.into_values().collect()
}

impl Scenario {
    /// Causes that the truth asks for and that no rule of ours names yet.
    pub fn missing_causes(&self) -> Vec<&str> {
        let mut missing: Vec<&str> = self
            .truth
            .devices
            .iter()
            .flat_map(|device| device.causes.iter().map(String::as_str))
            .filter(|token| Cause::find_token(token).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Analyses the scenario and compares the report with the truth.
    pub fn run(&self) -> Outcome {
        let mut outcome = Outcome::default();
        match self.analyse(&mut outcome) {
            Ok(report) => self.compare(&report, &mut outcome.differences),
            Err(message) => outcome.differences.push(message),
        }
        outcome
    }

    fn analyse(&self, outcome: &mut Outcome) -> Result<Report, String> {
        let mut analysis = Analysis::new(Limits::default());
        for name in &self.truth.inputs.inventory {
            let readable = match analysis.read_inventory(name, &mut self.open(name)) {
                Ok(()) => Readable::Yes,
                Err(error) if matches!(error.kind, InputErrorKind::NotAnInventory(_)) => {
                    Readable::NotYet
                }
                Err(error) => return Err(error.to_string()),
            };
            outcome.inventories.push((name.clone(), readable));
        }
        for capture in &self.truth.inputs.captures {
            let point: CapturePoint =
                capture.point.parse().map_err(|error| format!("truth.json: {error}"))?;
            let point = (point.kind != PointKind::Unknown).then_some(point);
            analysis
                .read_capture(&capture.file, point, &mut self.open(&capture.file))
                .map_err(|error| error.to_string())?;
        }
        let header =
            ReportHeader { id: uuid::Uuid::nil(), title: None, created_at: Timestamp::EPOCH };
        analysis.finish(header).map_err(|error| error.to_string())
    }

    fn open(&self, name: &str) -> impl Read {
        let path = self.folder.join(name);
        File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn compare(&self, report: &Report, differences: &mut Vec<String>) {
        for truth in &self.truth.devices {
            let Some(device) = find_device(report, truth.address) else {
                differences.push(format!("{}: not in the report", truth.address));
                continue;
            };
            truth.compare(device, differences);
        }
        if self.truth.others != "silent" {
            differences.push(format!("others: '{}' is not understood", self.truth.others));
        }
        for device in &report.devices {
            let is_listed =
                self.truth.devices.iter().any(|truth| device.has_address(truth.address));
            if !is_listed && matches!(device.verdict, Verdict::Broken | Verdict::Tolerated) {
                differences.push(format!(
                    "{}: {}, but should stay silent",
                    device.device,
                    device.verdict.as_token()
                ));
            }
        }
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
