//! A pause longer than a translation lives, and then an answer with another
//! source. Linux forgets a UDP flow without an answer after 30 s and one with
//! traffic both ways after 120 s (`nf_conntrack_udp_timeout`, `_stream`).

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::exchange::Replies;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};

/// Finds answers that lost their translation in a pause.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let late = reading.view.late_change?;
    let reply = reading.changed.filter(|reply| reply.source == late.source)?;
    let first = reading.first_reply(reply)?;
    // Where answers before the pause had the right source, the pause made the difference.
    let confidence = if late.was_answered { Confidence::Likely } else { Confidence::Possible };
    let part = severity(verdict, Part::stopped_if(reading.change_stopped()));
    let mut finding = Finding::new(Cause::MappingExpired, part, confidence, first);
    let pause_seconds = late.pause.as_secs();
    let source = late.source;
    finding.title = fit_title([
        format!("After {pause_seconds} s of silence the answer came from {source}"),
        format!("After {pause_seconds} s of silence the answer had another source"),
    ]);
    let asked = reading
        .view
        .asked
        .map_or_else(|| "the address asked".to_owned(), |asked| asked.to_string());
    finding.explanation = if late.was_answered {
        format!(
            "{} was answered from {asked}. Then nothing was sent for {pause_seconds} s, longer than a translation with traffic both ways lives (120 s), and the next answer came from {source}. The translation was forgotten in the pause, and the answer was given a new one.",
            reading.client_word_first(),
        )
    } else {
        format!(
            "The answer to {} came {pause_seconds} s after the request to {asked}, from {source}. A translation without an answer lives 30 s: it was gone by then, so the answer left without it.",
            reading.client_word(),
        )
    };
    let before = reading.replies().find(|other: &&Replies| other.source != source);
    extend(
        &mut finding,
        [reading.first_request(), before.and_then(|before| reading.first_reply(before))],
    );
    finding.remedies = remedies::for_expired_mapping(reading, late.pause);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::protocol::Protocol;

    #[test]
    fn a_pause_counts_only_with_a_change_behind_it() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let moved = Origin::OtherAddress(Confidence::Certain);
            let poll = || Sample::request(family, Protocol::Ntp, 123);
            let cases = [
                (
                    "answered before",
                    poll()
                        .reply(vip, 123, Origin::Asked, 1)
                        .reply(node, 123, moved, 1)
                        .late_change(200, true),
                    Verdict::Tolerated,
                    Some(Confidence::Likely),
                ),
                (
                    "answered late",
                    poll().reply(node, 123, moved, 1).late_change(40, false),
                    Verdict::Tolerated,
                    Some(Confidence::Possible),
                ),
                ("no pause", poll().reply(node, 123, moved, 1), Verdict::Tolerated, None),
                (
                    "a pause and no change",
                    poll().reply(vip, 123, Origin::Asked, 2),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::MappingExpired, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }
}
