//! The answer in one sentence.

use std::collections::BTreeMap;

use crate::model::finding::{Severity, Verdict};
use crate::model::protocol::Protocol;
use crate::model::report::{Device, DeviceFinding};

/// What to say first about a device.
pub fn device_headline(
    verdict: Verdict,
    findings: &[DeviceFinding],
    protocol: Protocol,
    exchanges: u64,
) -> String {
    let gravest = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Info);
    if gravest > Severity::Info
        && let Some(finding) = findings.iter().find(|finding| finding.severity == gravest)
    {
        return finding.title.clone();
    }
    let count = counted(exchanges, "exchange", "exchanges");
    match verdict {
        Verdict::Symmetric => {
            format!("{protocol} works: {count}, answered by the address that was asked")
        }
        Verdict::OneWay => format!("{protocol} expects no answer: {count}, one way"),
        Verdict::Tolerated => format!("{protocol} works, though an address changed on the way"),
        Verdict::Inconclusive => findings.first().map_or_else(
            || format!("{protocol}: the capture does not show enough to judge"),
            |finding| finding.title.clone(),
        ),
        Verdict::Unanswered => format!("{protocol} requests got no answer"),
        Verdict::Rejected => format!("{protocol} was rejected"),
        Verdict::Broken => format!("{protocol} is broken: an address changed on the way"),
    }
}

/// What to say first about all devices, which are sorted worst first.
pub fn report_headline(devices: &[Device], verdicts: &BTreeMap<Verdict, u64>) -> String {
    let Some(worst) = devices.first() else {
        return "No UDP exchange was found in these captures".to_owned();
    };
    let who = worst
        .name
        .as_ref()
        .map_or_else(|| worst.device.to_string(), |name| format!("{name} ({})", worst.device));
    let all = u64::try_from(devices.len()).unwrap_or(u64::MAX);
    let alike = verdicts.get(&worst.verdict).copied().unwrap_or(0);
    match (worst.verdict, all) {
        (_, 1) => format!("{who}: {}", worst.headline),
        (Verdict::Symmetric | Verdict::OneWay, _) => {
            format!("All {all} devices are well: nothing stands in the way")
        }
        (verdict, _) if alike == 1 => {
            format!("1 of {all} devices is {verdict}. {who}: {}", worst.headline)
        }
        (verdict, _) => {
            format!("{alike} of {all} devices are {verdict}. {who}: {}", worst.headline)
        }
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
