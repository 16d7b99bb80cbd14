//! The same device and service, or the same kind of exchange with the same
//! node: one address family works, the other does not. Side by side, the first
//! step at which they differ is where the fault is.

use super::Context;
use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, plain_name};
use crate::model::exchange::Exchange;
use crate::model::finding::{Cause, Diagnosis, Evidence, Finding, Severity, Verdict};

mod steps;
mod twins;

use steps::Walk;
use twins::{Kinship, Working};

/// Adds the comparison to every exchange that fails while its twin in the other
/// family works. `diagnoses` are in the order of `exchanges`.
pub fn compare(exchanges: &[Exchange], diagnoses: &mut [Diagnosis], context: Context<'_>) {
    let fails = |diagnosis: &Diagnosis| {
        matches!(diagnosis.verdict, Verdict::Broken | Verdict::Rejected | Verdict::Unanswered)
    };
    if !diagnoses.iter().any(fails) {
        return;
    }
    let working = Working::new(exchanges, diagnoses, context.topology);
    let mut found = Vec::new();
    for (index, (exchange, diagnosis)) in exchanges.iter().zip(diagnoses.iter()).enumerate() {
        if !fails(diagnosis) {
            continue;
        }
        let Some((twin, kinship)) = working.find_twin(exchange, exchanges, context.topology) else {
            continue;
        };
        let readings = [exchange, twin].map(|exchange| Reading::new(exchange, context));
        if let Some(finding) = finding(&readings[0], &readings[1], kinship, diagnosis) {
            found.push((index, finding));
        }
    }
    for (index, finding) in found {
        let order = |cause: Cause| Cause::ALL.iter().position(|other| *other == cause);
        let findings = &mut diagnoses[index].findings;
        findings.push(finding);
        findings.sort_by_key(|finding| order(finding.cause));
    }
}

fn finding(
    fails: &Reading<'_>,
    works: &Reading<'_>,
    kinship: Kinship,
    diagnosis: &Diagnosis,
) -> Option<Finding> {
    let (bad, good) = (Walk::of(fails), Walk::of(works));
    let differs = good.first_difference(&bad)?;
    let first = bad.evidence(fails, differs)?;
    let part = severity(diagnosis.verdict, Part::Present);
    let confidence = kinship.confidence();
    let mut finding = Finding::new(Cause::FamiliesDiffer, part, confidence, first);
    let [good_family, bad_family] = [works, fails].map(family);
    finding.title = fit_title([
        format!("{good_family} works, {bad_family} does not: they differ {}", differs.as_text()),
        format!("{good_family} works, {bad_family} does not"),
    ]);
    let place = match fails.view.asked.and_then(|asked| fails.topology.find(asked.address)) {
        Some(belief) if belief.node.is_some() => "at addresses of the same node",
        _ => "at service addresses that were seen at the same capture point",
    };
    let relation = match kinship {
        Kinship::SameDevice => {
            let entry = fails.topology.device_of(fails.exchange.device);
            let name = entry.and_then(|device| plain_name(&device.name)).unwrap_or("one device");
            format!("Both exchanges are of {name}, for the same service.")
        }
        Kinship::SameFile => {
            format!("Both exchanges ask for the same file, {place}, near in time.")
        }
        Kinship::LikeFile => {
            format!(
                "Both exchanges ask for files of like names, {place}, near in time; it is not known whether one device sent both."
            )
        }
    };
    finding.explanation = format!(
        "{relation} {good_family}: {good}. {bad_family}: {bad}. They differ first {}.",
        differs.as_text()
    );
    let beside = |evidence: Option<Evidence>| {
        evidence.map(|mut evidence| {
            evidence.summary.push_str(", the one that works");
            evidence
        })
    };
    extend(
        &mut finding,
        [
            fails.first_request(),
            beside(works.first_request()),
            beside(good.evidence(works, differs)),
        ],
    );
    let errors = diagnosis.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let leading = errors.map(|finding| finding.cause).next();
    let asked = |reading: &Reading<'_>| {
        reading.view.asked.map_or(reading.exchange.client.address, |asked| asked.address)
    };
    finding.remedies = remedies::for_families(leading, asked(works), asked(fails));
    Some(finding)
}

fn family(reading: &Reading<'_>) -> &'static str {
    if reading.exchange.client.address.is_ipv6() { "IPv6" } else { "IPv4" }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Confidence, Finding, Severity};
    use crate::model::packet::IcmpKind;
    use crate::model::report::Quotes;
    use crate::model::topology::{FactSource, Role};

    const FILE: &str = "startup.cfg";

    fn broken(family: Family, file: &str) -> Sample {
        let (vip, start) = (family.vip(), Sample::tftp(family).writes(file).answered_by_node());
        start.follow_up(vip, 40_001, Course::ToAskedAddress, 4).refused_follow_up(vip, 40_001)
    }

    fn tolerated(family: Family, file: &str) -> Sample {
        let (node, start) = (family.node(), Sample::tftp(family).writes(file).answered_by_node());
        start.follow_up(node, 40_001, Course::ToAnswerer, 4).progress()
    }

    fn find(sample: &Sample) -> Option<Finding> {
        sample.find(Cause::FamiliesDiffer)
    }

    #[test]
    fn the_first_step_that_differs_is_named() {
        for family in Family::BOTH {
            let other = family.other();
            let vip = family.vip();
            let works = || tolerated(other, FILE);
            let silent = Sample::tftp(family).writes(FILE).repeat_request(3).wait_seconds(5);
            let refused = Sample::tftp(family).writes(FILE);
            let refused = refused.icmp(IcmpKind::PortUnreachable, vip, Quotes::Request, 3);
            let cases = [
                ("founding", broken(family, FILE), "at the follow-up"),
                ("silent", silent, "at the answer"),
                ("refused", refused, "at the answer"),
            ];
            for (name, sample, expected) in cases {
                let finding = find(&sample.listed().beside(works())).unwrap();
                assert!(finding.title.ends_with(expected), "{name}: {}", finding.title);
                assert_eq!(finding.severity, Severity::Warning, "{name} {family:?}");
                for address in [family.node(), other.node()] {
                    let named = finding.explanation.contains(&address.to_string());
                    assert!(named || name != "founding", "{}", finding.explanation);
                }
                assert!(finding.remedies[0].title.starts_with("See "), "{name}");
            }
        }
    }

    #[test]
    fn only_twins_are_compared() {
        for family in Family::BOTH {
            let other = family.other();
            let founding = || broken(family, "running_3346210712.cfg");
            let like = "running_3346183882.cfg";
            let moved = |sample: Sample| sample.on_node(other.vip(), "node5");
            let blind = |sample: Sample| {
                let vip = sample.exchange.views[0].asked.unwrap().address;
                sample.role(vip, Role::Vip, FactSource::Packets)
            };
            let late = |seconds| {
                let start = Sample::tftp(other).writes(like).begins_at(seconds).answered_by_vip();
                start.follow_up(other.vip(), 40_001, Course::ToAnswerer, 4).progress()
            };
            let reads = Sample::snmp(other).answered_by_agent(1);
            let cases = [
                (
                    "a listed device",
                    founding().listed().beside(tolerated(other, "a.cfg")),
                    Some(Confidence::Certain),
                ),
                (
                    "the same file",
                    broken(family, FILE).beside(tolerated(other, FILE)),
                    Some(Confidence::Likely),
                ),
                (
                    "files of like names",
                    founding().beside(tolerated(other, like)),
                    Some(Confidence::Possible),
                ),
                ("other files", founding().beside(tolerated(other, "image.bin")), None),
                ("on another node", founding().beside(moved(tolerated(other, like))), None),
                (
                    "node unknown, one capture",
                    blind(founding()).beside(blind(tolerated(other, like))),
                    Some(Confidence::Possible),
                ),
                ("node of one unknown", founding().beside(blind(tolerated(other, like))), None),
                ("near in time", founding().beside(late(600)), Some(Confidence::Possible)),
                ("long after", founding().beside(late(3_600)), None),
                ("of another protocol", founding().listed().beside(reads), None),
                ("both fail", founding().listed().beside(broken(other, like)), None),
                ("of the same family", founding().beside(tolerated(family, like)), None),
                (
                    "another of the same family works",
                    founding()
                        .beside(tolerated(other, like))
                        .beside(tolerated(family, like).with_client(family.other_device(), 5_000)),
                    None,
                ),
                (
                    "both work",
                    tolerated(family, FILE).listed().beside(tolerated(other, FILE)),
                    None,
                ),
                ("alone", founding().listed(), None),
            ];
            for (name, sample, expected) in cases {
                let found = find(&sample).map(|finding| finding.confidence);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }
}
