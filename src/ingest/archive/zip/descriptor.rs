//! Entries whose length stands behind them: APPNOTE.TXT, section 4.3.9.

use std::io::{self, BufRead, ErrorKind, Read};

use memchr::memmem;

use crate::ingest::byte_order::ByteOrder;
use crate::ingest::window::{Window, read_buffered};

const SIGNATURE: &[u8] = b"PK\x07\x08";
/// What the signatures of all headers begin with.
const LEAD: &[u8] = b"PK";
/// The lengths of a descriptor without a signature: those in it have 4 or 8 bytes.
const UNSIGNED_BYTES: [usize; 2] = [20, 12];

/// Signature, checksum, two lengths of 8 bytes, and three bytes of what follows.
const MAX_BYTES: usize = 27;

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
            // An entry or the directory follows, or the notes between them.
            let follows = matches!(bytes.get(end..)?, [b'P', b'K', 1..=8, ..]);
            (is_right && follows).then_some(end)
        })
    })
}

/// How many bytes come before the next place at which a descriptor may begin, one at
/// least: before a signature, and at its length before a header.
fn find_next(available: &[u8]) -> usize {
    let mut next = available.len().saturating_sub(UNSIGNED_BYTES[0] + LEAD.len() - 1).max(1);
    for at in memmem::find_iter(available, LEAD) {
        if at.saturating_sub(UNSIGNED_BYTES[0]) >= next {
            break;
        }
        let unsigned = UNSIGNED_BYTES.iter().filter_map(|length| at.checked_sub(*length));
        let signed = available[at..].starts_with(SIGNATURE).then_some(at);
        let places = unsigned.chain(signed).filter(|place| *place > 0);
        next = places.min().map_or(next, |place| next.min(place));
    }
    next
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
        if find(available, self.passed_bytes).is_some() {
            return Ok(&[]);
        }
        Ok(&available[..find_next(available)])
    }

    fn consume(&mut self, count: usize) {
        self.window.consume(count);
        self.passed_bytes += count as u64;
    }
}
