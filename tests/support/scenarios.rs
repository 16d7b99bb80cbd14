//! The lab's scenarios: folders with captures and the texts beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use replyscope::model::capture::{CapturePoint, PointKind};
use serde::Deserialize;

/// A folder with a `truth.json`, and the inputs that this names.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    pub folder: PathBuf,
    /// Names of files in the folder.
    pub inventories: Vec<String>,
    pub captures: Vec<CaptureFile>,
}

/// A capture of a scenario, and where it was taken as far as its sender said so.
#[derive(Debug)]
pub struct CaptureFile {
    pub name: String,
    pub point: Option<CapturePoint>,
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
        let captures = inputs.captures.into_iter().map(|capture| {
            let point: CapturePoint = capture.point.parse().unwrap();
            let point = (point.kind != PointKind::Unknown).then_some(point);
            CaptureFile { name: capture.file, point }
        });
        let captures = captures.collect();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let scenario =
            Scenario { name: name.clone(), folder, inventories: inputs.inventory, captures };
        scenarios.insert(name, scenario);
    }
    scenarios.into_values().collect()
}
