//! Bytes to frames, packets and facts.
//!
//! [`read`] takes one input of any kind, recognises it by its first bytes and
//! hands out [`Event`]s as it goes: memory does not grow with the input.

mod bounded;
mod byte_order;
mod detect;
mod faults;
mod pcap;
mod pcapng;
#[cfg(test)]
mod samples;
pub mod tcpdump_text;
pub mod transcript;
mod utf16;
mod window;

use std::io::{BufRead, Read};

use self::bounded::{Expanded, LimitReached};
use self::detect::Kind;
use self::utf16::Utf16;
use self::window::Window;
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::input::{Fault, InputErrorKind, Place};
use crate::model::packet::Packet;

/// What an input holds, in input order.
#[derive(Debug)]
pub enum Event<'a> {
    /// A capture begins. A file is one capture; a transcript holds several.
    CaptureBegins(CaptureHeader),
    /// An interface of the current capture is known from here on.
    Interface(InterfaceHeader),
    /// A frame to decode.
    Frame(Frame<'a>),
    /// A packet that the text already spells out.
    Packet(Packet),
    /// A frame or line of the current capture that is no UDP and no ICMP error
    /// (ARP, TCP …): it counts as a packet and has a frame number.
    OtherPacket { frame: u64, at: Option<crate::model::time::Timestamp> },
    /// Something that could not be read, and where.
    Fault(Fault),
    /// Text that states facts about addresses.
    Inventory(InventoryText<'a>),
    /// The current capture ends.
    CaptureEnds,
}

/// A capture, as its first bytes or lines describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureHeader {
    pub format: CaptureFormat,
    pub clock: Clock,
    /// Node named by the shell prompt.
    pub node: Option<String>,
    /// Interface named by the command or by tcpdump's "listening on".
    pub interface: Option<String>,
    /// The line at which a text capture begins, counted from 1.
    pub line: Option<u64>,
}

/// One interface of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceHeader {
    /// Counted from 0 within the capture.
    pub index: u32,
    pub name: Option<String>,
    pub link_type: Option<LinkType>,
}

/// A piece of text that one command printed about addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventoryText<'a> {
    /// The command as typed, without prompt; empty where there is none.
    pub command: &'a str,
    /// Node named by the shell prompt.
    pub node: Option<&'a str>,
    pub text: &'a str,
    /// The line at which the text begins, counted from 1.
    pub line: u64,
}

/// What one input may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub expanded_bytes: u64,
}

/// Reads one input to its end.
///
/// Captures, compressed captures and text are told apart by their first bytes.
/// Compressed content is bounded by `limits`, and counted as it is produced.
///
/// # Errors
///
/// Where nothing of the input can be analysed, and where `input` itself fails.
/// Damage after the first packet is an [`Event::Fault`] and ends the reading
/// without an error. A capture that began also ends, whatever comes.
pub fn read(
    input: &mut dyn Read,
    limits: &Limits,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let mut window = Window::new(input);
    let outcome = match detect(&mut window) {
        Kind::Gzip => read_expanded(Expanded::gzip(&mut window, limits.expanded_bytes), sink),
        Kind::Zstd => Expanded::zstd(&mut window, limits.expanded_bytes)
            .map_err(InputErrorKind::Read)
            .and_then(|expanded| read_expanded(expanded, sink)),
        kind => read_content(kind, &mut window, sink),
    };
    // A decoder or a format takes a failed input for one that was cut.
    match window.take_failure() {
        Some(failure) => Err(InputErrorKind::Read(failure)),
        None => outcome,
    }
}

fn detect(window: &mut Window<'_>) -> Kind {
    window.ensure(detect::MAGIC_BYTES);
    // A live capture may be slow to send more than its first bytes.
    // No more than those, however much one read brought: the kind must not depend on it.
    let magic = window.unused();
    if let Some(kind) = detect::find_binary_format(&magic[..magic.len().min(detect::MAGIC_BYTES)]) {
        return kind;
    }
    window.ensure(detect::HEAD_BYTES);
    let head = window.unused();
    detect::detect(&head[..head.len().min(detect::HEAD_BYTES)])
}

/// Reads decompressed content, which may not be compressed once more.
fn read_expanded(
    mut expanded: Expanded<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let mut window = Window::new(&mut expanded);
    let mut has_content = false;
    let mut sink = |event: Event<'_>| {
        let event = match event {
            Event::Fault(fault) => Event::Fault(explain_place(fault)),
            other => {
                has_content |= !matches!(
                    other,
                    Event::CaptureBegins(_) | Event::Interface(_) | Event::CaptureEnds
                );
                other
            }
        };
        sink(event);
    };
    let outcome = match detect(&mut window) {
        Kind::Gzip | Kind::Zstd => Err(InputErrorKind::NotACapture(
            "compressed data inside compressed data; unpack it once first",
        )),
        kind => read_content(kind, &mut window, &mut sink),
    };
    let offset_bytes = window.end_offset();
    match (window.take_failure(), outcome) {
        (Some(failure), outcome) if !has_content => {
            let limit = failure.get_ref().and_then(|inner| inner.downcast_ref::<LimitReached>());
            match (limit, outcome) {
                (_, Err(error @ InputErrorKind::NotACapture(_))) => Err(error),
                (Some(limit), _) => {
                    Err(InputErrorKind::ExpandsTooFar { limit_bytes: limit.limit_bytes })
                }
                (None, Err(_)) => {
                    Err(InputErrorKind::Damaged { message: failure.to_string(), offset_bytes })
                }
                (None, Ok(())) => Ok(()),
            }
        }
        (_, outcome) => outcome,
    }
}

/// Faults of a compressed input are found where no byte of the file is.
fn explain_place(mut fault: Fault) -> Fault {
    if let Place::Byte(_) = fault.place {
        fault.message.push_str(" (bytes are counted after decompression)");
    }
    fault
}

fn read_content(
    kind: Kind,
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    match kind {
        Kind::Pcap => return pcap::read(window, sink),
        Kind::Pcapng => return pcapng::read(window, sink),
        Kind::Gzip | Kind::Zstd => return Ok(()), // expanded by the callers
        Kind::Other(name) => return Err(InputErrorKind::NotACapture(name)),
        Kind::Text { mark_bytes } => {
            window.consume(mark_bytes);
            read_text(window, sink)?;
        }
        Kind::Utf16(order) => {
            window.consume(2);
            read_text(&mut Utf16::new(window, order), sink)?;
        }
    }
    // To the text reader a failed input looks like one that ends.
    if let Some(failure) = window.failure() {
        let message = format!("{failure}; the text ends here");
        sink(Event::Fault(Fault { place: Place::Byte(window.end_offset()), message }));
    }
    Ok(())
}

fn read_text(
    input: &mut dyn BufRead,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    if input.fill_buf().map_err(InputErrorKind::Read)?.is_empty() {
        return Err(InputErrorKind::Empty);
    }
    transcript::read_text(input, sink)
}

#[cfg(test)]
mod tests;
