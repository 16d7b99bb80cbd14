//! Lines that `tcpdump` printed, back to packets.
//!
//! [`Run`] takes the lines of one run in order. A packet may stand on several
//! lines, so each is held back until the next begins.

mod address;
mod application;
mod columns;
mod faults;
mod handshake;
mod hash;
mod hex;
mod icmp;
mod ip_header;
mod line;
mod link;
mod neighbour;
mod network;
mod packet_line;
mod pending;
mod questions;
mod quote;
mod services;
mod timeline;
mod timestamp;

use std::sync::Arc;

use crate::ingest::{CaptureHeader, Event, InterfaceHeader, NamedPacket};
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Application, Content, Datagram, Packet};
use crate::model::time::Timestamp;
use columns::{Row, find_row};
use faults::Faults;
use line::{Network, read_head};
pub use packet_line::looks_like_packet;
use packet_line::{PacketLine, find_packet_line, remove_bold};
use pending::{Outcome, Pending};
use questions::Questions;
pub use timeline::{StampStyle, Timeline};
use timestamp::StampValue;
pub use timestamp::{Stamp, find_stamp};

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Interfaces that one run may name; more share the run's own.
const LIMIT_INTERFACES: usize = 256;
/// What is known of a run before its first packet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Node named by the shell prompt.
    pub node: Option<String>,
    pub interface: Option<String>,
    pub link_type: Option<LinkType>,
    /// The line at which the run begins, counted from 1.
    pub line: u64,
    /// How the command asked for times.
    pub style: StampStyle,
    /// The command has `-v`.
    pub is_verbose: bool,
    /// The command has `-A`.
    pub has_characters: bool,
}

/// One run of tcpdump: a capture of its own.
#[derive(Debug)]
pub struct Run {
    origin: Origin,
    timeline: Timeline,
    clock: Option<Clock>,
    /// Tells whether the run's stamps are dates; an application's log line
    /// seldom has the same form.
    last_stamp: Option<Stamp>,
    /// Names of the interface columns; the first stands for index 1.
    columns: Vec<Arc<str>>,
    frames: u64,
    pending: Option<Pending>,
    faults: Faults,
    last_flow: Option<FlowKey>,
    questions: Questions,
}

impl Run {
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            timeline: Timeline::new(origin.style),
            origin,
            clock: None,
            last_stamp: None,
            columns: Vec::new(),
            frames: 0,
            pending: None,
            faults: Faults::default(),
            last_flow: None,
            questions: Questions::default(),
        }
    }

    /// What tcpdump says about itself (`listening on …`) completes the command.
    pub fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }

    /// Whether a packet line was seen.
    #[must_use]
    pub const fn has_packets(&self) -> bool {
        self.frames > 0
    }

    /// Takes the next line; says whether it belongs to the run.
    pub fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        let text = remove_bold(text);
        if let Some(packet) = find_packet_line(&text)
            && self.begins_packet(&packet, &text)
        {
            self.settle_pending(sink);
            self.begin_packet(line, &packet, sink);
            return true;
        }
        if let Some(row) = find_row(&text) {
            self.settle_pending(sink);
            self.begin_row(line, &row, sink);
            return true;
        }
        self.pending.as_mut().is_some_and(|pending| pending.continue_with(&text, &self.origin))
    }

    /// Notes a blank line or other noise: lines behind it belong to the packet
    /// before only where they clearly do.
    pub fn note_gap(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.note_gap();
        }
    }

    /// Ends the run: hands out the last packet, and the count of faults that
    /// were left out.
    pub fn finish(mut self, sink: Sink<'_>) {
        self.settle_pending(sink);
        if self.clock.is_some() {
            self.faults.finish(sink);
            sink(Event::CaptureEnds);
        }
    }

    /// Ends a run that saw no packet, and of which tcpdump itself says so.
    pub fn finish_empty(mut self, sink: Sink<'_>) {
        self.begin_capture(Clock::None, sink);
        sink(Event::CaptureEnds);
    }

    fn begins_packet(&self, packet: &PacketLine<'_>, text: &str) -> bool {
        match packet.stamp {
            Some(stamp) if packet.is_sure => {
                stamp.has_fraction || packet.rest.trim_start().starts_with("IP")
            }
            // Below a command every time begins a packet, of whatever protocol;
            // later an application's log may follow, in another form.
            Some(stamp) => {
                stamp.has_fraction && self.last_stamp.is_none_or(|last| has_same_form(last, stamp))
            }
            None => {
                let is_timed = self.last_stamp.is_some();
                let is_indented = text.starts_with(char::is_whitespace);
                let nests = |pending: &Pending| pending.may_nest(is_timed, is_indented);
                packet.is_sure && !self.pending.as_ref().is_some_and(nests)
            }
        }
    }

    fn begin_packet(&mut self, line: u64, packet: &PacketLine<'_>, sink: Sink<'_>) {
        let clock = self.timeline.settle(packet.stamp);
        self.begin_capture(clock, sink);
        self.frames += 1;
        self.last_stamp = packet.stamp.or(self.last_stamp);
        let at = self.timeline.place(packet.stamp);
        let head = read_head(packet.rest);
        let interface = head.interface.map_or(0, |name| self.interface_index(name, sink));
        let pending = Pending::new(line, self.frames, at, interface, &head, packet.rest);
        self.origin.is_verbose |= pending.has_header();
        // tcpdump -v spells out the header of ARP too.
        self.origin.is_verbose |=
            matches!(head.network, Network::Other) && packet.rest.contains("ARP, Ethernet (len");
        self.pending = Some(pending);
    }

    /// Wireshark counts its seconds from the first packet of the file.
    fn begin_row(&mut self, line: u64, row: &Row<'_>, sink: Sink<'_>) {
        let clock = self.timeline.settle_relative();
        self.begin_capture(clock, sink);
        self.frames += 1;
        self.last_stamp = Some(row.stamp);
        let at = self.timeline.place(Some(row.stamp));
        self.pending = Some(Pending::of_row(line, self.frames, at, row));
    }

    fn begin_capture(&mut self, clock: Clock, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        self.clock = Some(clock);
        sink(Event::CaptureBegins(CaptureHeader {
            format: CaptureFormat::TcpdumpText,
            clock,
            name: None,
            node: self.origin.node.clone(),
            interface: self.origin.interface.clone(),
            line: Some(self.origin.line),
        }));
        sink(Event::Interface(InterfaceHeader {
            index: 0,
            name: self.origin.interface.clone(),
            link_type: self.origin.link_type,
        }));
    }

    fn interface_index(&mut self, name: &str, sink: Sink<'_>) -> u32 {
        if self.origin.interface.as_deref() == Some(name) {
            return 0;
        }
        let known = self.columns.iter().position(|column| &**column == name);
        let Ok(index) = u32::try_from(known.unwrap_or(self.columns.len()) + 1) else {
            return 0;
        };
        if known.is_none() {
            if self.columns.len() >= LIMIT_INTERFACES {
                return 0;
            }
            self.columns.push(name.into());
            sink(Event::Interface(InterfaceHeader {
                index,
                name: Some(name.to_owned()),
                link_type: None,
            }));
        }
        index
    }

    fn settle_pending(&mut self, sink: Sink<'_>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let (frame, at) = (pending.frame, pending.at);
        if let Some(dumped) = pending.find_dumped(self.origin.link_type) {
            sink(Event::Frame(Frame {
                number: frame,
                at,
                interface: pending.interface,
                link_type: dumped.link_type,
                direction: pending.direction,
                original_length: dumped.original_length,
                bytes: dumped.bytes,
            }));
            return;
        }
        match pending.read() {
            Outcome::Content(content) => self.hand_out(&pending, content, sink),
            Outcome::Named { datagram, source, destination } => {
                let (packet, line) = (packet(&pending, Content::Datagram(datagram)), pending.line);
                let is_ipv6 = Some(pending.is_ipv6());
                sink(Event::NamedPacket(NamedPacket {
                    packet,
                    line,
                    source,
                    destination,
                    is_ipv6,
                }));
            }
            Outcome::Cut(flow) => self.hand_out_cut(&pending, flow, sink),
            Outcome::Other => sink(Event::OtherPacket { frame, at: Some(at) }),
            Outcome::Fault(message) => self.hand_out_fault(&pending, message, at, sink),
        }
    }

    fn hand_out(&mut self, pending: &Pending, content: Content, sink: Sink<'_>) {
        let content = match content {
            Content::Datagram(datagram) => {
                self.last_flow = Some(datagram.flow);
                Content::Datagram(self.questions.check(datagram))
            }
            other @ (Content::IcmpError(_)
            | Content::FragmentsLost(_)
            | Content::Discarded(_)
            | Content::Dropped(_)
            | Content::Neighbour(_)
            | Content::Segment(_)) => other,
        };
        sink(Event::Packet(packet(pending, content)));
    }

    /// A line that ends behind the addresses does not say that it is UDP. It is
    /// read so where the run's last datagram went between the same sockets.
    fn hand_out_cut(&mut self, pending: &Pending, flow: FlowKey, sink: Sink<'_>) {
        let matches = self.last_flow.is_some_and(|last| last == flow || last == flow.reversed());
        if !matches {
            let message = "ends behind the addresses, where the protocol and length should follow; paste the whole line";
            self.hand_out_fault(pending, message.to_owned(), pending.at, sink);
            return;
        }
        let message = "ends behind the addresses; taken for UDP of unknown length, as the line before between these sockets";
        self.faults.report(pending.line, message.to_owned(), sink);
        let application = Application::Unknown { tftp_shape: None };
        let datagram = Datagram { flow, length: 0, fingerprint: None, application };
        self.hand_out(pending, Content::Datagram(datagram), sink);
    }

    fn hand_out_fault(
        &mut self,
        pending: &Pending,
        message: String,
        at: Timestamp,
        sink: Sink<'_>,
    ) {
        self.faults.report(pending.line, message, sink);
        sink(Event::OtherPacket { frame: pending.frame, at: Some(at) });
    }
}

fn packet(pending: &Pending, content: Content) -> Packet {
    Packet {
        frame: pending.frame,
        at: pending.at,
        interface: pending.interface,
        kernel_interface: None,
        direction: pending.direction,
        tunnel: None,
        ip_identification: pending.identification().filter(|id| *id != 0),
        content,
    }
}

const fn has_same_form(one: Stamp, other: Stamp) -> bool {
    matches!(
        (one.value, other.value),
        (StampValue::Date(_), StampValue::Date(_)) | (StampValue::Span(_), StampValue::Span(_))
    )
}

#[cfg(test)]
mod tests;
