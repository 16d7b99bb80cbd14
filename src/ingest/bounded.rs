//! Decompression that stops at a bound on the bytes it *produces*.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

/// Bytes taken from a decoder at once. A decoder that comes upon damage drops
/// what it produced in that call, so a smaller step loses less; a much smaller
/// one would copy the deflate window too often.
const STEP_BYTES: usize = 64 * 1024;

/// The largest zstd window that is accepted, as a power of two: 128 MiB, what
/// `zstd -d` accepts too. A frame header can ask for more memory than that.
const ZSTD_WINDOW_LOG: u32 = 27;

/// A decompressed stream. Its errors say in words what is wrong with the
/// compressed bytes, or are a [`LimitReached`].
pub struct Expanded<'a> {
    decoder: Box<dyn Read + 'a>,
    compression: &'static str,
    produced_bytes: u64,
    limit_bytes: u64,
}

impl<'a> Expanded<'a> {
    /// The content of all gzip members of `compressed`.
    pub fn gzip(compressed: impl BufRead + 'a, limit_bytes: u64) -> Self {
        let decoder = Box::new(MultiGzDecoder::new(compressed));
        Self { decoder, compression: "gzip", produced_bytes: 0, limit_bytes }
    }

    /// The content of all zstd frames of `compressed`; skippable frames are skipped.
    ///
    /// # Errors
    ///
    /// Where the decoder has no memory to begin.
    pub fn zstd(compressed: impl BufRead + 'a, limit_bytes: u64) -> io::Result<Self> {
        let mut decoder = zstd::Decoder::with_buffer(compressed)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        let decoder = Box::new(decoder);
        Ok(Self { decoder, compression: "zstd", produced_bytes: 0, limit_bytes })
    }

    fn explained(&self, error: &io::Error) -> io::Error {
        let compression = self.compression;
        let message = if error.kind() == ErrorKind::UnexpectedEof {
            format!("the {compression} data is cut before its end")
        } else {
            format!("the {compression} data is damaged ({error})")
        };
        io::Error::new(ErrorKind::InvalidData, message)
    }
}

impl Read for Expanded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.limit_bytes.saturating_sub(self.produced_bytes);
        let mut probe = [0];
        let (step, is_probe) = match usize::try_from(left).unwrap_or(usize::MAX) {
            // Content of exactly the limit is fine: only a byte more is not.
            0 => (&mut probe[..], true),
            left => {
                let length = into.len().min(STEP_BYTES).min(left);
                (&mut into[..length], false)
            }
        };
        match self.decoder.read(step) {
            Ok(0) => Ok(0),
            Ok(_) if is_probe => {
                Err(io::Error::other(LimitReached { limit_bytes: self.limit_bytes }))
            }
            Ok(count) => {
                self.produced_bytes += count as u64;
                Ok(count)
            }
            Err(error) => Err(self.explained(&error)),
        }
    }
}

/// The compressed bytes hold more than may be produced.
#[derive(Debug)]
pub struct LimitReached {
    pub limit_bytes: u64,
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
    use crate::ingest::samples::{gzipped, noise, zstandard};

    fn expand(name: &str, compressed: &[u8], limit_bytes: u64) -> (usize, Option<io::Error>) {
        let mut expanded = match name {
            "gzip" => Expanded::gzip(compressed, limit_bytes),
            _ => Expanded::zstd(compressed, limit_bytes).unwrap(),
        };
        let mut content = Vec::new();
        let error = expanded.read_to_end(&mut content).err();
        (content.len(), error)
    }

    #[test]
    fn the_bound_counts_produced_bytes() {
        let content = vec![b'x'; 100_000];
        for (name, compressed) in [("gzip", gzipped(&content)), ("zstd", zstandard(&content))] {
            assert!(compressed.len() < 1_000);
            for (limit_bytes, produced, fits) in [
                (0, 0, false),
                (99_999, 99_999, false),
                (100_000, 100_000, true),
                (u64::MAX, 100_000, true),
            ] {
                let (length, error) = expand(name, &compressed, limit_bytes);
                assert_eq!(length, produced, "{name}, limit {limit_bytes}");
                assert_eq!(error.is_none(), fits, "{name}, limit {limit_bytes}");
                assert!(error.is_none_or(|error| {
                    error
                        .get_ref()
                        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<LimitReached>)
                }));
            }
        }
    }

    #[test]
    fn cut_and_damaged_streams_are_told_apart() {
        let content = noise(600_000);
        for (name, compressed) in [("gzip", gzipped(&content)), ("zstd", zstandard(&content))] {
            let half = compressed.len() / 2;
            let (length, error) = expand(name, &compressed[..half], u64::MAX);
            assert!(length > 0, "{name}");
            assert_eq!(
                error.unwrap().to_string(),
                format!("the {name} data is cut before its end")
            );
            let trailing = [&compressed[..], b"no compressed data"].concat();
            let (length, error) = expand(name, &trailing, u64::MAX);
            assert_eq!(length, content.len(), "{name}");
            let message = error.unwrap().to_string();
            assert!(message.starts_with(&format!("the {name} data is damaged (")), "{message}");
        }
    }

    #[test]
    fn several_members_and_skippable_frames_are_one_stream() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frames = [skippable, zstandard(b"one"), zstandard(b"two")].concat();
        assert_eq!(expand("zstd", &frames, 6).0, 6);
        let members = [gzipped(b"one"), gzipped(b"two")].concat();
        assert_eq!(expand("gzip", &members, 6).0, 6);
    }
}
