//! The report: the contract that other programs read. Names change only by addition.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::capture::{CaptureFormat, Clock, PointKind};
use super::endpoint::Endpoint;
use super::finding::{Cause, Confidence, Remedy, Severity, Verdict};
use super::packet::{IcmpKind, TunnelKind};
use super::protocol::Protocol;
use super::time::Timestamp;
use super::topology::{FactSource, Role};

/// What an analysis found: sorted worst first, and the same for the same input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    pub id: Uuid,
    pub title: String,
    pub created_at: Timestamp,
    /// The worst of the devices' verdicts; `inconclusive` where there is no device.
    pub verdict: Verdict,
    /// The answer in one sentence.
    pub headline: String,
    pub summary: Summary,
    pub captures: Vec<Capture>,
    pub addresses: Vec<Address>,
    /// Addresses that packets used and `addresses` leaves out; at most 98,000 are counted.
    #[serde(default)]
    pub addresses_omitted: u64,
    /// Devices that `devices` leaves out, the best of all, where only a part was
    /// asked for; `summary` counts them all the same.
    #[serde(default)]
    pub devices_omitted: u64,
    /// Worst first.
    pub devices: Vec<Device>,
}

impl Report {
    /// The report without its devices, all of which count as left out.
    #[must_use]
    pub fn frame(&self) -> Self {
        let listed = u64::try_from(self.devices.len()).unwrap_or(u64::MAX);
        Self {
            id: self.id,
            title: self.title.clone(),
            created_at: self.created_at,
            verdict: self.verdict,
            headline: self.headline.clone(),
            summary: self.summary.clone(),
            captures: self.captures.clone(),
            addresses: self.addresses.clone(),
            addresses_omitted: self.addresses_omitted,
            devices_omitted: self.devices_omitted.saturating_add(listed),
            devices: Vec::new(),
        }
    }

    /// Leaves out all devices but the worst `most`.
    pub fn keep_worst(&mut self, most: usize) {
        let omitted = self.devices.len().saturating_sub(most);
        self.devices.truncate(most);
        self.devices_omitted =
            self.devices_omitted.saturating_add(u64::try_from(omitted).unwrap_or(u64::MAX));
    }
}

/// One line about a stored report: what lists show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisSummary {
    pub id: Uuid,
    pub title: String,
    pub created_at: Timestamp,
    pub verdict: Verdict,
    pub headline: String,
    pub devices: u64,
    /// The captures' names.
    pub captures: Vec<String>,
}

/// One device in one stored report: a line of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceSummary {
    #[schema(value_type = String)]
    pub device: IpAddr,
    pub name: Option<String>,
    pub analysis: Uuid,
    pub analysed_at: Timestamp,
    pub verdict: Verdict,
    pub headline: String,
    /// The causes found, the one that explains most first.
    pub causes: Vec<Cause>,
}

/// Counts over all devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    pub devices: u64,
    /// Devices per verdict; verdicts without a device are left out.
    pub verdicts: BTreeMap<Verdict, u64>,
}

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

/// An address of the analysis and its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Address {
    #[schema(value_type = String)]
    pub address: IpAddr,
    pub role: Role,
    pub node: Option<String>,
    pub pod: Option<String>,
    pub source: FactSource,
    pub reason: String,
}

/// One device: its verdict, why, and its exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// The address that identifies it in links.
    #[schema(value_type = String)]
    pub device: IpAddr,
    pub name: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    pub verdict: Verdict,
    pub headline: String,
    /// Why this side of the exchange is taken for the device.
    pub device_rule: String,
    /// One per cause, the one that explains most first.
    pub findings: Vec<DeviceFinding>,
    /// Worst first, then by time.
    pub exchanges: Vec<DeviceExchange>,
    pub exchanges_omitted: u64,
    /// Exchanges that a server answered last with an error of its protocol
    /// (`error_answer`), those that are not listed as well.
    #[serde(default)]
    pub error_answers: u64,
}

/// A cause that this device's packets prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceFinding {
    pub cause: Cause,
    /// Where the service explains the cause: `/docs/causes/{cause}`, a path on the
    /// host of the service that serves the report.
    #[serde(default)]
    pub documentation: String,
    pub severity: Severity,
    pub confidence: Confidence,
    pub title: String,
    pub explanation: String,
    pub evidence: Vec<FrameEvidence>,
    pub remedies: Vec<Remedy>,
    /// Wireshark display filter by addresses and ports: a protocol's name would hide the answer.
    pub display_filter: String,
}

/// A frame that proves a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FrameEvidence {
    /// The capture's name.
    pub capture: String,
    /// Counted from 1, as in Wireshark; of a connection tracking table its line.
    pub frame: u64,
    pub at: Timestamp,
    pub summary: String,
}

/// One client socket's conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceExchange {
    pub protocol: Protocol,
    pub verdict: Verdict,
    /// Captures in which packets of this exchange were seen, by name.
    pub captures: Vec<String>,
    pub first_packet_at: Timestamp,
    pub last_packet_at: Timestamp,
    pub client: Endpoint,
    /// Whether the input does not tell who asked; `client` is then the
    /// unspecified address and port 0.
    #[serde(default)]
    pub client_unknown: bool,
    /// `None` where the capture begins after the request.
    pub request: Option<RequestPart>,
    pub replies: Vec<ReplyPart>,
    pub follow_ups: Vec<FollowUpPart>,
    pub icmp_errors: Vec<IcmpPart>,
    /// The server's last answer in words, where it is an error of its protocol:
    /// `ERROR 3 "disk full"`. Who asked was answered, and did not get what it wanted.
    #[serde(default)]
    pub error_answer: Option<String>,
    pub translations: Vec<Translation>,
    /// The first packets in order, and later ones that a finding may rest on: what
    /// a ladder diagram shows.
    pub steps: Vec<Step>,
    pub steps_omitted: u64,
    pub display_filter: String,
    /// Community ID v1 of the client's flow to the address asked.
    pub community_id: Option<String>,
}

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestPart {
    pub destination: Endpoint,
    /// Repetitions included. Of a connection tracking table without counters: entries.
    pub packets: u64,
    /// The first request in words: `WRQ "startup.cfg"`.
    pub first: String,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyPart {
    pub source: Endpoint,
    /// Of a connection tracking table without counters: entries.
    pub packets: u64,
    /// UDP payload bytes.
    pub bytes: u64,
}

/// Where the client sent what came after the first reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowUpPart {
    pub destination: Endpoint,
    /// Of a connection tracking table without counters: entries.
    pub packets: u64,
    /// UDP payload bytes.
    pub bytes: u64,
}

/// ICMP errors of one kind, from one host, about one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IcmpPart {
    pub kind: IcmpKind,
    #[schema(value_type = String)]
    pub from: IpAddr,
    /// Which packet of the exchange the errors are about.
    pub quotes: Quotes,
    /// `None` where the quote is cut before the ports.
    pub quoted_destination: Option<Endpoint>,
    pub packets: u64,
}

/// Which part of an exchange an ICMP error is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Quotes {
    Request,
    Reply,
    FollowUp,
}

/// One datagram's endpoints before and after an address translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Translation {
    /// The two captures, in the packet's direction: `host@node3/eth0 → pod@node3/cali928cc4cd898`;
    /// or the connection tracking table that states the translation.
    pub between: String,
    pub before: Endpoint,
    pub after: Endpoint,
}

/// One packet, or a run of like packets, of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    pub capture: String,
    pub frame: u64,
    pub at: Timestamp,
    pub kind: StepKind,
    #[schema(value_type = String)]
    pub source: IpAddr,
    #[schema(value_type = String)]
    pub destination: IpAddr,
    /// `None` for ICMP.
    pub source_port: Option<u16>,
    pub destination_port: Option<u16>,
    /// In words: `DATA 1 (512 bytes)`.
    pub summary: String,
    /// Packets of the exchange between the step before and this one, which the
    /// report counts only; `steps_omitted` includes them.
    #[serde(default)]
    pub omitted_before: u64,
}

/// What a step is in its exchange.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Request,
    Reply,
    FollowUp,
    IcmpError,
}

impl StepKind {
    /// As people say it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::FollowUp => "follow-up",
            Self::IcmpError => "ICMP error",
        }
    }
}
