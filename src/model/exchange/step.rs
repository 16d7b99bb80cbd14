//! The packets of an exchange that are kept to be shown.

use std::fmt;
use std::net::IpAddr;

use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{IcmpKind, TftpMessage};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// One packet of an exchange, kept to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub frame: FrameRef,
    pub kind: StepKind,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// `None` for ICMP.
    pub ports: Option<(u16, u16)>,
    pub said: Said,
    /// Packets of the exchange between the step before and this one, which are
    /// counted only.
    pub omitted_before: u64,
}

impl Step {
    /// A step between two endpoints, with nothing left out before it.
    #[must_use]
    pub const fn between(
        frame: FrameRef,
        kind: StepKind,
        source: Endpoint,
        destination: Endpoint,
        said: Said,
    ) -> Self {
        Self {
            frame,
            kind,
            source: source.address,
            destination: destination.address,
            ports: Some((source.port, destination.port)),
            said,
            omitted_before: 0,
        }
    }
}

/// What a packet said, kept small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Tftp(TftpMessage),
    Message {
        protocol: Protocol,
        label: &'static str,
    },
    Datagram {
        length: u32,
    },
    Icmp {
        kind: IcmpKind,
        quoted_destination: Option<Endpoint>,
    },
    /// Nothing that was captured: an entry of connection tracking tells of it.
    Tracked {
        change: Option<TrackedChange>,
        is_replied: bool,
    },
}

/// What the kernel changes of the packets of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackedChange {
    SentOnTo(Endpoint),
    SentBy(Endpoint),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tftp(message) => message.fmt(f),
            Self::Message { protocol, label } => write!(f, "{protocol} {label}"),
            Self::Datagram { length: 1 } => f.write_str("1 byte"),
            Self::Datagram { length } => write!(f, "{length} bytes"),
            Self::Icmp { kind, quoted_destination: Some(quoted) } => {
                write!(f, "ICMP {}: {quoted}", kind.as_text())
            }
            Self::Icmp { kind, quoted_destination: None } => write!(f, "ICMP {}", kind.as_text()),
            Self::Tracked { change, is_replied } => {
                match change {
                    Some(TrackedChange::SentOnTo(pod)) => write!(f, "tracked, sent on to {pod}"),
                    Some(TrackedChange::SentBy(pod)) => write!(f, "tracked, sent by {pod}"),
                    None => f.write_str("tracked, not translated"),
                }?;
                if *is_replied { Ok(()) } else { f.write_str(", unreplied") }
            }
        }
    }
}
