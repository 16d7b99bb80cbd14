//! A request, or later a follow-up, that expects an answer got none.

mod dropped;
mod elsewhere;
mod entry;
mod follow_up;
mod often;
mod passed_over;

use super::evidence::extend;
use super::reading::{Habit, Reading, entry_evidence};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title, times};
use crate::model::exchange::Tally;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};
use elsewhere::{conclusion, elsewhere};
use often::{how_often, title};

/// Finds requests and follow-ups that nobody answered.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    // Of what the capture may have lost it is told what was seen, with less confidence.
    let is_in_doubt = verdict == Verdict::Inconclusive
        && reading.may_have_lost(1)
        && !reading.is_one_directional();
    if verdict != Verdict::Unanswered && !is_in_doubt {
        return None;
    }
    if let Some(confidence) = reading.unanswered_request() {
        return request(reading, verdict, confidence);
    }
    if let Some(follow_ups) = reading.unanswered_follow_up() {
        return follow_up::unanswered(reading, verdict, follow_ups);
    }
    if let Some(unanswered) = reading.no_longer_answered() {
        return no_longer(reading, verdict, unanswered);
    }
    if let Some(passed) = reading.passed_over() {
        return passed_over::find(reading, verdict, passed);
    }
    reading.stalled().map(|stall| follow_up::stalled(reading, verdict, stall))
}

/// Earlier requests of this socket were answered, the last ones were not.
fn no_longer(reading: &Reading<'_>, verdict: Verdict, unanswered: Tally) -> Option<Finding> {
    let asked = reading.view.asked?;
    let first = Evidence {
        frame: unanswered.first?,
        summary: format!("{} → {asked}, the first without an answer", reading.exchange.client),
    };
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::RequestUnanswered, part, Confidence::Likely, first);
    let often = count(unanswered.packets, "request");
    let protocol = reading.exchange.protocol;
    finding.title = fit_title([
        format!("{protocol} at {asked} answered at first, then no more: {often} in vain"),
        format!("{protocol} answered at first, then no more: {often} in vain"),
    ]);
    finding.explanation = format!(
        "{} asked {} from one socket. Earlier requests were answered; the last {often} got no reply and no ICMP error.{} An old translation that leads to a server which is gone looks like this, and so does a server that stopped{}.",
        reading.client_word_first(),
        reading.name(asked.address),
        elsewhere(reading),
        // RFC 2131 section 4.3.1 and RFC 8415 section 18.3.1 leave it to policy.
        if reading.habit == Habit::MovesByDesign {
            ", one that has no address left, or one that does not serve this client"
        } else {
            ""
        },
    );
    let last_reply = reading.replies().find_map(|replies| reading.first_reply(replies));
    extend(&mut finding, [reading.first_request(), last_reply]);
    finding.remedies = remedies::for_unanswered_request(reading, asked);
    Some(finding)
}

fn request(reading: &Reading<'_>, verdict: Verdict, confidence: Confidence) -> Option<Finding> {
    let asked = reading.view.asked?;
    let first = reading.first_request()?;
    if let Some(dropped) = &reading.view.dropped {
        return Some(dropped::find(reading, verdict, dropped, first));
    }
    // Of an answer from another address such a capture would not tell.
    let most = reading.filter_by_address().map_or(Confidence::Certain, |_| Confidence::Likely);
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::RequestUnanswered, part, confidence.min(most), first);
    let often = how_often(reading);
    let answer = if reading.view.lost_replies.is_some() {
        "no whole answer"
    } else if reading.is_from_log() {
        "no answer logged"
    } else {
        "no answer"
    };
    finding.title = title(reading, asked, answer);
    finding.explanation = if reading.is_from_table() {
        entry::explain(reading, asked, &often)
    } else if let Some(lost) = reading.view.lost_replies {
        format!(
            "{} asked {} {often} and got no answer that it could use, and no ICMP error: {} answered {}, and each time fragments of the answer are missing.",
            reading.client_word_first(),
            reading.name(asked.address),
            reading.name(lost.source.address),
            times(lost.datagrams),
        )
    } else {
        format!(
            "{} asked {} {often} and got no reply: {}.{}{}{} {}",
            reading.client_word_first(),
            reading.name(asked.address),
            if let Some(filter) =
                reading.filter_without_errors().filter(|_| reading.view.icmp_errors.is_empty())
            {
                format!("no datagram; what was captured, `{}`, shows no ICMP error", filter.text)
            } else if reading.view.icmp_errors.is_empty() {
                "no datagram and no ICMP error".to_owned()
            } else if reading.missed_parts().is_some() {
                "no datagram, only an ICMP error that says that fragments did not arrive".to_owned()
            } else {
                "no datagram, though an ICMP error that does not end an exchange".to_owned()
            },
            unseen(reading),
            elsewhere(reading),
            entry::beside(reading),
            conclusion(reading),
        )
    };
    let pod = reading
        .exchange
        .pod_view()
        .and_then(|view| view.replies.first().and_then(|replies| reading.pod_reply(view, replies)));
    let entries = [reading.request_entry(), reading.stranded_reply()];
    let entries = entries.into_iter().map(|entry| entry.map(entry_evidence));
    extend(&mut finding, [reading.repeated_request(), pod].into_iter().chain(entries));
    finding.remedies = remedies::for_unanswered_request(reading, asked);
    Some(finding)
}

/// What the capture's filter would not have shown, with a space before it.
fn unseen(reading: &Reading<'_>) -> String {
    reading.filter_by_address().map_or_else(String::new, |filter| {
        format!(
            " An answer from another address than the one asked would not match `{}`.",
            filter.text
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::{Course, Expectation, Origin};
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::protocol::Protocol;

    #[test]
    fn a_socket_may_stop_being_answered() {
        for family in Family::BOTH {
            let answered = || {
                Sample::request(family, Protocol::Ntp, 123).reply(
                    family.vip(),
                    123,
                    Origin::Asked,
                    1,
                )
            };
            let again = |sample: Sample| sample.wait_seconds(1).request_again();
            let cases = [
                ("two in vain", again(again(answered())).wait_seconds(5), true),
                ("one may be lost", again(answered()).wait_seconds(5), false),
                ("the capture ends", again(again(answered())), false),
                (
                    "sent together",
                    answered().request_again().request_again().wait_seconds(5),
                    false,
                ),
                ("a server takes its time", again(again(answered())).wait_milliseconds(900), false),
            ];
            for (name, sample, expected) in cases {
                let found = sample.causes().contains(&Cause::RequestUnanswered);
                assert_eq!(found, expected, "{name}, {family:?}");
                assert_eq!(sample.diagnose().verdict == Verdict::Unanswered, expected, "{name}");
            }
        }
    }

    #[test]
    fn silence_says_nothing_where_nobody_has_to_answer() {
        for family in Family::BOTH {
            let asks = |expectation| {
                let sample = Sample::request(family, Protocol::Sip, 5060);
                let mut sample = sample.repeat_request(3).wait_seconds(5);
                sample.primary().expectation = expectation;
                sample
            };
            for (expectation, verdict) in [
                (Expectation::Answer, Verdict::Unanswered),
                (Expectation::Untold, Verdict::Inconclusive),
                (Expectation::Nothing, Verdict::OneWay),
            ] {
                let sample = asks(expectation);
                assert_eq!(sample.diagnose().verdict, verdict, "{expectation:?} {family:?}");
                let found = sample.causes().contains(&Cause::RequestUnanswered);
                assert_eq!(found, verdict == Verdict::Unanswered, "{expectation:?} {family:?}");
            }
            let mut answered =
                asks(Expectation::Nothing).reply(family.vip(), 5060, Origin::Asked, 1);
            assert_eq!(answered.diagnose().verdict, Verdict::Symmetric, "{family:?}");
            answered.primary().expectation = Expectation::Answer;
            assert_eq!(answered.diagnose().verdict, Verdict::Symmetric, "{family:?}");
        }
    }

    #[test]
    fn silence_has_to_be_observed() {
        for family in Family::BOTH {
            let tftp = || Sample::tftp(family);
            let unknown = || Sample::request(family, Protocol::Udp, 9_000);
            let quic =
                Sample::request(family, Protocol::Quic, 443).repeat_request(3).wait_seconds(5);
            let cases = [
                ("the capture ends at once", tftp(), Verdict::Inconclusive, None),
                (
                    "alone, then silence",
                    tftp().wait_seconds(5),
                    Verdict::Unanswered,
                    Some(Confidence::Possible),
                ),
                (
                    "repeated",
                    tftp().repeat_request(3).wait_seconds(5),
                    Verdict::Unanswered,
                    Some(Confidence::Certain),
                ),
                ("unknown protocol, alone", unknown().wait_seconds(5), Verdict::Inconclusive, None),
                (
                    "unknown protocol, repeated",
                    unknown().repeat_request(2).wait_seconds(5),
                    Verdict::Unanswered,
                    Some(Confidence::Possible),
                ),
                (
                    "by design elsewhere, once there is an answer",
                    quic,
                    Verdict::Unanswered,
                    Some(Confidence::Likely),
                ),
                ("one-way", Sample::syslog(family).wait_seconds(9), Verdict::OneWay, None),
                ("a group", Sample::mdns(family).wait_seconds(9), Verdict::OneWay, None),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::RequestUnanswered, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn follow_ups_repeated_in_vain_are_unanswered() {
        for family in Family::BOTH {
            let start = || Sample::tftp(family).answered_by_vip().repeat_reply(2);
            let sent = |sample: Sample, repeats| {
                sample
                    .follow_up(family.vip(), 40_001, Course::ToAnswerer, 1)
                    .repeat_follow_up(repeats)
            };
            let cases = [
                ("both repeat", sent(start(), 3), Verdict::Unanswered),
                ("both repeat, then it goes on", sent(start(), 3).progress(), Verdict::Symmetric),
                (
                    "nobody repeats",
                    sent(Sample::tftp(family).answered_by_vip(), 0),
                    Verdict::Symmetric,
                ),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::RequestUnanswered);
                assert_eq!(found, verdict == Verdict::Unanswered, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_transfer_that_comes_to_a_halt_is_unanswered() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let went_on = || {
                let sample = Sample::tftp(family).answered_by_vip();
                sample.follow_up(vip, 40_001, Course::ToAnswerer, 3).progress()
            };
            let astray = || {
                let sample = Sample::tftp(family).answered_by_node();
                let sample = sample.follow_up(node, 40_001, Course::ToAnswerer, 3).progress();
                sample.follow_up(vip, 40_001, Course::ToAskedAddress, 1)
            };
            let cases = [
                (
                    "three times, then silence",
                    went_on().stalls(3).wait_seconds(5),
                    Verdict::Unanswered,
                ),
                ("twice", went_on().stalls(2).wait_seconds(5), Verdict::Symmetric),
                ("the capture ends", went_on().stalls(3), Verdict::Unanswered),
                ("at the address asked", astray().stalls(3).wait_seconds(5), Verdict::Broken),
                ("not any more", astray().wait_seconds(5), Verdict::Tolerated),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::RequestUnanswered);
                assert_eq!(found, verdict == Verdict::Unanswered, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_pods_answer_is_mentioned_when_it_did_not_get_here() {
        for family in Family::BOTH {
            let sample = Sample::tftp(family).repeat_request(3).wait_seconds(5).pod_answers();
            let finding = sample.finding(Cause::RequestUnanswered);
            assert!(finding.explanation.contains("The pod did answer"), "{}", finding.explanation);
            // A server that answered is no longer under suspicion.
            assert!(!finding.explanation.contains("did not answer"), "{}", finding.explanation);
            assert!(finding.remedies.iter().all(|remedy| !remedy.title.contains("serves")));
        }
    }
}
