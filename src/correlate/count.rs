//! Counts of like packets, small enough for a million exchanges.

use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::{Novelty, Tally};
use crate::model::time::Timestamp;

/// Like packets, the first and the last of them.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub packets: u32,
    pub repeats: u32,
    /// UDP payload bytes.
    pub bytes: u64,
    pub first: Mark,
    pub last: Mark,
}

/// A frame of the table's capture. Numbers beyond 2³² stay there.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
pub struct Mark {
    number: u32,
    pub at: Timestamp,
}

impl Mark {
    const NONE: Self = Self { number: 0, at: Timestamp::EPOCH };

    pub fn new(frame: FrameRef) -> Self {
        Self { number: u32::try_from(frame.number).unwrap_or(u32::MAX), at: frame.at }
    }

    pub fn frame(self, capture: CaptureId) -> FrameRef {
        FrameRef { capture, number: u64::from(self.number), at: self.at }
    }
}

impl Count {
    pub const NONE: Self =
        Self { packets: 0, repeats: 0, bytes: 0, first: Mark::NONE, last: Mark::NONE };

    pub fn count(&mut self, frame: FrameRef, bytes: u32, novelty: Novelty) {
        self.last = Mark::new(frame);
        if self.packets == 0 {
            self.first = self.last;
        }
        self.packets = self.packets.saturating_add(1);
        self.bytes += u64::from(bytes);
        if novelty == Novelty::Repeat {
            self.repeats = self.repeats.saturating_add(1);
        }
    }

    /// The first packet.
    pub fn first(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.first.frame(capture))
    }

    /// As the model has it.
    pub fn tally(&self, capture: CaptureId, first_repeat: Option<FrameRef>) -> Tally {
        Tally {
            packets: u64::from(self.packets),
            bytes: self.bytes,
            repeats: u64::from(self.repeats),
            first: self.first(capture),
            last: self.last(capture),
            first_repeat,
        }
    }

    /// The last packet.
    pub fn last(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.last.frame(capture))
    }
}

/// The same, with the first packet that repeats an earlier one.
#[derive(Debug, Clone, Copy)]
pub struct CountWithRepeat {
    pub count: Count,
    first_repeat: Mark,
}

impl CountWithRepeat {
    pub const NONE: Self = Self { count: Count::NONE, first_repeat: Mark::NONE };

    /// What was counted otherwise, and the first of its repetitions where that is known.
    pub fn of(count: Count, first_repeat: Option<Mark>) -> Self {
        Self { count, first_repeat: first_repeat.unwrap_or(count.last) }
    }

    pub fn count(&mut self, frame: FrameRef, bytes: u32, novelty: Novelty) {
        if novelty == Novelty::Repeat && self.count.repeats == 0 {
            self.first_repeat = Mark::new(frame);
        }
        self.count.count(frame, bytes, novelty);
    }

    /// As the model has it.
    pub fn tally(&self, capture: CaptureId) -> Tally {
        let first_repeat = (self.count.repeats > 0).then(|| self.first_repeat.frame(capture));
        self.count.tally(capture, first_repeat)
    }
}

/// Requests that wait for an answer, and the first of them.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub packets: u32,
    pub first: Mark,
}
