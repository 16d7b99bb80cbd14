//! Requests that were not answered among others that were.

use super::elsewhere;
use crate::diagnose::evidence::extend;
use crate::diagnose::reading::Reading;
use crate::diagnose::remedies;
use crate::diagnose::verdict::{Part, severity};
use crate::diagnose::wording::{count, fit_title, times};
use crate::model::exchange::Tally;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// What to say of requests that were passed over.
pub fn find(
    reading: &Reading<'_>,
    verdict: Verdict,
    (passed, confidence): (Tally, Confidence),
) -> Option<Finding> {
    let asked = reading.view.asked?;
    let client = reading.exchange.client;
    let evidence =
        |frame, words: &str| Evidence { frame, summary: format!("{client} → {asked}, {words}") };
    let first = evidence(passed.first?, "no answer to it");
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::RequestUnanswered, part, confidence, first);
    let protocol = reading.exchange.protocol;
    let often = count(passed.packets, "request");
    finding.title = fit_title([
        format!("{protocol} at {asked} answers, but {often} got no answer"),
        format!("{protocol} answers, but {often} got no answer"),
    ]);
    let of_all = reading.view.requests.packets;
    let repeated = if passed.repeats > 0 {
        format!(" Among them are repetitions, {}.", times(passed.repeats))
    } else {
        String::new()
    };
    finding.explanation = format!(
        "{} sent {} to {} from one socket. Of these, {often} got no answer: by their identities, the replies that came answer others.{repeated}{} The requests or the answers to them were lost or dropped on the way, or the server does not answer these.",
        reading.client_word_first(),
        count(of_all, "request"),
        reading.name(asked.address),
        elsewhere(reading),
    );
    let last = passed.last.filter(|last| Some(*last) != passed.first);
    let last = last.map(|frame| evidence(frame, "the last without an answer"));
    let reply = reading.replies().find_map(|replies| reading.first_reply(replies));
    extend(&mut finding, [last, reply]);
    finding.remedies = remedies::for_unanswered_request(reading, asked);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::protocol::Protocol;

    #[test]
    fn requests_passed_over_are_told_from_ordinary_loss() {
        for family in Family::BOTH {
            // requests, passed over, of these repeated, seconds after the last, confidence
            let cases = [
                ("one of a pair", 2, 1, 0, 5, Some(Confidence::Possible)),
                ("one of a pair, the capture ends", 2, 1, 0, 0, None),
                ("one of many", 41, 1, 0, 5, None),
                ("one of many, repeated", 41, 2, 1, 5, Some(Confidence::Likely)),
                ("many of many", 40, 30, 0, 5, Some(Confidence::Likely)),
                ("two of many", 50, 2, 0, 5, None),
            ];
            for (name, requests, passed, repeats, seconds, expected) in cases {
                let sample = Sample::request(family, Protocol::Dns, 53)
                    .passes_over(requests, passed, repeats)
                    .reply(family.vip(), 53, Origin::Asked, 1)
                    .wait_seconds(seconds);
                let diagnosis = sample.diagnose();
                let found = diagnosis.findings.iter().find(|f| f.cause == Cause::RequestUnanswered);
                assert_eq!(found.map(|f| f.confidence), expected, "{name} {family:?}");
                let verdict =
                    if expected.is_some() { Verdict::Unanswered } else { Verdict::Symmetric };
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                if let Some(finding) = found {
                    assert!(
                        finding.explanation.contains("answer others"),
                        "{}",
                        finding.explanation
                    );
                }
            }
        }
    }
}
