//! Two capture points: the server's replies were seen at its side, and none at
//! the next point towards the client.

use super::evidence::{extend, reply_at, request_at};
use super::reading::{LostReply, Reading};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title, times};
use crate::model::finding::{Cause, Finding, Verdict};

/// Finds replies that did not get from the server's side to the next point.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if verdict != Verdict::Unanswered {
        return None;
    }
    let lost = reading.lost_reply?;
    let first = reply_at(reading, lost.seen, lost.reply, lost.reply.tally.first)?;
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::ReplyNotForwarded, part, lost.confidence, first);
    let missed = reading.place_of(lost.missed);
    let source = lost.reply.source;
    finding.title = fit_title([
        format!("The answer of {source} was not seen at {missed}"),
        format!("The answer did not get to {missed}"),
        "The answer did not get to the next capture point".to_owned(),
    ]);
    finding.explanation = explain(reading, &lost);
    let repeated = reply_at(reading, lost.seen, lost.reply, lost.reply.tally.first_repeat);
    extend(
        &mut finding,
        [request_at(reading, lost.missed), request_at(reading, lost.seen), repeated],
    );
    finding.remedies = remedies::for_lost_reply(reading, &lost);
    Some(finding)
}

fn explain(reading: &Reading<'_>, lost: &LostReply<'_>) -> String {
    let replies = lost.seen.reply_packets();
    let requests = lost.missed.requests.packets;
    format!(
        "The request got to {}, and {} answered: {} seen at {}. None of them was seen at {}, where {} asked {}. They were dropped between the two points, or left another way.",
        reading.place_of(lost.seen),
        reading.name(lost.reply.source.address),
        count(replies, "reply packet"),
        reading.place_of(lost.seen),
        reading.place_of(lost.missed),
        reading.client_word(),
        times(requests),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};

    #[test]
    fn replies_are_lost_where_the_client_still_asks() {
        for family in Family::BOTH {
            let start = || Sample::tftp(family).pod_answers();
            let certain = Some(Confidence::Certain);
            let cases = [
                (
                    "lost",
                    start().repeat_request(3).pod_repeats(3).wait_seconds(2),
                    Verdict::Unanswered,
                    certain,
                ),
                (
                    "one of each",
                    start().wait_seconds(3),
                    Verdict::Unanswered,
                    Some(Confidence::Likely),
                ),
                ("on the way as the capture ends", start(), Verdict::Inconclusive, None),
                (
                    "the pod did not answer",
                    Sample::tftp(family).repeat_request(3).pod_is_asked().wait_seconds(3),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "it got through",
                    start().answered_by_vip().wait_seconds(3),
                    Verdict::Inconclusive,
                    None,
                ),
                (
                    "it left as a flow of its own",
                    start()
                        .repeat_request(3)
                        .wait_seconds(2)
                        .beside(Sample::tftp(family).with_port(40_001).asks_the_client()),
                    Verdict::Unanswered,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::ReplyNotForwarded, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_poller_in_the_cluster_may_miss_what_the_node_saw() {
        for family in Family::BOTH {
            let polled = |repeats| {
                Sample::snmp(family).answered_by_agent(1).pod_asks().pod_asks_again(repeats)
            };
            let lost = polled(3);
            assert_eq!(lost.diagnose().verdict, Verdict::Unanswered, "{family:?}");
            assert!(lost.causes().contains(&Cause::ReplyNotForwarded), "{family:?}");
            let arrived = polled(0).same_at_pod();
            assert_eq!(arrived.diagnose().verdict, Verdict::Symmetric, "{family:?}");
            assert!(!arrived.causes().contains(&Cause::ReplyNotForwarded), "{family:?}");
            // The agent's other address answered, and the node dropped that.
            let changed = Sample::snmp(family)
                .reply(family.other_device(), 161, Origin::OtherAddress(Confidence::Certain), 1)
                .pod_asks()
                .pod_asks_again(3);
            assert_eq!(changed.diagnose().verdict, Verdict::Tolerated, "{family:?}");
        }
    }
}
