//! Whether a packet's line goes on behind its end, as far as the line itself shows.

/// Whether an uneven number of quotes stands in a line: a name goes on.
pub(super) fn has_open_quote(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// Whether a name goes on behind the line: it has no end, and tcpdump itself did not stop
/// there for want of the packet's bytes, `[|tftp]`.
pub(super) fn has_open_name(text: &str) -> bool {
    has_open_quote(text) && !is_surely_whole(text) && !text.trim_end().ends_with(']')
}

/// Whether nothing can follow on a packet's line: its length ends it, or that of what it
/// carries, `(36)`, as tcpdump prints it for DNS. Of TFTP the length comes first, and so does
/// that of a frame before the header that `-v` prints in parentheses.
pub(super) fn is_surely_whole(text: &str) -> bool {
    let text = text.trim_end();
    let is_sized = |text: &str, lead: &str| {
        let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
        before.len() < text.len() && before.ends_with(lead)
    };
    let ends = is_sized(text, "length ")
        || text.strip_suffix(')').is_some_and(|text| is_sized(text, " ("));
    ends && text.contains(": ")
        && !text.contains(": TFTP, ")
        && text.matches('(').count() == text.matches(')').count()
}
