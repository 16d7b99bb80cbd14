//! Bytes to frames, packets and facts.
//!
//! [`read`] takes one input of any kind, recognises it by its first bytes and
//! hands out [`Event`]s as it goes: memory does not grow with the input.

pub mod tcpdump_text;
pub mod transcript;

use std::io::Read;

use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::input::{Fault, InputErrorKind};
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
/// # Errors
///
/// Where nothing of the input can be analysed. A fault after the first packet
/// is an [`Event::Fault`] and ends the reading without an error.
pub fn read(
    _input: &mut dyn Read,
    _limits: &Limits,
    _sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    Err(InputErrorKind::Empty)
}
