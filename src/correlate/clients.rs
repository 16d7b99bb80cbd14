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
            self.replace_latest(hash, latest, previous);
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

    /// Takes away all exchanges at `vacated`, whose places are free but still tell their
    /// clients and what was before them: however many a client has, once through them.
    pub fn remove_vacated(
        &mut self,
        hasher: &Hasher,
        exchanges: &mut [Record],
        vacated: &[ExchangeIndex],
    ) {
        for &index in vacated {
            // Whose place leads to itself was taken away with another of its client.
            let is_left = exchanges
                .get(index.position())
                .is_some_and(|record| record.previous_of_client != Some(index));
            if is_left {
                self.remove_vacated_beside(hasher, exchanges, index);
            }
        }
        for index in vacated {
            if let Some(record) = exchanges.get_mut(index.position()) {
                record.previous_of_client = None;
            }
        }
    }

    fn remove_vacated_beside(
        &mut self,
        hasher: &Hasher,
        exchanges: &mut [Record],
        index: ExchangeIndex,
    ) {
        let client = exchanges[index.position()].client;
        let hash = hasher.one(client);
        let Some(latest) = self.latest.find(hash, |known| is_of(exchanges, known, client)) else {
            return;
        };
        let (mut latest_kept, mut last_kept) = (None, None);
        let mut next = ExchangeIndex::new(latest as usize);
        while let Some(at) = next {
            let Some(record) = exchanges.get_mut(at.position()) else { break };
            next = record.previous_of_client;
            if record.is_vacant() {
                record.previous_of_client = Some(at);
                continue;
            }
            record.previous_of_client = None;
            match last_kept.replace(at) {
                Some(later) => link(exchanges, later, at),
                None => latest_kept = Some(at),
            }
        }
        if latest_kept != ExchangeIndex::new(latest as usize) {
            self.replace_latest(hash, latest, latest_kept);
        }
    }

    fn replace_latest(&mut self, hash: u64, latest: u32, by: Option<ExchangeIndex>) {
        match by.and_then(|by| u32::try_from(by.position()).ok()) {
            Some(by) => {
                self.latest.insert(hash, by, |known| known == latest);
            }
            None => self.latest.remove(hash, latest),
        }
    }

    /// The client's exchanges, the latest first.
    pub fn exchanges<'a>(
        &self,
        hasher: &Hasher,
        exchanges: &'a [Record],
        client: Endpoint,
    ) -> impl Iterator<Item = (ExchangeIndex, &'a Record)> {
        back_from(exchanges, self.find_latest(hasher, exchanges, client))
    }

    /// The client's latest exchange.
    pub fn find_latest(
        &self,
        hasher: &Hasher,
        exchanges: &[Record],
        client: Endpoint,
    ) -> Option<ExchangeIndex> {
        let latest = self.latest.find(hasher.one(client), |known| is_of(exchanges, known, client));
        latest.and_then(|number| ExchangeIndex::new(number as usize))
    }
}

/// The exchange at `latest` and those of the same client before it, the latest first.
pub fn back_from(
    exchanges: &[Record],
    latest: Option<ExchangeIndex>,
) -> impl Iterator<Item = (ExchangeIndex, &Record)> {
    let mut next = latest;
    std::iter::from_fn(move || {
        let index = next?;
        let record = exchanges.get(index.position())?;
        next = record.previous_of_client;
        Some((index, record))
    })
}

fn link(exchanges: &mut [Record], later: ExchangeIndex, before: ExchangeIndex) {
    if let Some(record) = exchanges.get_mut(later.position()) {
        record.previous_of_client = Some(before);
    }
}

fn is_of(exchanges: &[Record], number: u32, client: Endpoint) -> bool {
    exchanges.get(number as usize).is_some_and(|record| record.client == client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::FlowKey;
    use crate::model::packet::{Application, Datagram};
    use crate::model::protocol::Protocol;

    /// An exchange that is not free: something was asked.
    fn record(client: Endpoint, port: u16) -> Record {
        let asked = Endpoint::new(client.address, port);
        let datagram = Datagram {
            flow: FlowKey::udp(client, asked),
            length: 1,
            fingerprint: None,
            is_cut: false,
            application: Application::Plain(Protocol::Syslog),
        };
        let mut record = Record::open(Protocol::Syslog, client, Some(asked), &datagram);
        record.requests.packets = 1;
        record
    }

    #[test]
    fn what_was_vacated_is_taken_from_its_clients_chain() {
        for address in ["192.0.2.9", "2001:db8::9"] {
            let client = Endpoint::new(address.parse().unwrap(), 4_000);
            let other = Endpoint::new(address.parse().unwrap(), 4_001);
            let cases: [(&str, &[u16], &[u16]); 6] = [
                ("none", &[], &[6, 5, 4, 3, 2, 1]),
                ("the latest", &[6], &[5, 4, 3, 2, 1]),
                ("the first", &[1], &[6, 5, 4, 3, 2]),
                ("between", &[2, 3, 5], &[6, 4, 1]),
                ("all but one", &[1, 2, 4, 5, 6], &[3]),
                ("all", &[1, 2, 3, 4, 5, 6], &[]),
            ];
            for (name, vacated, kept) in cases {
                let (hasher, mut clients) = (Hasher::default(), Clients::default());
                let mut exchanges: Vec<Record> = Vec::new();
                for port in 1..=6 {
                    for client in [client, other] {
                        let index = ExchangeIndex::new(exchanges.len()).unwrap();
                        exchanges.push(record(client, port));
                        clients.add(&hasher, &mut exchanges, index);
                    }
                }
                let places = vacated.iter().map(|port| usize::from(2 * (port - 1)));
                let indexes: Vec<_> = places.filter_map(ExchangeIndex::new).collect();
                for index in &indexes {
                    let previous = exchanges[index.position()].previous_of_client;
                    exchanges[index.position()].vacate();
                    exchanges[index.position()].previous_of_client = previous;
                }
                clients.remove_vacated(&hasher, &mut exchanges, &indexes);
                let ports = |client| -> Vec<u16> {
                    let own = clients.exchanges(&hasher, &exchanges, client);
                    own.map(|(_, record)| record.asked.unwrap().port).collect()
                };
                assert_eq!(ports(client), kept, "{name}");
                assert_eq!(ports(other), [6, 5, 4, 3, 2, 1], "{name}");
            }
        }
    }
}
