//! Verdicts, causes, and findings that packets prove.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capture::FrameRef;

/// How an exchange went. Ordered from best to worst, so that the worst of many is their maximum.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Replies came from the address asked; follow-ups went to the address that replied.
    Symmetric,
    /// The protocol expects no reply.
    OneWay,
    /// An address changed on the way and the exchange went on.
    Tolerated,
    /// The capture does not show enough.
    Inconclusive,
    /// A request or follow-up got no answer, and no address explains it.
    Unanswered,
    /// An ICMP error ended it, and no address had changed.
    Rejected,
    /// An address or port changed and the exchange stopped because of it.
    Broken,
}

impl Verdict {
    /// All verdicts, worst first.
    pub const WORST_FIRST: [Self; 7] = [
        Self::Broken,
        Self::Rejected,
        Self::Unanswered,
        Self::Inconclusive,
        Self::Tolerated,
        Self::OneWay,
        Self::Symmetric,
    ];

    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Symmetric => "symmetric",
            Self::OneWay => "one_way",
            Self::Tolerated => "tolerated",
            Self::Inconclusive => "inconclusive",
            Self::Unanswered => "unanswered",
            Self::Rejected => "rejected",
            Self::Broken => "broken",
        }
    }

    /// As people say it: `one-way`.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            other => other.as_token(),
        }
    }

    /// The verdict with this JSON value.
    #[must_use]
    pub fn find_token(token: &str) -> Option<Self> {
        Self::WORST_FIRST.into_iter().find(|verdict| verdict.as_token() == token)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_text())
    }
}

/// Why an exchange went as it did. The token is the JSON value, the anchor of
/// its documentation and the name of its rule's file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    FollowUpToRequestAddress,
    FollowUpToRequestPort,
    ReplySourceTranslated,
    ReplySourceNotRequested,
    ReplyPortTranslated,
    ReplyIgnored,
    ReplyRejected,
    ReplyToPayloadAddress,
    ClientSourceChanged,
    MappingExpired,
    SenderTranslated,
    UnexpectedOwnSource,
    StaleTranslation,
    RequestNotTranslated,
    RequestNotDelivered,
    FollowUpNotDelivered,
    ReplyNotForwarded,
    FragmentsLost,
    NeighbourUnresolved,
    PortUnreachable,
    HostUnreachable,
    AdminProhibited,
    PacketTooBig,
    RequestUnanswered,
    FollowUpMissing,
    FamiliesDiffer,
    RetransmissionsRecovered,
    OneDirectionCaptured,
}

impl Cause {
    /// All causes, the one that explains most first: findings are listed in this order.
    pub const ALL: [Self; 28] = [
        Self::FollowUpToRequestAddress,
        Self::FollowUpToRequestPort,
        Self::ReplyIgnored,
        Self::ReplyRejected,
        Self::ReplyToPayloadAddress,
        Self::ClientSourceChanged,
        Self::MappingExpired,
        Self::ReplySourceTranslated,
        Self::ReplySourceNotRequested,
        Self::ReplyPortTranslated,
        Self::FragmentsLost,
        Self::NeighbourUnresolved,
        Self::StaleTranslation,
        Self::RequestNotTranslated,
        Self::RequestNotDelivered,
        Self::FollowUpNotDelivered,
        Self::ReplyNotForwarded,
        Self::SenderTranslated,
        Self::UnexpectedOwnSource,
        Self::PortUnreachable,
        Self::HostUnreachable,
        Self::AdminProhibited,
        Self::PacketTooBig,
        Self::RequestUnanswered,
        Self::FollowUpMissing,
        Self::FamiliesDiffer,
        Self::OneDirectionCaptured,
        Self::RetransmissionsRecovered,
    ];

    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::FollowUpToRequestAddress => "follow_up_to_request_address",
            Self::FollowUpToRequestPort => "follow_up_to_request_port",
            Self::ReplySourceTranslated => "reply_source_translated",
            Self::ReplySourceNotRequested => "reply_source_not_requested",
            Self::ReplyPortTranslated => "reply_port_translated",
            Self::ReplyIgnored => "reply_ignored",
            Self::ReplyRejected => "reply_rejected",
            Self::ReplyToPayloadAddress => "reply_to_payload_address",
            Self::MappingExpired => "mapping_expired",
            Self::ClientSourceChanged => "client_source_changed",
            Self::SenderTranslated => "sender_translated",
            Self::UnexpectedOwnSource => "unexpected_own_source",
            Self::StaleTranslation => "stale_translation",
            Self::RequestNotTranslated => "request_not_translated",
            Self::RequestNotDelivered => "request_not_delivered",
            Self::FollowUpNotDelivered => "follow_up_not_delivered",
            Self::ReplyNotForwarded => "reply_not_forwarded",
            Self::FragmentsLost => "fragments_lost",
            Self::NeighbourUnresolved => "neighbour_unresolved",
            Self::PortUnreachable => "port_unreachable",
            Self::HostUnreachable => "host_unreachable",
            Self::AdminProhibited => "admin_prohibited",
            Self::PacketTooBig => "packet_too_big",
            Self::RequestUnanswered => "request_unanswered",
            Self::FollowUpMissing => "follow_up_missing",
            Self::FamiliesDiffer => "families_differ",
            Self::RetransmissionsRecovered => "retransmissions_recovered",
            Self::OneDirectionCaptured => "one_direction_captured",
        }
    }

    /// The page that explains it: `/docs/causes/reply_ignored`.
    #[must_use]
    pub fn documentation_path(self) -> String {
        format!("/docs/causes/{}", self.as_token())
    }

    /// The cause with this JSON value.
    #[must_use]
    pub fn find_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_token() == token)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_token())
    }
}

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Possible,
    Likely,
    /// Proven by identity, an ICMP quote, or a translation seen at two points.
    Certain,
}

impl Confidence {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// A frame that proves something, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub frame: FrameRef,
    /// `2000::65:119 → 2000::65:21, 516 bytes`
    pub summary: String,
}

/// Something to change, in steps and commands for the case at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Remedy {
    pub title: String,
    /// Sentences, in order.
    pub steps: Vec<String>,
    /// Shell commands with this case's addresses filled in.
    pub commands: Vec<String>,
}

/// A cause found in one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub cause: Cause,
    pub severity: Severity,
    pub confidence: Confidence,
    pub title: String,
    pub explanation: String,
    /// Never empty: see [`Finding::new`].
    pub evidence: Vec<Evidence>,
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// A finding that `first` proves. A verdict must be earned by packets, so
    /// there is no finding without a frame.
    #[must_use]
    pub fn new(cause: Cause, severity: Severity, confidence: Confidence, first: Evidence) -> Self {
        Self {
            cause,
            severity,
            confidence,
            title: String::new(),
            explanation: String::new(),
            evidence: vec![first],
            remedies: Vec::new(),
        }
    }
}

/// What was found out about one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub verdict: Verdict,
    /// The capture ended before an answer could have come: beside exchanges that
    /// tell something, this one says nothing of its device.
    pub is_still_waiting: bool,
    /// In the order of [`Cause::ALL`].
    pub findings: Vec<Finding>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_json_values() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_token());
            assert_eq!(Cause::find_token(cause.as_token()), Some(cause));
        }
        for verdict in Verdict::WORST_FIRST {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_token());
            assert_eq!(Verdict::find_token(verdict.as_token()), Some(verdict));
        }
    }

    #[test]
    fn broken_is_the_worst_verdict() {
        assert!(Verdict::WORST_FIRST.is_sorted_by(|worse, better| worse > better));
    }
}
