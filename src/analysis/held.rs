//! What captures hold, kept until it is known which of them belong together.

use crate::ingest::{Event, NamedPacket};
use crate::model::capture::{Direction, Frame, LinkType};
use crate::model::input::Fault;
use crate::model::packet::Packet;
use crate::model::time::Timestamp;

use super::span::Span;

/// What a kept event takes besides its bytes, about.
const EVENT_BYTES: usize = size_of::<HeldEvent>();

/// Bytes of a block, after which another one begins. Once a buffer of many megabytes is
/// freed, glibc's malloc no longer maps buffers up to that size for themselves (mallopt(3),
/// `M_MMAP_THRESHOLD`): the tables that grow later would be copied, and their memory kept.
const BLOCK_BYTES: usize = 512 << 10;

/// The frames of one capture in their order.
#[derive(Debug, Default)]
pub struct Held {
    full: Vec<Block>,
    last: Block,
    full_bytes: usize,
    has_tags: bool,
    span: Option<Span>,
}

/// Some events in a row.
#[derive(Debug, Default)]
struct Block {
    /// The bytes of all its frames, one behind the other.
    bytes: Vec<u8>,
    events: Vec<HeldEvent>,
}

#[derive(Debug)]
enum HeldEvent {
    Frame(HeldFrame),
    Packet(Box<Packet>),
    Named(Box<NamedPacket>),
    Other { frame: u64, at: Option<Timestamp> },
    Fault(Fault),
    Dropped { interface: u32, packets: u64 },
    Unread { interface: u32 },
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
        self.has_tags |= has_tag(frame);
        self.last.bytes.extend_from_slice(frame.bytes);
        self.push(HeldEvent::Frame(HeldFrame {
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
        self.push(HeldEvent::Packet(Box::new(packet)));
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
            Event::Dropped { interface, packets } => HeldEvent::Dropped { interface, packets },
            Event::Unread { interface } => HeldEvent::Unread { interface },
            event => return Some(event),
        };
        self.push(held);
        None
    }

    /// Whether some frames have a VLAN's tag.
    pub fn has_tags(&self) -> bool {
        self.has_tags
    }

    /// The times of what is held.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// How much memory it takes, about.
    pub fn size_bytes(&self) -> usize {
        self.full_bytes + self.last.size_bytes()
    }

    /// Hands out all events in their order, and gives their memory back as it goes.
    pub fn replay(self, mut take: impl FnMut(Event<'_>)) {
        for block in self.full.into_iter().chain([self.last]) {
            block.replay(&mut take);
        }
    }

    fn push(&mut self, event: HeldEvent) {
        self.last.events.push(event);
        let last_bytes = self.last.size_bytes();
        if last_bytes >= BLOCK_BYTES {
            self.full_bytes += last_bytes;
            let next = Block { bytes: Vec::with_capacity(BLOCK_BYTES), events: Vec::new() };
            self.full.push(std::mem::replace(&mut self.last, next));
        }
    }

    fn note_time(&mut self, at: Timestamp) {
        Span::note(&mut self.span, at);
    }
}

/// Whether a frame of Ethernet has a VLAN's tag (IEEE 802.1Q, 802.1ad) behind its addresses.
fn has_tag(frame: &Frame<'_>) -> bool {
    frame.link_type == LinkType::Ethernet
        && matches!(frame.bytes.get(12..14), Some([0x81, 0] | [0x88, 0xa8]))
}

impl Block {
    fn size_bytes(&self) -> usize {
        self.bytes.len() + self.events.len() * EVENT_BYTES
    }

    fn replay(self, take: &mut impl FnMut(Event<'_>)) {
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
                HeldEvent::Dropped { interface, packets } => {
                    take(Event::Dropped { interface, packets });
                }
                HeldEvent::Unread { interface } => take(Event::Unread { interface }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_several_blocks_comes_back_in_its_order() {
        let mut held = Held::default();
        let lengths: Vec<usize> =
            (0..3_000).map(|number| number % 1_500).chain([700_000]).collect();
        let mut frame = Frame {
            number: 0,
            at: Timestamp::EPOCH,
            interface: 0,
            link_type: LinkType::Ethernet,
            direction: None,
            original_length: 0,
            bytes: &[],
        };
        let bytes: Vec<u8> = (0..700_000_u32).map(|at| (at ^ at >> 8).to_le_bytes()[0]).collect();
        for (number, length) in (1..).zip(&lengths) {
            (frame.number, frame.bytes) = (number, &bytes[700_000 - length..]);
            held.frame(&frame);
            assert!(held.take_other(Event::OtherPacket { frame: number, at: None }).is_none());
        }
        assert!(held.take_other(Event::CaptureEnds).is_some());
        let all_bytes: usize = lengths.iter().sum();
        assert_eq!(held.size_bytes(), all_bytes + 2 * lengths.len() * EVENT_BYTES);
        let mut numbers = Vec::new();
        held.replay(|event| match event {
            Event::Frame(frame) => {
                let length = lengths[numbers.len() / 2];
                assert!(frame.bytes == &bytes[700_000 - length..], "frame {}", frame.number);
                numbers.push(frame.number);
            }
            Event::OtherPacket { frame, .. } => numbers.push(frame),
            _ => unreachable!(),
        });
        assert_eq!(numbers.len(), 2 * lengths.len());
        assert!(numbers.iter().zip(0..).all(|(number, place)| *number == place / 2 + 1));
    }
}
