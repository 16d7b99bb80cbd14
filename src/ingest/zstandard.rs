//! zstd, up to the very block in which it is damaged.
//!
//! The decoder forgets how much it produced in the call that comes upon damage.
//! It is given one block at a time, so that such a call has produced nothing.

use std::io::{self, BufRead, ErrorKind, Read};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// The largest window that is accepted, as a power of two: 128 MiB, what `zstd -d`
/// accepts too. A frame header can ask for more memory than that.
const WINDOW_LOG: u32 = 27;

/// Bytes before each block, which say its length: RFC 8878, section 3.1.1.2.
const BLOCK_HEADER_BYTES: usize = 3;

/// The content of all frames of a stream; skippable frames are skipped.
pub struct ZstdFrames<R: BufRead> {
    source: R,
    decoder: Decoder<'static>,
    /// Bytes that the decoder wants next: the rest of a block, and the header of
    /// the next one.
    wanted: usize,
    is_between: bool,
}

impl<R: BufRead> ZstdFrames<R> {
    /// The content of `compressed`.
    ///
    /// # Errors
    ///
    /// Where there is no memory for the decoder.
    pub fn new(compressed: R) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self { source: compressed, decoder, wanted: 0, is_between: true })
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !into.is_empty() {
            let input = self.source.fill_buf()?;
            let is_end = input.is_empty();
            if self.is_between {
                if is_end {
                    return Ok(0);
                }
                self.decoder.reinit()?;
                self.is_between = false;
            }
            let step = match self.wanted.checked_sub(BLOCK_HEADER_BYTES) {
                Some(block @ 1..) => block,
                Some(0) | None => self.wanted.max(1),
            };
            let mut given = InBuffer::around(&input[..step.min(input.len())]);
            let mut made = OutBuffer::around(&mut *into);
            self.wanted = self.decoder.run(&mut given, &mut made)?;
            let (used, made) = (given.pos(), made.pos());
            self.source.consume(used);
            self.is_between = self.wanted == 0;
            if made > 0 {
                return Ok(made);
            }
            if is_end && !self.is_between {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}
