//! Two capture points: the request was seen at one, and never at the next.

use super::evidence::{extend, request_at};
use super::reading::{LostRequest, Reading, Watched};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, place, times};
use crate::model::finding::{Cause, Finding, Verdict};

/// Finds requests that did not get from one capture point to the next.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if !matches!(verdict, Verdict::Unanswered | Verdict::Inconclusive | Verdict::OneWay) {
        return None;
    }
    let lost = reading.lost_request?;
    let asked = lost.seen.asked?;
    let first = request_at(reading, lost.seen)?;
    let part = severity(verdict, Part::Stopped);
    let confidence = lost.watched.confidence();
    let mut finding = Finding::new(Cause::RequestNotDelivered, part, confidence, first);
    let missed = place(lost.missed);
    finding.title = fit_title([
        format!("Request to {asked} was not seen at {missed}"),
        format!("Request did not get to {missed}"),
        "Request did not get to the next capture point".to_owned(),
    ]);
    finding.explanation = explain(reading, &lost);
    extend(&mut finding, [reading.first_request(), reading.repeated_request()]);
    finding.remedies = remedies::for_lost_request(reading, &lost);
    Some(finding)
}

fn explain(reading: &Reading<'_>, lost: &LostRequest<'_>) -> String {
    let missed = place(lost.missed);
    let asked = lost.seen.asked.map_or_else(
        || "the service".to_owned(),
        |asked| format!("{} at port {}", reading.name(asked.address), asked.port),
    );
    let proof = match lost.watched {
        Watched::SameEndpoint => {
            "Other requests to the same endpoint were seen there, so that capture was running and this is the way."
        }
        Watched::SameService => {
            "That capture was running then, and it is a place where this service is asked."
        }
        Watched::OtherPackets => {
            "That capture was running then; whether this request had to pass there is not shown: another server may have been chosen, or its filter may hide the request."
        }
    };
    format!(
        "{} asked {asked} {}, and none of it was seen at {missed}. {proof} The request was dropped between the two points, or sent elsewhere.",
        reading.client_word_first(),
        times(lost.seen.requests.packets),
    )
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};
    use crate::model::protocol::Protocol;
    use crate::model::time::Timestamp;

    #[test]
    fn the_next_point_has_to_be_shown_to_run() {
        for family in Family::BOTH {
            let lost = || Sample::tftp(family).repeat_request(3).wait_seconds(5);
            let works =
                || Sample::tftp(family).with_port(5_000).answered_by_vip().pod_answers().progress();
            let other_family =
                || Sample::tftp(family.other()).answered_by_vip().pod_answers().progress();
            let elsewhere = || Sample::tftp(family).with_port(5_001).answered_by_vip().progress();
            let orphan = || Sample::tftp(family).with_port(1_024).only_at_pod();
            let ntp = || {
                Sample::request(family, Protocol::Ntp, 123)
                    .reply(family.vip(), 123, Origin::Asked, 1)
                    .pod_answers()
            };
            // what else was seen, exchange, confidence
            let cases = [
                ("one capture", lost(), None),
                ("the pod's capture is empty", lost().pod_runs(None), None),
                ("it ran", lost().pod_runs(Some((-5, 60))), Some(Confidence::Possible)),
                ("it ran later", lost().pod_runs(Some((30, 60))), None),
                ("it ran before", lost().pod_runs(Some((-60, -1))), None),
                (
                    "same endpoint seen there",
                    lost().pod_runs(Some((-5, 60))).beside(works()),
                    Some(Confidence::Certain),
                ),
                (
                    "other family seen there",
                    lost().pod_runs(Some((-5, 60))).beside(other_family()),
                    Some(Confidence::Likely),
                ),
                (
                    "another pod serves too",
                    lost().pod_runs(Some((-5, 60))).beside(works()).beside(elsewhere()),
                    Some(Confidence::Possible),
                ),
                ("another pod serves", lost().pod_runs(Some((-5, 60))).beside(elsewhere()), None),
                ("a pod of another service", lost().pod_runs(Some((-5, 60))).beside(ntp()), None),
                (
                    "perhaps under another client",
                    lost().pod_runs(Some((-5, 60))).beside(works()).beside(orphan()),
                    None,
                ),
            ];
            for (name, sample, expected) in cases {
                let judged = sample.judge(Cause::RequestNotDelivered, |f| f.confidence);
                assert_eq!(judged, (Verdict::Unanswered, expected), "{name} {family:?}");
                let finding = sample.find(Cause::RequestNotDelivered);
                assert!(finding.is_none_or(|f| f.severity == Severity::Error), "{name}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_off_is_put_right_by_what_both_points_saw() {
        for family in Family::BOTH {
            let lost = || Sample::tftp(family).repeat_request(3).wait_seconds(5);
            let works = |skew_seconds| {
                let works = Sample::tftp(family).with_port(5_000).answered_by_vip();
                works.pod_answers().pod_clock(skew_seconds).progress()
            };
            // the pod's clock is an hour ahead; its capture by that clock, in seconds
            let cases = [
                ("right clock", 0, (-5, 60), true),
                ("ran by its own clock", 3_600, (3_595, 3_660), true),
                ("ran by the other's clock only", 3_600, (-5, 60), false),
            ];
            for (name, skew_seconds, observed, expected) in cases {
                let sample = lost().pod_runs(Some(observed)).beside(works(skew_seconds));
                let found = sample.causes().contains(&Cause::RequestNotDelivered);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_request_that_got_there_or_was_answered_is_not_lost() {
        for family in Family::BOTH {
            let works =
                || Sample::tftp(family).with_port(5_000).answered_by_vip().pod_answers().progress();
            let run = |sample: Sample| sample.pod_runs(Some((-5, 60))).beside(works());
            let cases = [
                ("seen at the pod", run(Sample::tftp(family).repeat_request(3).pod_is_asked())),
                ("answered all the same", run(Sample::tftp(family).answered_by_vip())),
                ("a group", run(Sample::mdns(family).repeat_request(3))),
                ("by design", run(Sample::request(family, Protocol::Quic, 443).repeat_request(3))),
                ("one-way, not sure", Sample::syslog(family).pod_runs(Some((-5, 60)))),
            ];
            for (name, sample) in cases {
                let found = sample.wait_seconds(9).causes();
                assert!(!found.contains(&Cause::RequestNotDelivered), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_log_that_does_not_arrive_is_told_where_others_do() {
        for family in Family::BOTH {
            let arrives = Sample::syslog(family).with_port(5_000).pod_is_asked();
            let sample = Sample::syslog(family).pod_runs(Some((-5, 60))).beside(arrives);
            let diagnosis = sample.diagnose();
            assert_eq!(diagnosis.verdict, Verdict::OneWay, "{family:?}");
            let finding = sample.finding(Cause::RequestNotDelivered);
            assert_eq!(finding.severity, Severity::Warning, "{family:?}");
        }
    }

    #[test]
    fn a_poll_may_be_lost_on_its_way_out() {
        for family in Family::BOTH {
            let works = Sample::snmp(family).with_port(50_001).answered_by_agent(1).pod_asks();
            let sample = Sample::snmp(family).only_at_pod().repeat_request(3).wait_seconds(5);
            let sample = sample.host_runs(Some((-5, 60))).beside(works);
            let finding = sample.finding(Cause::RequestNotDelivered);
            assert_eq!(finding.confidence, Confidence::Certain, "{family:?}");
            assert!(finding.title.contains("host@node3/eth0"), "{}", finding.title);
        }
    }

    #[test]
    fn times_at_the_ends_of_the_range_are_harmless() {
        for family in Family::BOTH {
            let ends = [i64::MIN, i64::MAX].map(Timestamp::from_nanoseconds);
            let mut sample = Sample::tftp(family).repeat_request(3).pod_runs(Some((-5, 60)));
            sample.pod_observed = Some((ends[0], ends[1]));
            let mut skewed = Sample::tftp(family).with_port(5_000).answered_by_vip().pod_answers();
            skewed.exchange.views[1].first_at = ends[1];
            let _ = sample.beside(skewed).diagnose();
        }
    }

    #[test]
    fn of_many_from_new_sockets_none_has_to_be_waited_for() {
        for family in Family::BOTH {
            let asks = |port: u16| Sample::request(family, Protocol::Ntp, 123).with_port(port);
            let works = |client: IpAddr| {
                let other = Sample::request(family, Protocol::Ntp, 123).with_client(client, 5_009);
                other.reply(family.vip(), 123, Origin::Asked, 1).pod_answers()
            };
            let lost = |others: u16| {
                let sample = asks(5_000).wait_milliseconds(900).pod_runs(Some((-5, 60)));
                let sample = sample.beside(works(family.other_device()));
                (1..=others).fold(sample, |sample, other| sample.beside(asks(5_000 + other)))
            };
            for (name, sample, verdict) in [
                ("one", lost(0), Verdict::Inconclusive),
                ("two", lost(1), Verdict::Inconclusive),
                ("three", lost(2), Verdict::Unanswered),
                ("one got through", lost(3).beside(works(family.device())), Verdict::Inconclusive),
                (
                    "nothing shows the way",
                    (1..4).fold(asks(5_000).pod_runs(Some((-5, 60))), |sample, other| {
                        sample.beside(asks(5_000 + other))
                    }),
                    Verdict::Inconclusive,
                ),
            ] {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
            }
        }
    }
}
