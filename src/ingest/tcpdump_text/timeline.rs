//! One axis for the times of a run, whatever they count from.

use super::timestamp::{DAY_NS, Stamp, StampValue};
use crate::model::capture::Clock;
use crate::model::time::Timestamp;

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
    /// `-ttt`: since the packet before.
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
#[derive(Debug)]
pub struct Timeline {
    style: StampStyle,
    clock: Option<Clock>,
    last_ns: i64,
    /// Midnights passed, in nanoseconds.
    midnights_ns: i64,
}

impl Timeline {
    #[must_use]
    pub const fn new(style: StampStyle) -> Self {
        Self { style, clock: None, last_ns: 0, midnights_ns: 0 }
    }

    /// What the run's times count from; the first packet decides. A first
    /// packet at exactly 00:00:00 is taken for the start of `-ttttt`.
    pub fn settle(&mut self, stamp: Option<Stamp>) -> Clock {
        let relative = matches!(self.style, StampStyle::Delta | StampStyle::SinceFirst);
        *self.clock.get_or_insert(match stamp.map(|stamp| stamp.value) {
            None => Clock::None,
            Some(StampValue::Date(_)) if !relative => Clock::Absolute,
            Some(StampValue::Span(span_ns)) if !relative && span_ns != 0 => Clock::TimeOfDay,
            Some(_) => Clock::Relative,
        })
    }

    /// The same for times that are known to count from the first packet.
    pub fn settle_relative(&mut self) -> Clock {
        *self.clock.get_or_insert(Clock::Relative)
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
            (Clock::Absolute, StampValue::Span(ns)) => {
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
            (StampStyle::Default, "07:29:48.654684", "07:29:49.0", Clock::TimeOfDay),
            (StampStyle::Default, "00:00:00.000000", "00:00:01.0", Clock::Relative),
            (StampStyle::SinceFirst, "00:00:03.000000", "00:00:01.0", Clock::Relative),
            (StampStyle::Default, "1700000000.5", "1700000001.5", Clock::Absolute),
            (StampStyle::Dated, "2024-01-31 07:29:48.654684", "07:29:49.0", Clock::Absolute),
            (StampStyle::Absent, "", "", Clock::None),
        ];
        for (style, first, _, clock) in cases {
            let mut timeline = Timeline::new(style);
            assert_eq!(
                timeline.settle(find_stamp(first).map(|(stamp, _)| stamp)),
                clock,
                "{first}"
            );
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
