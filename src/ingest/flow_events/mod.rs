//! What Cilium tells of packets: `hubble observe` and `cilium monitor`.
//!
//! Both show one packet at several observation points, and neither its
//! payload. [`FlowRun`] makes packets of it: each once (`passing`), on the side
//! of the translation on which its exchange is seen whole (`sides`), and notes
//! of what was dropped (`drops`).

mod drops;
mod event;
mod hubble_dict;
mod hubble_json;
mod hubble_line;
mod json_objects;
mod monitor_line;
mod packets;
mod passing;
mod sides;

use std::collections::HashSet;
use std::net::IpAddr;

use crate::ingest::tcpdump_text::{Stamp, StampStyle, Timeline};
use crate::ingest::{CaptureHeader, Event, InterfaceHeader, NamedPacket};
use crate::model::capture::{CaptureFormat, Clock};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::input::{Fault, Place};
use crate::model::packet::{Content, Dropped, Dropper, Packet};
use crate::model::time::Timestamp;
use crate::model::topology::{AddressFact, FactSource, Role};
use drops::Drops;
use event::{Carries, Fate, FlowEvent, Side};
use hubble_dict::{DictEvent, DictLine, begins_dict};
use hubble_json::{JsonLine, find_spread_event, looks_like_json, parse_json, program_of};
use json_objects::{JsonObject, JsonObjects, PushedLine, begins_json};
use packets::{datagram, find_error, name_of, stand_ins};
use passing::{Passing, Waiting};
use sides::Sides;

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Faults that are told one by one.
const LIMIT_FAULTS: u64 = 100;
/// Characters of a reason that are kept.
const LIMIT_REASON_CHARS: usize = 80;
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
    monitor_line::find_monitor(text).map(|_| CaptureFormat::CiliumMonitor)
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
        let is_datagram = event.carries == Carries::Udp && event.fate != Fate::NoPacket;
        if is_datagram && event.fate == Fate::Dropped {
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

    fn hand_out(&mut self, waiting: Waiting, sink: Sink<'_>) {
        let Waiting { frame, line, at, event, .. } = waiting;
        let other = Event::OtherPacket { frame, at: Some(at) };
        if event.fate == Fate::NoPacket {
            sink(other);
            return;
        }
        match event.carries {
            Carries::Udp => self.hand_out_datagram(frame, line, at, &event, sink),
            Carries::IcmpError(kind) => match find_error(kind, &event) {
                Some(error) => {
                    let interface = self.interface(event.side, sink);
                    sink(Event::Packet(Packet::without_headers(
                        frame,
                        at,
                        interface,
                        Content::IcmpError(error),
                    )));
                }
                None => sink(other),
            },
            Carries::Other => sink(other),
        }
    }

    fn hand_out_datagram(
        &mut self,
        frame: u64,
        line: u64,
        at: Timestamp,
        event: &FlowEvent,
        sink: Sink<'_>,
    ) {
        let (FlowEvent { source, destination, .. }, side) = (event, self.sides.place(event));
        let (Some(source_port), Some(destination_port)) = (source.port, destination.port) else {
            // A later fragment, or a flow of which the exporter hid the ports.
            sink(Event::OtherPacket { frame, at: Some(at) });
            return;
        };
        self.sides.remember(event, side);
        let interface = self.interface(side, sink);
        let (from, to) = stand_ins(source, destination);
        let flow =
            FlowKey::udp(Endpoint::new(from, source_port), Endpoint::new(to, destination_port));
        let datagram = datagram(flow);
        let content = match event.fate {
            Fate::Dropped => {
                let reason: String = event.point.chars().take(LIMIT_REASON_CHARS).collect();
                let by = Dropper::Cilium;
                Content::Dropped(Box::new(Dropped { datagram, by, reason: reason.into() }))
            }
            Fate::Forwarded | Fate::NoPacket => Content::Datagram(datagram),
        };
        let packet = Packet::without_headers(frame, at, interface, content);
        match (name_of(source), name_of(destination)) {
            (None, None) => sink(Event::Packet(packet)),
            (source, destination) => {
                let is_ipv6 = None;
                sink(Event::NamedPacket(NamedPacket {
                    packet,
                    line,
                    source,
                    destination,
                    quoted: Vec::new(),
                    is_ipv6,
                }));
            }
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

    fn interface(&mut self, side: Side, sink: Sink<'_>) -> u32 {
        // The network's side comes first: it is nearer to the device.
        let (index, name) = match side {
            Side::Network => (0, "cilium network side"),
            Side::Endpoint => (1, "cilium endpoint side"),
        };
        let place = usize::from(side == Side::Endpoint);
        if !std::mem::replace(&mut self.told[place], true) {
            sink(Event::Interface(InterfaceHeader {
                index,
                name: Some(name.to_owned()),
                link_type: None,
            }));
        }
        index
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
