//! Bytes to frames, packets and facts.
//!
//! [`read`] takes one input of any kind, recognises it by its first bytes and
//! hands out [`Event`]s as it goes: memory does not grow with the input.

mod ahead;
mod archive;
mod bounded;
mod byte_order;
mod bzip2;
mod complaint;
mod counted;
mod detect;
mod erf;
mod faults;
mod flow_events;
mod hex_dump;
mod inflate;
mod joined;
mod label;
mod layers;
mod lz4;
mod message;
mod netfilter_log;
mod netscreen;
mod pcap;
mod pcapng;
mod plain;
#[cfg(test)]
mod samples;
mod server_log;
mod snoop;
pub mod tcpdump_text;
pub mod transcript;
mod utf16;
mod window;
mod xz;
mod zstandard;

use std::io::Read;

pub use self::ahead::Together;
use self::bounded::Budget;
pub use self::layers::Layers;
pub use self::plain::read_plain;
use self::window::Window;
use crate::model::capture::{CaptureFilter, CaptureFormat, Clock, Frame, LinkType, PointKind};
use crate::model::input::{Fault, InputErrorKind};
use crate::model::packet::Packet;
use crate::model::time::Timestamp;
use crate::model::topology::AddressFact;

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
    OtherPacket { frame: u64, at: Option<Timestamp> },
    /// A packet whose ends the text names: its addresses have to be looked up.
    NamedPacket(NamedPacket),
    /// What a server logged of a failure: one sentence without a full stop. It
    /// belongs to no capture.
    ServerLog(String),
    /// A fact about an address that stands beside a packet.
    Fact(AddressFact),
    /// Packets that the capturing host lost at an interface before they could
    /// be captured, in addition to those that were told before.
    Dropped { interface: u32, packets: u64 },
    /// The packet that was told before could not be read, though it is one of IP: it
    /// may have been of any exchange.
    Unread { interface: u32 },
    /// The capturing host listened at an interface until then, whether packets came
    /// or not.
    Listened { interface: u32, until: Timestamp },
    /// What somebody wrote into the current capture: one sentence without a
    /// full stop.
    Note(String),
    /// Something that could not be read, and where.
    Fault(Fault),
    /// Text that states facts about addresses.
    Inventory(InventoryText<'a>),
    /// The current capture ends.
    CaptureEnds,
}

impl Event<'_> {
    /// Whether it stands for one packet of the capture.
    #[must_use]
    pub fn is_packet(&self) -> bool {
        matches!(
            self,
            Self::Frame(_) | Self::Packet(_) | Self::NamedPacket(_) | Self::OtherPacket { .. }
        )
    }
}

/// A capture, as its first bytes or lines describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureHeader {
    pub format: CaptureFormat,
    pub clock: Clock,
    /// Entry of an archive that holds the capture.
    pub name: Option<String>,
    /// Node named by the shell prompt.
    pub node: Option<String>,
    /// Interface named by the command or by tcpdump's "listening on".
    pub interface: Option<String>,
    /// The side of the translation, where a command tells that it ran inside a pod.
    pub point: Option<PointKind>,
    /// The line at which a text capture begins, counted from 1.
    pub line: Option<u64>,
    /// What the command shows, where it was read and does not show all.
    pub filter: Option<CaptureFilter>,
}

impl CaptureHeader {
    /// The header of a capture that tells nothing but its format and its clock.
    #[must_use]
    pub const fn of(format: CaptureFormat, clock: Clock) -> Self {
        Self {
            format,
            clock,
            name: None,
            node: None,
            interface: None,
            point: None,
            line: None,
            filter: None,
        }
    }
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
    /// The entry of an archive that holds the text.
    pub entry: Option<&'a str>,
    /// The command as typed, without prompt; empty where there is none.
    pub command: &'a str,
    /// Node named by the shell prompt.
    pub node: Option<&'a str>,
    pub text: &'a str,
    /// The line at which the text begins, counted from 1.
    pub line: u64,
}

/// A packet of which the text gives names for addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPacket {
    /// A datagram, or an ICMP error; where a name belongs, the address that
    /// [stands for it](crate::model::stand_in).
    pub packet: Packet,
    /// The line that names them, counted from 1.
    pub line: u64,
    pub source: Option<String>,
    pub destination: Option<String>,
    /// At the ends of what an ICMP error quotes.
    pub quoted: Vec<String>,
    /// The family, where the text tells it beside the names.
    pub is_ipv6: Option<bool>,
}

/// Takes what an input holds; perhaps on another thread than the one that reads.
pub type Sink<'a> = dyn FnMut(Event<'_>) + Send + 'a;

/// What one input may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression, over all entries of an archive.
    pub expanded_bytes: u64,
}

/// Reads one input to its end.
///
/// Captures, text, compressed files and archives are told apart by their first
/// bytes. What is compressed is bounded by `limits`, and counted as it is
/// produced. Each entry of an archive is read like an input of its own.
///
/// # Errors
///
/// Where nothing of the input can be analysed, and where `input` itself fails.
/// Damage after the first packet is an [`Event::Fault`] and ends the reading
/// without an error. A capture that began also ends, whatever comes.
pub fn read(
    input: &mut dyn Read,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    read_within(input, &Budget::new(limits.expanded_bytes), Layers::FILE, sink)
}

/// As [`read`], with a second core for captures that come fast, had by `together`.
/// What is told is the same. `layers` are those that may lie around the input.
///
/// # Errors
///
/// As [`read`].
pub fn read_ahead(
    input: &mut dyn Read,
    limits: &Limits,
    together: Together,
    layers: Layers,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let mut budget = Budget::new(limits.expanded_bytes);
    budget.together = Some(together);
    read_within(input, &budget, layers, sink)
}

fn read_within(
    input: &mut dyn Read,
    budget: &Budget,
    layers: Layers,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let mut window = Window::new(input);
    let outcome = layers::unpack(&mut window, layers, budget, sink);
    // A decoder or a format takes a failed input for one that was cut.
    match window.take_failure() {
        Some(failure) => Err(InputErrorKind::Read(failure)),
        None => outcome,
    }
}

#[cfg(test)]
mod tests;
