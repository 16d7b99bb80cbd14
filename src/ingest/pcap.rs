//! The pcap file format, in all variants that libpcap reads: microseconds and
//! nanoseconds, both byte orders, the modified format, the old length order;
//! and those of AIX, Ixia, Nokia and old Linux distributions, which Wireshark reads too.
//!
//! pcap-parser reads the file header. Record headers are read here: its
//! functions know neither the modified format in big-endian order nor lengths
//! that are swapped.

mod file_header;
mod nokia;
mod search;
mod text_mode;
mod variant;

use self::file_header::{FileHeader, Record};
use self::search::Searches;
use super::faults::Faults;
use super::joined;
use super::window::Window;
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame};
use crate::model::input::{InputErrorKind, Place};
use crate::model::time::Timestamp;

/// The largest frame that is believed. libpcap's own bound is 256 KiB for most
/// link types and 128 MiB for USB; no packet on any network comes near this.
pub const FRAME_MAX_BYTES: u32 = 16 * 1024 * 1024;

const FILE_HEADER_BYTES: usize = 24;
const PLAIN_RECORD_HEADER_BYTES: usize = 16;

/// Reads a pcap capture to its end, or to where another capture begins.
///
/// # Errors
///
/// Where the file header is cut. Damage after it is a fault. It ends the capture,
/// unless records are found again close behind it.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let begin = window.offset();
    window.ensure(FILE_HEADER_BYTES);
    let mut header = FileHeader::parse(window.unused(), begin)?;
    window.skip(header.length_bytes as u64);
    header.record_header_bytes = variant::find_record_header_bytes(&header, window);
    sink(Event::CaptureBegins(CaptureHeader::of(CaptureFormat::Pcap, Clock::Absolute)));
    let link_type = Some(header.link_type);
    sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
    let mut faults = Faults::default();
    for (offset_bytes, message) in &header.oddities {
        let place = Place::Byte(*offset_bytes);
        faults.tell("oddities of the file header", place, || message.clone(), sink);
    }
    let mut records = Records { header, frames: 0, last_at: None, searches: Searches::default() };
    if let Err(message) = records.read(window, &mut faults, sink) {
        let place = Place::Byte(window.offset());
        let frames = records.frames;
        let advice = text_mode::find_advice(window.unused()).unwrap_or_default();
        let message = || format!("{message}; {}{advice}", explain_last(frames));
        faults.tell("damage", place, message, sink);
    }
    faults.tell_rest(sink);
    sink(Event::CaptureEnds);
    Ok(())
}

/// Where a capture that breaks off ends, by the frames that it had.
pub fn explain_last(frames: u64) -> String {
    match frames {
        0 => "the capture ends here, before its first frame".to_owned(),
        last => format!("the capture ends here, after frame {last}"),
    }
}

/// The records of a capture while they are read.
struct Records {
    header: FileHeader,
    /// Frames so far, damaged ones included.
    frames: u64,
    /// The time of the last frame that was read.
    last_at: Option<Timestamp>,
    searches: Searches,
}

/// A record that cannot be read.
struct Damage {
    message: String,
    /// The file may have more records behind it: it is not just cut.
    may_go_on: bool,
}

impl Records {
    /// Reads records until the capture ends; an error says why it ends early.
    fn read(
        &mut self,
        window: &mut Window<'_>,
        faults: &mut Faults,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), String> {
        let header_bytes = self.header.record_header_bytes;
        loop {
            let number = self.frames + 1;
            if !window.ensure(header_bytes) {
                return explain_end(window, || {
                    format!(
                        "the header of frame {number} is cut: {header_bytes} bytes were expected"
                    )
                });
            }
            if joined::may_begin_capture(window.unused()) && joined::begins_capture(window) {
                return Ok(());
            }
            let Some(record) = self.header.find_record(window.unused()) else {
                return Ok(()); // not reached: the header is there
            };
            match self.check(window, number, &record) {
                Ok(record_bytes) => {
                    sink(Event::Frame(Frame {
                        number,
                        at: record.at,
                        interface: 0,
                        link_type: self.header.link_type,
                        direction: None,
                        original_length: record.original_length.max(record.captured_length),
                        bytes: &window.unused()[header_bytes..record_bytes],
                    }));
                    (self.frames, self.last_at) = (number, Some(record.at));
                    window.consume(record_bytes);
                }
                Err(damage) => self.go_on_behind(window, damage, faults, sink)?,
            }
        }
    }

    /// The length of the record at which the window stands, where it can be read.
    fn check(
        &mut self,
        window: &mut Window<'_>,
        number: u64,
        record: &Record,
    ) -> Result<usize, Damage> {
        let header_bytes = self.header.record_header_bytes;
        let is_zero = record.captured_length == 0
            && window.unused()[..header_bytes].iter().all(|byte| *byte == 0);
        if is_zero {
            // What a crash leaves, and a file that was made larger than needed.
            let message = format!("zeros stand where the header of frame {number} was expected");
            return Err(Damage { message, may_go_on: true });
        }
        let captured_length = record.captured_length;
        if captured_length > FRAME_MAX_BYTES {
            let message = format!(
                "frame {number} is damaged: its header announces {captured_length} bytes, more than any frame has ({FRAME_MAX_BYTES})"
            );
            return Err(Damage { message, may_go_on: true });
        }
        // Such headers are believed where nothing better stands close behind them.
        if let Some(last_at) = self.last_at
            && record.is_far_from(last_at)
            && !self.header.is_plausible(record, None)
            && self.searches.find(window, &self.header, self.last_at).is_some()
        {
            let message = format!(
                "frame {number} is damaged: its header has a length and a time that do not fit"
            );
            return Err(Damage { message, may_go_on: true });
        }
        let captured_length = usize::try_from(captured_length).unwrap_or(usize::MAX);
        let record_bytes = header_bytes + captured_length;
        if window.ensure(record_bytes) {
            return Ok(record_bytes);
        }
        let there = window.unused().len().saturating_sub(header_bytes);
        let (message, is_failure) = match window.failure() {
            Some(failure) => (failure.to_string(), true),
            None => (
                format!(
                    "frame {number} is cut: its header announces {captured_length} bytes, {there} are there"
                ),
                false,
            ),
        };
        // A sound header whose frame is cut is the end of the file.
        let may_go_on = !is_failure && !self.header.is_plausible(record, self.last_at);
        Err(Damage { message, may_go_on })
    }

    /// Moves to the next record behind a damaged one; an error where none is found.
    fn go_on_behind(
        &mut self,
        window: &mut Window<'_>,
        damage: Damage,
        faults: &mut Faults,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), String> {
        let Damage { message, may_go_on } = damage;
        let found =
            if may_go_on { self.searches.find(window, &self.header, self.last_at) } else { None };
        let Some(skipped) = found else { return Err(message) };
        let place = Place::Byte(window.offset());
        let next = window.offset() + skipped as u64;
        self.frames += 1;
        let number = self.frames;
        let message =
            || format!("{message}; reading goes on at byte {next}, with frame {}", number + 1);
        faults.tell("damaged records", place, message, sink);
        // It stands for all frames that were there, however many.
        sink(Event::OtherPacket { frame: number, at: None });
        sink(Event::Dropped { interface: 0, packets: 1 });
        window.consume(skipped);
        Ok(())
    }
}

/// Why the stream has no further bytes: an error unless it ends where a
/// capture may end. `cut` says what is incomplete.
pub fn explain_end(window: &Window<'_>, cut: impl FnOnce() -> String) -> Result<(), String> {
    match (window.failure(), window.unused().len()) {
        (Some(failure), _) => Err(failure.to_string()),
        (None, 0) => Ok(()),
        (None, there) => Err(format!("{}, {there} are there", cut())),
    }
}

#[cfg(test)]
mod tests;
