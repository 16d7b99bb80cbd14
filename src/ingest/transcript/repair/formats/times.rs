//! The times that collectors write before a line.

use super::{Part, split_word};
use crate::ingest::tcpdump_text::{find_stamp, split_month};

/// `TIME LINE` of `docker logs -t` and `kubectl logs --timestamps` (RFC 3339 with up to nine
/// digits, without the last zeros), of ts(1) (`Nov 08 07:29:48`, `07:29:48`), and with
/// brackets of logs of terminals. A date alone stands before times of day.
pub(super) fn find_time(text: &str) -> Option<Part<'_>> {
    let Some(inside) = text.strip_prefix(['[', '(']) else {
        let (time, rest) = split_time(text)?;
        return Some(Part { time, ..Part::of(skip_space(rest)?) });
    };
    let (inside, rest) = inside.split_once([']', ')'])?;
    let (time, behind) = split_time(inside)?;
    let rest = skip_space(rest.strip_prefix(':').unwrap_or(rest)).filter(|_| behind.is_empty())?;
    Some(Part { time: Some(time?), ..Part::of(rest) })
}

/// The time with which a text begins, as tcpdump would print it, and the text from its end
/// on. Of a month's short form (RFC 3164 section 4.1.2), which has no year, the time of day
/// is left; of a date nothing.
pub(super) fn split_time(text: &str) -> Option<(Option<&str>, &str)> {
    let text = skip_weekday(text);
    let of_day = split_month(text).map_or(text, |(.., of_day)| of_day);
    match split_stamp(of_day) {
        Some((time, rest)) => Some((Some(time), rest.strip_prefix(" UTC").unwrap_or(rest))),
        None => skip_date(text).map(|rest| (None, rest)),
    }
}

/// A time as tcpdump prints one, and the text from its end on.
pub(super) fn split_stamp(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = find_stamp(text).filter(|_| text.starts_with(is_digit))?;
    Some((text.get(..text.len() - rest.len())?, rest))
}

/// `Fri ` of `journalctl -o short-full`.
fn skip_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
    DAYS.iter().find_map(|day| text.strip_prefix(day)).unwrap_or(text)
}

/// `2024-11-08`, `2024/11/08`, `08.11.2024`.
fn skip_date(text: &str) -> Option<&str> {
    let (date, rest) = split_word(text, |b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.'))?;
    let parts: Vec<usize> = date.split(['-', '/', '.']).map(str::len).collect();
    matches!(parts[..], [4, 2, 2] | [2, 2, 4]).then_some(rest)
}

/// One space: what follows keeps its indentation.
pub(super) fn skip_space(text: &str) -> Option<&str> {
    text.strip_prefix([' ', '\t'])
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
