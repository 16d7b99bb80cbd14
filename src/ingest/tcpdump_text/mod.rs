//! Lines that `tcpdump` printed, back to packets.
//!
//! [`Run`] takes the lines of one run in order. A packet may stand on several
//! lines, so each is held back until the next begins.

mod address;
mod application;
mod begin;
mod columns;
mod deltas;
mod dialogs;
mod faults;
mod fixed_names;
mod foreign;
mod fortigate;
mod fragments;
mod hand_out;
mod hand_out_rows;
mod handshake;
mod icmp;
mod ip_header;
mod line;
mod link;
mod link_cut;
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

use crate::ingest::Event;
use crate::model::capture::{CaptureFilter, CaptureFormat, Clock, LinkType, PointKind};
use crate::model::endpoint::FlowKey;
pub use address::is_address_side;
pub use application::{is_keep_alive, keep_alive, read_sip};
use columns::find_row;
pub use columns::looks_like_row;
use dialogs::Dialogs;
use faults::Faults;
use fortigate::{Around, find_line};
use fragments::Fragments;
use hand_out_rows::RowsEnd;
use packet_line::{find_packet_line, remove_bold};
pub use packet_line::{is_timed_packet, is_untimed_packet_line, looks_like_packet};
use pending::Pending;
pub use pending::{Completeness, begins_dump, find_completeness};
use questions::Questions;
pub use resumption::Resumption;
use rows::Rows;
pub use services::find_port;
pub use timeline::{StampStyle, Timeline};
use timestamp::StampValue;
pub use timestamp::{Stamp, find_stamp, is_date, is_month, split_month};

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

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
    /// Packets before it, while none had a time.
    early: Vec<Pending>,
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
            early: Vec::new(),
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
            if !self.hold_early(&packet) {
                self.date_first(packet.stamp, sink);
                self.settle_pending(sink);
            }
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
