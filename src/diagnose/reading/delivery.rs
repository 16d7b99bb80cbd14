//! What was seen at one capture point and never at the next.
//!
//! Nothing is claimed unless it is shown that the next point was listening then:
//! a capture that had not begun, or whose clock is not known, proves nothing.

use std::time::Duration;

use super::{Habit, Reading};
use crate::diagnose::path::{Way, is_before, steps_from_client};
use crate::model::capture::{FrameRef, PointKind};
use crate::model::exchange::{Course, FollowUps, Point, Replies, Tally, View};
use crate::model::finding::Confidence;

/// What a point needs to go on after a packet, so that its silence counts.
const SILENCE: Duration = Duration::from_secs(1);

/// A request that was seen at one point and not at the next.
#[derive(Debug, Clone, Copy)]
pub struct LostRequest<'a> {
    /// The last point on the way that saw it.
    pub seen: &'a View,
    /// The next point.
    pub missed: &'a Point,
    pub watched: Watched,
}

/// How it is known that the next point would have seen the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// It saw other packets at that time.
    OtherPackets,
    /// It saw the same service asked at another address, or it is the cable of
    /// the very pod that was asked.
    SameService,
    /// It saw other requests to the same endpoint.
    SameEndpoint,
}

impl Watched {
    /// How sure the loss is.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::OtherPackets => Confidence::Possible,
            Self::SameService => Confidence::Likely,
            Self::SameEndpoint => Confidence::Certain,
        }
    }
}

/// Follow-ups that were seen at one point and not at the next.
#[derive(Debug, Clone, Copy)]
pub struct LostFollowUp<'a> {
    pub seen: &'a View,
    pub follow_ups: &'a FollowUps,
    pub missed: &'a View,
    /// The reply that the server repeats there.
    pub reply: &'a Replies,
}

/// Replies that were seen at the server's side and not nearer to the client.
#[derive(Debug, Clone, Copy)]
pub struct LostReply<'a> {
    pub seen: &'a View,
    pub reply: &'a Replies,
    pub missed: &'a View,
    pub confidence: Confidence,
}

impl<'a> Reading<'a> {
    /// The request that did not get to the next point, if nothing of the
    /// exchange was seen there and nothing came back.
    pub(super) fn find_lost_request(&self) -> Option<LostRequest<'a>> {
        let expected = matches!(self.habit, Habit::Conversation | Habit::OneWay);
        let views = &self.exchange.views;
        if !expected || self.points.len() < 2 || views.iter().any(|view| view.reply_packets() > 0) {
            return None;
        }
        let place = |kind| steps_from_client(self.exchange, kind);
        let asked_at = |view: &&View| view.asked.is_some() && view.requests.first.is_some();
        let seen = views.iter().filter(asked_at).max_by_key(|view| place(view.kind))?;
        let here = place(seen.kind)?;
        let beyond = |point: &&Point| place(point.kind) > Some(here) && point.observed.is_some();
        let next = self
            .points
            .iter()
            .filter(beyond)
            .map(|point| point.kind)
            .min_by_key(|kind| place(*kind))?;
        let candidates = || self.points.iter().filter(|point| point.kind == next && beyond(point));
        // A translated client may hide the request among exchanges of its own.
        if views.iter().any(|view| place(view.kind) > Some(here))
            || candidates().any(|p| self.crossings.has_orphan(self.exchange, seen, p.id))
        {
            return None;
        }
        let alone = candidates().nth(1).is_none();
        let graded = candidates().filter_map(|point| {
            let watched = self.watched(seen, point)?;
            (watched > Watched::OtherPackets || alone).then_some((watched, point))
        });
        let (watched, missed) = graded.max_by_key(|(watched, _)| *watched)?;
        // Silence of one-way protocols is usual: only sure signs count.
        let enough = self.habit == Habit::Conversation || watched == Watched::SameEndpoint;
        enough.then_some(LostRequest { seen, missed, watched })
    }

    /// Whether the request is one of many of its client's, from a socket each, that got to
    /// the node and not to the pod, where others did: then no answer has to be waited for.
    pub(super) fn is_never_delivered(&self) -> bool {
        let is_proven = |lost: &LostRequest<'_>| lost.watched == Watched::SameEndpoint;
        self.lost_request.as_ref().is_some_and(is_proven)
            && self.crossings.is_one_of_many_in_vain(self.exchange)
    }

    /// How well `point` watched while `seen` saw the requests.
    fn watched(&self, seen: &View, point: &Point) -> Option<Watched> {
        let asked = seen.asked?;
        let (protocol, way) = (self.exchange.protocol, Way { from: seen.point, to: point.id });
        if !self.was_listening(seen, &seen.requests, point) {
            return None;
        }
        let by_passed = self.crossings.passes_by(protocol, asked, point.kind);
        if self.crossings.crosses(protocol, asked, way) {
            // Where others were answered without passing here, another server
            // stands elsewhere, and this request may have gone there.
            return Some(if by_passed { Watched::OtherPackets } else { Watched::SameEndpoint });
        }
        if by_passed {
            return None;
        }
        let leads_to_asked = point.interface.as_deref().is_some_and(|interface| {
            self.topology
                .link_behind(point.node.as_deref(), interface)
                .is_some_and(|link| link.leads_to == asked.address)
        });
        if leads_to_asked || self.crossings.crosses_port(protocol, asked.port, way) {
            return Some(Watched::SameService);
        }
        let others = self.crossings.serves_others(protocol, asked.port, point.id);
        (!others).then_some(Watched::OtherPackets)
    }

    /// Whether a pod's capture ran while some of `requests` were sent.
    #[must_use]
    pub fn was_pod_listening(&self, requests: &Tally) -> bool {
        let mut pods = self.points.iter().filter(|point| point.kind == PointKind::Pod);
        pods.any(|point| self.was_listening(self.view, requests, point))
    }

    /// Whether `point` saw packets before and after one of the requests that `seen` shows.
    fn was_listening(&self, seen: &View, requests: &Tally, point: &Point) -> bool {
        let Some((first, last)) = point.observed else { return false };
        let frames = [requests.first, requests.first_repeat, requests.last];
        frames.into_iter().flatten().any(|frame| {
            let at = self.crossings.at_point(frame.at, seen.point, point.id);
            first <= at && at <= last
        })
    }

    /// Follow-ups to the answerer that did not get to the next point, where the
    /// server went on repeating its reply.
    pub(super) fn find_lost_follow_up(&self) -> Option<LostFollowUp<'a>> {
        if self.habit != Habit::Conversation || self.went_on() {
            return None;
        }
        let views = &self.exchange.views;
        views.iter().find_map(|seen| {
            let follow_ups = seen
                .follow_ups_on(Course::ToAnswerer)
                .find(|follow_ups| follow_ups.tally.first.is_some())?;
            let sent = follow_ups.tally.first?;
            let missed = self.next_view(seen).filter(|view| view.follow_up_packets() == 0)?;
            let reply = missed.replies.iter().find(|reply| {
                reply.awaits_follow_up
                    && reply.tally.repeats > 0
                    && self.is_after(reply.tally.last, missed, sent, seen)
            })?;
            Some(LostFollowUp { seen, follow_ups, missed, reply })
        })
    }

    /// Replies that the server's side saw and the next point towards the client did not.
    pub(super) fn find_lost_reply(&self) -> Option<LostReply<'a>> {
        if self.habit != Habit::Conversation {
            return None;
        }
        let views = &self.exchange.views;
        let missed = views.iter().filter(|view| view.requests.first.is_some()).find(|missed| {
            let nearer = |view: &&View| is_before(self.exchange, view, missed);
            missed.replies.is_empty()
                && missed.follow_ups.is_empty()
                && views.iter().filter(nearer).all(|view| view.replies.is_empty())
        })?;
        let seen = self.next_view(missed)?;
        let reply = seen.replies.iter().find(|reply| reply.tally.first.is_some())?;
        let sent = reply.tally.first?;
        if self.crossings.is_addressed(missed.point, self.exchange.client) {
            return None;
        }
        // What is on the way when the capture ends is not lost.
        let at = self.crossings.at_point(sent.at, seen.point, missed.point);
        let asks_on =
            missed.requests.packets >= 2 && self.is_after(missed.requests.last, missed, sent, seen);
        if !asks_on && missed.observed_until.since(at) < SILENCE {
            return None;
        }
        let sure = asks_on && reply.tally.packets >= 2;
        let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
        Some(LostReply { seen, reply, missed, confidence })
    }

    /// The view of the next point that a request passes after `view`.
    fn next_view(&self, view: &View) -> Option<&'a View> {
        let beyond = self.exchange.views.iter().filter(|far| is_before(self.exchange, view, far));
        beyond.min_by_key(|far| steps_from_client(self.exchange, far.kind))
    }

    /// Whether `later`, by the clock of `there`, is after `frame`, by the clock of `here`.
    fn is_after(
        &self,
        later: Option<FrameRef>,
        there: &View,
        frame: FrameRef,
        here: &View,
    ) -> bool {
        later.is_some_and(|later| {
            later.at > self.crossings.at_point(frame.at, here.point, there.point)
        })
    }
}
