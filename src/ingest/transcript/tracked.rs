//! What lines of a connection tracking table look like.

/// An entry as `conntrack` or the kernel prints it, or the beginning of its XML.
pub(super) fn begins_table(trimmed: &str) -> bool {
    is_entry(trimmed)
        || trimmed.starts_with("<conntrack>")
        || trimmed.starts_with("<flow>")
        || trimmed.starts_with("<flow type=")
}

/// Whether such a line may follow within a table.
pub(super) fn belongs_to_table(trimmed: &str) -> bool {
    is_entry(trimmed) || trimmed.starts_with('<') || is_remark(trimmed)
}

/// Whether a table may be handed out in parts behind this line.
pub(super) fn ends_entry(trimmed: &str) -> bool {
    !trimmed.starts_with('<') || trimmed.ends_with("</flow>")
}

/// A protocol with its number, and the first address: `udp      17 29 src=…`,
/// with what may stand before it, such as `[NEW]` and `ipv4     2`.
fn is_entry(trimmed: &str) -> bool {
    let Some((head, _)) = trimmed.split_once("src=") else { return false };
    let mut words = head.split_whitespace().peekable();
    // A time and an event.
    for _ in 0..2 {
        words.next_if(|word| word.starts_with('[') && word.ends_with(']'));
    }
    if words.next_if(|word| matches!(*word, "ipv4" | "ipv6")).is_some() {
        words.next();
    }
    let named = words.next().is_some_and(|name| {
        // `icmpv6` has a digit.
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    named && words.next().is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// `conntrack v1.4.6 (conntrack-tools): 12 flow entries have been shown.`
fn is_remark(trimmed: &str) -> bool {
    trimmed.starts_with("conntrack v") && trimmed.contains("(conntrack-tools)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_known_by_their_lines() {
        let cases = [
            ("udp      17 29 src=192.0.2.7 dst=192.0.2.8 sport=7 dport=69", true),
            ("ipv6     10 udp      17 29 src=2001:db8::7 dst=2001:db8::8", true),
            ("[NEW] udp      17 30 src=192.0.2.7 dst=192.0.2.8", true),
            ("[1700000000.524942]\t    [NEW] ipv4     2 udp      17 30 src=192.0.2.7", true),
            ("tcp      6 431999 ESTABLISHED src=192.0.2.7 dst=192.0.2.8", true),
            ("icmpv6   58 29 src=2001:db8::7 dst=2001:db8::1 type=128 code=0 id=1", true),
            ("icmp     1 29 src=192.0.2.7 dst=192.0.2.1 type=8 code=0 id=1", true),
            ("<conntrack>", true),
            ("<flow><meta direction=\"original\">", true),
            ("<flow type=\"new\"><meta direction=\"original\">", true),
            ("<snip>", false),
            ("In the table udp has src=192.0.2.7", false),
            ("conntrack v1.4.6 (conntrack-tools): 12 flow entries have been shown.", false),
            ("12:00:00.000000 IP 192.0.2.7.5 > 192.0.2.8.69: UDP, length 4", false),
            ("", false),
        ];
        for (line, expected) in cases {
            assert_eq!(begins_table(line), expected, "{line}");
        }
        assert!(belongs_to_table(cases[12].0));
        assert!(!belongs_to_table("So the second entry is never answered."));
    }
}
