//! The heads that syslog and the journal write before a line.

use super::{Part, times};

/// A longer tag is none (RFC 3164 section 4.1.3 allows 32 characters; unit names are longer).
const LIMIT_TAG_BYTES: usize = 100;

/// `Nov 08 07:29:48 node3 tcpdump[1234]: LINE` (RFC 3164 section 4.1, `journalctl`), and with
/// the time of RFC 3339 (rsyslog, `journalctl -o short-iso`), with a zone
/// (`-o short-full`), with the seconds since the host started (`-o short-monotonic`, and
/// `-o short-delta`), and with names of months and days in other languages, as `strftime`
/// writes them under `LC_TIME`. The source is the host and the program; its process id may
/// change.
pub(super) fn find_syslog(text: &str) -> Option<Part<'_>> {
    let text = skip_priority(text);
    let english = times::split_time(text).and_then(|(time, rest)| find_tagged(time?, rest));
    english.or_else(|| find_local(text)).or_else(|| {
        let (since_start, rest) = text.strip_prefix('[')?.split_once(']')?;
        let seconds = since_start.split('<').next()?.trim();
        let (whole, fraction) = seconds.split_once('.')?;
        let is_number = |digits: &str, limit| {
            (1..=limit).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        let is_time = is_number(whole, 9) && is_number(fraction, 6);
        // It is no time of a packet: nothing says when the host started.
        is_time.then(|| find_tagged("", rest)).flatten()
    })
}

/// `<13>1 2024-11-08T07:29:48.7Z node3 tcpdump 1234 - - LINE` (RFC 5424 section 6): version,
/// time, host, program, process, kind of message, structured data. Files may lack the first.
pub(super) fn find_protocol(text: &str) -> Option<Part<'_>> {
    let text = skip_priority(text);
    let (time, rest) = times::split_stamp(text.strip_prefix("1 ").unwrap_or(text))?;
    let head = rest.strip_prefix(' ')?;
    let (host, rest) = head.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (process, rest) = rest.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ')?;
    let is_word = |word: &str| !word.is_empty() && !word.contains(['>', ':', '/']);
    let is_head = [program, process, kind].into_iter().all(is_word) && !host.contains('>');
    let rest = skip_structured(rest).filter(|_| is_head && !host.is_empty())?;
    let source = head.get(..host.len() + 1 + program.len())?;
    Some(Part { rest, source: Some(source), node: Some(host), time: Some(time) })
}

/// `- ` or `[id@1 a="b"][…] `, and the mark of UTF-8 that may stand before the message.
fn skip_structured(text: &str) -> Option<&str> {
    let rest = match text.strip_prefix('-') {
        Some(rest) => rest,
        None => text
            .starts_with('[')
            .then(|| text.split_once("] "))
            .flatten()
            .map(|(data, _)| text.get(data.len() + 1..).unwrap_or_default())?,
    };
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    Some(rest.strip_prefix('\u{feff}').unwrap_or(rest))
}

/// What follows on the time: `node3 tcpdump[1234]: LINE`, perhaps with a zone before it.
fn find_tagged<'a>(time: &'a str, rest: &'a str) -> Option<Part<'a>> {
    let head = rest.strip_prefix(' ')?;
    if let Some((host, source, rest)) = split_tag(head) {
        let time = Some(time).filter(|time| !time.is_empty());
        return Some(Part { rest, source: Some(source), node: Some(host), time });
    }
    let (zone, head) = head.split_once(' ')?;
    let (host, source, rest) = split_tag(head).filter(|_| is_zone(zone))?;
    // Of a place's time the day may be another in UTC.
    let of_day = time.rsplit([' ', 'T']).next().filter(|time| !time.is_empty());
    Some(Part { rest, source: Some(source), node: Some(host), time: of_day })
}

/// The host, both names together, and the line.
fn split_tag(head: &str) -> Option<(&str, &str, &str)> {
    let (host, rest) = head.split_once(' ')?;
    let (tag, rest) = rest.split_once(':')?;
    let is_tag = !tag.is_empty() && tag.len() <= LIMIT_TAG_BYTES && !tag.contains([' ', '>']);
    if host.is_empty() || host.contains('>') || !is_tag {
        return None;
    }
    let program = tag.split('[').next().unwrap_or(tag);
    let source = head.get(..host.len() + 1 + program.len())?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    Some((host, source, rest))
}

/// `CET`, `UTC`, `+03`, `-0330`: what `strftime`'s `%Z` writes (tzset(3): three or more
/// letters, or a number where a zone has no name).
fn is_zone(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).map(|digits| digits.replace(':', ""));
    digits.map_or_else(
        || (3..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase()),
        |digits| matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit()),
    )
}

/// `Mär 08 07:29:48 …`, `Fr 2024-11-08 07:29:48 CET …`.
fn find_local(text: &str) -> Option<Part<'_>> {
    /// The longest short name has five letters and a dot.
    const LIMIT_CHARACTERS: usize = 6;
    let (name, rest) = text.split_once(' ')?;
    let has_letter = name.chars().any(char::is_alphabetic);
    let is_name = has_letter
        && name.chars().count() <= LIMIT_CHARACTERS
        && name.trim_end_matches('.').chars().all(char::is_alphanumeric);
    if !is_name {
        return None;
    }
    let dated = times::split_stamp(rest).and_then(|(time, rest)| find_tagged(time, rest));
    dated.or_else(|| {
        let (day, rest) = rest.strip_prefix(' ').unwrap_or(rest).split_once(' ')?;
        let is_day = day.len() <= 2 && day.bytes().all(|byte| byte.is_ascii_digit());
        let (time, rest) = times::split_stamp(rest).filter(|_| is_day)?;
        find_tagged(time, rest)
    })
}

/// `<13>`: the priority, as the message has it on the wire.
fn skip_priority(text: &str) -> &str {
    let digits = |inside: &str| inside.len() <= 3 && inside.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .filter(|(priority, _)| digits(priority))
        .map_or(text, |(_, rest)| rest)
}
