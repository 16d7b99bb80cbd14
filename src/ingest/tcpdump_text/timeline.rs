//! One axis for the times of a run, whatever they count from.

use super::deltas::Deltas;
use super::timestamp::{DAY_NS, Stamp, StampValue};
use crate::model::capture::Clock;
use crate::model::time::Timestamp;

/// A leap year, as dates without a year are counted.
const YEAR_NS: i64 = 366 * DAY_NS;

/// How a command asked for its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StampStyle {
    /// No option: the time of day.
    #[default]
    Default,
    /// `-t`: none.
    Absent,
    /// `-tt`: seconds since the epoch.
    Epoch,
    /// `-ttt`: since the packet before; OpenBSD's prints the date for it.
    Delta,
    /// `-tttt`: date and time.
    Dated,
    /// `-ttttt`: since the first packet.
    SinceFirst,
}

impl StampStyle {
    /// The style for this many `t`s in the options.
    #[must_use]
    pub const fn of_count(count: usize) -> Self {
        match count {
            0 => Self::Default,
            1 => Self::Absent,
            2 => Self::Epoch,
            3 => Self::Delta,
            4 => Self::Dated,
            _ => Self::SinceFirst,
        }
    }
}

/// Puts the stamps of one run on one axis.
#[derive(Debug, Clone)]
pub struct Timeline {
    style: StampStyle,
    clock: Option<Clock>,
    last_ns: i64,
    /// The midnight before the first packet, since the year began.
    first_day_ns: Option<i64>,
    /// Midnights passed, in nanoseconds.
    midnights_ns: i64,
    deltas: Deltas,
}

impl Timeline {
    #[must_use]
    pub fn new(style: StampStyle) -> Self {
        Self {
            style,
            clock: None,
            last_ns: 0,
            first_day_ns: None,
            midnights_ns: 0,
            deltas: Deltas::default(),
        }
    }

    /// Whether times count from the packet before, by the command or by what they turned out
    /// to be. OpenBSD's `-ttt` prints dates.
    #[must_use]
    pub fn has_deltas(&self) -> bool {
        self.style == StampStyle::Delta && self.clock != Some(Clock::TimeOfDay)
    }

    /// What the run's times count from; the first packet decides. A first
    /// packet at exactly 00:00:00 is taken for the start of `-ttttt`.
    pub fn settle(&mut self, stamp: Option<Stamp>) -> Clock {
        let relative = matches!(self.style, StampStyle::Delta | StampStyle::SinceFirst);
        *self.clock.get_or_insert(match stamp.map(|stamp| stamp.value) {
            None => Clock::None,
            Some(StampValue::Date(_)) if !relative => Clock::Absolute,
            Some(StampValue::OfYear(_)) => Clock::TimeOfDay,
            Some(StampValue::Span(span_ns)) if !relative && span_ns != 0 => Clock::TimeOfDay,
            Some(_) => Clock::Relative,
        })
    }

    /// The same for times that are known to count from the first packet.
    pub fn settle_relative(&mut self) -> Clock {
        *self.clock.get_or_insert(Clock::Relative)
    }

    /// Whether relative stamps turn out with this one to count from the packet before.
    /// From here on they are added up, from the sum of those before on.
    pub fn turns_to_deltas(&mut self, stamp: Option<Stamp>) -> bool {
        let Some(Stamp { value: StampValue::Span(now_ns), .. }) = stamp else { return false };
        if self.clock != Some(Clock::Relative) || self.style != StampStyle::Default {
            return false;
        }
        let Some(sum_ns) = self.deltas.find_sum(now_ns) else { return false };
        self.style = StampStyle::Delta;
        self.last_ns = sum_ns;
        true
    }

    /// The time of the next packet. A time of day that falls by more than 12
    /// hours has passed midnight; one that rises by as much was printed late.
    pub fn place(&mut self, stamp: Option<Stamp>) -> Timestamp {
        let clock = self.settle(stamp);
        let Some(stamp) = stamp else {
            return Timestamp::from_nanoseconds(self.last_ns);
        };
        let now_ns = match (clock, stamp.value) {
            (Clock::None, _) => 0,
            (Clock::TimeOfDay, StampValue::OfYear(ns)) => self.of_year(ns),
            (Clock::Relative, StampValue::OfYear(ns)) => ns.rem_euclid(DAY_NS),
            (Clock::Absolute, StampValue::Span(ns) | StampValue::OfYear(ns)) => {
                let ns = ns.rem_euclid(DAY_NS);
                self.last_ns.saturating_sub(self.last_ns.rem_euclid(DAY_NS)).saturating_add(ns)
            }
            (Clock::Relative, StampValue::Span(ns)) if self.style == StampStyle::Delta => {
                self.last_ns.saturating_add(ns)
            }
            (Clock::Absolute | Clock::Relative, StampValue::Date(ns))
            | (Clock::Relative, StampValue::Span(ns)) => ns,
            (Clock::TimeOfDay, StampValue::Date(ns) | StampValue::Span(ns)) => {
                self.of_day(ns.rem_euclid(DAY_NS))
            }
        };
        self.last_ns = now_ns;
        Timestamp::from_nanoseconds(now_ns)
    }

    /// Days are counted from the first packet's; a date that falls by more than half a year
    /// is of the next one.
    fn of_year(&mut self, of_year_ns: i64) -> i64 {
        let of_day_ns = of_year_ns.rem_euclid(DAY_NS);
        let first_day_ns = *self.first_day_ns.get_or_insert(of_year_ns - of_day_ns);
        let mut now_ns = of_year_ns.saturating_sub(first_day_ns);
        while self.last_ns.saturating_sub(now_ns) > YEAR_NS / 2 {
            now_ns = now_ns.saturating_add(YEAR_NS);
        }
        now_ns
    }

    fn of_day(&mut self, of_day_ns: i64) -> i64 {
        let candidate = self.midnights_ns.saturating_add(of_day_ns);
        if self.last_ns.saturating_sub(candidate) > DAY_NS / 2 {
            self.midnights_ns = self.midnights_ns.saturating_add(DAY_NS);
            return candidate.saturating_add(DAY_NS);
        }
        if self.midnights_ns > 0 && candidate.saturating_sub(self.last_ns) > DAY_NS / 2 {
            return candidate.saturating_sub(DAY_NS);
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::super::timestamp::{SECOND_NS, find_stamp};
    use super::*;

    #[test]
    fn times_of_day_pass_midnight_once() {
        let mut timeline = Timeline::new(StampStyle::Default);
        let mut place = |text| timeline.place(find_stamp(text).map(|(stamp, _)| stamp));
        assert_eq!(place("23:59:59.9").as_nanoseconds(), DAY_NS - SECOND_NS / 10);
        assert_eq!(place("00:00:00.1").as_nanoseconds(), DAY_NS + SECOND_NS / 10);
        assert_eq!(place("23:59:59.95").as_nanoseconds(), DAY_NS - SECOND_NS / 20);
        assert_eq!(place("00:00:00.2").as_nanoseconds(), DAY_NS + SECOND_NS / 5);
        assert_eq!(place("00:00:01.0").as_nanoseconds(), DAY_NS + SECOND_NS);
    }

    #[test]
    fn clocks_are_told_apart() {
        let cases = [
            (StampStyle::Default, "07:29:48.654684", Clock::TimeOfDay),
            (StampStyle::Default, "00:00:00.000000", Clock::Relative),
            (StampStyle::SinceFirst, "00:00:03.000000", Clock::Relative),
            (StampStyle::Default, "1700000000.5", Clock::Absolute),
            (StampStyle::Dated, "2024-01-31 07:29:48.654684", Clock::Absolute),
            (StampStyle::Absent, "", Clock::None),
        ];
        for (style, first, clock) in cases {
            let mut timeline = Timeline::new(style);
            assert_eq!(
                timeline.settle(find_stamp(first).map(|(stamp, _)| stamp)),
                clock,
                "{first}"
            );
        }
    }

    #[test]
    fn times_that_fall_count_from_the_packet_before() {
        let cases: [(&[&str], &[i64]); 5] = [
            // Seconds in thousandths.
            (&["0.000000", "5.000000", "0.001000", "2.001000"], &[0, 5_000, 5_001, 7_002]),
            (&["0.000000", "1.000000", "2.000000", "0.500000"], &[0, 1_000, 2_000, 3_500]),
            (&["0.000000", "5.000000", "5.001000", "7.001000"], &[0, 5_000, 5_001, 7_001]),
            // Printed late.
            (&["0.000000", "0.002100", "0.000900", "5.000000"], &[0, 2, 0, 5_000]),
            (&["0.000000", "5.001000", "5.000000", "7.001000"], &[0, 5_001, 5_000, 7_001]),
        ];
        for (stamps, expected) in cases {
            let mut timeline = Timeline::new(StampStyle::Default);
            let place = |text: &&str| {
                let stamp = find_stamp(&format!("00:00:0{text}")).map(|(stamp, _)| stamp);
                timeline.settle(stamp);
                timeline.turns_to_deltas(stamp);
                timeline.place(stamp).as_nanoseconds() / 1_000_000
            };
            let placed: Vec<i64> = stamps.iter().map(place).collect();
            assert_eq!(placed, expected, "{stamps:?}");
        }
    }

    #[test]
    fn dates_without_a_year_count_days() {
        for style in [StampStyle::Default, StampStyle::Delta] {
            let mut timeline = Timeline::new(style);
            let mut place = |date: &str| {
                let text = format!("{date} IP 192.0.2.1.5 > 192.0.2.2.6: UDP, length 4");
                timeline.place(find_stamp(&text).map(|(stamp, _)| stamp)).as_nanoseconds()
            };
            let noon = DAY_NS / 2;
            assert_eq!(place("Dec 30 12:00:00.0"), noon);
            assert_eq!(place("Dec 30 12:00:05.0"), noon + 5 * SECOND_NS);
            assert_eq!(place("Dec 31 00:00:00.0"), DAY_NS);
            assert_eq!(place("Dec 30 23:59:59.0"), DAY_NS - SECOND_NS);
            assert_eq!(place("Jan 01 12:00:00.0"), 2 * DAY_NS + noon);
        }
    }

    #[test]
    fn deltas_add_up() {
        let mut timeline = Timeline::new(StampStyle::Delta);
        let mut place = |text| timeline.place(find_stamp(text).map(|(stamp, _)| stamp));
        place("00:00:00.000000");
        place("00:00:01.5");
        assert_eq!(place("00:00:01.5").as_nanoseconds(), 3 * SECOND_NS);
    }
}
