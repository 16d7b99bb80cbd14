//! One packet while its lines come in.

mod carried;
mod characters;
mod completeness;
mod continuation;
mod fragment;
mod named_error;
mod outcome;
mod sides;

use super::address::Host;
use super::application::read_application;
use super::columns::{Row, RowReading};
use super::fixed_names::settle_ends;
use super::handshake::find_segment;
use super::icmp::IcmpLines;
use super::ip_header::IpHeader;
use super::line::{Family, Head, Network, read_head};
use super::link::find_audience;
use super::link_cut::{self, ends_within_link};
use super::link_header::find_link_header_bytes;
use super::neighbour::find_arp;
use super::network::{Addressed, Body, Transport, parse_addressed, read_network_text};
use super::pf_log::find_block;
use crate::ingest::hex_dump::{DumpedFrame, HexDump, find_frame};
use crate::model::capture::{Direction, LinkType};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::hop::HopMarks;
use crate::model::packet::{Content, Datagram, LinkAudience};
use crate::model::time::Timestamp;
use characters::Characters;
pub use characters::begins_dump;
pub use completeness::{Completeness, find_completeness};
pub use outcome::Outcome;

const KERBEROS_PORT: u16 = 88;

/// A packet whose first line was read.
#[derive(Debug)]
pub struct Pending {
    pub line: u64,
    pub frame: u64,
    pub at: Timestamp,
    pub interface: u32,
    pub direction: Option<Direction>,
    pub link_audience: LinkAudience,
    /// Why a firewall dropped it, in the firewall's own log.
    pub blocked: Option<Box<str>>,
    /// By the line's first word; names may have addresses of both.
    family: Family,
    /// The line says that it is IP, or ends before it says what it is.
    is_named_ip: bool,
    frame_length: Option<u32>,
    /// Of the link header, where `-e` prints it.
    link_header_bytes: Option<u32>,
    header: Option<IpHeader>,
    stage: Stage,
    body: Vec<String>,
    body_bytes: usize,
    dump: Option<HexDump>,
    /// Where Wireshark's rows are printed with more than one line each.
    row: RowLines,
    /// A blank line stands between the packet and the next line.
    has_gap: bool,
    /// What `-A` printed of the packet so far.
    characters: Option<Characters>,
    /// The command or an IP header in them says that they are `-A`'s.
    are_characters_sure: bool,
    /// Bytes of a SIP body still to come, by its Content-Length.
    sip_bytes_left: usize,
}

#[derive(Debug)]
enum Stage {
    /// `-v` printed the header; the addresses are still to come.
    Header,
    /// `-v` printed labels of MPLS; the packet is still to come.
    Labels,
    Sides {
        source: String,
        destination: String,
        summary: String,
        has_colon: bool,
    },
    Other,
    /// A row of Wireshark's columns. The frame's fields below may name the ports,
    /// where the row itself has none.
    Row {
        row: Box<Row>,
        has_ports: bool,
    },
    /// Read at once: ARP.
    Whole(Content),
    Fault(String),
}

/// What may stand below a row of Wireshark's packet list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowLines {
    /// It is no row.
    None,
    /// The frame's fields, or its bytes.
    Below,
    Fields,
    Bytes,
    /// What was put together from this frame and others, or decrypted.
    MoreBytes,
}

impl Pending {
    /// A packet of which the first line was read: `text` behind its time, `head` of it.
    #[must_use]
    pub fn new(
        line: u64,
        frame: u64,
        at: Timestamp,
        interface: u32,
        head: &Head<'_>,
        text: &str,
    ) -> Self {
        let is_link_cut = matches!(head.network, Network::Other) && ends_within_link(text);
        let (header, stage) = match head.network {
            Network::Labels => (None, Stage::Labels),
            Network::Other if is_link_cut => (None, Stage::Fault(link_cut::MESSAGE.to_owned())),
            Network::Other => {
                let arp = find_arp(text).map(Content::Neighbour);
                (None, arp.map_or(Stage::Other, Stage::Whole))
            }
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
        let family = match head.network {
            Network::Ip { family, .. } => family,
            Network::Labels | Network::Other | Network::Unknown => Family::V4,
        };
        Self {
            direction: head.direction,
            link_audience: find_audience(text),
            blocked: find_block(text),
            family,
            is_named_ip: is_link_cut || matches!(head.network, Network::Ip { .. }),
            frame_length: head.frame_length,
            link_header_bytes: find_link_header_bytes(text),
            ..Self::at_stage(line, frame, at, interface, header, stage)
        }
    }

    /// A packet that one row of Wireshark's packet list tells completely.
    #[must_use]
    pub fn of_row(line: u64, frame: u64, at: Timestamp, row: Row) -> Self {
        let has_ports = row.has_ports();
        let stage = Stage::Row { row: Box::new(row), has_ports };
        Self { row: RowLines::Below, ..Self::at_stage(line, frame, at, 0, None, stage) }
    }

    fn at_stage(
        line: u64,
        frame: u64,
        at: Timestamp,
        interface: u32,
        header: Option<IpHeader>,
        stage: Stage,
    ) -> Self {
        Self {
            line,
            frame,
            at,
            interface,
            direction: None,
            link_audience: LinkAudience::Unknown,
            blocked: None,
            family: Family::V4,
            is_named_ip: false,
            frame_length: None,
            link_header_bytes: None,
            header,
            stage,
            body: Vec::new(),
            body_bytes: 0,
            dump: None,
            row: RowLines::None,
            has_gap: false,
            characters: None,
            are_characters_sure: false,
            sip_bytes_left: 0,
        }
    }

    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        matches!(self.family, Family::V6)
    }

    #[must_use]
    pub const fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Whether the next line has to bring the addresses.
    #[must_use]
    pub const fn waits_for_sides(&self) -> bool {
        matches!(self.stage, Stage::Header)
    }

    /// Whether the last line below it is the header that `-v` prints of a quoted packet: its
    /// ends stand on the next line, indented like the error's own.
    #[must_use]
    pub fn quotes_header(&self) -> bool {
        self.body.last().is_some_and(|line| match read_head(line).network {
            Network::Ip { text, .. } => read_network_text(text).body == Body::OnNextLine,
            Network::Labels | Network::Other | Network::Unknown => false,
        })
    }

    /// Whether it is a packet of IP, so that it may have been of any exchange.
    #[must_use]
    pub const fn is_ip(&self) -> bool {
        self.is_named_ip
    }

    /// IPv4 identification, printed by `-v`.
    #[must_use]
    pub fn identification(&self) -> Option<u16> {
        self.header.and_then(|header| header.identification)
    }

    /// Hop limit and flow label, printed by `-v`.
    #[must_use]
    pub fn hop_marks(&self) -> HopMarks {
        self.header.map_or(HopMarks::UNKNOWN, |header| header.hop_marks)
    }

    /// Notes a line that may belong to a character dump, and to nothing else.
    pub fn note_gap(&mut self, text: &str) {
        self.has_gap = true;
        if let Some(characters) = &mut self.characters {
            characters.count(text);
        }
    }

    /// No line behind belongs to a character dump.
    pub fn end_characters(&mut self) {
        if let Some(characters) = &mut self.characters {
            characters.end();
        }
    }

    /// The packet's bytes, where a hex dump holds them. Its addresses have to be those
    /// of the line: `-vv` dumps single attributes as well, and their bytes may look
    /// like an IP header.
    #[must_use]
    pub fn find_dumped(&self, link_type: Option<LinkType>) -> Option<DumpedFrame<'_>> {
        let dumped = find_frame(self.dump.as_ref()?.bytes(), link_type, self.frame_length)?;
        let is_packet = dumped.addresses().is_none_or(|addresses| self.may_have(addresses));
        is_packet.then_some(dumped)
    }

    /// Whether it is a row of Wireshark's packet list.
    #[must_use]
    pub const fn is_row(&self) -> bool {
        matches!(self.stage, Stage::Row { .. })
    }

    /// What the packet is.
    #[must_use]
    pub fn read(&self) -> Outcome {
        let (source, destination, summary, has_colon) = match &self.stage {
            Stage::Other | Stage::Labels => return Outcome::Other,
            Stage::Whole(content) => return Outcome::Content(content.clone()),
            Stage::Row { row, .. } => {
                return match row.read() {
                    RowReading::Content(content) => Outcome::Content(content),
                    RowReading::Unported(unported) => Outcome::Unported(unported),
                    RowReading::Other => Outcome::Other,
                    RowReading::Fault(message) => Outcome::Fault(message.to_owned()),
                };
            }
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
            Ok(None) => find_segment(source, destination, summary)
                .map_or(Outcome::Other, |segment| Outcome::Content(Content::Segment(segment))),
            Ok(Some(addressed)) => self.read_transport(&addressed, has_colon),
        }
    }

    fn read_transport(&self, addressed: &Addressed<'_>, has_colon: bool) -> Outcome {
        match addressed.transport {
            Transport::Icmp(summary) => self.read_icmp(addressed, summary),
            Transport::Udp { source_port, destination_port, summary } => {
                let (source, destination) = settle_ends(addressed, self.family);
                let flow = FlowKey::udp(
                    Endpoint::new(source.stand_in(self.family), source_port),
                    Endpoint::new(destination.stand_in(self.family), destination_port),
                );
                // tcpdump prints nothing at all of Kerberos version 5.
                let is_silent = [source_port, destination_port].contains(&KERBEROS_PORT);
                if summary.trim().is_empty() && !self.has_header() && !is_silent {
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
                let datagram =
                    Datagram { flow, length, fingerprint: None, is_cut: false, application };
                match (source, destination) {
                    (Host::Address(_), Host::Address(_)) => {
                        Outcome::Content(Content::Datagram(datagram))
                    }
                    (source, destination) => Outcome::Named {
                        datagram,
                        source: source.name(),
                        destination: destination.name(),
                    },
                }
            }
            Transport::Other => Outcome::Other,
        }
    }

    fn icmp_lines<'a>(&'a self, summary: &'a str) -> IcmpLines<'a> {
        IcmpLines { summary, body: &self.body, has_header: self.has_header() }
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
