//! What one point saw of an exchange, once its packets are all in.

mod backing_off;
pub mod checks;
mod siblings;

use super::audience::Audience;
use super::count::{Mark, Repeats};
use super::record::{Flag, Record};
use super::table::PointTable;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::{
    AskedAgain, Course, Expectation, FollowUps, Origin, PATIENCE, Point, Replies, Step, Tally, View,
};
use crate::model::finding::Confidence;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};
use crate::model::time::Timestamp;

/// Exchanges of one socket, the latest first, that are asked for another answer.
const MAX_SIBLINGS: usize = 64;

/// An exchange as one point saw it.
#[derive(Debug)]
pub struct Sighting {
    pub protocol: Protocol,
    pub view: View,
    /// The answers came through a tunnel: they are still on their way inside.
    pub is_tunnelled: bool,
}

/// What `point` saw of an exchange in its table.
pub fn sighting(record: &Record, table: &PointTable, point: &Point) -> Sighting {
    let (first_at, last_at) = record.times();
    let capture = table.id.capture;
    let details = record.details.as_deref();
    let shown = |mark: Mark| mark.frame(capture);
    let repeated = details.map_or(Repeats::NONE, |details| details.repeated_requests);
    let (steps, steps_omitted) = steps(record, capture);
    let mut view = View {
        point: point.id,
        kind: point.kind,
        asked: record.asked,
        requests: record.requests.tally(capture, repeated),
        expectation: record.expectation,
        unanswered: Tally::NONE,
        passed_over: Tally::NONE,
        open_questions: record.unanswered.count_questions(),
        replies: replies(record, capture),
        follow_ups: details
            .iter()
            .flat_map(|details| &details.follow_ups)
            .map(|follow_ups| follow_ups.follow_ups(capture))
            .collect(),
        icmp_errors: details.map(|details| details.icmp_errors.clone()).unwrap_or_default(),
        lost_replies: details.and_then(|details| details.lost_replies.as_deref().copied()),
        lost_requests: details.and_then(|details| details.lost_requests.as_deref().copied()),
        reset: details.and_then(|details| details.reset).map(shown),
        asked_again: details.and_then(|details| details.asked_again.as_deref().copied()),
        discarded: details.and_then(|details| details.discarded.as_deref().copied()),
        dropped: details.and_then(|details| details.dropped.as_deref().cloned()),
        progress: details.and_then(|details| details.progress).map(shown),
        error_answer: details.and_then(|details| details.error_answer.as_deref().cloned()),
        answered_elsewhere: None,
        expired_beside: false,
        may_be_answered_elsewhere: record.flags.has(Flag::AnswersElsewhere),
        payload_replies: details.and_then(|details| details.payload_replies.as_deref().copied()),
        late_change: details.and_then(|details| details.late_change.as_deref().copied()),
        stall: details.and_then(|details| details.stall.as_deref().copied()),
        steps,
        steps_omitted,
        first_at,
        last_at,
        observed_until: point.observed.map_or(last_at, |(_, last)| last),
        has_payloads: record.flags.has(Flag::HasPayloads),
        beside: None,
    };
    if view.asked_again.is_none() {
        let retries = details.and_then(|details| details.retries.as_deref());
        view.asked_again = retries.and_then(|retries| retries.find_given_up(view.observed_until));
        // Of a protocol that is not known it was taken for news until the client gave up.
        let is_all_said = |again: AskedAgain| view.requests.packets <= again.times + 1;
        if record.protocol == Protocol::Udp && view.asked_again.is_some_and(is_all_said) {
            view.progress = None;
        }
    }
    let last_replies = view.replies.iter().filter_map(|replies| replies.tally.last);
    let last_reply = last_replies.reduce(FrameRef::later);
    let observed_until = view.observed_until;
    let is_settled = |at: Timestamp| observed_until.since(at) >= PATIENCE;
    let last_request = record.requests.last;
    let open = record.unanswered.still_open(capture, last_request, last_reply, is_settled);
    (view.unanswered, view.passed_over) = (open.since_reply, open.passed_over);
    backing_off::note(&mut view, record);
    weigh_replies(&mut view, record, table);
    if view.icmp_errors.iter().any(|error| error.quotes == Quotes::Reply) {
        view.answered_elsewhere = find_answer_elsewhere(record, table);
    }
    siblings::note(&mut view, record, table);
    let protocol = read_as_inform(&view, record)
        .or_else(|| record.find_disproof())
        .unwrap_or_else(|| read_as_running_transfer(&mut view, record));
    Sighting { protocol, view, is_tunnelled: record.is_answered_through_tunnel() }
}

/// All replies, in order of appearance.
fn replies(record: &Record, capture: CaptureId) -> Vec<Replies> {
    let details = record.details.as_deref();
    let told_apart = details.iter().flat_map(|details| &details.replies);
    let mut replies: Vec<Replies> = told_apart.map(|replies| replies.replies(capture)).collect();
    if let Some(source) = record.asked.filter(|_| record.answers.packets > 0) {
        let origin = match record.audience {
            Audience::One | Audience::Untold => Origin::Asked,
            Audience::Group => Origin::ByDesign,
        };
        let repeated = details.map_or(Repeats::NONE, |details| details.repeated_answers);
        let tally = record.answers.tally(capture, repeated);
        replies.push(Replies { source, origin, tally, awaits_follow_up: false });
        replies.sort_by_key(|replies| replies.tally.first.map(|frame| frame.number));
    }
    replies
}

/// The packets to show; of a plain exchange its first request and answer.
fn steps(record: &Record, capture: CaptureId) -> (Vec<Step>, u64) {
    if let Some(details) = &record.details {
        return (details.steps.to_vec(capture), details.steps_omitted);
    }
    let Some(asked) = record.asked else { return (Vec::new(), 0) };
    let client = record.client;
    let synopsis = record.synopsis();
    let request =
        record.requests.first(capture).map(|frame| synopsis.request(frame, client, asked));
    let answer = record.answers.first(capture).map(|frame| synopsis.answer(frame, asked, client));
    let steps: Vec<Step> = request.into_iter().chain(answer).collect();
    let packets = u64::from(record.requests.packets) + u64::from(record.answers.packets);
    let shown = u64::try_from(steps.len()).unwrap_or(0);
    (steps, packets.saturating_sub(shown))
}

/// Weighs again how sure it is that replies from other addresses belong here.
/// A client that used the answer's port, or refused the answer, had it; a
/// socket that talks to many may be answered by any of them.
fn weigh_replies(view: &mut View, record: &Record, table: &PointTable) {
    let identified = record.protocol == Protocol::Tftp;
    // A router that could not pass the answer on says nothing about what its client asked.
    let refused = view.icmp_errors.iter().any(|error| {
        error.quotes == Quotes::Reply
            && error.kind == IcmpKind::PortUnreachable
            && error.from == record.client.address
    });
    for replies in &mut view.replies {
        if refused && matches!(replies.origin, Origin::OtherPort(_)) {
            replies.origin = Origin::OtherPort(Confidence::Certain);
        }
        let Origin::OtherAddress(confidence) = replies.origin else { continue };
        let port = replies.source.port;
        let used = record.asked.is_some_and(|asked| asked.port != port)
            && view.follow_ups.iter().any(|follow_ups| follow_ups.destination.port == port);
        if used || refused {
            replies.origin = Origin::OtherAddress(Confidence::Certain);
        } else if confidence < Confidence::Certain && !identified && table.asks_many(record.client)
        {
            replies.origin = Origin::ByDesign;
        }
    }
}

/// The first answer of another server that the same socket asked: the same, or
/// something else that was answered while it waited here. Who then closes the
/// socket has what it wanted.
fn find_answer_elsewhere(record: &Record, table: &PointTable) -> Option<FrameRef> {
    let opening = record.opening();
    let asks_the_same = |other: &Record| opening.is_sure() && other.opening() == opening;
    let (asked_at, answered_at) = (record.requests.last.at, record.answers.first.at);
    let is_meanwhile = |other: &Record| {
        let (other_asked_at, other_answered_at) = (other.requests.first.at, other.answers.first.at);
        record.answers.packets > 0
            && other.protocol == record.protocol
            && other_asked_at <= answered_at
            && (asked_at..=answered_at).contains(&other_answered_at)
    };
    let others = table.clients.exchanges(&table.hasher, &table.exchanges, record.client);
    let answers = others.take(MAX_SIBLINGS).filter(|(_, other)| {
        other.asked != record.asked && (asks_the_same(other) || is_meanwhile(other))
    });
    answers
        .filter_map(|(_, other)| other.answers.first(table.id.capture))
        .min_by_key(|frame| frame.number)
}

/// What is answered at the trap port is an inform (RFC 3416 section 4.2.7): nobody answers
/// traps. A text that prints no more than lengths does not say which of them it is.
fn read_as_inform(view: &View, record: &Record) -> Option<Protocol> {
    let is_unread =
        !record.flags.has(Flag::HasPayloads) && record.expectation == Expectation::Answer;
    let is_answered = view.asked.is_some() && !view.replies.is_empty();
    (record.protocol == Protocol::SnmpTrap && is_unread && is_answered)
        .then_some(Protocol::SnmpInform)
}

/// Both sides speak as in the middle of a TFTP transfer: its request was
/// before the capture, so it is not known who was asked. Gives the protocol.
fn read_as_running_transfer(view: &mut View, record: &Record) -> Protocol {
    let Some(server) = view.asked else { return record.protocol };
    let both_sides = view.requests.packets > 0 && !view.replies.is_empty();
    let is_long = view.requests.packets + view.reply_packets() >= 4;
    if record.protocol != Protocol::Udp
        || !record.flags.has(Flag::LooksLikeTftp)
        || !both_sides
        || !is_long
    {
        return record.protocol;
    }
    view.asked = None;
    let tally = std::mem::replace(&mut view.requests, Tally::NONE);
    (view.unanswered, view.passed_over) = (Tally::NONE, Tally::NONE);
    // Where only its port answers, at another address, the client does not go on with
    // who answered.
    let is_answerer = view.replies.iter().any(|replies| replies.source == server);
    view.follow_ups.push(FollowUps {
        source: record.client,
        destination: server,
        course: if is_answerer { Course::ToAnswerer } else { Course::AnswererUnseen },
        tally,
    });
    for replies in &mut view.replies {
        replies.origin = Origin::Unknown;
        replies.awaits_follow_up = true;
    }
    call_requests_follow_ups(view);
    Protocol::Tftp
}

/// What was told as requests are follow-ups.
pub fn call_requests_follow_ups(view: &mut View) {
    for errors in &mut view.icmp_errors {
        if errors.quotes == Quotes::Request {
            errors.quotes = Quotes::FollowUp;
        }
    }
    for step in &mut view.steps {
        if step.kind == StepKind::Request {
            step.kind = StepKind::FollowUp;
        }
    }
}
