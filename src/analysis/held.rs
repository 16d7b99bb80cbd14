//! What captures hold, kept until it is known which of them belong together.

use crate::ingest::{Event, NamedPacket};
use crate::model::capture::{Direction, Frame, LinkType};
use crate::model::input::Fault;
use crate::model::packet::Packet;
use crate::model::time::Timestamp;

/// What a kept event takes besides its bytes, about.
const EVENT_BYTES: usize = size_of::<HeldEvent>();

/// The frames of one capture in their order.
#[derive(Debug, Default)]
pub struct Held {
    /// The bytes of all frames, one behind the other.
    bytes: Vec<u8>,
    events: Vec<HeldEvent>,
    times: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug)]
enum HeldEvent {
    Frame(HeldFrame),
    Packet(Box<Packet>),
    Named(Box<NamedPacket>),
    Other { frame: u64, at: Option<Timestamp> },
    Fault(Fault),
}

#[derive(Debug)]
struct HeldFrame {
    number: u64,
    at: Timestamp,
    interface: u32,
    link_type: LinkType,
    direction: Option<Direction>,
    original_length: u32,
    captured_bytes: usize,
}

impl Held {
    pub fn frame(&mut self, frame: &Frame<'_>) {
        self.note_time(frame.at);
        self.bytes.extend_from_slice(frame.bytes);
        self.events.push(HeldEvent::Frame(HeldFrame {
            number: frame.number,
            at: frame.at,
            interface: frame.interface,
            link_type: frame.link_type,
            direction: frame.direction,
            original_length: frame.original_length,
            captured_bytes: frame.bytes.len(),
        }));
    }

    pub fn packet(&mut self, packet: Packet) {
        self.note_time(packet.at);
        self.events.push(HeldEvent::Packet(Box::new(packet)));
    }

    /// Keeps what is a part of the capture; gives back what says something of the whole.
    pub fn take_other<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        let held = match event {
            Event::NamedPacket(named) => {
                self.note_time(named.packet.at);
                HeldEvent::Named(Box::new(named))
            }
            Event::OtherPacket { frame, at } => {
                if let Some(at) = at {
                    self.note_time(at);
                }
                HeldEvent::Other { frame, at }
            }
            Event::Fault(fault) => HeldEvent::Fault(fault),
            event => return Some(event),
        };
        self.events.push(held);
        None
    }

    /// The first and the last time of what is held.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
    }

    /// How much memory it takes, about.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len() + self.events.len() * EVENT_BYTES
    }

    /// Hands out all events in their order.
    pub fn replay(self, mut take: impl FnMut(Event<'_>)) {
        let mut rest = self.bytes.as_slice();
        for event in self.events {
            match event {
                HeldEvent::Frame(held) => {
                    let (bytes, behind) = rest.split_at(held.captured_bytes.min(rest.len()));
                    rest = behind;
                    take(Event::Frame(Frame {
                        number: held.number,
                        at: held.at,
                        interface: held.interface,
                        link_type: held.link_type,
                        direction: held.direction,
                        original_length: held.original_length,
                        bytes,
                    }));
                }
                HeldEvent::Packet(packet) => take(Event::Packet(*packet)),
                HeldEvent::Named(named) => take(Event::NamedPacket(*named)),
                HeldEvent::Other { frame, at } => take(Event::OtherPacket { frame, at }),
                HeldEvent::Fault(fault) => take(Event::Fault(fault)),
            }
        }
    }

    fn note_time(&mut self, at: Timestamp) {
        let (first, last) = self.times.get_or_insert((at, at));
        *first = (*first).min(at);
        *last = (*last).max(at);
    }
}
