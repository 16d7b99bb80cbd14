//! The lab's scenarios as inputs that a test may change, and what a report says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::capture::CapturePoint;
use replyscope::model::finding::Verdict;
use replyscope::model::report::Report;

use super::frames::{Format, Frames};
use super::header::header;
use super::lab;

/// One scenario: what goes into an analysis.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub inventories: Vec<(String, String)>,
    pub captures: Vec<CaptureInput>,
}

/// One capture, and where it was taken as far as its sender said so.
#[derive(Debug, Clone)]
pub struct CaptureInput {
    pub name: String,
    pub point: Option<CapturePoint>,
    pub frames: Frames,
}

/// What a report says of one device: what must not depend on how it was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub verdict: Verdict,
    pub causes: BTreeSet<&'static str>,
    /// Who was asked, and who answered, over the exchanges that the verdict comes from.
    pub asked: BTreeSet<IpAddr>,
    pub answerers: BTreeSet<IpAddr>,
}

pub type Diagnoses = BTreeMap<IpAddr, Diagnosis>;

/// The scenarios of this repository, and of the lab where it lies beside it.
pub fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["tests/fixtures/lab", "tests/fixtures/lab_more"].map(|folder| root.join(folder));
    let lab = root.join("../shared/lab/scenarios");
    let mut scenarios: BTreeMap<String, Scenario> = BTreeMap::new();
    for folder in own.into_iter().chain([lab]) {
        if !folder.is_dir() {
            println!("skipped: the scenarios of {} are not there", folder.display());
            continue;
        }
        for listed in lab::read_scenarios(&folder) {
            scenarios.entry(listed.name.clone()).or_insert_with(|| Scenario::read(listed));
        }
    }
    assert!(scenarios.len() >= 44, "{} scenarios", scenarios.len());
    scenarios.into_values().collect()
}

/// The captures of bytes among those that stand apart from what other tests change.
pub fn apart_scenarios() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab_apart");
    let listed = lab::read_scenarios(&folder);
    let is_pcap = |folder: &Path, name: &str| {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        bytes.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1])
    };
    let scenarios = listed.into_iter().filter(|scenario| {
        let mut captures = scenario.captures.iter();
        captures.all(|capture| is_pcap(&scenario.folder, &capture.name))
    });
    let scenarios: Vec<Scenario> = scenarios.map(Scenario::read).collect();
    assert!(scenarios.len() >= 40, "{} scenarios", scenarios.len());
    scenarios
}

impl Scenario {
    fn read(listed: lab::Scenario) -> Self {
        let lab::Scenario { name, folder, inventories, captures } = listed;
        let inventories = inventories.into_iter().map(|name| {
            let text = std::fs::read_to_string(folder.join(&name)).unwrap();
            (name, text)
        });
        let captures = captures.into_iter().map(|capture| {
            let frames = Frames::read(&std::fs::read(folder.join(&capture.name)).unwrap());
            CaptureInput { name: capture.name, point: capture.point, frames }
        });
        Self { name, inventories: inventories.collect(), captures: captures.collect() }
    }

    /// The same with other frames in each capture.
    pub fn map(&self, mut change: impl FnMut(&Frames) -> Frames) -> Self {
        let mut scenario = self.clone();
        for capture in &mut scenario.captures {
            capture.frames = change(&capture.frames);
        }
        scenario
    }

    /// What the report says of each device.
    pub fn diagnose(&self) -> Diagnoses {
        self.diagnose_as(Format::Pcap)
    }

    pub fn diagnose_as(&self, format: Format) -> Diagnoses {
        diagnoses(&self.report(format, Order::InventoriesFirst))
    }

    pub fn diagnose_in(&self, order: Order) -> Diagnoses {
        diagnoses(&self.report(Format::Pcap, order))
    }

    pub fn report(&self, format: Format, order: Order) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        let read_inventories = |analysis: &mut Analysis| {
            for (name, text) in &self.inventories {
                analysis.read_inventory(name, &mut text.as_bytes()).unwrap();
            }
        };
        if order == Order::InventoriesFirst {
            read_inventories(&mut analysis);
        }
        for capture in &self.captures {
            let bytes = capture.frames.write(format);
            let read =
                analysis.read_capture(&capture.name, capture.point.clone(), &mut bytes.as_slice());
            if !capture.frames.frames.is_empty() {
                read.unwrap();
            }
        }
        if order == Order::CapturesFirst {
            read_inventories(&mut analysis);
        }
        analysis.finish(header()).unwrap()
    }
}

/// What an analysis is given first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    InventoriesFirst,
    CapturesFirst,
}

pub fn diagnoses(report: &Report) -> Diagnoses {
    let devices = report.devices.iter().map(|device| {
        let worst = || device.exchanges.iter().filter(|one| one.verdict == device.verdict);
        let diagnosis = Diagnosis {
            verdict: device.verdict,
            causes: device.findings.iter().map(|finding| finding.cause.as_token()).collect(),
            asked: worst()
                .filter_map(|one| Some(one.request.as_ref()?.destination.address))
                .collect(),
            answerers: worst()
                .flat_map(|one| one.replies.iter().map(|reply| reply.source.address))
                .collect(),
        };
        (device.device, diagnosis)
    });
    devices.collect()
}

/// Where two sets of diagnoses differ, one line a device.
pub fn differences(expected: &Diagnoses, found: &Diagnoses) -> Vec<String> {
    let devices: BTreeSet<&IpAddr> = expected.keys().chain(found.keys()).collect();
    let differing = devices.into_iter().filter_map(|device| {
        let (expected, found) = (expected.get(device), found.get(device));
        (expected != found)
            .then(|| format!("{device}:\n  expected {expected:?}\n  found    {found:?}"))
    });
    differing.collect()
}
