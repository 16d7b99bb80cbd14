//! bzip2, up to the very byte at which it is damaged.
//!
//! The decoder counts what it produced even in the call that comes upon damage,
//! so it is handed out first.

use std::io::{self, BufRead, ErrorKind, Read};

use bzip2::{Decompress, Status};

use super::inflate::count;

/// The content of all bzip2 streams in a row.
pub struct Bzip2Streams<R: BufRead> {
    source: R,
    /// `None` between two streams.
    decoder: Option<Decompress>,
    failure: Option<io::Error>,
}

impl<R: BufRead> Bzip2Streams<R> {
    /// The content of `compressed`.
    pub fn new(compressed: R) -> Self {
        Self { source: compressed, decoder: None, failure: None }
    }
}

impl<R: BufRead> Read for Bzip2Streams<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !into.is_empty() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let input = self.source.fill_buf()?;
            let is_end = input.is_empty();
            if is_end && self.decoder.is_none() {
                return Ok(0);
            }
            let decoder = self.decoder.get_or_insert_with(|| Decompress::new(false));
            let (used_before, made_before) = (decoder.total_in(), decoder.total_out());
            let result = decoder.decompress(input, into);
            let used = count(decoder.total_in() - used_before);
            let made = count(decoder.total_out() - made_before);
            self.source.consume(used);
            match result {
                Ok(Status::StreamEnd) => self.decoder = None,
                Ok(Status::MemNeeded) => {
                    self.failure = Some(ErrorKind::OutOfMemory.into());
                }
                Ok(_) if made == 0 && used == 0 => {
                    let kind =
                        if is_end { ErrorKind::UnexpectedEof } else { ErrorKind::InvalidData };
                    return Err(kind.into());
                }
                Ok(_) => {}
                Err(error) => {
                    self.failure = Some(io::Error::new(ErrorKind::InvalidData, error));
                }
            }
            if made > 0 {
                return Ok(made);
            }
        }
        Ok(0)
    }
}
