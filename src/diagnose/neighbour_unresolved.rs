//! The next hop, or the other side itself, does not answer ARP (RFC 826) or
//! neighbour solicitations (RFC 4861), so packets wait for it and are dropped.

use super::evidence::extend;
use super::reading::{LostNeighbour, Reading, Tie};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title, times};
use crate::model::exchange::PointId;
use crate::model::finding::{Cause, Evidence, Finding, Verdict};
use crate::model::neighbour::Unresolved;

/// Finds exchanges that waited for a neighbour in vain.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let failed = matches!(verdict, Verdict::Rejected | Verdict::Unanswered | Verdict::Inconclusive);
    let lost = if failed { reading.lost_neighbour()? } else { return None };
    let Unresolved { address, asker, tries, .. } = lost.unresolved;
    let mut finding = Finding::new(
        Cause::NeighbourUnresolved,
        severity(verdict, Part::Stopped),
        lost.confidence,
        first_question(lost.unresolved),
    );
    let what = question_name(lost.unresolved);
    finding.title = fit_title([
        format!("{address} does not answer {asker}, which looks for it on the link"),
        format!("{address} does not answer {what}s"),
    ]);
    finding.explanation = format!(
        "{} asked {} for the link-layer address of {} and got none: {} without an answer. {}",
        reading.name_first(asker),
        times(tries),
        reading.name(address),
        count(tries, what),
        reason(reading, &lost),
    );
    let error = match lost.tie {
        Tie::Reported(seen) | Tie::NextHopReported(seen) => seen.first_error(),
        Tie::WayBack | Tie::NotSeenLeaving => None,
    };
    extend(&mut finding, [last_question(lost.unresolved), reading.first_request(), error]);
    finding.remedies = remedies::for_unresolved_neighbour(reading, &lost);
    Some(finding)
}

fn reason(reading: &Reading<'_>, lost: &LostNeighbour<'_>) -> String {
    let address = lost.unresolved.address;
    match lost.tie {
        Tie::Reported(seen) => format!(
            "A packet to {address} waited for it; then {} gave it up and said so by ICMP, {}.",
            reading.name(seen.errors.from),
            times(seen.errors.tally.packets),
        ),
        Tie::NextHopReported(seen) => format!(
            "It reported its packets as undeliverable meanwhile, and looked for nobody else in vain: {address} is the next hop on the way to {}.",
            seen.errors
                .quoted_destination
                .map_or_else(|| "the destination".to_owned(), |quoted| quoted.address.to_string()),
        ),
        Tie::WayBack => format!(
            "The requests of {address} arrive, but the answer cannot be sent to it: only one direction of this link works, or a filter drops the questions."
        ),
        Tie::NotSeenLeaving => format!(
            "The request reached the node and was not seen to leave it: it waits for {address} and is dropped. No ICMP error about it was captured."
        ),
    }
}

/// What a question is called in this family.
fn question_name(unresolved: Unresolved) -> &'static str {
    if unresolved.address.is_ipv4() { "ARP request" } else { "neighbour solicitation" }
}

fn first_question(unresolved: Unresolved) -> Evidence {
    let Unresolved { address, asker, first, .. } = unresolved;
    Evidence {
        frame: first,
        summary: format!("{asker} asks for {address}, {}", question_name(unresolved)),
    }
}

fn last_question(unresolved: Unresolved) -> Option<Evidence> {
    let Unresolved { address, asker, first, last, .. } = unresolved;
    (first != last).then(|| Evidence {
        frame: last,
        summary: format!(
            "{asker} asks for {address}, {}, the last without an answer",
            question_name(unresolved)
        ),
    })
}

/// The interface at which the neighbour was looked for.
pub fn interface_of<'a>(reading: &Reading<'a>, point: PointId) -> Option<&'a str> {
    let point = reading.points.iter().find(|known| known.id == point)?;
    point.interface.as_deref().and_then(super::wording::plain_name)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::report::Quotes;

    /// A pod polls the device; the node says whether it could deliver that.
    fn refused(family: Family) -> Sample {
        let poll = Sample::snmp(family).at(PointKind::Pod).repeat_request(3);
        poll.icmp(IcmpKind::HostUnreachable, family.node(), Quotes::Request, 3)
    }

    #[test]
    fn a_neighbour_counts_where_something_ties_it_to_the_exchange() {
        for family in Family::BOTH {
            let (device, node, vip) = (family.device(), family.node(), family.vip());
            let router: IpAddr = family.other_device();
            let silent = |sample: Sample| sample.repeat_request(3).wait_seconds(9);
            let tftp = || silent(Sample::tftp(family));
            let poll = || silent(Sample::snmp(family));
            let cases = [
                (
                    "reported by who asks",
                    refused(family).asks_for(device, node, 3),
                    Verdict::Rejected,
                    Some(Confidence::Certain),
                ),
                (
                    "reported by the same node",
                    refused(family).asks_for(device, vip, 3),
                    Verdict::Rejected,
                    Some(Confidence::Certain),
                ),
                (
                    "the next hop, reported by who asks",
                    refused(family).asks_for(router, node, 3),
                    Verdict::Rejected,
                    Some(Confidence::Likely),
                ),
                (
                    "two may be the next hop",
                    refused(family).asks_for(router, node, 3).asks_for(vip, node, 3),
                    Verdict::Rejected,
                    None,
                ),
                (
                    "another host asks for somebody else",
                    refused(family).asks_for(router, family.pod(), 3).without_topology(),
                    Verdict::Rejected,
                    None,
                ),
                (
                    "the node looks for the client",
                    tftp().asks_for(device, node, 3).wait_seconds(2),
                    Verdict::Unanswered,
                    Some(Confidence::Likely),
                ),
                (
                    "the node looked for it once",
                    tftp().asks_for(device, node, 1).wait_seconds(2),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "a third host looks for the client",
                    tftp().asks_for(device, router, 3).wait_seconds(2),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "the capture ends with the last question",
                    tftp().asks_for(device, node, 3),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "the request reached the wire",
                    poll().asks_for(device, node, 3).wait_seconds(2),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "answered all the same",
                    Sample::snmp(family).answered_by_agent(1).asks_for(device, node, 3),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::NeighbourUnresolved, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
                // Questions and the error prove it together.
                let finding = sample.find(Cause::NeighbourUnresolved);
                assert!(finding.is_none_or(|f| f.evidence.len() >= 2), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn a_request_that_does_not_leave_the_node_waits_for_its_destination() {
        for family in Family::BOTH {
            let (device, node) = (family.device(), family.node());
            let at_pod = || Sample::snmp(family).only_at_pod().repeat_request(3).wait_seconds(9);
            let cases = [
                ("asked for at the uplink", at_pod().asks_for(device, node, 3), true),
                ("asked for twice", at_pod().asks_for(device, node, 2), false),
                ("somebody else is asked for", at_pod().asks_for(family.vip(), node, 3), false),
            ];
            for (name, sample, expected) in cases {
                let sample = sample.wait_seconds(2).host_runs(Some((0, 60)));
                assert_eq!(sample.diagnose().verdict, Verdict::Unanswered, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::NeighbourUnresolved);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_remedy_names_who_to_look_for_and_where() {
        for family in Family::BOTH {
            let sample = refused(family).asks_for(family.device(), family.node(), 3);
            let finding = sample.finding(Cause::NeighbourUnresolved);
            let commands = finding.remedies[0].commands.join("\n");
            let ip = if family == Family::V4 { "ip" } else { "ip -6" };
            assert!(commands.contains(&format!("{ip} neigh show to {}", family.device())));
            let ask = if family == Family::V4 { "arping -c 3 -I eth0" } else { "ndisc6 -r 3" };
            assert!(commands.contains(ask), "{commands}");
            let other = sample.finding(Cause::HostUnreachable);
            assert_eq!(other.remedies[0].title, "See neighbour_unresolved");
        }
    }
}
