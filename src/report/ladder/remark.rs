//! What is wrong or unusual about one packet of an exchange.

use super::Tone;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::report::{Device, DeviceExchange, Step, StepKind};
use crate::report::parties::Parties;

/// Marks a packet that changed an address, and one with which the exchange stopped.
pub(super) fn remark(
    step: &Step,
    exchange: &DeviceExchange,
    parties: &Parties<'_>,
    device: &Device,
) -> (Tone, Option<&'static str>) {
    let has_changed = exchange.has_changed();
    let stopped = if exchange.verdict == Verdict::Broken { Tone::Bad } else { Tone::Changed };
    let asked = exchange.request.as_ref().map(|request| request.destination);
    match step.kind {
        StepKind::IcmpError => (Tone::Bad, None),
        StepKind::Request => (Tone::Plain, None),
        StepKind::Reply => match asked {
            Some(asked)
                if has_changed
                    && asked.address != step.source
                    && !parties.at(asked, device).is_group() =>
            {
                (Tone::Changed, Some("not the address that was asked"))
            }
            _ => (Tone::Plain, None),
        },
        StepKind::FollowUp => {
            let answered =
                |address| exchange.replies.iter().any(|reply| reply.source.address == address);
            let answered_at = |port: Option<u16>| {
                port.is_none_or(|port| {
                    let destination = Endpoint::new(step.destination, port);
                    exchange.replies.iter().any(|reply| reply.source == destination)
                })
            };
            if !has_changed || exchange.replies.is_empty() {
                (Tone::Plain, None)
            } else if !answered(step.destination) {
                (stopped, Some("not to the address that answered"))
            } else if !answered_at(step.destination_port) {
                (stopped, Some("not to the port that answered"))
            } else if step.source != exchange.client.address {
                (stopped, Some("from another address of the client"))
            } else {
                (Tone::Plain, None)
            }
        }
    }
}

/// The packet that should have come next and did not.
pub(super) fn silence(exchange: &DeviceExchange) -> Option<&'static str> {
    let waits =
        matches!(exchange.verdict, Verdict::Unanswered | Verdict::Inconclusive | Verdict::Broken);
    let has_errors = !exchange.icmp_errors.is_empty();
    if !waits || has_errors {
        None
    } else if exchange.replies.is_empty() {
        Some("no reply was captured")
    } else if exchange.client_unknown {
        Some("the client threw the answer away, as it says itself")
    } else if has_asked_again(exchange) {
        Some("the client asked again instead of going on")
    } else if exchange.follow_ups.is_empty() && exchange.request.is_some() {
        Some("nothing more from the client was captured")
    } else {
        None
    }
}

/// Whether the client sent its request once more after it had been answered, and no follow-up.
pub(in crate::report) fn has_asked_again(exchange: &DeviceExchange) -> bool {
    let is_reply = |step: &&Step| step.kind == StepKind::Reply;
    let after_reply = exchange.steps.iter().skip_while(|step| !is_reply(step));
    exchange.follow_ups.is_empty()
        && after_reply.into_iter().any(|step| step.kind == StepKind::Request)
}
