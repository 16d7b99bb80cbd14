//! Exchanges to verdicts and findings.
//!
//! `Reading` says once what the packets of an exchange show. The verdict and
//! the rules ask only the reading, so that they cannot disagree. One rule is
//! one file, named by its cause; `RULES` lists them all.

use crate::model::exchange::{Exchange, Point};
use crate::model::finding::{Cause, Diagnosis, Finding, Verdict};
use crate::model::topology::Topology;

mod evidence;
mod reading;
mod remedies;
mod verdict;
mod wording;

mod client_source_changed;
mod follow_up_missing;
mod follow_up_to_request_address;
mod follow_up_to_request_port;
mod icmp_errors;
mod one_direction_captured;
mod reply_ignored;
mod reply_port_translated;
mod reply_rejected;
mod reply_source_not_requested;
mod reply_source_translated;
mod request_unanswered;
mod retransmissions_recovered;

#[cfg(test)]
mod invariants;
#[cfg(test)]
mod sample;

use reading::Reading;

/// What the rules may look at besides the exchange.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub topology: &'a Topology,
    /// All capture points of the analysis.
    pub points: &'a [Point],
}

/// A rule: the finding that an exchange proves, if it does. The verdict decides
/// only how much the finding matters.
type Rule = fn(&Reading<'_>, Verdict) -> Option<Finding>;

/// All rules, in the order of [`Cause::ALL`].
const RULES: [(Cause, Rule); 16] = [
    (Cause::FollowUpToRequestAddress, follow_up_to_request_address::find),
    (Cause::FollowUpToRequestPort, follow_up_to_request_port::find),
    (Cause::ReplyIgnored, reply_ignored::find),
    (Cause::ReplyRejected, reply_rejected::find),
    (Cause::ClientSourceChanged, client_source_changed::find),
    (Cause::ReplySourceTranslated, reply_source_translated::find),
    (Cause::ReplySourceNotRequested, reply_source_not_requested::find),
    (Cause::ReplyPortTranslated, reply_port_translated::find),
    (Cause::PortUnreachable, icmp_errors::find_port_unreachable),
    (Cause::HostUnreachable, icmp_errors::find_host_unreachable),
    (Cause::AdminProhibited, icmp_errors::find_admin_prohibited),
    (Cause::PacketTooBig, icmp_errors::find_packet_too_big),
    (Cause::RequestUnanswered, request_unanswered::find),
    (Cause::FollowUpMissing, follow_up_missing::find),
    (Cause::OneDirectionCaptured, one_direction_captured::find),
    (Cause::RetransmissionsRecovered, retransmissions_recovered::find),
];

/// Says how an exchange went and why.
#[must_use]
pub fn diagnose(exchange: &Exchange, context: Context<'_>) -> Diagnosis {
    if exchange.views.is_empty() {
        return Diagnosis { verdict: Verdict::Inconclusive, findings: Vec::new() };
    }
    let reading = Reading::new(exchange, context);
    let verdict = verdict::judge(&reading);
    let findings = RULES.iter().filter_map(|(_, find)| find(&reading, verdict)).collect();
    Diagnosis { verdict, findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_holds_every_cause_in_order() {
        assert_eq!(RULES.map(|(cause, _)| cause), Cause::ALL);
    }
}
