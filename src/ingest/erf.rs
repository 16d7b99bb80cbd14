//! The Extensible Record Format of Endace's capture cards: records without a file
//! header. `decode::link` reads what is in them.

use super::byte_order::ByteOrder;
use super::faults::Faults;
use super::pcap::{explain_end, explain_last};
use super::window::Window;
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::input::Place;
use crate::model::time::Timestamp;

const HEADER_BYTES: usize = 16;
const EXTENSION_BYTES: usize = 8;
/// Marks a type, and the first byte of an extension header: another one follows.
const HAS_EXTENSION: u8 = 0x80;
/// Fills space between records; it has no time.
const PADDING: u8 = 48;
/// Records that make a file without a magic number one of these.
const RECORDS_MIN: u32 = 2;
/// Records stand in the order of their times, but for those of several ports.
const PAUSE_MAX_SECONDS: u32 = 7 * 86_400;
/// 1990: no card is older.
const FIRST_SECONDS: u32 = 631_152_000;

/// The header of a record: time 8 (in units of 2⁻³² s, little-endian), type 1, flags
/// 1, length 2, packets lost or colour 2, length on the wire 2.
#[derive(Debug, Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    kind: u8,
    length_bytes: u16,
    counter: u16,
    wire_bytes: u16,
}

impl Record {
    fn find(bytes: &[u8]) -> Option<Self> {
        let big = ByteOrder::Big;
        Some(Self {
            fraction: ByteOrder::Little.find_u32(bytes, 0)?,
            seconds: ByteOrder::Little.find_u32(bytes, 4)?,
            kind: *bytes.get(8)? & !HAS_EXTENSION,
            length_bytes: big.find_u16(bytes, 10)?,
            counter: big.find_u16(bytes, 12)?,
            wire_bytes: big.find_u16(bytes, 14)?,
        })
    }

    fn at(self) -> Timestamp {
        let nanoseconds = (u64::from(self.fraction) * 1_000_000_000) >> 32;
        let whole = i64::from(self.seconds) * 1_000_000_000;
        Timestamp::from_nanoseconds(whole + nanoseconds.cast_signed())
    }

    /// Packets that were lost since the record before. Types with a colour, a hash or
    /// a channel have something else in its place.
    const fn lost_packets(self) -> u16 {
        match self.kind {
            1 | 2 | 22 | 23 => self.counter,
            _ => 0,
        }
    }

    /// Bytes before the frame, of a record of these `bytes`.
    fn header_bytes(self, bytes: &[u8]) -> usize {
        let mut header_bytes = HEADER_BYTES;
        let mut marked = bytes.get(8).copied();
        while marked.is_some_and(|byte| byte & HAS_EXTENSION != 0) {
            marked = bytes.get(header_bytes).copied();
            header_bytes += EXTENSION_BYTES;
        }
        header_bytes
            + match self.kind {
                2 | 11 | 16 | 20 => 2,
                5 | 17 => 4,
                _ => 0,
            }
    }

    /// Whether it can be a record at all: nothing else says that a file has any.
    fn is_plausible(self, seconds_before: Option<u32>) -> bool {
        let is_known = matches!(self.kind, 1..=25 | 27..=29 | PADDING);
        let is_timely = self.kind == PADDING
            || (self.seconds >= FIRST_SECONDS
                && seconds_before
                    .is_none_or(|before| before.abs_diff(self.seconds) <= PAUSE_MAX_SECONDS));
        is_known && is_timely && usize::from(self.length_bytes) >= HEADER_BYTES
    }
}

/// Whether a file begins with records, one behind the other: two at least, or one
/// that is the whole file.
pub fn begins_records(head: &[u8]) -> bool {
    let mut rest = head;
    let mut records = 0;
    let mut seconds = None;
    while let Some(record) = Record::find(rest) {
        if !record.is_plausible(seconds) {
            return false;
        }
        records += 1;
        if record.kind != PADDING {
            seconds = Some(record.seconds);
        }
        let Some(behind) = rest.get(usize::from(record.length_bytes)..) else { break };
        rest = behind;
    }
    seconds.is_some() && (records >= RECORDS_MIN || rest.is_empty())
}

/// Reads records to their end. Damage is a fault, and ends the capture.
pub fn read(window: &mut Window<'_>, sink: &mut dyn FnMut(Event<'_>)) {
    sink(Event::CaptureBegins(CaptureHeader::of(CaptureFormat::Erf, Clock::Absolute)));
    let link_type = Some(LinkType::Erf);
    sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
    let mut frames = 0;
    if let Err(message) = read_records(window, &mut frames, sink) {
        let place = Place::Byte(window.offset());
        let message = || format!("{message}; {}", explain_last(frames));
        Faults::default().tell("damage", place, message, sink);
    }
    sink(Event::CaptureEnds);
}

/// Reads records until the file ends; an error says why it ends early.
fn read_records(
    window: &mut Window<'_>,
    frames: &mut u64,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    loop {
        let number = *frames + 1;
        window.ensure(HEADER_BYTES);
        let Some(record) = Record::find(window.unused()) else {
            return explain_end(window, || {
                format!("the header of frame {number} is cut: {HEADER_BYTES} bytes were expected")
            });
        };
        let length = usize::from(record.length_bytes);
        if length < HEADER_BYTES {
            return Err(format!(
                "frame {number} is damaged: its record has {length} bytes, fewer than a header"
            ));
        }
        if !window.ensure(length) {
            let there = window.unused().len();
            return Err(match window.failure() {
                Some(failure) => failure.to_string(),
                None => format!(
                    "frame {number} is cut: its record has {length} bytes, {there} are there"
                ),
            });
        }
        if record.kind != PADDING {
            *frames = number;
            hand_out(number, record, &window.unused()[..length], sink);
        }
        window.consume(length);
    }
}

fn hand_out(number: u64, record: Record, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) {
    if record.lost_packets() > 0 {
        sink(Event::Dropped { interface: 0, packets: record.lost_packets().into() });
    }
    // Records are padded to a multiple of eight bytes.
    let wire_bytes = record.header_bytes(bytes) + usize::from(record.wire_bytes);
    let bytes = bytes.get(..wire_bytes).unwrap_or(bytes);
    sink(Event::Frame(Frame {
        number,
        at: record.at(),
        interface: 0,
        link_type: LinkType::Erf,
        direction: None,
        original_length: u32::try_from(wire_bytes).unwrap_or(u32::MAX),
        bytes,
    }));
}

#[cfg(test)]
pub mod tests;
