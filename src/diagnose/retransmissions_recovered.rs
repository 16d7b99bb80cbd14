//! Packets were lost and repeated, and the exchange went on.

use super::evidence::{extend, find_step_ends};
use super::reading::{Habit, Reading};
use super::wording::count;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{FollowUps, Tally, View};
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Severity, Verdict};

/// Finds repetitions in exchanges that ended well.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let fine = matches!(verdict, Verdict::Symmetric | Verdict::Tolerated);
    if !fine || reading.habit != Habit::Conversation || !reading.is_answered() {
        return None;
    }
    let repeats = reading.view.repeats() - unheard_repeats(reading.view);
    if repeats == 0 {
        return None;
    }
    let mut frames = repetitions(reading);
    frames.sort_by_key(|evidence| evidence.frame);
    let mut frames = frames.into_iter();
    let mut finding = Finding::new(
        Cause::RetransmissionsRecovered,
        Severity::Info,
        Confidence::Likely,
        frames.next()?,
    );
    finding.title = format!("{} sent again, the exchange went on", count(repeats, "packet"));
    finding.explanation = format!(
        "{} again: {} lost or late. The exchange went on after that. If it is often so, look for loss on the path to {}.",
        if repeats == 1 {
            "1 packet was sent".to_owned()
        } else {
            format!("{repeats} packets were sent")
        },
        if repeats == 1 { "it or its answer was" } else { "they or their answers were" },
        reading.name(reading.exchange.device),
    );
    extend(&mut finding, frames.map(Some));
    Some(finding)
}

/// Packets that the client repeated after the last that was heard of the server: the exchange
/// did not go on after these. Of several kinds of repetitions only those are known that are
/// requests without an answer, or the last word of a transfer.
fn unheard_repeats(view: &View) -> u64 {
    let last_replies = view.replies.iter().filter_map(|replies| replies.tally.last);
    let heard: Vec<FrameRef> = last_replies.chain(view.progress).collect();
    let is_unheard = |frame: FrameRef| heard.iter().all(|heard| view.is_after(frame, *heard));
    let are_all_unheard = |tally: &Tally| tally.first_repeat.is_some_and(is_unheard);
    let requests = &view.requests;
    let unheard_requests = if are_all_unheard(requests) {
        requests.repeats
    } else {
        view.unanswered.repeats.min(requests.repeats)
    };
    let stall = view.stall.filter(|stall| is_unheard(stall.first));
    let follow_ups = view.follow_ups.iter().map(|FollowUps { destination, tally, .. }| {
        let own = stall.filter(|stall| stall.destination == *destination);
        if are_all_unheard(tally) {
            tally.repeats
        } else {
            own.map_or(0, |stall| stall.repeats.min(tally.repeats))
        }
    });
    unheard_requests + follow_ups.sum::<u64>()
}

fn repetitions(reading: &Reading<'_>) -> Vec<Evidence> {
    let client = reading.exchange.client;
    let view = reading.view;
    let evidence = |tally: &Tally, source: Endpoint, destination: Endpoint| {
        let frame: FrameRef =
            if tally.repeats > 0 { tally.first_repeat.or(tally.first)? } else { return None };
        let step = view.steps.iter().find(|step| step.frame == frame);
        let (source, destination) = step.and_then(find_step_ends).unwrap_or((source, destination));
        Some(Evidence { frame, summary: format!("{source} → {destination}, repeated") })
    };
    let requests = view.asked.and_then(|asked| evidence(&view.requests, client, asked));
    let replies = view.replies.iter().map(|r| evidence(&r.tally, r.source, client));
    let follow_ups = view.follow_ups.iter().map(|f| evidence(&f.tally, f.source, f.destination));
    requests.into_iter().chain(replies.flatten()).chain(follow_ups.flatten()).collect()
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Severity, Verdict};

    #[test]
    fn repetitions_matter_little_when_it_went_on() {
        for family in Family::BOTH {
            let start = |sample: Sample| {
                sample.answered_by_vip().follow_up(family.vip(), 40_001, Course::ToAnswerer, 9)
            };
            let plain = || start(Sample::tftp(family));
            let cases = [
                ("none", plain().progress(), Verdict::Symmetric, None),
                (
                    "data",
                    plain().repeat_follow_up(2).progress(),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                (
                    "request",
                    start(Sample::tftp(family).repeat_request(1)).progress(),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                ("in vain", plain().repeat_follow_up(2), Verdict::Unanswered, None),
                (
                    "the last word, never heard",
                    plain().progress().stalls(2),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::RetransmissionsRecovered, |f| f.severity);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
            // Some were heard, and later ones were not.
            let sample = plain().repeat_follow_up(1).progress().stalls(2);
            let finding = sample.finding(Cause::RetransmissionsRecovered);
            assert_eq!(finding.title, "1 packet sent again, the exchange went on", "{family:?}");
        }
    }
}
