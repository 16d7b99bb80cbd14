//! Exchanges: one client socket's conversation, as packets showed it.

mod frames;
mod incidents;
mod pace;
mod packets;
mod step;
mod unread;
mod view;

use std::net::IpAddr;

use super::capture::{CaptureFilter, CaptureId, FrameRef, PointKind};
use super::conntrack::TrackedFlow;
use super::endpoint::Endpoint;
use super::neighbour::Unresolved;
use super::protocol::Protocol;
use super::report::StepKind;
use super::time::Timestamp;

pub use incidents::{
    AskedAgain, Discarded, DroppedPackets, ErrorAnswer, LateChange, LostParts, PayloadReplies,
    Stall,
};
pub use pace::{PATIENCE, SOONEST_REPEAT};
pub use packets::{Course, Expectation, FollowUps, IcmpErrors, Novelty, Origin, Replies, Tally};
pub use step::{Said, Step, TrackedChange};
pub use unread::Unread;
pub use view::{Beside, View};

/// One interface of one capture: where a packet was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId {
    pub capture: CaptureId,
    /// Index into the capture's interfaces; see [`PointId::translated`].
    pub interface: u32,
}

impl PointId {
    const TRANSLATED: u32 = 1 << 31;
    /// Further networks behind one interface, which use the same addresses, are numbered from
    /// here.
    pub const FIRST_NETWORK: u32 = 1 << 17;

    /// The same interface after address translation. One capture without
    /// interface names (`-i any`) shows a datagram before and after it; what it
    /// shows after counts as another point.
    #[must_use]
    pub const fn translated(self) -> Self {
        Self { capture: self.capture, interface: self.interface | Self::TRANSLATED }
    }

    /// Whether it and `other` are one capture's points in two networks that use the same
    /// addresses.
    #[must_use]
    pub const fn is_of_other_network(self, other: Self) -> bool {
        let (own, other) = (self.as_captured(), other.as_captured());
        let is_further =
            own.interface >= Self::FIRST_NETWORK || other.interface >= Self::FIRST_NETWORK;
        own.capture.0 == other.capture.0 && own.interface != other.interface && is_further
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

    /// The view from the pod's cable, if there is one. Where the pod is on another node,
    /// what leaves for it translated is seen as well, and its answers only there.
    #[must_use]
    pub fn pod_view(&self) -> Option<&View> {
        let pods = || self.views.iter().filter(|view| view.kind == PointKind::Pod);
        pods().find(|view| !view.replies.is_empty()).or_else(|| pods().next())
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
    /// The sender or the capture itself says so; it is not taken from the addresses there.
    pub kind_is_stated: bool,
    pub node: Option<String>,
    /// As [`Self::kind_is_stated`].
    pub node_is_stated: bool,
    pub interface: Option<String>,
    /// The name of the capture, as the report lists it.
    pub capture_name: String,
    /// The first and last packet of any kind: the time in which silence was observed.
    pub observed: Option<(Timestamp, Timestamp)>,
    /// Packets that the capture itself lost here, by what it says: whether they were
    /// of some exchange is not known.
    pub lost_packets: u64,
    /// Packets of IP here that stand in the text and could not be read.
    pub unread: Unread,
    /// It is a firewall's log, which does not hold all packets.
    pub is_log: bool,
    /// What the command that captured here let through, where that is known.
    pub filter: Option<CaptureFilter>,
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
