//! Repetitions after which nobody says anything new.

use super::Details;
use crate::correlate::repetition::is_untimed;
use crate::model::capture::FrameRef;
use crate::model::endpoint::FlowKey;
use crate::model::exchange::{Novelty, SOONEST_REPEAT, Stall};

impl Details {
    /// Counts repetitions until somebody says something new.
    pub fn note_stall(&mut self, frame: FrameRef, flow: FlowKey, novelty: Novelty) {
        let FlowKey { source, destination, .. } = flow;
        match (novelty, &mut self.stall) {
            (Novelty::New, stall) => *stall = None,
            (Novelty::Repeat, Some(stall)) => {
                // What comes sooner is a window of blocks. Without times all that is known of
                // a pause is that senders make one.
                let is_untimed = is_untimed(frame.at, stall.last.at);
                if is_untimed || frame.at.since(stall.last.at) >= SOONEST_REPEAT {
                    stall.repeats += 1;
                    stall.last = frame;
                }
            }
            (Novelty::Repeat, stall) => {
                *stall = Some(Box::new(Stall {
                    repeats: 1,
                    first: frame,
                    last: frame,
                    source,
                    destination,
                }));
            }
        }
    }
}
