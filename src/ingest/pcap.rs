//! The pcap file format, in all variants that libpcap reads: microseconds and
//! nanoseconds, both byte orders, the modified format, the old length order;
//! and those of AIX, Ixia and Nokia, which Wireshark reads too.
//!
//! pcap-parser reads the file header. Record headers are read here: its
//! functions know neither the modified format in big-endian order nor lengths
//! that are swapped.

mod nokia;

use super::byte_order::ByteOrder;
use super::faults::Faults;
use super::window::Window;
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::input::{InputErrorKind, Place};
use crate::model::time::Timestamp;

/// The largest frame that is believed. libpcap's own bound is 256 KiB for most
/// link types and 128 MiB for USB; no packet on any network comes near this.
pub const FRAME_MAX_BYTES: u32 = 16 * 1024 * 1024;

const FILE_HEADER_BYTES: usize = 24;
const PLAIN_RECORD_HEADER_BYTES: usize = 16;

const MICROSECONDS: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];
const NANOSECONDS: [u8; 4] = [0xa1, 0xb2, 0x3c, 0x4d];

/// Reads a pcap capture to its end.
///
/// # Errors
///
/// Where the file header is cut. Damage after it is a fault, and ends the capture.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    window.ensure(FILE_HEADER_BYTES);
    let mut header = FileHeader::parse(window.unused())?;
    window.skip(header.length_bytes as u64);
    header.find_nokia(window);
    sink(Event::CaptureBegins(CaptureHeader {
        format: CaptureFormat::Pcap,
        clock: Clock::Absolute,
        name: None,
        node: None,
        interface: None,
        point: None,
        line: None,
    }));
    let link_type = Some(header.link_type);
    sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
    let mut faults = Faults::default();
    for (offset_bytes, message) in &header.oddities {
        let place = Place::Byte(*offset_bytes);
        faults.tell("oddities of the file header", place, || message.clone(), sink);
    }
    let mut frames = 0;
    if let Err(message) = read_records(window, &header, &mut frames, sink) {
        let place = Place::Byte(window.offset());
        faults.tell("damage", place, || format!("{message}; {}", explain_last(frames)), sink);
    }
    sink(Event::CaptureEnds);
    Ok(())
}

/// Where a capture that breaks off ends, by the frames that it had.
pub fn explain_last(frames: u64) -> String {
    match frames {
        0 => "the capture ends here, before its first frame".to_owned(),
        last => format!("the capture ends here, after frame {last}"),
    }
}

/// Reads records until the capture ends; an error says why it ends early.
fn read_records(
    window: &mut Window<'_>,
    header: &FileHeader,
    frames: &mut u64,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    loop {
        let number = *frames + 1;
        if !window.ensure(header.record_header_bytes) {
            return explain_end(window, || {
                format!(
                    "the header of frame {number} is cut: {} bytes were expected",
                    header.record_header_bytes
                )
            });
        }
        let Some(record) = header.find_record(window.unused()) else {
            return Ok(()); // not reached: the header is there
        };
        if record.captured_length > FRAME_MAX_BYTES {
            return Err(format!(
                "frame {number} is damaged: its header announces {} bytes, more than any frame has ({FRAME_MAX_BYTES})",
                record.captured_length
            ));
        }
        let captured_length = usize::try_from(record.captured_length).unwrap_or(usize::MAX);
        let record_bytes = header.record_header_bytes + captured_length;
        if !window.ensure(record_bytes) {
            let there = window.unused().len().saturating_sub(header.record_header_bytes);
            return match window.failure() {
                Some(failure) => Err(failure.to_string()),
                None => Err(format!(
                    "frame {number} is cut: its header announces {captured_length} bytes, {there} are there"
                )),
            };
        }
        sink(Event::Frame(Frame {
            number,
            at: record.at,
            interface: 0,
            link_type: header.link_type,
            direction: None,
            original_length: record.original_length,
            bytes: &window.unused()[header.record_header_bytes..record_bytes],
        }));
        *frames = number;
        window.consume(record_bytes);
    }
}

/// Why the stream has no further bytes: an error unless it ends where a
/// capture may end. `cut` says what is incomplete.
pub fn explain_end(window: &Window<'_>, cut: impl FnOnce() -> String) -> Result<(), String> {
    match (window.failure(), window.unused().len()) {
        (Some(failure), _) => Err(failure.to_string()),
        (None, 0) => Ok(()),
        (None, there) => Err(format!("{}, {there} are there", cut())),
    }
}

/// What the file header says.
struct FileHeader {
    /// Ixia's has the length of the whole file behind what all have.
    length_bytes: usize,
    order: ByteOrder,
    link_type: LinkType,
    nanoseconds_per_fraction: i64,
    record_header_bytes: usize,
    lengths: Lengths,
    /// Byte offset and message of what is strange and still readable.
    oddities: Vec<(u64, String)>,
}

/// In which order a record header has its two lengths. Captures of pcap 2.2
/// and before have the original length first, and those of 2.3 may; libpcap
/// reads them by these rules too.
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    ShorterIsCaptured,
}

struct Record {
    at: Timestamp,
    captured_length: u32,
    original_length: u32,
}

impl FileHeader {
    fn parse(bytes: &[u8]) -> Result<Self, InputErrorKind> {
        let Some(header) = bytes.first_chunk::<FILE_HEADER_BYTES>() else {
            return Err(InputErrorKind::Damaged {
                message: format!(
                    "the pcap file header is cut: {FILE_HEADER_BYTES} bytes were expected, {} are there",
                    bytes.len()
                ),
                offset_bytes: bytes.len() as u64,
            });
        };
        let mut plain = *header;
        let is_modified =
            matches!(plain, [0xa1, 0xb2, 0xcd, 0x34, ..] | [0x34, 0xcd, 0xb2, 0xa1, ..]);
        let is_ixia =
            matches!(plain, [0x1c, 0, 1, 0xab | 0xac, ..] | [0xab | 0xac, 1, 0, 0x1c, ..]);
        // pcap-parser knows neither these nor the modified format in both orders.
        match plain {
            [0xa1, 0xb2, 0xcd, 0x34, ..] => plain[..4].copy_from_slice(&MICROSECONDS),
            [0x1c, ..] => plain[..4].copy_from_slice(&NANOSECONDS),
            [_, 1, 0, 0x1c, ..] => {
                plain[..4].copy_from_slice(&NANOSECONDS);
                plain[..4].reverse();
            }
            _ => {}
        }
        let (_, parsed) =
            pcap_parser::parse_pcap_header(&plain).map_err(|_| InputErrorKind::Damaged {
                message: "the pcap file header cannot be read".to_owned(),
                offset_bytes: 0,
            })?;
        let mut oddities = Vec::new();
        let version = (parsed.version_major, parsed.version_minor);
        if !matches!(version, (2, _) | (543, 0)) {
            let (major, minor) = version;
            oddities.push((
                4,
                format!("the file header names pcap version {major}.{minor}; 2.4 was expected"),
            ));
        }
        // The upper half has the length of the frame check sequence (four
        // bits), a flag that it is there, and reserved bits.
        let [low, high, reserved, check_length] = parsed.network.0.to_le_bytes();
        if reserved != 0 || check_length & 0x03 != 0 {
            oddities.push((
                20,
                format!("reserved bits are set in the link type ({:#010x})", parsed.network.0),
            ));
        }
        let number = u16::from_le_bytes([low, high]);
        let aix_link_type = find_aix_link_type(number).filter(|_| version == (2, 2));
        Ok(Self {
            length_bytes: if is_ixia { FILE_HEADER_BYTES + 4 } else { FILE_HEADER_BYTES },
            order: if parsed.is_bigendian() { ByteOrder::Big } else { ByteOrder::Little },
            link_type: aix_link_type.unwrap_or_else(|| LinkType::from(number)),
            nanoseconds_per_fraction: if parsed.is_nanosecond_precision() || aix_link_type.is_some()
            {
                1
            } else {
                1_000
            },
            record_header_bytes: if is_modified { 24 } else { PLAIN_RECORD_HEADER_BYTES },
            lengths: match version {
                _ if aix_link_type.is_some() => Lengths::ShorterIsCaptured,
                (2, 0..=2) | (543, _) => Lengths::OriginalFirst,
                (2, 3) => Lengths::ShorterIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            oddities,
        })
    }

    /// Nokia's firewalls put four bytes between the header of a record and its
    /// frame, and say so nowhere: the first frame shows it.
    fn find_nokia(&mut self, window: &mut Window<'_>) {
        let is_plain = self.record_header_bytes == PLAIN_RECORD_HEADER_BYTES
            && self.link_type == LinkType::Ethernet
            && self.nanoseconds_per_fraction == 1_000;
        if !is_plain || !window.ensure(PLAIN_RECORD_HEADER_BYTES) {
            return;
        }
        let Some(record) = self.find_record(window.unused()) else { return };
        let length = usize::try_from(record.captured_length).unwrap_or(usize::MAX);
        // No more is waited for than the first record needs anyway.
        let wanted = length.min(nokia::LOOK_BYTES);
        if window.ensure(PLAIN_RECORD_HEADER_BYTES + wanted)
            && let Some(frame) = window.unused().get(PLAIN_RECORD_HEADER_BYTES..)
            && nokia::is_shifted(&frame[..frame.len().min(wanted)], record.original_length)
        {
            self.record_header_bytes = nokia::RECORD_HEADER_BYTES;
        }
    }

    fn find_record(&self, bytes: &[u8]) -> Option<Record> {
        let seconds = i64::from(self.order.find_u32(bytes, 0)?);
        let fraction = i64::from(self.order.find_u32(bytes, 4)?);
        let first = self.order.find_u32(bytes, 8)?;
        let second = self.order.find_u32(bytes, 12)?;
        let (captured_length, original_length) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::ShorterIsCaptured => (first.min(second), first.max(second)),
        };
        Some(Record {
            // Both fields are unsigned 32-bit numbers: their sum fits.
            at: Timestamp::from_nanoseconds(
                seconds * 1_000_000_000 + fraction * self.nanoseconds_per_fraction,
            ),
            captured_length,
            original_length: original_length.max(captured_length),
        })
    }
}

/// AIX names links by the interface types of RFC 1213, calls its files version
/// 2.2 and counts nanoseconds. No other capture of that version has been made
/// since 1993, and none on these links.
fn find_aix_link_type(number: u16) -> Option<LinkType> {
    Some(match number {
        6 => LinkType::Ethernet,
        9 => LinkType::Other(6),   // token ring
        15 => LinkType::Other(10), // FDDI
        24 => LinkType::Null,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
