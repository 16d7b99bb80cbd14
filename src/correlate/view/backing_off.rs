//! Who asks, where the ports of both ends are the service's and text shows no more than
//! lengths.
//!
//! The first packet may be a question or an answer. A client that hears nothing sends its
//! question again, after pauses that grow: SIP doubles them (RFC 3261 sections 17.1.1.2 and
//! 17.1.2.2), so does CoAP (RFC 7252 section 4.2), and resolvers do. Answers come at the pace
//! of the questions, and not again by themselves.

use crate::correlate::record::Record;
use crate::model::exchange::{Expectation, SOONEST_REPEAT, View};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// So many packets show two pauses.
const MANY: u64 = 3;
/// What keeps a way open is no longer (RFC 5626 section 4.4.1): it asks nothing.
const KEEP_ALIVE_BYTES: u64 = 4;

/// Notes that what the view shows is a request in vain, if its packets say so.
pub fn note(view: &mut View, record: &Record) {
    if view.expectation != Expectation::Untold || !view.replies.is_empty() {
        return;
    }
    let protocol = record.protocol;
    let is_between_services = record.asked.is_some_and(|asked| {
        [asked, record.client].iter().all(|end| protocol.is_served_at(end.port))
    });
    let requests = view.requests;
    let says_one_thing = requests.packets >= MANY
        && requests.repeats + 1 == requests.packets
        && requests.bytes > KEEP_ALIVE_BYTES * requests.packets
        && view.follow_ups.is_empty();
    if protocol.expects_answer()
        && protocol != Protocol::Tftp
        && record.has_no_identity()
        && is_between_services
        && says_one_thing
        && is_backing_off(view)
    {
        view.expectation = Expectation::Answer;
        view.unanswered = requests;
    }
}

/// Whether the second pause is longer than the first by half, and none is that of a burst.
fn is_backing_off(view: &View) -> bool {
    let mut asked = view.steps.iter().filter(|step| step.kind == StepKind::Request);
    let mut next = || asked.next().map(|step| step.frame.at);
    let (Some(first), Some(second), Some(third)) = (next(), next(), next()) else { return false };
    let (before, after) = (second.since(first), third.since(second));
    before >= SOONEST_REPEAT && after >= before.mul_f32(1.5)
}
