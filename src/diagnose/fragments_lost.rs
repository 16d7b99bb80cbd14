//! The server's answers came in fragments, and not all of them.

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::exchange::LostReplies;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// Finds answers that no client could put together.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let lost = reading.view.lost_replies?;
    let client = reading.exchange.client;
    let first = Evidence {
        frame: lost.frame,
        summary: format!("{} → {client}, {}", lost.source, seen(lost)),
    };
    let stopped = Part::stopped_if(verdict == Verdict::Unanswered);
    let mut finding =
        Finding::new(Cause::FragmentsLost, severity(verdict, stopped), Confidence::Likely, first);
    let often = times(lost.datagrams);
    finding.title = fit_title([
        format!("Answers of {} came in part only, {often}: fragments are missing", lost.source),
        format!("Answers came in part only, {often}: fragments are missing"),
    ]);
    finding.explanation = format!(
        "{} answered {often} with a datagram that needs several IP fragments, and not all of them were seen at this point: {}. {} cannot use a part of an answer, and asked again. Later fragments have no ports: firewalls, translations and capture filters that look at ports do not let them through.",
        reading.name_first(lost.source.address),
        seen(lost),
        reading.client_word_first(),
    );
    extend(&mut finding, [reading.first_request(), reading.repeated_request()]);
    finding.remedies = remedies::for_lost_fragments(reading, lost.source);
    Some(finding)
}

fn seen(lost: LostReplies) -> String {
    match lost.total_bytes {
        Some(total) => format!("{} of {total} bytes", lost.received_bytes),
        None => format!("{} bytes, the rest is missing", lost.received_bytes),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Severity, Verdict};

    #[test]
    fn a_client_that_gets_parts_asks_again() {
        for family in Family::BOTH {
            let lost = Sample::snmp(family).repeat_request(2).wait_seconds(5).lost_replies(3);
            assert_eq!(lost.diagnose().verdict, Verdict::Unanswered, "{family:?}");
            let finding = lost.finding(Cause::FragmentsLost);
            assert_eq!(finding.severity, Severity::Error);
            assert!(finding.explanation.contains("1480 of 4028 bytes"), "{}", finding.explanation);
            let unanswered = lost.finding(Cause::RequestUnanswered);
            assert!(unanswered.explanation.contains("answered 3 times"), "{family:?}");
            assert!(!unanswered.explanation.contains("did not answer"), "{family:?}");
            let silent = Sample::snmp(family).repeat_request(2).wait_seconds(5);
            assert!(!silent.causes().contains(&Cause::FragmentsLost), "{family:?}");
        }
    }
}
