//! After a reply with a changed address or port the client asks again: a
//! connected socket never showed it that reply. Or the client says itself that
//! it threw the reply away.

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::exchange::{AskedAgain, Discarded};
use crate::model::finding::{Cause, Confidence, Finding, Verdict};
use crate::model::protocol::Protocol;

/// Finds questions asked again after their answer.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if let Some(thrown) = reading.discarded() {
        return discarded(reading, verdict, thrown);
    }
    match reading.ignored() {
        Some(again) => changed(reading, verdict, again),
        // They went where the payload says: that is told by itself.
        None if reading.view.payload_replies.is_some() => None,
        // Nor do refused answers leave a question open.
        None if reading.errors.iter().any(|seen| seen.ended && seen.refuses_reply()) => None,
        None => {
            let again = reading.asks_in_vain().or_else(|| reading.begins_in_vain())?;
            unchanged(reading, verdict, again)
        }
    }
}

/// The client says so itself: nothing has to be inferred from what it sent next.
fn discarded(reading: &Reading<'_>, verdict: Verdict, thrown: Discarded) -> Option<Finding> {
    let reply = reading.changed?;
    let part = Part::stopped_if(reading.change_stopped());
    let first = reading.thrown_away(reply, thrown);
    let mut finding =
        Finding::new(Cause::ReplyIgnored, severity(verdict, part), Confidence::Certain, first);
    let client = reading.client_word_first();
    let source = reply.source.address;
    finding.title = fit_title([
        format!("{client} threw the answer from {source} away, as it says itself"),
        format!("{client} threw the answer away, as it says itself"),
    ]);
    let whom = reading
        .view
        .asked
        .map_or_else(|| "another address".to_owned(), |endpoint| reading.name(endpoint.address));
    let (who, endpoint) = (reading.name(source), reply.source);
    let answerer = if who == source.to_string() {
        endpoint.to_string()
    } else {
        format!("{who}, from {endpoint}")
    };
    finding.explanation = format!(
        "{client} asked {whom} and got an answer from {answerer}. It says itself, {}, that it did not take it: an answer counts only from the address and port asked.",
        times(thrown.times),
    );
    if reading.has_expected_reply() {
        finding.explanation.push_str(" An answer from the address asked came as well.");
    }
    extend(&mut finding, [reading.first_request()]);
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplyIgnored);
    Some(finding)
}

fn changed(reading: &Reading<'_>, verdict: Verdict, again: AskedAgain) -> Option<Finding> {
    let reply = reading.changed?;
    let part = Part::stopped_if(reading.change_stopped() && again.confidence >= Confidence::Likely);
    // One repetition may also be a lost reply; a refusal says that it was not.
    let refused = reading.refusal().is_some() || reading.reset().is_some();
    let alone = again.times == 1 && !refused;
    let ceiling = if alone { Confidence::Likely } else { Confidence::Certain };
    let confidence = again.confidence.min(ceiling);
    let mut finding = Finding::new(
        Cause::ReplyIgnored,
        severity(verdict, part),
        confidence,
        reading.asked_again()?,
    );
    let client = reading.client_word_first();
    let asked = times(again.times);
    finding.title = fit_title([
        format!("{client} asked again {asked} after the answer from {}", reply.source.address),
        format!("{client} asked again {asked} after its answer"),
    ]);
    let whom = reading
        .view
        .asked
        .map_or_else(|| "another address".to_owned(), |endpoint| reading.name(endpoint.address));
    finding.explanation = format!(
        "{client} asked {whom} and was answered by {}, from {}. It then asked the same again, {asked}: it did not take the answer. {} accepts packets from the address and port it asked only; the kernel drops all others.",
        reading.name(reply.source.address),
        reply.source,
        socket_name(reading),
    );
    extend(
        &mut finding,
        [
            reading.first_request(),
            reading.first_reply(reply),
            reading.refusal().and_then(SeenErrors::first_error),
        ],
    );
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplyIgnored);
    Some(finding)
}

fn socket_name(reading: &Reading<'_>) -> &'static str {
    if reading.exchange.protocol == Protocol::Tcp {
        "A TCP socket"
    } else {
        "A connected UDP socket"
    }
}

/// The right address answered, and the client asks on: what became of the
/// replies is beyond this capture point.
fn unchanged(reading: &Reading<'_>, verdict: Verdict, again: AskedAgain) -> Option<Finding> {
    let reply = reading.replies().next()?;
    let mut finding = Finding::new(
        Cause::ReplyIgnored,
        severity(verdict, Part::Present),
        Confidence::Possible,
        reading.asked_again()?,
    );
    let client = reading.client_word_first();
    let asked = times(again.times);
    finding.title = fit_title([
        format!("{client} asked again {asked} though {} answers", reply.source.address),
        format!("{client} asked again {asked} though it is answered"),
    ]);
    finding.explanation = if reading.begins_in_vain().is_some() {
        format!(
            "{} answered the handshake, and {} sent no data and began it again, {asked}: it did not take the response. The response may be lost or filtered between this capture point and the client, or reach it from another address or port than its firewall lets in, or have been made with other keys than it expects.",
            reading.name_first(reply.source.address),
            reading.client_word(),
        )
    } else {
        format!(
            "{} answered from the address and port asked, and {} still asked the same transaction again, {asked}. The replies may be lost or filtered between this capture point and the client, or the client may refuse what they say.",
            reading.name_first(reply.source.address),
            reading.client_word(),
        )
    };
    extend(&mut finding, [reading.first_request(), reading.first_reply(reply)]);
    finding.remedies = vec![remedies::capture_next(reading)];
    Some(finding)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clients_own_word_needs_no_repetition() {
        for family in Family::BOTH {
            let moved = || Sample::snmp(family).answered_by_other_address(1);
            let cases = [
                ("thrown away", moved().discarded(1), Verdict::Broken),
                ("thrown away twice", moved().discarded(2), Verdict::Broken),
                (
                    "and answered as expected",
                    moved().answered_by_agent(1).discarded(1),
                    Verdict::Tolerated,
                ),
            ];
            for (name, sample, verdict) in cases {
                let diagnosis = sample.diagnose();
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                let finding = diagnosis.findings.iter().find(|f| f.cause == Cause::ReplyIgnored);
                let finding = finding.unwrap();
                assert_eq!(finding.confidence, Confidence::Certain, "{name} {family:?}");
                assert!(!finding.remedies.is_empty(), "{name} {family:?}");
            }
            let expected = Sample::snmp(family).answered_by_agent(1).discarded(1).diagnose();
            assert_eq!(expected.verdict, Verdict::Symmetric, "{family:?}");
        }
    }

    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Confidence, Verdict};

    #[test]
    fn asking_again_after_a_changed_reply_breaks_the_exchange() {
        for family in Family::BOTH {
            let moved = || Sample::snmp(family).answered_by_other_address(3);
            let right = || Sample::snmp(family).answered_by_agent(3);
            let possible = Confidence::Possible;
            let cases = [
                (
                    "same transaction",
                    moved().asked_again(2, Confidence::Certain),
                    Verdict::Broken,
                    Some(Confidence::Certain),
                ),
                (
                    "once",
                    moved().asked_again(1, Confidence::Certain),
                    Verdict::Broken,
                    Some(Confidence::Likely),
                ),
                (
                    "new transaction",
                    moved().asked_again(2, Confidence::Likely),
                    Verdict::Broken,
                    Some(Confidence::Likely),
                ),
                ("perhaps", moved().asked_again(2, possible), Verdict::Tolerated, Some(possible)),
                ("not again", moved(), Verdict::Tolerated, None),
                (
                    "right address, once",
                    right().asked_again(1, Confidence::Certain),
                    Verdict::Symmetric,
                    None,
                ),
                (
                    "right address, in vain",
                    right().asked_again(2, Confidence::Certain),
                    Verdict::Inconclusive,
                    Some(possible),
                ),
                (
                    "right address, until it stopped",
                    right()
                        .request_again()
                        .repeat_request(3)
                        .wait_seconds(5)
                        .asked_again(3, Confidence::Certain),
                    Verdict::Unanswered,
                    None,
                ),
                (
                    "answered where the payload says",
                    right().answered_at_payload_port(5_062).asked_again(3, Confidence::Certain),
                    Verdict::Broken,
                    None,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                let judged = sample.judge(Cause::ReplyIgnored, |f| f.confidence);
                assert_eq!(judged, (verdict, expected), "{name} {family:?}");
            }
        }
    }
}
