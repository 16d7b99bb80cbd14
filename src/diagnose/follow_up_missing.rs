//! The reply was sent, often repeated, and nothing more came from the client:
//! what the founding fault looks like from the pod alone.

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::capture::PointKind;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};

/// Finds replies that want to be answered and were not.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if !matches!(verdict, Verdict::Unanswered | Verdict::Inconclusive) {
        return None;
    }
    let reply = reading.unfollowed_reply()?;
    // The client did send: its packets came in parts.
    if reading.lost_requests().is_some() {
        return None;
    }
    let sent = reply.tally.first?;
    let repeated = reply.tally.repeats > 0;
    if !repeated && !reading.is_silent_since(sent) {
        return None;
    }
    let confidence = if repeated { Confidence::Certain } else { Confidence::Possible };
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::FollowUpMissing, severity(verdict, Part::Stopped), confidence, first);
    let often = times(reply.tally.packets);
    let client = reading.exchange.client;
    finding.title = fit_title([
        format!("Answer to {client} sent {often}, no follow-up came"),
        format!("Answer sent {often}, no follow-up came"),
    ]);
    finding.explanation = format!(
        "{} answered {} {often}. The answer has to be followed up, and nothing more came from the client to this capture point.{}",
        reading.name_first(reply.source.address),
        reading.client_word(),
        match reading.view.kind {
            PointKind::Pod =>
                " From the pod alone there are several explanations: the answer does not reach the client, the client does not take it because its source was changed on the way, or the follow-up goes to another address or is dropped before the pod.",
            PointKind::Unknown =>
                " It is not known on which side of the cluster this was captured, so several explanations remain: the answer is lost, is not taken, or is followed up at another address.",
            PointKind::Device | PointKind::Host =>
                " The answer left with the address that was asked, so it was lost behind this point, or the client did not take it.",
        },
    );
    extend(&mut finding, [reading.first_request(), reading.repeated_reply(reply)]);
    finding.remedies = remedies::for_missing_follow_up(reading);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Severity, Verdict};

    #[test]
    fn a_repeated_answer_without_a_follow_up_is_reported_by_point() {
        for family in Family::BOTH {
            let repeated = |kind| Sample::tftp(family).answered_by_vip().repeat_reply(3).at(kind);
            let lone = || Sample::tftp(family).answered_by_vip();
            let followed = lone().follow_up(family.vip(), 40_001, Course::ToAnswerer, 1).progress();
            let cases = [
                ("pod", repeated(PointKind::Pod), Verdict::Inconclusive, Some(Severity::Warning)),
                (
                    "unknown",
                    repeated(PointKind::Unknown),
                    Verdict::Inconclusive,
                    Some(Severity::Warning),
                ),
                ("host", repeated(PointKind::Host), Verdict::Unanswered, Some(Severity::Error)),
                ("device", repeated(PointKind::Device), Verdict::Unanswered, Some(Severity::Error)),
                (
                    "not repeated, silence",
                    lone().wait_seconds(5),
                    Verdict::Inconclusive,
                    Some(Severity::Warning),
                ),
                ("not repeated, capture ends", lone(), Verdict::Inconclusive, None),
                ("followed", followed, Verdict::Symmetric, None),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::FollowUpMissing, |f| f.severity);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_remedy_says_where_to_capture_next() {
        for family in Family::BOTH {
            let sample = Sample::tftp(family).answered_by_vip().repeat_reply(3).at(PointKind::Pod);
            let finding = sample.finding(Cause::FollowUpMissing);
            let command = &finding.remedies[0].commands[0];
            assert!(command.starts_with("tcpdump "), "{command}");
            assert!(command.contains(&format!("host {}", family.device())), "{command}");
        }
    }
}
