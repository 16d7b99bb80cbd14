//! What was taken for a translated copy, and turns out to be a question of its own.
//!
//! One interface may show a datagram before and after its translation; then the
//! second one is a copy. A client that asks several servers from one socket looks
//! the same where nothing but text tells of its packets: resolvers do so (musl,
//! Android). Whose answers come tells the two apart. Exporters with two collectors do
//! so too, and get no answers: without a word of the inventory or of the packets'
//! headers nothing is claimed of them.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::audience::Audience;
use super::clients::Clients;
use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use super::tftp::is_tftp_protocol;
use crate::model::endpoint::Endpoint;

/// An answer leaves translated within this time of its arrival; two servers
/// rarely answer as near to each other.
const FORWARDING: Duration = Duration::from_millis(2);
/// Exchanges of one socket that began with the same words, looked at for a copy.
const MAX_TWINS: usize = 8;
/// Two processors' times of one packet differ by less.
const DISORDER: Duration = Duration::from_micros(100);

/// Gives back to `own` what `translated` holds of clients that asked both servers.
pub fn unfold(
    own: &mut PointTable,
    translated: &mut PointTable,
    is_cluster: &dyn Fn(IpAddr) -> bool,
) {
    let twins = Twins::of(own, translated);
    let is_passed_on = |position| {
        let index = ExchangeIndex::new(position);
        index.is_some_and(|index| translated.passed_on.contains(&index))
    };
    let several: HashSet<Endpoint> = translated
        .exchanges
        .iter()
        .enumerate()
        .filter(|(position, copy)| !copy.is_vacant() && !is_passed_on(*position))
        .filter(|(_, copy)| twins.asks_itself(own, copy, is_cluster))
        .map(|(_, copy)| copy.client)
        .collect();
    if several.is_empty() {
        return;
    }
    translated.clients = Clients::default();
    translated.vacant.clear();
    translated.passed_on.clear();
    for record in std::mem::take(&mut translated.exchanges) {
        if record.is_vacant() {
            continue;
        }
        let table = if several.contains(&record.client) { &mut *own } else { &mut *translated };
        let Some(index) = ExchangeIndex::new(table.exchanges.len()) else { continue };
        table.exchanges.push(record);
        table.clients.add(&table.hasher, &mut table.exchanges, index);
    }
}

/// Exchanges that may be copied, by their client and what it said first.
struct Twins(HashMap<(Endpoint, u64), SmallVec<[u32; 1]>>);

impl Twins {
    fn of(own: &PointTable, translated: &PointTable) -> Self {
        let clients: HashSet<Endpoint> =
            translated.exchanges.iter().map(|copy| copy.client).collect();
        let mut twins: HashMap<(Endpoint, u64), SmallVec<[u32; 1]>> = HashMap::new();
        for (position, record) in (0..).zip(&own.exchanges) {
            let counts = record.audience != Audience::Group && !record.is_vacant();
            if counts && clients.contains(&record.client) {
                let alike = twins.entry((record.client, record.opening().value)).or_default();
                if alike.len() < MAX_TWINS {
                    alike.push(position);
                }
            }
        }
        Self(twins)
    }

    /// Whether `copy` was asked by the client itself, as well as its twin in `own`.
    fn asks_itself(
        &self,
        own: &PointTable,
        copy: &Record,
        is_cluster: &dyn Fn(IpAddr) -> bool,
    ) -> bool {
        let Some(asked) = copy.asked else { return false };
        let alike = self.0.get(&(copy.client, copy.opening().value));
        let twins = alike.into_iter().flatten();
        twins.filter_map(|position| own.exchanges.get(*position as usize)).any(|twin| {
            twin.opening() == copy.opening()
                && twin.asked.is_some_and(|other| {
                    let is_known = is_cluster(other.address) || is_cluster(asked.address);
                    other != asked && are_both_asked(twin, copy, is_known)
                })
        })
    }
}

/// A translated answer is seen from behind first, and at once after that from
/// the address asked; a second server may answer first as well, so that this alone
/// shows no translation. `is_translated` says that the inventory knows one of the
/// two servers for an address that is translated.
fn are_both_asked(twin: &Record, copy: &Record, is_translated: bool) -> bool {
    let is_tftp = is_tftp_protocol(twin.protocol);
    match (twin.own_answer_at(), copy.own_answer_at()) {
        // What answers a translated question is seen from behind as well.
        (Some(_), None) => !is_translated && twin.protocol.expects_answer() && !is_tftp,
        (None, None) => !is_translated && twin.protocol.is_one_way(),
        (Some(near), Some(behind)) if near >= behind => {
            !is_translated || near.since(behind) > FORWARDING || answer_differently(twin, copy)
        }
        (Some(near), Some(behind)) => behind.since(near) > DISORDER,
        // Nothing left translated: either it was lost here, or nothing had to leave.
        (None, Some(_)) => {
            !is_translated && !twin.is_answered() && twin.protocol.expects_answer() && !is_tftp
        }
    }
}

/// Whether the first answers are of different lengths: then they are two.
fn answer_differently(twin: &Record, copy: &Record) -> bool {
    let [near, behind] = [twin, copy].map(|record| record.synopsis().answer_length());
    let are_counted = twin.answers.packets > 0 && copy.answers.packets > 0;
    are_counted && near != behind
}
