//! Datagrams that came in IP fragments, and were never whole.

use std::net::IpAddr;

use crate::model::endpoint::FlowKey;

/// A UDP datagram of which not all IP fragments were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentsLost {
    /// The datagram's flow, known from its first fragment only. Where the
    /// datagram is a tunnel's outer one, the flow is that of the packet inside.
    pub flow: Option<FlowKey>,
    /// The addresses of the fragments.
    pub source: IpAddr,
    pub destination: IpAddr,
    /// IPv4 identification, or that of the IPv6 fragment header; zero where a text
    /// does not print it.
    pub identification: u32,
    /// Bytes of IP payload (UDP header included) in the fragments that were seen.
    pub received_bytes: u32,
    /// Bytes of IP payload of the whole datagram, where the last fragment or
    /// the UDP header says so.
    pub total_bytes: Option<u32>,
    pub seen: FragmentsSeen,
    pub ended: FragmentsEnd,
}

/// Which fragments of an incomplete datagram were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FragmentsSeen {
    /// The first, which has the ports. A capture filter on ports lets nothing
    /// but first fragments through.
    First,
    /// Later ones alone.
    LaterOnly,
}

/// Why the rest of a datagram was not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FragmentsEnd {
    /// No host would wait longer (RFC 791 section 3.2, RFC 8200 section 4.5).
    TimedOut,
    /// Too many datagrams were incomplete at once; the rest may have come later.
    Evicted,
    /// The capture ended; the rest may have come later.
    CaptureEnded,
    /// Fragments overlap: every host throws all of them away (RFC 8200 section 4.5).
    Overlapping,
}
