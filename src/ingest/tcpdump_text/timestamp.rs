//! The times that tcpdump prints before a packet: default, `-tt`, `-ttt`,
//! `-tttt`, `-ttttt`, and what articles make of them.

use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(super) const SECOND_NS: i64 = 1_000_000_000;
pub(super) const DAY_NS: i64 = 86_400 * SECOND_NS;

/// Any year that has all dates.
const LEAP_YEAR: i16 = 2_024;

/// Months as logs and OpenBSD's tcpdump write them (RFC 3164 section 4.1.2).
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time as a line shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub value: StampValue,
    /// Whether it has a fraction: tcpdump's always do, other text seldom.
    pub has_fraction: bool,
}

/// Nanoseconds, and what they count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampValue {
    /// Since the epoch.
    Date(i64),
    /// Since midnight, or since the first or the previous packet; may be
    /// negative then, or more than a day.
    Span(i64),
    /// Since the year began, which is not named.
    OfYear(i64),
}

impl StampValue {
    /// The number, whatever it counts from.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        match self {
            Self::Date(nanoseconds) | Self::Span(nanoseconds) | Self::OfYear(nanoseconds) => {
                nanoseconds
            }
        }
    }
}

/// Whether a time has its date with it.
#[must_use]
pub const fn is_date(stamp: Stamp) -> bool {
    matches!(stamp.value, StampValue::Date(_))
}

/// Whether a word is a month's short name.
#[must_use]
pub fn is_month(word: &str) -> bool {
    MONTHS.contains(&word)
}

/// The month and the day of `Nov 08 ` or `Nov  8 ` (RFC 3164 section 4.1.2), and what stands
/// behind them.
#[must_use]
pub fn split_month(text: &str) -> Option<(i8, i8, &str)> {
    let (month, rest) = text.split_once(' ')?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, rest) = split_digits(rest.strip_prefix(' ').unwrap_or(rest))?;
    let rest = rest.strip_prefix(' ').filter(|_| day.len() <= 2)?;
    Some((i8::try_from(month + 1).ok()?, day.parse().ok()?, rest))
}

/// The time at the start of a line, and the line's rest.
#[must_use]
pub fn find_stamp(text: &str) -> Option<(Stamp, &str)> {
    let text = text.trim_start();
    find_dated(text)
        .or_else(|| find_span(text))
        .or_else(|| find_epoch(text))
        .or_else(|| find_of_month(text))
}

/// `Nov 08 07:29:48.654684` of OpenBSD's `-ttt`, which names no year. Logs have such times
/// too (`journalctl -o short-precise`), so sides have to follow.
fn find_of_month(text: &str) -> Option<(Stamp, &str)> {
    let (month, day, rest) = split_month(text)?;
    let (of_day, has_fraction, rest) = find_clock(rest)?;
    // As a leap year counts them, so that February has its 29th in every one.
    let date = Date::new(LEAP_YEAR, month, day).ok()?;
    let of_year = i64::from(date.day_of_year() - 1).checked_mul(DAY_NS)?.checked_add(of_day)?;
    let stamp = Stamp { value: StampValue::OfYear(of_year), has_fraction };
    let mut words = rest.split_whitespace();
    let is_lead = words.next().is_some_and(|word| matches!(word, "IP" | "IP6" | "arp" | "rule"));
    let is_packet = is_lead || words.next() == Some(">");
    (has_fraction && is_packet && ends_here(rest)).then_some((stamp, rest))
}

fn find_dated(text: &str) -> Option<(Stamp, &str)> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || month.len() != 2 || parts.next().is_some() {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    let seconds = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_second();
    let rest = rest.strip_prefix('T').unwrap_or_else(|| rest.trim_start());
    let (of_day, has_fraction, rest) = find_clock(rest)?;
    let (zone, rest) = find_zone(rest);
    let value = seconds.checked_mul(SECOND_NS)?.checked_add(of_day)?.checked_sub(zone)?;
    ends_here(rest).then_some((Stamp { value: StampValue::Date(value), has_fraction }, rest))
}

fn find_span(text: &str) -> Option<(Stamp, &str)> {
    let (days, rest) = find_days(text).unwrap_or((0, text));
    let (sign, rest) = rest.strip_prefix('-').map_or((1, rest), |rest| (-1, rest));
    let (span, has_fraction, rest) = find_clock(rest)?;
    let value = days.checked_mul(DAY_NS)?.checked_add(span)?.checked_mul(sign)?;
    ends_here(rest).then_some((Stamp { value: StampValue::Span(value), has_fraction }, rest))
}

/// `1 day 00:00:05.2`, `2d 00:00:05.2`: long captures under `-ttttt`.
fn find_days(text: &str) -> Option<(i64, &str)> {
    let (number, rest) = split_digits(text)?;
    let rest = rest.trim_start();
    let rest = ["days", "day", "d"].iter().find_map(|unit| rest.strip_prefix(unit))?;
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    Some((number.parse().ok().filter(|days| *days < 100_000)?, rest.trim_start()))
}

fn find_epoch(text: &str) -> Option<(Stamp, &str)> {
    let (seconds, rest) = split_digits(text)?;
    let rest = rest.strip_prefix('.')?;
    let (fraction_ns, behind) = find_fraction(rest)?;
    let digits = rest.len() - behind.len();
    // Captures may begin at the epoch itself; tcpdump then still prints six
    // or nine digits behind the point.
    if seconds.len() > 11 || !matches!(digits, 6 | 9) && seconds.len() < 7 {
        return None;
    }
    let rest = behind;
    let value = seconds.parse::<i64>().ok()?.checked_mul(SECOND_NS)?.checked_add(fraction_ns)?;
    let stamp = Stamp { value: StampValue::Date(value), has_fraction: true };
    ends_here(rest).then_some((stamp, rest))
}

/// `hh:mm:ss`, with or without a fraction, as nanoseconds.
fn find_clock(text: &str) -> Option<(i64, bool, &str)> {
    let (hours, rest) = split_digits(text)?;
    let (minutes, rest) = split_digits(rest.strip_prefix(':')?)?;
    let (seconds, rest) = split_digits(rest.strip_prefix(':')?)?;
    if hours.len() > 5 || minutes.len() != 2 || seconds.len() != 2 {
        return None;
    }
    let (hours, minutes, seconds): (i64, i64, i64) =
        (hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?);
    if minutes > 59 || seconds > 60 {
        return None;
    }
    let whole = (hours * 3_600 + minutes * 60 + seconds) * SECOND_NS;
    match rest.strip_prefix(['.', ',']).and_then(find_fraction) {
        Some((fraction_ns, rest)) => Some((whole + fraction_ns, true, rest)),
        None => Some((whole, false, rest)),
    }
}

fn find_fraction(text: &str) -> Option<(i64, &str)> {
    let (digits, rest) = split_digits(text)?;
    let mut nanoseconds: i64 = digits.get(..digits.len().min(9))?.parse().ok()?;
    for _ in digits.len()..9 {
        nanoseconds *= 10;
    }
    Some((nanoseconds, rest))
}

/// `Z` or `+08:00` right behind the time, as nanoseconds east of UTC.
fn find_zone(text: &str) -> (i64, &str) {
    if let Some(rest) = text.strip_prefix('Z') {
        return (0, rest);
    }
    let zone = || {
        let sign = if text.starts_with('+') { 1 } else { -1 };
        let (hours, rest) = split_digits(text.strip_prefix(['+', '-'])?)?;
        let (hours, minutes, rest) = match rest.strip_prefix(':').and_then(split_digits) {
            Some((minutes, rest)) => (hours, minutes, rest),
            None => (hours.get(..2)?, hours.get(2..)?, rest),
        };
        let minutes: i64 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
        let hours: i64 = hours.parse().ok().filter(|hours| *hours < 24)?;
        (minutes < 60).then_some((sign * (hours * 3_600 + minutes * 60) * SECOND_NS, rest))
    };
    zone().unwrap_or((0, text))
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn ends_here(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_in_every_form() {
        let noon = 12 * 3_600 * SECOND_NS;
        let cases = [
            ("12:00:00.000001 IP x", Some((StampValue::Span(noon + 1_000), " IP x"))),
            ("12:00:00.000000001 IP x", Some((StampValue::Span(noon + 1), " IP x"))),
            ("12:00:00,5 IP x", Some((StampValue::Span(noon + SECOND_NS / 2), " IP x"))),
            (" 00:00:03.001234 IP", Some((StampValue::Span(3_001_234_000), " IP"))),
            ("-00:00:00.000002 IP", Some((StampValue::Span(-2_000), " IP"))),
            ("1 day 00:00:01.0 IP", Some((StampValue::Span(DAY_NS + SECOND_NS), " IP"))),
            ("1970-01-01 12:00:00.0 IP", Some((StampValue::Date(noon), " IP"))),
            ("1970-01-01T12:00:00.0Z IP", Some((StampValue::Date(noon), " IP"))),
            ("1970-01-01T20:00:00.0+08:00 IP", Some((StampValue::Date(noon), " IP"))),
            ("1700000000.123456 IP", Some((StampValue::Date(1_700_000_000_123_456_000), " IP"))),
            ("0.000001 02:00:00:00:00:01", Some((StampValue::Date(1_000), " 02:00:00:00:00:01"))),
            ("Jan 01 12:00:00.5 IP", Some((StampValue::OfYear(noon + SECOND_NS / 2), " IP"))),
            (
                "Mar  1 12:00:00.5 2001:db8::1.5 > 2001:db8::2.6: udp 4",
                Some((
                    StampValue::OfYear(60 * DAY_NS + noon + SECOND_NS / 2),
                    " 2001:db8::1.5 > 2001:db8::2.6: udp 4",
                )),
            ),
            ("Nov 31 12:00:00.5 IP", None),
            ("Nov  8 12:00:00 node3 x", None),
            ("Nov  8 12:00:00.5 node3 kernel: x", None),
            ("12:00:00.5", Some((StampValue::Span(noon + SECOND_NS / 2), ""))),
            ("3.5 times", None),
            ("12:60:00.5 IP", None),
            ("1970-13-01 12:00:00.0 IP", None),
            ("192.0.2.1 > 192.0.2.2", None),
            ("2001:db8::1 > 2001:db8::2", None),
            ("12:00:00.5x", None),
            ("é", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let actual = find_stamp(text).map(|(stamp, rest)| (stamp.value, rest));
            assert_eq!(actual, expected, "{text}");
        }
    }
}
