//! What can be said of a line at a glance, so that most lines cost no more.

use super::LIMIT_LINE_BYTES;

/// Whether a line is a packet's as tcpdump prints it, its header's under `-v`, or one with its
/// ends below the header, and nothing stands before it or was put into it.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut ends = memchr::memchr_iter(b'>', bytes);
    let (end, other) = (ends.next(), ends.next());
    let is_untouched = other.is_none()
        && memchr::memchr3(b'<', b'`', b'*', bytes).is_none()
        && text.len() <= LIMIT_LINE_BYTES;
    let is_printed = || match end {
        Some(end) if text.starts_with("    ") => {
            // One word before the mark, which has an address.
            let source = text.get(4..end).and_then(|source| source.strip_suffix(' '));
            source.is_some_and(|word| word.contains(['.', ':']) && !word.contains([' ', '\t']))
        }
        Some(_) => begins_with_stamp(text).is_some(),
        None => begins_with_stamp(text).is_some_and(|rest| {
            (rest.starts_with("IP (") || rest.starts_with("IP6 (")) && rest.ends_with(')')
        }),
    };
    is_untouched && is_printed()
}

/// What stands behind a time of day, perhaps with its date, where that is tcpdump's word
/// for IP.
fn begins_with_stamp(text: &str) -> Option<&str> {
    /// A date and a time with nine digits.
    const LIMIT_BYTES: usize = 40;
    let (mut colons, mut dots, mut dashes, mut spaces, mut end) = (0, 0, 0, 0, 0);
    for byte in text.bytes().take(LIMIT_BYTES) {
        match byte {
            b'0'..=b'9' => {}
            b':' => colons += 1,
            b'.' => dots += 1,
            b'-' => dashes += 1,
            b' ' => spaces += 1,
            _ => break,
        }
        end += 1;
    }
    let is_stamp = text.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && (colons, dots) == (2, 1)
        && spaces == 1 + dashes / 2;
    let rest = text.get(end..).filter(|_| is_stamp)?;
    (rest.starts_with("IP ") || rest.starts_with("IP6 ")).then_some(rest)
}

/// Whether a line is one of netfilter's log: whatever a collector wrote before it is the
/// reader's to tell from the rule's prefix.
pub(super) fn is_logged_packet(text: &str) -> bool {
    memchr::memchr(b'=', text.as_bytes()).is_some()
        && text.contains(" OUT=")
        && text.contains(" SRC=")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_are_told_at_a_glance() {
        for (ip, ends, header) in [
            ("IP", "192.0.2.9.5 > 192.0.2.21.69:", "(tos 0x0, ttl 63, id 1, length 47)"),
            ("IP6", "2001:db8::9.5 > 2001:db8::21.69:", "(hlim 63, payload length: 27)"),
        ] {
            let cases = [
                (format!("07:29:48.654684 {ip} {ends} UDP, length 4"), true),
                (format!("2024-11-08 07:29:48.654684 {ip} {ends} UDP, length 4"), true),
                (format!("07:29:48.654684 {ip} {header}"), true),
                (format!("    {ends} [udp sum ok] UDP, length 4"), true),
                (format!("    12\t07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("07:29:48 07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("12: 07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("12:07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("<b>07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("07:29:48.654684 {ip} {ends} 1 07:29:49.1 {ip} {ends} 2"), false),
                (format!("See 07:29:48.654684 {ip} {ends} UDP, length 4"), false),
                (format!("07:29:48.654684 {ip} {header} and more"), false),
            ];
            for (text, expected) in cases {
                assert_eq!(is_plain(&text), expected, "{text}");
            }
        }
    }
}
