//! One packet on its way past several observation points.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::{Carries, Fate, FlowEvent};
use crate::model::time::Timestamp;

/// A packet passes all points of a node, and of the next one, within this time.
const ON_THE_WAY: Duration = Duration::from_millis(50);
/// Packets on their way at once; without times, as many lines.
const LIMIT_WAITING: usize = 64;
/// Points that one packet passes at most.
const LIMIT_POINTS: usize = 16;

/// Packets that may still be shown at further points.
#[derive(Debug, Default)]
pub(super) struct Passing {
    waiting: VecDeque<Waiting>,
}

/// A packet as its first line showed it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub frame: u64,
    pub line: u64,
    pub at: Timestamp,
    pub event: FlowEvent,
    /// The points at which it was shown.
    points: Vec<String>,
}

impl Waiting {
    pub fn new(frame: u64, line: u64, at: Timestamp, event: FlowEvent) -> Self {
        let points = vec![event.point.clone()];
        Self { frame, line, at, event, points }
    }

    /// Whether `later` shows this very packet at another point. The same point
    /// shows the same packet once.
    fn is_shown_again_by(&self, later: &Self) -> bool {
        self.event.carries == Carries::Udp
            && self.event.carries == later.event.carries
            && self.event.fate != Fate::NoPacket
            && later.event.fate != Fate::NoPacket
            && self.event.source == later.event.source
            && self.event.destination == later.event.destination
            && later.at.distance(self.at) <= ON_THE_WAY
            && self.points.len() < LIMIT_POINTS
            && !self.points.contains(&later.event.point)
    }
}

impl Passing {
    /// Takes the next event. Gives the frame's number back where it shows a
    /// packet again that waits already.
    pub fn push(&mut self, waiting: Waiting) -> Option<u64> {
        let known = self.waiting.iter_mut().find(|known| known.is_shown_again_by(&waiting));
        if let Some(known) = known {
            // What became of it in the end is what counts.
            if waiting.event.fate == Fate::Dropped {
                known.event.fate = Fate::Dropped;
                known.event.point.clone_from(&waiting.event.point);
            }
            known.event.is_reply = known.event.is_reply.or(waiting.event.is_reply);
            known.points.push(waiting.event.point);
            return Some(waiting.frame);
        }
        self.waiting.push_back(waiting);
        None
    }

    /// The next packet that nothing more can be told of at `now`.
    pub fn pop(&mut self, now: Timestamp, is_timed: bool) -> Option<Waiting> {
        let first = self.waiting.front()?;
        let is_past = is_timed && now.distance(first.at) > ON_THE_WAY;
        if is_past || self.waiting.len() > LIMIT_WAITING { self.waiting.pop_front() } else { None }
    }

    /// The next packet, at the end.
    pub fn pop_any(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }
}
