//! The client goes on from another of its own addresses. A server knows its
//! client by address and port, so it takes the packets for a stranger's; TFTP
//! servers answer such with ERROR 5, "unknown transfer ID" (RFC 1350 section 4).

use super::evidence::extend;
use super::reading::{Reading, SeenErrors};
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::finding::{Cause, Confidence, Finding, Verdict};

/// Finds follow-ups from another address than the request's.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let moved = reading.other_source?;
    let first = reading.first_follow_up(moved)?;
    let part = Part::stopped_if(reading.client_stopped());
    let reply = reading.replies().next();
    // A server that repeats itself has not taken the packets for its client's.
    let unheard = reply.is_some_and(|reply| reply.tally.repeats > 0) || !reading.errors.is_empty();
    let listed = reading
        .topology
        .device_of(moved.source.address)
        .is_some_and(|owner| owner.addresses.contains(&reading.exchange.client.address));
    let confidence = match (listed, unheard) {
        (true, true) => Confidence::Certain,
        (false, false) => Confidence::Possible,
        _ => Confidence::Likely,
    };
    let mut finding =
        Finding::new(Cause::ClientSourceChanged, severity(verdict, part), confidence, first);
    let client = reading.exchange.client;
    finding.title = fit_title([
        format!(
            "{} asked from {} and goes on from {}",
            reading.client_word_first(),
            client.address,
            moved.source.address
        ),
        format!("{} goes on from {}", reading.client_word_first(), moved.source.address),
    ]);
    finding.explanation = format!(
        "{} asked from {client} and sent {} from {} to {}. The server knows its client by address and port, and the new source is not known to it.{}",
        reading.client_word_first(),
        count(moved.tally.packets, "follow-up"),
        moved.source,
        moved.destination,
        if unheard {
            " It went on repeating its reply to the first address, or refused the packets."
        } else {
            ""
        },
    );
    extend(
        &mut finding,
        [
            reading.first_request(),
            reply.and_then(|reply| reading.first_reply(reply)),
            reply.and_then(|reply| reading.repeated_reply(reply)),
            reading.errors.first().and_then(SeenErrors::first_error),
        ],
    );
    finding.remedies = remedies::for_client_source(reading, moved.source.address);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Course;
    use crate::model::finding::{Cause, Verdict};

    #[test]
    fn a_client_that_changes_its_address_is_not_known_any_more() {
        for family in Family::BOTH {
            let start = || Sample::tftp(family).answered_by_vip();
            let other = family.other_device();
            let moved = || start().follow_up_from(other, family.vip(), 40_001, 3);
            let same = start().follow_up(family.vip(), 40_001, Course::ToAnswerer, 3).progress();
            let cases = [
                ("another address", moved(), Verdict::Broken, true),
                ("another address, served", moved().progress(), Verdict::Tolerated, true),
                ("the same address", same, Verdict::Symmetric, false),
            ];
            for (name, sample, verdict, expected) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.causes().contains(&Cause::ClientSourceChanged);
                assert_eq!(found, expected, "{name} {family:?}");
            }
        }
    }
}
