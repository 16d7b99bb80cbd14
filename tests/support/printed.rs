//! The lab's captures as `tcpdump` prints them, and what is read from that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use replyscope::analysis::{Analysis, Limits, ReportHeader};
use replyscope::model::capture::{CapturePoint, PointKind};
use replyscope::model::report::Report;
use replyscope::model::time::Timestamp;
use serde::Deserialize;

/// A folder with captures and the texts beside them.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    folder: PathBuf,
    inputs: Inputs,
}

#[derive(Debug, Deserialize)]
struct Truth {
    inputs: Inputs,
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

/// The scenarios in a folder, by name.
pub fn read_scenarios(folder: &Path) -> Vec<Scenario> {
    let mut scenarios = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(truth) = std::fs::read(folder.join("truth.json")) else { continue };
        let Truth { inputs } = serde_json::from_slice(&truth).unwrap();
        // What is a text already, tcpdump does not print.
        if inputs.captures.iter().any(|capture| capture.file.ends_with(".txt")) {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        scenarios.insert(name.clone(), Scenario { name, folder, inputs });
    }
    scenarios.into_values().collect()
}

impl Scenario {
    /// The report on the scenario, with what `read` makes of each capture's file.
    pub fn report(&self, read: impl Fn(&Path) -> Vec<u8>) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        for name in &self.inputs.inventory {
            let text = std::fs::read(self.folder.join(name)).unwrap();
            analysis.read_inventory(name, &mut &text[..]).unwrap();
        }
        for capture in &self.inputs.captures {
            let point: CapturePoint = capture.point.parse().unwrap();
            let point = (point.kind != PointKind::Unknown).then_some(point);
            let bytes = read(&self.folder.join(&capture.file));
            analysis.read_capture(&capture.file, point, &mut &bytes[..]).unwrap();
        }
        let header =
            ReportHeader { id: uuid::Uuid::nil(), title: None, created_at: Timestamp::EPOCH };
        analysis.finish(header).unwrap()
    }
}

/// Whether `tcpdump` is installed.
pub fn has_tcpdump() -> bool {
    Command::new("tcpdump").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What `tcpdump` prints of a capture under these options.
pub fn print(capture: &Path, options: &[&str]) -> Vec<u8> {
    let output = Command::new("tcpdump")
        .args(options)
        .arg("-r")
        .arg(capture)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
