//! Times of captures in words: as much as each capture's clock knows, no more.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::model::capture::{CaptureFormat, Clock};
use crate::model::report::Report;
use crate::model::time::Timestamp;

/// The clocks of a report's captures, by name.
pub(super) struct Times<'a> {
    clocks: HashMap<&'a str, Clock>,
    /// How far each clock is ahead of the first capture's, in µs, where that is known.
    offsets_us: HashMap<&'a str, i64>,
    tables: HashSet<&'a str>,
}

impl<'a> Times<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let clocks = report.captures.iter().map(|capture| (capture.name.as_str(), capture.clock));
        let tables =
            report.captures.iter().filter(|capture| capture.format == CaptureFormat::Conntrack);
        let offsets_us = report
            .captures
            .iter()
            .filter_map(|capture| Some((capture.name.as_str(), capture.clock_offset_us?)));
        Self {
            clocks: clocks.collect(),
            offsets_us: offsets_us.collect(),
            tables: tables.map(|table| table.name.as_str()).collect(),
        }
    }

    /// What evidence in `capture` is counted by: frames, or lines of a table.
    pub(super) fn place_word(&self, capture: &str) -> &'static str {
        if self.tables.contains(capture) { "line" } else { "frame" }
    }

    /// What the times of the capture with this name are counted from.
    pub(super) fn clock(&self, capture: &str) -> Clock {
        self.clocks.get(capture).copied().unwrap_or(Clock::Absolute)
    }

    /// When a packet of `capture` was seen; `None` where the capture has no times.
    pub(super) fn find(&self, capture: &str, at: Timestamp) -> Option<String> {
        find_time(self.clock(capture), at)
    }

    /// How long after `start`, by the clock of another capture perhaps, a packet of
    /// `capture` was seen, in words.
    pub(super) fn find_offset(
        &self,
        capture: &str,
        at: Timestamp,
        (start_capture, start): (&str, Timestamp),
    ) -> Option<String> {
        let (at, start) = (self.put_right(capture, at), self.put_right(start_capture, start));
        (self.clock(capture) != Clock::None).then(|| render_offset(at.since(start)))
    }

    /// The time by the clock of the first capture.
    fn put_right(&self, capture: &str, at: Timestamp) -> Timestamp {
        let offset_us = self.offsets_us.get(capture).copied().unwrap_or(0);
        let at_ns = at.as_nanoseconds();
        Timestamp::from_nanoseconds(at_ns.saturating_sub(offset_us.saturating_mul(1_000)))
    }
}

/// A time by this clock: date and time in UTC, the time of day, or the time
/// since the first packet.
pub(super) fn find_time(clock: Clock, at: Timestamp) -> Option<String> {
    match clock {
        Clock::Absolute => Some(render_date(at)),
        Clock::TimeOfDay => Some(at.time_of_day()),
        Clock::Relative => Some(render_offset(at.since(Timestamp::EPOCH))),
        Clock::None => None,
    }
}

/// `2024-11-19 07:06:40.123456 UTC`.
fn render_date(at: Timestamp) -> String {
    at.to_string().replace('T', " ").replace('Z', " UTC")
}

/// A time for readers; a trait, because templates reach values through references.
pub(crate) trait TimeWords {
    /// `2024-11-19 07:06 UTC`: when a report was made.
    fn minute(&self) -> String;
}

impl TimeWords for Timestamp {
    fn minute(&self) -> String {
        let date = self.to_string().replace('T', " ");
        // Every time that Timestamp prints has its seconds after the last colon.
        match date.rsplit_once(':') {
            Some((minute, _)) => format!("{minute} UTC"),
            None => date,
        }
    }
}

/// `+0`, `+147 µs`, `+12.1 ms`, `+3.011 s`, `+4 min 58 s`, `+2 h 3 min`.
pub(super) fn render_offset(offset: Duration) -> String {
    let microseconds = offset.as_micros();
    match microseconds {
        0 => "+0".to_owned(),
        1..1_000 => format!("+{microseconds} µs"),
        1_000..1_000_000 => format!("+{}.{} ms", microseconds / 1_000, microseconds / 100 % 10),
        1_000_000..100_000_000 => {
            format!("+{}.{:03} s", microseconds / 1_000_000, microseconds / 1_000 % 1_000)
        }
        100_000_000..3_600_000_000 => {
            let seconds = offset.as_secs();
            format!("+{} min {} s", seconds / 60, seconds % 60)
        }
        _ => {
            let minutes = offset.as_secs() / 60;
            format!("+{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_says_no_more_than_it_knows() {
        let at = Timestamp::from_microseconds(42_929_393_598);
        let cases = [
            (Clock::Absolute, Some("1970-01-01 11:55:29.393598 UTC")),
            (Clock::TimeOfDay, Some("11:55:29.393598")),
            (Clock::Relative, Some("+11 h 55 min")),
            (Clock::None, None),
        ];
        for (clock, expected) in cases {
            assert_eq!(find_time(clock, at).as_deref(), expected, "{clock:?}");
        }
    }

    #[test]
    fn offsets_read_at_their_own_scale() {
        let cases = [
            (0, "+0"),
            (147, "+147 µs"),
            (12_147, "+12.1 ms"),
            (3_010_916, "+3.010 s"),
            (298_000_000, "+4 min 58 s"),
            (7_380_000_000, "+2 h 3 min"),
        ];
        for (microseconds, expected) in cases {
            assert_eq!(render_offset(Duration::from_micros(microseconds)), expected);
        }
    }

    #[test]
    fn a_report_is_dated_to_the_minute() {
        let at = Timestamp::from_nanoseconds(1_732_000_000_123_456_789);
        assert_eq!(at.minute(), "2024-11-19 07:06 UTC");
    }
}
