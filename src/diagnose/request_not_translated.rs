//! The request reached the service's address and went no further: nothing
//! translated it to a pod, so the node itself said that no socket listens.

mod entry;

use super::evidence::extend;
use super::reading::{Reading, SeenErrors, Watched, entry_evidence};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::capture::PointKind;
use crate::model::endpoint::Endpoint;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::packet::IcmpKind;
use crate::model::report::Quotes;
use crate::model::topology::{FactSource, Role};

/// A request that no translation took.
#[derive(Debug, Clone, Copy)]
pub struct Untranslated<'a> {
    pub asked: Endpoint,
    pub refusal: SeenErrors<'a>,
    pub confidence: Confidence,
    proof: Proof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Other requests to the same endpoint were translated.
    OthersAre,
    /// The pod's cable was watched and did not show the request.
    PodSawNothing,
    /// The address is a service's, and the refusal came from it.
    Refused,
}

/// Whether a refused request was left untranslated, and how sure that is.
#[must_use]
pub fn find_untranslated<'a>(reading: &Reading<'a>) -> Option<Untranslated<'a>> {
    let exchange = reading.exchange;
    let at_pod = exchange.views.iter().any(|view| view.kind == PointKind::Pod);
    if !exchange.device_is_client() || at_pod || reading.is_answered() {
        return None;
    }
    let entry = reading.request_entry();
    // What refuses is then a pod without a listener.
    if entry.is_some_and(|entry| entry.flow.is_destination_translated()) {
        return None;
    }
    let asked = reading.view.asked?;
    let refusal = *reading.errors.iter().find(|seen| {
        seen.ended
            && seen.errors.kind == IcmpKind::PortUnreachable
            && seen.errors.quotes == Quotes::Request
            && seen.errors.quoted_destination == Some(asked)
    })?;
    let belief = reading.topology.find(asked.address);
    let role = belief.map_or(Role::Unknown, |belief| belief.role);
    let from_itself = refusal.errors.from == asked.address;
    // A node refuses in its own name what comes to a service address that no
    // interface holds (IPVS aside, a ClusterIP); a pod's refusal is translated back.
    let from_node = reading.role_of(refusal.errors.from) == Role::Node;
    if !from_itself && !from_node {
        return None;
    }
    let is_service = matches!(role, Role::Vip | Role::Service);
    let watched = reading.lost_request.filter(|lost| lost.missed.kind == PointKind::Pod);
    let others_are = reading.crossings.is_translated(asked)
        || entry.is_some_and(|entry| entry.elsewhere.is_some());
    let (proof, confidence) = if others_are {
        (Proof::OthersAre, Confidence::Certain)
    } else if let Some(lost) = watched.filter(|_| is_service || role == Role::Node) {
        let sure = lost.watched >= Watched::SameService;
        (Proof::PodSawNothing, if sure { Confidence::Certain } else { Confidence::Likely })
    } else if is_service {
        let stated = belief.is_some_and(|belief| belief.source != FactSource::Packets);
        let sure = stated && from_itself;
        (Proof::Refused, if sure { Confidence::Likely } else { Confidence::Possible })
    } else {
        return None;
    };
    Some(Untranslated { asked, refusal, confidence, proof })
}

/// Whether connection tracking shows an unanswered request untranslated.
#[must_use]
pub fn is_untranslated_entry(reading: &Reading<'_>) -> bool {
    entry::find_untranslated_entry(reading).is_some()
}

/// Finds requests that reached a service's address and were not translated.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let Some(found) = find_untranslated(reading) else { return entry::find(reading, verdict) };
    let first = found.refusal.first_error()?;
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::RequestNotTranslated, part, found.confidence, first);
    let asked = found.asked;
    finding.title = fit_title([
        format!("Requests to {asked} reach the node and no pod"),
        "Requests reach the node and no pod".to_owned(),
    ]);
    finding.explanation = explain(reading, &found);
    let entry = reading.request_entry();
    extend(&mut finding, [reading.first_request(), entry.map(entry_evidence)]);
    finding.remedies = remedies::for_untranslated_request(reading, asked);
    Some(finding)
}

fn explain(reading: &Reading<'_>, found: &Untranslated<'_>) -> String {
    let asked = found.asked;
    let from = found.refusal.errors.from;
    let answerer =
        if from == asked.address { "that address itself".to_owned() } else { reading.name(from) };
    let proof = match found.proof {
        Proof::OthersAre => {
            "Other requests to this endpoint were translated to a pod, these were not: an entry of connection tracking that is older than the rule keeps by-passing it, or the rule does not cover this sender."
        }
        Proof::PodSawNothing => {
            "The pod's cable was captured at that time and shows none of them, so no pod refused them."
        }
        Proof::Refused => {
            "That is what a node answers where no rule sends the port to a pod: no endpoint that is ready, or no rule yet. A pod without a listener would look the same from here, because its refusal is translated back; a capture at the pod's cable tells the two apart."
        }
    };
    format!(
        "{} asked {} at port {} {}, and {answerer} answered that nothing listens there. {proof}",
        reading.client_word_first(),
        reading.name(asked.address),
        asked.port,
        times(reading.view.requests.packets),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::report::Quotes;
    use crate::model::topology::{FactSource, Role};

    #[test]
    fn a_refusal_by_the_service_address_means_no_translation() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let refused = |from| {
                Sample::tftp(family).icmp(IcmpKind::PortUnreachable, from, Quotes::Request, 4)
            };
            let role = |role, source| refused(vip).role(vip, role, source);
            let works =
                || Sample::tftp(family).with_port(5_000).answered_by_vip().pod_answers().progress();
            let ran = |sample: Sample| sample.pod_runs(Some((-5, 60)));
            let other = Sample::tftp(family.other()).answered_by_vip().pod_answers().progress();
            let likely = Some(Confidence::Likely);
            let possible = Some(Confidence::Possible);
            let certain = Some(Confidence::Certain);
            let cases = [
                ("the VIP itself", refused(vip), likely),
                ("a VIP by inference", role(Role::Vip, FactSource::Packets), possible),
                ("the node for the VIP", refused(node), possible),
                ("a service", role(Role::Service, FactSource::Kubernetes), likely),
                ("a node's own port", role(Role::Node, FactSource::IpAddr), None),
                ("a pod's own port", role(Role::Pod, FactSource::Kubernetes), None),
                ("nothing is known", refused(vip).without_topology(), None),
                ("somebody else", refused(family.other_device()), None),
                ("the pod saw nothing", ran(refused(vip)), likely),
                ("a pod that serves others", ran(refused(vip)).beside(other), certain),
                ("others are translated", ran(refused(vip)).beside(works()), certain),
                ("the pod was asked", refused(vip).pod_is_asked(), None),
            ];
            for (name, sample, expected) in cases {
                let judged = sample.judge(Cause::RequestNotTranslated, |f| f.confidence);
                assert_eq!(judged, (Verdict::Rejected, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn what_was_served_or_is_no_refusal_was_translated() {
        for family in Family::BOTH {
            let vip = family.vip();
            let icmp = |sample: Sample, kind| sample.icmp(kind, vip, Quotes::Request, 2);
            let cases = [
                (
                    "served later",
                    icmp(Sample::tftp(family), IcmpKind::PortUnreachable)
                        .answered_by_vip()
                        .progress(),
                ),
                ("prohibited", icmp(Sample::tftp(family), IcmpKind::AdminProhibited)),
                ("a traceroute", {
                    let probe =
                        Sample::request(family, crate::model::protocol::Protocol::Udp, 33_440);
                    icmp(probe, IcmpKind::PortUnreachable)
                }),
                (
                    "a polled agent",
                    Sample::snmp(family).icmp(
                        IcmpKind::PortUnreachable,
                        family.device(),
                        Quotes::Request,
                        2,
                    ),
                ),
                (
                    "a follow-up",
                    Sample::tftp(family)
                        .reply(vip, 40_001, Origin::Asked, 1)
                        .refused_follow_up(vip, 40_001),
                ),
            ];
            for (name, sample) in cases {
                let found = sample.causes();
                assert!(!found.contains(&Cause::RequestNotTranslated), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_refusal_points_to_the_finding_that_explains_it() {
        for family in Family::BOTH {
            let vip = family.vip();
            let sample =
                Sample::tftp(family).icmp(IcmpKind::PortUnreachable, vip, Quotes::Request, 4);
            let refusal = sample.finding(Cause::PortUnreachable);
            assert_eq!(refusal.remedies[0].title, "See request_not_translated", "{family:?}");
            let finding = sample.finding(Cause::RequestNotTranslated);
            let commands = finding.remedies[0].commands.join("\n");
            assert!(commands.contains(&format!("--orig-dst {vip} --dport 69")), "{commands}");
            assert!(commands.contains("kubectl get endpointslices"), "{commands}");
        }
    }
}
