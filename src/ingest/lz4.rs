//! The lz4 frame format, with all its frames in a row, and the older one of `lz4 -l`.
//!
//! The decoder reads one frame, ends at its end mark, and takes a stream that
//! breaks off between two blocks for one that ended. Both are put right here. Old
//! frames have neither an end mark nor a length: they are read here, block by block.

use std::io::{self, BufRead, ErrorKind, Read};

use lz4_flex::frame::FrameDecoder;

/// The first bytes of a frame of the old format. The end of the stream is its end, or
/// these bytes again, where a block's length was expected (`lz4_Frame_format.md`).
const LEGACY_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// The content of an old block, but for the last.
const LEGACY_BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// What such a block has at most where nothing in it can be compressed.
const LEGACY_COMPRESSED_BYTES: u32 = 8 * 1024 * 1024 + 8 * 1024 * 1024 / 255 + 16;

/// The content of all lz4 frames of a stream; skippable frames are skipped.
pub struct Lz4Frames<R: BufRead> {
    decoder: FrameDecoder<Watched<R>>,
    frame: Frame,
    block: LegacyBlock,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    None,
    Open,
    OpenLegacy,
}

/// The content of one block of an old frame, as far as it was not handed out.
#[derive(Default)]
struct LegacyBlock {
    content: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: BufRead> Lz4Frames<R> {
    /// The content of `compressed`.
    pub fn new(compressed: R) -> Self {
        let watched = Watched { inner: compressed, found_end: false, given_back: Vec::new() };
        Self {
            decoder: FrameDecoder::new(watched),
            frame: Frame::None,
            block: LegacyBlock::default(),
        }
    }

    /// Stands before the next frame that has content, or behind the magic number of an
    /// old one. False at the end.
    fn find_frame(&mut self) -> io::Result<bool> {
        let source = self.decoder.get_mut();
        loop {
            // A magic number may lie across two buffers; its first byte is
            // enough to tell these apart, and what reads on checks the rest.
            match source.find_first()? {
                None => return Ok(false),
                Some(0x50..=0x5f) => source.skip_frame()?,
                Some(first) if first == LEGACY_MAGIC[0] => {
                    let mut magic = [0; 4];
                    source.read_exact(&mut magic)?;
                    if magic != LEGACY_MAGIC {
                        return Err(damaged("no frame begins here"));
                    }
                    self.frame = Frame::OpenLegacy;
                    return Ok(true);
                }
                Some(_) => {
                    self.frame = Frame::Open;
                    return Ok(true);
                }
            }
        }
    }

    fn read_frame(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(into)?;
        if count == 0 && !into.is_empty() {
            if self.decoder.get_ref().found_end {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.frame = Frame::None;
        }
        Ok(count)
    }

    fn read_legacy(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.block.start == self.block.end && !self.next_block()? {
            self.frame = Frame::None;
            return Ok(0);
        }
        let available = &self.block.content[self.block.start..self.block.end];
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.block.start += count;
        Ok(count)
    }

    /// Reads the next block of an old frame. False where the frame has no more.
    fn next_block(&mut self) -> io::Result<bool> {
        let source = self.decoder.get_mut();
        if source.find_first()?.is_none() {
            return Ok(false);
        }
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        let begins_frame = matches!(length, LEGACY_MAGIC | MAGIC | [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
        if begins_frame {
            source.given_back = length.to_vec();
            return Ok(false);
        }
        let length = u32::from_le_bytes(length);
        if length > LEGACY_COMPRESSED_BYTES {
            return Err(damaged("a block is longer than any"));
        }
        let mut compressed = Vec::new();
        source.by_ref().take(length.into()).read_to_end(&mut compressed)?;
        if u32::try_from(compressed.len()) != Ok(length) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.block.content.resize(LEGACY_BLOCK_BYTES, 0);
        let end = lz4_flex::block::decompress_into(&compressed, &mut self.block.content)
            .map_err(|error| damaged(&error.to_string()))?;
        (self.block.start, self.block.end) = (0, end);
        Ok(true)
    }
}

fn damaged(message: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.frame == Frame::None && !self.find_frame()? {
                return Ok(0);
            }
            let count = match self.frame {
                Frame::OpenLegacy => self.read_legacy(into)?,
                Frame::Open | Frame::None => self.read_frame(into)?,
            };
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
        }
    }
}

/// A source that remembers whether it was asked for more than it had.
struct Watched<R> {
    inner: R,
    found_end: bool,
    /// Bytes that were read and belong to what follows.
    given_back: Vec<u8>,
}

impl<R: BufRead> Watched<R> {
    /// The next byte, which stays; `None` at the end.
    fn find_first(&mut self) -> io::Result<Option<u8>> {
        match self.given_back.first() {
            Some(first) => Ok(Some(*first)),
            None => Ok(self.inner.fill_buf()?.first().copied()),
        }
    }

    /// Moves past a frame of the user's own: magic number, length, content.
    fn skip_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 8];
        self.read_exact(&mut head)?;
        let [_, 0x2a, 0x4d, 0x18, length @ ..] = head else {
            return Err(damaged("no frame begins here"));
        };
        let length = u64::from(u32::from_le_bytes(length));
        let skipped = io::copy(&mut self.inner.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.given_back.is_empty() {
            let count = self.given_back.len().min(into.len());
            into[..count].copy_from_slice(&self.given_back[..count]);
            self.given_back.drain(..count);
            return Ok(count);
        }
        let count = self.inner.read(into)?;
        self.found_end |= count == 0 && !into.is_empty();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::detect::Compression;
    use crate::ingest::samples::{OneByte, compressed};

    /// An old frame of blocks of literals, each with a token and at most 14 bytes.
    fn legacy(blocks: &[&[u8]]) -> Vec<u8> {
        let blocks = blocks.iter().map(|text| {
            let length = u32::try_from(text.len()).unwrap();
            let token = u8::try_from(length << 4).unwrap();
            [&(length + 1).to_le_bytes()[..], &[token], text].concat()
        });
        [LEGACY_MAGIC.to_vec(), blocks.collect::<Vec<_>>().concat()].concat()
    }

    fn read(stream: &[u8]) -> (String, Option<ErrorKind>) {
        let mut content = Vec::new();
        let outcome = Lz4Frames::new(stream).read_to_end(&mut content);
        let mut again = Vec::new();
        let source = io::BufReader::with_capacity(1, OneByte(stream));
        let bytewise = Lz4Frames::new(source).read_to_end(&mut again);
        let kind = outcome.err().map(|error| error.kind());
        assert_eq!((bytewise.err().map(|error| error.kind()), &again), (kind, &content));
        (String::from_utf8(content).unwrap(), kind)
    }

    #[test]
    fn the_old_format_ends_where_the_stream_or_another_frame_begins() {
        let new = compressed(Compression::Lz4, b"new");
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0][..], b"ab"].concat();
        let old = legacy(&[b"one ", b"two "]);
        let cases = [
            (old.clone(), "one two "),
            ([&old[..], &old].concat(), "one two one two "),
            ([&old[..], &new, &old].concat(), "one two newone two "),
            ([&new[..], &old, &skippable, &new].concat(), "newone two new"),
            ([&skippable[..], &old].concat(), "one two "),
            (legacy(&[]), ""),
        ];
        for (stream, content) in cases {
            assert_eq!(read(&stream), (content.to_owned(), None));
        }
    }

    #[test]
    fn what_is_wrong_with_old_frames_is_told_behind_what_is_right() {
        let old = legacy(&[b"one ", b"two "]);
        let cases = [
            (&old[..old.len() - 1], "one ", Some(ErrorKind::UnexpectedEof)),
            (&old[..old.len() - 6], "one ", Some(ErrorKind::UnexpectedEof)),
            (&[&old[..], &[0xff; 8]].concat(), "one two ", Some(ErrorKind::InvalidData)),
            (
                &[&old[..], &[3, 0, 0, 0, 0x04, 9, 9]].concat(),
                "one two ",
                Some(ErrorKind::InvalidData),
            ),
        ];
        for (stream, content, error) in cases {
            assert_eq!(read(stream), (content.to_owned(), error));
        }
    }
}
