//! TCP, for its addresses: the segments that open a connection or refuse it.

use super::endpoint::FlowKey;

/// A segment of a handshake (RFC 9293 section 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub flow: FlowKey,
    pub kind: SegmentKind,
}

/// What an ICMP error quotes, as far as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotedKind {
    /// A UDP datagram.
    Datagram,
    /// A TCP segment of a handshake; `None` where a text names the port and no more.
    Segment(Option<SegmentKind>),
    /// The text, or what is left of the quote, does not say which.
    Unknown,
}

/// What a segment of a handshake does. Its numbers pair a SYN with its answer,
/// whatever addresses the answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// The answer acknowledges this number: the SYN's own, plus one.
    Syn {
        awaits: u32,
    },
    SynAck {
        acknowledges: u32,
    },
    /// A reset of an answer has the number that the answer acknowledged; a reset
    /// of a SYN acknowledges it (RFC 9293 section 3.5.2).
    Reset {
        sequence: u32,
        acknowledges: Option<u32>,
    },
}
