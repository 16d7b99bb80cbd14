//! The cluster asks a device from a service address: the VIP, which the
//! device's access lists do not expect and whose answers go to whoever holds it.

use super::evidence::extend;
use super::reading::{Habit, Reading};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::fit_title;
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::topology::{FactSource, Role};

/// Finds requests to a device that come from a VIP. Only an inventory tells
/// what is one; that it is meant so (an egress address) cannot be seen.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let source = reading.exchange.client.address;
    let asked = reading.view.asked?;
    let belief = reading.topology.find(source)?;
    let is_vip = belief.role == Role::Vip && belief.source != FactSource::Packets;
    if reading.exchange.device_is_client() || reading.habit != Habit::Conversation || !is_vip {
        return None;
    }
    let first = reading.first_request()?;
    let fails = verdict == Verdict::Unanswered;
    let confidence = if fails { Confidence::Likely } else { Confidence::Possible };
    let part = severity(verdict, Part::Present);
    let mut finding = Finding::new(Cause::UnexpectedOwnSource, part, confidence, first);
    finding.title = fit_title([
        format!("{} is asked from the VIP {source}", asked.address),
        format!("The device is asked from the VIP {source}"),
    ]);
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

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Severity, Verdict};
    use crate::model::topology::{FactSource, Role};

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
                let diagnosis = sample.diagnose();
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                let mut findings = diagnosis.findings.iter();
                let finding = findings.find(|f| f.cause == Cause::UnexpectedOwnSource);
                assert_eq!(finding.map(|f| f.severity), expected, "{name} {family:?}");
            }
        }
    }
}
