//! What ScreenOS prints of packets: `snoop`, and `get db stream` after it.
//!
//! A packet is a head line, lines that say in words what its headers hold, and
//! under `snoop detail` lines of 16 bytes in hex; a blank line ends it. What
//! `debug flow` prints goes into the same buffer and shows the same packets
//! again, without their bytes: such lines are passed over.

mod head;
mod icmp;
mod packet;

use super::faults::Faults;
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame};
use crate::model::input::Place;
use crate::model::packet::Packet;
use crate::model::time::Timestamp;
pub use head::begins_trace;
use head::{Head, is_damaged_head, parse_head};
use packet::{Line, Pending, Reading};

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Interfaces that are told apart; more share one without a name.
const LIMIT_INTERFACES: usize = 256;

/// The packets of one trace: a capture of its own.
#[derive(Debug, Default)]
pub struct NetscreenRun {
    first_line: u64,
    is_open: bool,
    frames: u64,
    /// Names of the interfaces that were told, in the order of their indexes.
    interfaces: Vec<String>,
    pending: Option<Pending>,
    last_at: Option<Timestamp>,
    faults: Faults,
}

impl NetscreenRun {
    /// A trace that begins at `first_line`.
    #[must_use]
    pub fn new(first_line: u64) -> Self {
        Self { first_line, ..Self::default() }
    }

    /// Takes the next line; says whether it is a packet's. Others may stand
    /// between packets and end none but the one before.
    pub fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        match parse_head(text) {
            Ok(head) => {
                self.begin_packet(line, head, sink);
                return true;
            }
            Err(message) if is_damaged_head(text) => {
                self.pass_over(line, message, sink);
                return true;
            }
            Err(_) => {}
        }
        let Some(pending) = &mut self.pending else { return false };
        match pending.push(text) {
            Line::Taken => {}
            Line::Foreign => {
                self.break_off(sink);
                return false;
            }
            Line::Blank => self.settle(sink),
            Line::Damaged(message) => {
                let place = Place::Line(line);
                self.faults.tell("lines of packets", place, || message, sink);
            }
        }
        true
    }

    /// Ends the capture.
    pub fn finish(mut self, sink: Sink<'_>) {
        self.break_off(sink);
        if self.is_open {
            self.faults.tell_rest(sink);
            sink(Event::CaptureEnds);
        }
    }

    fn begin_packet(&mut self, line: u64, head: Head<'_>, sink: Sink<'_>) {
        self.break_off(sink);
        self.open(sink);
        self.frames += 1;
        self.last_at = Some(head.at);
        self.pending = Some(Pending::new(line, self.frames, head));
    }

    /// A packet of which the head cannot be read: it has a number, no more.
    fn pass_over(&mut self, line: u64, message: String, sink: Sink<'_>) {
        self.break_off(sink);
        self.open(sink);
        self.frames += 1;
        self.faults.tell("heads of packets", Place::Line(line), || message, sink);
        sink(Event::OtherPacket { frame: self.frames, at: self.last_at });
    }

    fn open(&mut self, sink: Sink<'_>) {
        if !std::mem::replace(&mut self.is_open, true) {
            sink(Event::CaptureBegins(CaptureHeader {
                line: Some(self.first_line),
                // Seconds since the firewall was started.
                ..CaptureHeader::of(CaptureFormat::NetscreenText, Clock::Relative)
            }));
        }
    }

    /// Ends the packet before without the blank line that belongs behind it. One
    /// that ends in order may have fewer bytes than it had: `snoop` was told so.
    fn break_off(&mut self, sink: Sink<'_>) {
        if let Some(pending) = self.pending.as_ref().filter(|pending| pending.is_cut()) {
            let message = format!(
                "frame {} is cut: its head announces {} bytes, and fewer follow",
                pending.frame, pending.length
            );
            let place = Place::Line(pending.line);
            self.faults.tell("packets that are cut", place, || message, sink);
        }
        self.settle(sink);
    }

    fn settle(&mut self, sink: Sink<'_>) {
        let Some(pending) = self.pending.take() else { return };
        let interface = self.interface(&pending, sink);
        let (frame, at) = (pending.frame, pending.at);
        match pending.read() {
            Reading::Bytes { bytes, link_type } => {
                let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                sink(Event::Frame(Frame {
                    number: frame,
                    at,
                    interface,
                    link_type,
                    direction: Some(pending.direction),
                    original_length: pending.length.max(captured),
                    bytes,
                }));
            }
            Reading::Words(content) => sink(Event::Packet(Packet {
                direction: Some(pending.direction),
                ..Packet::without_headers(frame, at, interface, content)
            })),
            Reading::Other => sink(Event::OtherPacket { frame, at: Some(at) }),
        }
    }

    /// The index of a packet's interface, which is told when it is new.
    fn interface(&mut self, pending: &Pending, sink: Sink<'_>) -> u32 {
        let known = self.interfaces.iter().position(|name| *name == pending.interface);
        let position = known.unwrap_or_else(|| self.interfaces.len().min(LIMIT_INTERFACES));
        let index = u32::try_from(position).unwrap_or(u32::MAX);
        if position == self.interfaces.len() {
            let is_named = position < LIMIT_INTERFACES;
            self.interfaces.push(if is_named { pending.interface.clone() } else { String::new() });
            sink(Event::Interface(InterfaceHeader {
                index,
                name: is_named.then(|| pending.interface.clone()),
                link_type: pending.find_link_type(),
            }));
        }
        index
    }
}

#[cfg(test)]
mod tests;
