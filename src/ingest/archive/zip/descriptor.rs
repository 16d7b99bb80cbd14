//! Entries whose length stands behind them: APPNOTE.TXT, section 4.3.9.

use std::io::{self, BufRead, ErrorKind, Read};

use memchr::memmem;

use crate::ingest::byte_order::ByteOrder;
use crate::ingest::window::{Window, read_buffered};

const SIGNATURE: &[u8] = b"PK\x07\x08";

/// Signature, checksum, two lengths of 8 bytes, and two bytes of what follows.
const MAX_BYTES: usize = 26;

/// Moves past the descriptor of an entry that had `compressed_bytes`.
pub fn skip(window: &mut Window<'_>, compressed_bytes: u64) -> Result<(), String> {
    window.ensure(MAX_BYTES);
    match find(window.unused(), compressed_bytes) {
        Some(length) => {
            window.consume(length);
            Ok(())
        }
        None => Err(format!(
            "it has {compressed_bytes} compressed bytes, which the lengths behind it do not say"
        )),
    }
}

/// The length of the descriptor that `bytes` begin with: with or without a
/// signature, with lengths of 4 or 8 bytes. Another header follows on it.
fn find(bytes: &[u8], compressed_bytes: u64) -> Option<usize> {
    let order = ByteOrder::Little;
    let low = u32::try_from(compressed_bytes & u64::from(u32::MAX)).ok()?;
    let begins = if bytes.starts_with(SIGNATURE) { &[4, 0][..] } else { &[0][..] };
    begins.iter().find_map(|begin| {
        let long = order.find_u64(bytes, begin + 4) == Some(compressed_bytes);
        let short = order.find_u32(bytes, begin + 4) == Some(low);
        [(long, begin + 20), (short, begin + 12)].into_iter().find_map(|(is_right, end)| {
            (is_right && bytes.get(end..)?.starts_with(b"PK")).then_some(end)
        })
    })
}

/// Content without a length of its own, up to the descriptor that gives the
/// number of bytes before it.
pub struct Streamed<'w, 'a> {
    window: &'w mut Window<'a>,
    passed_bytes: u64,
}

impl<'w, 'a> Streamed<'w, 'a> {
    /// Content that begins where `window` stands.
    pub fn new(window: &'w mut Window<'a>) -> Self {
        Self { window, passed_bytes: 0 }
    }

    /// Moves behind the descriptor. False where there is none.
    pub fn skip_rest(mut self) -> bool {
        while let Ok(available) = self.fill_buf() {
            let count = available.len();
            if count == 0 {
                return skip(self.window, self.passed_bytes).is_ok();
            }
            self.consume(count);
        }
        false
    }
}

impl Read for Streamed<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, into)
    }
}

impl BufRead for Streamed<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.window.ensure(MAX_BYTES) && self.window.unused().len() < 16 {
            let message = "the archive is cut within this entry";
            return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
        }
        let available = self.window.unused();
        if available.starts_with(SIGNATURE) && find(available, self.passed_bytes).is_some() {
            return Ok(&[]);
        }
        // Up to what looks like a descriptor, or could be the beginning of one.
        let next = memmem::find(&available[1..], SIGNATURE);
        let count = next.map_or(available.len() - SIGNATURE.len() + 1, |at| at + 1);
        Ok(&available[..count])
    }

    fn consume(&mut self, count: usize) {
        self.window.consume(count);
        self.passed_bytes += count as u64;
    }
}
