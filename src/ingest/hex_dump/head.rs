//! What Wireshark prints before the dump of a frame.

use crate::model::time::Timestamp;

/// No frame is longer; a number that is, is no length.
const LIMIT_BYTES: u32 = 262_144;

/// The line before a frame's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// Of the frame on the wire, in bytes.
    pub length: u32,
}

/// `Frame 1: 62 bytes on wire (496 bits), 62 bytes captured (496 bits) on …`, and
/// `Frame 1 (62 bytes on wire, 62 bytes captured)` of versions before 1.4.
pub fn find_head(text: &str) -> Option<FrameHead> {
    let rest = text.trim_end().strip_prefix("Frame ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let rest = rest.get(end..)?;
    let rest = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(" ("))?;
    let (length, rest) = rest.split_once(' ')?;
    let is_head = (rest.starts_with("bytes on wire") || rest.starts_with("byte on wire"))
        && rest.contains(" captured");
    let length = length.parse().ok().filter(|length| *length <= LIMIT_BYTES)?;
    is_head.then_some(FrameHead { length })
}

/// `    Epoch Arrival Time: 1700000000.123456000`, before version 4.2 `Epoch Time:
/// … seconds`.
pub fn find_epoch(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let rest =
        text.strip_prefix("Epoch Arrival Time: ").or_else(|| text.strip_prefix("Epoch Time: "))?;
    let number = rest.strip_suffix(" seconds").unwrap_or(rest);
    let (seconds, fraction) = number.split_once('.')?;
    let are_digits = |text: &str, limit: usize| {
        (1..=limit).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !are_digits(seconds, 11) || !are_digits(fraction, 9) {
        return None;
    }
    let fraction_ns: i64 = format!("{fraction:0<9}").parse().ok()?;
    let whole_ns = seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?;
    Some(Timestamp::from_nanoseconds(whole_ns.checked_add(fraction_ns)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_versions_are_read() {
        let cases = [
            (
                "Frame 1: 62 bytes on wire (496 bits), 62 bytes captured (496 bits) on interface eth0, id 0",
                Some(62),
            ),
            (
                "Frame 12: 1514 bytes on wire (12112 bits), 96 bytes captured (768 bits)",
                Some(1_514),
            ),
            ("Frame 1 (62 bytes on wire, 62 bytes captured)", Some(62)),
            ("Frame 1: 999999999 bytes on wire, 62 bytes captured", None),
            ("Frame 1: 62 bytes on wire", None),
            ("Frame relay: 62 bytes on wire, 62 bytes captured", None),
            ("Frame (62 bytes):", None),
            ("Frame ", None),
            ("", None),
        ];
        for (text, length) in cases {
            assert_eq!(find_head(text).map(|head| head.length), length, "{text}");
        }
    }

    #[test]
    fn times_since_the_epoch_are_read() {
        let cases = [
            ("    Epoch Time: 1700000000.123456000 seconds", Some(1_700_000_000_123_456_000)),
            ("    Epoch Arrival Time: 1700000000.1", Some(1_700_000_000_100_000_000)),
            ("    Epoch Time: 99999999999.0 seconds", None),
            ("    Epoch Time: never", None),
            ("    Arrival Time: Nov 14, 2023 22:13:20.123456000 UTC", None),
        ];
        for (text, at_ns) in cases {
            assert_eq!(find_epoch(text).map(Timestamp::as_nanoseconds), at_ns, "{text}");
        }
    }
}
