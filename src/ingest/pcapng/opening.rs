//! How a capture begins: its clock is known only with its first packet.

use std::cell::Cell;
use std::rc::Rc;

use crate::ingest::{CaptureHeader, Event};
use crate::model::capture::{CaptureFormat, Clock};

/// Events that may wait for the first packet: a capture has few interfaces and
/// comments, and one that has more is begun without it.
const WAITING_MAX: usize = 1_024;

/// The header of a capture that has times.
pub const fn header() -> CaptureHeader {
    CaptureHeader::of(CaptureFormat::Pcapng, Clock::Absolute)
}

/// Keeps the beginning of a capture back until its first packet shows whether its
/// packets have times.
#[derive(Debug, Default)]
pub struct Opening {
    /// Set by the reader before it hands out a first packet that has no time.
    pub is_untimed: Rc<Cell<bool>>,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    header: CaptureHeader,
    /// Interfaces, notes and faults, in their order.
    events: Vec<Event<'static>>,
}

impl Opening {
    /// Passes an event on, or keeps it.
    pub fn pass(&mut self, event: Event<'_>, sink: &mut dyn FnMut(Event<'_>)) {
        if let Event::CaptureBegins(header) = event {
            self.waiting = Some(Waiting { header, events: Vec::new() });
            return;
        }
        let Some(waiting) = &mut self.waiting else { return sink(event) };
        let event = match event {
            Event::Interface(header) => Event::Interface(header),
            Event::Note(note) => Event::Note(note),
            Event::Fault(fault) => Event::Fault(fault),
            event => {
                self.begin(sink);
                return sink(event);
            }
        };
        waiting.events.push(event);
        if waiting.events.len() >= WAITING_MAX {
            self.begin(sink);
        }
    }

    fn begin(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        if let Some(Waiting { mut header, events }) = self.waiting.take() {
            if self.is_untimed.get() {
                header.clock = Clock::None;
            }
            sink(Event::CaptureBegins(header));
            events.into_iter().for_each(sink);
        }
    }
}
