//! gzip and bare deflate, up to the very byte at which they are damaged.
//!
//! The decoders of flate2 drop what they produced in the call that comes upon
//! damage. Its inner one still counts it, so here it is handed out first.

use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::counted::Position;

/// Bare deflate (RFC 1951). A stream that breaks off looks like one that ends.
pub struct Inflate<R: BufRead> {
    source: R,
    decoder: Decompress,
    has_ended: bool,
    failure: Option<io::Error>,
}

impl<R: BufRead> Inflate<R> {
    /// The content of the stream with which `compressed` begins; no byte behind
    /// it is used.
    pub fn new(compressed: R) -> Self {
        let decoder = Decompress::new(false);
        Self { source: compressed, decoder, has_ended: false, failure: None }
    }

    /// Reads on behind the end of a stream: another one begins there.
    fn restart(&mut self) {
        self.decoder.reset(false);
        self.has_ended = false;
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !into.is_empty() {
            if let Some(failure) = self.failure.take() {
                self.has_ended = true;
                return Err(failure);
            }
            let input = self.source.fill_buf()?;
            let is_end = input.is_empty();
            let flush = if is_end { FlushDecompress::Finish } else { FlushDecompress::None };
            let (read_before, made_before) = (self.decoder.total_in(), self.decoder.total_out());
            let result = self.decoder.decompress(input, into, flush);
            let used = count(self.decoder.total_in() - read_before);
            let made = count(self.decoder.total_out() - made_before);
            self.source.consume(used);
            match result {
                Ok(Status::StreamEnd) => self.has_ended = true,
                Ok(Status::Ok | Status::BufError) if is_end && made == 0 => return Ok(0),
                Ok(Status::Ok | Status::BufError) => {}
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

/// A number of bytes that fit the buffers that were given.
pub(super) fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// All members of a gzip file in a row (RFC 1952).
pub struct GzipMembers<R: BufRead> {
    content: Inflate<R>,
    crc: Crc,
    is_open: bool,
    /// Whether a member was read to its end.
    has_member: bool,
    /// Bytes behind the last member that begin no other one.
    passed_over: Position,
}

impl<R: BufRead> GzipMembers<R> {
    /// The content of `compressed`; bytes behind it are counted in `passed_over`.
    pub fn new(compressed: R, passed_over: &Position) -> Self {
        Self {
            passed_over: Rc::clone(passed_over),
            content: Inflate::new(compressed),
            crc: Crc::new(),
            is_open: false,
            has_member: false,
        }
    }

    /// Stands at the content of the next member. False at the end.
    fn open(&mut self) -> io::Result<bool> {
        if self.has_member {
            // Padding, as tapes and preallocated files have it; gzip passes it over too.
            skip_zeros(&mut self.content.source)?;
        }
        let source = &mut self.content.source;
        match read_magic(source)? {
            Magic::Whole => {}
            Magic::End => return Ok(false),
            // gzip calls it trailing garbage, and so ends well: a transfer in text mode
            // adds a line's end.
            Magic::Other { read_bytes } if self.has_member => {
                let behind = io::copy(source, &mut io::sink())?;
                self.passed_over.set(behind.saturating_add(read_bytes));
                return Ok(false);
            }
            Magic::Cut => return Err(ErrorKind::UnexpectedEof.into()),
            Magic::Other { .. } => return Err(no_member()),
        }
        skip_header(source)?;
        self.content.restart();
        self.crc.reset();
        self.is_open = true;
        Ok(true)
    }

    /// Section 2.3.1: checksum and length of what the member held.
    fn close(&mut self) -> io::Result<()> {
        if !self.content.has_ended {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut trailer = [0; 8];
        self.content.source.read_exact(&mut trailer)?;
        let [crc @ .., _, _, _, _] = trailer;
        let [_, _, _, _, length @ ..] = trailer;
        let is_whole = u32::from_le_bytes(crc) == self.crc.sum()
            && u32::from_le_bytes(length) == self.crc.amount();
        if !is_whole {
            let message = "checksum or length do not fit what was read";
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        self.is_open = false;
        self.has_member = true;
        Ok(())
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_open && !self.open()? {
                return Ok(0);
            }
            match self.content.read(into)? {
                0 => self.close()?,
                made => {
                    self.crc.update(into.get(..made).unwrap_or_default());
                    return Ok(made);
                }
            }
        }
    }
}

/// Moves past the zero bytes that come next.
fn skip_zeros(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = source.fill_buf()?;
        let zeros = available.iter().take_while(|byte| **byte == 0).count();
        let is_all = zeros == available.len();
        source.consume(zeros);
        if zeros == 0 || !is_all {
            return Ok(());
        }
    }
}

/// What stands where a member may begin: its two identifying bytes, section 2.3.1.
enum Magic {
    Whole,
    End,
    /// The first of them, and then the end.
    Cut,
    /// Something else, of which so many bytes are read.
    Other {
        read_bytes: u64,
    },
}

fn read_magic(source: &mut impl BufRead) -> io::Result<Magic> {
    match source.fill_buf()?.first() {
        None => return Ok(Magic::End),
        Some(0x1f) => source.consume(1),
        Some(_) => return Ok(Magic::Other { read_bytes: 0 }),
    }
    match source.fill_buf()?.first() {
        None => Ok(Magic::Cut),
        Some(0x8b) => {
            source.consume(1);
            Ok(Magic::Whole)
        }
        Some(_) => Ok(Magic::Other { read_bytes: 1 }),
    }
}

fn no_member() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "no member begins here")
}

/// Moves past a member's header, whose two identifying bytes are read: section 2.3.
fn skip_header(source: &mut impl BufRead) -> io::Result<()> {
    const HEADER_CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let mut head = [0; 8];
    source.read_exact(&mut head)?;
    let [8, flags, ..] = head else { return Err(no_member()) };
    if flags & EXTRA != 0 {
        let mut length = [0; 2];
        source.read_exact(&mut length)?;
        skip(source, u64::from(u16::from_le_bytes(length)))?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            skip_text(source)?;
        }
    }
    if flags & HEADER_CRC != 0 {
        skip(source, 2)?;
    }
    Ok(())
}

fn skip(source: &mut impl BufRead, length_bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut source.take(length_bytes), &mut io::sink())?;
    if skipped < length_bytes { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Moves past a text and the zero that ends it.
fn skip_text(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = source.fill_buf()?;
        if available.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = memchr::memchr(0, available) {
            source.consume(end + 1);
            return Ok(());
        }
        let length = available.len();
        source.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::write::{DeflateEncoder, GzEncoder};
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::samples::{compressed, noise};

    /// What could be read, and why no more.
    fn expand(stream: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
        let mut content = Vec::new();
        let outcome = GzipMembers::new(stream, &Position::default()).read_to_end(&mut content);
        (content, outcome.err().map(|error| error.kind()))
    }

    #[test]
    fn all_before_the_damage_is_handed_out() {
        let content = noise(200_000);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(&content).unwrap();
        let stream = encoder.finish().unwrap();
        // Stored blocks: a header of five bytes, then content as it is. A wrong
        // length of one of them is damage at a known place.
        let block = stream.len() - 8 - 5 - usize::from(u16::MAX);
        let mut at = 10;
        let mut held = 0;
        loop {
            let length = usize::from(u16::from_le_bytes([stream[at + 1], stream[at + 2]]));
            if at + 5 + length > block {
                break;
            }
            held += length;
            at += 5 + length;
        }
        let mut damaged = stream.clone();
        damaged[at + 1] ^= 0xff;
        let (read, failure) = expand(&damaged);
        assert_eq!(failure, Some(ErrorKind::InvalidData));
        assert_eq!(read.len(), held, "of {}", content.len());
        assert_eq!(read, content[..held]);
    }

    #[test]
    fn headers_of_all_kinds_are_skipped() {
        let mut encoder = GzBuilder::new()
            .filename("host.pcap")
            .comment("from node3")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), Compression::fast());
        encoder.write_all(b"content").unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(expand(&stream), (b"content".to_vec(), None));
        // One byte at a time: nothing depends on where buffers end.
        let mut content = Vec::new();
        let one = BufReader::with_capacity(1, &stream[..]);
        GzipMembers::new(one, &Position::default()).read_to_end(&mut content).unwrap();
        assert_eq!(content, b"content");
        for cut in 1..stream.len() {
            assert_eq!(expand(&stream[..cut]).1, Some(ErrorKind::UnexpectedEof), "{cut}");
        }
        let mut wrong_checksum = stream.clone();
        let place = stream.len() - 8;
        wrong_checksum[place] ^= 1;
        assert_eq!(expand(&wrong_checksum), (b"content".to_vec(), Some(ErrorKind::InvalidData)));
    }

    #[test]
    fn bytes_behind_the_last_member_are_counted() {
        let member = compressed(crate::ingest::detect::Compression::Gzip, b"content");
        let cases: [(&[u8], u64, Option<ErrorKind>); 8] = [
            (b"", 0, None),
            (b"\r\n", 2, None),
            (b"garbage\n", 8, None),
            (b"\0\0\0\n", 1, None),
            (b"\x1fno member", 10, None),
            // A member that begins is one, whatever becomes of it.
            (b"\x1f", 0, Some(ErrorKind::UnexpectedEof)),
            (b"\x1f\x8b\x08", 0, Some(ErrorKind::UnexpectedEof)),
            (b"\x1f\x8b\x09 no method", 0, Some(ErrorKind::InvalidData)),
        ];
        for (behind, bytes, failure) in cases {
            let stream = [&member[..], behind].concat();
            for capacity in [1, 2, 8_192] {
                let passed_over = Position::default();
                let source = BufReader::with_capacity(capacity, &stream[..]);
                let mut content = Vec::new();
                let read = GzipMembers::new(source, &passed_over).read_to_end(&mut content);
                assert_eq!(content, b"content", "{behind:?}");
                assert_eq!(read.err().map(|error| error.kind()), failure, "{behind:?}");
                assert_eq!(passed_over.get(), bytes, "{behind:?}");
            }
        }
    }

    #[test]
    fn a_bare_stream_leaves_what_is_behind_it() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"content").unwrap();
        let stream = [&encoder.finish().unwrap()[..], b"behind"].concat();
        let mut source = &stream[..];
        let mut content = String::new();
        Inflate::new(&mut source).read_to_string(&mut content).unwrap();
        assert_eq!((content.as_str(), source), ("content", &b"behind"[..]));
    }

    proptest! {
        #[test]
        fn no_damage_panics_hangs_or_invents(at in 0_usize..3_000, bit in 0_u8..8) {
            let content = noise(3_000);
            let mut stream = compressed(crate::ingest::detect::Compression::Gzip, &content);
            let at = at % stream.len();
            stream[at] ^= 1 << bit;
            let (read, _) = expand(&stream);
            prop_assert!(read.len() <= content.len() * 2_000);
        }
    }
}
