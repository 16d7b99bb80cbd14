//! Dumps of Cisco's classic IOS: `show monitor capture buffer NAME dump`.
//!
//! ```text
//! 22:45:44.700 UTC Nov 27 2021 : IPv4 LES CEF    : Fa4.320 None
//!
//! 0F1A2C00:                   B0FAEBC7 A8620050          0zkG(b.P
//! 0F1A2C10: 568494FB 08004588 004EF201 40003F11  V..{..E..Nr.@.?.
//! ```
//!
//! The offsets are addresses in memory, and the first line is filled from the right.

use super::caption::Caption;
use crate::ingest::tcpdump_text::{StampStyle, find_stamp};

const BYTES_PER_ROW: usize = 16;
/// Where the bytes stand in a row, and where the characters begin that show them.
const BYTES_COLUMN: usize = 10;
const CHARACTERS_COLUMN: usize = 47;

/// The line above a packet: time of day, zone, date, switching path, interfaces.
pub fn find_ios_head(text: &str) -> Option<Caption> {
    // A clock that was not set has a mark.
    let text = text.trim().trim_start_matches(['*', '.']);
    let (when, what) = text.split_once(" : ")?;
    let words: Vec<&str> = when.split_whitespace().collect();
    let [clock, zone, month, day, year] = words[..] else { return None };
    let (stamp, "") = find_stamp(clock)? else { return None };
    let is_path = what.split_once(':').is_some_and(|(path, interfaces)| {
        path.split_whitespace().count() >= 2 && !interfaces.trim().is_empty()
    });
    if !stamp.has_fraction || !is_path || zone.len() > 8 || day.len() > 2 || year.len() != 4 {
        return None;
    }
    let month = find_month(month)?;
    // In another zone than this the time of day is what is known.
    let dated = matches!(zone, "UTC" | "GMT")
        .then(|| format!("{year}-{month:02}-{day:0>2} {clock}"))
        .and_then(|dated| find_stamp(&dated).map(|(stamp, _)| stamp));
    let stamp = Some(dated.unwrap_or(stamp));
    Some(Caption { stamp, style: StampStyle::Default, is_derived: false })
}

fn find_month(name: &str) -> Option<usize> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.iter().position(|month| *month == name).map(|position| position + 1)
}

/// A row: the address of its first column, and its bytes.
pub fn find_row(text: &str) -> Option<(u32, Vec<u8>)> {
    let text = text.trim_start();
    let (address, _) = text.split_once(':').filter(|(address, _)| address.len() == 8)?;
    let address = u32::from_str_radix(address, 16).ok()?;
    let columns = text.get(BYTES_COLUMN..text.len().min(CHARACTERS_COLUMN))?;
    let digits: String = columns.chars().filter(|c| !c.is_whitespace()).collect();
    let are_digits = !digits.is_empty()
        && digits.len().is_multiple_of(2)
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !are_digits {
        return None;
    }
    let pairs = digits.as_bytes().chunks_exact(2);
    let bytes: Vec<u8> = pairs
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    (bytes.len() <= BYTES_PER_ROW).then_some((address, bytes))
}

/// Rows of one packet, as far as their addresses follow each other.
#[derive(Debug, Default)]
pub struct MemoryRows {
    next: Option<u32>,
    is_ended: bool,
}

impl MemoryRows {
    /// Whether the bytes of a row at `address` go on with those before.
    pub fn goes_on(&mut self, address: u32, bytes: usize) -> bool {
        let follows = self.next.is_none_or(|next| next == address) && !self.is_ended;
        // Only the first row and the last are not full.
        self.is_ended |= !follows || (self.next.is_some() && bytes < BYTES_PER_ROW);
        self.next = address.checked_add(16);
        follows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_tell_the_time() {
        let at = |text: &str| find_stamp(text).map(|(stamp, _)| stamp);
        let cases = [
            (
                "22:45:44.700 UTC Nov 27 2021 : IPv4 LES CEF    : Fa4.320 None",
                at("2021-11-27 22:45:44.700"),
            ),
            (
                "*09:05:04.007 GMT Mar 2 2022 : IPv6 CEF Turbo    : Gi0/1 None",
                at("2022-03-02 09:05:04.007"),
            ),
            ("16:09:37.171 CET Mar 18 2016 : IPv4 LES CEF    : Gi0/1 None", at("16:09:37.171")),
            ("16:09:37.171 CET Mar 18 2016 : it went down", None),
            ("16:09:37 CET Mar 18 2016 : IPv4 LES CEF    : Gi0/1 None", None),
            ("16:09:37.171 : IPv4 LES CEF : Gi0/1", None),
            ("16:09:37.171 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find_ios_head(text).and_then(|caption| caption.stamp), expected, "{text}");
        }
    }

    #[test]
    fn rows_are_read_by_their_columns() {
        let row = |text: &str| find_row(text);
        let full: Vec<u8> = (0x45..0x55).collect();
        let cases: [(&str, Option<&[u8]>); 8] = [
            ("0F1A2C10: 45464748 494A4B4C 4D4E4F50 51525354  EFGHIJKLMNOPQRST", Some(&full)),
            ("0F1A2C10:                   45464748 494A4B4C          EFGHIJKL", Some(&full[..8])),
            ("0F1A2C10:                       4546 4748494A             EFGHIJ", Some(&full[..6])),
            ("0F1A2C10: 45464748 49                          EFGHI", Some(&full[..5])),
            ("0F1A2C10: 45464748 4                           EFGH", None),
            ("0F1A2C10: was where it failed", None),
            ("0F1A2C1: 45464748", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|bytes| (0x0f1a_2c10, bytes.to_vec()));
            assert_eq!(row(text), expected, "{text}");
        }
    }
}
