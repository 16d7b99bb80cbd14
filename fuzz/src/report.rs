//! What holds for every report.

use std::collections::{BTreeMap, BTreeSet};

use replyscope::model::capture::CaptureFormat;
use replyscope::model::finding::Verdict;
use replyscope::model::report::{Capture, Device, Report};
use replyscope::model::time::Timestamp;
use replyscope::report::html::{self, Setting};
use replyscope::report::text::{Style, render_text};

/// Checks a report on inputs of which none has more lines than `lines`.
///
/// # Panics
///
/// Where it does not read back as it was written, cannot be rendered, or lets what
/// a capture holds reach the terminal or the page as it is; where its sums are
/// wrong; and where a verdict or a finding cites nothing, or a frame or line that
/// no capture of the report has.
pub fn check(report: &Report, lines: u64) {
    check_json(report);
    check_text(report);
    check_pages(report);
    check_sums(report);
    let mut captures = BTreeMap::new();
    for capture in &report.captures {
        let other = captures.insert(capture.name.as_str(), capture);
        assert!(other.is_none(), "two captures are called {:?}", capture.name);
    }
    for device in &report.devices {
        check_device(device, &captures, lines);
    }
}

fn check_json(report: &Report) {
    let json = serde_json::to_vec(report).unwrap_or_default();
    assert!(!json.is_empty(), "the report has no JSON");
    match serde_json::from_slice::<Report>(&json) {
        Ok(again) => assert!(*report == again, "the report's JSON reads back differently"),
        Err(error) => panic!("the report's JSON does not read back: {error}"),
    }
}

fn check_text(report: &Report) {
    let text = render_text(report, Style::Plain);
    let control = text.chars().find(|&letter| letter.is_control() && letter != '\n');
    assert!(control.is_none(), "the text holds {control:?}");
}

fn check_pages(report: &Report) {
    let whole = html::render_report(report, Setting::File).map(Some);
    let worst = report.devices.first().map(|device| device.device);
    let device = worst.map_or(Ok(None), |it| html::render_device(report, it, Setting::File));
    for page in [whole, device] {
        match page {
            Ok(page) => {
                assert!(
                    !page.is_some_and(|page| page.contains("<script")),
                    "markup reached a page"
                );
            }
            Err(error) => panic!("a page cannot be rendered: {error}"),
        }
    }
}

fn check_sums(report: &Report) {
    let devices = report.devices.iter();
    let worst = devices.clone().map(|device| device.verdict).max();
    assert_eq!(report.verdict, worst.unwrap_or(Verdict::Inconclusive));
    let mut verdicts = BTreeMap::new();
    for device in devices.clone() {
        *verdicts.entry(device.verdict).or_insert(0_u64) += 1;
    }
    assert_eq!(report.summary.verdicts, verdicts);
    assert_eq!(report.summary.devices, report.devices.len() as u64);
    let distinct: BTreeSet<_> = devices.map(|device| device.device).collect();
    assert_eq!(distinct.len(), report.devices.len(), "a device is listed twice");
}

fn check_device(device: &Device, captures: &BTreeMap<&str, &Capture>, lines: u64) {
    let cites = |name: &str, frame, at| match captures.get(name) {
        Some(capture) => check_frame(capture, frame, at, lines),
        None => panic!("no capture is called {name:?}"),
    };
    for finding in &device.findings {
        assert!(!finding.evidence.is_empty(), "{} cites nothing", finding.cause);
        for evidence in &finding.evidence {
            cites(&evidence.capture, evidence.frame, evidence.at);
        }
    }
    if device.verdict >= Verdict::Unanswered || device.verdict == Verdict::Tolerated {
        assert!(!device.findings.is_empty(), "{}: nothing was found", device.headline);
    }
    for exchange in &device.exchanges {
        for name in &exchange.captures {
            assert!(captures.contains_key(name.as_str()), "no capture is called {name:?}");
        }
        for step in &exchange.steps {
            cites(&step.capture, step.frame, step.at);
        }
        assert!(exchange.first_packet_at <= exchange.last_packet_at, "it ends before it begins");
    }
}

/// Panics where the capture has no such frame, or none at that time.
fn check_frame(capture: &Capture, frame: u64, at: Timestamp, lines: u64) {
    let most = match capture.format {
        CaptureFormat::Dig | CaptureFormat::Conntrack => lines,
        _ => capture.packets,
    };
    assert!((1..=most).contains(&frame), "{:?} has no frame {frame}", capture.name);
    if let (Some(first), Some(last)) = (capture.first_packet_at, capture.last_packet_at) {
        assert!((first..=last).contains(&at), "{:?} has no packet at {at:?}", capture.name);
    }
}
