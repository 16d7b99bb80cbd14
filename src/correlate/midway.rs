//! Transfers whose capture began after the request, put together from two halves.
//!
//! Which packet came first then decides who seems to ask whom: the server's DATA looks
//! like its own request to the client, and an ICMP error shows a client that asks an
//! address where nobody listens. By the end both halves are known: RFC 1350 section 4
//! lets the server choose a port for the transfer, and nobody else in the world knows it.
//! Who sends to that very port of another address has read the server's answer.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::record::ExchangeIndex;
use super::table::PointTable;
use crate::model::endpoint::Endpoint;

/// Puts the halves of transfers together.
pub fn join_halves(table: &mut PointTable) {
    let capture = table.id.capture;
    let mut refused: HashMap<Endpoint, SmallVec<[(usize, Endpoint); 1]>> = HashMap::new();
    for (position, record) in table.exchanges.iter().enumerate() {
        if let Some(asked) = record.asked.filter(|_| record.is_refused_unheard())
            && record.requests.packets > 0
        {
            refused.entry(record.client).or_default().push((position, asked));
        }
    }
    if refused.is_empty() {
        return;
    }
    for position in 0..table.exchanges.len() {
        let Some(record) = table.exchanges.get(position) else { return };
        if record.is_vacant() {
            continue;
        }
        // A half that was taken for a request has its client where it asks.
        let client = record.asked.unwrap_or(record.client);
        let Some(halves) = refused.get_mut(&client) else { continue };
        let half = halves
            .iter()
            .position(|(half, asked)| {
                *half != position && record.is_unheard_answerer_of(client, *asked)
            })
            .map(|place| halves.remove(place).0);
        let (Some(half), Some(index)) = (half, ExchangeIndex::new(position)) else { continue };
        table.clients.remove(&table.hasher, &mut table.exchanges, index);
        if let Ok([own, answerer]) = table.exchanges.get_disjoint_mut([half, position]) {
            own.join_answerer(answerer, capture);
        }
        table.discard(index);
    }
}
