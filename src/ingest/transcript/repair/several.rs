//! Packets of which the line ends were lost: a paste that a page made one paragraph of.

use crate::ingest::tcpdump_text::{find_stamp, is_timed_packet};

/// The packets of a line, each as its own; a line with one or none as it is.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    // Two packets have two marks between addresses.
    if text.matches(" > ").nth(1).is_some() {
        for at in starts(text) {
            // The time within a date and time is none of its own.
            if let Some(part) = text.get(start..at).filter(|part| part.contains(" > ")) {
                parts.push(part.trim_end());
                start = at;
            }
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// Beginnings that are looked at in one line: each costs the reading of a packet's head.
const LIMIT_STARTS: usize = 64;
/// A packet's ends stand within so many bytes of its time.
pub(super) const LIMIT_HEAD_BYTES: usize = 200;

/// Where packets begin within the line.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let begins_word = move |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_some_and(u8::is_ascii_whitespace)
    };
    (1..bytes.len())
        .filter(move |at| bytes.get(*at).is_some_and(u8::is_ascii_digit) && begins_word(*at))
        .filter_map(|at| Some((at, head(text.get(at..)?, LIMIT_HEAD_BYTES))))
        .filter(|(_, head)| find_stamp(head).is_some())
        .take(LIMIT_STARTS)
        .filter(|(_, head)| is_timed_packet(head))
        .map(|(at, _)| at)
}

/// The first bytes of a text, up to a character's end.
pub(super) fn head(text: &str, limit_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(limit_bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_on_one_line_are_parted() {
        let packets = [
            "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.69:  64 WRQ \"a.cfg\" octet tsize 7304",
            "07:29:48.659120 IP6 2001:db8::13.32991 > 2001:db8::9.41226: UDP, length 19",
            "2024-11-08 07:29:48.661090 IP 192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36",
        ];
        assert_eq!(split(&packets.join("  ")), packets);
        assert_eq!(split(&packets.join(" ")), packets);
        for packet in packets {
            assert_eq!(split(packet), [packet]);
        }
        let others = [
            "07:29:48.1 IP 192.0.2.1 > 192.0.2.2: IP 198.51.100.1.5 > 198.51.100.2.69: UDP, length 4",
            "07:29:48.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 90: 192.0.2.1.5 > 192.0.2.2.69: UDP, length 48",
            "first > second > third at 07:29:48.1 in all",
            "",
        ];
        for text in others {
            assert_eq!(split(text), [text]);
        }
    }
}
