//! Faults of one capture, located and bounded.

use crate::ingest::Event;
use crate::model::input::{Fault, Place};

/// Faults that are told one by one; the rest are counted.
const LIMIT_FAULTS: u32 = 100;

/// The faults of one capture so far.
#[derive(Debug, Default)]
pub struct Faults {
    reported: u32,
    omitted: u64,
    last_line: u64,
}

impl Faults {
    /// Hands out one fault, or counts it.
    pub fn report(&mut self, line: u64, message: String, sink: &mut dyn FnMut(Event<'_>)) {
        if self.reported < LIMIT_FAULTS {
            self.reported += 1;
            sink(Event::Fault(Fault { place: Place::Line(line), message }));
        } else {
            self.omitted += 1;
            self.last_line = line;
        }
    }

    /// Hands out the count of what was not told.
    pub fn finish(&self, sink: &mut dyn FnMut(Event<'_>)) {
        if self.omitted > 0 {
            let message = format!("{} more lines up to here could not be read", self.omitted);
            sink(Event::Fault(Fault { place: Place::Line(self.last_line), message }));
        }
    }
}
