//! Whether a line goes on behind its end, as far as the line itself shows.

/// Whether nothing can follow on a packet's line: its length ends it, or that of what it
/// carries, `(36)`, as tcpdump prints it for DNS.
pub(in super::super) fn is_surely_whole(text: &str) -> bool {
    let ends_with_size = || {
        let size = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
        size.is_some_and(|(_, size)| !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()))
    };
    ends_with_length(text) || ends_with_size()
}

/// Whether a packet line ends with a length behind its addresses, as most do.
pub(super) fn ends_with_length(text: &str) -> bool {
    let text = text.trim_end();
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    before.len() < text.len() && before.ends_with("length ") && text.contains(": ")
}

/// Whether an uneven number of quotes stands in a line: a name goes on.
pub(super) fn has_open_quote(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// Whether a name goes on behind the line, as far as quotes tell: with the length the line
/// is over, and a name may hold a quote of its own.
pub(super) fn has_open_name(text: &str) -> bool {
    has_open_quote(text) && !ends_with_length(text)
}

/// Whether a line ends where tcpdump itself stopped, for want of the packet's bytes:
/// `[|tftp]`.
pub(super) fn is_cut_by_snap_length(text: &str) -> bool {
    let name = text.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once("[|"));
    name.is_some_and(|(_, name)| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}

/// Whether a break stands within a word for sure: digits go on, or a name in quotes.
pub(super) fn is_within_word(text: &str, next: &str) -> bool {
    let digits = text.ends_with(|c: char| c.is_ascii_digit())
        && next.starts_with(|c: char| c.is_ascii_digit());
    digits || has_open_quote(text)
}
