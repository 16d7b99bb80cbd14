//! Answers that go to the address or port that the request names in its payload,
//! not to where the request came from (SIP: RFC 3261 section 18.2.2).

use std::collections::VecDeque;

use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use super::record::ExchangeIndex;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Application, Datagram, TransactionRole};

/// Requests that name another address than their own, at once.
const MAX_REQUESTS: usize = 4_096;

/// Requests whose answers may go elsewhere, by their transaction.
#[derive(Debug, Default)]
pub struct PayloadAddresses {
    requests: HashMap<u64, Named>,
    order: VecDeque<u64>,
}

/// What a request names.
#[derive(Debug, Clone)]
pub struct Named {
    pub exchange: ExchangeIndex,
    pub asks_for_own_port: Option<bool>,
    endpoints: SmallVec<[Endpoint; 2]>,
}

impl PayloadAddresses {
    /// Takes a request of `exchange`, if its payload names another address or port
    /// than it came from.
    pub fn note(&mut self, exchange: ExchangeIndex, datagram: &Datagram) {
        let Application::Transaction(transaction) = &datagram.application else { return };
        let Some(named) = transaction.reply_to.as_deref() else { return };
        if transaction.role != TransactionRole::Request {
            return;
        }
        let source = datagram.flow.source;
        // A server replaces the address by the packet's source; some do not.
        let mut endpoints: SmallVec<[Endpoint; 2]> =
            smallvec![Endpoint::new(source.address, named.port)];
        endpoints.extend(named.address.map(|address| Endpoint::new(address, named.port)));
        endpoints.retain(|endpoint| *endpoint != source);
        if endpoints.is_empty() || self.requests.contains_key(&transaction.identity) {
            return;
        }
        if self.order.len() >= MAX_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.requests.remove(&oldest);
        }
        let asks_for_own_port = named.asks_for_own_port;
        self.requests
            .insert(transaction.identity, Named { exchange, asks_for_own_port, endpoints });
        self.order.push_back(transaction.identity);
    }

    /// The request that `datagram` answers at an address that it named.
    pub fn find(&self, datagram: &Datagram) -> Option<Named> {
        if self.requests.is_empty() {
            return None;
        }
        let Application::Transaction(transaction) = &datagram.application else { return None };
        let named = self.requests.get(&transaction.identity)?;
        let goes_there = transaction.role == TransactionRole::Reply
            && named.endpoints.contains(&datagram.flow.destination);
        goes_there.then(|| named.clone())
    }
}
