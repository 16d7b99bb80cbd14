//! A window onto a byte stream: what was read and is not used yet.

use std::io::{self, BufRead, ErrorKind, Read};

use super::ahead::{Blocks, HEADROOM_BYTES};

/// Bytes asked of the source at once. Larger reads are no faster, and this
/// still fits a core's cache.
const CAPACITY_BYTES: usize = 256 * 1024;

/// Reads a source in large steps and hands out slices of one buffer, so that a
/// frame is copied only when it lies across two steps.
///
/// A source that fails looks like one that ends: what came before can still be
/// used. Whoever comes to the end asks [`Window::failure`] for the reason.
pub struct Window<'a> {
    source: Source<'a>,
    buffer: Vec<u8>,
    /// The unused bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Where `start` is in the stream, in bytes.
    offset: u64,
    is_open: bool,
    failure: Option<io::Error>,
}

/// Where a window's bytes come from.
enum Source<'a> {
    Direct(&'a mut dyn Read),
    /// Another thread reads them.
    Ahead(&'a mut Blocks),
}

impl<'a> Window<'a> {
    /// A window at the beginning of `source`.
    pub fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source: Source::Direct(source),
            buffer: vec![0; CAPACITY_BYTES],
            start: 0,
            end: 0,
            offset: 0,
            is_open: true,
            failure: None,
        }
    }

    /// A window that begins with `start`, at `offset` in the stream, and goes
    /// on with what another thread reads.
    pub fn ahead(blocks: &'a mut Blocks, start: Vec<u8>, offset: u64) -> Self {
        Self {
            source: Source::Ahead(blocks),
            start: 0,
            end: start.len(),
            buffer: start,
            offset,
            is_open: true,
            failure: None,
        }
    }

    /// What gives the bytes behind those that are there; `None` where another
    /// thread reads it.
    pub fn find_source(&mut self) -> Option<&mut dyn Read> {
        match &mut self.source {
            Source::Direct(source) => Some(*source),
            Source::Ahead(_) => None,
        }
    }

    /// Closes the window at `offset`, where another thread came to the end of
    /// its source.
    pub fn end(&mut self, offset: u64, failure: Option<io::Error>) {
        (self.start, self.end, self.offset) = (0, 0, offset);
        self.is_open = false;
        self.failure = failure;
    }

    /// Reads until `wanted` bytes are there. False where the stream has fewer.
    #[inline]
    pub fn ensure(&mut self, wanted: usize) -> bool {
        self.end - self.start >= wanted || self.refill(wanted)
    }

    /// The bytes that were read and are not used yet.
    pub fn unused(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Moves past `count` of the bytes that are there.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Moves past `count` bytes without holding them all. Returns how many the
    /// stream really had.
    pub fn skip(&mut self, count: u64) -> u64 {
        let mut skipped = 0;
        while skipped < count && self.ensure(1) {
            let step =
                usize::try_from(count - skipped).unwrap_or(usize::MAX).min(self.unused().len());
            self.consume(step);
            skipped += step as u64;
        }
        skipped
    }

    /// Where the first unused byte is in the stream, counted from 0.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the stream stopped, as far as it was read.
    pub fn end_offset(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    /// Why the source stopped before its end.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// The same, to hand on.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn refill(&mut self, wanted: usize) -> bool {
        while self.end - self.start < wanted {
            if !self.is_open {
                return false;
            }
            match self.read_on(wanted) {
                Ok(0) => self.is_open = false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.is_open = false;
                }
            }
        }
        true
    }

    /// Adds what one step gives to the unused bytes; says how much that is.
    fn read_on(&mut self, wanted: usize) -> io::Result<usize> {
        let Source::Ahead(blocks) = &mut self.source else { return self.read_directly(wanted) };
        let Some(mut block) = blocks.next()? else { return Ok(0) };
        let unused = self.end - self.start;
        let count = block.end.saturating_sub(HEADROOM_BYTES);
        if let Some(start) = HEADROOM_BYTES.checked_sub(unused) {
            block.buffer[start..HEADROOM_BYTES].copy_from_slice(&self.buffer[self.start..self.end]);
            blocks.give_back(std::mem::replace(&mut self.buffer, block.buffer));
            (self.start, self.end) = (start, block.end);
        } else {
            // A long frame: it grows by as much as arrived.
            self.buffer.truncate(self.end);
            self.buffer.drain(..self.start);
            self.buffer.extend_from_slice(&block.buffer[HEADROOM_BYTES..block.end]);
            blocks.give_back(block.buffer);
            (self.start, self.end) = (0, self.buffer.len());
        }
        Ok(count)
    }

    fn read_directly(&mut self, wanted: usize) -> io::Result<usize> {
        let Source::Direct(source) = &mut self.source else { return Ok(0) };
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            // Doubling, not `wanted` at once: a length that only a header
            // claims takes no more memory than bytes arrived.
            self.buffer.resize(self.buffer.len().saturating_mul(2).min(wanted), 0);
        }
        let count = source.read(&mut self.buffer[self.end..])?;
        self.end = (self.end + count).min(self.buffer.len());
        Ok(count)
    }
}

/// Reads what a source holds: [`Read`] for what is [`BufRead`].
///
/// # Errors
///
/// Where the source fails.
pub fn read_buffered(source: &mut impl BufRead, into: &mut [u8]) -> io::Result<usize> {
    let available = source.fill_buf()?;
    let count = available.len().min(into.len());
    into[..count].copy_from_slice(&available[..count]);
    source.consume(count);
    Ok(count)
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, into)
    }
}

/// Never an error: see [`Window::failure`].
impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ensure(1);
        Ok(self.unused())
    }

    fn consume(&mut self, count: usize) {
        Self::consume(self, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields its bytes a few at a time, interrupted before each, then fails.
    struct Stumbling {
        left: Vec<u8>,
        step: usize,
        interrupted: bool,
        fails: bool,
    }

    impl Read for Stumbling {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(ErrorKind::Interrupted.into());
            }
            if self.left.is_empty() && self.fails {
                return Err(ErrorKind::ConnectionReset.into());
            }
            let count = self.step.min(self.left.len()).min(into.len());
            into[..count].copy_from_slice(&self.left[..count]);
            self.left.drain(..count);
            Ok(count)
        }
    }

    #[test]
    fn bytes_come_in_order_whatever_the_steps() {
        for (step, fails) in [(1, false), (7, true), (100_000, false), (usize::MAX, true)] {
            let whole: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[0]).collect();
            let mut source = Stumbling { left: whole.clone(), step, interrupted: false, fails };
            let mut window = Window::new(&mut source);
            assert!(window.ensure(300_000), "step {step}");
            assert_eq!(window.unused()[..300_000], whole[..300_000]);
            assert_eq!(window.skip(299_999), 299_999);
            assert_eq!(window.offset(), 299_999);
            assert!(!window.ensure(300_002));
            assert_eq!(window.unused(), &whole[299_999..]);
            assert_eq!(window.end_offset(), 600_000);
            assert_eq!(window.skip(u64::MAX), 300_001);
            assert_eq!(window.failure().is_some(), fails);
        }
    }
}
