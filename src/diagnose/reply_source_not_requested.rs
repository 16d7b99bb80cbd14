//! The reply comes from an address that was not asked, and nothing says that it
//! was translated: a responder with several addresses, most often one that
//! listens on the wildcard address and lets the kernel choose the source.

mod second_server;

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::reply_source_translated::find_translation;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::exchange::{Origin, Replies};
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::topology::Role;

/// Finds replies from an address that was not asked.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let Some(reply) = reading.changed else { return second_server::find(reading) };
    let Origin::OtherAddress(confidence) = reply.origin else { return None };
    if find_translation(reading, reply).is_some() {
        return None;
    }
    if reading.is_answered_by_another_server() {
        return find_other_server(reading, verdict, reply);
    }
    let part = Part::stopped_if(reading.change_stopped());
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::ReplySourceNotRequested, severity(verdict, part), confidence, first);
    let source = reply.source.address;
    let asked = reading.view.asked.map(|asked| asked.address);
    finding.title = fit_title([
        asked.map_or_else(
            || format!("The answer came from {source}, which was not asked"),
            |asked| format!("{asked} was asked, {source} answered"),
        ),
        format!("{source} answered, which was not asked"),
    ]);
    finding.explanation = if reading.is_answered_before() {
        explain_before(reading, reply)
    } else {
        explain(reading, verdict, reply)
    };
    extend(&mut finding, [reading.first_request(), reading.asked_again()]);
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplySourceNotRequested);
    Some(finding)
}

/// Packets of another address that were there before the first request.
pub fn explain_before(reading: &Reading<'_>, reply: &Replies) -> String {
    let asked = reading.view.asked.map_or_else(String::new, |asked| format!(" {asked}"));
    format!(
        "{} sent {} to {}, the same again, and then {} asked{asked}: the same port at another address, from the same socket. One server may have two addresses here, the one that is asked and the one that answers; or these are two servers. Who was asked first is not in the capture, which begins later.",
        reading.name_first(reply.source.address),
        count(reply.tally.packets, "packet"),
        reading.exchange.client,
        reading.client_word(),
    )
}

/// An answer of a server that the client asks itself, too.
fn find_other_server(reading: &Reading<'_>, verdict: Verdict, reply: &Replies) -> Option<Finding> {
    let severity = severity(verdict, Part::Present);
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::ReplySourceNotRequested, severity, Confidence::Possible, first);
    let source = reply.source.address;
    let asked = reading.view.asked?.address;
    finding.title = fit_title([
        format!("{asked} was asked, and {source} may have answered another question"),
        format!("{source} may have answered another question"),
    ]);
    finding.explanation = format!(
        "{} asked {}, and the next packet came from {}. {} is asked by {} itself, too: it may be a server of its own, and its packet the answer to a question that is not in the capture. What would tell, the identity that a request and its answer share, is not in the input.",
        reading.client_word_first(),
        reading.name(asked),
        reading.name(source),
        reading.name_first(source),
        reading.client_word(),
    );
    extend(&mut finding, [reading.first_request(), reading.asked_again()]);
    finding.remedies = vec![remedies::capture_with_identities(reading)];
    Some(finding)
}

fn explain(reading: &Reading<'_>, verdict: Verdict, reply: &Replies) -> String {
    let client = reading.client_word_first();
    let source = reply.source.address;
    let asked = reading
        .view
        .asked
        .map_or_else(|| "another address".to_owned(), |asked| reading.name(asked.address));
    let origin = match reading.role_of(source) {
        Role::Pod => "That is the pod's own address: the answer left the cluster untranslated.",
        Role::Device
            if reading.view.asked.is_some_and(|asked| {
                reading.role_of(asked.address) == Role::Device
                    || asked.address == reading.exchange.device
            }) =>
        {
            "Both belong to network elements, so no cluster translation is involved: the responder has several addresses and chose one by its own routes."
        }
        Role::Unknown if reading.exchange.device_is_client() => {
            "Nothing is known of that address: it may be the address of the node that the answer left through, or another address of the server."
        }
        _ => {
            "A responder with several addresses answers so where its kernel chooses the source by the route back."
        }
    };
    let mut text =
        format!("{client} asked {asked} and was answered by {}. {origin}", reading.name(source));
    if verdict == Verdict::Tolerated {
        text = format!(
            "{text} {}; a client with a connected socket would not see this answer.",
            reading.took_it()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::{Course, Origin};
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};

    #[test]
    fn a_multihomed_agent_is_named_and_not_taken_for_a_translation() {
        for family in Family::BOTH {
            let cases = [
                ("another address", Sample::snmp(family).answered_by_other_address(1), true),
                // The pod's cable shows the agent's address too: the pod is the poller.
                (
                    "seen at the pod",
                    Sample::snmp(family).answered_by_other_address(1).same_at_pod(),
                    true,
                ),
                ("the address asked", Sample::snmp(family).answered_by_agent(1), false),
            ];
            for (name, sample, expected) in cases {
                let diagnosis = sample.diagnose();
                let verdict = if expected { Verdict::Tolerated } else { Verdict::Symmetric };
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                let finding =
                    diagnosis.findings.iter().find(|f| f.cause == Cause::ReplySourceNotRequested);
                let severity = finding.map(|f| f.severity);
                assert_eq!(severity, expected.then_some(Severity::Warning), "{name} {family:?}");
                assert!(!sample.causes().contains(&Cause::ReplySourceTranslated), "{name}");
            }
        }
    }

    #[test]
    fn who_is_asked_as_well_may_have_answered_another_question() {
        for family in Family::BOTH {
            let other = family.other_device();
            let asked_too = |confidence| {
                Sample::snmp(family)
                    .reply(other, 161, Origin::OtherAddress(confidence), 1)
                    .follow_up(other, 161, Course::ToAnswerer, 1)
                    .request_again()
            };
            let sample = asked_too(Confidence::Likely);
            let finding = sample.finding(Cause::ReplySourceNotRequested);
            assert_eq!(sample.diagnose().verdict, Verdict::Inconclusive, "{family:?}");
            assert_eq!(finding.confidence, Confidence::Possible, "{family:?}");
            assert!(finding.explanation.contains("a server of its own"), "{finding:#?}");
            // An identity that both share is proof.
            let proven = asked_too(Confidence::Certain);
            assert_ne!(proven.diagnose().verdict, Verdict::Inconclusive, "{family:?}");
        }
    }

    #[test]
    fn one_answer_alone_does_not_show_that_it_was_taken() {
        for family in Family::BOTH {
            let alone = Sample::snmp(family).answered_by_other_address(1);
            let asked_more = Sample::snmp(family).answered_by_other_address(2).request_again();
            for (sample, words) in
                [(alone, "Nothing shows whether"), (asked_more, "took it and nothing failed")]
            {
                let text = sample.finding(Cause::ReplySourceNotRequested).explanation;
                assert!(text.contains(words), "{family:?}: {text}");
            }
        }
    }
}
