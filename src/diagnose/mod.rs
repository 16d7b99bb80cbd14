//! Exchanges to verdicts and findings.
//!
//! `Reading` says once what the packets of an exchange show. The verdict and
//! the rules ask only the reading, so that they cannot disagree. One rule is
//! one file, named by its cause; `RULES` lists them all. What the exchanges of
//! an analysis prove about each other is in `Crossings`, made before the rules
//! run; `families_differ` compares diagnoses after they ran.

use crate::model::exchange::{Exchange, Point};
use crate::model::finding::{Cause, Diagnosis, Finding, Verdict};
use crate::model::topology::Topology;

mod crossings;
mod documentation;
mod evidence;
mod named_ends;
mod path;
mod reading;
mod remedies;
mod verdict;
mod wording;

mod client_source_changed;
mod families_differ;
mod follow_up_missing;
mod follow_up_not_delivered;
mod follow_up_to_request_address;
mod follow_up_to_request_port;
mod fragments_lost;
mod icmp_errors;
mod mapping_expired;
mod neighbour_unresolved;
mod one_direction_captured;
mod reply_ignored;
mod reply_not_forwarded;
mod reply_port_translated;
mod reply_rejected;
mod reply_source_not_requested;
mod reply_source_translated;
mod reply_to_payload_address;
mod request_not_delivered;
mod request_not_translated;
mod request_unanswered;
mod retransmissions_recovered;
mod sender_translated;
mod stale_translation;
mod unexpected_own_source;

#[cfg(test)]
mod invariants;
#[cfg(test)]
mod sample;

use crossings::Crossings;
use reading::Reading;

pub use documentation::{
    CauseDocumentation, CauseIllustration, Reference, documentation, illustration,
};

/// What the rules may look at besides the exchange.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    topology: &'a Topology,
    /// All capture points of the analysis.
    points: &'a [Point],
    /// What the other exchanges prove.
    crossings: &'a Crossings,
}

/// A rule: the finding that an exchange proves, if it does. The verdict decides
/// only how much the finding matters.
type Rule = fn(&Reading<'_>, Verdict) -> Option<Finding>;

/// All rules, in the order of [`Cause::ALL`]. [`Cause::FamiliesDiffer`] needs two
/// exchanges and their verdicts: see [`families_differ::compare`].
const RULES: [(Cause, Rule); 27] = [
    (Cause::FollowUpToRequestAddress, follow_up_to_request_address::find),
    (Cause::FollowUpToRequestPort, follow_up_to_request_port::find),
    (Cause::ReplyIgnored, reply_ignored::find),
    (Cause::ReplyRejected, reply_rejected::find),
    (Cause::ReplyToPayloadAddress, reply_to_payload_address::find),
    (Cause::ClientSourceChanged, client_source_changed::find),
    (Cause::MappingExpired, mapping_expired::find),
    (Cause::ReplySourceTranslated, reply_source_translated::find),
    (Cause::ReplySourceNotRequested, reply_source_not_requested::find),
    (Cause::ReplyPortTranslated, reply_port_translated::find),
    (Cause::FragmentsLost, fragments_lost::find),
    (Cause::NeighbourUnresolved, neighbour_unresolved::find),
    (Cause::StaleTranslation, stale_translation::find),
    (Cause::RequestNotTranslated, request_not_translated::find),
    (Cause::RequestNotDelivered, request_not_delivered::find),
    (Cause::FollowUpNotDelivered, follow_up_not_delivered::find),
    (Cause::ReplyNotForwarded, reply_not_forwarded::find),
    (Cause::SenderTranslated, sender_translated::find),
    (Cause::UnexpectedOwnSource, unexpected_own_source::find),
    (Cause::PortUnreachable, icmp_errors::find_port_unreachable),
    (Cause::HostUnreachable, icmp_errors::find_host_unreachable),
    (Cause::AdminProhibited, icmp_errors::find_admin_prohibited),
    (Cause::PacketTooBig, icmp_errors::find_packet_too_big),
    (Cause::RequestUnanswered, request_unanswered::find),
    (Cause::FollowUpMissing, follow_up_missing::find),
    (Cause::OneDirectionCaptured, one_direction_captured::find),
    (Cause::RetransmissionsRecovered, retransmissions_recovered::find),
];

/// Exchanges of an analysis that are diagnosed together: some prove something about others.
///
/// Each is diagnosed by itself, in whichever order, and last compared with the others.
#[derive(Debug)]
pub struct Comparison<'a> {
    exchanges: &'a [Exchange],
    topology: &'a Topology,
    points: &'a [Point],
    crossings: Crossings,
}

impl<'a> Comparison<'a> {
    /// Reads what the exchanges prove about each other.
    #[must_use]
    pub fn new(exchanges: &'a [Exchange], topology: &'a Topology, points: &'a [Point]) -> Self {
        Self { exchanges, topology, points, crossings: Crossings::new(points, exchanges) }
    }

    /// Says how one of the exchanges went and why.
    #[must_use]
    pub fn diagnose(&self, exchange: &Exchange) -> Diagnosis {
        diagnose_one(exchange, self.context())
    }

    /// Adds what the exchanges show beside each other to the diagnoses of all, which
    /// are in their order.
    pub fn compare(&self, diagnoses: &mut [Diagnosis]) {
        families_differ::compare(self.exchanges, diagnoses, self.context());
    }

    const fn context(&self) -> Context<'_> {
        Context { topology: self.topology, points: self.points, crossings: &self.crossings }
    }
}

fn diagnose_one(exchange: &Exchange, context: Context<'_>) -> Diagnosis {
    if exchange.views.is_empty() {
        return Diagnosis {
            verdict: Verdict::Inconclusive,
            is_still_waiting: false,
            findings: Vec::new(),
        };
    }
    let reading = Reading::new(exchange, context);
    let verdict = verdict::judge(&reading);
    let is_still_waiting = verdict == Verdict::Inconclusive && reading.is_still_waiting();
    let mut findings: Vec<Finding> =
        RULES.iter().filter_map(|(_, find)| find(&reading, verdict)).collect();
    for finding in &mut findings {
        reading.weigh_losses(finding);
        evidence::quote_entries(finding, exchange);
        named_ends::weigh(finding, &reading);
    }
    Diagnosis { verdict, is_still_waiting, findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_holds_every_cause_in_order() {
        let alone = Cause::ALL.into_iter().filter(|cause| *cause != Cause::FamiliesDiffer);
        assert!(RULES.map(|(cause, _)| cause).into_iter().eq(alone));
    }
}
