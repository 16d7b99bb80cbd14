//! Reports to render in tests: the founding case, one that attacks its reader, one that is large.

mod founding;
mod hostile;

pub(crate) use self::founding::founding;
pub(crate) use self::hostile::{HOSTILE, hostile};

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::finding::{Cause, Verdict};
use crate::model::report::{AnalysisSummary, Device, DeviceSummary, Report, Summary};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Many devices, of which the first two are those of the founding case.
pub(crate) fn large(devices: u32) -> Report {
    let mut report = founding();
    let template = Device { findings: Vec::new(), ..report.devices[1].clone() };
    report.devices.extend((2..devices).map(|index| Device {
        device: IpAddr::from((0x0a00_0000 + index).to_be_bytes()),
        addresses: vec![IpAddr::from((0x0a00_0000 + index).to_be_bytes())],
        verdict: if index < 50 { Verdict::Tolerated } else { Verdict::Symmetric },
        headline: "Replies came from the address asked.".to_owned(),
        name: None,
        ..template.clone()
    }));
    report.summary = Summary {
        devices: u64::from(devices),
        verdicts: BTreeMap::from([
            (Verdict::Broken, 1),
            (Verdict::Tolerated, 49),
            (Verdict::Symmetric, u64::from(devices) - 50),
        ]),
    };
    report
}

/// A stored report in a list.
pub(crate) fn analysis_summaries(text: &str) -> Vec<AnalysisSummary> {
    let report = founding();
    Verdict::WORST_FIRST
        .into_iter()
        .map(|verdict| AnalysisSummary {
            id: report.id,
            title: text.to_owned(),
            created_at: report.created_at,
            verdict,
            headline: if verdict == Verdict::Broken {
                report.headline.clone()
            } else {
                text.to_owned()
            },
            devices: 2,
            captures: vec![text.to_owned(), text.to_owned()],
        })
        .collect()
}

/// A device's history, newest first.
pub(crate) fn device_summaries(text: &str) -> Vec<DeviceSummary> {
    [Verdict::Broken, Verdict::Tolerated]
        .into_iter()
        .map(|verdict| DeviceSummary {
            device: ip("2000::65:119"),
            name: Some(text.to_owned()),
            analysis: founding().id,
            analysed_at: founding().created_at,
            verdict,
            headline: text.to_owned(),
            causes: vec![Cause::FollowUpToRequestAddress, Cause::PortUnreachable],
        })
        .collect()
}

/// Whether a page neither runs nor fetches anything, whatever the strings in it say.
pub(crate) fn assert_harmless(name: &str, page: &str) {
    let lower = page.to_ascii_lowercase();
    for forbidden in [
        "<script",
        " style=",
        "javascript:",
        "http://",
        "https://",
        "//cdn",
        "@import",
        "url(",
        "<img",
    ] {
        assert!(!lower.contains(forbidden), "{name} has {forbidden}");
    }
    // Every tag as the template wrote it: no attribute that begins with "on".
    for tag in lower.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let mut outside_quotes = tag.split('"').step_by(2);
        assert!(
            outside_quotes.all(|part| !part.split_whitespace().any(|word| word.starts_with("on"))),
            "{name}: <{tag}>"
        );
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: <{tag}>");
    }
    let controls = ['\x1b', '\x07', '\r', '\u{202e}', '\u{9b}'];
    assert!(!page.contains(controls), "{name} has a control character");
}
