//! What an input is, by its first bytes and never by its name.

mod foreign;
mod hidden;

pub use self::foreign::may_hold_archive;
use self::foreign::{UNKNOWN, find_other_format};
use self::hidden::{find_text_before_capture, find_unmarked_utf16};
use super::byte_order::ByteOrder;
use super::erf;

/// Bytes after which what is no known format is told apart as text or binary.
pub const HEAD_BYTES: usize = 8 * 1024;

/// Bytes that are enough to know a capture or a compressed file; a live
/// capture may take long to send more.
pub const MAGIC_BYTES: usize = 12;

/// What the first bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pcap,
    Pcapng,
    Snoop,
    Erf,
    Compressed(Compression),
    Archive(ArchiveFormat),
    /// Text in UTF-8 or another superset of ASCII; the mark before it is
    /// `mark_bytes` long.
    Text {
        mark_bytes: usize,
    },
    /// UTF-16 text behind a byte order mark, which is two bytes long or missing.
    Utf16 {
        order: ByteOrder,
        mark_bytes: usize,
    },
    /// A capture, a compressed file or an archive behind some lines of text, which are
    /// so many bytes long.
    BehindText {
        text_bytes: usize,
    },
    /// Something else, as the end of "it looks like …".
    Other(&'static str),
}

/// How the bytes of a file were made fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lz4,
}

impl Compression {
    #[cfg(test)]
    pub const ALL: [Self; 5] = [Self::Gzip, Self::Zstd, Self::Xz, Self::Bzip2, Self::Lz4];

    /// The name of the program that makes such files.
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }
}

/// How several files were put into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    Zip,
    Tar,
}

impl ArchiveFormat {
    /// With its article: `a ZIP archive`.
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Zip => "a ZIP archive",
            Self::Tar => "a tar archive",
        }
    }
}

/// Recognises a capture, a compressed file or an archive in the first [`MAGIC_BYTES`];
/// fewer where the input is shorter.
pub fn find_binary_format(head: &[u8]) -> Option<Kind> {
    // The beginning of a magic number is a cut capture, unless it could be text.
    let is_cut_pcap = (2..4).contains(&head.len())
        && !head.is_ascii()
        && PCAP_MAGICS.iter().any(|magic| magic.starts_with(head));
    if is_cut_pcap || PCAP_MAGICS.iter().any(|magic| head.starts_with(magic)) {
        return Some(Kind::Pcap);
    }
    match head {
        // Lines ended by CR CR LF can look like this magic number too, but
        // text has no zero bytes where a section header has its length.
        [0x0a, 0x0d, 0x0d, 0x0a, rest @ ..] if rest.is_empty() || rest.contains(&0) => {
            Some(Kind::Pcapng)
        }
        // RFC 1952, section 2.3.1; deflate is the only method there is.
        [0x1f, 0x8b] | [0x1f, 0x8b, 8, ..] => Some(Kind::Compressed(Compression::Gzip)),
        // RFC 8878, sections 3.1.1 and 3.1.2. lz4 has the same skippable
        // frames, but its programs never begin with one.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Some(Kind::Compressed(Compression::Zstd))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Compressed(Compression::Xz)),
        // Level, then pi of the first block, or the square root of pi where
        // there is none: letters alone could begin a text.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
            Some(Kind::Compressed(Compression::Bzip2))
        }
        // The frame format, and the older one of `lz4 -l`.
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => {
            Some(Kind::Compressed(Compression::Lz4))
        }
        // APPNOTE.TXT, section 4.3.7; the second is the mark of an archive that
        // could have been split and was not, section 8.5.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', b'0', b'0', b'P', b'K', 3, 4, ..] => {
            Some(Kind::Archive(ArchiveFormat::Zip))
        }
        // RFC 1761
        [b's', b'n', b'o', b'o', b'p', 0, 0, 0, ..] => Some(Kind::Snoop),
        _ => None,
    }
}

/// Recognises an input by its first [`HEAD_BYTES`]; fewer where it is shorter.
pub fn detect(head: &[u8]) -> Kind {
    if let Some(kind) = find_binary_format(&head[..head.len().min(MAGIC_BYTES)]) {
        return kind;
    }
    if is_tar(head) {
        return Kind::Archive(ArchiveFormat::Tar);
    }
    // A record may begin with any bytes, those of a mark, too.
    if erf::begins_records(head) {
        return Kind::Erf;
    }
    match head {
        [0xef, 0xbb, 0xbf, ..] => return Kind::Text { mark_bytes: 3 },
        [0xff, 0xfe, ..] => return Kind::Utf16 { order: ByteOrder::Little, mark_bytes: 2 },
        [0xfe, 0xff, ..] => return Kind::Utf16 { order: ByteOrder::Big, mark_bytes: 2 },
        _ => {}
    }
    if let Some(name) = find_other_format(head) {
        return Kind::Other(name);
    }
    if let Some(text_bytes) = find_text_before_capture(head) {
        return Kind::BehindText { text_bytes };
    }
    if let Some(order) = find_unmarked_utf16(head) {
        return Kind::Utf16 { order, mark_bytes: 0 };
    }
    if is_binary(head) {
        return Kind::Other(UNKNOWN);
    }
    Kind::Text { mark_bytes: 0 }
}

/// Microseconds, nanoseconds, Alexey Kuznetzov's modified format, and what
/// Ixia's hardware and software write, each in both byte orders.
const PCAP_MAGICS: [[u8; 4]; 10] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0x1c, 0x00, 0x01, 0xac],
    [0xac, 0x01, 0x00, 0x1c],
    [0x1c, 0x00, 0x01, 0xab],
    [0xab, 0x01, 0x00, 0x1c],
];

/// Whether the first block is a header of a tar archive: it says so, or it has
/// the checksum that headers without a magic number have too.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
        || head.first_chunk().is_some_and(super::archive::tar::has_checksum)
}

/// Whether these bytes have more control characters than a text has, even one
/// with terminal escapes or a stray zero byte.
fn is_binary(head: &[u8]) -> bool {
    let controls =
        head.iter().filter(|byte| matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    controls * 32 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreign::EVENT_TRACE;

    /// A buffer of a Windows event trace with the first header in it.
    fn event_trace(buffer_bytes: u32) -> Vec<u8> {
        let mut trace = vec![0; 0x90];
        trace[..4].copy_from_slice(&buffer_bytes.to_le_bytes());
        trace[0x48..0x4c].copy_from_slice(&[2, 0, 2, 0xc0]);
        trace
    }

    #[test]
    fn inputs_are_known_by_their_first_bytes() {
        const TEXT: Kind = Kind::Text { mark_bytes: 0 };
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: &[(&[u8], Kind)] = &[
            (&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0], Kind::Pcap),
            (&[0xa1, 0xb2, 0xc3, 0xd4, 0, 2], Kind::Pcap),
            (&[0x4d, 0x3c, 0xb2, 0xa1], Kind::Pcap),
            (&[0xa1, 0xb2, 0x3c, 0x4d], Kind::Pcap),
            (&[0x34, 0xcd, 0xb2, 0xa1], Kind::Pcap),
            (&[0xa1, 0xb2, 0xcd, 0x34], Kind::Pcap),
            (&[0xd4, 0xc3], Kind::Pcap),
            (b"M<", TEXT),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", Kind::Pcapng),
            (b"\x0a\x0d\x0d\x0a", Kind::Pcapng),
            (b"\n\r\r\n12:00:00.000000 IP 192.0.2.1.69", TEXT),
            (b"\r\n\r\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a", Kind::Other(foreign::DAMAGED_PCAPNG)),
            (b"\n\n\n12:00:00 IP", TEXT),
            (&[0x1f, 0x8b, 8, 0], Kind::Compressed(Compression::Gzip)),
            (&[0x28, 0xb5, 0x2f, 0xfd], Kind::Compressed(Compression::Zstd)),
            (&[0x5f, 0x2a, 0x4d, 0x18], Kind::Compressed(Compression::Zstd)),
            (b"\xfd7zXZ\0\0\x04", Kind::Compressed(Compression::Xz)),
            (b"BZh91AY&SY\x12", Kind::Compressed(Compression::Bzip2)),
            (b"BZh9\x17rE8P\x90\0\0", Kind::Compressed(Compression::Bzip2)),
            (&[0x04, 0x22, 0x4d, 0x18], Kind::Compressed(Compression::Lz4)),
            (&[0x02, 0x21, 0x4c, 0x18], Kind::Compressed(Compression::Lz4)),
            (b"PK\x03\x04\x14\0", Kind::Archive(ArchiveFormat::Zip)),
            (b"PK00PK\x03\x04\x14\0", Kind::Archive(ArchiveFormat::Zip)),
            (b"PK is a fine name", TEXT),
            (b"\xef\xbb\xbf12:00", Kind::Text { mark_bytes: 3 }),
            (b"\xff\xfe1\0", Kind::Utf16 { order: ByteOrder::Little, mark_bytes: 2 }),
            (b"\xfe\xff\x001", Kind::Utf16 { order: ByteOrder::Big, mark_bytes: 2 }),
            (&[0xff, 0xd8, 0xff, 0xe0], Kind::Other("a JPEG picture")),
            (b"%PDF-1.7", Kind::Other("a PDF document")),
            (&tar, Kind::Archive(ArchiveFormat::Tar)),
            (b"snoop\0\0\0\0\0\0\x02", Kind::Snoop),
            (b"snoop around", TEXT),
            (b"BZh9 is a fine name", TEXT),
            (b"RTSS was here", TEXT),
            (&[7, 0, 0, 0, 1], Kind::Other("binary data of an unknown kind")),
            (b"\x1b[1m[root@node3 ~]# tcpdump\x1b[0m\r\n", TEXT),
            (b"one stray zero byte in a longer text\0 does not matter", TEXT),
            (
                b"1\x002\x00:\x000\x000\x00:\x000\x000\x00",
                Kind::Utf16 { order: ByteOrder::Little, mark_bytes: 0 },
            ),
            (
                b"\x001\x002\x00:\x000\x000\x00:\x000\x000",
                Kind::Utf16 { order: ByteOrder::Big, mark_bytes: 0 },
            ),
            (b"1\x002\x00", Kind::Other("binary data of an unknown kind")),
            (
                b"tcpdump: listening on eth0\n\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0",
                Kind::BehindText { text_bytes: 27 },
            ),
            (
                b"Defaulted container\r\nx\r\n\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a",
                Kind::BehindText { text_bytes: 24 },
            ),
            (b"tcpdump: listening on eth0\n\xd4\xc3\xb2\xa1", TEXT),
            (
                b"iptrace 1.0\0\0\x01\0\x02",
                Kind::Other("an iptrace capture of AIX; convert it with editcap -F pcapng"),
            ),
            (b"iptrace 1.0 was used", TEXT),
            (
                b"TRSNIFF data    \x1a\x01\0\x12",
                Kind::Other("a Sniffer capture; convert it with editcap -F pcapng"),
            ),
            (
                b"XCP\x00001.1\0\0\xf1\x53",
                Kind::Other("a Sniffer capture; convert it with editcap -F pcapng"),
            ),
            (
                b"ObserverPktBufferVersion=15.00\0\0\0\0\0",
                Kind::Other("an Observer capture; convert it with editcap -F pcapng"),
            ),
            (b"\xd6\xd0\xce\xc4 is text in another encoding", TEXT),
            (
                b"tcpdump: listening on eth0\n\x1f\x8b\x08\0\0\0\0\0\0\x03ab",
                Kind::BehindText { text_bytes: 27 },
            ),
            (
                b"#!/usr/bin/env sh\nPK\x03\x04\x14\0\0\0\x08\0\0\0",
                Kind::BehindText { text_bytes: 18 },
            ),
            (b"MZ\x90\0\x03\0\0\0\x04\0\0\0", Kind::Other("a Windows program")),
            (b"MZ is a fine name", TEXT),
            (&event_trace(0x10000), Kind::Other(EVENT_TRACE)),
            (&event_trace(0x10001), Kind::Other(UNKNOWN)),
            (b"", TEXT),
        ];
        for (head, kind) in cases {
            assert_eq!(detect(head), *kind, "{head:02x?}");
        }
        for (magic, name) in foreign::OTHER_FORMATS.iter().filter(|(magic, _)| !magic.is_ascii()) {
            assert_eq!(detect(magic), Kind::Other(name));
        }
    }
}
