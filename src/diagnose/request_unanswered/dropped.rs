//! A datapath that says itself that it dropped the request, or the answer.

use crate::diagnose::evidence::extend;
use crate::diagnose::reading::Reading;
use crate::diagnose::remedies;
use crate::diagnose::verdict::{Part, severity};
use crate::diagnose::wording::{count, fit_title};
use crate::model::exchange::DroppedPackets;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};
use crate::model::report::Quotes;

/// The datapath says itself what became of the request, or of its answer.
pub fn find(
    reading: &Reading<'_>,
    verdict: Verdict,
    dropped: &DroppedPackets,
    first: Evidence,
) -> Finding {
    let mut finding = Finding::new(
        Cause::RequestUnanswered,
        severity(verdict, Part::Stopped),
        Confidence::Certain,
        first,
    );
    let DroppedPackets { frame, source, destination, part, by, reason, packets } = dropped;
    let protocol = reading.exchange.protocol;
    let what = match part {
        Quotes::Reply => "answer",
        Quotes::Request | Quotes::FollowUp => "request",
    };
    finding.title = fit_title([
        format!("The {protocol} {what} to {destination} was dropped: {reason}"),
        format!("The {protocol} {what} was dropped: {reason}"),
        format!("The {protocol} {what} was dropped"),
    ]);
    finding.explanation = format!(
        "{} asked, and got no answer. {} dropped {} from {source} to {destination}, and gives as its reason: {reason}.",
        reading.client_word_first(),
        by.as_text(),
        count(*packets, what),
    );
    let evidence = Evidence {
        frame: *frame,
        summary: format!("{source} → {destination}, dropped: {reason}"),
    };
    extend(&mut finding, [Some(evidence), reading.repeated_request()]);
    finding.remedies = remedies::for_dropped(dropped);
    finding
}
