//! The bytes of one entry, which lie in a row in its archive.

use std::io::{self, BufRead, ErrorKind, Read};

use crate::ingest::bounded::find_limit;
use crate::ingest::window::{Window, read_buffered};

/// The next bytes of an archive, as many as its entry has.
pub struct Content<'w, 'a> {
    window: &'w mut Window<'a>,
    left_bytes: u64,
}

impl<'w, 'a> Content<'w, 'a> {
    /// The next `length_bytes` of `window`.
    pub fn new(window: &'w mut Window<'a>, length_bytes: u64) -> Self {
        Self { window, left_bytes: length_bytes }
    }

    /// Moves behind the entry, whatever of it was read, and behind
    /// `padding_bytes` after it. False where the archive ends before that.
    pub fn skip_rest(self, padding_bytes: u64) -> bool {
        let rest = self.left_bytes.saturating_add(padding_bytes);
        self.window.skip(rest) == rest
    }
}

/// Why an entry has fewer bytes than its archive says.
fn explain_cut(window: &Window<'_>) -> io::Error {
    match window.failure() {
        None => io::Error::new(ErrorKind::UnexpectedEof, "the archive is cut within this entry"),
        Some(failure) => match find_limit(failure) {
            Some(limit) => io::Error::other(limit),
            None => io::Error::other(failure.to_string()),
        },
    }
}

impl Read for Content<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, into)
    }
}

impl BufRead for Content<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left_bytes == 0 {
            return Ok(&[]);
        }
        if !self.window.ensure(1) {
            return Err(explain_cut(self.window));
        }
        let available = self.window.unused();
        let left = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
        Ok(&available[..available.len().min(left)])
    }

    fn consume(&mut self, count: usize) {
        let count =
            u64::try_from(count).map_or(self.left_bytes, |count| count.min(self.left_bytes));
        self.left_bytes -= count;
        self.window.consume(usize::try_from(count).unwrap_or(usize::MAX));
    }
}
