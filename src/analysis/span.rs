//! When a capture was taken, by the times of its frames.

use std::time::Duration;

use crate::model::capture::DISORDER;
use crate::model::time::Timestamp;

/// A capture that goes on later than this did not listen in between, for all
/// that its packets show: a device that repeats itself does so more often.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// Those of several interfaces are read in turn.
const DISORDER_OF_INTERFACES: Duration = Duration::from_secs(1);

/// The times of a capture's frames. They mostly rise; but who sets a clock sets it back,
/// too, in the middle of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub earliest: Timestamp,
    pub latest: Timestamp,
    /// Of the frame that was written first.
    first: Timestamp,
    /// Of the frame that was written last.
    last: Timestamp,
}

/// At how many interfaces a capture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenAt {
    OneInterface,
    Several,
}

impl Span {
    /// Notes the time of the next frame.
    pub fn note(span: &mut Option<Self>, at: Timestamp) {
        let new = Self { earliest: at, latest: at, first: at, last: at };
        let span = span.get_or_insert(new);
        span.earliest = span.earliest.min(at);
        span.latest = span.latest.max(at);
        span.last = at;
    }

    /// The times of these frames and of those behind them.
    #[must_use]
    pub fn and_then(self, behind: &Self) -> Self {
        Self {
            earliest: self.earliest.min(behind.earliest),
            latest: self.latest.max(behind.latest),
            last: behind.last,
            ..self
        }
    }

    /// How long the break after `before` is, if this may be what was captured next: by all
    /// of their times, or where a clock was set within one of them, by the frames at the seam.
    pub fn find_pause_after(&self, before: &Self, taken_at: TakenAt) -> Option<Duration> {
        let disorder = taken_at.disorder();
        let between = |ended: Timestamp, begins: Timestamp| {
            let is_next = ended.since(begins) <= disorder && begins.since(ended) <= MAX_PAUSE;
            is_next.then(|| begins.since(ended))
        };
        between(before.latest, self.earliest).or_else(|| between(before.last, self.first))
    }

    /// Whether there is a time at which both were taken.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.earliest < other.latest && other.earliest < self.latest
    }

    /// Whether its clock was set back, so that its earliest time is not that of its beginning,
    /// or its latest not that of its end.
    pub fn steps_back(&self) -> bool {
        let disorder = TakenAt::Several.disorder();
        self.first.since(self.earliest) > disorder || self.latest.since(self.last) > disorder
    }
}

impl TakenAt {
    const fn disorder(self) -> Duration {
        match self {
            Self::OneInterface => DISORDER,
            Self::Several => DISORDER_OF_INTERFACES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(milliseconds: &[i64]) -> Span {
        let mut span = None;
        for at in milliseconds {
            Span::note(&mut span, Timestamp::from_nanoseconds(at * 1_000_000));
        }
        span.unwrap()
    }

    /// The times of one capture and of another, and the break between them, in ms.
    type Row = (&'static str, &'static [i64], &'static [i64], TakenAt, Option<u64>);

    #[test]
    fn what_begins_where_another_ended_is_next() {
        use TakenAt::{OneInterface, Several};
        let cases: [Row; 9] = [
            ("at once", &[0, 900], &[900, 2_000], OneInterface, Some(0)),
            ("soon", &[0, 900], &[1_000, 2_000], OneInterface, Some(100)),
            ("much later", &[0, 900], &[61_000, 62_000], OneInterface, None),
            ("two queues", &[0, 900], &[895, 2_000], OneInterface, Some(0)),
            ("two captures", &[0, 900], &[800, 2_000], OneInterface, None),
            ("two interfaces", &[0, 900], &[800, 2_000], Several, Some(0)),
            ("set back before", &[0, 90_000, 20_000], &[20_500, 30_000], OneInterface, Some(500)),
            ("set back after", &[0, 90_000], &[90_500, 20_000], OneInterface, Some(500)),
            ("the wrong way round", &[20_500, 99_000], &[0, 90_000, 20_000], OneInterface, None),
        ];
        for (name, before, after, taken_at, expected) in cases {
            let found = span(after).find_pause_after(&span(before), taken_at);
            assert_eq!(found, expected.map(Duration::from_millis), "{name}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_shows() {
        let cases: [(&str, &[i64], bool); 4] = [
            ("rising", &[0, 5_000, 9_000], false),
            ("out of order", &[0, 900, 200, 1_000, 600], false),
            ("set back", &[0, 9_000, 2_000], true),
            ("set back far", &[0, 9_000, -90_000, 20_000], true),
        ];
        for (name, times, expected) in cases {
            assert_eq!(span(times).steps_back(), expected, "{name}");
        }
    }
}
