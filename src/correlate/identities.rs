//! What sockets that ask very many have asked: a poller with hundreds of agents, a
//! resolver on one port. Whose answer an answer from elsewhere is, is tried one by
//! one among the latest exchanges of a socket; beyond those its identity says it.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use hashbrown::{HashMap, HashSet};

use super::record::ExchangeIndex;
use super::signature::shorten_to_nonzero;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Application, Datagram, TransactionRole};

/// Sockets that are followed so.
const MAX_CLIENTS: usize = 256;
/// The latest requests of all of them.
const MAX_IDENTITIES: usize = 16_384;

/// The exchanges of the latest requests of such sockets, by identity.
#[derive(Debug, Default)]
pub struct Identities {
    clients: HashSet<Endpoint>,
    exchanges: HashMap<Asked, ExchangeIndex>,
    /// Oldest first.
    latest: VecDeque<Asked>,
}

/// A client socket and what it asked.
type Asked = (Endpoint, NonZeroU32);

impl Identities {
    pub fn follows(&self, client: Endpoint) -> bool {
        self.clients.contains(&client)
    }

    /// Whether no further socket can be followed.
    pub fn is_full(&self) -> bool {
        self.clients.len() >= MAX_CLIENTS
    }

    /// Follows a socket from now on; `known` is what it has asked and waits for.
    pub fn follow(&mut self, client: Endpoint, known: Vec<(NonZeroU32, ExchangeIndex)>) {
        if self.is_full() {
            return;
        }
        self.clients.insert(client);
        for (identity, exchange) in known {
            self.add((client, identity), exchange);
        }
    }

    /// Notes a request of a socket that is followed.
    pub fn note(&mut self, exchange: ExchangeIndex, datagram: &Datagram) {
        if self.clients.is_empty() || !self.follows(datagram.flow.source) {
            return;
        }
        if let Some(identity) = find_identity(datagram, TransactionRole::Request) {
            self.add((datagram.flow.source, identity), exchange);
        }
    }

    /// The exchange whose request has the identity of this answer, if its place is
    /// still that exchange's.
    pub fn find(&self, answer: &Datagram) -> Option<ExchangeIndex> {
        if self.clients.is_empty() {
            return None;
        }
        let identity = find_identity(answer, TransactionRole::Reply)?;
        self.exchanges.get(&(answer.flow.destination, identity)).copied()
    }

    fn add(&mut self, asked: Asked, exchange: ExchangeIndex) {
        if self.exchanges.insert(asked, exchange).is_some() {
            return;
        }
        if self.latest.len() == MAX_IDENTITIES
            && let Some(oldest) = self.latest.pop_front()
        {
            self.exchanges.remove(&oldest);
        }
        self.latest.push_back(asked);
    }
}

fn find_identity(datagram: &Datagram, role: TransactionRole) -> Option<NonZeroU32> {
    match &datagram.application {
        Application::Transaction(transaction) if transaction.role == role => {
            Some(shorten_to_nonzero(transaction.identity))
        }
        Application::Transaction(_)
        | Application::Tftp(_)
        | Application::Plain(_)
        | Application::Report(_)
        | Application::Unknown { .. } => None,
    }
}
