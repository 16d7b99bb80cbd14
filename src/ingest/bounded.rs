//! Decompression that stops at a bound on the bytes it *produces*.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

use super::ahead::Together;
use super::bzip2::Bzip2Streams;
use super::counted::{Counted, Position};
use super::detect::Compression;
use super::inflate::{GzipMembers, Inflate};
use super::lz4::Lz4Frames;
use super::xz::XzStreams;
use super::zstandard::ZstdFrames;

/// What one input may still cost: the bytes that it produces, over all its layers
/// and entries, and a second core.
#[derive(Debug)]
pub struct Budget {
    limit_bytes: u64,
    left_bytes: Cell<u64>,
    is_exceeded: Cell<bool>,
    pub together: Option<Together>,
}

impl Budget {
    /// A budget of which nothing is used.
    pub const fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            left_bytes: Cell::new(limit_bytes),
            is_exceeded: Cell::new(false),
            together: None,
        }
    }

    /// The limit, if something wanted to produce more.
    pub fn exceeded(&self) -> Option<LimitReached> {
        self.is_exceeded.get().then_some(LimitReached { limit_bytes: self.limit_bytes })
    }
}

/// A decompressed stream. Its errors say in words what is wrong with the
/// compressed bytes, or are a [`LimitReached`].
pub struct Expanded<'a> {
    decoder: Box<dyn Read + 'a>,
    compression: &'static str,
    /// How much of the compressed bytes the decoder has used.
    used_bytes: Position,
    /// Bytes behind the compressed data.
    passed_over: Position,
    budget: &'a Budget,
}

impl<'a> Expanded<'a> {
    /// The content of `compressed`: all its gzip members, zstd or lz4 frames, xz
    /// or bzip2 streams.
    ///
    /// # Errors
    ///
    /// Where the decoder has no memory to begin.
    pub fn new(
        compression: Compression,
        compressed: impl BufRead + 'a,
        budget: &'a Budget,
    ) -> io::Result<Self> {
        let (used_bytes, passed_over) = (Position::default(), Position::default());
        let counted = |compressed| Counted::new(compressed, &used_bytes);
        let decoder: Box<dyn Read + 'a> = match compression {
            Compression::Gzip => Box::new(GzipMembers::new(counted(compressed), &passed_over)),
            Compression::Zstd => Box::new(ZstdFrames::new(counted(compressed))?),
            Compression::Xz => Box::new(XzStreams::new(compressed, &used_bytes)),
            Compression::Bzip2 => Box::new(Bzip2Streams::new(counted(compressed))),
            Compression::Lz4 => Box::new(Lz4Frames::new(counted(compressed))),
        };
        Ok(Self { decoder, compression: compression.as_text(), used_bytes, passed_over, budget })
    }

    /// The content of one bare deflate stream, as ZIP archives hold it. Of
    /// `compressed` no byte behind the stream is used.
    pub fn deflate(compressed: impl BufRead + 'a, budget: &'a Budget) -> Self {
        let used_bytes = Position::default();
        let decoder = Box::new(Inflate::new(Counted::new(compressed, &used_bytes)));
        let passed_over = Position::default();
        Self { decoder, compression: "deflate", used_bytes, passed_over, budget }
    }

    /// Says what stands behind the compressed data and was passed over, once all is read.
    pub fn find_rest(&self) -> Option<String> {
        let (bytes, compression) = (self.passed_over.get(), self.compression);
        match bytes {
            0 => None,
            1 => Some(format!("1 byte behind the {compression} data is passed over")),
            _ => Some(format!("{bytes} bytes behind the {compression} data are passed over")),
        }
    }

    fn explained(&self, error: &io::Error) -> io::Error {
        if let Some(limit) = find_limit(error) {
            return io::Error::other(limit); // of the layer below
        }
        let (compression, at) = (self.compression, self.used_bytes.get());
        let message = if error.kind() == ErrorKind::UnexpectedEof {
            format!("the {compression} data is cut before its end, at compressed byte {at}")
        } else {
            format!("the {compression} data is damaged at compressed byte {at} ({error})")
        };
        io::Error::new(ErrorKind::InvalidData, message)
    }
}

impl Read for Expanded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.left_bytes.get();
        let mut probe = [0];
        let (step, is_probe) = match usize::try_from(left).unwrap_or(usize::MAX) {
            // Content of exactly the limit is fine: only a byte more is not.
            0 => (&mut probe[..], true),
            left => {
                let length = into.len().min(left);
                (&mut into[..length], false)
            }
        };
        match self.decoder.read(step) {
            Ok(0) => Ok(0),
            Ok(_) if is_probe => {
                self.budget.is_exceeded.set(true);
                Err(io::Error::other(LimitReached { limit_bytes: self.budget.limit_bytes }))
            }
            Ok(count) => {
                self.budget.left_bytes.set(left.saturating_sub(count as u64));
                Ok(count)
            }
            Err(error) => Err(self.explained(&error)),
        }
    }
}

/// The compressed bytes hold more than may be produced.
#[derive(Debug, Clone, Copy)]
pub struct LimitReached {
    pub limit_bytes: u64,
}

/// The limit that `error` is about, if it is about one.
pub fn find_limit(error: &io::Error) -> Option<LimitReached> {
    error.get_ref()?.downcast_ref::<LimitReached>().copied()
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decompression stopped at the limit of {} bytes", self.limit_bytes)
    }
}

impl std::error::Error for LimitReached {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::samples::{compressed, noise};

    fn expand(
        compression: Compression,
        compressed: &[u8],
        limit_bytes: u64,
    ) -> (usize, Option<io::Error>) {
        let budget = Budget::new(limit_bytes);
        let mut expanded = Expanded::new(compression, compressed, &budget).unwrap();
        let mut content = Vec::new();
        let error = expanded.read_to_end(&mut content).err();
        (content.len(), error)
    }

    #[test]
    fn the_bound_counts_produced_bytes() {
        let content = vec![b'x'; 100_000];
        for compression in Compression::ALL {
            let compressed = compressed(compression, &content);
            assert!(compressed.len() < 2_000, "{compression:?}");
            for (limit_bytes, produced, fits) in [
                (0, 0, false),
                (99_999, 99_999, false),
                (100_000, 100_000, true),
                (u64::MAX, 100_000, true),
            ] {
                let (length, error) = expand(compression, &compressed, limit_bytes);
                assert_eq!(length, produced, "{compression:?}, limit {limit_bytes}");
                assert_eq!(error.is_none(), fits, "{compression:?}, limit {limit_bytes}");
                assert!(error.is_none_or(|error| find_limit(&error).is_some()));
            }
        }
    }

    #[test]
    fn one_budget_is_shared() {
        let budget = Budget::new(150);
        for (produced, fits) in [(100, true), (50, false), (0, false)] {
            let stream = compressed(Compression::Zstd, &[7; 100]);
            let mut content = Vec::new();
            let mut expanded = Expanded::new(Compression::Zstd, &stream[..], &budget).unwrap();
            assert_eq!(expanded.read_to_end(&mut content).is_ok(), fits);
            assert_eq!(content.len(), produced);
            assert_eq!(budget.exceeded().is_none(), fits);
        }
    }

    #[test]
    fn cut_and_damaged_streams_are_told_apart() {
        let content = noise(300_000);
        for compression in Compression::ALL {
            let name = compression.as_text();
            let compressed = compressed(compression, &content);
            // The last bytes are lost with lz4's end mark and checksum, too.
            for cut in [1, 6, compressed.len() / 2] {
                let left = compressed.len() - cut;
                let (length, error) = expand(compression, &compressed[..left], u64::MAX);
                assert!(length <= content.len(), "{name}");
                let message =
                    format!("the {name} data is cut before its end, at compressed byte {left}");
                assert_eq!(error.map(|error| error.to_string()), Some(message), "{cut}");
            }
            let trailing = [&compressed[..], b"no compressed data"].concat();
            let (length, error) = expand(compression, &trailing, u64::MAX);
            if compression == Compression::Gzip {
                // gzip itself passes it over.
                assert_eq!((length, error.is_none()), (content.len(), true));
                continue;
            }
            let message = error.unwrap().to_string();
            assert!(
                message.starts_with(&format!("the {name} data is damaged at compressed byte ")),
                "{message}"
            );
        }
    }

    #[test]
    fn several_streams_are_one() {
        for compression in Compression::ALL {
            let streams = [compressed(compression, b"one"), compressed(compression, b"two")];
            let (length, error) = expand(compression, &streams.concat(), 6);
            assert_eq!((length, error.is_none()), (6, true), "{compression:?}");
        }
    }

    #[test]
    fn skippable_frames_are_skipped() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for compression in [Compression::Zstd, Compression::Lz4] {
            let frame = compressed(compression, b"one");
            let frames = [&skippable[..], &frame, &skippable, &frame].concat();
            assert_eq!(expand(compression, &frames, 6).0, 6, "{compression:?}");
        }
    }

    #[test]
    fn a_block_that_asks_for_too_much_memory_is_refused() {
        use lzma_rust2::{XzOptions, XzWriter};
        use std::io::Write;

        let mut options = XzOptions::with_preset(1);
        options.lzma_options.dict_size = 1 << 20;
        let mut writer = XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(b"content").unwrap();
        let mut stream = writer.finish().unwrap();
        // the block header: size, flags, filter 0x21 with one byte of
        // dictionary size, padding, CRC-32 (.xz file format, section 3.1)
        assert_eq!(stream[14..16], [0x21, 1]);
        stream[16] = 38; // 2 GiB
        let crc = {
            let mut crc = flate2::Crc::new();
            crc.update(&stream[12..20]);
            crc.sum().to_le_bytes()
        };
        stream[20..24].copy_from_slice(&crc);
        let (_, error) = expand(Compression::Xz, &stream, u64::MAX);
        let message = error.unwrap().to_string();
        assert!(message.contains("memory"), "{message}");
    }

    /// What a decoder gives that is asked for single bytes, of single bytes.
    fn reference(compression: Compression, compressed: &[u8]) -> usize {
        let source = io::BufReader::with_capacity(1, compressed);
        let mut decoder: Box<dyn Read + '_> = match compression {
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
            Compression::Zstd => Box::new(zstd::Decoder::with_buffer(source).unwrap()),
            Compression::Xz => Box::new(lzma_rust2::XzReader::new(source, true)),
            Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
            Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(source)),
        };
        let mut byte = [0];
        let mut given = 0;
        while let Ok(1) = decoder.read(&mut byte) {
            given += 1;
        }
        given
    }

    #[test]
    fn nothing_before_damage_is_lost() {
        // Half of it compresses, so that blocks and chunks have all lengths.
        let noise = noise(150_000);
        let content: Vec<u8> = noise
            .chunks(100)
            .flat_map(|chunk| [chunk, &[7; 100][..chunk.len()]].concat())
            .collect();
        for compression in Compression::ALL {
            let name = compression.as_text();
            let streams =
                [&content[..], &content[..70_000]].map(|part| compressed(compression, part));
            let whole = streams.concat();
            for step in 1..24 {
                let place = whole.len() * step / 24;
                let given = expand(compression, &whole[..place], u64::MAX).0;
                let wanted = reference(compression, &whole[..place]);
                assert!(given >= wanted, "{name} cut at {place}: {given} of {wanted} bytes");

                let mut damaged = whole.clone();
                damaged[place] ^= 0x10;
                let given = expand(compression, &damaged, u64::MAX).0;
                let wanted = reference(compression, &damaged);
                // The decoder of xz is asked for 256 bytes at once.
                let spared = if compression == Compression::Xz { 255 } else { 0 };
                assert!(
                    given + spared >= wanted,
                    "{name} hit at {place}: {given} of {wanted} bytes"
                );
            }
        }
    }
}
