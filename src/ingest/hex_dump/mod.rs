//! Frames that text shows as hex dumps, with or without words about them.
//!
//! Bare dumps are what `text2pcap` takes: each begins at offset 0, and text
//! between them says nothing. Wireshark and `tshark -V -x` print `Frame 1: …` and
//! the packet's fields before the dump, of which the time is read. Cisco's classic IOS
//! prints addresses in memory instead of offsets.

mod caption;
mod dump;
mod fields;
mod frame;
mod head;
mod ios;
mod layer;
pub mod pairs;

use super::tcpdump_text::{Timeline, looks_like_row};
use super::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock, Frame, LinkType};
use crate::model::packet::{Content, Packet};
use crate::model::time::Timestamp;
pub use caption::Caption;
use caption::{find_end_offset, split_time};
pub use dump::{HexDump, find_dump_line};
use fields::Fields;
pub use fields::find_ports;
pub use frame::{DumpedFrame, find_frame};
use head::{FrameHead, find_epoch, find_head};
use ios::{MemoryRows, find_ios_head, find_row};

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Bytes that the first line of a bare dump has to show: those of an Ethernet header.
const LEAST_BYTES: usize = 14;

/// A row of dumps: a capture of its own.
#[derive(Debug, Default)]
pub struct HexRun {
    first_line: u64,
    is_open: bool,
    frames: u64,
    /// Dumps before the first that is a frame.
    early: u64,
    pending: Option<Pending>,
    /// Frames of which neither bytes nor fields were printed.
    without_bytes: u64,
    last_at: Option<Timestamp>,
    /// What the line above the next bare dump says.
    caption: Caption,
    /// Of the times that stand above bare dumps.
    timeline: Option<Timeline>,
}

/// A frame while its lines come in.
#[derive(Debug, Default)]
struct Pending {
    head: Option<FrameHead>,
    at: Option<Timestamp>,
    dump: HexDump,
    /// What is printed of the frame's fields.
    fields: Fields,
    /// Of a bare dump.
    caption: Caption,
    /// Of a dump of classic IOS.
    rows: Option<MemoryRows>,
    /// Another dump of the same frame has begun: what was put together from
    /// several frames, or decrypted.
    is_whole: bool,
}

/// Whether a row of dumps begins with this line.
#[must_use]
pub fn begins_dumps(text: &str) -> bool {
    find_head(text).is_some()
        || find_ios_head(text).is_some()
        || begins_bare_dump(text)
        || split_time(text).is_some_and(|(_, dump)| begins_bare_dump(dump))
}

fn begins_bare_dump(text: &str) -> bool {
    find_dump_line(text).is_some_and(|line| line.offset == 0 && line.count() >= LEAST_BYTES)
}

/// Whether Wireshark prints the fields of a frame below this line.
#[must_use]
pub fn begins_fields(text: &str) -> bool {
    find_head(text).is_some()
}

impl HexRun {
    /// A row that begins at `first_line`, below a line that says `caption`.
    #[must_use]
    pub fn new(first_line: u64, caption: Caption) -> Self {
        Self { first_line, caption, ..Self::default() }
    }

    /// Takes the next line; says whether it is a frame's. Others may stand
    /// between frames, and between the fields of one.
    pub fn push(&mut self, text: &str, sink: Sink<'_>) -> bool {
        if let Some(head) = find_head(text) {
            self.settle(sink);
            self.pending = Some(Pending { head: Some(head), ..Pending::default() });
            return true;
        }
        if let Some(caption) = find_ios_head(text) {
            self.settle(sink);
            let rows = Some(MemoryRows::default());
            self.pending = Some(Pending { caption, rows, ..Pending::default() });
            return true;
        }
        if let Some(Pending { rows: Some(rows), dump, .. }) = &mut self.pending
            && let Some((address, bytes)) = find_row(text)
        {
            if rows.goes_on(address, bytes.len()) {
                dump.push_bytes(&bytes);
            }
            return true;
        }
        if let Some(line) = find_dump_line(text) {
            self.push_dump(line.offset, text, sink);
            return true;
        }
        // A row of the packet list begins a packet of its own.
        if looks_like_row(text) {
            self.settle(sink);
            return false;
        }
        if let Some((caption, dump)) = split_time(text)
            && begins_bare_dump(dump)
        {
            self.settle(sink);
            self.caption = caption;
            self.push_dump(0, dump, sink);
            return true;
        }
        if let Some(pending) = &mut self.pending
            && pending.dump.take_repetition(text, find_end_offset(text))
        {
            return true;
        }
        if let Some(caption) = Caption::read(text)
            && self.pending.as_ref().is_none_or(|pending| pending.head.is_none())
        {
            self.caption = caption;
        }
        let Some(pending) = &mut self.pending else { return false };
        if pending.head.is_none() {
            if text.trim().is_empty() {
                return true;
            }
            self.settle(sink);
            return false;
        }
        if let Some(at) = find_epoch(text) {
            pending.at = Some(at);
            return true;
        }
        pending.fields.push(text);
        text.starts_with(char::is_whitespace) || text.is_empty()
    }

    /// Ends the row; says whether any dump was a frame.
    pub fn finish(mut self, sink: Sink<'_>) -> bool {
        self.settle(sink);
        if self.is_open {
            if self.without_bytes > 0 {
                sink(Event::Note(format!(
                    "{} frames were printed without their bytes and without addresses and ports that could be read",
                    self.without_bytes
                )));
            }
            sink(Event::CaptureEnds);
        }
        self.is_open
    }

    fn push_dump(&mut self, offset: usize, text: &str, sink: Sink<'_>) {
        let begins_again =
            self.pending.as_ref().is_some_and(|pending| !pending.dump.bytes().is_empty());
        let has_head = self.pending.as_ref().is_some_and(|pending| pending.head.is_some());
        if offset == 0 && begins_again && !has_head {
            self.settle(sink);
        }
        let caption =
            if offset == 0 { std::mem::take(&mut self.caption) } else { Caption::default() };
        let pending = self.pending.get_or_insert_with(|| Pending { caption, ..Pending::default() });
        pending.is_whole |= offset == 0 && begins_again && has_head;
        if !pending.is_whole {
            pending.dump.push(text);
        }
    }

    fn settle(&mut self, sink: Sink<'_>) {
        let Some(mut pending) = self.pending.take() else { return };
        if pending.head.is_none() && pending.caption.is_derived {
            return;
        }
        let length = pending.head.map(|head| head.length);
        let bytes = pending.dump.bytes();
        let found = find_frame(bytes, None, length).filter(|found| {
            // Text can begin like an IP header; then its length does not fit.
            let is_exact = usize::try_from(found.original_length) == Ok(bytes.len());
            found.link_type != LinkType::RawIp || is_exact
        });
        let Some(found) = found else {
            if let Some(content) = pending.fields.find_content() {
                self.hand_out(content, pending.at, sink);
            } else {
                let lacks_bytes = pending.head.is_some() && bytes.is_empty();
                self.without_bytes += u64::from(lacks_bytes);
                self.pass_over(pending.at, sink);
            }
            return;
        };
        let mut clock = if pending.at.is_some() { Clock::Absolute } else { Clock::None };
        if let Some(stamp) = pending.caption.stamp.filter(|_| pending.head.is_none()) {
            let style = pending.caption.style;
            let timeline = self.timeline.get_or_insert_with(|| Timeline::new(style));
            clock = timeline.settle(Some(stamp));
            pending.at = Some(timeline.place(Some(stamp)));
        }
        self.open(Some(found.link_type), (pending.at, clock), sink);
        self.frames += 1;
        self.last_at = pending.at.or(self.last_at);
        sink(Event::Frame(Frame {
            number: self.frames,
            at: self.last_at.unwrap_or(Timestamp::EPOCH),
            interface: 0,
            link_type: found.link_type,
            direction: None,
            original_length: found.original_length,
            bytes: found.bytes,
        }));
    }

    /// Hands out what the fields of a frame tell.
    fn hand_out(&mut self, content: Content, at: Option<Timestamp>, sink: Sink<'_>) {
        let clock = if at.is_some() { Clock::Absolute } else { Clock::None };
        self.open(None, (at, clock), sink);
        self.frames += 1;
        self.last_at = at.or(self.last_at);
        let at = self.last_at.unwrap_or(Timestamp::EPOCH);
        sink(Event::Packet(Packet::without_headers(self.frames, at, 0, content)));
    }

    /// A dump that is no frame we know has a number among those that are, and its time.
    fn pass_over(&mut self, at: Option<Timestamp>, sink: Sink<'_>) {
        if self.is_open {
            self.frames += 1;
            self.last_at = at.or(self.last_at);
            sink(Event::OtherPacket { frame: self.frames, at: self.last_at });
        } else {
            self.early += 1;
        }
    }

    fn open(
        &mut self,
        link_type: Option<LinkType>,
        (at, clock): (Option<Timestamp>, Clock),
        sink: Sink<'_>,
    ) {
        if std::mem::replace(&mut self.is_open, true) {
            return;
        }
        sink(Event::CaptureBegins(CaptureHeader {
            line: Some(self.first_line),
            ..CaptureHeader::of(CaptureFormat::HexDump, clock)
        }));
        sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type }));
        for _ in 0..std::mem::take(&mut self.early) {
            self.frames += 1;
            sink(Event::OtherPacket { frame: self.frames, at });
        }
    }
}

#[cfg(test)]
mod tests;
