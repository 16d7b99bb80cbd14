//! Captures as lists of frames that a test may change, and write again.

use replyscope::ingest::{self, Event};
use replyscope::model::capture::LinkType;

/// A capture in memory.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    /// Name, where the capture says it, and the registered link type.
    pub interfaces: Vec<(Option<String>, u16)>,
    pub frames: Vec<RawFrame>,
}

#[derive(Debug, Clone)]
pub struct RawFrame {
    pub at_ns: i64,
    pub interface: u32,
    pub original_length: u32,
    pub bytes: Vec<u8>,
}

/// What a capture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pcap,
    Pcapng,
}

impl Frames {
    /// Reads pcap or pcapng.
    pub fn read(bytes: &[u8]) -> Self {
        let mut capture = Self::default();
        let limits = ingest::Limits { expanded_bytes: 1 << 30 };
        ingest::read(&mut &*bytes, &limits, &mut |event| match event {
            Event::Interface(header) => {
                assert_eq!(header.index as usize, capture.interfaces.len());
                capture.interfaces.push((header.name, number_of(header.link_type.unwrap())));
            }
            Event::Frame(frame) => capture.frames.push(RawFrame {
                at_ns: frame.at.as_nanoseconds(),
                interface: frame.interface,
                original_length: frame.original_length,
                bytes: frame.bytes.to_vec(),
            }),
            _ => {}
        })
        .unwrap();
        capture
    }

    pub fn link_type(&self, frame: &RawFrame) -> u16 {
        self.interfaces[frame.interface as usize].1
    }

    /// The same interfaces with other frames.
    pub fn with(&self, frames: Vec<RawFrame>) -> Self {
        Self { interfaces: self.interfaces.clone(), frames }
    }

    /// The same frames by their times.
    pub fn in_order(&self) -> Self {
        let mut sorted = self.clone();
        sorted.frames.sort_by_key(|frame| frame.at_ns);
        sorted
    }

    /// The same interfaces with each frame changed.
    pub fn map(&self, change: impl Fn(&RawFrame, u16) -> RawFrame) -> Self {
        self.with(self.frames.iter().map(|frame| change(frame, self.link_type(frame))).collect())
    }

    /// The bytes of a file. Pcap where that can hold it.
    pub fn write(&self, format: Format) -> Vec<u8> {
        match (format, &self.interfaces[..]) {
            (Format::Pcap, [(None, link_type)]) => self.write_pcap(*link_type),
            _ => self.write_pcapng(),
        }
    }

    fn write_pcap(&self, link_type: u16) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, u32::from(link_type)] {
            out.extend(word.to_le_bytes());
        }
        for frame in &self.frames {
            let seconds = u32::try_from(frame.at_ns / 1_000_000_000).unwrap();
            let rest = u32::try_from(frame.at_ns % 1_000_000_000).unwrap();
            let length = u32::try_from(frame.bytes.len()).unwrap();
            for word in [seconds, rest, length, frame.original_length] {
                out.extend(word.to_le_bytes());
            }
            out.extend(&frame.bytes);
        }
        out
    }

    fn write_pcapng(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let section: Vec<u8> = words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
        block(&mut out, 0x0a0d_0d0a, &section);
        for (name, link_type) in &self.interfaces {
            let mut body: Vec<u8> = words(&[u32::from(*link_type), 262_144]);
            if let Some(name) = name {
                option(&mut body, 2, name.as_bytes());
            }
            // Nanoseconds.
            option(&mut body, 9, &[9]);
            option(&mut body, 0, &[]);
            block(&mut out, 1, &body);
        }
        for frame in &self.frames {
            let at = u64::try_from(frame.at_ns).unwrap();
            let (high, low) = (at >> 32, at & 0xffff_ffff);
            let mut body: Vec<u8> = words(&[
                frame.interface,
                u32::try_from(high).unwrap(),
                u32::try_from(low).unwrap(),
                u32::try_from(frame.bytes.len()).unwrap(),
                frame.original_length,
            ]);
            body.extend(&frame.bytes);
            block(&mut out, 6, &body);
        }
        out
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len().next_multiple_of(4) + 12).unwrap();
    out.extend(kind.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(body);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(length.to_le_bytes());
}

fn number_of(link_type: LinkType) -> u16 {
    (0..=u16::MAX).find(|number| LinkType::from(*number) == link_type).unwrap()
}

/// Where the IP packet of a frame begins; `None` where it carries none.
pub fn find_ip(bytes: &[u8], link_type: u16) -> Option<usize> {
    let (type_at, mut ip_at) = match link_type {
        1 => (12, 14),
        113 => (14, 16),
        276 => (0, 20),
        101 => return Some(0),
        other => panic!("link type {other} is not among the scenarios'"),
    };
    let mut kind = u16::from_be_bytes(bytes.get(type_at..type_at + 2)?.try_into().unwrap());
    while kind == 0x8100 {
        kind = u16::from_be_bytes(bytes.get(ip_at + 2..ip_at + 4)?.try_into().unwrap());
        ip_at += 4;
    }
    matches!(kind, 0x0800 | 0x86dd).then_some(ip_at)
}
