//! ICMP and ICMPv6 errors about an exchange. What they quote is half of the
//! diagnosis: a refused request, reply and follow-up have different cures.

mod between;
mod explanation;
mod moved;
mod over;

use self::explanation::{explain, quoted_text};
use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::exchange::IcmpErrors;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::report::Quotes;

/// Finds port unreachable, except where it refuses a changed reply: that is
/// [`Cause::ReplyRejected`].
pub fn find_port_unreachable(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    find(reading, verdict, Cause::PortUnreachable)
}

/// Finds host and network unreachable, packets that ran out of hops, and rare errors.
pub fn find_host_unreachable(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    find(reading, verdict, Cause::HostUnreachable)
}

/// Finds refusals by a firewall or policy.
pub fn find_admin_prohibited(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    find(reading, verdict, Cause::AdminProhibited)
}

/// Finds datagrams that a link on the way could not take.
pub fn find_packet_too_big(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    find(reading, verdict, Cause::PacketTooBig)
}

fn find(reading: &Reading<'_>, verdict: Verdict, cause: Cause) -> Option<Finding> {
    let explained = |seen: &SeenErrors<'_>| reading.changed.is_some() && seen.refuses_reply();
    let of_cause: Vec<&SeenErrors<'_>> =
        reading.errors.iter().filter(|seen| seen.cause == cause && !explained(seen)).collect();
    // The errors that ended the exchange speak for the cause, if any did.
    let main = of_cause.iter().find(|seen| seen.ended).or(of_cause.first())?;
    let ended = main.ended;
    // After the founding fault the errors are its sign; either one stopped the exchange.
    let part = Part::stopped_if(ended);
    let first = main.first_error()?;
    let mut finding = Finding::new(cause, severity(verdict, part), confidence(main.errors), first);
    let packets: u64 = of_cause.iter().map(|seen| seen.errors.tally.packets).sum();
    finding.title = title(main.errors, packets);
    finding.explanation = explain(reading, main, packets);
    let changed = reading.changed.and_then(|reply| reading.first_reply(reply));
    let rest = of_cause.iter().map(|seen| seen.first_error());
    let quoted = match main.errors.quotes {
        Quotes::FollowUp => reading
            .follow_ups()
            .find(|sent| Some(sent.destination) == main.errors.quoted_destination)
            .and_then(|sent| reading.first_follow_up(sent)),
        Quotes::Request | Quotes::Reply => None,
    };
    extend(&mut finding, [reading.first_request(), changed, quoted].into_iter().chain(rest));
    finding.remedies = remedies::for_icmp(reading, main);
    Some(finding)
}

/// The quote is the proof; a quote cut before its ports was matched by its addresses.
const fn confidence(errors: &IcmpErrors) -> Confidence {
    if errors.quoted_destination.is_some() { Confidence::Certain } else { Confidence::Likely }
}

fn title(errors: &IcmpErrors, packets: u64) -> String {
    let IcmpErrors { kind, from, quotes, quoted_destination, .. } = *errors;
    let (what, quoted, often) = (kind.as_text(), quoted_text(quotes), times(packets));
    let quoting = match quoted_destination {
        Some(to) => format!("the {quoted} to {to}"),
        None => format!("the {quoted}"),
    };
    let what = format!("ICMP {what}");
    fit_title([
        format!("{what} from {from} for {quoting}, {often}"),
        format!("{what} from {from} for the {quoted}, {often}"),
        format!("{what} for the {quoted}, {often}"),
    ])
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Severity, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;
    use crate::model::topology::{FactSource, Role};

    #[test]
    fn each_kind_rejects_under_its_own_cause() {
        let cases = [
            (IcmpKind::PortUnreachable, Some(Cause::PortUnreachable)),
            (IcmpKind::HostUnreachable, Some(Cause::HostUnreachable)),
            (IcmpKind::NetworkUnreachable, Some(Cause::HostUnreachable)),
            (IcmpKind::AdminProhibited, Some(Cause::AdminProhibited)),
            (IcmpKind::PacketTooBig, Some(Cause::PacketTooBig)),
            (IcmpKind::TimeExceeded, Some(Cause::HostUnreachable)),
            (IcmpKind::Other, Some(Cause::HostUnreachable)),
        ];
        for family in Family::BOTH {
            for (kind, expected) in cases {
                let sample = Sample::tftp(family).icmp(kind, family.vip(), Quotes::Request, 2);
                let diagnosis = sample.diagnose();
                let verdict =
                    if expected.is_some() { Verdict::Rejected } else { Verdict::Inconclusive };
                assert_eq!(diagnosis.verdict, verdict, "{kind:?} {family:?}");
                let mut found = sample.causes();
                // The refusal of a request has an explanation of its own.
                found.retain(|cause| *cause != Cause::RequestNotTranslated);
                assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{kind:?} {family:?}");
                assert!(diagnosis.findings.iter().all(|f| f.severity == Severity::Error));
            }
        }
    }

    #[test]
    fn errors_that_the_exchange_survived_do_not_reject() {
        for family in Family::BOTH {
            let vip = family.vip();
            let refused =
                |sample: Sample, quotes| sample.icmp(IcmpKind::PortUnreachable, vip, quotes, 1);
            let transfer = |sample: Sample| {
                sample.answered_by_vip().follow_up(vip, 40_001, Course::ToAnswerer, 3)
            };
            let cases = [
                (
                    "first refused, then served",
                    transfer(refused(Sample::tftp(family), Quotes::Request)).progress(),
                    Verdict::Symmetric,
                ),
                (
                    "served, then refused",
                    refused(transfer(Sample::tftp(family)).progress(), Quotes::FollowUp),
                    Verdict::Rejected,
                ),
                (
                    "late copy of the last block",
                    refused(transfer(Sample::tftp(family)).progress(), Quotes::Reply),
                    Verdict::Symmetric,
                ),
                (
                    "refused as it went",
                    refused(transfer(Sample::tftp(family)), Quotes::FollowUp),
                    Verdict::Rejected,
                ),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                assert!(sample.causes().contains(&Cause::PortUnreachable), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn what_comes_after_the_end_does_no_harm() {
        for family in Family::BOTH {
            let vip = family.vip();
            let transfer = || {
                let sample = Sample::tftp(family).answered_by_vip();
                sample.follow_up(vip, 40_001, Course::ToAnswerer, 1)
            };
            let failed = || transfer().error_answer("ERROR 0 \"read failed\"");
            let cases = [
                ("after an error", failed().refused_follow_up(vip, 40_001), Verdict::Symmetric),
                (
                    "repeated after an error",
                    failed().repeat_follow_up(3).refused_follow_up(vip, 40_001),
                    Verdict::Symmetric,
                ),
                (
                    "before the server gave up",
                    transfer().refused_follow_up(vip, 40_001).error_answer("ERROR 0 \"timeout\""),
                    Verdict::Rejected,
                ),
                (
                    "in vain before the server gave up",
                    transfer().repeat_follow_up(3).error_answer("ERROR 0 \"timeout\""),
                    Verdict::Unanswered,
                ),
                ("no error", transfer().refused_follow_up(vip, 40_001), Verdict::Rejected),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
            }
            let finding = failed().refused_follow_up(vip, 40_001).finding(Cause::PortUnreachable);
            assert_eq!(finding.severity, Severity::Info);
            assert!(finding.explanation.contains("ERROR 0 \"read failed\""), "{family:?}");
            assert!(finding.remedies.is_empty(), "{:?}", finding.remedies);
        }
    }

    #[test]
    fn a_client_that_had_its_answer_elsewhere_may_refuse_this_one() {
        for family in Family::BOTH {
            let refused = || {
                let sample = Sample::snmp(family).answered_by_agent(1);
                sample.icmp(IcmpKind::PortUnreachable, family.pod(), Quotes::Reply, 1)
            };
            assert_eq!(refused().diagnose().verdict, Verdict::Rejected, "{family:?}");
            let mut elsewhere = refused();
            elsewhere.primary().answered_elsewhere = elsewhere.primary().requests.first;
            assert_eq!(elsewhere.diagnose().verdict, Verdict::Symmetric, "{family:?}");
            let finding = elsewhere.finding(Cause::PortUnreachable);
            assert_eq!(finding.severity, Severity::Info);
            assert!(finding.explanation.contains("another server"), "{}", finding.explanation);
        }
    }

    #[test]
    fn an_error_at_the_pod_counts_where_the_uplink_shows_none() {
        for family in Family::BOTH {
            let transfer = || {
                let sample = Sample::tftp(family).answered_by_vip();
                sample.follow_up(family.vip(), 40_001, Course::ToAnswerer, 1)
            };
            let hidden = transfer().icmp_at_pod(IcmpKind::PacketTooBig, family.node(), 4);
            assert_eq!(hidden.diagnose().verdict, Verdict::Rejected, "{family:?}");
            assert_eq!(hidden.causes(), [Cause::PacketTooBig], "{family:?}");
            let survived =
                transfer().progress().icmp_at_pod(IcmpKind::PacketTooBig, family.node(), 4);
            assert_eq!(survived.diagnose().verdict, Verdict::Symmetric, "{family:?}");
        }
    }

    #[test]
    fn one_way_senders_are_rejected_until_they_are_heard_again() {
        for family in Family::BOTH {
            let refused = |sample: Sample| {
                sample.icmp(IcmpKind::PortUnreachable, family.vip(), Quotes::Request, 1)
            };
            let cases = [
                ("never refused", Sample::syslog(family), Verdict::OneWay, None),
                (
                    "refused",
                    refused(Sample::syslog(family)),
                    Verdict::Rejected,
                    Some(Severity::Error),
                ),
                (
                    "heard again",
                    refused(Sample::syslog(family)).wait_seconds(5).request_again(),
                    Verdict::OneWay,
                    Some(Severity::Warning),
                ),
            ];
            for (name, sample, verdict, severity) in cases {
                let diagnosis = sample.diagnose();
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                assert_eq!(diagnosis.findings.first().map(|f| f.severity), severity, "{name}");
            }
        }
    }

    #[test]
    fn a_packet_out_of_hops_is_told_from_a_missing_route() {
        for family in Family::BOTH {
            let expired = |sample: Sample| {
                sample.icmp(IcmpKind::TimeExceeded, family.node(), Quotes::Request, 2)
            };
            let finding = expired(Sample::tftp(family)).finding(Cause::HostUnreachable);
            assert!(finding.explanation.contains("used up its hops"), "{}", finding.explanation);
            assert!(finding.remedies[0].commands[0].starts_with("traceroute"), "{family:?}");
            // Traceroute at the port of some protocol wants these errors.
            let probe = expired(Sample::request(family, Protocol::Dns, 53));
            assert_eq!(probe.diagnose().verdict, Verdict::OneWay, "{family:?}");
        }
    }

    #[test]
    fn a_node_that_refuses_a_pods_answer_lacks_a_translation() {
        for family in Family::BOTH {
            let node = family.node();
            let refused = |sample: Sample, by| {
                let answered = sample.answered_by_vip();
                answered.icmp(IcmpKind::PortUnreachable, by, Quotes::Reply, 1)
            };
            let asks = Sample::tftp(family).with_client(node, 40_000);
            let by_node = refused(asks.role(node, Role::Node, FactSource::IpAddr), node);
            let finding = by_node.finding(Cause::PortUnreachable);
            assert!(finding.explanation.contains("for one of its pods"), "{}", finding.explanation);
            assert!(finding.remedies[0].title.contains("helper"), "{}", finding.remedies[0].title);
            let by_device = refused(Sample::tftp(family), family.device());
            let finding = by_device.finding(Cause::PortUnreachable);
            assert!(finding.explanation.contains("container or pod"), "{}", finding.explanation);
            assert!(!finding.remedies[0].title.contains("helper"), "{family:?}");
        }
    }
}
