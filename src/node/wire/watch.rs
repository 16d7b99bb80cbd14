//! What a watching agent believes of its devices.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::finding::{Cause, Confidence, Severity, Verdict};
use crate::model::time::Timestamp;

/// The watch, and its devices in the order in which they were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watch {
    /// The version of this API.
    #[schema(example = 1)]
    pub version: u32,
    pub node: String,
    /// The node's clock now.
    pub at: Timestamp,
    /// Whether packets are captured at present.
    pub is_capturing: bool,
    /// Why not, if that is known; where something is captured, what is left out: devices
    /// to which no captured interface leads, and interfaces for which there is no room.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
    /// Seconds of packets that one analysis is given; fewer after a start, and
    /// where they had no room.
    pub window_seconds: u32,
    /// A verdict that nothing confirmed for so long is forgotten.
    pub stale_after_seconds: u32,
    /// Packets that had to make room, or became too old, before an analysis saw them.
    pub packets_skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_analysis: Option<WatchAnalysis>,
    pub interfaces: Vec<WatchedInterface>,
    pub devices: Vec<WatchedDevice>,
}

/// The last analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchAnalysis {
    /// The time of its packets.
    pub from: Timestamp,
    pub until: Timestamp,
    pub packets: u64,
    /// Whether the kernel dropped packets in this time, or the capture was begun
    /// anew: silence was no proof then.
    pub has_gap: bool,
    /// How long it took.
    pub took_us: u64,
}

/// An interface that is or was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedInterface {
    pub name: String,
    /// Packets of the devices since the agent started, the dropped ones included.
    pub packets: u64,
    /// Those that the kernel dropped for want of room.
    pub drops: u64,
}

/// A watched device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedDevice {
    /// The address that identifies it in metrics and links.
    #[schema(value_type = String)]
    pub device: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// Those of them to which no captured interface leads: nothing is known of their packets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<String>)]
    pub uncaptured_addresses: Vec<IpAddr>,
    /// Nothing where no exchange was seen, or the last one is too long ago.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<WatchedState>,
}

/// What the last window that showed enough says of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedState {
    pub verdict: Verdict,
    pub headline: String,
    /// The end of the last window that gave or confirmed the verdict.
    pub judged_at: Timestamp,
    /// The last packet of an exchange of the device.
    pub last_packet_at: Timestamp,
    /// Exchanges of that window by their verdicts.
    pub exchanges: BTreeMap<Verdict, u64>,
    /// The cause that explains most first.
    pub findings: Vec<WatchedFinding>,
}

/// A cause that packets proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedFinding {
    pub cause: Cause,
    pub severity: Severity,
    pub confidence: Confidence,
    pub title: String,
    /// Frames, and entries of the connection tracking table, that prove it.
    pub evidence: u64,
}
