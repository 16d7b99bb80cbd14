//! Two capture points: the client's follow-ups were seen at one, never at the
//! next, and the server goes on repeating its reply.

use super::evidence::{extend, follow_up_at, reply_at};
use super::reading::{LostFollowUp, Reading};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title, times};
use crate::model::finding::{Cause, Confidence, Finding, Verdict};

/// Finds follow-ups to the answerer that did not get to the next capture point.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if verdict != Verdict::Unanswered {
        return None;
    }
    let lost = reading.lost_follow_up?;
    let first = follow_up_at(lost.seen, lost.follow_ups)?;
    let sure = lost.reply.tally.repeats >= 2 && lost.follow_ups.tally.packets >= 2;
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::FollowUpNotDelivered, part, confidence, first);
    let to = lost.follow_ups.destination;
    let missed = reading.place_of(lost.missed);
    finding.title = fit_title([
        format!("Follow-ups to {to} were not seen at {missed}"),
        format!("Follow-ups did not get to {missed}"),
        "Follow-ups did not get to the next capture point".to_owned(),
    ]);
    finding.explanation = explain(reading, &lost);
    let repeated = reply_at(reading, lost.missed, lost.reply, lost.reply.tally.first_repeat);
    extend(
        &mut finding,
        [
            reading.first_request(),
            reply_at(reading, lost.missed, lost.reply, lost.reply.tally.first),
            repeated,
        ],
    );
    finding.remedies = remedies::for_lost_follow_up(reading, &lost);
    Some(finding)
}

fn explain(reading: &Reading<'_>, lost: &LostFollowUp<'_>) -> String {
    let sent = lost.follow_ups.tally.packets;
    let repeats = lost.reply.tally.repeats;
    format!(
        "{} went on at {}, the endpoint that had answered: {} seen at {}. None of it was seen at {}, where {} repeated the answer {}. No address is wrong: what the server waits for was dropped between the two points.",
        reading.client_word_first(),
        lost.follow_ups.destination,
        count(sent, "follow-up"),
        reading.place_of(lost.seen),
        reading.place_of(lost.missed),
        reading.name(lost.reply.source.address),
        times(repeats),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Confidence, Verdict};

    #[test]
    fn follow_ups_are_lost_where_the_pod_repeats_its_answer_in_vain() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let start = |repeats| {
                Sample::tftp(family)
                    .answered_by_vip()
                    .follow_up(vip, 40_001, Course::ToAnswerer, 1)
                    .repeat_reply(repeats)
                    .repeat_follow_up(repeats)
            };
            let certain = Some(Confidence::Certain);
            let cases = [
                ("lost", start(3).pod_answers().pod_repeats(3), Verdict::Unanswered, certain),
                (
                    "sent once",
                    Sample::tftp(family)
                        .answered_by_vip()
                        .follow_up(vip, 40_001, Course::ToAnswerer, 1)
                        .pod_answers()
                        .pod_repeats(1),
                    Verdict::Unanswered,
                    Some(Confidence::Likely),
                ),
                (
                    "arrived",
                    start(3).pod_answers().pod_repeats(3).pod_gets_follow_ups(),
                    Verdict::Unanswered,
                    None,
                ),
                ("the pod's capture ended first", start(0).pod_answers(), Verdict::Symmetric, None),
                (
                    "went on in the end",
                    start(3).pod_answers().pod_repeats(3).progress(),
                    Verdict::Symmetric,
                    None,
                ),
                ("one capture", start(3), Verdict::Unanswered, None),
                (
                    "sent to the wrong address",
                    Sample::tftp(family)
                        .answered_by_node()
                        .follow_up(vip, 40_001, Course::ToAskedAddress, 4)
                        .pod_answers()
                        .pod_repeats(3),
                    Verdict::Broken,
                    None,
                ),
                (
                    "the node's address, rightly",
                    Sample::tftp(family)
                        .answered_by_node()
                        .follow_up(node, 40_001, Course::ToAnswerer, 1)
                        .repeat_follow_up(3)
                        .pod_answers()
                        .pod_repeats(3),
                    Verdict::Unanswered,
                    certain,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::FollowUpNotDelivered, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }
}
