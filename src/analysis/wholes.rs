//! Captures that go on in another file, and what is held back until that is known.

use super::Analysis;
use crate::model::parts::CaptureParts;

/// Captures that may wait for fragments at once.
const MAX_OPEN: usize = 16;

impl Analysis {
    /// Passes on what the captures hold back, in order of time: one that goes on
    /// where another ended is followed as a part of that.
    pub(super) fn release(&mut self) {
        self.held_bytes = 0;
        let held =
            self.captures.iter().enumerate().filter_map(|(position, capture)| {
                capture.held().map(|held| (held.times(), position))
            });
        let mut held: Vec<_> = held.collect();
        held.sort_unstable();
        for (times, position) in held {
            let pauses = self.captures.iter().enumerate().filter_map(|(other, before)| {
                let has_begun = other != position && before.held().is_none();
                let pause = self.captures[position].find_pause_after(before, times?)?;
                has_begun.then_some((pause, other))
            });
            if let Some((_, before)) = pauses.min()
                && let Ok([capture, before]) = self.captures.get_disjoint_mut([position, before])
            {
                capture.go_on_with(before);
            }
            self.captures[position].release(&mut self.feeder);
        }
        let open = self.captures.iter_mut().filter(|capture| capture.is_open());
        let mut open: Vec<_> = open.collect();
        let excess = open.len().saturating_sub(MAX_OPEN);
        for capture in &mut open[..excess] {
            capture.end(&mut self.feeder);
        }
    }

    /// Which captures are parts of one, once all have been read.
    pub(super) fn parts(&self) -> CaptureParts {
        let later = self.captures.iter().filter(|capture| capture.frames_before() > 0);
        let mut later: Vec<_> = later.collect();
        later.sort_by_key(|capture| capture.frames_before());
        let mut parts = CaptureParts::default();
        for capture in later {
            parts.add(capture.first_part(), capture.id(), capture.frames_before());
        }
        parts
    }
}
