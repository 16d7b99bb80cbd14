//! The exchanges of each client socket, the latest first.

use super::index::{Hasher, Index};
use super::record::{ExchangeIndex, Record};
use crate::model::endpoint::Endpoint;

/// Finds a socket's latest exchange; from there each points to the one before.
#[derive(Debug, Default)]
pub struct Clients {
    latest: Index,
}

impl Clients {
    /// Adds the exchange at `index` to those of its client.
    pub fn add(&mut self, hasher: &Hasher, exchanges: &mut [Record], index: ExchangeIndex) {
        let Some(client) = exchanges.get(index.position()).map(|record| record.client) else {
            return;
        };
        let Ok(number) = u32::try_from(index.position()) else { return };
        let before =
            self.latest.insert(hasher.one(client), number, |known| is_of(exchanges, known, client));
        if let Some(record) = exchanges.get_mut(index.position()) {
            record.previous_of_client =
                before.and_then(|number| ExchangeIndex::new(number as usize));
        }
    }

    /// Reads where the client would stand, so that it is at hand when it is looked for.
    pub fn fetch(&self, hasher: &Hasher, client: Endpoint) {
        std::hint::black_box(self.latest.find(hasher.one(client), |_| true));
    }

    /// Takes the exchange at `index` away from those of its client.
    pub fn remove(&mut self, hasher: &Hasher, exchanges: &mut [Record], index: ExchangeIndex) {
        let Some(record) = exchanges.get(index.position()) else { return };
        let (client, previous) = (record.client, record.previous_of_client);
        let hash = hasher.one(client);
        let Some(latest) = self.latest.find(hash, |known| is_of(exchanges, known, client)) else {
            return;
        };
        if ExchangeIndex::new(latest as usize) == Some(index) {
            match previous.and_then(|previous| u32::try_from(previous.position()).ok()) {
                Some(previous) => {
                    self.latest.insert(hash, previous, |known| known == latest);
                }
                None => self.latest.remove(hash, latest),
            }
            return;
        }
        let mut at = ExchangeIndex::new(latest as usize);
        while let Some(later) = at {
            let Some(record) = exchanges.get_mut(later.position()) else { return };
            if record.previous_of_client == Some(index) {
                record.previous_of_client = previous;
                return;
            }
            at = record.previous_of_client;
        }
    }

    /// The client's exchanges, the latest first.
    pub fn exchanges<'a>(
        &self,
        hasher: &Hasher,
        exchanges: &'a [Record],
        client: Endpoint,
    ) -> impl Iterator<Item = (ExchangeIndex, &'a Record)> {
        let latest = self.latest.find(hasher.one(client), |known| is_of(exchanges, known, client));
        let mut next = latest.and_then(|number| ExchangeIndex::new(number as usize));
        std::iter::from_fn(move || {
            let index = next?;
            let record = exchanges.get(index.position())?;
            next = record.previous_of_client;
            Some((index, record))
        })
    }
}

fn is_of(exchanges: &[Record], number: u32, client: Endpoint) -> bool {
    exchanges.get(number as usize).is_some_and(|record| record.client == client)
}
