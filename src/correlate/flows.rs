//! The flows of one capture point, and the flow that an ICMP error means.

use std::net::IpAddr;

use super::index::{Hasher, Index};
use super::record::{ExchangeIndex, Record};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin};
use crate::model::packet::{IcmpError, Quote};
use crate::model::segment::QuotedKind;

/// How far back an ICMP error without ports looks for the datagram it means.
const RECENT_FLOWS: usize = 256;
/// Marks the number of a flow that is not simply an exchange's own.
const SIDE_FLOW: u32 = 1 << 31;

/// A pair of endpoints and the exchange it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub client: Endpoint,
    pub server: Endpoint,
    pub exchange: ExchangeIndex,
    /// What the client's packets on this flow are; `None`: requests.
    pub course: Option<Course>,
    /// What the server's packets on this flow are.
    pub origin: Origin,
}

impl Flow {
    fn joins(&self, one: Endpoint, other: Endpoint) -> bool {
        (self.client == one && self.server == other) || (self.client == other && self.server == one)
    }
}

/// Where a flow stands, as far as was known before its packet's turn came.
#[derive(Debug, Clone, Copy)]
pub struct Foreseen {
    pub hash: u64,
    /// Of these two endpoints, for all that the hash tells.
    number: Option<u32>,
    changes: u32,
}

/// All flows, by their two endpoints, and the latest of them.
///
/// The flow between a client and whom it asked is the exchange itself; only
/// others take room of their own.
#[derive(Debug, Default)]
pub struct Flows {
    side: Vec<Flow>,
    /// Places in `side` that are free again.
    vacant: Vec<u32>,
    by_pair: Index,
    /// How often a pair was taken away, or led elsewhere than before.
    changes: u32,
    recent: Vec<u32>,
    next_recent: usize,
}

impl Flows {
    /// The flow between two endpoints, in whichever direction; it is the latest now.
    pub fn find(
        &mut self,
        hasher: &Hasher,
        exchanges: &[Record],
        one: Endpoint,
        other: Endpoint,
    ) -> Option<Flow> {
        let foreseen = self.foresee(hasher.pair(one, other));
        self.find_foreseen(exchanges, foreseen, one, other)
    }

    /// Whether there is a flow between two endpoints, in whichever direction.
    pub fn knows(
        &self,
        hasher: &Hasher,
        exchanges: &[Record],
        one: Endpoint,
        other: Endpoint,
    ) -> bool {
        self.find_number(hasher, exchanges, one, other).is_some()
    }

    /// As [`find`](Self::find), but it is not the latest for that.
    pub fn look(
        &self,
        hasher: &Hasher,
        exchanges: &[Record],
        one: Endpoint,
        other: Endpoint,
    ) -> Option<Flow> {
        self.flow(exchanges, self.find_number(hasher, exchanges, one, other)?)
    }

    /// Looks ahead for the flow between the two endpoints that have this hash, without
    /// a look at its exchange.
    #[inline]
    pub fn foresee(&self, hash: u64) -> Foreseen {
        let number = self.by_pair.find(hash, |_| true);
        Foreseen { hash, number, changes: self.changes }
    }

    /// As [`find`](Self::find), with what was foreseen of the same endpoints.
    #[inline]
    pub fn find_foreseen(
        &mut self,
        exchanges: &[Record],
        foreseen: Foreseen,
        one: Endpoint,
        other: Endpoint,
    ) -> Option<Flow> {
        if let Some((number, flow)) = self.find_fresh(exchanges, foreseen, one, other) {
            self.remember(number);
            return Some(flow);
        }
        let number =
            self.by_pair.find(foreseen.hash, |number| self.joins(exchanges, number, one, other))?;
        self.remember(number);
        self.flow(exchanges, number)
    }

    /// What was foreseen of two endpoints, where it holds still; it is not the latest for
    /// that.
    pub fn look_foreseen(
        &self,
        exchanges: &[Record],
        foreseen: Foreseen,
        one: Endpoint,
        other: Endpoint,
    ) -> Option<Flow> {
        self.find_fresh(exchanges, foreseen, one, other).map(|(_, flow)| flow)
    }

    #[inline]
    fn find_fresh(
        &self,
        exchanges: &[Record],
        foreseen: Foreseen,
        one: Endpoint,
        other: Endpoint,
    ) -> Option<(u32, Flow)> {
        // Since then the pair may have come to lead elsewhere, if any pair did.
        let number = foreseen.number.filter(|_| foreseen.changes == self.changes)?;
        let flow = self.flow(exchanges, number).filter(|flow| flow.joins(one, other))?;
        Some((number, flow))
    }

    /// The exchange that what was foreseen leads to.
    #[inline]
    pub fn find_exchange(&self, foreseen: Foreseen) -> Option<usize> {
        let number = foreseen.number?;
        if number & SIDE_FLOW == 0 {
            return Some(number as usize);
        }
        let flow = self.side.get((number & !SIDE_FLOW) as usize)?;
        Some(flow.exchange.position())
    }

    /// Adds the flow between an exchange's client and the endpoint that it asked, which
    /// have this hash.
    pub fn register_own(&mut self, hash: u64, exchanges: &[Record], exchange: ExchangeIndex) {
        let Some(record) = exchanges.get(exchange.position()) else { return };
        let Some(asked) = record.asked else { return };
        let Ok(number) = u32::try_from(exchange.position()) else { return };
        self.insert(hash, exchanges, record.client, asked, number);
    }

    /// Adds a flow between other endpoints.
    pub fn register(&mut self, hasher: &Hasher, exchanges: &[Record], flow: Flow) {
        let free = self.vacant.pop();
        let next = u32::try_from(self.side.len()).ok().filter(|number| *number < SIDE_FLOW);
        let Some(number) = free.or(next) else { return };
        match self.side.get_mut(number as usize) {
            Some(place) => *place = flow,
            None => self.side.push(flow),
        }
        let hash = hasher.pair(flow.client, flow.server);
        self.insert(hash, exchanges, flow.client, flow.server, number | SIDE_FLOW);
    }

    /// Forgets a flow between other endpoints.
    pub fn forget(
        &mut self,
        hasher: &Hasher,
        exchanges: &[Record],
        client: Endpoint,
        server: Endpoint,
    ) {
        let Some(number) = self.find_number(hasher, exchanges, client, server) else { return };
        if number & SIDE_FLOW != 0 {
            self.by_pair.remove(hasher.pair(client, server), number);
            self.vacant.push(number & !SIDE_FLOW);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    /// Forgets an exchange's own flow.
    pub fn forget_own(&mut self, hasher: &Hasher, record: &Record, exchange: ExchangeIndex) {
        if let (Some(asked), Ok(number)) = (record.asked, u32::try_from(exchange.position())) {
            self.by_pair.remove(hasher.pair(record.client, asked), number);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    /// The flow an ICMP error is about, and whether it quotes a packet of the flow's client.
    pub fn find_quoted(
        &self,
        hasher: &Hasher,
        exchanges: &[Record],
        error: &IcmpError,
    ) -> Option<(Flow, bool)> {
        let exact = error.quote.and_then(|quote| {
            let (source, destination) = (quote.source_endpoint()?, quote.destination_endpoint()?);
            let number = self.find_number(hasher, exchanges, source, destination)?;
            let flow = self.flow(exchanges, number)?;
            Some((flow, source == flow.client))
        });
        exact.or_else(|| self.find_recent(exchanges, error))
    }

    /// The latest flow that fits what is left of a quote: its addresses, or
    /// where those are cut too, the error's own (RFC 4443 section 2.4: the
    /// error goes to the sender of the datagram it is about).
    fn find_recent(&self, exchanges: &[Record], error: &IcmpError) -> Option<(Flow, bool)> {
        let quote = error.quote.unwrap_or(Quote {
            source: error.to,
            source_port: None,
            destination: error.from,
            destination_port: None,
            kind: QuotedKind::Unknown,
            tunnel: None,
        });
        let fits = |source: Endpoint, destination: Endpoint| {
            source.address == quote.source
                && destination.address == quote.destination
                && quote.source_port.is_none_or(|port| port == source.port)
                && quote.destination_port.is_none_or(|port| port == destination.port)
        };
        // Who said nothing has no error to be told of.
        let has_said = |flow: &Flow, is_client: bool| {
            let exchange = exchanges.get(flow.exchange.position());
            error.quote.is_some() || exchange.is_none_or(|exchange| exchange.has_said(is_client))
        };
        let found = self.recent_flows(exchanges).find_map(|flow| {
            if fits(flow.client, flow.server) && has_said(&flow, true) {
                Some((flow, true))
            } else if fits(flow.server, flow.client) && has_said(&flow, false) {
                Some((flow, false))
            } else {
                None
            }
        });
        found.or_else(|| match error.quote {
            Some(_) => None,
            None => self
                .find_only(exchanges, error.to)
                .filter(|(flow, is_client)| has_said(flow, *is_client)),
        })
    }

    /// The latest flow of `sender`, if all its recent ones are of one exchange:
    /// then a router's error to it, whose quote is cut, is about that.
    fn find_only(&self, exchanges: &[Record], sender: IpAddr) -> Option<(Flow, bool)> {
        let is_its = |flow: &Flow| flow.client.address == sender || flow.server.address == sender;
        let mut flows = self.recent_flows(exchanges).filter(is_its);
        let latest = flows.next()?;
        flows
            .all(|flow| flow.exchange == latest.exchange)
            .then_some((latest, latest.client.address == sender))
    }

    /// From the latest to the earliest that is remembered.
    fn recent_flows(&self, exchanges: &[Record]) -> impl Iterator<Item = Flow> {
        let count = self.recent.len();
        (1..=count).filter_map(move |back| {
            self.flow(exchanges, self.recent[(self.next_recent + count - back) % count])
        })
    }

    fn find_number(
        &self,
        hasher: &Hasher,
        exchanges: &[Record],
        one: Endpoint,
        other: Endpoint,
    ) -> Option<u32> {
        self.by_pair
            .find(hasher.pair(one, other), |number| self.joins(exchanges, number, one, other))
    }

    fn insert(
        &mut self,
        hash: u64,
        exchanges: &[Record],
        client: Endpoint,
        server: Endpoint,
        number: u32,
    ) {
        let side = &self.side;
        let before = self
            .by_pair
            .insert(hash, number, |known| joins(side, exchanges, known, client, server));
        if before.is_some() {
            self.changes = self.changes.wrapping_add(1);
        }
        self.remember(number);
    }

    fn joins(&self, exchanges: &[Record], number: u32, one: Endpoint, other: Endpoint) -> bool {
        joins(&self.side, exchanges, number, one, other)
    }

    #[inline]
    fn flow(&self, exchanges: &[Record], number: u32) -> Option<Flow> {
        if number & SIDE_FLOW != 0 {
            return self.side.get((number & !SIDE_FLOW) as usize).copied();
        }
        let record = exchanges.get(number as usize)?;
        Some(Flow {
            client: record.client,
            server: record.asked?,
            exchange: ExchangeIndex::new(number as usize)?,
            course: None,
            origin: Origin::Asked,
        })
    }

    #[inline]
    fn remember(&mut self, number: u32) {
        if self.recent.len() < RECENT_FLOWS {
            self.recent.push(number);
        } else {
            self.recent[self.next_recent] = number;
        }
        self.next_recent = (self.next_recent + 1) % RECENT_FLOWS;
    }
}

/// Whether flow `number` runs between two endpoints.
fn joins(
    side_flows: &[Flow],
    exchanges: &[Record],
    number: u32,
    one: Endpoint,
    other: Endpoint,
) -> bool {
    let ends = if number & SIDE_FLOW != 0 {
        side_flows.get((number & !SIDE_FLOW) as usize).map(|flow| (flow.client, Some(flow.server)))
    } else {
        exchanges.get(number as usize).map(|record| (record.client, record.asked))
    };
    ends == Some((one, Some(other))) || ends == Some((other, Some(one)))
}
