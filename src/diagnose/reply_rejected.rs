//! ICMP port unreachable *from the client, quoting the reply*: the kernel found
//! no socket for a reply whose source is not the one asked (connected sockets
//! are looked up by both ends).

use super::evidence::extend;
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{fit_title, times};
use crate::model::capture::FrameRef;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};
use crate::model::protocol::Protocol;

/// Finds refusals of a changed reply.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    match reading.reset() {
        Some(frame) => reset(reading, verdict, frame),
        None => refused(reading, verdict),
    }
}

/// A TCP client resets what answers a SYN that it did not send there: RFC 9293
/// section 3.5.2. The reset has the number that the answer acknowledged.
fn reset(reading: &Reading<'_>, verdict: Verdict, frame: FrameRef) -> Option<Finding> {
    let reply = reading.changed?;
    let client = reading.exchange.client;
    let part = Part::stopped_if(reading.change_stopped());
    let first = Evidence { frame, summary: format!("{client} → {}, TCP RST", reply.source) };
    let mut finding =
        Finding::new(Cause::ReplyRejected, severity(verdict, part), Confidence::Certain, first);
    let who = reading.client_word_first();
    finding.title = fit_title([
        format!("{who} reset the answer from {}", reply.source),
        format!("{who} reset the answer from elsewhere"),
    ]);
    finding.explanation = format!(
        "{who} sent a SYN to {}, and {} answered it: the answer acknowledges that SYN. To the client's kernel it belongs to no connection, so it answered with a reset.",
        reading
            .view
            .asked
            .map_or_else(|| "another address".to_owned(), |asked| reading.name(asked.address)),
        reading.name(reply.source.address),
    );
    extend(
        &mut finding,
        [reading.first_request(), reading.first_reply(reply), reading.asked_again()],
    );
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplyRejected);
    Some(finding)
}

fn refused(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let reply = reading.changed?;
    let seen = reading.refusal()?;
    let part = Part::stopped_if(reading.change_stopped() && seen.ended);
    // What is quoted is what counts: translation may give the error another source.
    let from_client = seen.errors.from == reading.exchange.client.address;
    let confidence = if from_client { Confidence::Certain } else { Confidence::Likely };
    let first = seen.first_error()?;
    let mut finding =
        Finding::new(Cause::ReplyRejected, severity(verdict, part), confidence, first);
    let refused = times(seen.errors.tally.packets);
    let client = reading.client_word_first();
    finding.title = fit_title([
        format!("{client} refused the answer from {} {refused}", reply.source.address),
        format!("{client} refused the answer {refused}"),
    ]);
    let (why, then) = match reading.exchange.protocol {
        Protocol::Tcp => {
            ("A packet filter there knows of a SYN to", "and rejects an answer from another source")
        }
        _ => ("Its socket is connected to", "so a reply from another source finds no socket"),
    };
    finding.explanation = format!(
        "{} answered with ICMP port unreachable, {refused}, and quoted the reply from {}. {why} {}, {then}.",
        reading.name_first(seen.errors.from),
        reading.name(reply.source.address),
        reading
            .view
            .asked
            .map_or_else(|| "the address asked".to_owned(), |asked| asked.to_string()),
    );
    extend(
        &mut finding,
        [reading.first_request(), reading.first_reply(reply), reading.asked_again()],
    );
    finding.remedies = remedies::for_changed_reply(reading, reply, Cause::ReplyRejected);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::report::Quotes;

    #[test]
    fn a_refused_reply_is_the_clients_doing() {
        for family in Family::BOTH {
            let moved = |replies| Sample::snmp(family).answered_by_other_address(replies);
            let refuse = |sample: Sample, packets| {
                sample.icmp(IcmpKind::PortUnreachable, family.pod(), Quotes::Reply, packets)
            };
            let cases = [
                ("each reply refused", refuse(moved(3), 3), Verdict::Broken, true),
                ("each new answer refused", refuse(moved(3).progress(), 4), Verdict::Broken, true),
                ("a late copy refused", refuse(moved(2), 1), Verdict::Tolerated, true),
                ("none refused", moved(1), Verdict::Tolerated, false),
                (
                    "the right address refused",
                    refuse(Sample::snmp(family).answered_by_agent(1), 1),
                    Verdict::Rejected,
                    false,
                ),
            ];
            for (name, sample, verdict, expected) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes();
                assert_eq!(found.contains(&Cause::ReplyRejected), expected, "{name} {family:?}");
                let other = found.contains(&Cause::PortUnreachable);
                assert_eq!(other, verdict == Verdict::Rejected, "{name} {family:?}");
            }
        }
    }
}
