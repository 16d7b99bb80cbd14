//! The header in front of an entry: APPNOTE.TXT, section 4.3.7.

use crate::ingest::byte_order::ByteOrder;
use crate::ingest::detect::Compression;
use crate::ingest::pcap::explain_end;
use crate::ingest::window::Window;

const FIXED_BYTES: usize = 30;
/// No path is longer.
const NAME_MAX_BYTES: usize = 4_096;

/// Says in a 32-bit length that the real one is in the ZIP64 field.
const IN_ZIP64: u32 = u32::MAX;

/// What the header of an entry says.
pub struct Header {
    pub name: Vec<u8>,
    pub method: Method,
    pub length: Length,
    /// CRC-32 of the content, where it does not follow behind it.
    pub checksum: Option<u32>,
    is_encrypted: bool,
}

/// How the content is stored: APPNOTE.TXT, section 4.4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflated,
    Compressed(Compression),
    Other(u16),
}

/// Where the content's length stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A descriptor may repeat it.
    Stated { compressed_bytes: u64, is_repeated: bool },
    /// Behind the content, which the writer did not know before.
    InDescriptor,
}

impl Header {
    /// Whether it is a directory by its name: such an entry stores nothing.
    pub fn is_directory(&self) -> bool {
        self.name.ends_with(b"/") && self.method == Method::Stored
    }

    /// Whether the window stands at a header of a file: programs hold its signature, too.
    pub fn is_next(window: &mut Window<'_>) -> bool {
        /// Of section 4.4.3, and what is in use.
        const VERSION_MAX: u8 = 63;
        window.ensure(FIXED_BYTES);
        let field = |at| ByteOrder::Little.find_u16(window.unused(), at).unwrap_or(0);
        let is_version = window.unused().get(4).is_some_and(|version| *version <= VERSION_MAX);
        let is_method = matches!(field(8), 0..=6 | 8..=10 | 12 | 14 | 18..=20 | 93..=99);
        let name_bytes = usize::from(field(26));
        if !is_version || !is_method || !(1..=NAME_MAX_BYTES).contains(&name_bytes) {
            return false;
        }
        window.ensure(FIXED_BYTES + name_bytes);
        let name = window.unused().get(FIXED_BYTES..FIXED_BYTES + name_bytes);
        name.is_some_and(|name| name.iter().all(|byte| *byte >= b' ' && *byte != 0x7f))
    }

    /// The header at which the window stands. `None` where the entries end.
    pub fn read(window: &mut Window<'_>) -> Result<Option<Self>, String> {
        if window.offset() == 0 && window.ensure(8) && window.unused().starts_with(b"PK00PK") {
            window.consume(4);
        }
        if !window.ensure(4) {
            explain_end(window, || "a header is cut: 30 bytes were expected".to_owned())?;
            return Err("the directory at its end is missing".to_owned());
        }
        match window.unused() {
            [b'P', b'K', 3, 4, ..] => {}
            // the directory, what stands in front of it, and its end
            [b'P', b'K', 1, 2, ..] | [b'P', b'K', 6, 8, ..] | [b'P', b'K', 5 | 6, 5..=7, ..] => {
                return Ok(None);
            }
            found => {
                return Err(format!(
                    "an entry is damaged: 50 4b 03 04 was expected, {:02x?} found",
                    &found[..4]
                ));
            }
        }
        let cut = || "a header is cut: 30 bytes and a name were expected".to_owned();
        if !window.ensure(FIXED_BYTES) {
            return Err(cut());
        }
        let field = |at| ByteOrder::Little.find_u16(window.unused(), at).unwrap_or(0);
        let name_bytes = usize::from(field(26));
        let whole = FIXED_BYTES + name_bytes + usize::from(field(28));
        if !window.ensure(whole) {
            return Err(cut());
        }
        let header = Self::parse(&window.unused()[..whole], name_bytes);
        window.consume(whole);
        Ok(Some(header))
    }

    fn parse(bytes: &[u8], name_bytes: usize) -> Self {
        let short = |at| ByteOrder::Little.find_u16(bytes, at).unwrap_or(0);
        let long = |at| ByteOrder::Little.find_u32(bytes, at).unwrap_or(0);
        let (name, extra) = bytes[FIXED_BYTES..].split_at(name_bytes);
        let flags = short(6);
        let (compressed, expanded) = (long(18), long(22));
        let compressed_bytes = if compressed == IN_ZIP64 {
            find_zip64_length(extra, expanded)
        } else {
            Some(u64::from(compressed))
        };
        // Bit 3: lengths and checksum follow. Some writers know them all the same.
        let has_descriptor = flags & 1 << 3 != 0;
        let is_streamed = has_descriptor && compressed_bytes.is_none_or(|length| length == 0);
        Self {
            name: name.to_vec(),
            method: match short(8) {
                0 => Method::Stored,
                8 => Method::Deflated,
                12 => Method::Compressed(Compression::Bzip2),
                20 | 93 => Method::Compressed(Compression::Zstd),
                95 => Method::Compressed(Compression::Xz),
                other => Method::Other(other),
            },
            length: match compressed_bytes {
                Some(compressed_bytes) if !is_streamed => {
                    Length::Stated { compressed_bytes, is_repeated: has_descriptor }
                }
                _ => Length::InDescriptor,
            },
            checksum: (!has_descriptor).then(|| long(14)),
            is_encrypted: flags & (1 | 1 << 6 | 1 << 13) != 0,
        }
    }

    /// Why the content cannot be read, if that is known beforehand.
    pub fn find_obstacle(&self) -> Option<String> {
        match self.method {
            _ if self.is_encrypted => Some("encrypted; unpack it first".to_owned()),
            Method::Other(9) => Some("compressed with Deflate64; unpack it first".to_owned()),
            Method::Other(method) => {
                Some(format!("compressed with ZIP method {method}; unpack it first"))
            }
            Method::Stored | Method::Deflated | Method::Compressed(_) => None,
        }
    }
}

/// The compressed length in the ZIP64 field: section 4.5.3. The length of the
/// content stands before it, if it has no room in the header either.
fn find_zip64_length(mut extra: &[u8], expanded: u32) -> Option<u64> {
    loop {
        let kind = ByteOrder::Little.find_u16(extra, 0)?;
        let length = usize::from(ByteOrder::Little.find_u16(extra, 2)?);
        if kind == 1 {
            let at = if expanded == IN_ZIP64 { 12 } else { 4 };
            return ByteOrder::Little.find_u64(extra, at);
        }
        extra = extra.get(4 + length..)?;
    }
}
