//! The pcap file format, in all variants that libpcap reads: microseconds and
//! nanoseconds, both byte orders, the modified format, the old length order.
//!
//! pcap-parser reads the file header. Record headers are read here: its
//! functions know neither the modified format in big-endian order nor lengths
//! that are swapped.

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
    let header = FileHeader::parse(window.unused())?;
    window.consume(FILE_HEADER_BYTES);
    sink(Event::CaptureBegins(CaptureHeader {
        format: CaptureFormat::Pcap,
        clock: Clock::Absolute,
        node: None,
        interface: None,
        line: None,
    }));
    let link_type = Some(header.link_type);
    sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
    let mut faults = Faults::default();
    for (offset_bytes, message) in &header.oddities {
        let place = Place::Byte(*offset_bytes);
        faults.tell("oddities of the file header", place, || message.clone(), sink);
    }
    if let Err(message) = read_records(window, &header, sink) {
        let place = Place::Byte(window.offset());
        faults.tell("damage", place, || format!("{message}; the capture ends here"), sink);
    }
    sink(Event::CaptureEnds);
    Ok(())
}

/// Reads records until the capture ends; an error says why it ends early.
fn read_records(
    window: &mut Window<'_>,
    header: &FileHeader,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    let mut number = 0;
    loop {
        number += 1;
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
        if let [0xa1, 0xb2, 0xcd, 0x34, ..] = plain {
            // pcap-parser knows this one in the other byte order only
            plain[..4].copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
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
        Ok(Self {
            order: if parsed.is_bigendian() { ByteOrder::Big } else { ByteOrder::Little },
            link_type: LinkType::from(u16::from_le_bytes([low, high])),
            nanoseconds_per_fraction: if parsed.is_nanosecond_precision() { 1 } else { 1_000 },
            record_header_bytes: if is_modified { 24 } else { 16 },
            lengths: match version {
                (2, 0..=2) | (543, _) => Lengths::OriginalFirst,
                (2, 3) => Lengths::ShorterIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            oddities,
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::samples::{Seen, pcap_file, pcap_record, read_all};

    const MICROSECONDS: u32 = 0xa1b2_c3d4;
    const NANOSECONDS: u32 = 0xa1b2_3c4d;
    const MODIFIED: u32 = 0xa1b2_cd34;

    #[test]
    fn all_variants_give_the_same_frame() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for (magic, nanoseconds) in
                [(MICROSECONDS, 123_000), (NANOSECONDS, 123), (MODIFIED, 123_000)]
            {
                let mut file = pcap_file(order, magic, 1);
                let record_header_bytes = if magic == MODIFIED { 24 } else { 16 };
                let mut record = pcap_record(order, 4_000_000_000, 123, b"frame", 60);
                record.splice(16..16, vec![0; record_header_bytes - 16]);
                file.extend(record);
                let (events, outcome) = read_all(&file);
                assert!(outcome.is_ok());
                let at = Timestamp::from_nanoseconds(4_000_000_000_000_000_000 + nanoseconds);
                assert!(
                    matches!(&events[..], [
                        Seen::Begins(CaptureHeader { format: CaptureFormat::Pcap, clock: Clock::Absolute, .. }),
                        Seen::Interface(InterfaceHeader { index: 0, name: None, link_type: Some(LinkType::Ethernet) }),
                        Seen::Frame { number: 1, at: time, interface: 0, link_type: LinkType::Ethernet, direction: None, original_length: 60, bytes },
                        Seen::Ends,
                    ] if bytes == b"frame" && *time == at),
                    "{order:?} {magic:x}: {events:?}"
                );
            }
        }
    }

    #[test]
    fn link_types_are_read_without_what_stands_above_them() {
        let cases = [
            (1, LinkType::Ethernet, None),
            (0x4400_0001, LinkType::Ethernet, None),
            (101, LinkType::RawIp, None),
            (0xf000_0000 | 276, LinkType::LinuxSll2, None),
            (228, LinkType::Ipv4, None),
            (229, LinkType::Ipv6, None),
            (147, LinkType::Other(147), None),
            (
                0x0030_0000,
                LinkType::Null,
                Some("byte 20: reserved bits are set in the link type (0x00300000)"),
            ),
        ];
        for (field, link_type, fault) in cases {
            let (events, outcome) = read_all(&pcap_file(ByteOrder::Big, MICROSECONDS, field));
            assert!(outcome.is_ok());
            assert!(
                matches!(&events[1], Seen::Interface(header) if header.link_type == Some(link_type))
            );
            let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
            assert_eq!(faults, Vec::from_iter(fault), "{field:#x}");
            assert!(matches!(events.last(), Some(Seen::Ends)));
        }
    }

    #[test]
    fn damage_is_located_and_what_came_before_is_delivered() {
        let order = ByteOrder::Little;
        let whole = pcap_record(order, 1, 0, &[7; 60], 60);
        let huge = pcap_record(order, 2, 0, b"", 60)[..8]
            .iter()
            .copied()
            .chain([0xff; 8])
            .collect::<Vec<_>>();
        let cases: [(&str, &[u8], Option<&str>); 5] = [
            ("nothing", &[], None),
            (
                "half a frame",
                &whole[..36],
                Some(
                    "byte 176: frame 3 is cut: its header announces 60 bytes, 20 are there; the capture ends here",
                ),
            ),
            (
                "half a header",
                &whole[..7],
                Some(
                    "byte 176: the header of frame 3 is cut: 16 bytes were expected, 7 are there; the capture ends here",
                ),
            ),
            (
                "a header alone",
                &whole[..16],
                Some(
                    "byte 176: frame 3 is cut: its header announces 60 bytes, 0 are there; the capture ends here",
                ),
            ),
            (
                "a huge length",
                &huge,
                Some(
                    "byte 176: frame 3 is damaged: its header announces 4294967295 bytes, more than any frame has (16777216); the capture ends here",
                ),
            ),
        ];
        for (name, tail, fault) in cases {
            let file = [&pcap_file(order, MICROSECONDS, 1)[..], &whole, &whole, tail].concat();
            let (events, outcome) = read_all(&file);
            assert!(outcome.is_ok(), "{name}");
            assert_eq!(
                events.iter().filter(|event| matches!(event, Seen::Frame { .. })).count(),
                2,
                "{name}"
            );
            let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
            assert_eq!(faults, Vec::from_iter(fault), "{name}");
            assert!(matches!(events.last(), Some(Seen::Ends)), "{name}");
        }
    }

    #[test]
    fn a_cut_file_header_is_an_error_and_a_whole_one_a_capture() {
        let file = pcap_file(ByteOrder::Little, NANOSECONDS, 1);
        for length in 4..file.len() {
            let (events, outcome) = read_all(&file[..length]);
            assert!(events.is_empty());
            assert_eq!(
                outcome.unwrap_err(),
                format!(
                    "it is damaged at byte {length}: the pcap file header is cut: 24 bytes were expected, {length} are there"
                )
            );
        }
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        assert!(matches!(&events[..], [Seen::Begins(_), Seen::Interface(_), Seen::Ends]));
    }

    #[test]
    fn lengths_of_old_versions_are_told_apart() {
        // version, the two length fields, captured and original length
        let cases = [
            ((2, 4), (5, 90), (5, 90)),
            ((2, 2), (90, 5), (5, 90)),
            ((2, 3), (90, 5), (5, 90)),
            ((2, 3), (5, 90), (5, 90)),
            ((543, 0), (90, 5), (5, 90)),
            ((2, 4), (5, 3), (5, 5)),
        ];
        for ((major, minor), (first, second), (captured, original)) in cases {
            let mut file = pcap_file(ByteOrder::Big, MICROSECONDS, 1);
            file[4..6].copy_from_slice(&u16::to_be_bytes(major));
            file[6..8].copy_from_slice(&u16::to_be_bytes(minor));
            let mut record = pcap_record(ByteOrder::Big, 1, 0, b"frame", 0);
            record[8..12].copy_from_slice(&u32::to_be_bytes(first));
            record[12..16].copy_from_slice(&u32::to_be_bytes(second));
            file.extend(record);
            let (events, _) = read_all(&file);
            assert!(
                matches!(&events[2], Seen::Frame { original_length, bytes, .. } if *original_length == original && bytes.len() == captured),
                "{major}.{minor}: {events:?}"
            );
        }
    }

    #[test]
    fn a_frame_larger_than_the_buffer_is_delivered_whole() {
        let frame = vec![0x5a; 3_000_000];
        let mut file = pcap_file(ByteOrder::Little, MICROSECONDS, 229);
        file.extend(pcap_record(ByteOrder::Little, 1, 0, &frame, 3_000_000));
        file.extend(pcap_record(ByteOrder::Little, 1, 0, b"next", 4));
        let (events, outcome) = read_all(&file);
        assert!(outcome.is_ok());
        assert!(matches!(&events[2..], [
            Seen::Frame { bytes, .. }, Seen::Frame { number: 2, .. }, Seen::Ends,
        ] if *bytes == frame));
    }
}
