//! Lines of hex dumps, back to bytes: those of tcpdump's `-x`, `-X`, `-xx` and
//! `-XX`, of FortiGate and Junos, and of Wireshark, `text2pcap`, `od` and `xxd`.

use super::pairs::find_pair;

/// More than any frame that is printed.
const LIMIT_BYTES: usize = 262_144;
const BYTES_PER_LINE: usize = 16;

/// The bytes of one dump, as far as they are in order.
#[derive(Debug, Default)]
pub struct HexDump {
    bytes: Vec<u8>,
    /// A line was missing: what follows it has no place.
    is_broken: bool,
    /// Lines like the last one are left out up to the next: `*` of `hexdump` and `od`.
    is_repeated: bool,
}

impl HexDump {
    /// Takes a line such as `0x0010:  0a00 0001  ....`; says whether it is one.
    pub fn push(&mut self, line: &str) -> bool {
        let Some(line) = find_dump_line(line) else { return false };
        if line.offset == 0 {
            // Under -vv single options are dumped too, before the packet.
            self.bytes.clear();
            self.is_broken = false;
            self.is_repeated = false;
        }
        self.repeat_up_to(line.offset);
        if line.offset != self.bytes.len() {
            self.is_broken = true;
        }
        if !self.is_broken && self.bytes.len() < LIMIT_BYTES {
            push_digits(&mut self.bytes, line.rest);
        }
        true
    }

    /// Takes the `*` that stands for lines which are like the one before it, or the
    /// offset at which they end; says whether it is one.
    pub fn take_repetition(&mut self, text: &str, end_offset: Option<usize>) -> bool {
        if text.trim() == "*" {
            self.is_repeated = self.bytes.len() >= BYTES_PER_LINE;
            return self.is_repeated;
        }
        let Some(end) = end_offset.filter(|_| self.is_repeated) else { return false };
        self.repeat_up_to(end);
        true
    }

    fn repeat_up_to(&mut self, end: usize) {
        if !std::mem::take(&mut self.is_repeated) || end > LIMIT_BYTES {
            return;
        }
        while self.bytes.len() < end
            && let Some(start) = self.bytes.len().checked_sub(BYTES_PER_LINE)
        {
            let count = BYTES_PER_LINE.min(end - self.bytes.len());
            self.bytes.extend_from_within(start..start + count);
        }
    }

    /// Takes bytes that follow those before.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        if self.bytes.len() < LIMIT_BYTES {
            self.bytes.extend_from_slice(bytes);
        }
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One line of a dump: where its bytes stand, and what follows that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpLine<'a> {
    pub offset: usize,
    /// Has tcpdump's `0x`, so that it is no number of a text.
    pub is_marked: bool,
    rest: &'a str,
}

impl DumpLine<'_> {
    /// How many bytes the line shows.
    #[must_use]
    pub fn count(&self) -> usize {
        let mut bytes = Vec::with_capacity(BYTES_PER_LINE);
        push_digits(&mut bytes, self.rest);
        bytes.len()
    }
}

/// `0x0010:  4500 …` of tcpdump, `0x0010   4500 …` of its old versions and of
/// FortiGate, `0010  45 00 …` of Wireshark and `od`, `00000010: 4500 …` of `xxd`,
/// `0010:  45000044 …` of Cisco's IOS XE.
#[must_use]
pub fn find_dump_line(line: &str) -> Option<DumpLine<'_>> {
    let line = line.trim();
    let (digits, is_marked) =
        line.strip_prefix("0x").map_or((line, false), |digits| (digits, true));
    let end = digits.find(|c: char| !c.is_ascii_hexdigit())?;
    let (offset, behind) = digits.split_at(end);
    if !(4..=8).contains(&offset.len()) {
        return None;
    }
    let offset = usize::from_str_radix(offset, 16).ok()?;
    let (rest, has_colon) = behind.strip_prefix(':').map_or((behind, false), |rest| (rest, true));
    if is_marked && has_colon {
        return Some(DumpLine { offset, is_marked, rest });
    }
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    // Without a mark the first group has to look like bytes, and the offset like
    // that of a line.
    let first = rest.split_whitespace().next()?;
    let is_group = find_pair(first).is_some()
        || ((is_marked || has_colon) && matches!(first.len(), 4 | 8) && is_hex(first));
    (is_group && (is_marked || offset % 8 == 0)).then_some(DumpLine { offset, is_marked, rest })
}

/// Groups of two, four or eight digits, up to what shows the same bytes as characters:
/// two spaces or a tab stand before that.
fn push_digits(bytes: &mut Vec<u8>, rest: &str) {
    let rest = rest.trim_start().replace('\t', "  ");
    let first_digits = rest.split(' ').next().map_or(0, str::len);
    let is_pairs = first_digits == 2;
    let (first, second) = rest.split_once("  ").unwrap_or((&rest, ""));
    let mut left = BYTES_PER_LINE;
    for group in first.split(' ') {
        // A shorter group than the first is the last.
        if !push_group(bytes, group, &mut left) || group.len() < first_digits {
            return;
        }
    }
    // Some programs leave a wider gap in the middle of a line.
    let has_gap = is_pairs && left == BYTES_PER_LINE / 2 && !second.starts_with(' ');
    if has_gap {
        let half = second.split("  ").next().unwrap_or(second);
        for group in half.split(' ') {
            if group.len() != 2 || !push_group(bytes, group, &mut left) {
                return;
            }
        }
    }
}

/// Adds a group's bytes; says whether it is one, and another may follow.
fn push_group(bytes: &mut Vec<u8>, group: &str, left: &mut usize) -> bool {
    if !matches!(group.len(), 2 | 4 | 6 | 8) || !is_hex(group) || *left == 0 {
        return false;
    }
    for pair in group.as_bytes().chunks_exact(2) {
        let byte = std::str::from_utf8(pair).ok().and_then(find_pair);
        if let Some(byte) = byte
            && *left > 0
        {
            bytes.push(byte);
            *left -= 1;
        }
    }
    true
}

fn is_hex(group: &str) -> bool {
    group.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_programs_are_read() {
        let bytes: Vec<u8> = (0x45_u8..0x55).collect();
        let cases: [(&str, usize, &[u8]); 18] = [
            ("0x0010:  4546 4748 494a 4b4c 4d4e 4f50 5152 5354  EFGHIJKLMNOPQRST", 16, &bytes),
            ("0x0010   4546 4748 494a 4b4c 4d4e 4f50 5152 5354        EFGHIJKL", 16, &bytes),
            ("0x0010\t 4546 4748 494a 4b4c 4d4e 4f50 5152 5354\tEFGHIJKLMNOP", 16, &bytes),
            ("0x0010\t4546 4748\tabcd", 16, &bytes[..4]),
            ("0010  45 46 47 48 49 4a 4b 4c 4d 4e 4f 50 51 52 53 54   EFGHIJKL", 16, &bytes),
            ("0010   45 46 47 48 49 4a 4b 4c  4d 4e 4f 50 51 52 53 54   EFGHIJ", 16, &bytes),
            ("00000010  45 46 47 48 49 4a 4b 4c  4d 4e 4f 50 51 52 53 54  |E|", 16, &bytes),
            ("00000010  45 46 47 48 49 4a 4b 4c                       EFGHIJKL", 16, &bytes[..8]),
            ("00000010: 4546 4748 494a 4b4c 4d4e 4f50 5152 5354  EFGHIJKLMNOPQRST", 16, &bytes),
            ("000010 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50 51 52 53 54", 16, &bytes),
            ("0010  45 46 47   ab cd ef", 16, &bytes[..3]),
            ("0010  45 46 4", 16, &bytes[..2]),
            ("0x0010:  4546 47  abcd", 16, &bytes[..3]),
            ("  0010:  45464748 494A4B4C 4D4E4F50 51525354    EFGHIJKLMNOPQRST", 16, &bytes),
            ("  0010:  45464748 494A4B                        EFGHIJK", 16, &bytes[..7]),
            ("  0010:  45464748 49 4A4B                       EFGHI", 16, &bytes[..5]),
            ("0x0010:", 16, &[]),
            ("0000  45", 0, &bytes[..1]),
        ];
        for (text, offset, expected) in cases {
            let line = find_dump_line(text).unwrap();
            let mut bytes = Vec::new();
            push_digits(&mut bytes, line.rest);
            assert_eq!((line.offset, &bytes[..]), (offset, expected), "{text}");
            assert_eq!(line.count(), expected.len());
        }
    }

    #[test]
    fn other_text_is_no_dump() {
        let cases = [
            "0x12: 4500",
            "0x0010 is where it fails",
            "2024 was the year",
            "2024 10 12 the device was restarted", // no offset of a line ends in 4
            "0010",
            "0010 4546 4748",
            "beef 4546",
            "192.0.2.1 > 192.0.2.2",
            "2001:db8::1 > 2001:db8::2",
            "tcpdump: listening on eth0",
            "1234: eth0: <BROADCAST>",
            "",
        ];
        for text in cases {
            assert_eq!(find_dump_line(text), None, "{text}");
        }
    }
}
