//! Idle exchanges that went well, folded into counts, so that memory follows
//! the live ones.

use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;

use super::count::Count;
use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Below so many exchanges everything is kept: small captures lose nothing.
const FOLD_ABOVE: usize = 20_000;
/// Idle for so long, an exchange is over: longer than any protocol here waits.
const IDLE: Duration = Duration::from_mins(10);
/// Looking through all exchanges is done this seldom, by packet time.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How many exchanges that went well, and are over, there were by client, asked
/// address and protocol.
#[derive(Debug, Default)]
pub struct Folds {
    counts: HashMap<(IpAddr, IpAddr, Protocol), u32>,
    swept_at: Option<Timestamp>,
}

impl Folds {
    /// All counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, IpAddr, Protocol, u32)> {
        self.counts
            .iter()
            .map(|((client, asked, protocol), exchanges)| (*client, *asked, *protocol, *exchanges))
    }

    fn is_due(&mut self, live: usize, now: Timestamp) -> bool {
        if live < FOLD_ABOVE {
            return false;
        }
        let is_due = self.swept_at.is_none_or(|swept| now.since(swept) >= SWEEP_EVERY);
        if is_due {
            self.swept_at = Some(now);
        }
        is_due
    }

    fn add(&mut self, record: &Record, asked: IpAddr) {
        let key = (record.client.address, asked, record.protocol);
        let exchanges = self.counts.entry(key).or_insert(0);
        *exchanges = exchanges.saturating_add(1);
    }
}

/// Folds what is idle and went well, where there is much and it is time again.
pub fn sweep(table: &mut PointTable, now: Timestamp) {
    let live = table.exchanges.len() - table.vacant.len();
    if !table.folds.is_due(live, now) {
        return;
    }
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
        }
        table.clients.remove(&table.hasher, &mut table.exchanges, index);
        table.exchanges[position].vacate();
        table.vacant.push(index);
    }
}

impl Record {
    /// Whether its place is free.
    pub fn is_vacant(&self) -> bool {
        self.requests.packets == 0 && self.answers.packets == 0 && self.details.is_none()
    }

    pub(super) fn vacate(&mut self) {
        self.requests = Count::NONE;
        self.answers = Count::NONE;
        self.asked = None;
        self.previous_of_client = None;
        self.details = None;
    }
}
