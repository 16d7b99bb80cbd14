//! What Cilium dropped, and why, as notes on the capture.

use std::collections::BTreeMap;

use super::event::{Carries, FlowEvent};
use crate::model::packet::IcmpKind;

/// Kinds of drops that are told apart.
const LIMIT_KINDS: usize = 50;

/// Drops by reason and the ends of the packet.
#[derive(Debug, Default)]
pub(super) struct Drops {
    kinds: BTreeMap<Kind, Count>,
    more: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    reason: String,
    source: String,
    destination: String,
    /// `None` for a datagram.
    error: Option<IcmpKind>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    packets: u64,
    first_line: u64,
}

/// What a reason means here, by the words that Cilium prints.
const MEANINGS: [(&str, &str); 6] = [
    ("Policy denied", "no network policy allows it"),
    (
        "No mapping for NAT masquerade",
        "an answer to a port for which this node has no translation: it was made on another node, has expired, or the answer comes from a new port",
    ),
    ("Service backend not found", "the service has no ready pod"),
    ("CT: Map insertion failed", "the connection tracking map is full"),
    // The token of JSON: CT_MAP_INSERTION_FAILED.
    ("Ct map insertion failed", "the connection tracking map is full"),
    ("Fragmentation needed", "it is larger than the path's MTU"),
];

impl Drops {
    /// Counts a dropped datagram, or ICMP error.
    pub fn count(&mut self, line: u64, event: &FlowEvent) {
        let error = match event.carries {
            Carries::IcmpError(kind) => Some(kind),
            Carries::Udp | Carries::Other => None,
        };
        let key = Kind {
            reason: event.point.clone(),
            source: event.source.as_text(),
            destination: event.destination.as_text(),
            error,
        };
        if let Some(count) = self.kinds.get_mut(&key) {
            count.packets += 1;
        } else if self.kinds.len() < LIMIT_KINDS {
            self.kinds.insert(key, Count { packets: 1, first_line: line });
        } else {
            self.more += 1;
        }
    }

    /// One note for each kind.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self
            .kinds
            .iter()
            .map(|(Kind { reason, source, destination, error }, count)| {
                let Count { packets, first_line } = count;
                let what = match (packets, error) {
                    (1, None) => "a UDP datagram".to_owned(),
                    (more, None) => format!("{more} UDP datagrams"),
                    (1, Some(kind)) => format!("an ICMP error ({})", kind.as_text()),
                    (more, Some(kind)) => format!("{more} ICMP errors ({})", kind.as_text()),
                };
                let meaning = MEANINGS
                    .iter()
                    .find(|(lead, _)| reason.starts_with(lead))
                    .map(|(_, meaning)| format!(" ({meaning})"))
                    .unwrap_or_default();
                format!(
                    "Cilium dropped {what} {source} → {destination}: {reason}{meaning}; first in line {first_line}"
                )
            })
            .collect();
        if self.more > 0 {
            notes.push(format!("Cilium dropped {} more packets", self.more));
        }
        notes
    }
}
