//! Which lines below a packet's first belong to it.

use super::super::Origin;
use super::super::line::{Network, is_untimed_packet, read_head};
use super::super::network::{Body, read_body, read_network_text};
use super::characters::{Characters, begins_dump, may_begin_dump};
use super::{Outcome, Pending, RowLines, Stage};
use crate::ingest::hex_dump::{begins_fields, find_dump_line, find_ports};
use crate::model::packet::Content;

/// Lines below a packet that are kept to be read; the rest are passed over.
const LIMIT_BODY_LINES: usize = 200;
const LIMIT_BODY_BYTES: usize = 16_384;

impl Pending {
    /// Whether an `IP …` line without a time is part of this packet: the quote
    /// of an ICMP error, or what a tunnel carries.
    #[must_use]
    pub fn may_nest(&self, is_timed: bool, is_indented: bool) -> bool {
        let Stage::Sides { summary, .. } = &self.stage else {
            let waits = matches!(self.stage, Stage::Labels);
            return is_indented || waits || (is_timed && self.has_header());
        };
        // tcpdump prints what these carry on a line of its own.
        let last = self.body.last().unwrap_or(summary);
        let carries = last.contains("VXLAN, ") || last.contains("OTV, ");
        let quotes = ["ICMP", "Geneve", "GRE", "IP "].iter().any(|lead| summary.contains(lead));
        is_indented
            || carries
            || (is_timed && (!self.body.is_empty() || quotes || self.has_header()))
    }

    /// Takes a line below the packet; says whether it belongs to it.
    pub fn continue_with(&mut self, text: &str, origin: &Origin) -> bool {
        let trimmed = text.trim();
        if self.is_inside_characters() {
            self.is_character_dump(text, origin);
            self.keep(text);
            return true;
        }
        if self.push_dump(text) || self.is_field_of_row(text) {
            return true;
        }
        if matches!(self.stage, Stage::Header)
            && let sides @ Body::Sides { .. } = read_body(trimmed)
        {
            self.stage = Stage::of(sides);
            return true;
        }
        if matches!(self.stage, Stage::Labels) {
            return self.push_labelled(trimmed);
        }
        let is_ours = (self.characters.is_some() && self.is_character_dump(text, origin))
            || self.is_indented_part(text, origin)
            || self.is_sip_body(trimmed)
            || self.is_character_dump(text, origin)
            || (!self.has_gap && self.is_flattened_part(trimmed, origin))
            || (!self.has_gap && is_untimed_packet(trimmed));
        if is_ours {
            self.keep(text);
        }
        is_ours
    }

    /// Takes a line behind labels of MPLS: more of them, or the packet.
    fn push_labelled(&mut self, trimmed: &str) -> bool {
        if trimmed.starts_with("(label ") {
            return true;
        }
        let Network::Ip { family, text } = read_head(trimmed).network else { return false };
        let network = read_network_text(text);
        (self.family, self.is_named_ip) = (family, true);
        (self.header, self.stage) = (network.header, Stage::of(network.body));
        true
    }

    /// Takes a line of the hex dump; says whether it is one. Of the dumps below a
    /// row the first is the frame itself.
    pub fn push_dump(&mut self, text: &str) -> bool {
        let Some(line) = find_dump_line(text) else { return false };
        if is_attribute(text) {
            return true;
        }
        let has_begun = self.dump.is_some();
        if !line.is_marked && !has_begun && line.offset > 0 {
            return false;
        }
        self.row = match self.row {
            RowLines::None => RowLines::None,
            RowLines::Bytes if line.offset == 0 => RowLines::MoreBytes,
            RowLines::MoreBytes => RowLines::MoreBytes,
            RowLines::Below | RowLines::Fields | RowLines::Bytes => RowLines::Bytes,
        };
        self.row == RowLines::MoreBytes || self.dump.get_or_insert_default().push(text)
    }

    /// What `tshark -V` and Wireshark's export print below a row: the fields of
    /// all layers, and names over the dumps.
    fn is_field_of_row(&mut self, text: &str) -> bool {
        let trimmed = text.trim();
        if self.row == RowLines::Below && begins_fields(trimmed) {
            self.row = RowLines::Fields;
        }
        match self.row {
            RowLines::None => false,
            RowLines::Fields => {
                if let Stage::Row { row, has_ports: false } = &mut self.stage
                    && let Some(ports) = find_ports(trimmed)
                {
                    // Of a tunnel the innermost, whose addresses the row shows.
                    row.set_ports(ports);
                }
                true
            }
            // Fields may go on behind the bytes of one of them.
            RowLines::Below | RowLines::Bytes | RowLines::MoreBytes => {
                trimmed.ends_with("bytes):")
                    || (self.row != RowLines::Below && text.starts_with(' '))
            }
        }
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

    /// Whether the next line is a character dump's, whatever it looks like.
    #[must_use]
    pub fn is_inside_characters(&self) -> bool {
        self.characters.is_some_and(|characters| characters.is_inside())
    }

    /// Whether the next line is a character dump's, or begins one.
    #[must_use]
    pub fn takes_characters(&self, text: &str) -> bool {
        self.is_inside_characters()
            || (self.characters.is_none() && !self.has_gap && begins_dump(text))
    }

    /// Whether the packet's bytes were surely printed as characters.
    #[must_use]
    pub const fn has_characters(&self) -> bool {
        self.characters.is_some() && self.are_characters_sure
    }

    /// `-A` prints the packet's bytes as characters, most of them dots. Where neither
    /// the command nor a header says so, a gap ends them.
    fn is_character_dump(&mut self, text: &str, origin: &Origin) -> bool {
        if self.characters.is_none() {
            // What `-v` prints of the packet stands before them, and is indented.
            let follows =
                (!self.has_gap || origin.has_characters) && !text.starts_with(char::is_whitespace);
            self.are_characters_sure = follows && (origin.has_characters || begins_dump(text));
            let may_begin = follows && self.body.is_empty() && may_begin_dump(text);
            if !self.are_characters_sure && !may_begin {
                return false;
            }
            self.characters = Some(Characters::new(self.find_packet_bytes()));
        }
        let goes_on = text.is_ascii() && (self.are_characters_sure || !self.has_gap);
        let Some(characters) = self.characters.as_mut().filter(|dump| dump.may_go_on()) else {
            return false;
        };
        if goes_on {
            characters.count(text);
        }
        goes_on
    }

    /// Bytes of the IP packet, where the line tells them.
    fn find_packet_bytes(&self) -> Option<usize> {
        let header_bytes = if self.is_ipv6() { 40 } else { 20 };
        let by_header = self.header.and_then(|header| header.payload_length);
        let by_datagram = || match self.read() {
            // A UDP header has eight bytes. No length is printed as zero.
            Outcome::Content(Content::Datagram(datagram)) if datagram.length > 0 => {
                Some(datagram.length.saturating_add(8))
            }
            _ => None,
        };
        let payload = usize::try_from(by_header.or_else(by_datagram)?).ok()?;
        Some(payload.saturating_add(header_bytes))
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
}

/// Whether a line of a hex dump shows a single attribute: tcpdump's `-vv` indents
/// those by a tab and spaces (`print_unknown_data`), a packet by a tab alone.
fn is_attribute(text: &str) -> bool {
    let indentation = text.get(..text.len() - text.trim_start().len()).unwrap_or_default();
    indentation.contains('\t') && indentation.ends_with(' ')
}
