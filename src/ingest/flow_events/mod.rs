//! What Cilium tells of packets: `hubble observe` and `cilium monitor`.
//!
//! Both show one packet at several observation points, and neither its
//! payload. [`FlowRun`] makes packets of it: each once (`passing`), on the side
//! of the translation on which its exchange is seen whole (`sides`), and notes
//! of what was dropped (`drops`).

mod drops;
mod event;
mod hand_out;
mod hubble_dict;
mod hubble_json;
mod hubble_line;
mod json_objects;
mod monitor_block;
mod monitor_line;
mod packets;
mod passing;
mod sides;

use std::collections::HashSet;
use std::net::IpAddr;

use crate::ingest::tcpdump_text::{Stamp, StampStyle, Timeline};
use crate::ingest::{CaptureHeader, Event};
use crate::model::capture::{CaptureFormat, Clock};
use crate::model::input::{Fault, Place};
use crate::model::topology::{AddressFact, FactSource, Role};
use drops::Drops;
use event::{Carries, Fate, FlowEvent};
use hubble_dict::{DictEvent, DictLine, begins_dict};
use hubble_json::{JsonLine, find_spread_event, looks_like_json, parse_json, program_of};
use json_objects::{JsonObject, JsonObjects, PushedLine, begins_json};
use monitor_block::{EndedBlock, MonitorBlock, begins_block};
use passing::{Passing, Waiting};
use sides::Sides;

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Faults that are told one by one.
const LIMIT_FAULTS: u64 = 100;
/// Pods whose addresses are remembered, so that each is told once.
const LIMIT_PODS: usize = 100_000;

/// A run of one of the two programs: a capture of its own.
#[derive(Debug)]
pub struct FlowRun {
    format: CaptureFormat,
    node: Option<String>,
    first_line: u64,
    timeline: Timeline,
    clock: Option<Clock>,
    frames: u64,
    objects: JsonObjects,
    has_json: bool,
    dict: DictEvent,
    block: MonitorBlock,
    passing: Passing,
    sides: Sides,
    drops: Drops,
    pods: HashSet<IpAddr>,
    /// The interfaces that were told, by side.
    told: [bool; 2],
    faults: u64,
    /// What was found before the first event, whose time opens the capture.
    early_lost: u64,
    early_faults: Vec<Fault>,
}

/// Whether a line begins a run, and of which program.
#[must_use]
pub fn find_program(text: &str) -> Option<CaptureFormat> {
    let is_hubble = hubble_line::find_compact(text).is_some_and(|event| event.stamp.is_some())
        || hubble_line::find_row(text).is_some()
        || hubble_line::is_header(text)
        || begins_dict(text);
    if is_hubble {
        return Some(CaptureFormat::Hubble);
    }
    if looks_like_json(text) {
        return Some(program_of(text));
    }
    is_of_monitor(text).then_some(CaptureFormat::CiliumMonitor)
}

/// Whether a line is a whole event, as `hubble observe` and `cilium monitor` print it.
#[must_use]
pub fn is_event_line(text: &str) -> bool {
    hubble_line::find_compact(text).is_some_and(|event| event.stamp.is_some())
        || monitor_line::find_monitor(text).is_some()
}

fn is_of_monitor(text: &str) -> bool {
    monitor_line::find_monitor(text).is_some() || begins_block(text)
}

/// The program whose event begins with these lines of JSON, that has one of them for
/// each of its members.
#[must_use]
pub fn find_program_of_json(text: &str) -> Option<CaptureFormat> {
    find_spread_event(text)
}

impl FlowRun {
    /// A run that begins at `first_line`, on the host that the prompt names.
    #[must_use]
    pub fn new(format: CaptureFormat, node: Option<String>, first_line: u64) -> Self {
        Self {
            format,
            node,
            first_line,
            timeline: Timeline::new(StampStyle::Default),
            clock: None,
            frames: 0,
            objects: JsonObjects::default(),
            has_json: false,
            dict: DictEvent::default(),
            block: MonitorBlock::default(),
            passing: Passing::default(),
            sides: Sides::default(),
            drops: Drops::default(),
            pods: HashSet::new(),
            told: [false; 2],
            faults: 0,
            early_lost: 0,
            early_faults: Vec::new(),
        }
    }

    /// Takes the next line; says whether the program would print it.
    pub fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        if self.format == CaptureFormat::CiliumMonitor {
            let taken = self.block.push(line, text);
            if let Some(ended) = taken.ended {
                self.push_block(ended, sink);
            }
            if taken.belongs {
                return true;
            }
        }
        let begins_json = begins_json(text) && (self.is_json() || looks_like_json(text));
        if self.objects.is_open() || begins_json {
            return self.push_json(line, text, sink);
        }
        if text.trim().is_empty() || hubble_line::is_header(text) || monitor_line::is_notice(text) {
            return true;
        }
        if let Some(events) = hubble_line::find_lost(text) {
            self.lost(events, sink);
            return true;
        }
        if let Some(dict) = self.dict.push(line, text) {
            self.push_dict(dict, sink);
            return true;
        }
        let event = match self.format {
            CaptureFormat::CiliumMonitor => monitor_line::find_monitor(text),
            _ => hubble_line::find_compact(text).or_else(|| hubble_line::find_row(text)),
        };
        let Some(event) = event else { return false };
        self.take(line, event, sink);
        true
    }

    /// Ends the run: hands out what waits, and what was dropped.
    pub fn finish(mut self, sink: Sink<'_>) -> bool {
        self.tell_rest(sink);
        if let Some(ended) = self.block.end() {
            self.push_block(ended, sink);
        }
        if self.clock.is_none() {
            for fault in self.early_faults {
                sink(Event::Fault(fault));
            }
            return false;
        }
        while let Some(waiting) = self.passing.pop_any() {
            self.hand_out(waiting, sink);
        }
        for note in self.drops.notes() {
            sink(Event::Note(note));
        }
        if let Some(more) = self.faults.checked_sub(LIMIT_FAULTS).filter(|more| *more > 0) {
            let message = format!("{more} more lines of flows could not be read");
            sink(Event::Fault(Fault { place: Place::Whole, message }));
        }
        sink(Event::CaptureEnds);
        true
    }

    fn push_block(&mut self, ended: EndedBlock, sink: Sink<'_>) {
        let EndedBlock { line, event } = ended;
        match event {
            Ok(event) => self.take(line, event, sink),
            Err(message) => {
                self.begin(None, sink);
                self.frames += 1;
                sink(Event::OtherPacket { frame: self.frames, at: None });
                sink(Event::Unread { interface: 0 });
                self.fault(line, message.to_owned(), sink);
            }
        }
    }

    fn push_dict(&mut self, dict: DictLine, sink: Sink<'_>) {
        match dict {
            DictLine::More => {}
            DictLine::Event(line, event) => self.take(line, *event, sink),
            DictLine::Lost(events) => self.lost(events, sink),
            DictLine::Fault(line, message) => self.fault(line, message, sink),
        }
    }

    /// Whether all that came so far is JSON, in which objects of any kind may stand.
    const fn is_json(&self) -> bool {
        self.has_json || self.frames == 0
    }

    /// Takes a line of JSON; says whether it is one.
    fn push_json(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        self.has_json = true;
        if !self.objects.may_go_on_with(text) {
            self.tell_rest(sink);
            self.objects = JsonObjects::default();
            return false;
        }
        let PushedLine { ended, is_json } = self.objects.push(line, text);
        let has_ended = !ended.is_empty();
        for JsonObject { line, text } in ended {
            match text {
                Ok(text) => self.push_object(line, &text, sink),
                Err(message) => self.fault(line, message, sink),
            }
        }
        if !is_json && has_ended {
            // A line whose objects were taken is no other section's: what follows them, a
            // log's own words, is passed over.
            self.objects = JsonObjects::default();
        }
        is_json || has_ended
    }

    /// Tells of an object that does not end.
    fn tell_rest(&mut self, sink: Sink<'_>) {
        if let Some(JsonObject { line, text: Err(message) }) = self.objects.find_rest() {
            self.fault(line, message, sink);
        }
    }

    fn push_object(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        match parse_json(text) {
            Ok(JsonLine::Flow { event, pods }) => {
                self.note_pods(pods, sink);
                self.take(line, event, sink);
            }
            Ok(JsonLine::Lost(events)) => self.lost(events, sink),
            Ok(JsonLine::Other) => {}
            Err(message) => {
                self.fault(line, message, sink);
            }
        }
    }

    fn note_pods(&mut self, pods: Vec<(IpAddr, String)>, sink: Sink<'_>) {
        for (address, pod) in pods {
            if self.pods.len() < LIMIT_PODS && self.pods.insert(address) {
                let reason = format!("Hubble names it pod {pod}");
                sink(Event::Fact(AddressFact {
                    address,
                    role: Role::Pod,
                    node: None,
                    pod: Some(pod),
                    source: FactSource::Kubernetes,
                    reason,
                }));
            }
        }
    }

    fn take(&mut self, line: u64, event: FlowEvent, sink: Sink<'_>) {
        self.begin(event.stamp, sink);
        self.frames += 1;
        let at = self.timeline.place(event.stamp);
        if event.carries != Carries::Other && event.fate == Fate::Dropped {
            self.drops.count(line, &event);
        }
        let waiting = Waiting::new(self.frames, line, at, event);
        let is_timed = self.clock != Some(Clock::None);
        if let Some(copy) = self.passing.push(waiting) {
            sink(Event::OtherPacket { frame: copy, at: Some(at) });
        }
        while let Some(waiting) = self.passing.pop(at, is_timed) {
            self.hand_out(waiting, sink);
        }
    }

    fn begin(&mut self, stamp: Option<Stamp>, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        let clock = self.timeline.settle(stamp);
        self.clock = Some(clock);
        sink(Event::CaptureBegins(CaptureHeader {
            node: self.node.clone(),
            line: Some(self.first_line),
            ..CaptureHeader::of(self.format, clock)
        }));
        for fault in self.early_faults.drain(..) {
            sink(Event::Fault(fault));
        }
        if self.early_lost > 0 {
            sink(Event::Dropped { interface: 0, packets: self.early_lost });
        }
    }

    fn lost(&mut self, events: u64, sink: Sink<'_>) {
        if self.clock.is_none() {
            self.early_lost = self.early_lost.saturating_add(events);
        } else {
            sink(Event::Dropped { interface: 0, packets: events });
        }
    }

    fn fault(&mut self, line: u64, message: String, sink: Sink<'_>) {
        self.faults += 1;
        if self.faults > LIMIT_FAULTS {
            return;
        }
        let fault = Fault { place: Place::Line(line), message };
        if self.clock.is_none() {
            self.early_faults.push(fault);
        } else {
            sink(Event::Fault(fault));
        }
    }
}

#[cfg(test)]
mod tests;
