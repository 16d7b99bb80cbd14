//! The bytes of a packet that `-A` prints as characters below its line.
//!
//! tcpdump's `ascii_print` prints one character for each byte of the packet, from its
//! IP header on, and a dot for what cannot be printed. A byte 0x0a becomes a line
//! break, and that is also the 10 of an address such as 10.0.0.1: blank and short
//! lines, and lines of any text, stand within a packet.

/// Ethernet pads what is shorter; `-A` prints the padding too.
const LEAST_PAYLOAD_BYTES: usize = 46;
/// The longest link header that `-AA` prints before the packet, with a VLAN tag.
const LINK_HEADER_BYTES: usize = 24;
/// How many dots tell a dump from prose.
const LEAST_DOTS: usize = 6;

/// One dump while its lines come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Characters {
    /// The IP packet's length, where its line tells that.
    packet_bytes: Option<usize>,
    /// Characters so far, and a line break for each line.
    seen_bytes: usize,
    lines: usize,
    has_ended: bool,
}

impl Characters {
    /// A dump of a packet of this length.
    #[must_use]
    pub const fn new(packet_bytes: Option<usize>) -> Self {
        Self { packet_bytes, seen_bytes: 0, lines: 0, has_ended: false }
    }

    /// Whether the next line is one of the dump, whatever it looks like. tcpdump
    /// leaves out a carriage return at a line's end, and a paste the spaces there, so
    /// each line may hold one byte more than it shows.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        let surely_left = |bytes: usize| self.seen_bytes.saturating_add(self.lines) < bytes;
        !self.has_ended && self.packet_bytes.is_some_and(surely_left)
    }

    /// Whether the next line may still be one of the dump.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        let most = |bytes: usize| bytes.max(LEAST_PAYLOAD_BYTES).saturating_add(LINK_HEADER_BYTES);
        !self.has_ended && self.packet_bytes.is_none_or(|bytes| self.seen_bytes < most(bytes))
    }

    /// Counts a line of the dump.
    pub fn count(&mut self, text: &str) {
        self.seen_bytes = self.seen_bytes.saturating_add(text.len()).saturating_add(1);
        self.lines = self.lines.saturating_add(1);
    }

    /// No line behind belongs to it: tcpdump has told how much it captured.
    pub const fn end(&mut self) {
        self.has_ended = true;
    }
}

/// Whether a line may begin a dump: most bytes of a header cannot be printed.
#[must_use]
pub fn may_begin_dump(text: &str) -> bool {
    text.is_ascii() && text.bytes().take(64).filter(|byte| *byte == b'.').count() >= LEAST_DOTS
}

/// Whether a line surely begins a dump: an IP header stands at its start, or behind
/// a link header.
#[must_use]
pub fn begins_dump(text: &str) -> bool {
    /// None, loopback, Ethernet, and both of Linux's cooked captures.
    const LINK_HEADERS: [usize; 5] = [0, 4, 14, 16, 20];
    let is_header = |start: &usize| text.as_bytes().get(*start..).is_some_and(is_ip_header);
    may_begin_dump(text) && LINK_HEADERS.iter().any(is_header)
}

/// Version 4 with the header's length is `E` to `O`, the high byte of the length and
/// the protocol cannot be printed. Version 6 with half of the traffic class is a
/// backtick or a letter up to `o`; of the next headers that matter (0, 6, 17, 43, 44,
/// 58, 60) three can be printed.
fn is_ip_header(bytes: &[u8]) -> bool {
    match bytes {
        [b'E'..=b'O', _, b'.', _, _, _, _, _, _, protocol, ..] => *protocol == b'.',
        [b'`'..=b'o', _, _, _, b'.', _, next_header, ..] => {
            matches!(next_header, b'.' | b':' | b',' | b'+' | b'<')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_of_both_families_are_told_from_prose() {
        let cases = [
            ("E..5..@.@.:H.......D.*.E.!..", true),
            ("E..H..@.@.%.....", true),
            ("`....!.@ ................... .................E.1..", true),
            ("`....\\:@ ................... .....", true),
            ("................E..5..@.@.:H", true),
            ("see 192.0.2.1.5 > 192.0.2.2.69: it fails", false),
            ("Even so. The node...", false),
            ("follow.up.is.sent.by.the.client", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(begins_dump(text), expected, "{text}");
        }
    }

    #[test]
    fn a_dump_ends_with_its_packet() {
        let mut dump = Characters::new(Some(100));
        dump.count(&"x".repeat(49));
        assert!(dump.is_inside() && dump.may_go_on());
        dump.count(&"x".repeat(48));
        // A byte may have been left out at the end of either line.
        assert!(!dump.is_inside() && dump.may_go_on());
        dump.count(&"x".repeat(30));
        assert!(!dump.may_go_on());
        let mut unknown = Characters::new(None);
        unknown.count("x");
        assert!(!unknown.is_inside() && unknown.may_go_on());
        unknown.end();
        assert!(!unknown.may_go_on());
    }
}
