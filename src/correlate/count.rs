//! Counts of like packets, small enough for a million exchanges.

use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::Novelty;
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

    fn new(frame: FrameRef) -> Self {
        Self { number: u32::try_from(frame.number).unwrap_or(u32::MAX), at: frame.at }
    }

    fn frame(self, capture: CaptureId) -> FrameRef {
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

    /// The last packet.
    pub fn last(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.last.frame(capture))
    }
}

/// Requests that wait for an answer, and the first of them; the last is the
/// exchange's last request.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub packets: u32,
    pub first: Mark,
}

impl Waiting {
    pub const NONE: Self = Self { packets: 0, first: Mark::NONE };

    pub fn count(&mut self, frame: FrameRef) {
        if self.packets == 0 {
            self.first = Mark::new(frame);
        }
        self.packets = self.packets.saturating_add(1);
    }

    /// The first of them.
    pub fn first(&self, capture: CaptureId) -> Option<FrameRef> {
        (self.packets > 0).then(|| self.first.frame(capture))
    }
}
