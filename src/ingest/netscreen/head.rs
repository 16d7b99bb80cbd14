//! `05707.0: bgroup0(i) len=60:00073bd11858->0024dc6dd70b/0800`.

use crate::model::capture::Direction;
use crate::model::time::Timestamp;

/// No frame of ScreenOS is longer; a number that is, is no length.
const LIMIT_BYTES: u32 = 262_144;
/// Longer names of interfaces are none.
const LIMIT_NAME_BYTES: usize = 32;

/// What the first line of a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// Since the firewall was started, in steps of 0.1 s.
    pub at: Timestamp,
    pub interface: &'a str,
    pub direction: Direction,
    /// Of the frame, in bytes.
    pub length: u32,
    /// The address of the link layer that it goes to, where one is named.
    pub link_destination: Option<[u8; 6]>,
}

/// Whether a trace begins with this line: its first head may be damaged, too.
#[must_use]
pub fn begins_trace(text: &str) -> bool {
    is_damaged_head(text) || parse_head(text).is_ok()
}

/// Whether a line was meant to be a head: a time, and the words that only heads have.
pub fn is_damaged_head(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|first: char| first.is_ascii_digit())
        && (text.contains("(i) len=") || text.contains("(o) len="))
}

/// Reads a head. The layout is that of ScreenOS 5 and 6.
///
/// # Errors
///
/// A sentence about the part that is not as expected.
pub fn parse_head(text: &str) -> Result<Head<'_>, String> {
    let text = text.trim();
    let at = || text.split_once(": ").and_then(|(time, rest)| Some((find_time(time)?, rest)));
    let (at, rest) = at().ok_or("expected a time such as `05707.0: ` before the interface")?;
    let (interface, rest) =
        rest.split_once('(').ok_or("expected `INTERFACE(i)` behind the time")?;
    let is_name = (1..=LIMIT_NAME_BYTES).contains(&interface.len())
        && interface.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        return Err("expected the name of an interface behind the time".to_owned());
    }
    let (direction, rest) = if let Some(rest) = rest.strip_prefix("i) len=") {
        (Direction::In, rest)
    } else if let Some(rest) = rest.strip_prefix("o) len=") {
        (Direction::Out, rest)
    } else {
        return Err("expected `(i) len=` or `(o) len=` behind the interface".to_owned());
    };
    let (length, rest) = rest.split_once(':').unwrap_or((rest, ""));
    let length =
        length.parse().ok().filter(|length| (1..=LIMIT_BYTES).contains(length)).ok_or_else(
            || format!("expected a length in bytes, up to {LIMIT_BYTES}, behind `len=`"),
        )?;
    let link_destination = rest.split_once("->").and_then(|(_, to)| find_link_address(to));
    Ok(Head { at, interface, direction, length, link_destination })
}

/// `05707.0`: seconds and tenths.
fn find_time(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.')?;
    let are_digits = |text: &str, limit: usize| {
        (1..=limit).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !are_digits(seconds, 9) || !are_digits(fraction, 9) {
        return None;
    }
    let fraction_ns: i64 = format!("{fraction:0<9}").parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    Some(Timestamp::from_nanoseconds(seconds * 1_000_000_000 + fraction_ns))
}

/// `0024dc6dd70b/0800`.
fn find_link_address(text: &str) -> Option<[u8; 6]> {
    let digits = text.get(..12)?;
    let is_end = text.get(12..)?.chars().next().is_none_or(|next| !next.is_ascii_hexdigit());
    let number = u64::from_str_radix(digits, 16).ok()?;
    let [_, _, address @ ..] = number.to_be_bytes();
    (is_end && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let at = |tenths: i64| Timestamp::from_nanoseconds(tenths * 100_000_000);
        let (inwards, outwards) = (Direction::In, Direction::Out);
        let to = Some([2, 0, 0, 0, 0, 2]);
        let cases = [
            (
                "05707.0: bgroup0(i) len=60:020000000001->020000000002/0800",
                (at(57_070), "bgroup0", inwards, 60, to),
            ),
            (
                "6843828.5: ethernet0/0.3(o) len=98:020000000001->020000000002/8100/0800, tag 3",
                (at(68_438_285), "ethernet0/0.3", outwards, 98, to),
            ),
            ("1.0: tunnel.1(o) len=84:", (at(10), "tunnel.1", outwards, 84, None)),
            ("1.0: tunnel.1(o) len=84", (at(10), "tunnel.1", outwards, 84, None)),
            ("1.0: adsl1/0(i) len=84:0->short", (at(10), "adsl1/0", inwards, 84, None)),
        ];
        for (text, expected) in cases {
            let head = parse_head(text).unwrap();
            let Head { at, interface, direction, length, link_destination } = head;
            assert_eq!((at, interface, direction, length, link_destination), expected, "{text}");
        }
    }

    #[test]
    fn damage_is_told_from_other_lines() {
        let cases = [
            ("05707: bgroup0(i) len=60:0->1", true),
            ("05707.0 bgroup0(i) len=60:0->1", true),
            ("05707.0: bgroup0(i) len=x:0->1", true),
            ("05707.0: bgroup0(i) len=0:0->1", true),
            ("05707.0: bgroup0(i) len=999999:0->1", true),
            ("05707.0: b group0(i) len=60:0->1", true),
            ("9999999999.0: bgroup0(i) len=60:0->1", true),
            ("****** 06214.0: <Trust/bgroup0> packet received [356]******", false),
            ("the firewall prints bgroup0(i) len=60", false),
            ("(vn2)  doing ESP encryption and size =48", false),
            ("", false),
        ];
        for (text, is_damaged) in cases {
            assert!(parse_head(text).is_err(), "{text}");
            assert_eq!(is_damaged_head(text), is_damaged, "{text}");
        }
    }
}
