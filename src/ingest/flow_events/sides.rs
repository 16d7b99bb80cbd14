//! On which side of Cilium's translation a packet counts.
//!
//! Most points show one direction only: requests before they enter the pod,
//! answers after they left the node. A packet therefore counts where the other
//! direction of its conversation was seen, with the addresses that it has
//! there. One with other addresses was translated: it counts on its own side.

use std::collections::HashMap;

use super::event::{FlowEvent, Party, Side, Who};

/// Conversations that are remembered at once.
const LIMIT_CONVERSATIONS: usize = 65_536;

/// The sides of conversations, by client and server.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// The client's end, and the server without its port: TFTP's changes.
    known: HashMap<(Party, Who), Side>,
}

impl Sides {
    /// The side on which this packet counts.
    pub fn place(&self, event: &FlowEvent) -> Side {
        let as_reply = (event.destination.clone(), event.source.who.clone());
        let as_request = (event.source.clone(), event.destination.who.clone());
        self.known
            .get(&as_reply)
            .or_else(|| self.known.get(&as_request))
            .copied()
            .unwrap_or(event.side)
    }

    /// Whether its addressee has spoken to its sender before.
    pub fn is_reply(&self, event: &FlowEvent) -> bool {
        self.known.contains_key(&(event.destination.clone(), event.source.who.clone()))
    }

    /// Notes that the packet counted on `side`.
    pub fn remember(&mut self, event: &FlowEvent, side: Side) {
        if self.is_reply(event) {
            return;
        }
        if self.known.len() >= LIMIT_CONVERSATIONS {
            // Old conversations are over; a running one is told apart anew.
            self.known.clear();
        }
        self.known.insert((event.source.clone(), event.destination.who.clone()), side);
    }
}
