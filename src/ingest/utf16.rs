//! UTF-16 text, as Windows programs save it, read as UTF-8.

use std::io::{self, BufRead, Read};

use super::byte_order::ByteOrder;
use super::window::{Window, read_buffered};

/// Code units decoded at once.
const CHUNK_UNITS: usize = 4096;

/// Turns the rest of a window into UTF-8. What is no valid UTF-16 becomes
/// U+FFFD, as everywhere in Unicode.
pub struct Utf16<'w, 'a> {
    window: &'w mut Window<'a>,
    order: ByteOrder,
    decoded: String,
    /// How much of `decoded` is used.
    used: usize,
}

impl<'w, 'a> Utf16<'w, 'a> {
    /// The rest of `window`, which stands behind the byte order mark.
    pub fn new(window: &'w mut Window<'a>, order: ByteOrder) -> Self {
        Self { window, order, decoded: String::new(), used: 0 }
    }

    fn decode_chunk(&mut self) {
        self.decoded.clear();
        self.used = 0;
        if !self.window.ensure(2) {
            if self.window.ensure(1) {
                self.window.consume(1);
                self.decoded.push(char::REPLACEMENT_CHARACTER);
            }
            return;
        }
        if self.ends_in_high_surrogate(1) {
            self.window.ensure(4);
        }
        let mut units = (self.window.unused().len() / 2).min(CHUNK_UNITS);
        if units > 1 && self.ends_in_high_surrogate(units) {
            units -= 1; // its other half comes with the next chunk
        }
        let bytes = self.window.unused();
        let code_units = (0..units).filter_map(|unit| self.order.find_u16(bytes, unit * 2));
        self.decoded.extend(
            char::decode_utf16(code_units)
                .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
        self.window.consume(units * 2);
    }

    /// Whether the last of the next `units` code units opens a surrogate pair.
    fn ends_in_high_surrogate(&self, units: usize) -> bool {
        let last = self.order.find_u16(self.window.unused(), (units - 1) * 2);
        last.is_some_and(|unit| (0xd800..0xdc00).contains(&unit))
    }
}

impl BufRead for Utf16<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.decoded.len() {
            self.decode_chunk();
        }
        Ok(&self.decoded.as_bytes()[self.used..])
    }

    fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.decoded.len());
    }
}

impl Read for Utf16<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::samples::{OneByte, utf16};

    #[test]
    fn both_byte_orders_come_out_as_utf_8() {
        let long = format!("x{}", "\u{1f600}".repeat(CHUNK_UNITS));
        for text in ["", "plain", "中文 2001:db8::1", &long] {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let bytes = utf16(text, order);
                let mut source = OneByte(&bytes);
                let mut window = Window::new(&mut source);
                let mut decoded = String::new();
                Utf16::new(&mut window, order).read_to_string(&mut decoded).unwrap();
                assert_eq!(decoded, text, "{order:?}");
            }
        }
    }

    #[test]
    fn halves_become_replacement_characters() {
        // a lone low surrogate, a letter, a lone high surrogate, half a unit
        let bytes = [0xdc, 0x00, 0x00, b'a', 0xd8, 0x00, 0x00];
        let mut source = &bytes[..];
        let mut window = Window::new(&mut source);
        let mut decoded = String::new();
        Utf16::new(&mut window, ByteOrder::Big).read_to_string(&mut decoded).unwrap();
        assert_eq!(decoded, "\u{fffd}a\u{fffd}\u{fffd}");
    }
}
