//! Lines of an input, one at a time, in bounded memory.

use std::io::BufRead;

/// A longer line is cut: tcpdump prints none, and people paste none.
pub(super) const LIMIT_LINE_BYTES: usize = 65_536;
/// `ip -j` and `kubectl -o json` can print all on one line.
pub(super) const LIMIT_JSON_LINE_BYTES: usize = 16 * 1_024 * 1_024;

/// One line, without its end.
#[derive(Debug, Default)]
pub(super) struct Line {
    bytes: Vec<u8>,
    /// Counted from 1.
    pub number: u64,
    /// Whether the line was longer than is kept.
    pub is_cut: bool,
    end: LineEnd,
}

/// What ends the lines of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum LineEnd {
    #[default]
    Unknown,
    LineFeed,
    /// A carriage return alone, as some programs copy text. Among line feeds it ends
    /// nothing: shells go back to a line's begin with it.
    CarriageReturn,
}

impl LineEnd {
    /// What ends the lines of an input that begins so.
    fn of(beginning: &[u8]) -> Self {
        let has_returns = memchr::memchr(b'\r', beginning).is_some();
        if has_returns && memchr::memchr(b'\n', beginning).is_none() {
            Self::CarriageReturn
        } else {
            Self::LineFeed
        }
    }

    fn find(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::CarriageReturn => memchr::memchr2(b'\r', b'\n', bytes),
            Self::LineFeed | Self::Unknown => memchr::memchr(b'\n', bytes),
        }
    }
}

impl Line {
    /// Reads the next line over this one; says whether there was one.
    pub fn read(&mut self, input: &mut dyn BufRead) -> std::io::Result<bool> {
        self.bytes.clear();
        self.is_cut = false;
        let mut has_begun = false;
        loop {
            let available = match input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            if !has_begun {
                self.number += 1;
                has_begun = true;
            }
            if self.end == LineEnd::Unknown {
                self.end = LineEnd::of(available);
            }
            let end = self.end.find(available);
            let (part, used) = match end {
                Some(at) => (available.get(..at).unwrap_or_default(), at + 1),
                None => (available, available.len()),
            };
            keep(&mut self.bytes, part, &mut self.is_cut);
            input.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(has_begun)
    }

    /// The line's text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

fn keep(bytes: &mut Vec<u8>, part: &[u8], is_cut: &mut bool) {
    let limit = if looks_like_json(bytes, part) { LIMIT_JSON_LINE_BYTES } else { LIMIT_LINE_BYTES };
    let room = limit.saturating_sub(bytes.len());
    match part.get(..room) {
        Some(kept) if part.len() > room => {
            bytes.extend_from_slice(kept);
            *is_cut = true;
        }
        _ => bytes.extend_from_slice(part),
    }
}

fn looks_like_json(bytes: &[u8], part: &[u8]) -> bool {
    let mut marks = bytes.iter().chain(part).filter(|byte| !byte.is_ascii_whitespace());
    matches!((marks.next(), marks.next()), (Some(b'['), Some(b'{')) | (Some(b'{'), Some(b'"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut input: &[u8]) -> Vec<(u64, usize, bool)> {
        let mut line = Line::default();
        let mut seen = Vec::new();
        while line.read(&mut input).unwrap() {
            seen.push((line.number, line.text().len(), line.is_cut));
        }
        seen
    }

    #[test]
    fn lines_are_counted_and_cut() {
        assert_eq!(read_all(b"a\n\nbc"), [(1, 1, false), (2, 0, false), (3, 2, false)]);
        assert_eq!(read_all(b""), []);
        assert_eq!(read_all(b"a\r\rbc"), [(1, 1, false), (2, 0, false), (3, 2, false)]);
        // The mark of the end is taken off later.
        assert_eq!(read_all(b"a\r\nb\rc\n"), [(1, 2, false), (2, 3, false)]);
        let long = vec![b'x'; LIMIT_LINE_BYTES + 5];
        assert_eq!(read_all(&long), [(1, LIMIT_LINE_BYTES, true)]);
        let json = [b"[{\"a\":\"".as_slice(), &long].concat();
        assert_eq!(read_all(&json), [(1, json.len(), false)]);
    }
}
