//! Answers that leave the cluster by another node than their request came in by.
//!
//! Where the pod is on another node than the virtual address, its answers from a new
//! port leave from there, straight to the device. Of two uplinks one then shows what the
//! device asked, and the other what it got: both together are the device's side.

use std::collections::BTreeMap;

use super::join::ClockOffset;
use super::view::Sighting;
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    Beside, Course, FollowUps, IcmpErrors, Origin, Point, Replies, Step, View,
};
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};
use crate::model::time::Timestamp;

/// Puts the answers that only another point outside the translation saw to the first
/// view, which saw what was asked and no answer. Nothing is put together where that
/// one was not listening, or where the answers came back there in another shape.
pub fn join_answers(
    seen: &mut [(Endpoint, Sighting)],
    points: &[Point],
    offsets: &BTreeMap<CaptureId, ClockOffset>,
) {
    let Some(((client, first), others)) = seen.split_first_mut() else { return };
    let (protocol, near) = (first.protocol, &mut first.view);
    let Some(asked) = near.asked else { return };
    if !matches!(near.kind, PointKind::Host | PointKind::Unknown) || !near.replies.is_empty() {
        return;
    }
    let here = near.point.as_captured();
    let came_back = |source: Endpoint| {
        others.iter().any(|(_, other)| {
            other.view.point.as_captured() == here
                && other.view.replies.iter().any(|replies| replies.source == source)
        })
    };
    for (_, other) in others.iter().filter(|(other, _)| other == client) {
        let far = &other.view;
        if far.kind != near.kind || far.point.as_captured() == here {
            continue;
        }
        let Some(behind) = far.asked else { continue };
        let ahead_ns = ahead_ns(near, far, offsets);
        let gets_out = |replies: &Replies| {
            let source = replies.source;
            if source.address != behind.address || source.address == asked.address {
                return !came_back(source);
            }
            // The pod's own address: it may be on its way to the first node, to be
            // translated there. That would be seen.
            let at = replies.tally.first.map(|frame| frame.at.back(ahead_ns));
            let watched = at.is_some_and(|at| was_listening(near, points, at));
            watched && !other.is_tunnelled && !came_back(source)
        };
        let replies: Vec<Replies> = far
            .replies
            .iter()
            .filter(|replies| replies.tally.first.is_some() && gets_out(replies))
            .filter_map(|replies| {
                let origin = find_origin(replies, asked, protocol)?;
                Some(Replies { origin, ..*replies })
            })
            .collect();
        if !replies.is_empty() {
            add(near, far, replies, Beside { point: far.point, ahead_ns });
            return;
        }
    }
}

/// How the source relates to whom the client asked, not to where the request was sent on.
fn find_origin(replies: &Replies, asked: Endpoint, protocol: Protocol) -> Option<Origin> {
    let is_asked = replies.source.address == asked.address;
    Some(match replies.origin {
        Origin::Unknown => return None,
        Origin::ByDesign => Origin::ByDesign,
        _ if is_asked && (protocol == Protocol::Tftp || replies.source.port == asked.port) => {
            Origin::Asked
        }
        Origin::OtherAddress(sure) | Origin::OtherPort(sure) if is_asked => Origin::OtherPort(sure),
        Origin::OtherAddress(sure) | Origin::OtherPort(sure) => Origin::OtherAddress(sure),
        Origin::Asked if is_asked => Origin::OtherPort(Confidence::Certain),
        Origin::Asked => Origin::OtherAddress(Confidence::Certain),
    })
}

fn add(near: &mut View, far: &View, replies: Vec<Replies>, beside: Beside) {
    let comes_from = |source: Endpoint| replies.iter().any(|replies| replies.source == source);
    for follow_ups in &mut near.follow_ups {
        follow_ups.course = find_course(follow_ups, near.asked, &replies);
    }
    let known = |known: &FollowUps, other: &FollowUps| {
        (known.source, known.destination) == (other.source, other.destination)
    };
    let further: Vec<FollowUps> = far
        .follow_ups
        .iter()
        .filter(|other| comes_from(other.destination))
        .filter(|other| !near.follow_ups.iter().any(|follow_ups| known(follow_ups, other)))
        .copied()
        .collect();
    let errors: Vec<IcmpErrors> = far
        .icmp_errors
        .iter()
        .filter(|error| {
            let is_followed_up = error.quoted_destination.is_some_and(&comes_from);
            error.quotes == Quotes::Reply || (error.quotes == Quotes::FollowUp && is_followed_up)
        })
        .filter(|error| !near.icmp_errors.iter().any(|known| is_like(known, error)))
        .copied()
        .collect();
    let shows = |step: &&Step| match step.kind {
        StepKind::Request => false,
        StepKind::Reply => {
            step.ports.is_some_and(|(port, _)| comes_from(Endpoint::new(step.source, port)))
        }
        StepKind::FollowUp => further.iter().any(|follow_ups| {
            let port = step.ports.map(|(_, port)| port);
            follow_ups.destination.address == step.destination
                && port == Some(follow_ups.destination.port)
        }),
        StepKind::IcmpError => errors.iter().any(|error| error.from == step.source),
    };
    near.steps.extend(far.steps.iter().filter(shows).cloned());
    near.follow_ups.extend(further);
    near.icmp_errors.extend(errors);
    near.replies = replies;
    near.beside = Some(beside);
    // Not in place: the times are taken by the view's own clock.
    let mut steps = std::mem::take(&mut near.steps);
    steps.sort_by_key(|step| near.time_of(step.frame));
    near.steps = steps;
    near.steps_omitted = count_packets(near).saturating_sub(to_count(near.steps.len()));
    take_the_rest(near, far, beside.ahead_ns);
}

/// What the answers tell beside themselves.
fn take_the_rest(near: &mut View, far: &View, ahead_ns: i64) {
    near.unanswered = far.unanswered;
    near.lost_replies = near.lost_replies.or(far.lost_replies);
    near.asked_again = near.asked_again.or(far.asked_again);
    near.discarded = near.discarded.or(far.discarded);
    near.progress = near.progress.or(far.progress);
    near.answered_elsewhere = near.answered_elsewhere.or(far.answered_elsewhere);
    near.payload_replies = near.payload_replies.or(far.payload_replies);
    near.late_change = near.late_change.or(far.late_change);
    near.stall = near.stall.or(far.stall);
    if near.dropped.is_none() {
        near.dropped.clone_from(&far.dropped);
    }
    if near.error_answer.is_none() {
        near.error_answer.clone_from(&far.error_answer);
    }
    near.has_payloads |= far.has_payloads;
    near.last_at = near.last_at.max(far.last_at.back(ahead_ns));
}

/// Where follow-ups went, now that it is known who answered.
fn find_course(follow_ups: &FollowUps, asked: Option<Endpoint>, replies: &[Replies]) -> Course {
    let destination = follow_ups.destination;
    if follow_ups.course != Course::AnswererUnseen {
        return follow_ups.course;
    }
    if replies.iter().any(|replies| replies.source == destination) {
        return Course::ToAnswerer;
    }
    let is_twin =
        |replies: &Replies| replies.origin.is_changed() && replies.source.port == destination.port;
    let is_asked = asked.is_some_and(|asked| asked.address == destination.address);
    if is_asked && replies.iter().any(is_twin) {
        Course::ToAskedAddress
    } else {
        Course::AnswererUnseen
    }
}

fn is_like(known: &IcmpErrors, other: &IcmpErrors) -> bool {
    (known.kind, known.from, known.quotes, known.quoted_destination)
        == (other.kind, other.from, other.quotes, other.quoted_destination)
}

pub fn count_packets(view: &View) -> u64 {
    let errors: u64 = view.icmp_errors.iter().map(|errors| errors.tally.packets).sum();
    view.requests.packets + view.reply_packets() + view.follow_up_packets() + errors
}

pub fn to_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The clock of `far` minus that of `near`, as all exchanges that both saw show it, or
/// else as this one does.
pub fn ahead_ns(near: &View, far: &View, offsets: &BTreeMap<CaptureId, ClockOffset>) -> i64 {
    find_offset_ns(near, far, offsets).unwrap_or_else(|| far.first_at.ahead_of_ns(near.first_at))
}

/// The clock of `far` minus that of `near`, where exchanges that both saw show it.
pub fn find_offset_ns(
    near: &View,
    far: &View,
    offsets: &BTreeMap<CaptureId, ClockOffset>,
) -> Option<i64> {
    if near.point.capture == far.point.capture {
        return Some(0);
    }
    let offset_us = |view: &View| Some(offsets.get(&view.point.capture)?.offset_us);
    let (far, near) = offset_us(far).zip(offset_us(near))?;
    Some(far.saturating_sub(near).saturating_mul(1_000))
}

fn was_listening(near: &View, points: &[Point], at: Timestamp) -> bool {
    let point = points.iter().find(|point| point.id == near.point);
    let observed = point.and_then(|point| point.observed);
    observed.is_some_and(|(first, last)| first <= at && at <= last)
}
