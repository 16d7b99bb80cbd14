//! Comments that people and programs wrote into a capture.

use crate::ingest::Event;
use crate::ingest::label::label;

/// Comments that are told; the rest is counted.
const TOLD_MAX: u64 = 20;

/// Tells the first comments of a capture.
#[derive(Default)]
pub struct Comments {
    count: u64,
}

impl Comments {
    /// Tells one comment; `place` says what it is on.
    pub fn tell(&mut self, place: &str, text: &[u8], sink: &mut dyn FnMut(Event<'_>)) {
        self.count += 1;
        if self.count <= TOLD_MAX {
            sink(Event::Note(format!("{place}: {}", label(text))));
        }
    }

    /// Says how many comments were not told.
    pub fn tell_rest(&self, sink: &mut dyn FnMut(Event<'_>)) {
        match self.count.saturating_sub(TOLD_MAX) {
            0 => {}
            1 => sink(Event::Note("the capture has one more comment".to_owned())),
            more => sink(Event::Note(format!("the capture has {more} more comments"))),
        }
    }
}
