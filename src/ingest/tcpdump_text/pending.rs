//! One packet while its lines come in.

use super::Origin;
use super::application::read_application;
use super::hex::{DumpedFrame, HexDump, is_hex_line};
use super::icmp::{IcmpReading, parse_icmp};
use super::line::{Head, Network};
use super::network::{
    Addressed, Body, IpHeader, Transport, parse_addressed, read_body, read_network_text,
};
use crate::model::capture::{Direction, LinkType};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Content, Datagram};
use crate::model::time::Timestamp;

/// Lines below a packet that are kept to be read; the rest are passed over.
const LIMIT_BODY_LINES: usize = 200;
const LIMIT_BODY_BYTES: usize = 16_384;

/// A packet whose first line was read.
#[derive(Debug)]
pub struct Pending {
    pub line: u64,
    pub frame: u64,
    pub at: Timestamp,
    pub interface: u32,
    pub direction: Option<Direction>,
    frame_length: Option<u32>,
    header: Option<IpHeader>,
    stage: Stage,
    body: Vec<String>,
    body_bytes: usize,
    dump: Option<HexDump>,
    /// A blank line stands between the packet and the next line.
    has_gap: bool,
    /// The characters of `-A` follow.
    in_characters: bool,
    /// Bytes of a SIP body still to come, by its Content-Length.
    sip_bytes_left: usize,
}

#[derive(Debug)]
enum Stage {
    /// `-v` printed the header; the addresses are still to come.
    Header,
    Sides {
        source: String,
        destination: String,
        summary: String,
        has_colon: bool,
    },
    Other,
    Fault(String),
}

/// What a packet turned out to be.
#[derive(Debug)]
pub enum Outcome {
    Content(Content),
    /// The line ends behind the addresses.
    Cut(FlowKey),
    Other,
    Fault(String),
}

impl Pending {
    #[must_use]
    pub fn new(line: u64, frame: u64, at: Timestamp, interface: u32, head: &Head<'_>) -> Self {
        let (header, stage) = match head.network {
            Network::Other => (None, Stage::Other),
            Network::Unknown => (
                None,
                Stage::Fault(
                    "expected `IP` or `IP6` and two addresses behind the time, as tcpdump prints them, and found something else"
                        .to_owned(),
                ),
            ),
            Network::Ip { text, .. } => {
                let network = read_network_text(text);
                (network.header, Stage::of(network.body))
            }
        };
        Self {
            line,
            frame,
            at,
            interface,
            direction: head.direction,
            frame_length: head.frame_length,
            header,
            stage,
            body: Vec::new(),
            body_bytes: 0,
            dump: None,
            has_gap: false,
            in_characters: false,
            sip_bytes_left: 0,
        }
    }

    #[must_use]
    pub const fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// IPv4 identification, printed by `-v`.
    #[must_use]
    pub fn identification(&self) -> Option<u16> {
        self.header.and_then(|header| header.identification)
    }

    pub fn note_gap(&mut self) {
        self.has_gap = true;
    }

    /// Whether an `IP …` line without a time is part of this packet: the quote
    /// of an ICMP error, or what a tunnel carries.
    #[must_use]
    pub fn may_nest(&self, is_timed: bool, is_indented: bool) -> bool {
        let Stage::Sides { summary, .. } = &self.stage else {
            return is_indented || (is_timed && self.has_header());
        };
        // tcpdump prints what these carry on a line of its own.
        let carries = summary.contains("VXLAN, ") || summary.contains("OTV, ");
        let quotes = ["ICMP", "Geneve", "GRE", "IP "].iter().any(|lead| summary.contains(lead));
        is_indented
            || (carries && self.body.is_empty())
            || (is_timed && (carries || quotes || self.has_header()))
    }

    /// Takes a line below the packet; says whether it belongs to it.
    pub fn continue_with(&mut self, text: &str, origin: &Origin) -> bool {
        let trimmed = text.trim();
        if is_hex_line(trimmed) {
            return self.dump.get_or_insert_default().push(trimmed);
        }
        if matches!(self.stage, Stage::Header)
            && let sides @ Body::Sides { .. } = read_body(trimmed)
        {
            self.stage = Stage::of(sides);
            return true;
        }
        let is_ours = self.is_indented_part(text, origin)
            || self.is_sip_body(trimmed)
            || self.is_character_dump(trimmed, origin)
            || (!self.has_gap && self.is_flattened_part(trimmed, origin))
            || (!self.has_gap && super::line::is_untimed_packet(trimmed));
        if is_ours {
            self.keep(text);
        }
        is_ours
    }

    /// tcpdump indents what belongs to the packet above.
    fn is_indented_part(&self, text: &str, origin: &Origin) -> bool {
        text.starts_with('\t')
            || (text.starts_with(' ') && (origin.is_verbose || self.has_header()))
    }

    /// A SIP message's body may have lost its indentation or its content.
    fn is_sip_body(&mut self, trimmed: &str) -> bool {
        if self.sip_bytes_left == 0 {
            return false;
        }
        self.sip_bytes_left = self.sip_bytes_left.saturating_sub(trimmed.len() + 2);
        true
    }

    /// `-A` prints the packet's bytes as characters, headers and all: `E` is
    /// how an IPv4 header begins, a grave accent is IPv6.
    fn is_character_dump(&mut self, trimmed: &str, origin: &Origin) -> bool {
        let begins = !self.has_gap
            && self.body.is_empty()
            && trimmed.starts_with(['E', '`', 'F'])
            && trimmed.matches('.').count() >= 4
            && trimmed.chars().take(16).all(|c| !c.is_whitespace());
        self.in_characters |= begins;
        self.in_characters && (!self.has_gap || (origin.has_characters && trimmed.is_ascii()))
    }

    /// Articles lose indentation: `Call-ID: …`, `Transmit Timestamp: …`,
    /// `User-Name Attribute (1), length: 14, …` are known by their shape.
    fn is_flattened_part(&self, trimmed: &str, origin: &Origin) -> bool {
        let Stage::Sides { summary, .. } = &self.stage else {
            return false;
        };
        if !origin.is_verbose && !self.has_header() {
            return false;
        }
        let has_fields = ["SIP", "NTPv", "RADIUS", "BOOTP/DHCP", "NBT", "UDP PACKET"]
            .iter()
            .any(|lead| summary.contains(lead));
        let is_start = summary.contains("SIP") && trimmed.contains("SIP/2.0");
        let name = trimmed.split([':', '=', '(', ',']).next().unwrap_or_default();
        let is_field = name.len() < trimmed.len()
            && (1..=40).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'.'));
        has_fields && (is_start || is_field)
    }

    fn keep(&mut self, text: &str) {
        if let Stage::Sides { summary, .. } = &self.stage
            && summary.contains("SIP")
            && let Some((name, length)) = text.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            // No datagram carries more.
            self.sip_bytes_left = length.trim().parse::<usize>().unwrap_or(0).min(65_535);
        }
        if self.body.len() < LIMIT_BODY_LINES
            && self.body_bytes.saturating_add(text.len()) <= LIMIT_BODY_BYTES
        {
            self.body_bytes += text.len();
            self.body.push(text.to_owned());
        }
    }

    /// The packet's bytes, where a hex dump holds them.
    #[must_use]
    pub fn find_dumped(&self, link_type: Option<LinkType>) -> Option<DumpedFrame<'_>> {
        self.dump.as_ref()?.find_frame(link_type, self.frame_length)
    }

    /// What the packet is.
    #[must_use]
    pub fn read(&self) -> Outcome {
        let (source, destination, summary, has_colon) = match &self.stage {
            Stage::Other => return Outcome::Other,
            Stage::Fault(message) => return Outcome::Fault(message.clone()),
            Stage::Header => {
                return Outcome::Fault(
                    "expected the addresses on the next line, and found none; paste the whole packet"
                        .to_owned(),
                );
            }
            Stage::Sides { source, destination, summary, has_colon } => {
                (source, destination, summary, *has_colon)
            }
        };
        match parse_addressed(self.header.as_ref(), source, destination, summary) {
            Err(message) => Outcome::Fault(message),
            Ok(None) => Outcome::Other,
            Ok(Some(addressed)) => self.read_transport(&addressed, has_colon),
        }
    }

    fn read_transport(&self, addressed: &Addressed<'_>, has_colon: bool) -> Outcome {
        let (from, to) = (addressed.source, addressed.destination);
        match addressed.transport {
            Transport::Icmp(summary) => match parse_icmp(from, to, summary, &self.body) {
                Ok(IcmpReading::Error(error)) => Outcome::Content(Content::IcmpError(error)),
                Ok(IcmpReading::Other) => Outcome::Other,
                Err(message) => Outcome::Fault(message),
            },
            Transport::Udp { source_port, destination_port, summary } => {
                let flow = FlowKey::udp(
                    Endpoint::new(from, source_port),
                    Endpoint::new(to, destination_port),
                );
                if summary.trim().is_empty() && !self.has_header() {
                    return if has_colon {
                        Outcome::Cut(flow)
                    } else {
                        Outcome::Fault("ends within the addresses; paste the whole line".to_owned())
                    };
                }
                let reading = read_application(&flow, summary, &self.body);
                // A UDP header has eight bytes.
                let by_header = || self.header?.payload_length?.checked_sub(8);
                let length = reading.length.or_else(by_header).unwrap_or(0);
                let application = reading.application;
                let datagram = Datagram { flow, length, fingerprint: None, application };
                Outcome::Content(Content::Datagram(datagram))
            }
            Transport::Other => Outcome::Other,
        }
    }
}

impl Stage {
    fn of(body: Body<'_>) -> Self {
        match body {
            Body::OnNextLine => Self::Header,
            Body::Sides { source, destination, summary, has_colon } => Self::Sides {
                source: source.to_owned(),
                destination: destination.to_owned(),
                summary: summary.to_owned(),
                has_colon,
            },
            Body::Unreadable(found) => {
                let found: String = found.chars().take(60).collect();
                Self::Fault(format!(
                    "expected `source > destination:`, as tcpdump prints it, and found '{found}'"
                ))
            }
        }
    }
}
