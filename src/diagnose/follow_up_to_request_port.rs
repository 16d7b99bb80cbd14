//! The client goes on at the port that it asked, though another one answered.
//! TFTP servers answer from a port of their own choice, and the transfer goes
//! on there: RFC 1350 section 4.

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::exchange::Said;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};

/// Finds follow-ups to the port asked.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let wrong = reading.wrong_port?;
    let first = reading.first_follow_up(wrong)?;
    let part = Part::stopped_if(reading.client_stopped());
    // Where a text prints no more than lengths, it may be another request.
    let is_read = reading.view.has_payloads
        || reading.view.steps.iter().any(|step| {
            Some(step.frame) == wrong.tally.first && matches!(step.said, Said::Tftp(_))
        });
    let confidence = if is_read { Confidence::Certain } else { Confidence::Likely };
    let mut finding =
        Finding::new(Cause::FollowUpToRequestPort, severity(verdict, part), confidence, first);
    let asked = wrong.destination;
    let reply = reading.replies().find(|replies| replies.source.port != asked.port);
    let answered =
        reply.map_or_else(|| "another port".to_owned(), |r| format!("port {}", r.source.port));
    finding.title = fit_title([
        format!(
            "{} goes on at port {}, not at {answered}",
            reading.client_word_first(),
            asked.port
        ),
        format!("Follow-ups go to the port asked, {}", asked.port),
    ]);
    finding.explanation = format!(
        "{} asked {}, was answered from {answered}, and sent {} to {asked} again. A TFTP transfer goes on at the port that answered; the port asked takes new requests only.{}",
        reading.client_word_first(),
        reading.name(asked.address),
        count(wrong.tally.packets, "follow-up"),
        if verdict == Verdict::Broken { " No new reply came after that." } else { "" }
    );
    extend(
        &mut finding,
        [
            reading.first_request(),
            reply.and_then(|reply| reading.first_reply(reply)),
            reading.errors.first().and_then(SeenErrors::first_error),
        ],
    );
    finding.remedies = remedies::for_request_port(reading);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Verdict};

    #[test]
    fn follow_ups_to_port_69_break_a_transfer_unless_it_goes_on() {
        for family in Family::BOTH {
            let vip = family.vip();
            let start = || Sample::tftp(family).answered_by_vip();
            let cases = [
                (
                    "port 69",
                    start().follow_up(vip, 69, Course::ToAskedPort, 3),
                    Verdict::Broken,
                    true,
                ),
                (
                    "port 69, served",
                    start().follow_up(vip, 69, Course::ToAskedPort, 3).progress(),
                    Verdict::Tolerated,
                    true,
                ),
                (
                    "the new port",
                    start().follow_up(vip, 40_001, Course::ToAnswerer, 3).progress(),
                    Verdict::Symmetric,
                    false,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let diagnosis = sample.diagnose();
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::FollowUpToRequestPort);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }
}
