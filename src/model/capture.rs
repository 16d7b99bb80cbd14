//! Captures, where they were taken, and the frames they hold.

mod filter;
mod link_type;
mod point;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::filter::{CaptureFilter, Carried, Condition, End, Side};
pub use self::link_type::LinkType;
pub use self::point::{CapturePoint, PointKind, PointSyntax};
use super::time::Timestamp;

/// Frames of several queues are written this much out of order.
pub const DISORDER: Duration = Duration::from_millis(10);

/// A capture's place in its analysis, counted from zero in input order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureId(pub u32);

/// How a capture was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFormat {
    Pcap,
    Pcapng,
    /// What Solaris' `snoop` writes: RFC 1761.
    Snoop,
    /// Records of Endace's capture cards.
    Erf,
    /// Lines that `tcpdump` printed.
    TcpdumpText,
    /// Packets that a FortiGate printed: `diagnose sniffer packet`.
    FortigateText,
    /// Packets that a NetScreen firewall printed: `snoop` of ScreenOS.
    NetscreenText,
    /// Frames as hex dumps, as Wireshark, `tshark -x` and `text2pcap` know them.
    HexDump,
    /// What `dig`, `host` or `nslookup` said of answers that they threw away.
    Dig,
    /// What OpenVPN logged of packets that it threw away.
    OpenvpnLog,
    /// Packets that Linux' netfilter logged: `LOG`, `nft log`, `TRACE`.
    NetfilterLog,
    /// Flows that `hubble observe` printed.
    Hubble,
    /// Events that `cilium monitor` printed.
    CiliumMonitor,
    /// A connection tracking table: entries instead of packets, lines instead of frames.
    Conntrack,
}

impl CaptureFormat {
    /// The format as people call it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
            Self::Snoop => "snoop",
            Self::Erf => "ERF",
            Self::TcpdumpText => "tcpdump text",
            Self::FortigateText => "FortiGate sniffer text",
            Self::NetscreenText => "NetScreen snoop text",
            Self::HexDump => "hex dumps",
            Self::Dig => "output of dig",
            Self::OpenvpnLog => "log of OpenVPN",
            Self::NetfilterLog => "log of netfilter",
            Self::Hubble => "Hubble flows",
            Self::CiliumMonitor => "cilium monitor",
            Self::Conntrack => "connection tracking",
        }
    }
}

/// What a capture's times are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Dates and times.
    Absolute,
    /// Text with times of day only; dates in the report are 1970-01-01.
    TimeOfDay,
    /// Text with times since the first packet (`-ttttt`), or since the capturing
    /// device was started.
    Relative,
    /// Text without any times (`-t`): every packet is at the same instant.
    None,
}

/// A frame's place in the input: what evidence points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRef {
    pub capture: CaptureId,
    /// Counted from 1, as in Wireshark.
    pub number: u64,
    pub at: Timestamp,
}

impl FrameRef {
    /// Whether it was taken after another frame of the same capture: they are written in
    /// order, whatever is done to the clock in between, but for those of several queues.
    #[must_use]
    pub fn is_taken_after(self, other: Self) -> bool {
        let order = if self.at.distance(other.at) <= DISORDER {
            (self.at, self.number).cmp(&(other.at, other.number))
        } else {
            self.number.cmp(&other.number)
        };
        order.is_gt()
    }

    /// Which of two frames of one capture was taken later.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        if other.is_taken_after(self) { other } else { self }
    }
}

/// Whether the capturing host received or sent the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    In,
    Out,
}

/// One captured frame, as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Counted from 1 within its capture.
    pub number: u64,
    pub at: Timestamp,
    /// Index into the capture's interfaces, from 0.
    pub interface: u32,
    pub link_type: LinkType,
    pub direction: Option<Direction>,
    /// Length on the wire in bytes; more than `bytes` where a snap length cut it.
    pub original_length: u32,
    pub bytes: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_in_order_but_for_those_of_several_queues() {
        let frame = |number, at_us: i64| FrameRef {
            capture: CaptureId(0),
            number,
            at: Timestamp::from_nanoseconds(at_us * 1_000),
        };
        let cases = [
            ("in order", frame(2, 30), frame(1, 20), true),
            ("at one time", frame(2, 20), frame(1, 20), true),
            ("written early", frame(2, 20), frame(1, 30), false),
            ("the clock was set back", frame(2, 20), frame(1, 100_000_000), true),
            ("and forward", frame(2, 100_000_000), frame(1, 20), true),
        ];
        for (name, later, earlier, expected) in cases {
            assert_eq!(later.is_taken_after(earlier), expected, "{name}");
            assert_eq!(earlier.is_taken_after(later), !expected, "{name}");
            assert_eq!(earlier.later(later), if expected { later } else { earlier }, "{name}");
        }
    }
}
