//! Follow-ups that arrive at another node than their request did.
//!
//! An address that moves in mid-transfer, as between routers of one virtual address (RFC 9568
//! section 6.4) or the nodes that announce it, takes what the device sends next to a node that
//! saw no request. By itself that looks like a request to a port that nobody serves. But a
//! server's port for one transfer is its own choice (RFC 1350 section 4), so who sends there
//! was told it by the answers that another point shows.

use std::collections::BTreeMap;

use super::bypass::{count_packets, find_offset_ns, to_count};
use super::join::ClockOffset;
use super::view::{Sighting, call_requests_follow_ups};
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Beside, Course, Expectation, FollowUps, Tally, View};
use crate::model::protocol::Protocol;

/// Puts what the other points saw sent to the port from which the first one saw a transfer
/// answered to what follows those answers. `seen` is of one exchange, with its clients.
pub fn join_follow_ups(
    seen: &mut [(Endpoint, Sighting)],
    offsets: &BTreeMap<CaptureId, ClockOffset>,
) {
    put_request_first(seen);
    let Some(((client, first), others)) = seen.split_first_mut() else { return };
    if first.protocol != Protocol::Tftp || first.view.asked.is_none() {
        return;
    }
    let near = &mut first.view;
    for (other, sighting) in others {
        let Some(server) = sighting.view.asked else { continue };
        let mut answers = near.replies.iter().map(|replies| replies.source);
        let is_answerer = |source: Endpoint| source == server && Some(source) != near.asked;
        if other == client
            && sighting.protocol == Protocol::Udp
            && sighting.view.replies.is_empty()
            && answers.any(is_answerer)
        {
            follow(&mut sighting.view, *client, server);
            sighting.protocol = Protocol::Tftp;
            if near.beside.is_none() && near.kind == sighting.view.kind {
                add(near, &sighting.view, offsets);
            }
        }
    }
}

/// Of two points that are as near to the device, that which saw the request comes first.
fn put_request_first(seen: &mut [(Endpoint, Sighting)]) {
    let Some((client, first)) = seen.first() else { return };
    let Some(server) = first.view.asked.filter(|_| first.protocol == Protocol::Udp) else { return };
    let is_request = |(other, sighting): &(Endpoint, Sighting)| {
        let mut answers = sighting.view.replies.iter().map(|replies| replies.source);
        other == client
            && sighting.protocol == Protocol::Tftp
            && sighting.view.kind == first.view.kind
            && sighting.view.asked.is_some_and(|asked| asked != server)
            && answers.any(|source| source == server)
    };
    if let Some(request) = seen.iter().position(is_request) {
        seen.swap(0, request);
    }
}

/// Adds what `far` saw of the follow-ups.
fn add(near: &mut View, far: &View, offsets: &BTreeMap<CaptureId, ClockOffset>) {
    let ahead_ns = find_offset_ns(near, far, offsets).unwrap_or_else(|| find_order_ns(near, far));
    near.beside = Some(Beside { point: far.point, ahead_ns });
    for further in &far.follow_ups {
        let mut known = near.follow_ups.iter_mut();
        let ends = (further.source, further.destination);
        match known.find(|known| (known.source, known.destination) == ends) {
            Some(known) => add_later(&mut known.tally, further.tally),
            None => near.follow_ups.push(*further),
        }
    }
    near.icmp_errors.extend(far.icmp_errors.iter().copied());
    near.steps.extend(far.steps.iter().cloned());
    // Not in place: the times are taken by the view's own clock.
    let mut steps = std::mem::take(&mut near.steps);
    steps.sort_by_key(|step| near.time_of(step.frame));
    near.steps = steps;
    near.steps_omitted = count_packets(near).saturating_sub(to_count(near.steps.len()));
}

/// How far the clock of `far` is behind at least, in ns, by what has to come after what: once
/// the address has moved, nothing that the client sends arrives where it was.
fn find_order_ns(near: &View, far: &View) -> i64 {
    let sent = near.follow_ups.iter().filter_map(|sent| sent.tally.last);
    let last_at = sent.chain(near.requests.last).map(|frame| frame.at).max();
    let ahead_ns = last_at.map_or(0, |last_at| far.first_at.ahead_of_ns(last_at));
    ahead_ns.min(0)
}

/// Adds what came after, at another point.
fn add_later(known: &mut Tally, further: Tally) {
    known.packets = known.packets.saturating_add(further.packets);
    known.bytes = known.bytes.saturating_add(further.bytes);
    known.repeats = known.repeats.saturating_add(further.repeats);
    known.first_repeat = known.first_repeat.or(further.first_repeat);
    known.last = further.last.or(known.last);
}

/// Makes what a client asks a server what follows that one's answers.
fn follow(view: &mut View, client: Endpoint, server: Endpoint) {
    view.asked = None;
    view.expectation = Expectation::Nothing;
    let tally = std::mem::replace(&mut view.requests, Tally::NONE);
    (view.unanswered, view.passed_over) = (Tally::NONE, Tally::NONE);
    view.follow_ups.push(FollowUps {
        source: client,
        destination: server,
        course: Course::ToAnswerer,
        tally,
    });
    call_requests_follow_ups(view);
}
