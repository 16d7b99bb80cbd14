//! How many bytes of a compressed file its decoder has used.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Where a decoder stands in its source, in bytes.
pub type Position = Rc<Cell<u64>>;

/// A source that tells how much of it was used.
pub struct Counted<R> {
    source: R,
    used_bytes: Position,
}

impl<R> Counted<R> {
    /// `source`, which counts in `used_bytes`.
    pub fn new(source: R, used_bytes: &Position) -> Self {
        Self { source, used_bytes: Rc::clone(used_bytes) }
    }

    pub fn get_ref(&self) -> &R {
        &self.source
    }

    fn count(&self, bytes: usize) {
        self.used_bytes.set(self.used_bytes.get().saturating_add(bytes as u64));
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        self.count(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.count(count);
    }
}
