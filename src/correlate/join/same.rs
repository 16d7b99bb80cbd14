//! Which group a sighting of the same client socket belongs to.

use std::cmp::Reverse;
use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::apart::Apart;
use super::telling::find_lag_ns;
use super::{Group, Seen, TIME_APART, is_elsewhere};
use crate::correlate::record::{Flag, Record};
use crate::correlate::sayings::is_at_one_pace;
use crate::correlate::signature::Basis;
use crate::correlate::table::PointTable;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::endpoint::Endpoint;

/// Groups of one client that are tried for a sighting: of more, those that began
/// nearest in time.
const MAX_CANDIDATES: usize = 64;

/// The groups so far, in order of appearance; those of one table come in order of time.
type Positions = SmallVec<[usize; 2]>;

/// The groups by their clients' sockets.
#[derive(Debug, Default)]
pub struct BySocket {
    of_client: HashMap<Endpoint, Positions>,
    of_ends: HashMap<(Endpoint, Endpoint), Positions>,
}

impl BySocket {
    /// Notes the group at `position`, which begins with `seen`.
    pub fn add(&mut self, seen: &Seen<'_>, position: usize) {
        self.of_client.entry(seen.record.client).or_default().push(position);
        if let Some(asked) = seen.record.asked {
            self.of_ends.entry((seen.record.client, asked)).or_default().push(position);
        }
    }

    /// The group that `seen` is another sighting of.
    ///
    /// A socket may ask several servers the same: what asked the same one comes
    /// first, and then what said the same, and then what is nearer in time.
    pub fn find(
        &self,
        groups: &[(Seen<'_>, Group)],
        seen: &Seen<'_>,
        tables: &[PointTable],
    ) -> Option<usize> {
        let client = seen.record.client;
        // Whom a text does not name may be anybody.
        if client.address.is_unspecified() {
            return None;
        }
        let of_ends = seen.record.asked.and_then(|asked| self.of_ends.get(&(client, asked)));
        let likeliest = |positions: Option<&Positions>| {
            let candidates = positions.into_iter().flat_map(|all| nearest(all, groups, seen));
            let likely = candidates.filter_map(|&position| {
                let group = &groups[position];
                is_elsewhere(&group.1, seen.place).then_some(())?;
                may_be_one_network(&group.1, seen, tables).then_some(())?;
                let likeness = Likeness::of(&group.0, seen, tables)?;
                let is_free = likeness.same_asked || !asks_itself(group, seen, tables);
                is_free.then_some((likeness, position))
            });
            // The first of equals.
            likely.reduce(|best, next| if next.0 > best.0 { next } else { best })
        };
        let found = likeliest(of_ends).or_else(|| likeliest(self.of_client.get(&client)));
        found.map(|(_, position)| position)
    }

    /// Notes at `apart` what says the same as `seen`, of which no group is another sighting:
    /// at another time.
    pub fn note_apart(
        &self,
        groups: &[(Seen<'_>, Group)],
        seen: &Seen<'_>,
        tables: &[PointTable],
        apart: &mut Apart,
    ) {
        let client = seen.record.client;
        let Some(positions) = self.of_client.get(&client) else { return };
        if client.address.is_unspecified() {
            return;
        }
        let capture_of = |seen: &Seen<'_>| tables[seen.place.table].id.capture;
        for &position in nearest(positions, groups, seen) {
            let (first, group) = &groups[position];
            if !is_elsewhere(group, seen.place) {
                continue;
            }
            if let Some(lag_ns) = find_seen_lag_ns(first, seen) {
                let own = (capture_of(first), first.record);
                apart.note(own, (capture_of(seen), seen.record), lag_ns);
            }
        }
    }
}

/// How much alike two sightings are, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    same_asked: bool,
    same_words: bool,
    /// How far apart they began; beyond what clocks differ by it says nothing.
    apart: Reverse<Duration>,
}

impl Likeness {
    /// `None` where they are not of one exchange.
    fn of(first: &Seen<'_>, seen: &Seen<'_>, tables: &[PointTable]) -> Option<Self> {
        let (known, other) = (first.record, seen.record);
        if !is_one_protocol(known, other) {
            return None;
        }
        let same_asked = known.asked.is_some() && known.asked == other.asked;
        let same_opening = known.opening() == other.opening() && known.opening().is_sure();
        let (heard, heard_there) = (known.heard(), other.heard());
        let lags_ns = heard.lags_ns(&heard_there);
        let same_words = same_opening || !lags_ns.is_empty();
        let is_near = first.is_near_in_time(seen);
        // A socket's packets to one endpoint are one flow, whatever is known of what it
        // said; TFTP's transfers follow each other there.
        let is_one_flow = same_asked
            && !is_tftp_protocol(known.protocol)
            && !is_of_another_network(first, seen, tables);
        // Of text only the first length is known.
        let by_length = |record: &Record| record.opening().basis == Basis::Length;
        let (length, length_there) = (by_length(known), by_length(other));
        let lengths_differ = length && length_there && known.opening() != other.opening();
        let is_cut_alike = known.opens_cut_as(other);
        // Words of a text that bytes do not have say nothing about bytes.
        let is_told = is_told_to_bytes(known, other) || is_told_to_bytes(other, known);
        // Blocks of a transfer are no words by which to know its client: who saw the request
        // has not kept them. Where the device's side shows nothing else, it stands for itself.
        let is_as_near = first.distance == seen.distance;
        let is_midway = other.is_rest_of(known) || (is_as_near && known.is_rest_of(other));
        let contradicts = !is_told && !is_midway && heard.contradicts(&heard_there);
        let speaks_against = !is_cut_alike && (contradicts || lengths_differ);
        // Where neither kept all that was said, or one heard nothing but answers, only a
        // socket that has no other exchange is known.
        let is_open = same_words || length || length_there || is_cut_alike || is_told;
        let may_be = || {
            !speaks_against && (is_open || [first, seen].iter().all(|seen| is_alone(seen, tables)))
        };
        // A clock that tells no date, beside one that does, may be any time behind it.
        let is_undated = first.has_date() != seen.has_date();
        let may_be_same = is_undated && !known.is_answered_otherwise(other);
        let is_it = (is_near && (same_words || is_one_flow || may_be()))
            || (may_be_same && (same_opening || is_at_one_pace(&lags_ns)));
        let apart = Reverse(first.first_at.distance(seen.first_at).min(TIME_APART));
        is_it.then_some(Self { same_asked, same_words, apart })
    }
}

/// Whether two points of one capture heard a flow of the same ends, and nothing of it alike:
/// two networks use the same addresses (RFC 4364 section 1), each behind an interface.
fn is_of_another_network(first: &Seen<'_>, seen: &Seen<'_>, tables: &[PointTable]) -> bool {
    let [here, there] = [first, seen].map(|seen| tables[seen.place.table].id.as_captured());
    here.capture == there.capture
        && here != there
        && first.record.heard().contradicts(&seen.record.heard())
}

/// How much later than `first` what may be the same exchange was seen, in ns, by what was
/// said; `None` where it is another.
fn find_seen_lag_ns(first: &Seen<'_>, seen: &Seen<'_>) -> Option<i64> {
    let (known, other) = (first.record, seen.record);
    // Text that tells no day was put beside a capture that does.
    let moved_ns = |seen: &Seen<'_>| seen.first_at.ahead_of_ns(seen.record.times().0);
    let lag_ns = find_lag_ns(known, other).filter(|_| known.protocol == other.protocol)?;
    Some(lag_ns.saturating_add(moved_ns(seen)).saturating_sub(moved_ns(first)))
}

/// Whether both are of one protocol, for all that is known: a point that did not see the
/// request takes a transfer's blocks for UDP of its own.
fn is_one_protocol(one: &Record, other: &Record) -> bool {
    let is_transfer = |record: &Record| is_tftp_protocol(record.protocol) || record.is_midway();
    one.protocol == other.protocol || (is_transfer(one) && is_transfer(other))
}

/// Whether a text tells of the first in words of its own, and the second was captured in
/// bytes.
fn is_told_to_bytes(told: &Record, other: &Record) -> bool {
    let has_payloads = |record: &Record| record.flags.has(Flag::HasPayloads);
    told.opening().basis == Basis::Words && has_payloads(other) && !has_payloads(told)
}

/// Whether none of the group was seen in a network that is known to be another one with the
/// same addresses.
fn may_be_one_network(group: &Group, seen: &Seen<'_>, tables: &[PointTable]) -> bool {
    let own = tables[seen.place.table].id;
    group.iter().all(|known| !tables[known.table].id.is_of_other_network(own))
}

/// Whether the client's socket has no other exchange at that point.
fn is_alone(seen: &Seen<'_>, tables: &[PointTable]) -> bool {
    let table = &tables[seen.place.table];
    let own = table.clients.exchanges(&table.hasher, &table.exchanges, seen.record.client);
    own.take(2).count() <= 1
}

/// Whether one of the two tables shows the socket asking the other's server as well:
/// then this is not that exchange under another address.
fn asks_itself((first, _): &(Seen<'_>, Group), seen: &Seen<'_>, tables: &[PointTable]) -> bool {
    let has = |table: usize, asked: Option<Endpoint>| {
        asked.is_some() && {
            let table = &tables[table];
            let own = table.clients.exchanges(&table.hasher, &table.exchanges, seen.record.client);
            own.take(MAX_CANDIDATES).any(|(_, record)| record.asked == asked)
        }
    };
    let (known, other) = (first.record.asked, seen.record.asked);
    known.is_some()
        && other.is_some()
        && (has(seen.place.table, known) || has(first.place.table, other))
}

/// Those that began nearest to `seen`.
fn nearest<'p>(
    positions: &'p [usize],
    groups: &[(Seen<'_>, Group)],
    seen: &Seen<'_>,
) -> &'p [usize] {
    if positions.len() <= MAX_CANDIDATES {
        return positions;
    }
    let at = positions.partition_point(|position| groups[*position].0.first_at < seen.first_at);
    let from = at.saturating_sub(MAX_CANDIDATES / 2).min(positions.len() - MAX_CANDIDATES);
    &positions[from..from + MAX_CANDIDATES]
}
