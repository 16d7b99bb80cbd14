//! The same device and service, or the same kind of exchange with the same
//! node: one address family works, the other does not. Side by side, the first
//! step at which they differ is where the fault is.

use std::time::Duration;

use hashbrown::HashMap;

use super::Context;
use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, plain_name};
use crate::model::exchange::{Exchange, Said};
use crate::model::finding::{Cause, Confidence, Diagnosis, Evidence, Finding, Severity, Verdict};
use crate::model::packet::TftpMessage;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
use crate::model::topology::{Role, Topology};

mod steps;

use steps::Walk;

/// Exchanges of different devices are compared where they are this near in time.
const NEAR: Duration = Duration::from_mins(15);
/// Twins tried for one exchange.
const TRIED: usize = 8;

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

/// What makes two exchanges comparable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    /// A listed device, which has both addresses.
    Device { name: String, protocol: Protocol, port: u16, request: Request },
    /// Any device, for the same file on the same node.
    File { node: String, protocol: Protocol, port: u16, request: Request, file: String },
}

/// Reading and writing may be served differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    Read,
    Write,
    Other(&'static str),
}

/// Why two exchanges are taken for twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinship {
    SameDevice,
    SameFile,
    /// File names that differ in their digits: serial numbers and times.
    LikeFile,
}

impl Kinship {
    const fn confidence(self) -> Confidence {
        match self {
            Self::SameDevice => Confidence::Certain,
            Self::SameFile => Confidence::Likely,
            Self::LikeFile => Confidence::Possible,
        }
    }
}

/// Exchanges that work, by kind and family, in order of time.
struct Working {
    by_kind: HashMap<(Kind, bool), Vec<(Timestamp, usize)>>,
}

impl Working {
    fn new(exchanges: &[Exchange], diagnoses: &[Diagnosis], topology: &Topology) -> Self {
        let mut by_kind: HashMap<(Kind, bool), Vec<(Timestamp, usize)>> = HashMap::new();
        for (index, (exchange, diagnosis)) in exchanges.iter().zip(diagnoses).enumerate() {
            if !matches!(diagnosis.verdict, Verdict::Symmetric | Verdict::Tolerated) {
                continue;
            }
            let Some(view) = exchange.views.first() else { continue };
            for kind in kinds(exchange, topology) {
                let is_ipv6 = exchange.client.address.is_ipv6();
                by_kind.entry((kind, is_ipv6)).or_default().push((view.first_at, index));
            }
        }
        for list in by_kind.values_mut() {
            list.sort_unstable();
        }
        Self { by_kind }
    }

    /// The nearest exchange in time that works in the other family.
    fn find_twin<'a>(
        &self,
        exchange: &Exchange,
        exchanges: &'a [Exchange],
        topology: &Topology,
    ) -> Option<(&'a Exchange, Kinship)> {
        let at = exchange.views.first()?.first_at;
        let other_family = !exchange.client.address.is_ipv6();
        kinds(exchange, topology).find_map(|kind| {
            let is_listed = matches!(kind, Kind::Device { .. });
            let list = self.by_kind.get(&(kind, other_family))?;
            let next = list.partition_point(|(began, _)| *began < at);
            let near = &list[next.saturating_sub(TRIED)..list.len().min(next + TRIED)];
            near.iter()
                .filter(|(began, _)| is_listed || began.distance(at) <= NEAR)
                .filter_map(|(began, index)| {
                    let twin = exchanges.get(*index)?;
                    let kinship = if is_listed {
                        Kinship::SameDevice
                    } else if find_file(twin) == find_file(exchange) {
                        Kinship::SameFile
                    } else {
                        Kinship::LikeFile
                    };
                    Some((kinship.confidence(), began.distance(at), twin, kinship))
                })
                .max_by_key(|(confidence, distance, _, _)| {
                    (*confidence, std::cmp::Reverse(*distance))
                })
                .map(|(_, _, twin, kinship)| (twin, kinship))
        })
    }
}

/// The kinds that an exchange belongs to, the surest first.
fn kinds(exchange: &Exchange, topology: &Topology) -> impl Iterator<Item = Kind> + use<> {
    let asked = exchange.views.first().and_then(|view| view.asked);
    let request = find_request(exchange);
    let protocol = exchange.protocol;
    let service = asked.zip(request);
    let device =
        topology.device_of(exchange.device).zip(service).map(|(device, (asked, request))| {
            Kind::Device { name: device.name.clone(), protocol, port: asked.port, request }
        });
    let file = service.and_then(|(asked, request)| {
        let belief = topology.find(asked.address)?;
        let is_service = matches!(belief.role, Role::Vip | Role::Service | Role::Node);
        let node = belief.node.clone().filter(|_| is_service)?;
        let file = find_file(exchange)?.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
        let mut file: Vec<char> = file.collect();
        file.dedup_by(|a, b| *a == '0' && *b == '0');
        let file = file.into_iter().collect();
        Some(Kind::File { node, protocol, port: asked.port, request, file })
    });
    device.into_iter().chain(file)
}

fn find_request(exchange: &Exchange) -> Option<Request> {
    let step = exchange.views.first()?.steps.first()?;
    Some(match &step.said {
        Said::Tftp(TftpMessage::ReadRequest(_)) => Request::Read,
        Said::Tftp(TftpMessage::WriteRequest(_)) => Request::Write,
        Said::Message { label, .. } => Request::Other(label),
        Said::Tftp(_) | Said::Datagram { .. } | Said::Icmp { .. } => Request::Other(""),
    })
}

fn find_file(exchange: &Exchange) -> Option<&str> {
    match &exchange.views.first()?.steps.first()?.said {
        Said::Tftp(TftpMessage::ReadRequest(request) | TftpMessage::WriteRequest(request)) => {
            Some(request.file.as_str()).filter(|file| !file.is_empty())
        }
        _ => None,
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
    let relation = match kinship {
        Kinship::SameDevice => {
            let entry = fails.topology.device_of(fails.exchange.device);
            let name = entry.and_then(|device| plain_name(&device.name)).unwrap_or("one device");
            format!("Both exchanges are of {name}, for the same service.")
        }
        Kinship::SameFile => {
            "Both exchanges ask for the same file, at addresses of the same node, near in time.".to_owned()
        }
        Kinship::LikeFile => {
            "Both exchanges ask for files of like names, at addresses of the same node, near in time; it is not known whether one device sent both.".to_owned()
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
        sample.diagnose().findings.into_iter().find(|f| f.cause == Cause::FamiliesDiffer)
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
            let blind = |sample: Sample| sample.role(other.vip(), Role::Vip, FactSource::Packets);
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
                ("node unknown", founding().beside(blind(tolerated(other, like))), None),
                ("near in time", founding().beside(late(600)), Some(Confidence::Possible)),
                ("long after", founding().beside(late(3_600)), None),
                ("of another protocol", founding().listed().beside(reads), None),
                ("both fail", founding().listed().beside(broken(other, like)), None),
                ("of the same family", founding().beside(tolerated(family, like)), None),
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
