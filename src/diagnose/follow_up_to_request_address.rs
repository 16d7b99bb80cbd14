//! The founding fault: the client answers to the address that it asked, not to
//! the one that answered. RFC 1350 section 4 fixes the two ports for the rest of
//! the transfer, and the answer's source is where they are.

use super::evidence::extend;
use super::reading::{Reading, SeenErrors, entry_evidence};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::finding::{Cause, Finding, Verdict};

/// Finds follow-ups to the address asked, at the port that answered from another.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let wrong = reading.wrong_address?;
    let part = Part::stopped_if(reading.change_stopped());
    let first = reading.first_follow_up(wrong.follow_ups)?;
    let mut finding = Finding::new(
        Cause::FollowUpToRequestAddress,
        severity(verdict, part),
        wrong.confidence,
        first,
    );
    let (kept, answerer) = (wrong.follow_ups.destination, wrong.reply.source);
    finding.title = fit_title([
        format!("Follow-ups go to {}, the answer came from {}", kept.address, answerer.address),
        format!("Follow-ups go to {}, which had not answered", kept.address),
        "Follow-ups go to the address asked, not to the answerer".to_owned(),
    ]);
    finding.explanation = explain(reading, verdict);
    let error = reading.errors.iter().find(|seen| seen.errors.quoted_destination == Some(kept));
    extend(
        &mut finding,
        [
            reading.first_request(),
            reading.first_reply(wrong.reply),
            error.or(reading.errors.first()).and_then(SeenErrors::first_error),
            reading.repeated_reply(wrong.reply),
            reading.reply_entry(wrong.reply).map(entry_evidence),
            reading.follow_up_entry(kept).map(entry_evidence),
        ],
    );
    finding.remedies = remedies::for_misdirected_follow_up(reading, wrong.reply);
    Some(finding)
}

fn explain(reading: &Reading<'_>, verdict: Verdict) -> String {
    let Some(wrong) = reading.wrong_address else { return String::new() };
    let (kept, answerer) = (wrong.follow_ups.destination, wrong.reply.source);
    let client = reading.client_word_first();
    let start = if reading.view.asked.is_some() {
        format!(
            "{client} asked {} and was answered by {}.",
            reading.name(kept.address),
            reading.name(answerer.address)
        )
    } else {
        format!(
            "The request is not in the capture. {client} was answered by {} and went on with {}.",
            reading.name(answerer.address),
            reading.name(kept.address)
        )
    };
    let sent = reading.count(&wrong.follow_ups.tally, "follow-up");
    let proof = if kept.port == answerer.port {
        format!(
            "It sent {sent} to {kept}: the port is the answer's, so it had read the answer, but the address is not."
        )
    } else {
        format!("It sent {sent} to {kept}, not to {answerer}.")
    };
    let end = if verdict == Verdict::Broken {
        "That port belongs to the address that answered, so nothing at this address listens on it."
    } else {
        "The exchange went on all the same."
    };
    let tracked = reading.follow_up_entry(kept).filter(|entry| entry.flow.is_untranslated());
    let tracked = tracked.map_or("", |_| {
        " Connection tracking has these packets as a flow that nothing translates, so no pod gets them."
    });
    format!("{start} {proof} {end}{tracked}")
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};

    #[test]
    fn the_founding_fault_is_certain_and_its_near_misses_are_silent() {
        for family in Family::BOTH {
            let start = || Sample::tftp(family).answered_by_node();
            let (vip, node) = (family.vip(), family.node());
            // what the device did, exchange, verdict, confidence and severity of the finding
            let cases = [
                (
                    "kept to the VIP",
                    start().follow_up(vip, 40_001, Course::ToAskedAddress, 4),
                    Verdict::Broken,
                    Some((Confidence::Certain, Severity::Error)),
                ),
                (
                    "kept to the VIP and it worked",
                    start().follow_up(vip, 40_001, Course::ToAskedAddress, 4).progress(),
                    Verdict::Tolerated,
                    Some((Confidence::Certain, Severity::Warning)),
                ),
                (
                    "followed the node",
                    start().follow_up(node, 40_001, Course::ToAnswerer, 4).progress(),
                    Verdict::Tolerated,
                    None,
                ),
                (
                    "kept to the VIP that answered",
                    Sample::tftp(family)
                        .answered_by_vip()
                        .follow_up(vip, 40_001, Course::ToAnswerer, 4)
                        .progress(),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged =
                    sample.judge(Cause::FollowUpToRequestAddress, |f| (f.confidence, f.severity));
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_explanation_names_both_addresses_with_their_roles() {
        for family in Family::BOTH {
            let sample = Sample::tftp(family).answered_by_node();
            let sample = sample.follow_up(family.vip(), 40_001, Course::ToAskedAddress, 4);
            let finding = sample.finding(Cause::FollowUpToRequestAddress);
            let text = finding.explanation;
            assert!(text.contains(&format!("the VIP {}", family.vip())), "{text}");
            assert!(text.contains(&format!("the node {} (node3)", family.node())), "{text}");
            assert!(text.contains("it had read the answer"), "{text}");
            assert_eq!(finding.evidence.len(), 4, "{:?}", finding.evidence);
        }
    }

    #[test]
    fn midway_it_needs_the_refusal_to_be_believed() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let start = || {
                Sample::tftp(family).begins_midway().unknown_reply(node, 40_001).follow_up(
                    vip,
                    40_001,
                    Course::AnswererUnseen,
                    2,
                )
            };
            let refused = start().refused_follow_up(vip, 40_001);
            assert_eq!(start().diagnose().verdict, Verdict::Inconclusive);
            assert_eq!(refused.diagnose().verdict, Verdict::Broken);
        }
    }
}
