//! Entries of the connection tracking table, on their way between agent and service.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::conntrack::{self, TrackedEntry, TrackingTable};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::time::Timestamp;

/// UDP entries of one node's table, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackedFlows {
    /// The version of this API.
    #[schema(example = 1)]
    pub version: u32,
    pub node: String,
    /// When the table was read, by the node's clock.
    pub at: Timestamp,
    pub entries: Vec<TrackedFlow>,
    /// Entries beyond the limit of one answer; name a device to get fewer.
    pub entries_omitted: u64,
}

/// One entry: the flow as its first packet went, and the flow expected back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackedFlow {
    /// As the first packet arrived, before any translation.
    pub original: TrackedDirection,
    /// As an answer is expected: after translation, reversed.
    pub expected_reply: TrackedDirection,
    /// Whether the kernel has seen an answer; `[UNREPLIED]` says no.
    pub is_replied: bool,
    /// Whether packets went to and fro for long enough (`[ASSURED]`).
    pub is_assured: bool,
    /// The helper that reads its payload: `tftp`, `sip`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub helper: Option<String>,
    /// Seconds until the entry is forgotten.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_s: Option<u32>,
    /// Where the kernel counts (`net.netfilter.nf_conntrack_acct`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original_count: Option<TrackedCount>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_count: Option<TrackedCount>,
    /// When it began, where the kernel keeps it (`net.netfilter.nf_conntrack_timestamp`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
}

/// One direction of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackedDirection {
    pub source: Endpoint,
    pub destination: Endpoint,
}

/// Packets and bytes of one direction; bytes include the IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackedCount {
    pub packets: u64,
    pub bytes: u64,
}

impl TrackedFlows {
    /// The same in the words of the model. `name` is how evidence calls the
    /// listing; entries count as its lines, from 1.
    #[must_use]
    pub fn to_table(&self, name: &str) -> TrackingTable {
        let entries = (1..)
            .zip(&self.entries)
            .map(|(line, flow)| TrackedEntry { line, flow: flow.into() })
            .collect();
        TrackingTable { name: name.to_owned(), node: Some(self.node.clone()), entries }
    }
}

impl From<FlowKey> for TrackedDirection {
    fn from(flow: FlowKey) -> Self {
        Self { source: flow.source, destination: flow.destination }
    }
}

impl From<TrackedDirection> for FlowKey {
    fn from(direction: TrackedDirection) -> Self {
        Self::udp(direction.source, direction.destination)
    }
}

impl From<conntrack::TrackedCount> for TrackedCount {
    fn from(count: conntrack::TrackedCount) -> Self {
        Self { packets: count.packets, bytes: count.bytes }
    }
}

impl From<TrackedCount> for conntrack::TrackedCount {
    fn from(count: TrackedCount) -> Self {
        Self { packets: count.packets, bytes: count.bytes }
    }
}

impl From<&conntrack::TrackedFlow> for TrackedFlow {
    fn from(flow: &conntrack::TrackedFlow) -> Self {
        Self {
            original: flow.original.into(),
            expected_reply: flow.expected_reply.into(),
            is_replied: flow.is_replied,
            is_assured: flow.is_assured,
            helper: flow.helper.clone(),
            expires_in_s: flow.expires_in_s,
            original_count: flow.original_count.map(Into::into),
            reply_count: flow.reply_count.map(Into::into),
            at: flow.at,
        }
    }
}

impl From<&TrackedFlow> for conntrack::TrackedFlow {
    fn from(flow: &TrackedFlow) -> Self {
        Self {
            original: flow.original.into(),
            expected_reply: flow.expected_reply.into(),
            is_replied: flow.is_replied,
            is_assured: flow.is_assured,
            helper: flow.helper.clone(),
            expires_in_s: flow.expires_in_s,
            original_count: flow.original_count.map(Into::into),
            reply_count: flow.reply_count.map(Into::into),
            // One entry of a flow is as good as another: the correlator takes the best.
            zone: None,
            // A listing of the table has no events.
            event: None,
            at: flow.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_went() {
        let endpoint = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let cases = [
            ("192.0.2.9:5000", "192.0.2.1:69", "198.51.100.7:69", "192.0.2.9:5000"),
            ("[2001:db8::9]:5000", "[2001:db8::1]:69", "[2001:db8:1::7]:69", "[2001:db8::9]:5000"),
        ];
        for (source, destination, answerer, answered) in cases {
            let flow = conntrack::TrackedFlow {
                original: FlowKey::udp(endpoint(source), endpoint(destination)),
                expected_reply: FlowKey::udp(endpoint(answerer), endpoint(answered)),
                is_replied: true,
                is_assured: false,
                helper: Some("tftp".to_owned()),
                expires_in_s: Some(30),
                original_count: Some(conntrack::TrackedCount { packets: 2, bytes: 90 }),
                reply_count: None,
                zone: None,
                event: None,
                at: Some(Timestamp::from_seconds(1_732_000_000)),
            };
            let sent = TrackedFlows {
                version: super::super::API_VERSION,
                node: "node3".to_owned(),
                at: Timestamp::EPOCH,
                entries: vec![(&flow).into()],
                entries_omitted: 0,
            };
            let json = serde_json::to_string(&sent).unwrap();
            let read: TrackedFlows = serde_json::from_str(&json).unwrap();
            let table = read.to_table("conntrack of node3");
            assert_eq!(table.node.as_deref(), Some("node3"));
            assert_eq!(table.entries, [TrackedEntry { line: 1, flow }], "{source}");
        }
    }
}
