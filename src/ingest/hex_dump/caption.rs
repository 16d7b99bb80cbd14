//! The line above a bare dump: a time, or what the bytes below are.

use crate::ingest::tcpdump_text::{Stamp, StampStyle, find_stamp};

/// What the last line that is no dump says of the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caption {
    /// When the frame was captured.
    pub stamp: Option<Stamp>,
    /// What that is counted from, where it is no date and no time of day.
    pub style: StampStyle,
    /// The bytes were put together from several frames, or decrypted: they are no frame.
    pub is_derived: bool,
}

impl Caption {
    /// Reads a line. A blank one says nothing, and leaves what was said before; so does
    /// the offset of its end that stands below a dump of `od` and `hexdump`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || find_end_offset(text).is_some() {
            return None;
        }
        let (stamp, style) = find_time(text).unzip();
        let style = style.unwrap_or_default();
        Some(Self { stamp, style, is_derived: is_derived(text) })
    }
}

/// The time at the start of a line, as `text2pcap` takes it, behind `I` or `O` for the
/// direction, or behind a frame's number in a row of the packet list.
fn find_time(text: &str) -> Option<(Stamp, StampStyle)> {
    let (first, behind) = text.split_once(' ').unwrap_or((text, ""));
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
    let is_direction = matches!(first, "I" | "i" | "O" | "o");
    let time = if is_number || is_direction { behind.trim_start() } else { text };
    let (stamp, _) = find_stamp(time).filter(|(stamp, _)| stamp.has_fraction)?;
    // Seconds since the epoch have ten digits; fewer are those since the capture began.
    let seconds = time.bytes().take_while(u8::is_ascii_digit).count();
    let is_relative = seconds < 9 && time.as_bytes().get(seconds) == Some(&b'.');
    let style = if is_relative { StampStyle::SinceFirst } else { StampStyle::Default };
    Some((stamp, style))
}

/// A time before the offset of a dump's first line.
#[must_use]
pub fn split_time(text: &str) -> Option<(Caption, &str)> {
    let (stamp, rest) = find_stamp(text).filter(|(stamp, _)| stamp.has_fraction)?;
    let rest = rest.trim_start();
    let caption = Caption { stamp: Some(stamp), ..Caption::default() };
    rest.starts_with(|first: char| first.is_ascii_hexdigit()).then_some((caption, rest))
}

/// The offset of its end, which stands below a dump of `od` and `hexdump`.
#[must_use]
pub fn find_end_offset(text: &str) -> Option<usize> {
    let text = text.trim();
    let is_offset =
        (6..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_offset.then(|| usize::from_str_radix(text, 16).ok())?
}

/// `Reassembled IPv4 (2512 bytes):`, `Decrypted TLS (12 bytes):`; that of the frame itself
/// is `Frame (1066 bytes):`.
fn is_derived(text: &str) -> bool {
    let Some((name, length)) =
        text.strip_suffix(" bytes):").and_then(|text| text.rsplit_once(" ("))
    else {
        return false;
    };
    !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) && name != "Frame"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_captions_are_read() {
        // line, its time, whether that counts from the first packet, and whether the
        // bytes below are no frame
        let dated = Some("2023-11-14 22:13:20.000000");
        let of_day = Some("22:13:20.000000");
        let cases = [
            ("2023-11-14 22:13:20.000000", dated, false, false),
            ("I 2023-11-14 22:13:20.000000", dated, false, false),
            ("O 22:13:20.000000", of_day, false, false),
            ("22:13:20.0", of_day, false, false),
            (
                "    1 2023-11-14 22:13:20.000000  192.0.2.7 → 203.0.113.4 UDP 75 x",
                dated,
                false,
                false,
            ),
            (
                "    1 2023-11-14 22:13:20.000000  2001:db8::7 → 2001:db8::4 UDP 75 x",
                dated,
                false,
                false,
            ),
            ("    2   0.010000  192.0.2.7 → 203.0.113.4 UDP 75 x", Some("0.010000"), true, false),
            ("Frame (1066 bytes):", None, false, false),
            ("Reassembled IPv4 (2512 bytes):", None, false, true),
            ("Reassembled IPv6 (2512 bytes):", None, false, true),
            ("Decrypted TLS (12 bytes):", None, false, true),
            ("Sent (see below):", None, false, false),
            ("It was sent at 22:13:20.000000", None, false, false),
        ];
        for (text, time, is_relative, is_derived) in cases {
            let caption = Caption::read(text).unwrap();
            let stamp = time.and_then(find_stamp).map(|(stamp, _)| stamp);
            assert_eq!((caption.stamp, caption.is_derived), (stamp, is_derived), "{text}");
            assert_eq!(caption.style == StampStyle::SinceFirst, is_relative, "{text}");
        }
        assert_eq!(Caption::read("  "), None);
        assert_eq!(Caption::read("0000004b"), None);
    }
}
