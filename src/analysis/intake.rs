//! One capture while it is read: its interfaces, counts and faults.
//!
//! Part of the pipeline in [`analysis`](crate::analysis).

mod listening;
mod naming;
mod summary;
mod tunnels;
mod unresolved;
mod whole;

use std::collections::BTreeMap;

use super::feeder::Feeder;
use super::held::Held;
use super::talkers::Talkers;
use crate::decode::{self, DecodeError, Decoded, Decoder};
use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureId, CapturePoint, Frame, LinkType};
use crate::model::exchange::PointId;
use crate::model::input::{self, Fault};
use crate::model::packet::{Content, FragmentsSeen, Packet};
use crate::model::time::Timestamp;
pub use naming::name_captures;
use tunnels::TunnelCounts;
use unresolved::Unresolved;
use whole::Whole;

/// Faults listed by themselves; the rest is counted.
const MAX_FAULTS: usize = 20;
/// Interfaces that only a link header names are numbered from here.
const FIRST_KERNEL_INTERFACE: u32 = 1 << 16;
/// Interfaces of each kind that are points of their own; what is seen at others is followed
/// as at one.
const MAX_POINTS: u32 = 1_024;

/// A capture that is being read.
#[derive(Debug)]
pub struct CaptureIntake {
    id: CaptureId,
    name: String,
    stated: Option<CapturePoint>,
    header: CaptureHeader,
    decoder: Decoder,
    interfaces: BTreeMap<u32, InterfaceHeader>,
    /// Pairs of the capture's interface and the kernel's index, in order of appearance.
    kernel_interfaces: Vec<(u32, u32)>,
    /// Some of its interfaces are followed as one.
    shares_point: bool,
    link_types: Vec<LinkType>,
    packets: u64,
    datagrams: u64,
    icmp_errors: u64,
    bytes: u64,
    times: Option<(Timestamp, Timestamp)>,
    tunnels: TunnelCounts,
    faults: Vec<String>,
    faults_omitted: u64,
    /// Those of the capture as a whole.
    faults_of_whole: Vec<String>,
    faults_of_whole_omitted: u64,
    undecoded: BTreeMap<String, Undecoded>,
    /// Packets that the capture itself lost, by interface.
    dropped: BTreeMap<u32, u64>,
    /// The same of all parts before it, by the interface's number in the whole.
    dropped_before: BTreeMap<u32, u64>,
    /// Until when it listened, by interface, as it says itself.
    listened: BTreeMap<u32, Timestamp>,
    /// What somebody wrote into the capture.
    notes: Vec<String>,
    /// From the first packet on whose ends have to be looked up.
    unresolved: Unresolved,
    talkers: Talkers,
    /// What came so far, until it is known whether it goes on with another capture.
    held: Option<Held>,
    /// The longer capture of which this one is a later part.
    whole: Option<Whole>,
    /// Another capture goes on with this one.
    is_continued: bool,
    /// No fragments are waited for any more.
    has_ended: bool,
}

/// Frames that could not be decoded for one reason.
#[derive(Debug)]
struct Undecoded {
    frames: u64,
    first_frame: u64,
}

impl CaptureIntake {
    pub fn new(
        id: CaptureId,
        input: &str,
        stated: Option<CapturePoint>,
        header: CaptureHeader,
    ) -> Self {
        Self {
            id,
            name: input.to_owned(),
            stated,
            header,
            decoder: Decoder::new(decode::Limits::default()),
            interfaces: BTreeMap::new(),
            kernel_interfaces: Vec::new(),
            shares_point: false,
            link_types: Vec::new(),
            packets: 0,
            datagrams: 0,
            icmp_errors: 0,
            bytes: 0,
            times: None,
            tunnels: TunnelCounts::default(),
            faults: Vec::new(),
            faults_omitted: 0,
            faults_of_whole: Vec::new(),
            faults_of_whole_omitted: 0,
            undecoded: BTreeMap::new(),
            dropped: BTreeMap::new(),
            dropped_before: BTreeMap::new(),
            listened: BTreeMap::new(),
            notes: Vec::new(),
            unresolved: Unresolved::default(),
            talkers: Talkers::default(),
            held: Some(Held::default()),
            whole: None,
            is_continued: false,
            has_ended: false,
        }
    }

    /// Its place in the analysis.
    pub fn id(&self) -> CaptureId {
        self.id
    }

    /// As the report names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn interface(&mut self, header: InterfaceHeader) {
        if let Some(link_type) = header.link_type
            && !self.link_types.contains(&link_type)
        {
            self.link_types.push(link_type);
        }
        self.interfaces.insert(header.index, header);
    }

    /// Takes what the reader found in this capture: keeps it, or passes it on.
    pub fn take(&mut self, event: Event<'_>, feeder: &mut Feeder) {
        match event {
            Event::Frame(frame) => self.take_frame(&frame, feeder),
            Event::Packet(packet) => {
                self.talkers.hear_packet(&packet);
                match &mut self.held {
                    Some(held) => held.packet(packet),
                    None => self.pass_on(Event::Packet(packet), feeder),
                }
            }
            event => match &mut self.held {
                Some(held) => {
                    if let Some(event) = held.take_other(event) {
                        self.pass_on(event, feeder);
                    }
                }
                None => self.pass_on(event, feeder),
            },
        }
    }

    /// Takes a frame of this capture: keeps it, or passes it on.
    pub fn take_frame(&mut self, frame: &Frame<'_>, feeder: &mut Feeder) {
        self.talkers.hear_frame(frame);
        match &mut self.held {
            Some(held) => held.frame(frame),
            None => self.frame(frame, feeder),
        }
    }

    /// What is kept back so far.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Passes on what was kept back; what comes from now on is passed on at once.
    pub fn release(&mut self, feeder: &mut Feeder) {
        if let Some(held) = self.held.take() {
            held.replay(|event| self.pass_on(event, feeder));
        }
    }

    fn pass_on(&mut self, event: Event<'_>, feeder: &mut Feeder) {
        match event {
            Event::Interface(header) => self.interface(header),
            Event::Frame(frame) => self.frame(&frame, feeder),
            Event::Packet(packet) => {
                let frame = packet.frame + self.frames_before();
                let interface = self.number_in_whole(packet.interface);
                self.packet(Packet { frame, interface, ..packet }, 0, feeder);
            }
            Event::NamedPacket(mut named) => {
                named.packet.frame += self.frames_before();
                named.packet.interface = self.number_in_whole(named.packet.interface);
                self.unresolved.named(named);
            }
            Event::OtherPacket { at, .. } => self.other(at, None, feeder),
            Event::Fault(fault) => self.fault(&fault),
            Event::Dropped { interface, packets } => self.dropped(interface, packets),
            Event::Listened { interface, until } => {
                self.listened.insert(interface, until);
            }
            Event::Note(note) => self.note(note),
            // What concerns the whole analysis, and ends: nothing to pass on.
            Event::CaptureBegins(_)
            | Event::Inventory(_)
            | Event::Fact(_)
            | Event::ServerLog(_)
            | Event::CaptureEnds => {}
        }
    }

    /// Decodes a frame and passes on what it holds, after the datagrams that
    /// were waited for until then in vain.
    fn frame(&mut self, frame: &Frame<'_>, feeder: &mut Feeder) {
        if self.decoder.waits_for_fragments() {
            self.pass_on_lost(Some(frame.at), feeder);
        }
        let numbered = Frame {
            number: frame.number + self.frames_before(),
            interface: self.number_in_whole(frame.interface),
            ..*frame
        };
        match self.decoder.decode(&numbered) {
            Ok(Decoded::Packet(packet)) => self.packet(packet, frame.original_length, feeder),
            Ok(Decoded::Carrier(tunnel)) => {
                self.bytes += u64::from(frame.original_length);
                self.datagrams += 1;
                self.tunnels.add(tunnel);
                self.other(Some(frame.at), Some(numbered.interface), feeder);
            }
            Ok(Decoded::Other) => {
                self.bytes += u64::from(frame.original_length);
                self.other(Some(frame.at), Some(numbered.interface), feeder);
            }
            Err(error) => {
                self.bytes += u64::from(frame.original_length);
                self.note_undecoded(&error, frame.number);
                self.other(Some(frame.at), Some(numbered.interface), feeder);
            }
        }
    }

    /// Passes on a packet; `wire_bytes` is its frame's length, zero where unknown.
    fn packet(&mut self, packet: Packet, wire_bytes: u32, feeder: &mut Feeder) {
        // Packets stay in order.
        if self.unresolved.is_holding() {
            self.unresolved.packet(packet, wire_bytes);
            return;
        }
        self.packets += 1;
        self.bytes += u64::from(wire_bytes);
        self.note_time(packet.at);
        self.count(&packet);
        let is_beside = matches!(packet.content, Content::Neighbour(_) | Content::Segment(_));
        if is_beside {
            let interface = packet.kernel_interface.is_none().then_some(packet.interface);
            self.observe(packet.at, interface, feeder);
        }
        let point = self.point_of(packet.interface, packet.kernel_interface);
        feeder.push(point, packet);
    }

    /// Gives up the datagrams of which fragments are still missing. No frame
    /// may follow.
    pub fn end(&mut self, feeder: &mut Feeder) {
        if self.is_open() {
            self.pass_on_lost(None, feeder);
            for (interface, until) in std::mem::take(&mut self.listened) {
                self.listened_until(interface, until, feeder);
            }
            self.has_ended = true;
        }
    }

    /// Whether it was passed on and may still wait for fragments.
    pub fn is_open(&self) -> bool {
        self.held.is_none() && !self.is_continued && !self.has_ended
    }

    /// Passes on datagrams that were given up. The frames of their fragments
    /// are counted already.
    fn pass_on_lost(&mut self, now: Option<Timestamp>, feeder: &mut Feeder) {
        while let Some(packet) = self.decoder.take_lost(now) {
            self.count(&packet);
            let point = self.point_of(packet.interface, packet.kernel_interface);
            feeder.push(point, packet);
        }
    }

    fn count(&mut self, packet: &Packet) {
        match &packet.content {
            Content::Datagram(_) | Content::Discarded(_) | Content::Dropped(_) => {
                self.datagrams += 1;
            }
            Content::IcmpError(_) => self.icmp_errors += 1,
            Content::FragmentsLost(lost) => match lost.seen {
                FragmentsSeen::First => self.datagrams += 1,
                FragmentsSeen::LaterOnly => {}
            },
            Content::Segment(_) if packet.tunnel.is_some_and(|tunnel| tunnel.kind.is_in_udp()) => {
                self.datagrams += 1;
            }
            Content::Neighbour(_) | Content::Segment(_) => {}
        }
        if let Some(tunnel) = packet.tunnel {
            self.tunnels.add(tunnel);
        }
    }

    /// Counts a packet that concerns no exchange; it shows that the capture was running.
    fn other(&mut self, at: Option<Timestamp>, interface: Option<u32>, feeder: &mut Feeder) {
        if self.unresolved.takes_other(at) {
            return;
        }
        self.packets += 1;
        if let Some(at) = at {
            self.note_time(at);
            self.observe(at, interface, feeder);
        }
    }

    /// Without an interface at hand the capture's first stands for all. Which
    /// kernel interface a frame without a packet came from is not known.
    fn observe(&mut self, at: Timestamp, interface: Option<u32>, feeder: &mut Feeder) {
        if !self.kernel_interfaces.is_empty() {
            return;
        }
        if let Some(interface) = interface {
            feeder.observe(self.point_of(interface, None), at);
        } else if self.whole_interfaces().len() <= 1 {
            feeder.observe(self.point_of(0, None), at);
        }
    }

    /// Silence at all points of an interface was observed until then.
    fn listened_until(&mut self, interface: u32, until: Timestamp, feeder: &mut Feeder) {
        let interface = self.number_in_whole(interface);
        let kernel: Vec<u32> = self
            .kernel_interfaces
            .iter()
            .filter(|(known, _)| *known == interface)
            .map(|(_, index)| *index)
            .collect();
        if self.kernel_interfaces.is_empty() {
            feeder.observe(self.point_of(interface, None), until);
        }
        for index in kernel {
            feeder.observe(self.point_of(interface, Some(index)), until);
        }
    }

    /// Notes something unreadable. What is said of the whole capture also tells how many
    /// faults a reader left out, so it is not left out for others.
    fn fault(&mut self, fault: &Fault) {
        let (faults, is_whole) = match fault.place {
            input::Place::Whole => (&mut self.faults_of_whole, true),
            _ => (&mut self.faults, false),
        };
        if faults.len() < MAX_FAULTS {
            faults.push(fault.to_string());
        } else if !is_whole {
            self.faults_omitted += 1;
        } else {
            self.faults_of_whole_omitted += 1;
        }
    }

    /// Counts packets that the capture itself lost.
    fn dropped(&mut self, interface: u32, packets: u64) {
        let known = self.dropped.entry(interface).or_insert(0);
        *known = known.saturating_add(packets);
    }

    /// Keeps what somebody wrote into the capture; readers limit how much.
    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether another capture goes on with this one.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    fn note_undecoded(&mut self, error: &DecodeError, frame: u64) {
        let reason = match error {
            DecodeError::UnsupportedLinkType(link_type) => {
                format!("{link_type} is not supported")
            }
            DecodeError::Cut { layer, .. } => format!("the {layer} header is cut"),
            DecodeError::Damaged { layer, .. } => format!("the {layer} header is damaged"),
            DecodeError::Unread(what) => format!("{what} is not read"),
        };
        self.undecoded
            .entry(reason)
            .or_insert(Undecoded { frames: 0, first_frame: frame })
            .frames += 1;
    }

    fn note_time(&mut self, at: Timestamp) {
        let (first, last) = self.times.get_or_insert((at, at));
        *first = (*first).min(at);
        *last = (*last).max(at);
    }

    fn point_of(&mut self, interface: u32, kernel_interface: Option<u32>) -> PointId {
        let capture = self.first_part();
        let Some(kernel_index) = kernel_interface else {
            self.shares_point |= interface >= MAX_POINTS;
            return PointId { capture, interface: interface.min(MAX_POINTS) };
        };
        let wanted = (interface, kernel_index);
        let known = self.kernel_interfaces.iter().position(|known| *known == wanted);
        let position = known.and_then(|position| u32::try_from(position).ok());
        let offset = position.unwrap_or_else(|| {
            let next = u32::try_from(self.kernel_interfaces.len()).unwrap_or(MAX_POINTS);
            if next < MAX_POINTS {
                self.kernel_interfaces.push(wanted);
                return next;
            }
            self.shares_point = true;
            MAX_POINTS
        });
        PointId { capture, interface: FIRST_KERNEL_INTERFACE + offset }
    }
}
