//! The snoop file format of Solaris and of some analysers: RFC 1761.

use super::byte_order::ByteOrder;
use super::faults::Faults;
use super::joined;
use super::pcap::{FRAME_MAX_BYTES, explain_end, explain_last};
use super::window::Window;
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::input::{InputErrorKind, Place};
use crate::model::time::Timestamp;

const FILE_HEADER_BYTES: usize = 16;
const RECORD_HEADER_BYTES: usize = 24;

/// Reads a snoop capture to its end, or to where another capture begins.
///
/// # Errors
///
/// Where the file header is cut. Damage after it is a fault, and ends the capture.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let begin = window.offset();
    window.ensure(FILE_HEADER_BYTES);
    let field = |at| ByteOrder::Big.find_u32(window.unused(), at);
    let (Some(version), Some(data_link)) = (field(8), field(12)) else {
        let there = window.unused().len();
        return Err(InputErrorKind::Damaged {
            message: format!(
                "the snoop file header is cut: {FILE_HEADER_BYTES} bytes were expected, {there} are there"
            ),
            offset_bytes: begin + there as u64,
        });
    };
    window.consume(FILE_HEADER_BYTES);
    sink(Event::CaptureBegins(CaptureHeader::of(CaptureFormat::Snoop, Clock::Absolute)));
    let link_type = find_link_type(data_link);
    sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
    let mut faults = Faults::default();
    if version != 2 {
        let message = || format!("the file header names snoop version {version}; 2 was expected");
        faults.tell("oddities of the file header", Place::Byte(begin + 8), message, sink);
    }
    if link_type.is_none() {
        let message = || {
            format!("the file header names snoop's data link {data_link}, which is not supported")
        };
        faults.tell("oddities of the file header", Place::Byte(begin + 12), message, sink);
    }
    let mut frames = 0;
    let link_type = link_type.unwrap_or(LinkType::Other(u16::MAX));
    if let Err(message) = read_records(window, link_type, &mut frames, sink) {
        let place = Place::Byte(window.offset());
        faults.tell("damage", place, || format!("{message}; {}", explain_last(frames)), sink);
    }
    sink(Event::CaptureEnds);
    Ok(())
}

/// Reads records until the capture ends; an error says why it ends early.
fn read_records(
    window: &mut Window<'_>,
    link_type: LinkType,
    frames: &mut u64,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    let mut dropped = 0;
    loop {
        let number = *frames + 1;
        if !window.ensure(RECORD_HEADER_BYTES) {
            // Its header may be shorter than that of a record.
            if joined::begins_capture(window) {
                return Ok(());
            }
            return explain_end(window, || {
                format!(
                    "the header of frame {number} is cut: {RECORD_HEADER_BYTES} bytes were expected"
                )
            });
        }
        if joined::begins_capture(window) {
            return Ok(());
        }
        let field = |at| ByteOrder::Big.find_u32(window.unused(), at).unwrap_or(0);
        let (original_length, captured_length, record_length) = (field(0), field(4), field(8));
        let all_dropped = field(12);
        let (seconds, microseconds) = (i64::from(field(16)), i64::from(field(20)));
        let whole_length = captured_length.checked_add(24);
        if captured_length > FRAME_MAX_BYTES
            || whole_length.is_none_or(|whole| record_length < whole)
            || record_length - captured_length > FRAME_MAX_BYTES
        {
            return Err(format!(
                "frame {number} is damaged: its header announces {captured_length} bytes in a record of {record_length}"
            ));
        }
        let record_bytes = usize::try_from(record_length).unwrap_or(usize::MAX);
        let end = RECORD_HEADER_BYTES + usize::try_from(captured_length).unwrap_or(usize::MAX);
        if !window.ensure(end) {
            let there = window.unused().len() - RECORD_HEADER_BYTES;
            return Err(match window.failure() {
                Some(failure) => failure.to_string(),
                None => format!(
                    "frame {number} is cut: its header announces {captured_length} bytes, {there} are there"
                ),
            });
        }
        // The count is of the whole capture so far.
        if all_dropped > dropped {
            sink(Event::Dropped { interface: 0, packets: u64::from(all_dropped - dropped) });
            dropped = all_dropped;
        }
        sink(Event::Frame(Frame {
            number,
            at: Timestamp::from_nanoseconds(seconds * 1_000_000_000 + microseconds * 1_000),
            interface: 0,
            link_type,
            direction: None,
            original_length: original_length.max(captured_length),
            bytes: &window.unused()[RECORD_HEADER_BYTES..end],
        }));
        *frames = number;
        window.consume(end);
        window.skip((record_bytes - end) as u64); // padding; a cut of it costs nothing
    }
}

/// The link type of a snoop data link: RFC 1761, and what Solaris added.
fn find_link_type(data_link: u32) -> Option<LinkType> {
    Some(match data_link {
        0 | 4 => LinkType::Ethernet,
        2 => LinkType::Other(6),  // token ring
        8 => LinkType::Other(10), // FDDI
        0x8000_0001 => LinkType::Ipv4,
        0x8000_0002 => LinkType::Ipv6,
        0x8000_0005 => LinkType::Ipnet,
        _ => return None,
    })
}

#[cfg(test)]
pub mod tests;
