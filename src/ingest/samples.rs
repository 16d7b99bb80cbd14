//! Captures made byte by byte, and the events that they give: for tests.

use std::io::{Read, Write};

use super::byte_order::ByteOrder;
use super::detect::Compression;
use super::{CaptureHeader, Event, InterfaceHeader, Limits};
use crate::model::capture::{Direction, LinkType};
use crate::model::input::{Fault, InputErrorKind};
use crate::model::time::Timestamp;

/// An event with its own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Begins(CaptureHeader),
    Interface(InterfaceHeader),
    Frame {
        number: u64,
        at: Timestamp,
        interface: u32,
        link_type: LinkType,
        direction: Option<Direction>,
        original_length: u32,
        bytes: Vec<u8>,
    },
    Dropped {
        interface: u32,
        packets: u64,
    },
    Listened {
        interface: u32,
        until: Timestamp,
    },
    Note(String),
    Fault(Fault),
    Ends,
    /// What only text gives.
    Text(String),
}

impl Seen {
    fn of(event: Event<'_>) -> Self {
        match event {
            Event::CaptureBegins(header) => Self::Begins(header),
            Event::Interface(header) => Self::Interface(header),
            Event::Frame(frame) => Self::Frame {
                number: frame.number,
                at: frame.at,
                interface: frame.interface,
                link_type: frame.link_type,
                direction: frame.direction,
                original_length: frame.original_length,
                bytes: frame.bytes.to_vec(),
            },
            Event::Dropped { interface, packets } => Self::Dropped { interface, packets },
            Event::Listened { interface, until } => Self::Listened { interface, until },
            Event::Note(note) => Self::Note(note),
            Event::Fault(fault) => Self::Fault(fault),
            Event::CaptureEnds => Self::Ends,
            event @ (Event::Packet(_)
            | Event::NamedPacket(_)
            | Event::Fact(_)
            | Event::ServerLog(_)
            | Event::OtherPacket { .. }
            | Event::Unread { .. }
            | Event::Inventory(_)) => Self::Text(format!("{event:?}")),
        }
    }

    pub fn is_frame(&self) -> bool {
        matches!(self, Self::Frame { .. })
    }

    /// The text of a fault.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Fault(fault) => Some(fault.to_string()),
            _ => None,
        }
    }
}

/// Yields one byte at a time.
pub struct OneByte<'a>(pub &'a [u8]);

impl Read for OneByte<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = into.len().min(1);
        self.0.read(&mut into[..length])
    }
}

pub fn read_from(
    input: &mut dyn Read,
    expanded_bytes: u64,
) -> (Vec<Seen>, Result<(), InputErrorKind>) {
    let mut events = Vec::new();
    let outcome =
        super::read(input, &Limits { expanded_bytes }, &mut |event| events.push(Seen::of(event)));
    (events, outcome)
}

/// All events of an input, and its error as text.
pub fn read_all(input: &[u8]) -> (Vec<Seen>, Result<(), String>) {
    let (events, outcome) = read_from(&mut &*input, 1 << 30);
    (events, outcome.map_err(|error| error.to_string()))
}

/// Bytes that do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// `content`, compressed.
pub fn compressed(compression: Compression, content: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => gzipped(content),
        Compression::Zstd => zstandard(content),
        Compression::Xz => {
            let options = lzma_rust2::XzOptions::with_preset(1);
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
            writer.write_all(content).unwrap();
            writer.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Lz4 => {
            let frame = lz4_flex::frame::FrameInfo::new()
                .block_size(lz4_flex::frame::BlockSize::Max64KB)
                .content_checksum(true);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        }
    }
}

pub fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn zstandard(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

pub fn utf16(text: &str, order: ByteOrder) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| two(order, unit)).collect()
}

pub fn two(order: ByteOrder, value: u16) -> [u8; 2] {
    match order {
        ByteOrder::Little => value.to_le_bytes(),
        ByteOrder::Big => value.to_be_bytes(),
    }
}

pub fn four(order: ByteOrder, value: u32) -> [u8; 4] {
    match order {
        ByteOrder::Little => value.to_le_bytes(),
        ByteOrder::Big => value.to_be_bytes(),
    }
}

/// A pcap file header.
pub fn pcap_file(order: ByteOrder, magic: u32, link_type: u32) -> Vec<u8> {
    let versions = [two(order, 2), two(order, 4)].concat();
    let rest = [0, 0, 262_144, link_type].map(|field| four(order, field)).concat();
    [&four(order, magic)[..], &versions, &rest].concat()
}

/// A pcap record with its header of 16 bytes.
pub fn pcap_record(
    order: ByteOrder,
    seconds: u32,
    fraction: u32,
    frame: &[u8],
    original_length: u32,
) -> Vec<u8> {
    let captured_length = u32::try_from(frame.len()).unwrap();
    let header =
        [seconds, fraction, captured_length, original_length].map(|field| four(order, field));
    [&header.concat()[..], frame].concat()
}

/// A pcapng block around `content`, which is padded.
pub fn block(order: ByteOrder, kind: u32, content: &[u8]) -> Vec<u8> {
    let padded = content.len().next_multiple_of(4);
    let length = four(order, u32::try_from(padded + 12).unwrap());
    let padding = vec![0; padded - content.len()];
    [&four(order, kind)[..], &length, content, &padding, &length].concat()
}

pub fn section_header(order: ByteOrder) -> Vec<u8> {
    let content = [
        &four(order, 0x1a2b_3c4d)[..],
        &two(order, 1),
        &two(order, 0),
        &[0xff; 8], // section length unknown
    ];
    block(order, 0x0a0d_0d0a, &content.concat())
}

/// An interface description; `options` as [`option`] makes them.
pub fn interface(
    order: ByteOrder,
    link_type: u16,
    snap_length_bytes: u32,
    options: &[u8],
) -> Vec<u8> {
    let content =
        [&two(order, link_type)[..], &[0, 0], &four(order, snap_length_bytes), options].concat();
    block(order, 1, &content)
}

pub fn option(order: ByteOrder, code: u16, value: &[u8]) -> Vec<u8> {
    let length = two(order, u16::try_from(value.len()).unwrap());
    let mut option = [&two(order, code)[..], &length, value].concat();
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

/// An enhanced packet block.
pub fn packet(
    order: ByteOrder,
    interface: u32,
    ticks: u64,
    frame: &[u8],
    options: &[u8],
) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap();
    let high = u32::try_from(ticks >> 32).unwrap();
    let low = u32::try_from(ticks & 0xffff_ffff).unwrap();
    let fields = [interface, high, low, length, length + 100].map(|field| four(order, field));
    let mut content = [&fields.concat()[..], frame].concat();
    content.resize(content.len().next_multiple_of(4), 0);
    content.extend(options);
    block(order, 6, &content)
}
