//! The only place that asks for the current time.

use uuid::Uuid;

use crate::model::time::Timestamp;

/// The time by this host's clock; the last representable one after the year 2262.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one clock that everybody else asks")]
pub fn now() -> Timestamp {
    let now = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanoseconds(i64::try_from(now).unwrap_or(i64::MAX))
}

/// A new UUIDv7. Ids of one process sort in the order in which they were made
/// (RFC 9562, section 6.2), which lists rely on.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a version 7 id holds the current time")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made() {
        let ids: Vec<_> = (0..100).map(|_| new_id()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn the_clock_is_past_the_year_2020() {
        assert!(now() > Timestamp::from_seconds(1_577_836_800));
    }
}
