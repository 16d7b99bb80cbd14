//! The pod sees a node or a gateway where the device sent: the source was
//! translated on the way in.

use super::evidence::{extend, request_at};
use super::reading::{Habit, Reading, entry_evidence};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::finding::{Cause, Confidence, Finding, Severity, Verdict};

/// Finds requests that reach the pod under another sender's address.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let client = reading.exchange.client.address;
    let seen = reading.translated_sender()?;
    let pod = reading.other_pod_view();
    let entry = reading.request_entry().filter(|entry| entry.flow.is_source_translated());
    // What the pod's cable shows goes before what a table of another moment says.
    let proof = match pod {
        Some(pod) if pod.point.as_captured() == reading.view.point => {
            "On its way on to the pod, at the same interface, the same request comes from"
        }
        Some(_) => "At the pod's cable the same request comes from",
        None => "Connection tracking sends the request on with the source",
    };
    let first = reading.first_request()?;
    // The receiver of a log knows its sender by this address alone.
    let severity = match reading.habit {
        Habit::OneWay => Severity::Error,
        _ => severity(verdict, Part::stopped_if(reading.sender_change_stopped())),
    };
    let (confidence, whose) = if reading.is_translated_in_cluster(seen) {
        (
            Confidence::Certain,
            "its source was translated on the way in, as kube-proxy does under externalTrafficPolicy: Cluster.",
        )
    } else {
        (
            Confidence::Likely,
            "its source was translated on the way, by a node of the cluster or by a gateway before it: nothing that was given says whose address that is.",
        )
    };
    let mut finding = Finding::new(Cause::SenderTranslated, severity, confidence, first);
    finding.title = fit_title([
        format!("The pod sees {seen} where {client} sent"),
        format!("The pod does not see the sender {client}"),
        "The pod does not see the sender's own address".to_owned(),
    ]);
    let effect = if reading.habit == Habit::OneWay {
        "Nobody answers this protocol, so nothing fails on the way, but the receiver files what it gets under the wrong sender, and all senders become one."
    } else if verdict == Verdict::Symmetric {
        "The answers found their way back. A server that tells its clients apart by address, or answers from a new port, would not get by with it."
    } else if reading.stranded_reply().is_some() {
        "The pod answered that address from a new port, and connection tracking has no translation that leads this answer back to the device."
    } else if reading.sender_change_stopped() {
        "The pod answered to that address, from a port of its own. No translation leads from there back to the device, so no answer reached it."
    } else {
        "The pod answers to that address; an answer from a new port then has no translation that leads back to the device."
    };
    finding.explanation = format!(
        "{} sent from {client}. {proof} {}: {whose} {effect}",
        reading.client_word_first(),
        reading.name(seen),
    );
    extend(
        &mut finding,
        [
            pod.and_then(|pod| request_at(reading, pod)),
            entry.map(entry_evidence),
            reading.stranded_reply().map(entry_evidence),
        ],
    );
    finding.remedies = remedies::for_translated_sender(reading, seen);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};
    use crate::model::topology::{FactSource, Role};

    #[test]
    fn the_pod_has_to_see_another_sender() {
        for family in Family::BOTH {
            let served = || Sample::tftp(family).answered_by_vip().pod_answers().progress();
            let cases = [
                (
                    "a log under the node's name",
                    Sample::syslog(family).pod_is_asked().pod_sees_node(),
                    Verdict::OneWay,
                    Some(Severity::Error),
                ),
                (
                    "a log under its own",
                    Sample::syslog(family).pod_is_asked(),
                    Verdict::OneWay,
                    None,
                ),
                (
                    "served all the same",
                    served().pod_sees_node(),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                ("served under its own", served(), Verdict::Symmetric, None),
                ("no second capture", Sample::syslog(family), Verdict::OneWay, None),
                (
                    "a poll leaves with the node's address",
                    Sample::snmp(family).answered_by_agent(1).pod_asks().pod_sees_node(),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::SenderTranslated, |f| f.severity);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_gateway_before_the_cluster_is_not_taken_for_a_node() {
        for family in Family::BOTH {
            let unknown = |sample: Sample| {
                sample.role(family.node(), Role::Unknown, FactSource::Packets).pod_sees_node()
            };
            let logs = || Sample::syslog(family).pod_is_asked();
            let guessed = |kind| {
                let mut sample = unknown(logs()).at(kind);
                sample.host_is_guessed = true;
                sample
            };
            for (name, sample, confidence) in [
                ("a node", logs().pod_sees_node(), Confidence::Certain),
                ("behind a node's uplink", unknown(logs()), Confidence::Certain),
                ("one node", unknown(logs()).at(PointKind::Unknown), Confidence::Certain),
                ("seen at the device", unknown(logs()).at(PointKind::Device), Confidence::Likely),
                ("seen somewhere", guessed(PointKind::Unknown), Confidence::Likely),
                ("perhaps at a node", guessed(PointKind::Host), Confidence::Likely),
            ] {
                let finding = sample.finding(Cause::SenderTranslated);
                assert_eq!(finding.confidence, confidence, "{name} {family:?}");
                let is_node = confidence == Confidence::Certain;
                assert_eq!(finding.explanation.contains("kube-proxy"), is_node, "{name}");
                let asks_whose = finding.remedies[0].title.contains("whose address");
                assert_eq!(asks_whose, !is_node, "{name} {:?}", finding.remedies);
            }
        }
    }

    #[test]
    fn local_policy_is_advised_for_logs_and_not_for_transfers() {
        for family in Family::BOTH {
            let logs = Sample::syslog(family).pod_is_asked().pod_sees_node();
            let text = format!("{:?}", logs.finding(Cause::SenderTranslated).remedies);
            assert!(text.contains("externalTrafficPolicy\\\":\\\"Local"), "{text}");
            let tftp = Sample::tftp(family).answered_by_vip().pod_answers().progress();
            let text =
                format!("{:?}", tftp.pod_sees_node().finding(Cause::SenderTranslated).remedies);
            assert!(!text.contains("kubectl patch"), "{text}");
        }
    }
}
