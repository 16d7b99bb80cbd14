//! The reply left the cluster with a node's address: its flow was new to
//! connection tracking, so it was masqueraded like any other outgoing flow.

use super::evidence::extend;
use super::reading::{Reading, entry_evidence};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::exchange::{Origin, Replies, View};
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::topology::{FactSource, Role};

/// Whether a changed reply is a translated one, and how sure that is.
pub fn find_translation(reading: &Reading<'_>, reply: &Replies) -> Option<Confidence> {
    let Origin::OtherAddress(pairing) = reply.origin else { return None };
    // A polled agent's replies are not the cluster's to translate.
    let served_by_cluster = reading.exchange.device != reply.source.address
        && reading.role_of(reply.source.address) != Role::Device;
    if reading.pod_behind(reply).is_some() && served_by_cluster {
        return Some(pairing);
    }
    if let Some(entry) = reading.reply_entry(reply) {
        // The kernel says itself whether it gave the reply another source, and
        // that it comes from the pod that the request was sent on to.
        return entry.flow.is_source_translated().then_some(Confidence::Certain);
    }
    let belief = reading.topology.find(reply.source.address)?;
    if belief.role != Role::Node {
        return None;
    }
    // A process in the node's own network also answers with the node's address.
    let ceiling = if belief.source == FactSource::Packets {
        Confidence::Possible
    } else {
        Confidence::Likely
    };
    Some(pairing.min(ceiling))
}

/// Finds replies whose source was translated on the way out.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let reply = reading.changed?;
    let confidence = find_translation(reading, reply)?;
    let part = Part::stopped_if(reading.change_stopped());
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::ReplySourceTranslated, severity(verdict, part), confidence, first);
    let source = reply.source.address;
    let asked = reading.view.asked.map(|asked| asked.address);
    finding.title = fit_title([
        asked.map_or_else(
            || format!("The answer left with the address {source}"),
            |asked| format!("{asked} was asked, the answer left with the node's {source}"),
        ),
        format!("The answer left with the node's address {source}"),
        "The answer left with the node's address".to_owned(),
    ]);
    let pod = reading.pod_behind(reply);
    finding.explanation = explain(reading, verdict, reply, pod);
    extend(
        &mut finding,
        [
            reading.first_request(),
            pod.and_then(|(view, own)| reading.pod_reply(view, own)),
            reading.reply_entry(reply).map(entry_evidence),
        ],
    );
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplySourceTranslated);
    Some(finding)
}

fn explain(
    reading: &Reading<'_>,
    verdict: Verdict,
    reply: &Replies,
    pod: Option<(&View, &Replies)>,
) -> String {
    let client = reading.client_word_first();
    let asked = reading
        .view
        .asked
        .map_or_else(|| "another address".to_owned(), |asked| reading.name(asked.address));
    let source = reading.name(reply.source.address);
    let mut sentences = vec![format!("{client} asked {asked} and was answered by {source}.")];
    let tracked = reading.tracked_sender(reply).map(|(own, _)| own);
    match pod {
        Some((_, own)) => sentences.push(format!(
            "At the pod's cable the same answer leaves from {}: source translation (masquerade) on the way out replaced it.",
            own.source
        )),
        None if let Some(own) = tracked => sentences.push(format!(
            "Connection tracking has the same answer: {own} sent it, and it left as {}. To the kernel it is a new flow, which source translation (masquerade) on the way out gave another source.",
            reply.source,
        )),
        None => sentences.push(
            "That is what source translation (masquerade) on the way out does to an answer that connection tracking takes for a new flow.".to_owned(),
        ),
    }
    if reading.view.asked.is_some_and(|asked| asked.port != reply.source.port) {
        sentences.push("The answer comes from a new port, so the translation of the request does not cover it.".to_owned());
    }
    match verdict {
        Verdict::Tolerated => sentences.push(format!(
            "{}; a client that accepts only the address it asked would fail here.",
            reading.took_it()
        )),
        Verdict::Broken => {
            sentences.push(format!("{client} did not cope with it, and the exchange stopped."));
        }
        _ => {}
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Confidence};
    use crate::model::topology::{FactSource, Role};

    #[test]
    fn a_nodes_address_is_a_translation_and_others_are_not() {
        for family in Family::BOTH {
            let node = family.node();
            let start = || {
                let sample = Sample::tftp(family).answered_by_node();
                sample.follow_up(node, 40_001, Course::ToAnswerer, 4).progress()
            };
            let role = |role, source| start().role(node, role, source);
            let translated = |confidence| Some((Cause::ReplySourceTranslated, confidence));
            let other = |confidence| Some((Cause::ReplySourceNotRequested, confidence));
            let cases = [
                ("by ip addr", start(), translated(Confidence::Likely)),
                (
                    "inferred",
                    role(Role::Node, FactSource::Packets),
                    translated(Confidence::Possible),
                ),
                ("pod cable", start().pod_answers(), translated(Confidence::Certain)),
                ("role unknown", start().without_topology(), other(Confidence::Certain)),
                (
                    "unknown, pod cable",
                    start().without_topology().pod_answers(),
                    translated(Confidence::Certain),
                ),
                (
                    "a pod's own",
                    role(Role::Pod, FactSource::Kubernetes),
                    other(Confidence::Certain),
                ),
            ];
            for (name, sample, expected) in cases {
                let diagnosis = sample.diagnose();
                let sources = [Cause::ReplySourceTranslated, Cause::ReplySourceNotRequested];
                let mut findings = diagnosis.findings.iter().filter(|f| sources.contains(&f.cause));
                let found = findings.next().map(|finding| (finding.cause, finding.confidence));
                assert_eq!(found, expected, "{name} {family:?}");
                assert!(findings.next().is_none(), "{name} {family:?}");
            }
        }
    }
}
