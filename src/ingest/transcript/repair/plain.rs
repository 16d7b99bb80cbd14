//! What can be said of a line at a glance, so that most lines cost no more.

use super::LIMIT_LINE_BYTES;
use super::line_end::is_surely_whole;

/// Whether a line is a packet's as tcpdump prints it, from its time to its length, and
/// nothing else: most lines are, and cost nothing more than this.
pub(super) fn is_plain(text: &str) -> bool {
    /// A date and a time with nine digits.
    const LIMIT_TIME_BYTES: usize = 40;
    let bytes = text.as_bytes();
    let is_time = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-' | b' ');
    let beginning = bytes.get(..LIMIT_TIME_BYTES).unwrap_or(bytes);
    let end = beginning.iter().position(|byte| !is_time(byte)).unwrap_or(0);
    let (time, rest) = text.split_at_checked(end).unwrap_or(("", text));
    let count = |mark: u8| time.bytes().filter(|byte| *byte == mark).count();
    let is_stamp = time.starts_with(|c: char| c.is_ascii_digit())
        && count(b':') == 2
        && count(b'.') == 1
        && count(b' ') <= 1 + usize::from(count(b'-') == 2);
    is_stamp
        && (rest.starts_with("IP ") || rest.starts_with("IP6 "))
        && memchr::memchr_iter(b'>', bytes).count() == 1
        && memchr::memchr3(b'<', b'`', b'*', bytes).is_none()
        && text.len() <= LIMIT_LINE_BYTES
        && is_surely_whole(text)
}

/// Whether a line may hold what people put around packets: their words, an arrow, an entry
/// of connection tracking, tcpdump's first words.
pub(super) fn may_hold_packet(text: &str) -> bool {
    text.contains("IP")
        || memchr::memchr3(b'<', b'>', b'`', text.as_bytes()).is_some()
        || text.contains("src=")
        || text.contains("istening on ")
        || text.contains(['→', '[', '{'])
}
