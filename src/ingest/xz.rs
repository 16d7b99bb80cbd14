//! xz, up to where it is damaged.
//!
//! The decoder drops what it produced in the call that comes upon damage. It is
//! asked for little at once, and at the end of its source, where a file that was
//! cut stops, for single bytes. What an LZMA2 chunk holds, of which the end is
//! missing, it never gives.

use std::io::{self, BufRead, ErrorKind, Read};

use lzma_rust2::XzReader;

use super::counted::{Counted, Position};
use super::window::read_buffered;

/// Memory that a block may ask for. `xz -9` needs 65 MiB.
const MEMORY_KIB: u32 = 256 * 1024;
/// Bytes asked for at once. Fewer take notably longer.
const STEP_BYTES: usize = 256;
/// Bytes asked for one by one, in all: as many as an LZMA2 chunk can hold. What
/// expands to more than that at the end of its source is no capture that was cut.
const SINGLE_BYTES: usize = 2 * 1024 * 1024;
/// More than an LZMA2 chunk, its header and what stands between two blocks.
const CHUNK_BYTES: usize = 68 * 1024;
/// Bytes of the source that are held.
const CAPACITY_BYTES: usize = 4 * CHUNK_BYTES;

/// The content of all xz streams in a row.
pub struct XzStreams<R: BufRead> {
    decoder: XzReader<Counted<LookAhead<R>>>,
    /// Bytes that may still be asked for one by one.
    single_bytes: usize,
    failure: Option<io::Error>,
}

impl<R: BufRead> XzStreams<R> {
    /// The content of `compressed`; `used_bytes` tells how much of it was used.
    pub fn new(compressed: R, used_bytes: &Position) -> Self {
        let source = Counted::new(LookAhead::new(compressed), used_bytes);
        let decoder = XzReader::new_mem_limit(source, true, MEMORY_KIB);
        Self { decoder, single_bytes: SINGLE_BYTES, failure: None }
    }

    /// How many bytes to ask for.
    fn step(&mut self) -> usize {
        if !self.decoder.inner().get_ref().is_near_end() || self.single_bytes == 0 {
            return STEP_BYTES;
        }
        self.single_bytes -= 1;
        1
    }
}

impl<R: BufRead> Read for XzStreams<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut made = 0;
        while made < into.len() {
            let end = into.len().min(made + self.step());
            match self.decoder.read(&mut into[made..end]) {
                Ok(0) => break,
                Ok(count) => made += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if made == 0 => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(made)
    }
}

/// A source of which enough is held to see its end coming.
struct LookAhead<R> {
    source: R,
    held: Vec<u8>,
    /// How much of it is used.
    used: usize,
    has_ended: bool,
    failure: Option<io::Error>,
}

impl<R: BufRead> LookAhead<R> {
    fn new(source: R) -> Self {
        Self { source, held: Vec::new(), used: 0, has_ended: false, failure: None }
    }

    /// Whether the next chunk may be cut.
    fn is_near_end(&self) -> bool {
        self.has_ended && self.held.len() - self.used < CHUNK_BYTES
    }

    fn refill(&mut self) {
        if self.has_ended || self.held.len() - self.used >= CHUNK_BYTES {
            return;
        }
        self.held.drain(..self.used);
        self.used = 0;
        while self.held.len() < CAPACITY_BYTES {
            match self.source.fill_buf() {
                Ok([]) => {
                    self.has_ended = true;
                    return;
                }
                Ok(available) => {
                    let count = available.len().min(CAPACITY_BYTES - self.held.len());
                    self.held.extend_from_slice(&available[..count]);
                    self.source.consume(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.has_ended = true;
                    return;
                }
            }
        }
    }
}

impl<R: BufRead> Read for LookAhead<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, into)
    }
}

impl<R: BufRead> BufRead for LookAhead<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.refill();
        match self.failure.take() {
            Some(failure) if self.used == self.held.len() => Err(failure),
            later => {
                self.failure = later;
                Ok(&self.held[self.used..])
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.held.len());
    }
}
