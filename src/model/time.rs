//! Points in time as one host's clock saw them.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// Nanoseconds since 1970-01-01T00:00:00Z by the clock of the host that
/// captured, or since midnight of that day where a text names only the time of
/// day ([`Clock::TimeOfDay`](super::capture::Clock)).
///
/// Never compared across capture points without a stated offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of the epoch.
    pub const EPOCH: Self = Self(0);

    /// A time `nanoseconds` after the epoch.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// A time `microseconds` after the epoch, saturating at the years 1677 and 2262.
    #[must_use]
    pub const fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds.saturating_mul(1_000))
    }

    /// A time `seconds` after the epoch, saturating at the years 1677 and 2262.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanoseconds(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How long after `other` this is in ns, less than zero if before it: of one moment by
    /// two clocks, how much the first of them is ahead.
    #[must_use]
    pub const fn ahead_of_ns(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// So many ns later, or earlier where they are less than zero: the same moment by a
    /// clock that is as much ahead.
    #[must_use]
    pub const fn moved(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// The same moment by a clock that is `ahead_ns` behind.
    #[must_use]
    pub const fn back(self, ahead_ns: i64) -> Self {
        Self(self.0.saturating_sub(ahead_ns))
    }

    /// The distance to `other`, whichever comes first.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }

    /// The time of day, `hh:mm:ss.ffffff`: how captures are read by people.
    #[must_use]
    pub fn time_of_day(self) -> String {
        let microseconds = self.0.div_euclid(1_000).rem_euclid(86_400_000_000);
        let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
        format!("{:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC; six fraction digits, nine where the capture has them.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = jiff::Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| fmt::Error)?;
        if self.0 % 1_000 == 0 { write!(f, "{date:.6}") } else { write!(f, "{date:.9}") }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        i64::try_from(date.as_nanosecond()).map(Self).map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC, with microseconds or better"))
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_rfc_3339_and_read_back() {
        let cases = [
            (1_732_000_000_123_456_000, "2024-11-19T07:06:40.123456Z"),
            (1_732_000_000_123_456_789, "2024-11-19T07:06:40.123456789Z"),
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1_000, "1969-12-31T23:59:59.999999Z"),
        ];
        for (nanoseconds, text) in cases {
            let time = Timestamp::from_nanoseconds(nanoseconds);
            assert_eq!(time.to_string(), text);
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time, "{text}");
        }
    }

    #[test]
    fn the_time_of_day_wraps_at_midnight() {
        assert_eq!(Timestamp::from_microseconds(86_399_999_999).time_of_day(), "23:59:59.999999");
        assert_eq!(Timestamp::from_microseconds(86_400_000_000).time_of_day(), "00:00:00.000000");
        assert_eq!(Timestamp::from_microseconds(-1).time_of_day(), "23:59:59.999999");
    }

    #[test]
    fn extremes_print_without_panicking() {
        for nanoseconds in [i64::MIN, i64::MAX] {
            assert!(!Timestamp::from_nanoseconds(nanoseconds).to_string().is_empty());
        }
    }
}
