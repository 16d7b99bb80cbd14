//! Times of captures that do not say their day, beside those of captures that do.
//!
//! tcpdump prints the time of day of its own time zone, and no date. Zones differ by
//! quarters of an hour, so what two such clocks differ by is so many of these, and what
//! clocks differ by anyhow. Where that leaves a choice, what both show decides.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::TIME_APART;
use super::zone::Dated;
use crate::correlate::table::PointTable;
use crate::model::time::Timestamp;

/// A time of day counts from the epoch; captures that say their day were never so early.
const UNDATED_UNTIL: Duration = DAY;
const DAY: Duration = Duration::from_hours(24);
/// First a day of the same zone, then the zones of most, then all others.
const STEPS: [Duration; 3] = [DAY, Duration::from_hours(1), Duration::from_mins(15)];

/// How far each table's times are moved, so that they can be compared.
#[derive(Debug)]
pub struct Axis(Vec<i64>);

impl Axis {
    /// The axis of these tables.
    pub fn of(tables: &[PointTable]) -> Self {
        let observed: Vec<Option<Span>> =
            tables.iter().map(|table| table.observed.map(Span::of)).collect();
        let dated: Vec<Span> =
            observed.iter().flatten().copied().filter(|span| !span.is_undated()).collect();
        if dated.len() == observed.iter().flatten().count() || dated.is_empty() {
            return Self(vec![0; tables.len()]);
        }
        let sightings = tables.iter().zip(&observed);
        let told_with_day = sightings.clone().filter_map(|(table, span)| {
            span.is_some_and(|span| !span.is_undated()).then_some(table)
        });
        let known = Dated::of(told_with_day);
        let shifts = sightings.map(|(table, span)| match span {
            Some(span) if span.is_undated() => {
                span.choose_shift(&dated, || known.count_shifts(table))
            }
            _ => 0,
        });
        Self(shifts.collect())
    }

    /// By how much the times of `table` are moved, in ns.
    pub fn shift_ns(&self, table: usize) -> i64 {
        self.0.get(table).copied().unwrap_or(0)
    }

    /// Moves the times of each table back by how much its clock is ahead, in ns.
    pub fn set_back(&mut self, ahead_ns: impl Fn(usize) -> i64) {
        for (table, shift_ns) in self.0.iter_mut().enumerate() {
            *shift_ns = shift_ns.saturating_sub(ahead_ns(table));
        }
    }

    /// A time of `table`, moved.
    pub fn place(&self, table: usize, at: Timestamp) -> Timestamp {
        at.moved(self.shift_ns(table))
    }
}

/// When something was observed, in ns.
#[derive(Debug, Clone, Copy)]
struct Span {
    first_ns: i64,
    last_ns: i64,
}

impl Span {
    fn of((first, last): (Timestamp, Timestamp)) -> Self {
        Self { first_ns: first.as_nanoseconds(), last_ns: last.as_nanoseconds() }
    }

    fn is_undated(self) -> bool {
        (0..nanoseconds(UNDATED_UNTIL)).contains(&self.first_ns)
    }

    /// What puts this beside one of `dated`: where `votes` for shifts are for another one
    /// than the usual, and more of them, that.
    fn choose_shift(self, dated: &[Self], votes: impl FnOnce() -> BTreeMap<i64, usize>) -> i64 {
        let usual_ns = self.find_shift(dated);
        let votes = votes();
        let overlaps = |shift_ns: i64| dated.iter().any(|span| self.overlaps(shift_ns, *span));
        let most = votes.iter().filter(|(shift_ns, _)| overlaps(**shift_ns));
        let most =
            most.max_by_key(|(shift_ns, count)| (**count, Reverse(shift_ns.abs_diff(usual_ns))));
        let of_usual = votes.get(&usual_ns).copied().unwrap_or(0);
        match most {
            Some((shift_ns, count)) if *count > of_usual => *shift_ns,
            _ => usual_ns,
        }
    }

    /// What puts this beside one of `dated`: the widest step by which it overlaps one.
    fn find_shift(self, dated: &[Self]) -> i64 {
        let shifts = STEPS.iter().flat_map(|step| {
            dated.iter().map(|span| (self.shift_to(*span, nanoseconds(*step)), span))
        });
        let mut overlapping = shifts.filter(|(shift_ns, span)| self.overlaps(*shift_ns, **span));
        overlapping.next().map_or(0, |(shift_ns, _)| shift_ns)
    }

    /// The multiple of `step_ns` that brings both beginnings nearest to each other.
    fn shift_to(self, other: Self, step_ns: i64) -> i64 {
        let apart_ns = other.first_ns.saturating_sub(self.first_ns);
        (apart_ns.saturating_add(step_ns / 2)).div_euclid(step_ns).saturating_mul(step_ns)
    }

    fn overlaps(self, shift_ns: i64, other: Self) -> bool {
        let (first_ns, last_ns) =
            (self.first_ns.saturating_add(shift_ns), self.last_ns.saturating_add(shift_ns));
        let apart_ns = nanoseconds(TIME_APART);
        first_ns <= other.last_ns.saturating_add(apart_ns)
            && other.first_ns <= last_ns.saturating_add(apart_ns)
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn span(first_s: i64, last_s: i64) -> Span {
        Span { first_ns: first_s * SECOND, last_ns: last_s * SECOND }
    }

    #[test]
    fn a_time_of_day_is_put_where_a_date_is_known() {
        const HOUR: i64 = 3_600;
        const DAYS: i64 = 20_000 * 24 * HOUR;
        let dated = [span(DAYS + 7 * HOUR, DAYS + 7 * HOUR + 60)];
        let cases = [
            ("the same zone", span(7 * HOUR + 2, 7 * HOUR + 30), DAYS),
            ("its clock is late", span(7 * HOUR + 65, 7 * HOUR + 90), DAYS),
            ("eight hours to the east", span(15 * HOUR - 3, 15 * HOUR + 9), DAYS - 8 * HOUR),
            ("Nepal", span(12 * HOUR + 2_700, 12 * HOUR + 2_760), DAYS - 5 * HOUR - 2_700),
            ("the day before, to the west", span(23 * HOUR, 23 * HOUR + 9), DAYS - 16 * HOUR),
            ("another time", span(7 * HOUR + 400, 7 * HOUR + 420), 0),
        ];
        for (name, undated, shift_s) in cases {
            assert_eq!(undated.find_shift(&dated), shift_s * SECOND, "{name}");
        }
        assert_eq!(span(1, 2).find_shift(&[]), 0);
        // Of a capture of ten hours, the words tell.
        let long = [span(DAYS + 6 * HOUR, DAYS + 16 * HOUR)];
        let afternoon = span(15 * HOUR, 15 * HOUR + 60);
        let east = DAYS - 8 * HOUR;
        let cases = [
            ("nothing is known", vec![], DAYS),
            ("eight hours to the east", vec![(east, 2)], east),
            ("more in its own zone", vec![(east, 2), (DAYS, 3)], DAYS),
            ("as much in its own", vec![(east, 2), (DAYS, 2)], DAYS),
            ("after the capture", vec![(DAYS + 2 * HOUR, 2)], DAYS),
        ];
        for (name, votes, shift_s) in cases {
            let votes = votes.iter().map(|(shift_s, count)| (shift_s * SECOND, *count)).collect();
            assert_eq!(afternoon.choose_shift(&long, || votes), shift_s * SECOND, "{name}");
        }
    }
}
