//! The flows of one capture point, and the flow that an ICMP error means.

use hashbrown::HashMap;

use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin};
use crate::model::packet::{IcmpError, Quote};
use crate::model::report::Quotes;

/// How far back an ICMP error without ports looks for the datagram it means.
const RECENT_FLOWS: usize = 256;

/// A pair of endpoints and the exchange it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub client: Endpoint,
    pub server: Endpoint,
    pub exchange: u32,
    /// What the client's packets on this flow are; `None`: requests.
    pub course: Option<Course>,
    /// What the server's packets on this flow are.
    pub origin: Origin,
}

/// All flows, by their two endpoints, and the latest of them.
#[derive(Debug, Default)]
pub struct Flows {
    all: Vec<Flow>,
    by_pair: HashMap<(Endpoint, Endpoint), u32>,
    recent: Vec<u32>,
    next_recent: usize,
}

impl Flows {
    /// The flow between two endpoints, in whichever direction; it is the latest now.
    pub fn find(&mut self, one: Endpoint, other: Endpoint) -> Option<Flow> {
        let index = *self.by_pair.get(&pair(one, other))?;
        self.remember(index);
        self.all.get(index as usize).copied()
    }

    /// Adds a flow; it is the latest now.
    pub fn register(&mut self, flow: Flow) {
        let Ok(index) = u32::try_from(self.all.len()) else { return };
        self.all.push(flow);
        self.by_pair.insert(pair(flow.client, flow.server), index);
        self.remember(index);
    }

    /// The flow an ICMP error is about, which part of the exchange it quotes,
    /// and the destination quoted.
    pub fn find_quoted(&self, error: &IcmpError) -> Option<(Flow, Quotes, Option<Endpoint>)> {
        let exact = error.quote.and_then(|quote| {
            let (source, destination) = (quote.source_endpoint()?, quote.destination_endpoint()?);
            let flow = self.all[*self.by_pair.get(&pair(source, destination))? as usize];
            Some((flow, source == flow.client))
        });
        let (flow, quotes_client) = exact.or_else(|| self.find_recent(error))?;
        let quotes = match (quotes_client, flow.course) {
            (false, _) => Quotes::Reply,
            (true, None) => Quotes::Request,
            (true, Some(_)) => Quotes::FollowUp,
        };
        let quoted_destination = match error.quote {
            Some(quote) if quote.destination_port.is_some() => quote.destination_endpoint(),
            // The quote is cut, but the flow is known.
            _ => Some(if quotes_client { flow.server } else { flow.client }),
        };
        Some((flow, quotes, quoted_destination))
    }

    /// The latest flow that fits what is left of a quote: its addresses, or
    /// where those are cut too, the error's own (RFC 4443 section 2.4: the
    /// error goes to the sender of the datagram it is about).
    fn find_recent(&self, error: &IcmpError) -> Option<(Flow, bool)> {
        let quote = error.quote.unwrap_or(Quote {
            source: error.to,
            source_port: None,
            destination: error.from,
            destination_port: None,
        });
        let fits = |source: Endpoint, destination: Endpoint| {
            source.address == quote.source
                && destination.address == quote.destination
                && quote.source_port.is_none_or(|port| port == source.port)
                && quote.destination_port.is_none_or(|port| port == destination.port)
        };
        let count = self.recent.len();
        (1..=count).find_map(|back| {
            let flow = self.all[self.recent[(self.next_recent + count - back) % count] as usize];
            if fits(flow.client, flow.server) {
                Some((flow, true))
            } else if fits(flow.server, flow.client) {
                Some((flow, false))
            } else {
                None
            }
        })
    }

    fn remember(&mut self, flow: u32) {
        if self.recent.len() < RECENT_FLOWS {
            self.recent.push(flow);
        } else {
            self.recent[self.next_recent] = flow;
        }
        self.next_recent = (self.next_recent + 1) % RECENT_FLOWS;
    }
}

/// Both directions of a flow have one key.
fn pair(one: Endpoint, other: Endpoint) -> (Endpoint, Endpoint) {
    if one <= other { (one, other) } else { (other, one) }
}
