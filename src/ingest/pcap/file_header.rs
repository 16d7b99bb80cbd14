//! A pcap file's header, and how it has the headers of its records read.

use super::{FILE_HEADER_BYTES, FRAME_MAX_BYTES, PLAIN_RECORD_HEADER_BYTES};
use crate::ingest::byte_order::ByteOrder;
use crate::model::capture::LinkType;
use crate::model::input::InputErrorKind;
use crate::model::time::Timestamp;

const MICROSECONDS: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];
const NANOSECONDS: [u8; 4] = [0xa1, 0xb2, 0x3c, 0x4d];

/// The largest frame that libpcap writes on links that carry IP.
const PLAUSIBLE_BYTES: u32 = 256 * 1024;
/// Two frames of one capture in a row are seldom further apart: a day.
const FAR_NS: u64 = 24 * 60 * 60 * 1_000_000_000;

/// What the file header says.
pub struct FileHeader {
    /// Ixia's has the length of the whole file behind what all have.
    pub length_bytes: usize,
    order: ByteOrder,
    /// Bytes of a frame that are captured at most; zero where nobody limits them.
    snap_length_bytes: u32,
    pub link_type: LinkType,
    pub nanoseconds_per_fraction: i64,
    pub record_header_bytes: usize,
    lengths: Lengths,
    /// Byte offset and message of what is strange and still readable.
    pub oddities: Vec<(u64, String)>,
}

/// In which order a record header has its two lengths. Captures of pcap 2.2
/// and before have the original length first, and those of 2.3 may; libpcap
/// reads them by these rules too.
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    ShorterIsCaptured,
}

/// What the header of a record says.
pub struct Record {
    pub at: Timestamp,
    /// Of its time, in the unit of the file.
    fraction: i64,
    pub captured_length: u32,
    /// On the wire; less than what was captured only where it is damaged or wrong.
    pub original_length: u32,
}

impl Record {
    /// Whether its time is more than a day from `other`.
    pub fn is_far_from(&self, other: Timestamp) -> bool {
        self.at.as_nanoseconds().abs_diff(other.as_nanoseconds()) > FAR_NS
    }
}

impl FileHeader {
    /// Reads the header that `bytes` begin with; they stand at `begin` in the stream.
    ///
    /// # Errors
    ///
    /// Where it is cut.
    pub fn parse(bytes: &[u8], begin: u64) -> Result<Self, InputErrorKind> {
        let Some(header) = bytes.first_chunk::<FILE_HEADER_BYTES>() else {
            return Err(InputErrorKind::Damaged {
                message: format!(
                    "the pcap file header is cut: {FILE_HEADER_BYTES} bytes were expected, {} are there",
                    bytes.len()
                ),
                offset_bytes: begin + bytes.len() as u64,
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
                offset_bytes: begin,
            })?;
        let mut oddities = Vec::new();
        let version = (parsed.version_major, parsed.version_minor);
        if !matches!(version, (2, _) | (543, 0)) {
            let (major, minor) = version;
            oddities.push((
                begin + 4,
                format!("the file header names pcap version {major}.{minor}; 2.4 was expected"),
            ));
        }
        // The upper half has the length of the frame check sequence (four
        // bits), a flag that it is there, and reserved bits.
        let [low, high, reserved, check_length] = parsed.network.0.to_le_bytes();
        if reserved != 0 || check_length & 0x03 != 0 {
            oddities.push((
                begin + 20,
                format!("reserved bits are set in the link type ({:#010x})", parsed.network.0),
            ));
        }
        let number = u16::from_le_bytes([low, high]);
        let aix_link_type = find_aix_link_type(number).filter(|_| version == (2, 2));
        Ok(Self {
            length_bytes: if is_ixia { FILE_HEADER_BYTES + 4 } else { FILE_HEADER_BYTES },
            order: if parsed.is_bigendian() { ByteOrder::Big } else { ByteOrder::Little },
            snap_length_bytes: parsed.snaplen,
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

    /// Whether a header is one that a capture has here: no longer than its snap
    /// length, and its time within a day of `last_at`.
    pub fn is_plausible(&self, record: &Record, last_at: Option<Timestamp>) -> bool {
        let limit_bytes = match self.snap_length_bytes {
            0 => PLAUSIBLE_BYTES,
            snap_length => snap_length.min(PLAUSIBLE_BYTES),
        };
        (1..=limit_bytes).contains(&record.captured_length)
            && (record.captured_length..=FRAME_MAX_BYTES).contains(&record.original_length)
            && record.fraction * self.nanoseconds_per_fraction < 1_000_000_000
            && last_at.is_none_or(|last_at| !record.is_far_from(last_at))
    }

    /// The record that `bytes` begin with; `None` where its header is cut.
    #[inline]
    pub fn find_record(&self, bytes: &[u8]) -> Option<Record> {
        let [seconds, fraction, first, second] = self.order.u32s(*bytes.first_chunk()?);
        let (seconds, fraction) = (i64::from(seconds), i64::from(fraction));
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
            fraction,
            captured_length,
            original_length,
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
