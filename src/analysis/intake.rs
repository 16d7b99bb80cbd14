//! One capture while it is read: its interfaces, counts and faults.
//!
//! Part of the pipeline in [`analysis`](crate::analysis).

mod counts;
mod faults;
mod kernel_interfaces;
mod listening;
mod missing;
mod naming;
mod networks;
mod points;
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
use crate::model::packet::{Content, Packet};
use crate::model::time::Timestamp;
use counts::Counts;
use faults::Faults;
use kernel_interfaces::KernelInterfaces;
pub use missing::Missing;
pub use naming::name_captures;
use networks::Networks;
use unresolved::Unresolved;
use whole::Whole;

/// A capture that is being read.
#[derive(Debug)]
pub struct CaptureIntake {
    id: CaptureId,
    name: String,
    stated: Option<CapturePoint>,
    header: CaptureHeader,
    decoder: Decoder,
    interfaces: BTreeMap<u32, InterfaceHeader>,
    /// Those that link headers name.
    kernel_interfaces: KernelInterfaces,
    /// Networks behind its interfaces that use the same addresses.
    networks: Networks,
    /// Some of its interfaces are followed as one.
    shares_point: bool,
    link_types: Vec<LinkType>,
    counts: Counts,
    faults: Faults,
    /// What is missing of it, by the interface's number in the whole.
    missing: BTreeMap<u32, Missing>,
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
            kernel_interfaces: KernelInterfaces::default(),
            networks: Networks::default(),
            shares_point: false,
            link_types: Vec::new(),
            counts: Counts::default(),
            faults: Faults::default(),
            missing: BTreeMap::new(),
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
            if held.has_tags() {
                self.networks.expect_tags();
            }
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
            Event::Fault(fault) => self.faults.note(&fault),
            Event::Dropped { interface, packets } => self.dropped(interface, packets),
            Event::Unread { interface } => {
                let interface = self.number_in_whole(interface);
                self.missing_at(interface).unread.note();
            }
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
                self.counts.bytes += u64::from(frame.original_length);
                self.counts.datagrams += 1;
                self.counts.tunnels.add(tunnel);
                self.other(Some(frame.at), Some(numbered.interface), feeder);
            }
            Ok(Decoded::Other) => {
                self.counts.bytes += u64::from(frame.original_length);
                self.other(Some(frame.at), Some(numbered.interface), feeder);
            }
            Err(error) => {
                self.counts.bytes += u64::from(frame.original_length);
                self.faults.note_undecoded(&error, frame.number);
                if let DecodeError::Cut { .. } = error
                    && let Some(ends) = Decoder::find_ends_of_cut(&numbered)
                {
                    self.missing_at(numbered.interface).unread.note_cut(ends);
                }
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
        self.counts.packets += 1;
        self.counts.bytes += u64::from(wire_bytes);
        self.counts.note_time(packet.at);
        self.counts.add(&packet);
        let is_beside = matches!(packet.content, Content::Neighbour(_) | Content::Segment(_));
        if is_beside {
            let interface = packet.kernel_interface.is_none().then_some(packet.interface);
            self.observe(packet.at, interface, feeder);
        }
        let point = self.point_of(packet.interface, packet.kernel_interface);
        let point = self.networks.point_of(point, &packet);
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
            self.counts.add(&packet);
            let point = self.point_of(packet.interface, packet.kernel_interface);
            let point = self.networks.point_of(point, &packet);
            feeder.push(point, packet);
        }
    }

    /// Counts a packet that concerns no exchange; it shows that the capture was running.
    fn other(&mut self, at: Option<Timestamp>, interface: Option<u32>, feeder: &mut Feeder) {
        if self.unresolved.takes_other(at) {
            return;
        }
        self.counts.packets += 1;
        if let Some(at) = at {
            self.counts.note_time(at);
            self.observe(at, interface, feeder);
        }
    }

    /// Counts packets that the capture itself lost.
    fn dropped(&mut self, interface: u32, packets: u64) {
        let interface = self.number_in_whole(interface);
        let missing = self.missing_at(interface);
        missing.lost_packets = missing.lost_packets.saturating_add(packets);
    }

    /// Keeps what somebody wrote into the capture; readers limit how much.
    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether another capture goes on with this one.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }
}
