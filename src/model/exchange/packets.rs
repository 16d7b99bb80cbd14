//! Packets of an exchange, counted by what they are and where they went.

use std::net::IpAddr;

use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Confidence;
use crate::model::packet::{IcmpKind, TunnelKind};
use crate::model::report::Quotes;

/// A count of like packets and the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub packets: u64,
    /// UDP payload bytes.
    pub bytes: u64,
    /// How many of the packets repeat an earlier one.
    pub repeats: u64,
    pub first: Option<FrameRef>,
    pub last: Option<FrameRef>,
    /// The first packet that repeats an earlier one.
    pub first_repeat: Option<FrameRef>,
}

impl Tally {
    /// Nothing counted yet.
    pub const NONE: Self =
        Self { packets: 0, bytes: 0, repeats: 0, first: None, last: None, first_repeat: None };

    /// Counts one packet of `bytes` payload bytes.
    pub fn count(&mut self, frame: FrameRef, bytes: u32, novelty: Novelty) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
        self.first.get_or_insert(frame);
        self.last = Some(frame);
        if novelty == Novelty::Repeat {
            self.repeats += 1;
            self.first_repeat.get_or_insert(frame);
        }
    }
}

/// What a client waits for, whatever its protocol does as a rule. In order: of several
/// packets the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expectation {
    /// Keep-alives, acknowledgements, announcements.
    Nothing,
    /// It is not known: none of it was a message of its protocol.
    Untold,
    Answer,
}

/// Whether a packet says something for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    New,
    Repeat,
}

/// Replies from one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replies {
    pub source: Endpoint,
    pub origin: Origin,
    pub tally: Tally,
    /// The server wants to be answered to its reply: TFTP's OACK, DATA and ACK of a write.
    pub awaits_follow_up: bool,
}

/// How a reply's source relates to whom the client asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The address asked, and the port that the protocol expects.
    Asked,
    /// A member of the group asked, or a protocol that moves by design.
    ByDesign,
    /// Another address (and perhaps another port). The confidence says how sure it
    /// is that this answers the request.
    OtherAddress(Confidence),
    /// The address asked, another port than the protocol expects.
    OtherPort(Confidence),
    /// The request was not captured.
    Unknown,
}

impl Origin {
    /// Whether the address is not the one asked.
    #[must_use]
    pub const fn is_changed(self) -> bool {
        matches!(self, Self::OtherAddress(_))
    }

    /// Whether the endpoint is not the one asked: its address is not, or its port.
    #[must_use]
    pub const fn is_other_endpoint(self) -> bool {
        matches!(self, Self::OtherAddress(_) | Self::OtherPort(_))
    }
}

/// Where packets that follow a reply went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// To the endpoint that answered.
    ToAnswerer,
    /// To the address asked, on the port that answered from another address: the founding fault.
    ToAskedAddress,
    /// To the very endpoint asked, though another port answered.
    ToAskedPort,
    /// To an endpoint from which no reply was captured: the replies went unseen.
    AnswererUnseen,
    /// To the endpoint that answered, but from another address of the client.
    FromOtherSource,
}

/// Packets that follow a reply, by destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUps {
    pub source: Endpoint,
    pub destination: Endpoint,
    pub course: Course,
    pub tally: Tally,
}

/// ICMP errors of one kind, from one host, about one part of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpErrors {
    pub kind: IcmpKind,
    pub from: IpAddr,
    pub quotes: Quotes,
    /// Where the packet that they are about went: of a refused tunnel its own far end.
    pub quoted_destination: Option<Endpoint>,
    /// The tunnel that is refused, with all that it carries, where they are about one.
    pub tunnel: Option<TunnelKind>,
    pub tally: Tally,
}
