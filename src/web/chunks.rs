//! An input that comes in chunks, as a reader that keeps what it reads.

use std::io::{self, Read};

use bytes::{Buf, Bytes};

use crate::store::{self, BlobWriter};

/// What a source has next.
#[derive(Debug)]
pub enum Next {
    Bytes(Bytes),
    /// All of the input came.
    End,
    /// Whoever sends it is gone.
    Gone,
}

/// Where the chunks of one input come from.
pub trait Source {
    /// Waits for what comes next. Not called again after the end.
    fn next(&mut self) -> Next;
}

/// Why an input is not whole.
#[derive(Debug)]
pub enum Fault {
    Store(store::Error),
    /// Its sender was gone before its end.
    Gone,
}

/// One input as a reader, which writes what it reads to the capture's file.
#[derive(Debug)]
pub struct ChunkReader<S> {
    source: S,
    file: Option<BlobWriter>,
    chunk: Bytes,
    has_ended: bool,
    fault: Option<Fault>,
}

impl<S: Source> ChunkReader<S> {
    /// A reader of what `source` gives; without a file, it is not kept.
    pub const fn new(source: S, file: Option<BlobWriter>) -> Self {
        Self { source, file, chunk: Bytes::new(), has_ended: false, fault: None }
    }

    /// Reads what the analysis left, so that the file is whole.
    pub fn read_rest(&mut self) {
        while self.fault.is_none() && !self.has_ended {
            self.next_chunk();
        }
    }

    /// The source again. A fault explains what the analysis says, not the reverse.
    pub fn finish(self) -> (S, Result<(), Fault>) {
        let kept = match (self.fault, self.file) {
            (Some(fault), _) => Err(fault),
            (None, Some(file)) if self.has_ended => file.finish().map_err(Fault::Store),
            (None, _) => Ok(()),
        };
        (self.source, kept)
    }

    /// Takes the next chunk, notes the end, or notes a fault.
    fn next_chunk(&mut self) {
        match self.source.next() {
            Next::Bytes(chunk) => {
                let written = self.file.as_mut().map_or(Ok(()), |file| file.write_shared(&chunk));
                self.fault = written.err().map(Fault::Store);
                self.chunk = chunk;
            }
            Next::End => self.has_ended = true,
            Next::Gone => self.fault = Some(Fault::Gone),
        }
    }
}

impl<S: Source> Read for ChunkReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.chunk.has_remaining() {
            if self.fault.is_some() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if self.has_ended {
                return Ok(0);
            }
            self.next_chunk();
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks, and whether the input ends behind them.
    struct Listed(Vec<&'static str>, bool);

    impl Source for Listed {
        fn next(&mut self) -> Next {
            match (self.0.is_empty(), self.1) {
                (false, _) => Next::Bytes(Bytes::from_static(self.0.remove(0).as_bytes())),
                (true, true) => Next::End,
                (true, false) => Next::Gone,
            }
        }
    }

    #[test]
    fn an_input_ends_where_its_sender_ends_it() {
        let mut reader = ChunkReader::new(Listed(vec!["ab", "", "cde"], true), None);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");
        assert!(reader.finish().1.is_ok());
    }

    #[test]
    fn an_input_that_is_cut_off_is_none() {
        let mut reader = ChunkReader::new(Listed(vec!["ab"], false), None);
        assert!(reader.read_to_string(&mut String::new()).is_err());
        assert!(matches!(reader.finish().1, Err(Fault::Gone)));
    }

    #[test]
    fn what_the_analysis_leaves_is_read_to_the_end() {
        let mut reader = ChunkReader::new(Listed(vec!["ab", "cd"], true), None);
        reader.read_rest();
        let (source, kept) = reader.finish();
        assert!(kept.is_ok() && source.0.is_empty());
    }
}
