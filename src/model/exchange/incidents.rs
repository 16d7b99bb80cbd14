//! What only some exchanges show: their views name it where it was seen.

use std::time::Duration;

use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Confidence;
use crate::model::packet::Dropper;
use crate::model::report::Quotes;

/// Repetitions at the end of what was seen, after which neither side said
/// anything new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// Repetitions at some distance from each other.
    pub repeats: u64,
    pub first: FrameRef,
    pub last: FrameRef,
    /// Who repeats, and to whom.
    pub source: Endpoint,
    pub destination: Endpoint,
}

/// Answers that went where the request's payload says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadReplies {
    pub source: Endpoint,
    /// What the payload names; not the client's socket.
    pub destination: Endpoint,
    pub packets: u64,
    pub first: FrameRef,
    /// The request asked for answers to where it came from (`rport`, RFC 3581); `None`
    /// where its payload was not printed.
    pub asks_for_own_port: Option<bool>,
}

/// The first answer from another source, after a long pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateChange {
    pub frame: FrameRef,
    pub source: Endpoint,
    /// How long nothing was sent: before the answer where there had been none,
    /// else before the request.
    pub pause: Duration,
    /// Answers before the pause came from whom the client asked.
    pub was_answered: bool,
}

/// Datagrams that came in parts, of which some are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostParts {
    pub source: Endpoint,
    pub destination: Endpoint,
    pub datagrams: u64,
    /// The first fragment of the first one.
    pub frame: FrameRef,
    /// Bytes of IP payload that were seen of the first one, and of its whole, if known.
    pub received_bytes: u32,
    pub total_bytes: Option<u32>,
}

/// Replies that reached the client, and that it threw away by its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discarded {
    /// The first time.
    pub frame: FrameRef,
    pub times: u64,
}

/// Packets of an exchange that a datapath or a firewall dropped, by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedPackets {
    /// The first of them.
    pub frame: FrameRef,
    pub source: Endpoint,
    pub destination: Endpoint,
    /// Which part of the exchange it was.
    pub part: Quotes,
    pub by: Dropper,
    pub reason: Box<str>,
    pub packets: u64,
}

/// An answer with which a server refuses, or says that it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    pub frame: FrameRef,
    pub source: Endpoint,
    /// In the protocol's words, cut where they are long: `ERROR 3 "disk full"`.
    pub words: Box<str>,
}

/// A question asked again after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedAgain {
    /// The first time.
    pub frame: FrameRef,
    pub times: u64,
    /// How sure it is that this is the same question: certain for the same
    /// transaction, less for the same question under a new one.
    pub confidence: Confidence,
}
