//! Requests that a client sent from a socket of their own each, and that nobody answered.
//!
//! One packet that got lost proves nothing: any network loses some. A client that asks the
//! same server from one new socket after another, and gets through with none, has no luck to
//! wait for, though each of its sockets was silent for a moment only.

use std::net::IpAddr;

use hashbrown::HashMap;

use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::protocol::Protocol;

/// So many are no accident: of three, at a loss of one in a hundred, all are lost once in a
/// million times.
const MANY: u32 = 3;

type Asking = (Protocol, Endpoint, IpAddr);

/// How many exchanges of a client with a service were in vain; `None` where one was answered.
#[derive(Debug, Default)]
pub struct InVain(HashMap<Asking, Option<u32>>);

impl InVain {
    /// Counts the exchanges of each client with each service that it asked in vain.
    pub fn new(exchanges: &[Exchange]) -> Self {
        let mut counts: HashMap<Asking, Option<u32>> = HashMap::new();
        for exchange in exchanges.iter().filter(|exchange| !is_answered(exchange)) {
            let Some(asking) = asking(exchange) else { continue };
            let count = counts.entry(asking).or_insert(Some(0));
            *count = count.map(|count| count.saturating_add(1));
        }
        for exchange in exchanges.iter().filter(|exchange| is_answered(exchange)) {
            if let Some(count) = asking(exchange).and_then(|asking| counts.get_mut(&asking)) {
                *count = None;
            }
        }
        Self(counts)
    }

    /// Whether the exchange is one of many of its client's that ask the same service, none
    /// of which was answered.
    #[must_use]
    pub fn is_one_of_many(&self, exchange: &Exchange) -> bool {
        let count = asking(exchange).and_then(|asking| *self.0.get(&asking)?);
        count.is_some_and(|count| count >= MANY)
    }
}

fn is_answered(exchange: &Exchange) -> bool {
    exchange.views.iter().any(|view| view.reply_packets() > 0)
}

fn asking(exchange: &Exchange) -> Option<Asking> {
    let view = exchange.views.first().filter(|view| view.requests.packets > 0)?;
    Some((exchange.protocol, view.asked?, exchange.client.address))
}
