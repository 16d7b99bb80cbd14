//! Entries of a node's connection tracking table, as the kernel keeps them.

use std::fmt;
use std::time::Duration;

use super::endpoint::{Endpoint, FlowKey};
use super::time::Timestamp;

/// How long Linux keeps an entry of UDP after its last packet, where nothing answered
/// (`nf_conntrack_udp_timeout`).
pub const UNREPLIED_LIFE: Duration = Duration::from_secs(30);
/// The same where packets go both ways (`nf_conntrack_udp_timeout_stream`).
pub const STREAM_LIFE: Duration = Duration::from_mins(2);

/// One entry: the flow as its first packet went, and the flow that the kernel
/// expects back. Where the second is not the first reversed, the kernel
/// translates (`tuplehash` of `struct nf_conn` in Linux).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedFlow {
    /// As the first packet arrived, before any translation.
    pub original: FlowKey,
    /// As an answer is expected: after translation, reversed.
    pub expected_reply: FlowKey,
    /// Whether the kernel has seen an answer; `[UNREPLIED]` says no.
    pub is_replied: bool,
    /// Whether packets went to and fro for long enough (`[ASSURED]`).
    pub is_assured: bool,
    /// The helper that reads its payload: `tftp`, `sip`.
    pub helper: Option<String>,
    /// Seconds until the entry is forgotten.
    pub expires_in_s: Option<u32>,
    /// Packets and bytes in the original direction, where the kernel counts them.
    pub original_count: Option<TrackedCount>,
    pub reply_count: Option<TrackedCount>,
    /// The zone of its original direction, where the listing tells one. Virtual networks
    /// (OVN, OVS) track a flow once in each zone that it passes; every zone keeps an entry
    /// of its own.
    pub zone: Option<u16>,
    /// What happened to the entry, where the table was followed (`conntrack -E`).
    pub event: Option<TrackedEvent>,
    /// When it was seen, where the listing says so.
    pub at: Option<Timestamp>,
}

/// Entries of one node's table, as one listing or one moment gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingTable {
    /// The name of the listing: of a file, an input's part, or the agent's answer.
    pub name: String,
    pub node: Option<String>,
    pub entries: Vec<TrackedEntry>,
}

/// One entry and where the listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedEntry {
    /// Line of the listing, counted from 1; evidence names it as a frame.
    pub line: u64,
    pub flow: TrackedFlow,
}

/// Packets and bytes of one direction; bytes include the IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackedCount {
    pub packets: u64,
    pub bytes: u64,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackedEvent {
    New,
    Update,
    Destroy,
}

impl TrackedFlow {
    /// Where the kernel sends what goes to the original destination.
    #[must_use]
    pub const fn translated_destination(&self) -> Endpoint {
        self.expected_reply.source
    }

    /// The source that the other side sees.
    #[must_use]
    pub const fn translated_source(&self) -> Endpoint {
        self.expected_reply.destination
    }

    /// Whether the kernel changes whom the packet reaches (DNAT).
    #[must_use]
    pub fn is_destination_translated(&self) -> bool {
        self.translated_destination() != self.original.destination
    }

    /// Whether the kernel translates nothing at all.
    #[must_use]
    pub fn is_untranslated(&self) -> bool {
        !self.is_destination_translated() && !self.is_source_translated()
    }

    /// Whether the kernel changes who seems to have sent it (SNAT, masquerade).
    #[must_use]
    pub fn is_source_translated(&self) -> bool {
        self.translated_source() != self.original.source
    }
}

/// Both tuples and the marks between them, as `conntrack -L` prints them.
impl fmt::Display for TrackedFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_tuple(f, &self.original)?;
        if !self.is_replied {
            f.write_str(" [UNREPLIED]")?;
        }
        f.write_str(" ")?;
        write_tuple(f, &self.expected_reply)?;
        if self.is_assured {
            f.write_str(" [ASSURED]")?;
        }
        Ok(())
    }
}

fn write_tuple(f: &mut fmt::Formatter<'_>, flow: &FlowKey) -> fmt::Result {
    let FlowKey { source, destination, .. } = flow;
    write!(
        f,
        "src={} dst={} sport={} dport={}",
        source.address, destination.address, source.port, destination.port
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_which_side_is_translated() {
        let cases = [
            ("192.0.2.9:5000", "192.0.2.1:69", "198.51.100.7:69", "192.0.2.9:5000", true, false),
            ("198.51.100.7:400", "192.0.2.9:5000", "192.0.2.9:5000", "192.0.2.3:400", false, true),
            (
                "[2001:db8::9]:5000",
                "[2001:db8::1]:69",
                "[2001:db8:1::7]:69",
                "[2001:db8::9]:5000",
                true,
                false,
            ),
            (
                "[2001:db8::9]:5000",
                "[2001:db8::1]:400",
                "[2001:db8::1]:400",
                "[2001:db8::9]:5000",
                false,
                false,
            ),
        ];
        for (source, destination, answerer, answered, destination_changes, source_changes) in cases
        {
            let endpoint =
                |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
            let flow = TrackedFlow {
                original: FlowKey::udp(endpoint(source), endpoint(destination)),
                expected_reply: FlowKey::udp(endpoint(answerer), endpoint(answered)),
                is_replied: false,
                is_assured: false,
                helper: None,
                expires_in_s: None,
                original_count: None,
                reply_count: None,
                zone: None,
                event: None,
                at: None,
            };
            assert_eq!(flow.is_destination_translated(), destination_changes, "{source}");
            assert_eq!(flow.is_source_translated(), source_changes, "{source}");
        }
    }
}
