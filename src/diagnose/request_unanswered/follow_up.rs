//! Follow-ups that nobody answered, and transfers that came to a halt.

use super::elsewhere::elsewhere;
use crate::diagnose::evidence::extend;
use crate::diagnose::reading::Reading;
use crate::diagnose::remedies;
use crate::diagnose::verdict::{Part, severity};
use crate::diagnose::wording::{fit_title, times};
use crate::model::exchange::{FollowUps, Stall};
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// The request was answered, what the client went on with was not.
pub fn unanswered(
    reading: &Reading<'_>,
    verdict: Verdict,
    follow_ups: &FollowUps,
) -> Option<Finding> {
    let first = reading.first_follow_up(follow_ups)?;
    let mut finding = Finding::new(
        Cause::RequestUnanswered,
        severity(verdict, Part::Stopped),
        Confidence::Likely,
        first,
    );
    let to = follow_ups.destination;
    let often = times(follow_ups.tally.packets);
    finding.title = fit_title([
        format!("Follow-up to {to} sent {often}, no answer"),
        format!("Follow-up sent {often}, no answer"),
    ]);
    let reply = reading.replies().find(|replies| replies.source == to);
    let server_repeats = reply.is_some_and(|reply| reply.tally.repeats > 0);
    finding.explanation = format!(
        "{} answered the request, and {} went on with it at {to}, {often}. Nothing new came back{}.{}",
        reading.name_first(to.address),
        reading.client_word(),
        if server_repeats {
            "; the server repeated its reply, so the follow-ups did not reach it, or its answers to them are lost"
        } else {
            ": the follow-ups or the answers to them are lost, or the server stopped"
        },
        elsewhere(reading),
    );
    extend(
        &mut finding,
        [
            reading.first_request(),
            reply.and_then(|reply| reading.first_reply(reply)),
            reply.and_then(|reply| reading.repeated_reply(reply)),
        ],
    );
    finding.remedies = remedies::for_unanswered_follow_up(reading, to);
    Some(finding)
}

/// The transfer had gone on; then one side repeated its last word in vain.
pub fn stalled(reading: &Reading<'_>, verdict: Verdict, stall: Stall) -> Finding {
    let Stall { repeats, first, last, source, destination } = stall;
    let evidence = |frame, words: &str| Evidence {
        frame,
        summary: format!("{source} → {destination}, {words}"),
    };
    let mut finding = Finding::new(
        Cause::RequestUnanswered,
        severity(verdict, Part::Stopped),
        Confidence::Likely,
        evidence(first, "repeated"),
    );
    let often = times(repeats);
    let protocol = reading.exchange.protocol;
    finding.title = fit_title([
        format!(
            "{protocol} went on, then came to a halt: {source} repeated its last packet {often}"
        ),
        format!("{protocol} went on, then came to a halt: the last packet repeated {often}"),
    ]);
    finding.explanation = format!(
        "The transfer went on for a while. Then {} repeated what it had sent to {destination}, {often}, and neither side said anything new until the capture ended.{} The packet or the answer to it is lost every time, or {} has stopped.",
        reading.name(source.address),
        elsewhere(reading),
        reading.name(destination.address),
    );
    let final_one = (last != first).then(|| evidence(last, "repeated for the last time"));
    extend(&mut finding, [reading.first_request(), final_one]);
    finding.remedies = remedies::for_stalled_transfer(reading, stall);
    finding
}
