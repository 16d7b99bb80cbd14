//! Exchanges: one client socket's conversation, as packets showed it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::capture::{CaptureId, FrameRef, PointKind};
use super::conntrack::TrackedFlow;
use super::endpoint::Endpoint;
use super::finding::Confidence;
use super::neighbour::Unresolved;
use super::packet::{IcmpKind, TftpMessage};
use super::protocol::Protocol;
use super::report::{Quotes, StepKind};
use super::time::Timestamp;

/// One interface of one capture: where a packet was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId {
    pub capture: CaptureId,
    /// Index into the capture's interfaces; see [`PointId::translated`].
    pub interface: u32,
}

impl PointId {
    const TRANSLATED: u32 = 1 << 31;

    /// The same interface after address translation. One capture without
    /// interface names (`-i any`) shows a datagram before and after it; what it
    /// shows after counts as another point.
    #[must_use]
    pub const fn translated(self) -> Self {
        Self { capture: self.capture, interface: self.interface | Self::TRANSLATED }
    }

    /// The interface as captured.
    #[must_use]
    pub const fn as_captured(self) -> Self {
        Self { capture: self.capture, interface: self.interface & !Self::TRANSLATED }
    }
}

/// One client socket's conversation about one request, seen at one or several
/// capture points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub protocol: Protocol,
    pub client: Endpoint,
    /// The address of the managed device, and why it is taken for that.
    pub device: IpAddr,
    pub device_rule: DeviceRule,
    /// Never empty; the view nearest to the device first.
    pub views: Vec<View>,
    pub translations: Vec<AddressTranslation>,
    /// Entries of connection tracking that belong to it: the request's first.
    pub tracked: Vec<TrackedPart>,
}

/// An entry of connection tracking and its part in an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedPart {
    /// What the packets of the entry's original direction are.
    pub part: StepKind,
    /// The table and the line in it.
    pub frame: FrameRef,
    pub flow: TrackedFlow,
    /// Of a request: an entry of the same service that leads elsewhere, where
    /// that says something about this one. A request that is not translated
    /// has one that is; an old one has a newer one that goes to another pod.
    pub elsewhere: Option<Box<Elsewhere>>,
}

/// Where other entries of the same service lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    pub frame: FrameRef,
    pub flow: TrackedFlow,
    pub sign: ElsewhereSign,
}

/// What tells which of two entries of one service is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElsewhereSign {
    /// The other one is translated at all.
    IsTranslated,
    /// The other one is newer and of the same client: one of two pods that
    /// share the load would look the same.
    IsNewer,
    /// The inventory lists the other's pod, and not this one's; it may not list all.
    IsListed,
    /// Both.
    IsNewerAndListed,
}

impl Exchange {
    /// The view that the verdict rests on: the one nearest to the device.
    #[must_use]
    pub fn primary(&self) -> &View {
        &self.views[0]
    }

    /// The views from the other capture points.
    #[must_use]
    pub fn others(&self) -> &[View] {
        &self.views[1..]
    }

    /// Whether the device opened the exchange; a polled agent did not.
    #[must_use]
    pub fn device_is_client(&self) -> bool {
        self.client.address == self.device
    }

    /// The view from the pod's cable, if there is one.
    #[must_use]
    pub fn pod_view(&self) -> Option<&View> {
        self.views.iter().find(|view| view.kind == PointKind::Pod)
    }
}

/// Why one side of an exchange is taken for the managed device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceRule {
    /// A device list, or an inventory that names the role, says so.
    Listed,
    /// The other side belongs to the cluster: VIP, node, pod or service.
    OtherSideIsCluster,
    /// The protocol's habit: TFTP clients and SNMP agents are devices.
    ProtocolHabit,
    /// Nothing says it; the side that sent first is taken.
    Initiator,
    /// The input does not tell the address of the other side.
    OnlyKnownSide,
}

impl DeviceRule {
    /// As a report says it, without a full stop.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Listed => "the inventory names it as a device",
            Self::OtherSideIsCluster => "the other side belongs to the cluster",
            Self::ProtocolHabit => "this side of the protocol is usually the device",
            Self::Initiator => "it sent the first packet",
            Self::OnlyKnownSide => "the input does not tell who asked it",
        }
    }
}

/// One capture point of the analysis and what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub id: PointId,
    pub kind: PointKind,
    pub node: Option<String>,
    pub interface: Option<String>,
    /// The name of the capture, as the report lists it.
    pub capture_name: String,
    /// The first and last packet of any kind: the time in which silence was observed.
    pub observed: Option<(Timestamp, Timestamp)>,
    /// Neighbours that were asked for here and never showed up, by address.
    pub unresolved: Vec<Unresolved>,
}

/// A datagram's endpoint before and after translation, seen at two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressTranslation {
    /// The points in the packet's direction.
    pub from: PointId,
    pub to: PointId,
    pub before: Endpoint,
    pub after: Endpoint,
}

/// What one capture point saw of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub point: PointId,
    pub kind: PointKind,
    /// Whom the client asked; `None` where the capture begins after that.
    pub asked: Option<Endpoint>,
    pub requests: Tally,
    /// Requests after the last reply, which none has answered yet.
    pub unanswered: Tally,
    /// By source, in order of appearance.
    pub replies: Vec<Replies>,
    /// By destination, in order of appearance.
    pub follow_ups: Vec<FollowUps>,
    pub icmp_errors: Vec<IcmpErrors>,
    /// Replies of which IP fragments are missing: no client can use them.
    pub lost_replies: Option<LostReplies>,
    /// A TCP reset with which the client refused an answer.
    pub reset: Option<FrameRef>,
    /// The client asked again though it had been answered.
    pub asked_again: Option<AskedAgain>,
    /// The client says itself that it threw replies away.
    pub discarded: Option<Discarded>,
    /// A datapath says that it dropped packets of the exchange.
    pub dropped: Option<DroppedPackets>,
    /// A reply that says something new, after the client had gone on.
    pub progress: Option<FrameRef>,
    /// Answers that went to the address that the request's payload names.
    pub payload_replies: Option<PayloadReplies>,
    /// A pause longer than a translation lives, before an answer from elsewhere.
    pub late_change: Option<LateChange>,
    /// Nothing new was said any more, and the last word was repeated.
    pub stall: Option<Stall>,
    /// The first packets, in order.
    pub steps: Vec<Step>,
    pub steps_omitted: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The last packet of any exchange at this point: silence was observed until then.
    pub observed_until: Timestamp,
    /// Whether the packets come with their bytes; text often does not.
    pub has_payloads: bool,
}

impl View {
    /// The replies that came from another address than the one asked. Replies
    /// to a group are not asked of anyone in particular.
    pub fn changed_replies(&self) -> impl Iterator<Item = &Replies> {
        self.replies.iter().filter(|replies| replies.origin.is_changed())
    }

    /// Follow-ups that took `course`.
    pub fn follow_ups_on(&self, course: Course) -> impl Iterator<Item = &FollowUps> {
        self.follow_ups.iter().filter(move |follow_ups| follow_ups.course == course)
    }

    /// All replies together.
    #[must_use]
    pub fn reply_packets(&self) -> u64 {
        self.replies.iter().map(|replies| replies.tally.packets).sum()
    }

    /// All follow-ups together.
    #[must_use]
    pub fn follow_up_packets(&self) -> u64 {
        self.follow_ups.iter().map(|follow_ups| follow_ups.tally.packets).sum()
    }

    /// Packets that repeat an earlier one, whoever sent them.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        let replies: u64 = self.replies.iter().map(|replies| replies.tally.repeats).sum();
        let follow_ups: u64 =
            self.follow_ups.iter().map(|follow_ups| follow_ups.tally.repeats).sum();
        self.requests.repeats + replies + follow_ups
    }
}

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
    /// The request asked for answers to where it came from (`rport`, RFC 3581).
    pub asks_for_own_port: bool,
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

/// Replies that came in parts, of which some are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostReplies {
    pub source: Endpoint,
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

/// Packets of an exchange that a datapath dropped, by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedPackets {
    /// The first of them.
    pub frame: FrameRef,
    pub source: Endpoint,
    pub destination: Endpoint,
    /// Which part of the exchange it was.
    pub part: Quotes,
    pub reason: Box<str>,
    pub packets: u64,
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
    pub quoted_destination: Option<Endpoint>,
    pub tally: Tally,
}

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
