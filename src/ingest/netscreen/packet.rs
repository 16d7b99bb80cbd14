//! One packet of a trace while its lines come in.

use std::net::IpAddr;

use super::head::Head;
use super::icmp;
use crate::ingest::hex_dump::pairs::{find_pair, read_pairs};
use crate::model::capture::{Direction, LinkType};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Application, Content, Datagram, IcmpError, IcmpKind};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

const BYTES_PER_LINE: usize = 16;
/// Blanks before a line in words; hex has as many, or more on wireless interfaces.
const INDENTATION: usize = 8;
/// Lines in words that one packet has; more belong to something else.
const LIMIT_WORD_LINES: usize = 8;
const ICMP: u8 = 1;
const UDP: u8 = 17;

/// A packet whose head was read.
#[derive(Debug)]
pub struct Pending {
    pub line: u64,
    pub frame: u64,
    pub at: Timestamp,
    pub interface: String,
    pub direction: Direction,
    /// Of the frame on the wire, in bytes.
    pub length: u32,
    link_destination: Option<[u8; 6]>,
    bytes: Vec<u8>,
    is_broken: bool,
    word_lines: usize,
    sides: Option<(IpAddr, IpAddr, u8)>,
    ports: Option<(u16, u16, u32)>,
    /// Type and code.
    icmp: Option<(u8, u8)>,
}

/// What a line below a head is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Taken,
    /// The packet ends.
    Blank,
    /// No packet has such a line.
    Foreign,
    /// It should be hex, and is not, or not all of it.
    Damaged(String),
}

/// What a packet turned out to be.
#[derive(Debug)]
pub enum Reading<'a> {
    Bytes {
        bytes: &'a [u8],
        link_type: LinkType,
    },
    /// Without its bytes, as its lines in words tell it.
    Words(Content),
    Other,
}

impl Pending {
    #[must_use]
    pub fn new(line: u64, frame: u64, head: Head<'_>) -> Self {
        Self {
            line,
            frame,
            at: head.at,
            interface: head.interface.to_owned(),
            direction: head.direction,
            length: head.length,
            link_destination: head.link_destination,
            bytes: Vec::new(),
            is_broken: false,
            word_lines: 0,
            sides: None,
            ports: None,
            icmp: None,
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, text: &str) -> Line {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Line::Blank;
        }
        if is_hex(trimmed) {
            return self.push_hex(trimmed);
        }
        let indentation = text.len() - text.trim_start().len();
        if indentation < INDENTATION {
            return Line::Foreign;
        }
        if !self.bytes.is_empty() {
            return self.break_off("expected 16 bytes in hex, as in the line before");
        }
        self.word_lines += 1;
        if self.word_lines > LIMIT_WORD_LINES {
            return Line::Foreign;
        }
        self.read_words(trimmed);
        Line::Taken
    }

    fn push_hex(&mut self, trimmed: &str) -> Line {
        if self.is_broken {
            return Line::Taken;
        }
        let pairs = read_pairs(trimmed, BYTES_PER_LINE);
        let announced = usize::try_from(self.length).unwrap_or(usize::MAX);
        let room = announced.saturating_sub(self.bytes.len());
        let fits = pairs.bytes.len() <= room;
        self.bytes.extend(pairs.bytes.iter().take(room));
        if !fits {
            return self.break_off("holds more bytes than the head announces");
        }
        if pairs.is_damaged {
            return self.break_off("expected pairs of hex digits, with one space between them");
        }
        // A line of fewer bytes is the last one.
        if pairs.bytes.len() < BYTES_PER_LINE && self.bytes.len() < announced {
            return self.break_off("holds fewer than 16 bytes, and is not the last line");
        }
        Line::Taken
    }

    /// Whether fewer bytes came than the head announces.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let captured = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        !self.is_broken && (1..self.length).contains(&captured)
    }

    /// What follows in this packet has no place any more.
    fn break_off(&mut self, why: &str) -> Line {
        if std::mem::replace(&mut self.is_broken, true) {
            return Line::Taken;
        }
        Line::Damaged(format!("{why}; frame {} ends there", self.frame))
    }

    /// `172.23.7.10 -> 172.19.1.35/17`, `udp:ports 49304->1719, len=39`.
    fn read_words(&mut self, text: &str) {
        if let Some((source, rest)) = text.split_once(" -> ")
            && let Some((destination, protocol)) = rest.rsplit_once('/')
            && let (Ok(source), Ok(destination), Ok(protocol)) =
                (source.trim().parse(), destination.trim().parse(), protocol.trim().parse())
        {
            self.sides = Some((source, destination, protocol));
        }
        self.icmp = self.icmp.or_else(|| icmp::find_message(text));
        if let Some(rest) = text.strip_prefix("udp:ports ")
            && let Some((source, rest)) = rest.split_once("->")
            && let Some((destination, length)) = rest.split_once(", len=")
            && let (Ok(source), Ok(destination), Ok(length)) =
                (source.parse(), destination.parse(), length.trim().parse())
        {
            self.ports = Some((source, destination, length));
        }
    }

    /// What the packet is.
    #[must_use]
    pub fn read(&self) -> Reading<'_> {
        if let Some(link_type) = self.find_link_type() {
            return Reading::Bytes { bytes: &self.bytes, link_type };
        }
        if let (Some((from, to, ICMP)), Some((message, code))) = (self.sides, self.icmp) {
            let kind = IcmpKind::of_v4(message, code);
            return kind.map_or(Reading::Other, |kind| {
                Reading::Words(Content::IcmpError(IcmpError {
                    kind,
                    from,
                    to,
                    quote: None,
                    fingerprint: None,
                }))
            });
        }
        let (Some((source, destination, UDP)), Some(ports)) = (self.sides, self.ports) else {
            return Reading::Other;
        };
        let (source_port, destination_port, length) = ports;
        let flow = FlowKey::udp(
            Endpoint::new(source, source_port),
            Endpoint::new(destination, destination_port),
        );
        let application = Protocol::of_flow(&flow)
            .map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
        // ScreenOS prints the length of the UDP header's field, which counts the
        // eight bytes of that header.
        let length = length.saturating_sub(8);
        Reading::Words(Content::Datagram(Datagram {
            flow,
            length,
            fingerprint: None,
            is_cut: false,
            application,
        }))
    }

    /// What the bytes begin with; `None` where there are none. Only names of
    /// interfaces tell serial lines, and whether an ADSL line carries Ethernet
    /// shows in its first bytes: wiretap's netscreen.c reads traces the same way.
    #[must_use]
    pub fn find_link_type(&self) -> Option<LinkType> {
        let first = self.bytes.first()?;
        let goes_to = |address: [u8; 6]| self.bytes.starts_with(&address);
        let is_bridged = self.link_destination.is_some_and(goes_to);
        let is_raw = self.link_destination.is_none() && matches!(first >> 4, 4 | 6);
        Some(match &self.interface {
            name if name.starts_with("seri") => LinkType::Ppp,
            name if name.starts_with("adsl") && !is_bridged => LinkType::Ppp,
            name if name.starts_with("tun") && is_raw => LinkType::RawIp,
            _ => LinkType::Ethernet,
        })
    }
}

/// Whether a line shows bytes, even where the first of them is damaged: words
/// do not look like several pairs.
fn is_hex(trimmed: &str) -> bool {
    let mut pairs = trimmed.split(' ').take(4).map(|word| find_pair(word).is_some());
    pairs.next() == Some(true) || pairs.filter(|is_pair| *is_pair).count() >= 2
}
