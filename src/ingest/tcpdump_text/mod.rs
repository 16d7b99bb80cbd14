//! Lines that `tcpdump` printed, back to packets.
//!
//! [`Run`] takes the lines of one run in order. A packet may stand on several
//! lines, so each is held back until the next begins.

mod address;
mod application;
mod columns;
mod deltas;
mod dialogs;
mod faults;
mod fixed_names;
mod fortigate;
mod fragments;
mod hand_out;
mod hand_out_rows;
mod handshake;
mod icmp;
mod ip_header;
mod line;
mod link;
mod link_header;
mod neighbour;
mod nested;
mod network;
mod packet_line;
mod pending;
mod pf_log;
mod questions;
mod quote;
mod remark;
mod resumption;
mod rows;
mod services;
mod timeline;
mod timestamp;
mod tunnel;

use std::sync::Arc;

use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFilter, CaptureFormat, Clock, LinkType, PointKind};
use crate::model::endpoint::FlowKey;
use crate::model::time::Timestamp;
pub use address::is_address_side;
pub use application::{is_keep_alive, keep_alive, read_sip};
pub use columns::looks_like_row;
use columns::{Row, find_row};
use dialogs::Dialogs;
use faults::Faults;
use fortigate::{Around, find_line};
use fragments::Fragments;
use hand_out_rows::RowsEnd;
use line::{Network, read_head};
use packet_line::{PacketLine, find_packet_line, names_network, remove_bold};
pub use packet_line::{is_timed_packet, is_untimed_packet_line, looks_like_packet};
use pending::Pending;
pub use pending::{Completeness, begins_dump, find_completeness};
use pf_log::find_log;
use questions::Questions;
pub use resumption::Resumption;
use rows::Rows;
pub use services::find_port;
pub use timeline::{StampStyle, Timeline};
use timestamp::StampValue;
pub use timestamp::{Stamp, find_stamp, is_date, is_month};

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
    /// The side of the translation, where the command tells whose network it saw.
    pub point: Option<PointKind>,
    /// The line at which the run begins, counted from 1.
    pub line: u64,
    /// How the command asked for times.
    pub style: StampStyle,
    /// The command has `-v`.
    pub is_verbose: bool,
    /// The command has `-A`.
    pub has_characters: bool,
    /// What the command chooses to show.
    pub filter: Option<CaptureFilter>,
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
    /// Columns before the first packet without a time: what is indented deeper belongs to
    /// the packet above.
    indentation: Option<usize>,
    pending: Option<Pending>,
    faults: Faults,
    last_flow: Option<FlowKey>,
    questions: Questions,
    dialogs: Dialogs,
    rows: Rows,
    /// Number of the first row of Wireshark's packet list.
    first_row: Option<u64>,
    /// A port was told by no row, and the reader was told.
    lacks_ports: bool,
    fragments: Fragments,
    format: CaptureFormat,
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
            indentation: None,
            pending: None,
            faults: Faults::default(),
            last_flow: None,
            questions: Questions::default(),
            dialogs: Dialogs::default(),
            rows: Rows::default(),
            first_row: None,
            lacks_ports: false,
            fragments: Fragments::default(),
            format: CaptureFormat::TcpdumpText,
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

    /// Whether its capture was begun: not before the first packet's time is settled.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.clock.is_some()
    }

    /// Takes the next line; says whether it belongs to the run.
    pub fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        let text = remove_bold(text);
        if let Some(is_ours) = self.push_fortigate(line, &text, sink) {
            return is_ours;
        }
        if let Some(row) = find_row(&text) {
            // The number of a list's first row again: of another list, which is pasted below.
            if self.first_row.is_some_and(|first| first == row.number) {
                return false;
            }
            self.date_first(Some(row.stamp), sink);
            self.settle_pending(sink);
            self.begin_row(line, row, sink);
            return true;
        }
        if let Some(packet) = find_packet_line(&text)
            && self.begins_packet(&packet, &text)
        {
            self.date_first(packet.stamp, sink);
            self.settle_pending(sink);
            if packet.stamp.is_none() {
                self.indentation.get_or_insert_with(|| indentation(&text));
            }
            self.begin_packet(line, &packet, sink);
            return true;
        }
        let Some(pending) = &mut self.pending else { return false };
        let is_part = pending.continue_with(&text, &self.origin);
        // One packet's bytes tell how the next are printed.
        self.origin.has_characters |= pending.has_characters();
        is_part
    }

    /// Whether the next line belongs to the bytes of a packet, whatever it looks like.
    #[must_use]
    pub fn is_inside_characters(&self) -> bool {
        self.pending.as_ref().is_some_and(Pending::is_inside_characters)
    }

    /// Whether a line belongs to the bytes of a packet, though it may be all dots.
    #[must_use]
    pub fn takes_characters(&self, text: &str) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.takes_characters(text))
    }

    /// Whether packets of this run have their bytes below them as characters.
    #[must_use]
    pub const fn has_characters(&self) -> bool {
        self.origin.has_characters
    }

    /// Takes a line of the hex dump below a packet; says whether it is one.
    pub fn push_dump(&mut self, text: &str) -> bool {
        self.pending.as_mut().is_some_and(|pending| pending.push_dump(text))
    }

    /// Takes a packet line of FortiGate. `None` where it is none; false where it
    /// is one, or another program's, and this run is of the other kind.
    fn push_fortigate(&mut self, line: u64, text: &str, sink: Sink<'_>) -> Option<bool> {
        let is_ours = self.format == CaptureFormat::FortigateText;
        let around = if is_ours { Around::Fortigate } else { Around::Unknown };
        let Some(found) = find_line(text, around) else {
            let is_other = is_ours && looks_like_packet(text);
            return is_other.then_some(false);
        };
        let packet = find_packet_line(&found.text)?;
        if !is_ours && self.has_packets() {
            return Some(false);
        }
        self.format = CaptureFormat::FortigateText;
        if found.is_relative {
            self.timeline.settle_relative();
        }
        self.settle_pending(sink);
        self.begin_packet(line, &packet, sink);
        Some(true)
    }

    /// Notes a blank line or other noise: lines behind it belong to the packet
    /// before only where they clearly do.
    pub fn note_gap(&mut self, text: &str) {
        if let Some(pending) = &mut self.pending {
            pending.note_gap(text);
        }
    }

    /// Notes that tcpdump told how much it captured: no bytes of a packet follow.
    pub fn note_end(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.end_characters();
        }
    }

    /// Ends the run: hands out the last packet, and the count of faults that
    /// were left out.
    pub fn finish(mut self, sink: Sink<'_>) {
        self.date_first(None, sink);
        self.settle_pending(sink);
        self.hand_out_rows(RowsEnd::Here, sink);
        self.hand_out_lost(None, sink);
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
            Some(stamp) if packet.is_sure => stamp.has_fraction || names_network(packet.rest),
            // Below a command every time begins a packet, of whatever protocol;
            // later an application's log may follow, in another form.
            Some(stamp) => {
                stamp.has_fraction && self.last_stamp.is_none_or(|last| has_same_form(last, stamp))
            }
            None => {
                let is_timed = self.last_stamp.is_some();
                let is_indented = indentation(text) > self.indentation.unwrap_or(0);
                let nests = |pending: &Pending| {
                    pending.may_nest(is_timed, is_indented)
                        || (pending.waits_for_sides() && !names_network(packet.rest))
                };
                packet.is_sure && !self.pending.as_ref().is_some_and(nests)
            }
        }
    }

    /// The first packet's line may have lost its time, because what is pasted begins within
    /// it: then the next packet's decides what the times of the run are.
    fn date_first(&mut self, next: Option<Stamp>, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        let Some(mut first) = self.pending.take() else { return };
        let clock = self.timeline.settle(next);
        self.begin_capture(clock, sink);
        first.at = self.timeline.clone().place(next);
        self.pending = Some(first);
    }

    fn begin_packet(&mut self, line: u64, packet: &PacketLine<'_>, sink: Sink<'_>) {
        let head = read_head(packet.rest);
        if self.clock.is_none() {
            self.origin.link_type = self.origin.link_type.or_else(|| find_log(packet.rest));
        }
        // A column names an interface, which has to stand in a capture that has begun.
        if packet.stamp.is_some() || head.interface.is_some() || self.has_packets() {
            let clock = self.timeline.settle(packet.stamp);
            self.begin_capture(clock, sink);
        }
        self.frames += 1;
        self.last_stamp = packet.stamp.or(self.last_stamp);
        let at = match self.clock {
            Some(_) => self.place(line, packet.stamp, sink),
            None => Timestamp::EPOCH,
        };
        let interface = head.interface.map_or(0, |name| self.interface_index(name, sink));
        let pending = Pending::new(line, self.frames, at, interface, &head, packet.rest);
        self.origin.is_verbose |= pending.has_header();
        // tcpdump -v spells out the header of ARP too.
        self.origin.is_verbose |=
            matches!(head.network, Network::Other) && packet.rest.contains("ARP, Ethernet (len");
        self.pending = Some(pending);
    }

    /// Wireshark counts its seconds from the first packet of the file, if it shows no
    /// times of day.
    fn begin_row(&mut self, line: u64, row: Row, sink: Sink<'_>) {
        let clock = if row.counts_from_first {
            self.timeline.settle_relative()
        } else {
            self.timeline.settle(Some(row.stamp))
        };
        self.begin_capture(clock, sink);
        self.frames += 1;
        self.first_row.get_or_insert(row.number);
        self.last_stamp = Some(row.stamp);
        let at = self.place(line, Some(row.stamp), sink);
        self.pending = Some(Pending::of_row(line, self.frames, at, row));
    }

    fn place(&mut self, line: u64, stamp: Option<Stamp>, sink: Sink<'_>) -> Timestamp {
        if self.timeline.turns_to_deltas(stamp) {
            let message = "has a smaller time than the packet before: the times are taken for those since the packet before, as `tcpdump -ttt` and `tshark -t d` print them; print times of day to be sure";
            self.faults.report(line, message.to_owned(), sink);
        }
        self.timeline.place(stamp)
    }

    fn begin_capture(&mut self, clock: Clock, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        self.clock = Some(clock);
        sink(Event::CaptureBegins(CaptureHeader {
            format: self.format,
            clock,
            name: None,
            node: self.origin.node.clone(),
            interface: self.origin.interface.clone(),
            point: self.origin.point,
            line: Some(self.origin.line),
            filter: self.origin.filter.clone(),
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
                // Each packet of a log names the interface that it passed.
                link_type: self.origin.link_type.filter(|link_type| link_type.is_log()),
            }));
        }
        index
    }
}

/// Columns of white space before a line's first word; a tab goes on to the next eighth.
fn indentation(text: &str) -> usize {
    let spaces = text.chars().take_while(|c| c.is_whitespace());
    spaces.fold(0, |columns, c| if c == '\t' { columns / 8 * 8 + 8 } else { columns + 1 })
}

const fn has_same_form(one: Stamp, other: Stamp) -> bool {
    matches!(
        (one.value, other.value),
        (StampValue::Date(_), StampValue::Date(_))
            | (StampValue::Span(_), StampValue::Span(_))
            | (StampValue::OfYear(_), StampValue::OfYear(_))
    )
}

#[cfg(test)]
mod tests;
