//! One entry as a line: libnetfilter_conntrack's `snprintf_default.c`, and the
//! kernel's `ct_seq_show` for `/proc/net/nf_conntrack`.

use super::{Draft, find_event, find_transport, number};
use crate::model::conntrack::TrackedFlow;
use crate::model::time::Timestamp;

/// Reads a line; `None` where it is no entry. Of an entry of a protocol without
/// ports there is nothing to tell.
///
/// ```text
/// [1700000000.123456]     [NEW] ipv4     2 udp      17 30 src=… dst=… sport=… dport=… [UNREPLIED] src=… …
/// ```
pub fn read(line: &str) -> Option<Result<Option<TrackedFlow>, String>> {
    // Most lines of most texts are something else.
    if !line.contains("src=") {
        return None;
    }
    let mut words = line.split_whitespace();
    let mut word = words.next()?;
    let mut draft = Draft::default();
    if let Some(at) = find_time(word) {
        draft.at = Some(at);
        word = words.next()?;
    }
    if let Some(name) = word.strip_prefix('[') {
        draft.event = Some(find_event(name.strip_suffix(']')?)?);
        word = words.next()?;
    }
    if matches!(word, "ipv4" | "ipv6") {
        words.next().filter(|word| is_number(word))?;
        word = words.next()?;
    }
    let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if !is_name || !words.next().is_some_and(is_number) {
        return None;
    }
    draft.transport = find_transport(word);
    Some(read_fields(draft, words))
}

/// The rest of the line: the timeout, a state, two directions, and marks.
fn read_fields<'a>(
    mut draft: Draft,
    words: impl Iterator<Item = &'a str>,
) -> Result<Option<TrackedFlow>, String> {
    if draft.transport.is_none() {
        return Ok(None);
    }
    // Directions begin with `src=`: none has begun yet.
    let mut direction: Option<usize> = None;
    for word in words {
        if let Some(mark) = word.strip_prefix('[') {
            match mark {
                "UNREPLIED]" => draft.is_unreplied = true,
                "ASSURED]" => draft.is_assured = true,
                // `[OFFLOAD]`, `[HW_OFFLOAD]`, and the `[start=…]` of timestamps.
                _ => {}
            }
            continue;
        }
        let Some((key, value)) = word.split_once('=') else {
            if direction.is_none() && draft.expires_in_s.is_none() && is_number(word) {
                draft.expires_in_s = Some(number("the timeout", word)?);
            }
            continue;
        };
        match key {
            "src" => {
                let next = direction.map_or(0, |direction| direction + 1);
                direction = Some(next);
            }
            // The reply may be tracked in another one: `zone-reply`.
            "zone" | "zone-orig" => draft.zone = Some(number(key, value)?),
            "helper" => draft.helper = Some(value.chars().take(32).collect()),
            _ => {}
        }
        if let Some(tuple) = direction.and_then(|direction| draft.tuples.get_mut(direction)) {
            tuple.set(key, value)?;
        }
    }
    draft.finish()
}

/// `[1700000000.123456]`: seconds and microseconds since the epoch.
fn find_time(word: &str) -> Option<Timestamp> {
    let (seconds, fraction) = word.strip_prefix('[')?.strip_suffix(']')?.split_once('.')?;
    if fraction.len() != 6 || !is_number(fraction) {
        return None;
    }
    let microseconds = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some(Timestamp::from_microseconds(microseconds.checked_add(fraction.parse().ok()?)?))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}
