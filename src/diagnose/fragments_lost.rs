//! Answers, or what the client sends, came in fragments, and not all of them.

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::exchange::{IcmpErrors, LostParts};
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};
use crate::model::report::Quotes;

/// Finds datagrams that their receiver could not put together.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if let Some(seen) = reading.errors.iter().find(|seen| seen.cause == Cause::FragmentsLost) {
        return told(reading, verdict, seen);
    }
    match reading.view.lost_replies {
        Some(lost) => Some(replies(reading, verdict, lost)),
        None => requests(reading, verdict, reading.lost_requests()?),
    }
}

/// The receiver says itself that it waited in vain: no filter of a capture hid anything.
fn told(reading: &Reading<'_>, verdict: Verdict, seen: &SeenErrors<'_>) -> Option<Finding> {
    let IcmpErrors { from, quotes, quoted_destination, tally, .. } = *seen.errors;
    let part = severity(verdict, Part::stopped_if(seen.ended));
    let first = seen.first_error()?;
    let mut finding = Finding::new(Cause::FragmentsLost, part, Confidence::Certain, first);
    let often = times(tally.packets);
    let what = match quotes {
        Quotes::Request => "request",
        Quotes::Reply => "answer",
        Quotes::FollowUp => "follow-up",
    };
    let to = quoted_destination.map_or_else(String::new, |to| format!(" to {to}"));
    finding.title = fit_title([
        format!("Fragments of the {what}{to} did not arrive: {from} says so {often}"),
        format!("Fragments of the {what} did not arrive: {from} says so {often}"),
    ]);
    finding.explanation = format!(
        "{} waited in vain for fragments of the {what}{to}, and says so {often} with the ICMP error \"{}\". It cannot use a part of a datagram. Later fragments have no ports: firewalls and translations that look at ports do not let them through.{}",
        reading.name_first(from),
        seen.errors.kind.as_text(),
        if seen.ended { "" } else { " The exchange went on all the same." },
    );
    extend(&mut finding, [reading.first_request(), reading.repeated_request()]);
    finding.remedies = match quotes {
        Quotes::Request | Quotes::FollowUp => remedies::for_lost_request_fragments(reading),
        Quotes::Reply => {
            let answerer = reading.replies().next()?.source;
            remedies::for_lost_fragments(reading, answerer)
        }
    };
    Some(finding)
}

/// What the client sends cannot be used by any server. A capture filter hides
/// later fragments too, so it counts only where nothing new came back.
fn requests(reading: &Reading<'_>, verdict: Verdict, lost: LostParts) -> Option<Finding> {
    if verdict != Verdict::Unanswered {
        return None;
    }
    let confidence = Confidence::Likely;
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::FragmentsLost, part, confidence, evidence(lost));
    let often = times(lost.datagrams);
    finding.title = fit_title([
        format!("Packets of {} came in part only, {often}: fragments are missing", lost.source),
        format!("The client's packets came in part only, {often}: fragments are missing"),
    ]);
    finding.explanation = format!(
        "{} sent {often} a datagram to {} that needs several IP fragments, and not all of them were seen: {}. {} cannot use a part of it, so it does not answer. Later fragments have no ports: firewalls, translations and capture filters that look at ports do not let them through.",
        reading.client_word_first(),
        lost.destination,
        seen(lost),
        reading.name_first(lost.destination.address),
    );
    extend(&mut finding, [reading.first_request(), reading.repeated_request()]);
    finding.remedies = remedies::for_lost_request_fragments(reading);
    Some(finding)
}

fn evidence(lost: LostParts) -> Evidence {
    let LostParts { source, destination, frame, .. } = lost;
    Evidence { frame, summary: format!("{source} → {destination}, {}", seen(lost)) }
}

fn replies(reading: &Reading<'_>, verdict: Verdict, lost: LostParts) -> Finding {
    let first = evidence(lost);
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
    finding
}

fn seen(lost: LostParts) -> String {
    match lost.total_bytes {
        Some(total) => format!("{} of {total} bytes", lost.received_bytes),
        None => format!("{} bytes, the rest is missing", lost.received_bytes),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::endpoint::Endpoint;
    use crate::model::exchange::{Course, Origin};
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

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

    #[test]
    fn who_waits_for_fragments_in_vain_says_so() {
        const KIND: IcmpKind = IcmpKind::ReassemblyTimeExceeded;
        for family in Family::BOTH {
            let vip = family.vip();
            let radius = || Sample::request(family, Protocol::Radius, 1_812);
            let agent = || Sample::snmp(family).answered_by_agent(2);
            let cases = [
                (
                    "a request",
                    radius().icmp(KIND, vip, Quotes::Request, 1),
                    Verdict::Unanswered,
                    Severity::Error,
                ),
                (
                    "a request that was then answered",
                    radius().reply(vip, 1_812, Origin::Asked, 1).icmp(
                        KIND,
                        vip,
                        Quotes::Request,
                        1,
                    ),
                    Verdict::Symmetric,
                    Severity::Info,
                ),
                (
                    "every answer",
                    agent().icmp(KIND, family.pod(), Quotes::Reply, 2),
                    Verdict::Unanswered,
                    Severity::Error,
                ),
                (
                    "one of two answers",
                    agent().icmp(KIND, family.pod(), Quotes::Reply, 1),
                    Verdict::Symmetric,
                    Severity::Info,
                ),
            ];
            for (name, sample, verdict, severity) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let finding = sample.finding(Cause::FragmentsLost);
                assert_eq!(finding.severity, severity, "{name} {family:?}");
                assert_eq!(finding.confidence, Confidence::Certain, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_server_that_gets_parts_does_not_answer() {
        for family in Family::BOTH {
            let vip = family.vip();
            let radius = || Sample::request(family, Protocol::Radius, 1_812).repeat_request(2);
            let block = Endpoint::new(vip, 40_001);
            let upload = || Sample::tftp(family).answered_by_vip();
            let cases = [
                (
                    "a large request",
                    radius().lost_requests(Endpoint::new(vip, 1_812), 3).wait_seconds(5),
                    Verdict::Unanswered,
                    true,
                ),
                (
                    "large blocks",
                    upload().lost_requests(block, 3).repeat_reply(3).at(PointKind::Host),
                    Verdict::Unanswered,
                    true,
                ),
                (
                    "the filter hides fragments of a transfer that goes on",
                    upload()
                        .lost_requests(block, 3)
                        .follow_up(vip, 40_001, Course::ToAnswerer, 1)
                        .progress(),
                    Verdict::Symmetric,
                    false,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes();
                assert_eq!(found.contains(&Cause::FragmentsLost), expected, "{name} {family:?}");
                assert!(!found.contains(&Cause::FollowUpMissing), "{name} {family:?}");
            }
        }
    }
}
