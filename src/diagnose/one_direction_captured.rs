//! Only one side's packets are in the capture: who answered cannot be known.

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::capture::CaptureFilter;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::protocol::Protocol;

/// Finds captures of one direction.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if !reading.is_one_directional() {
        return None;
    }
    let client = reading.exchange.client;
    let unseen = reading.follow_ups().next();
    let reply = reading.replies().next();
    let first = match (unseen, reply) {
        (Some(sent), _) => reading.first_follow_up(sent)?,
        (None, Some(reply)) => reading.first_reply(reply)?,
        (None, None) => reading.first_request()?,
    };
    let asks_on = reading.asks_on_content();
    let filter = reading.hiding_filter();
    // A client that goes on at a new endpoint has heard of it from a reply.
    let is_likely = unseen.is_some() || filter.is_some();
    let confidence = if is_likely { Confidence::Likely } else { Confidence::Possible };
    let severity = severity(verdict, Part::Present);
    let mut finding = Finding::new(Cause::OneDirectionCaptured, severity, confidence, first);
    finding.title = if is_likely || asks_on {
        fit_title([
            format!("Only packets from {client} were captured"),
            "Only the client's packets were captured".to_owned(),
        ])
    } else {
        fit_title([
            format!("Only packets to {client} were captured"),
            "Only the server's packets were captured".to_owned(),
        ])
    };
    finding.explanation = match (unseen, reply) {
        (Some(sent), _) => format!(
            "{} went on with {} to {}, so it had been answered, but no reply is in the capture. Who answered, and whether that worked, cannot be told from one direction.",
            reading.client_word_first(),
            count(sent.tally.packets, "packet"),
            sent.destination,
        ),
        (None, Some(reply)) if reading.unread_of_client() > 0 => format!(
            "{} sent {} to {client}. {} of the text, which may be the client's, could not be read: the warnings of the capture say which lines, and why. Whether it asked this address, and how it went on, cannot be told without them.",
            reading.name_first(reply.source.address),
            count(reply.tally.packets, "packet"),
            count(reading.unread_of_client(), "packet"),
        ),
        (None, Some(reply)) => format!(
            "{} sent {} to {client}, and nothing that the client sent is in the capture. Whether it asked this address, and how it went on, cannot be told from one direction.",
            reading.name_first(reply.source.address),
            count(reply.tally.packets, "packet"),
        ),
        (None, None) if let Some(filter) = filter => filtered(reading, filter),
        (None, None) => format!(
            "{} asked {} one after the other and repeated none of them, as it would have to if no answer came. So the answers are likely to be there and not to be captured.",
            reading.client_word_first(),
            count(reading.view.requests.packets, "new question"),
        ),
    };
    extend(&mut finding, [reading.first_request()]);
    let is_unread = unseen.is_none() && reply.is_some() && reading.unread_of_client() > 0;
    finding.remedies = vec![if is_unread {
        remedies::give_addresses()
    } else {
        remedies::capture_both_directions(reading)
    }];
    Some(finding)
}

/// That the filter shows what the client sends, and of answers none, or none from elsewhere.
fn filtered(reading: &Reading<'_>, filter: &CaptureFilter) -> String {
    let asked = reading.view.asked.map_or_else(String::new, |asked| format!(" {asked}"));
    if reading.filter_of_all_answers().is_none() {
        return format!(
            "{} asked{asked} {}. What was captured was chosen with `{}`, which shows answers from the address asked alone: one from another address, such as a node's, would not be there. Whether there was one cannot be told.",
            reading.client_word_first(),
            reading.times(&reading.view.requests),
            filter.text,
        );
    }
    let port = if reading.exchange.protocol == Protocol::Tftp {
        ", which comes from another port than the one asked (RFC 1350 section 4)"
    } else {
        ""
    };
    let shows = if filter.condition.is_understood() { "shows" } else { "may show" };
    format!(
        "{} asked{asked} {}. What was captured was chosen with `{}`, which {shows} no answer to that{port}. Whether there was one cannot be told.",
        reading.client_word_first(),
        reading.times(&reading.view.requests),
        filter.text,
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Verdict};
    use crate::model::protocol::Protocol;

    #[test]
    fn one_direction_is_told_from_silence() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let unseen = |sample: Sample| sample.follow_up(node, 40_001, Course::AnswererUnseen, 4);
            let cases = [
                (
                    "arriving packets only",
                    unseen(Sample::tftp(family)),
                    Verdict::Inconclusive,
                    true,
                ),
                (
                    "leaving packets only",
                    Sample::tftp(family).begins_midway().unknown_reply(vip, 40_001),
                    Verdict::Inconclusive,
                    true,
                ),
                (
                    "both, from the middle on",
                    Sample::tftp(family).begins_midway().unknown_reply(vip, 40_001).follow_up(
                        vip,
                        40_001,
                        Course::ToAnswerer,
                        3,
                    ),
                    Verdict::Inconclusive,
                    false,
                ),
                (
                    "silence",
                    Sample::tftp(family).repeat_request(3).wait_seconds(5),
                    Verdict::Unanswered,
                    false,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::OneDirectionCaptured);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn who_asks_on_without_repeating_is_answered_elsewhere() {
        for family in Family::BOTH {
            let asks = |protocol, port| {
                (0..5).fold(Sample::request(family, protocol, port), |sample, _| {
                    sample.wait_milliseconds(300).request_again()
                })
            };
            let dns = || asks(Protocol::Dns, 53);
            let cases = [
                ("content", dns().wait_seconds(3), Verdict::Inconclusive),
                ("asks again in the end", dns().repeat_request(1), Verdict::Unanswered),
                ("NTP polls anew each time", asks(Protocol::Ntp, 123), Verdict::Unanswered),
                (
                    "as slow as a timeout",
                    (0..5)
                        .fold(Sample::request(family, Protocol::Dns, 53), |sample, _| {
                            sample.wait_seconds(1).request_again()
                        })
                        .wait_seconds(3),
                    Verdict::Unanswered,
                ),
            ];
            for (name, sample, verdict) in cases {
                let sample = sample.wait_seconds(2);
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::OneDirectionCaptured);
                assert_eq!(found, verdict == Verdict::Inconclusive, "{name} {family:?}");
            }
        }
    }
}
