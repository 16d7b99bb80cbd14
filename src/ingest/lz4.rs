//! The lz4 frame format, with all its frames in a row.
//!
//! The decoder reads one frame, ends at its end mark, and takes a stream that
//! breaks off between two blocks for one that ended. Both are put right here.

use std::io::{self, BufRead, ErrorKind, Read};

use lz4_flex::frame::FrameDecoder;

/// The first bytes of a frame of the old format, `lz4 -l`. It has no end mark:
/// the end of the stream is its end.
const LEGACY_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];

/// The content of all lz4 frames of a stream; skippable frames are skipped.
pub struct Lz4Frames<R: BufRead> {
    decoder: FrameDecoder<Watched<R>>,
    frame: Frame,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    None,
    Open,
    OpenLegacy,
}

impl<R: BufRead> Lz4Frames<R> {
    /// The content of `compressed`.
    pub fn new(compressed: R) -> Self {
        let watched = Watched { inner: compressed, found_end: false };
        Self { decoder: FrameDecoder::new(watched), frame: Frame::None }
    }

    /// Stands before the next frame that has content. False at the end.
    fn find_frame(&mut self) -> io::Result<bool> {
        let source = self.decoder.get_mut();
        loop {
            // A magic number may lie across two buffers; its first byte is
            // enough to tell these apart, and the decoder checks the rest.
            match source.inner.fill_buf()? {
                [] => return Ok(false),
                [0x50..=0x5f, ..] => source.skip_frame()?,
                [first, ..] => {
                    let is_legacy = *first == LEGACY_MAGIC[0];
                    self.frame = if is_legacy { Frame::OpenLegacy } else { Frame::Open };
                    return Ok(true);
                }
            }
        }
    }
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.frame == Frame::None && !self.find_frame()? {
                return Ok(0);
            }
            match self.decoder.read(into)? {
                0 if into.is_empty() => return Ok(0),
                0 if self.decoder.get_ref().found_end => {
                    if self.frame == Frame::OpenLegacy {
                        return Ok(0);
                    }
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                0 => self.frame = Frame::None,
                count => return Ok(count),
            }
        }
    }
}

/// A source that remembers whether it was asked for more than it had.
struct Watched<R> {
    inner: R,
    found_end: bool,
}

impl<R: BufRead> Watched<R> {
    /// Moves past a frame of the user's own: magic number, length, content.
    fn skip_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 8];
        self.inner.read_exact(&mut head)?;
        let [_, 0x2a, 0x4d, 0x18, length @ ..] = head else {
            return Err(io::Error::new(ErrorKind::InvalidData, "no frame begins here"));
        };
        let length = u64::from(u32::from_le_bytes(length));
        let skipped = io::copy(&mut self.inner.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.found_end |= count == 0 && !into.is_empty();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_format_ends_where_the_stream_ends() {
        // one block of four literals: token, bytes
        let legacy = [&LEGACY_MAGIC[..], &[5, 0, 0, 0], &[0x40], b"text"].concat();
        let mut content = String::new();
        Lz4Frames::new(&legacy[..]).read_to_string(&mut content).unwrap();
        assert_eq!(content, "text");
    }
}
