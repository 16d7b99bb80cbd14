//! In which time zone a text was printed, by what both it and a dated capture show.
//!
//! A capture that lasts for hours covers the text's time of day in several zones. What one
//! client says once, seen in both, tells which of them it was: zones differ by quarters of
//! an hour, clocks by seconds. Heartbeats come round in all zones, for their periods are
//! quarters of an hour as well, or parts of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::TIME_APART;
use super::telling::{Speakers, find_lag_ns, find_said_once};
use crate::correlate::record::Record;
use crate::correlate::table::PointTable;
use crate::model::endpoint::Endpoint;

/// Zones differ by multiples of it.
const QUARTER: Duration = Duration::from_mins(15);
/// Exchanges of the text that are looked at; a zone needs few.
const MAX_TOLD: usize = 4_096;
/// Exchanges of one socket in the capture that are compared with each of them.
const MAX_ALIKE: usize = 16;

/// What clients say in captures that tell their day, to find it again in those that do not.
#[derive(Debug)]
pub struct Dated<'a>(HashMap<Endpoint, SmallVec<[&'a Record; 2]>>);

impl<'a> Dated<'a> {
    /// Of the exchanges of these tables.
    pub fn of(tables: impl Iterator<Item = &'a PointTable>) -> Self {
        let mut by_client: HashMap<Endpoint, SmallVec<[&Record; 2]>> = HashMap::new();
        for record in tables.flat_map(records) {
            let alike = by_client.entry(record.client).or_default();
            if alike.len() < MAX_ALIKE {
                alike.push(record);
            }
        }
        Self(by_client)
    }

    /// How many things that are said once each shift, in ns, would bring from `undated`
    /// beside the same in a capture that tells its day. What is found there at several
    /// distances was said several times.
    pub fn count_shifts(&self, undated: &PointTable) -> BTreeMap<i64, usize> {
        let mut speakers = Speakers::default();
        let mut found: BTreeMap<u64, BTreeSet<Option<i64>>> = BTreeMap::new();
        for told in records(undated).take(MAX_TOLD) {
            for dated in self.0.get(&told.client).into_iter().flatten() {
                let Some((said, shift_ns)) = find_shift_ns(told, dated) else { continue };
                speakers.note(said, told.client.address);
                found.entry(said).or_default().insert(shift_ns);
            }
        }
        let mut votes = BTreeMap::new();
        for (said, shifts) in found {
            let is_once = speakers.has_one(said) && shifts.len() == 1;
            if let Some(shift_ns) = shifts.into_iter().flatten().next().filter(|_| is_once) {
                *votes.entry(shift_ns).or_default() += 1;
            }
        }
        votes
    }
}

fn records(table: &PointTable) -> impl Iterator<Item = &Record> {
    table.exchanges.iter().filter(|record| !record.is_vacant())
}

/// What both show that is said once, and how much later `dated` does, in whole quarters of
/// an hour: that is `None` where the distance is no zone's.
fn find_shift_ns(told: &Record, dated: &Record) -> Option<(u64, Option<i64>)> {
    if told.protocol != dated.protocol {
        return None;
    }
    let said = find_said_once(told, dated)?;
    Some((said, to_quarters(find_lag_ns(told, dated)?)))
}

fn to_quarters(later_ns: i64) -> Option<i64> {
    let quarter_ns = i64::try_from(QUARTER.as_nanos()).ok()?;
    let shift_ns =
        later_ns.saturating_add(quarter_ns / 2).div_euclid(quarter_ns).checked_mul(quarter_ns)?;
    let apart = Duration::from_nanos(later_ns.abs_diff(shift_ns));
    (apart <= TIME_APART).then_some(shift_ns)
}
