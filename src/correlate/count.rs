//! Counts of like packets, small enough for a million exchanges.

use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::{Novelty, Tally};
use crate::model::time::Timestamp;

/// Like packets, the first and the last of them.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
pub struct Count {
    pub packets: u32,
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
    pub const NONE: Self = Self { packets: 0, bytes: 0, first: Mark::NONE, last: Mark::NONE };

    pub fn count(&mut self, frame: FrameRef, bytes: u32) {
        self.last = Mark::new(frame);
        if self.packets == 0 {
            self.first = self.last;
        }
        self.packets = self.packets.saturating_add(1);
        self.bytes += u64::from(bytes);
    }

    /// The first packet.
    pub fn first(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.first.frame(capture))
    }

    /// As the model has it; of them `repeats` repeat earlier ones.
    pub fn tally(&self, capture: CaptureId, repeats: Repeats) -> Tally {
        Tally {
            packets: u64::from(self.packets),
            bytes: self.bytes,
            repeats: u64::from(repeats.packets),
            first: self.first(capture),
            last: self.last(capture),
            first_repeat: (!repeats.is_none()).then(|| repeats.first.frame(capture)),
        }
    }

    /// The last packet.
    pub fn last(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.last.frame(capture))
    }
}

/// Packets that repeat earlier ones, and the first of them. Few exchanges have any.
#[derive(Debug, Clone, Copy)]
pub struct Repeats {
    packets: u32,
    first: Mark,
}

impl Repeats {
    pub const NONE: Self = Self { packets: 0, first: Mark::NONE };

    pub fn note(&mut self, frame: FrameRef) {
        if self.packets == 0 {
            self.first = Mark::new(frame);
        }
        self.packets = self.packets.saturating_add(1);
    }

    pub const fn is_none(self) -> bool {
        self.packets == 0
    }

    pub const fn packets(self) -> u32 {
        self.packets
    }

    /// The first of them.
    pub fn first(self, capture: CaptureId) -> Option<FrameRef> {
        (!self.is_none()).then(|| self.first.frame(capture))
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::NONE
    }
}

/// A count, and how many of it repeat earlier packets.
#[derive(Debug, Clone, Copy)]
pub struct CountWithRepeat {
    pub count: Count,
    pub repeats: Repeats,
}

impl CountWithRepeat {
    pub const NONE: Self = Self { count: Count::NONE, repeats: Repeats::NONE };

    pub fn count(&mut self, frame: FrameRef, bytes: u32, novelty: Novelty) {
        if novelty == Novelty::Repeat {
            self.repeats.note(frame);
        }
        self.count.count(frame, bytes);
    }

    /// As the model has it.
    pub fn tally(&self, capture: CaptureId) -> Tally {
        self.count.tally(capture, self.repeats)
    }
}

/// Requests that wait for an answer, and the first of them.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub packets: u32,
    pub first: Mark,
}
