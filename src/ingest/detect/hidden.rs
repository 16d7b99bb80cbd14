//! Inputs that do not begin with what tells them apart.

use super::{ArchiveFormat, Compression, Kind, MAGIC_BYTES, find_binary_format};
use crate::ingest::byte_order::ByteOrder;

/// The length of the lines before a magic number: what tcpdump and the programs around
/// it say goes into the same stream under `2>&1` and on a terminal. Archives that unpack
/// themselves may begin with a script.
pub fn find_text_before_capture(head: &[u8]) -> Option<usize> {
    let mut rest = head;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end + 1);
        let is_text =
            line.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | b' '..=b'~'));
        if !is_text {
            return None;
        }
        let magic = &behind[..behind.len().min(MAGIC_BYTES)];
        let is_capture = magic.len() == MAGIC_BYTES
            && matches!(
                find_binary_format(magic),
                Some(
                    Kind::Pcap
                        | Kind::Pcapng
                        | Kind::Compressed(Compression::Gzip | Compression::Zstd | Compression::Xz)
                        | Kind::Archive(ArchiveFormat::Zip)
                )
            );
        if is_capture {
            return Some(head.len() - behind.len());
        }
        rest = behind;
    }
    None
}

/// The byte order of UTF-16 text without a mark: of the first characters every other
/// byte is zero, and the rest is printable.
pub fn find_unmarked_utf16(head: &[u8]) -> Option<ByteOrder> {
    const LEAST_BYTES: usize = 16;
    const LOOK_BYTES: usize = 64;
    let look = &head[..head.len().min(LOOK_BYTES) & !1];
    if look.len() < LEAST_BYTES {
        return None;
    }
    let is_text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | b' '..=b'~');
    let are_pairs = |zero: usize, text: usize| {
        look.chunks_exact(2).all(|pair| pair[zero] == 0 && is_text(pair[text]))
    };
    if are_pairs(1, 0) {
        return Some(ByteOrder::Little);
    }
    are_pairs(0, 1).then_some(ByteOrder::Big)
}
