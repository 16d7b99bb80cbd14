//! A capture of the report: where it was taken, and how much of it was read.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::capture::{CaptureFormat, Clock, PointKind};
use crate::model::packet::TunnelKind;
use crate::model::time::Timestamp;

/// One capture of the analysis, and how much of it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Capture {
    /// The file's name, or for a transcript the node and interface it was taken at.
    pub name: String,
    pub format: CaptureFormat,
    pub point: PointKind,
    pub node: Option<String>,
    pub interface: Option<String>,
    pub link_types: Vec<String>,
    /// What the times of this capture are counted from.
    pub clock: Clock,
    /// Frames, whatever they carry.
    pub packets: u64,
    /// UDP datagrams; a fragmented one counts once.
    pub datagrams: u64,
    pub icmp_errors: u64,
    /// Bytes on the wire; zero for text, which does not say.
    pub bytes: u64,
    pub first_packet_at: Option<Timestamp>,
    pub last_packet_at: Option<Timestamp>,
    /// This capture's clock minus the first capture's, in µs, estimated from
    /// datagrams seen at both.
    pub clock_offset_us: Option<i64>,
    /// How far `clock_offset_us` may be off, in µs: the median absolute deviation
    /// of the matched pairs from it, summed up over the captures that lead to
    /// the first. Null where one pair alone was matched, and nothing tells.
    #[serde(default)]
    pub clock_offset_error_us: Option<u64>,
    /// The capture that this one goes on with: the same place, next in time.
    /// Both are followed as one.
    #[serde(default)]
    pub continues: Option<String>,
    /// Tunnels whose inner packets were analysed, the busiest first.
    #[serde(default)]
    pub tunnels: Vec<CaptureTunnel>,
    /// Entries of a connection tracking table; zero for packets.
    #[serde(default)]
    pub tracked_entries: u64,
    /// What could not be read, and where.
    pub warnings: Vec<String>,
}

/// A tunnel in a capture: its packets are analysed by what is inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureTunnel {
    pub kind: TunnelKind,
    /// The outer addresses, in the direction of the packets.
    #[schema(value_type = String)]
    pub source: IpAddr,
    #[schema(value_type = String)]
    pub destination: IpAddr,
    /// Datagrams and ICMP errors that came through it.
    pub packets: u64,
    /// What its headers tell networks apart by, in ascending order and no more than
    /// 16: networks of VXLAN and Geneve, GTP-U's tunnel endpoints, GRE's keys,
    /// ERSPAN's sessions.
    #[serde(default)]
    pub keys: Vec<u32>,
    /// Of the packets those with keys beyond the listed ones.
    #[serde(default)]
    pub packets_with_further_keys: u64,
}
