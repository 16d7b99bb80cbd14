//! The cluster asks a device from an address that is not meant for it: the VIP,
//! whose answers go to whoever holds it, or a temporary IPv6 address (RFC 8981),
//! which is another one tomorrow. The device's access lists expect neither.

use std::net::IpAddr;

use super::evidence::extend;
use super::reading::{Habit, Reading};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::topology::{FactSource, Role};

/// Finds requests to a device that come from a VIP or a temporary address. Only an
/// inventory tells what is one; that it is meant so (an egress address) cannot be seen.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let source = reading.exchange.client.address;
    let asked = reading.view.asked?;
    let is_vip = reading
        .topology
        .find(source)
        .is_some_and(|belief| belief.role == Role::Vip && belief.source != FactSource::Packets);
    let is_temporary = reading.topology.is_temporary(source);
    let asks_strangely = is_vip || is_temporary;
    // What goes to who asks that very address may be an answer that was not known as one.
    if reading.exchange.device_is_client()
        || (is_vip && reading.crossings.has_asked(asked.address, source))
        || reading.habit != Habit::Conversation
        || !asks_strangely
    {
        return None;
    }
    let first = reading.first_request()?;
    let fails = verdict == Verdict::Unanswered;
    let confidence = if fails { Confidence::Likely } else { Confidence::Possible };
    let part = severity(verdict, Part::Present);
    let mut finding = Finding::new(Cause::UnexpectedOwnSource, part, confidence, first);
    let kind = if is_temporary { "temporary address" } else { "VIP" };
    finding.title = fit_title([
        format!("{} is asked from the {kind} {source}", asked.address),
        format!("The device is asked from the {kind} {source}"),
        format!("The device is asked from a {kind}"),
    ]);
    if is_temporary {
        finding.explanation = temporary(reading, asked.address, source, fails);
        extend(&mut finding, [reading.repeated_request()]);
        finding.remedies = remedies::for_own_source(reading, source);
        return Some(finding);
    }
    let end = if fails {
        "No answer came: the device may not allow this address, or its answers go to the node that holds the VIP now."
    } else {
        "It works as long as the node that asks also holds the VIP; where an egress address is meant, this is no fault."
    };
    finding.explanation = format!(
        "The request to {} left with {}, an address that others are meant to ask, not one to ask from. {end}",
        reading.name(asked.address),
        reading.name(source),
    );
    extend(&mut finding, [reading.repeated_request()]);
    finding.remedies = remedies::for_own_source(reading, source);
    Some(finding)
}

fn temporary(reading: &Reading<'_>, asked: IpAddr, source: IpAddr, fails: bool) -> String {
    let end = if fails {
        "No answer came: the device may allow only the stable address."
    } else {
        "It works as long as the device allows any address of that network."
    };
    format!(
        "The request to {} left with {source}, a temporary address (RFC 8981): the host makes a new one about once a day, so no access list can name it. {end}",
        reading.name(asked),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Severity, Verdict};
    use crate::model::topology::{FactSource, Role};

    #[test]
    fn a_temporary_address_is_unexpected_where_the_cluster_asks() {
        let family = Family::V6;
        let node = family.node();
        let from = || Sample::snmp(family).with_client(node, 50_000);
        let cases = [
            ("answered", from().temporary(node).answered_by_agent(1), Some(Severity::Info)),
            (
                "not answered",
                from().temporary(node).repeat_request(3).wait_seconds(5),
                Some(Severity::Warning),
            ),
            ("a stable address", from().answered_by_agent(1), None),
            (
                "the device's own affair",
                Sample::tftp(family).temporary(family.device()).answered_by_vip().progress(),
                None,
            ),
        ];
        for (name, sample, expected) in cases {
            let finding = sample.find(Cause::UnexpectedOwnSource);
            let finding = finding.as_ref();
            assert_eq!(finding.map(|f| f.severity), expected, "{name}");
            assert!(finding.is_none_or(|f| f.title.contains("temporary address")), "{name}");
            let command = finding.and_then(|f| f.remedies[0].commands.get(1));
            assert!(command.is_none_or(|command| command.contains("use_tempaddr=0")), "{name}");
        }
    }

    #[test]
    fn only_a_known_vip_is_unexpected() {
        for family in Family::BOTH {
            let (vip, node) = (family.vip(), family.node());
            let from = |address| Sample::snmp(family).with_client(address, 50_000);
            let inferred = from(vip).role(vip, Role::Vip, FactSource::Packets).answered_by_agent(1);
            let cases = [
                (
                    "answered",
                    from(vip).answered_by_agent(1),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                (
                    "not answered",
                    from(vip).repeat_request(3).wait_seconds(5),
                    Verdict::Unanswered,
                    Some(Severity::Warning),
                ),
                ("from the node", from(node).answered_by_agent(1), Verdict::Symmetric, None),
                ("a VIP by inference", inferred, Verdict::Symmetric, None),
                (
                    "a device asks the VIP",
                    Sample::tftp(family)
                        .answered_by_vip()
                        .follow_up(vip, 40_001, crate::model::exchange::Course::ToAnswerer, 1)
                        .progress(),
                    Verdict::Symmetric,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::UnexpectedOwnSource, |f| f.severity);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }
}
