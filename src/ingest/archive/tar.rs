//! Tar archives: POSIX (ustar and pax), GNU, and the form before both.
//!
//! The tar crate reads the fields of headers. The walk from header to header is
//! ours: the crate's own keeps names of any length, and whole maps of sparse
//! files, in memory.

use std::borrow::Cow;
use std::io::Read;

use ::tar::{EntryType, Header, PaxExtensions};

use super::Flow;
use super::content::Content;
use super::entries::{Entries, is_by_product};
use crate::ingest::pcap::explain_end;
use crate::ingest::window::Window;

const BLOCK_BYTES: usize = 512;

/// The largest long name or set of pax records that is read; a larger one is
/// skipped. Linux allows names of 4 KiB.
const EXTENSION_MAX_BYTES: u64 = 1024 * 1024;

/// Reads all entries; an error says why the archive ends early.
pub fn read(window: &mut Window<'_>, entries: &mut Entries<'_>) -> Result<(), String> {
    let mut extensions = Extensions::default();
    let mut has_ended = false;
    loop {
        if !window.ensure(BLOCK_BYTES) {
            return if has_ended {
                Ok(())
            } else {
                explain_end(window, || "a header is cut: 512 bytes were expected".to_owned())
            };
        }
        let Some(block) = window.unused().first_chunk::<BLOCK_BYTES>() else { return Ok(()) };
        if block.iter().all(|byte| *byte == 0) {
            // Two such blocks end an archive, but some have another behind it.
            has_ended = true;
            window.consume(BLOCK_BYTES);
            continue;
        }
        if !has_checksum(block) {
            if has_ended {
                window.skip(u64::MAX); // padding that is not zero
                return Ok(());
            }
            return Err("a header is damaged: its checksum is wrong".to_owned());
        }
        has_ended = false;
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        window.consume(BLOCK_BYTES);
        if let Flow::Stop = read_entry(window, &header, &mut extensions, entries)? {
            return Ok(());
        }
    }
}

/// Whether `block` is a header with the right checksum: the sum of its bytes,
/// where those of the checksum itself count as spaces.
pub fn has_checksum(block: &[u8; BLOCK_BYTES]) -> bool {
    let mut header = Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    // An empty field reads as zero, which no sum is.
    header.cksum().is_ok_and(|stated| stated == sum)
}

/// What headers say about the entry that follows them.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    size_bytes: Option<u64>,
    is_sparse: bool,
}

impl Extensions {
    /// Takes over pax records: POSIX.1-2017, pax, "Extended Header".
    fn take_pax(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).map_while(Result::ok) {
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    self.size_bytes = record.value().ok().and_then(|size| size.parse().ok());
                }
                key => self.is_sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
    }
}

fn read_entry(
    window: &mut Window<'_>,
    header: &Header,
    extensions: &mut Extensions,
    entries: &mut Entries<'_>,
) -> Result<Flow, String> {
    let kind = header.entry_type();
    let stated = find_size(header, kind)?;
    if kind == EntryType::GNUSparse && !skip_sparse_maps(window, header) {
        return Err("the map of a sparse file is cut".to_owned());
    }
    if is_extension(kind) {
        let mut content = Content::new(window, stated);
        if stated <= EXTENSION_MAX_BYTES {
            let mut value = Vec::new();
            // A cut is told by the skipping below.
            let _ = content.read_to_end(&mut value);
            match kind {
                EntryType::GNULongName => {
                    value.truncate(value.iter().position(|b| *b == 0).unwrap_or(value.len()));
                    extensions.name = Some(value);
                }
                EntryType::XHeader => extensions.take_pax(&value),
                _ => {}
            }
        }
        return if content.skip_rest(padding_bytes(stated)) {
            Ok(Flow::Continue)
        } else {
            Err("a long name is cut".to_owned())
        };
    }
    let extensions = std::mem::take(extensions);
    let name = extensions.name.map_or_else(|| header.path_bytes(), Cow::Owned);
    let size_bytes = extensions.size_bytes.unwrap_or(stated);
    let mut content = Content::new(window, size_bytes);
    let flow = match kind {
        EntryType::Regular | EntryType::Continuous if is_by_product(&name) || size_bytes == 0 => {
            Flow::Continue
        }
        EntryType::Regular | EntryType::Continuous if !extensions.is_sparse => {
            entries.read(&name, &mut content)
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            entries.pass_over(&name, "stored as a sparse file; pack it without --sparse")
        }
        _ => Flow::Continue, // directories, links, devices
    };
    if let Flow::Stop = flow {
        return Ok(Flow::Stop);
    }
    if content.skip_rest(padding_bytes(size_bytes)) {
        Ok(Flow::Continue)
    } else {
        let name = crate::ingest::label::label(&name);
        Err(format!("entry '{name}' is cut: {size_bytes} bytes were expected"))
    }
}

/// The size of the content in bytes. An empty field is 0: GNU tar writes none for a
/// volume's label. A file has one.
fn find_size(header: &Header, kind: EntryType) -> Result<u64, String> {
    let field = header.as_bytes().get(124..136).unwrap_or(&[]);
    let is_empty = field.iter().all(|byte| matches!(byte, 0 | b' '));
    let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
    if is_empty && !is_file {
        return Ok(0);
    }
    header.entry_size().map_err(|error| format!("a header is damaged: {error}"))
}

/// Moves past the blocks between the header of GNU tar's older sparse files and their
/// content: the header has room for four pieces of a file, such a block for 21 more, and
/// each says whether another follows. False where the archive ends before.
fn skip_sparse_maps(window: &mut Window<'_>, header: &Header) -> bool {
    let mut is_extended = header.as_bytes().get(482).is_some_and(|flag| *flag != 0);
    while is_extended {
        if !window.ensure(BLOCK_BYTES) {
            return false;
        }
        is_extended = window.unused().get(504).is_some_and(|flag| *flag != 0);
        window.consume(BLOCK_BYTES);
    }
    true
}

/// Whether a header only says more about the next one, or about all.
fn is_extension(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::XHeader
            | EntryType::XGlobalHeader
    )
}

/// Content is filled up to whole blocks.
fn padding_bytes(size_bytes: u64) -> u64 {
    size_bytes.wrapping_neg() % BLOCK_BYTES as u64
}
