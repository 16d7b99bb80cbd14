//! What an agent says beside packets while a query runs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::model::endpoint::FlowKey;
use crate::node::wire::{NodeFacts, TrackedFlow, TrackedFlows};

/// Entries that are kept of one query; further ones are counted.
const MOST_FLOWS: usize = 20_000;

/// A node's facts and the entries of its connection tracking table over the
/// time of a query. UDP entries live for 30 s unanswered, so one look at the end
/// would miss those of the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// As read last.
    pub facts: Option<NodeFacts>,
    pub flows: Option<TrackedFlows>,
    /// What was not captured, and why.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Observed {
    /// Takes a look at the table. An entry seen before is as it is now; one that
    /// is gone stays as it was seen last.
    pub fn take(&mut self, seen: TrackedFlows) {
        let Some(known) = &mut self.flows else {
            self.flows = Some(seen);
            return;
        };
        let mut places: HashMap<(FlowKey, FlowKey), usize> =
            known.entries.iter().enumerate().map(|(place, flow)| (key_of(flow), place)).collect();
        known.at = seen.at;
        known.entries_omitted = known.entries_omitted.max(seen.entries_omitted);
        for flow in seen.entries {
            let key = key_of(&flow);
            let place = places.get(&key).and_then(|place| known.entries.get_mut(*place));
            if let Some(place) = place {
                *place = flow;
            } else if known.entries.len() < MOST_FLOWS {
                places.insert(key, known.entries.len());
                known.entries.push(flow);
            } else {
                known.entries_omitted = known.entries_omitted.saturating_add(1);
            }
        }
    }
}

fn key_of(flow: &TrackedFlow) -> (FlowKey, FlowKey) {
    (flow.original.into(), flow.expected_reply.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::time::Timestamp;
    use crate::node::wire::TrackedDirection;

    fn flow(client: &str, asked: &str, answerer: &str, is_replied: bool) -> TrackedFlow {
        let endpoint = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let [client, asked, answerer] = [client, asked, answerer].map(endpoint);
        TrackedFlow {
            original: TrackedDirection { source: client, destination: asked },
            expected_reply: TrackedDirection { source: answerer, destination: client },
            is_replied,
            is_assured: false,
            helper: None,
            expires_in_s: Some(30),
            original_count: None,
            reply_count: None,
            at: None,
        }
    }

    fn table(second: i64, entries: Vec<TrackedFlow>) -> TrackedFlows {
        let at = Timestamp::from_seconds(second);
        TrackedFlows { version: 1, node: "node3".to_owned(), at, entries, entries_omitted: 0 }
    }

    #[test]
    fn entries_are_kept_when_the_kernel_forgets_them() {
        let families = [
            ["192.0.2.9:5000", "192.0.2.21:69", "198.51.100.7:69"],
            ["[2001:db8::9]:5000", "[2001:db8::21]:69", "[2001:db8:1::7]:69"],
        ];
        for [client, asked, pod] in families {
            let mut observed = Observed::default();
            observed.take(table(1, vec![flow(client, asked, pod, false)]));
            observed.take(table(11, vec![flow(client, asked, pod, true)]));
            // The kernel has forgotten it, and the next one is not translated.
            observed.take(table(41, vec![flow(client, asked, asked, false)]));
            let flows = observed.flows.clone().unwrap();
            let expected = vec![flow(client, asked, pod, true), flow(client, asked, asked, false)];
            assert_eq!(flows.entries, expected, "{client}");
            assert_eq!(flows.at, Timestamp::from_seconds(41));
            let json = serde_json::to_string(&observed).unwrap();
            assert_eq!(serde_json::from_str::<Observed>(&json).unwrap(), observed);
        }
    }
}
