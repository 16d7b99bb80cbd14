//! Replies by source and follow-ups by destination, in fewer bytes than the
//! model's: a capture may hold many transfers at once.

use super::count::CountWithRepeat;
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Origin, Replies};

/// Replies from one source; see [`Replies`].
#[derive(Debug, Clone, Copy)]
pub struct RepliesFrom {
    pub source: Endpoint,
    pub origin: Origin,
    pub tally: CountWithRepeat,
    pub awaits_follow_up: bool,
    /// Of these, whom the client asked answered so many as well.
    pub beside: u32,
}

/// Packets that follow a reply, by destination; see [`FollowUps`].
#[derive(Debug, Clone, Copy)]
pub struct FollowUpsTo {
    pub source: Endpoint,
    pub destination: Endpoint,
    pub course: Course,
    pub tally: CountWithRepeat,
}

impl RepliesFrom {
    /// As the model has them.
    pub fn replies(&self, capture: CaptureId) -> Replies {
        // One question that two answer was sent to both.
        let is_beside = self.beside > 0 && self.beside >= self.tally.count.packets;
        Replies {
            source: self.source,
            origin: if is_beside { Origin::ByDesign } else { self.origin },
            tally: self.tally.tally(capture),
            awaits_follow_up: self.awaits_follow_up,
        }
    }
}

impl FollowUpsTo {
    /// As the model has them.
    pub fn follow_ups(&self, capture: CaptureId) -> FollowUps {
        FollowUps {
            source: self.source,
            destination: self.destination,
            course: self.course,
            tally: self.tally.tally(capture),
        }
    }
}
