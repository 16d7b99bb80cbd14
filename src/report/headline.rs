//! The answer in one sentence. It is read first, often alone, and by somebody in
//! a hurry: it says no more than the packets show.

mod device;

use std::collections::BTreeMap;

pub use self::device::{BY_ASKED, Counted, device_headline};
use super::wording::{count, group_digits};
use crate::model::capture::CaptureFormat;
use crate::model::finding::{Severity, Verdict};
use crate::model::report::{Capture, Device};
use crate::model::stand_in::render_named;

/// Whether the warnings of a capture say what of it could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    None,
    Told,
}

const UNCLEAR: &str = "the capture does not show enough to judge";

/// What to say first about all devices, which are sorted worst first.
pub fn report_headline(
    devices: &[Device],
    verdicts: &BTreeMap<Verdict, u64>,
    captures: &[Capture],
    unread: Unread,
) -> String {
    let Some(worst) = devices.first() else { return nothing_found(captures, unread) };
    let headline = &worst.headline;
    let who = who(worst);
    let number = u64::try_from(devices.len()).unwrap_or(u64::MAX);
    let alike = verdicts.get(&worst.verdict).copied().unwrap_or(0);
    let (all, alike) = (group_digits(number), group_digits(alike));
    match (worst.verdict, number) {
        (_, 1) => format!("{who}: {headline}"),
        (Verdict::Symmetric | Verdict::OneWay, _) => {
            faults(devices, Severity::Warning).unwrap_or_else(|| no_fault(devices, &all))
        }
        // One-way exchanges have errors too, and stand behind what is not clear.
        (Verdict::Tolerated | Verdict::Inconclusive, _)
            if let Some(faults) = faults(devices, Severity::Error) =>
        {
            let rest = match worst.verdict {
                Verdict::Inconclusive => UNCLEAR,
                _ => "an address or port changed on the way",
            };
            format!("{faults}. For {alike} of {all}, {rest}")
        }
        (Verdict::Tolerated, _) if devices.iter().any(|device| device.error_answers > 0) => {
            format!(
                "{} of {all} devices got an error as answer, and for {alike} an address or port changed. {who}: {headline}",
                failed_devices(devices)
            )
        }
        (Verdict::Tolerated, _) => format!(
            "No failure was seen, but for {alike} of {all} devices an address or port changed. {who}: {headline}"
        ),
        (verdict, _) if alike == "1" => {
            format!("1 of {all} devices is {verdict}. {who}: {headline}")
        }
        (verdict, _) => format!("{alike} of {all} devices are {verdict}. {who}: {headline}"),
    }
}

fn who(device: &Device) -> String {
    render_named(device.device, device.name.as_deref())
}

/// How many devices have a finding as grave as this, and the first of them.
fn faults(devices: &[Device], severity: Severity) -> Option<String> {
    let is_faulty =
        |device: &&Device| device.findings.iter().any(|finding| finding.severity >= severity);
    let first = devices.iter().find(is_faulty)?;
    let number = u64::try_from(devices.iter().filter(is_faulty).count()).unwrap_or(u64::MAX);
    let all = u64::try_from(devices.len()).unwrap_or(u64::MAX);
    Some(format!(
        "Faults were seen at {} of {} devices. {}: {}",
        group_digits(number),
        group_digits(all),
        who(first),
        first.headline
    ))
}

/// Nothing is wrong with addresses; a server may have said no all the same.
fn no_fault(devices: &[Device], all: &str) -> String {
    let Some(first) = devices.iter().find(|device| device.error_answers > 0) else {
        return format!("No fault was seen at any of the {all} devices");
    };
    format!(
        "No fault of addresses was seen, but {} of {all} devices got an error as answer. {}: {}",
        failed_devices(devices),
        first.device,
        first.headline
    )
}

/// Devices of which a server answered an exchange with an error.
fn failed_devices(devices: &[Device]) -> String {
    let number = devices.iter().filter(|device| device.error_answers > 0).count();
    group_digits(u64::try_from(number).unwrap_or(u64::MAX))
}

fn nothing_found(captures: &[Capture], unread: Unread) -> String {
    let packets = captures.iter().map(|capture| capture.packets).sum();
    let entries: u64 = captures.iter().map(|capture| capture.tracked_entries).sum();
    let are_tables = captures.iter().all(|capture| capture.format == CaptureFormat::Conntrack);
    if entries > 0 && are_tables {
        // Of a long table only that is told which concerns devices and services.
        let which = match entries {
            1 => "The only entry of connection tracking is not".to_owned(),
            more => format!("None of {} entries of connection tracking is", group_digits(more)),
        };
        return format!("{which} of a device that asks a service, or is asked by one");
    }
    let packets = count(packets, "packet", "packets");
    match unread {
        Unread::Told => format!(
            "No UDP exchange could be read from {packets}: the warnings of the captures say why"
        ),
        Unread::None => format!("No UDP exchange was found in {packets}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_device_that_got_an_error_as_answer_is_named() {
        let report = samples::founding();
        let mut devices: Vec<_> = report
            .devices
            .iter()
            .map(|device| Device {
                verdict: Verdict::Symmetric,
                findings: Vec::new(),
                ..device.clone()
            })
            .collect();
        devices[1].error_answers = 1;
        let headline = report_headline(&devices, &BTreeMap::new(), &report.captures, Unread::None);
        assert!(headline.contains("but 1 of 2 devices got an error as answer"), "{headline}");
        devices[0].verdict = Verdict::Tolerated;
        let headline = report_headline(&devices, &BTreeMap::new(), &report.captures, Unread::None);
        assert!(headline.starts_with("1 of 2 devices got an error as answer"), "{headline}");
    }

    #[test]
    fn a_fault_is_told_whatever_else_is_not_clear() {
        let report = samples::founding();
        let (faulty, clean) = (&report.devices[0], &report.devices[1]);
        let with = |device: &Device, verdict, severity| {
            let mut device = Device { verdict, ..device.clone() };
            device.findings.iter_mut().for_each(|finding| finding.severity = severity);
            device
        };
        let (error, info) = (Severity::Error, Severity::Info);
        for (first, second, severity, told) in [
            (Verdict::Tolerated, Verdict::OneWay, error, true),
            (Verdict::Inconclusive, Verdict::OneWay, error, true),
            (Verdict::OneWay, Verdict::OneWay, error, true),
            (Verdict::Tolerated, Verdict::OneWay, info, false),
            (Verdict::OneWay, Verdict::Symmetric, info, false),
        ] {
            let devices = [with(clean, first, info), with(faulty, second, severity)];
            let headline =
                report_headline(&devices, &BTreeMap::new(), &report.captures, Unread::None);
            let starts = headline.starts_with("Faults were seen at 1 of 2 devices. ");
            assert_eq!(starts, told, "{headline}");
            assert_eq!(headline.contains(&faulty.device.to_string()), told, "{headline}");
        }
    }

    #[test]
    fn no_headline_promises_more_than_was_seen() {
        let report = samples::founding();
        let with = |verdict: Verdict| {
            let devices: Vec<_> = report
                .devices
                .iter()
                .map(|device| Device { verdict, findings: Vec::new(), ..device.clone() })
                .collect();
            report_headline(
                &devices,
                &BTreeMap::from([(verdict, 2)]),
                &report.captures,
                Unread::None,
            )
        };
        assert_eq!(with(Verdict::Symmetric), "No fault was seen at any of the 2 devices");
        assert!(with(Verdict::Tolerated).starts_with("No failure was seen, but for 2 of 2"));
        assert!(with(Verdict::Rejected).starts_with("2 of 2 devices are rejected"));
        let captures = &report.captures;
        let packets: u64 = captures.iter().map(|capture| capture.packets).sum();
        let nothing = |unread| report_headline(&[], &BTreeMap::new(), captures, unread);
        // A warning may be about times, or what somebody wrote into the capture.
        assert!(captures.iter().any(|capture| !capture.warnings.is_empty()));
        assert_eq!(
            nothing(Unread::None),
            format!("No UDP exchange was found in {packets} packets")
        );
        assert!(nothing(Unread::Told).ends_with("the warnings of the captures say why"));
    }
}
