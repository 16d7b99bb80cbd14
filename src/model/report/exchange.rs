//! An exchange of the report: who was asked, who answered, what followed, step by step.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

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

impl DeviceExchange {
    /// Whether an address or a port changed on the way, as its verdict says.
    #[must_use]
    pub const fn has_changed(&self) -> bool {
        matches!(self.verdict, Verdict::Broken | Verdict::Tolerated)
    }
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
