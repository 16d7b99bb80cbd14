//! Captures that go on where others end.

use std::collections::BTreeMap;

use super::capture::{CaptureId, FrameRef};

/// Which captures are parts of one: what `tcpdump -C` or `-G` went on with in
/// another file, or somebody cut, is followed as one capture.
///
/// The frames of all parts are numbered through, under the id of the first;
/// [`CaptureParts::place`] says which frame of which file that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureParts {
    /// By the first part: the others in order of time.
    parts: BTreeMap<CaptureId, Vec<Part>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    capture: CaptureId,
    frames_before: u64,
}

impl CaptureParts {
    /// Notes that `capture` goes on with what `first` began, after
    /// `frames_before` frames. Parts come in order of time.
    pub fn add(&mut self, first: CaptureId, capture: CaptureId, frames_before: u64) {
        self.parts.entry(first).or_default().push(Part { capture, frames_before });
    }

    /// The frame as its own file numbers it.
    #[must_use]
    pub fn place(&self, frame: FrameRef) -> FrameRef {
        let parts = self.parts.get(&frame.capture).map(Vec::as_slice).unwrap_or_default();
        match parts.iter().rev().find(|part| part.frames_before < frame.number) {
            Some(part) => FrameRef {
                capture: part.capture,
                number: frame.number - part.frames_before,
                at: frame.at,
            },
            None => frame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    #[test]
    fn frames_are_placed_in_their_own_file() {
        let mut parts = CaptureParts::default();
        parts.add(CaptureId(2), CaptureId(0), 10);
        parts.add(CaptureId(2), CaptureId(1), 10);
        parts.add(CaptureId(2), CaptureId(4), 25);
        let cases = [
            // numbered through, the file and its own number
            ((2, 1), (2, 1)),
            ((2, 10), (2, 10)),
            ((2, 11), (1, 1)),
            ((2, 25), (1, 15)),
            ((2, 26), (4, 1)),
            ((3, 26), (3, 26)),
        ];
        for ((capture, number), (file, own)) in cases {
            let frame = FrameRef { capture: CaptureId(capture), number, at: Timestamp::EPOCH };
            let placed = parts.place(frame);
            assert_eq!((placed.capture, placed.number), (CaptureId(file), own), "{number}");
        }
    }
}
