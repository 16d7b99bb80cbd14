//! Idle exchanges that went well, folded into counts, so that memory follows
//! the live ones.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::count::Count;
use super::record::{ExchangeIndex, Record};
use super::sayings::Sayings;
use super::table::PointTable;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Below so many exchanges everything is kept: small captures lose nothing.
const FOLD_ABOVE: usize = 20_000;
/// Idle for so long, an exchange is over: longer than any protocol here waits.
const IDLE: Duration = Duration::from_mins(10);
/// Looking through all exchanges is done no more often than this, by packet time.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Exchanges that went well, and are over, counted by client, asked address and
/// protocol.
#[derive(Debug, Default)]
pub struct Folds {
    /// In order of appearance, so that the same packets give the same report.
    folded: Vec<Folded>,
    /// Places in `folded`.
    by_key: HashTable<u32>,
    state: DefaultHashBuilder,
    swept_at: Option<Timestamp>,
    /// What the last look left live.
    kept: usize,
    /// Exchanges that began since then.
    opened: usize,
    /// When the one before began.
    opened_at: Option<Timestamp>,
}

/// Exchanges that are only counted.
#[derive(Debug, Clone, Copy)]
pub struct Folded {
    pub client: IpAddr,
    pub asked: IpAddr,
    pub protocol: Protocol,
    pub exchanges: u32,
}

impl Folds {
    pub fn iter(&self) -> impl Iterator<Item = Folded> {
        self.folded.iter().copied()
    }

    /// Notes that an exchange begins at `now`, where `live` exchanges are live; gives the
    /// time by which the others are idle, where it is time to look through them.
    ///
    /// Times are the sender's to choose, and looking costs as much as there is: it is
    /// done again only after a part as large as a quarter of that began. One time far
    /// ahead of all others, as a step of the clock gives, does not count.
    fn find_due(&mut self, live: usize, now: Timestamp) -> Option<Timestamp> {
        let steady = self.opened_at.replace(now).map_or(now, |before| before.min(now));
        self.opened = self.opened.saturating_add(1);
        // Of a time that lies ahead nothing is due.
        let swept_at = self.swept_at.filter(|swept| *swept <= steady);
        let is_time = swept_at.is_none_or(|swept| steady.since(swept) >= SWEEP_EVERY);
        let is_due = live >= FOLD_ABOVE && is_time && self.opened >= self.kept / 4;
        if is_due {
            self.swept_at = Some(steady);
            self.opened = 0;
        }
        is_due.then_some(steady)
    }

    fn add(&mut self, record: &Record, asked: IpAddr) {
        let Self { folded, by_key, state, .. } = self;
        let new = Folded {
            client: record.client.address,
            asked,
            protocol: record.find_disproof().unwrap_or(record.protocol),
            exchanges: 1,
        };
        let Ok(next) = u32::try_from(folded.len()) else { return };
        let place = by_key
            .entry(
                state.hash_one(new.key()),
                |place| folded[*place as usize].key() == new.key(),
                |place| state.hash_one(folded[*place as usize].key()),
            )
            .or_insert(next);
        match folded.get_mut(*place.get() as usize) {
            Some(known) => known.exchanges = known.exchanges.saturating_add(1),
            None => folded.push(new),
        }
    }
}

impl Folded {
    fn key(&self) -> (IpAddr, IpAddr, Protocol) {
        (self.client, self.asked, self.protocol)
    }
}

/// Folds what is idle and went well, where there is much and it is time again.
pub fn sweep(table: &mut PointTable, now: Timestamp) {
    let live = table.exchanges.len() - table.vacant.len();
    let Some(now) = table.folds.find_due(live, now) else { return };
    let vacant_before = table.vacant.len();
    for position in 0..table.exchanges.len() {
        let record = &table.exchanges[position];
        let is_idle = now.since(record.last_at()) >= IDLE;
        let (Some(asked), Some(index)) = (record.asked, ExchangeIndex::new(position)) else {
            continue;
        };
        if !is_idle || record.is_vacant() || !record.is_unremarkable() {
            continue;
        }
        table.folds.add(record, asked.address);
        table.flows.forget_own(&table.hasher, record, index);
        let answerers = record.details.iter().flat_map(|details| &details.replies);
        for replies in answerers {
            let (client, server) = (record.client, replies.source);
            table.flows.forget(&table.hasher, &table.exchanges, client, server);
            table.by_tid.remove(&server);
            table.shared_tids.remove(&server);
        }
        let previous_of_client = table.exchanges[position].previous_of_client;
        table.exchanges[position].vacate();
        // Its client's exchanges are found through it until all are gone through.
        table.exchanges[position].previous_of_client = previous_of_client;
        table.passed_on.remove(&index);
        table.left_untranslated.remove(&index);
        table.vacant.push(index);
    }
    let vacated = table.vacant.get(vacant_before..).unwrap_or_default();
    table.clients.remove_vacated(&table.hasher, &mut table.exchanges, vacated);
    table.folds.kept = table.exchanges.len() - table.vacant.len();
}

impl Record {
    /// Whether its place is free.
    pub fn is_vacant(&self) -> bool {
        self.requests.packets == 0 && self.answers.packets == 0 && self.details.is_none()
    }

    pub fn vacate(&mut self) {
        self.requests = Count::NONE;
        self.answers = Count::NONE;
        self.asked = None;
        self.previous_of_client = None;
        self.sayings = Sayings::default();
        self.details = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::{Endpoint, FlowKey};
    use crate::model::packet::{Application, Datagram};

    #[test]
    fn looking_through_all_is_due_by_time_and_by_what_came_since() {
        let at = Timestamp::from_seconds;
        let mut folds = Folds::default();
        assert_eq!(folds.find_due(FOLD_ABOVE - 1, at(0)), None, "few");
        assert_eq!(folds.find_due(FOLD_ABOVE, at(0)), Some(at(0)), "the first time");
        folds.kept = FOLD_ABOVE;
        // A minute each, but little came since.
        let due = (1..5_000).filter_map(|minute| folds.find_due(FOLD_ABOVE, at(60 * minute)));
        assert_eq!(due.count(), 0);
        assert!(folds.find_due(FOLD_ABOVE, at(60 * 5_000)).is_some(), "a quarter came");
        // Much, but within a minute.
        folds.kept = 4;
        for _ in 0..9 {
            assert_eq!(folds.find_due(FOLD_ABOVE, at(60 * 5_000 - 1)), None);
        }
    }

    #[test]
    fn one_time_far_ahead_neither_ages_all_nor_stops_the_clock() {
        let at = Timestamp::from_seconds;
        let mut folds = Folds::default();
        folds.find_due(FOLD_ABOVE, at(0));
        assert_eq!(folds.find_due(FOLD_ABOVE, at(1_000_000)), None);
        assert_eq!(folds.find_due(FOLD_ABOVE, at(61)), Some(at(61)));
        // Two of them are a clock that was set, and may be set back.
        folds.find_due(FOLD_ABOVE, at(1_000_000));
        assert_eq!(folds.find_due(FOLD_ABOVE, at(1_000_000)), Some(at(1_000_000)));
        assert_eq!(folds.find_due(FOLD_ABOVE, at(200)), Some(at(200)));
    }

    #[test]
    fn what_is_folded_is_counted_in_order_of_appearance() {
        let record = |client: &str, protocol| {
            let (client, asked) = (client.parse().unwrap(), "198.51.100.7".parse().unwrap());
            let (client, asked) = (Endpoint::new(client, 40_000), Endpoint::new(asked, 53));
            let datagram = Datagram {
                flow: FlowKey::udp(client, asked),
                length: 1,
                fingerprint: None,
                is_cut: false,
                application: Application::Plain(protocol),
            };
            Record::open(protocol, client, Some(asked), &datagram)
        };
        for asked in ["198.51.100.7", "2001:db8::7"].map(|text| text.parse().unwrap()) {
            let mut folds = Folds::default();
            for (client, protocol) in [
                ("192.0.2.9", Protocol::Dns),
                ("2001:db8::1", Protocol::Ntp),
                ("192.0.2.9", Protocol::Dns),
                ("192.0.2.1", Protocol::Dns),
                ("192.0.2.9", Protocol::Snmp),
                ("2001:db8::1", Protocol::Ntp),
                ("192.0.2.9", Protocol::Dns),
            ] {
                folds.add(&record(client, protocol), asked);
            }
            let told: Vec<_> = folds
                .iter()
                .map(|folded| (folded.client.to_string(), folded.protocol, folded.exchanges))
                .collect();
            let expected = [
                ("192.0.2.9", Protocol::Dns, 3),
                ("2001:db8::1", Protocol::Ntp, 2),
                ("192.0.2.1", Protocol::Dns, 1),
                ("192.0.2.9", Protocol::Snmp, 1),
            ];
            assert_eq!(
                told,
                expected.map(|(client, protocol, n)| (client.to_owned(), protocol, n))
            );
            assert!(folds.iter().all(|folded| folded.asked == asked));
        }
    }
}
