//! The answer goes to the address or port that the request names in its payload,
//! not to where the request came from: RFC 3261 section 18.2.2 wants that of SIP
//! servers unless the request asks otherwise with `rport` (RFC 3581).

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// Finds answers that went where the payload says.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let sent = reading.view.payload_replies?;
    let client = reading.exchange.client;
    let first = Evidence {
        frame: sent.first,
        summary: format!("{} → {}, the answer to {client}", sent.source, sent.destination),
    };
    let stopped = reading.payload_reply_stopped();
    let part = severity(verdict, Part::stopped_if(stopped));
    let is_read = sent.asks_for_own_port.is_some();
    let confidence = if is_read { Confidence::Certain } else { Confidence::Likely };
    let mut finding = Finding::new(Cause::ReplyToPayloadAddress, part, confidence, first);
    let says = if is_read { "says" } else { "may say" };
    finding.title = fit_title([
        format!("Asked from {client}, answered to {}, as the payload {says}", sent.destination),
        format!("The answer went to {}, as the payload {says}", sent.destination),
        format!("The answer went where the payload {says}, not where it came from"),
    ]);
    let rule = if !is_read {
        "What the request's Via header says was not printed. A server goes by it unless the request asks with `rport` (RFC 3581) for an answer to where it came from (RFC 3261 section 18.2.2)."
    } else if sent.asks_for_own_port == Some(true) {
        "The request asks with `rport` (RFC 3581) for an answer to where it came from, and the server does not do so."
    } else {
        "The request does not ask with `rport` (RFC 3581) for an answer to where it came from, so the server goes by the Via header (RFC 3261 section 18.2.2)."
    };
    let end = if stopped {
        "The client did not take it: nothing is open there, or a translation on the way knows only the socket that asked."
    } else {
        "It works where the client listens there and no translation is on the way."
    };
    finding.explanation = format!(
        "{} asked from {client}; {} went to {}. {rule} {end}",
        reading.client_word_first(),
        count(sent.packets, "answer packet"),
        sent.destination,
    );
    let refusal = reading.errors.iter().find(|seen| seen.refuses_reply());
    extend(
        &mut finding,
        [reading.first_request(), reading.asked_again(), refusal.and_then(SeenErrors::first_error)],
    );
    finding.remedies = remedies::for_payload_address(reading, &sent);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn an_answer_to_the_payloads_address_is_a_fault_where_the_client_does_not_take_it() {
        for family in Family::BOTH {
            let register = || {
                let sample = Sample::request(family, Protocol::Sip, 5_060);
                sample.reply(family.vip(), 5_060, Origin::Asked, 1)
            };
            let cases = [
                ("to the socket that asked", register(), Verdict::Symmetric, None),
                (
                    "taken",
                    register().answered_at_payload_port(5_062),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                (
                    "asked again",
                    register().answered_at_payload_port(5_062).asked_again(2, Confidence::Certain),
                    Verdict::Broken,
                    Some(Severity::Error),
                ),
                (
                    "crossed its answer",
                    register().answered_at_payload_port(5_062).asked_again(1, Confidence::Certain),
                    Verdict::Symmetric,
                    Some(Severity::Info),
                ),
                (
                    "refused",
                    register().answered_at_payload_port(5_062).icmp(
                        IcmpKind::PortUnreachable,
                        family.device(),
                        Quotes::Reply,
                        1,
                    ),
                    Verdict::Broken,
                    Some(Severity::Error),
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::ReplyToPayloadAddress, |f| f.severity);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }
}
