//! One capture while it is read: its interfaces, counts and faults.
//!
//! Part of the pipeline in [`analysis`](crate::analysis).

mod tunnels;
mod unresolved;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use super::feeder::Feeder;
use super::held::Held;
use super::talkers::Talkers;
use crate::correlate::{Correlated, Place};
use crate::decode::{self, DecodeError, Decoded, Decoder};
use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{
    CaptureFormat, CaptureId, CapturePoint, Clock, Frame, LinkType, PointKind,
};
use crate::model::exchange::PointId;
use crate::model::input::{self, Fault};
use crate::model::packet::{Content, FragmentsSeen, Packet};
use crate::model::report::Capture;
use crate::model::time::Timestamp;
use crate::model::topology::Topology;
use tunnels::TunnelCounts;
use unresolved::Unresolved;
use whole::Whole;

/// Faults listed by themselves; the rest is counted.
const MAX_FAULTS: usize = 20;
/// Interfaces that only a link header names are numbered from here.
const FIRST_KERNEL_INTERFACE: u32 = 1 << 16;

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
    link_types: Vec<LinkType>,
    packets: u64,
    datagrams: u64,
    icmp_errors: u64,
    bytes: u64,
    times: Option<(Timestamp, Timestamp)>,
    tunnels: TunnelCounts,
    faults: Vec<String>,
    faults_omitted: u64,
    undecoded: BTreeMap<String, Undecoded>,
    /// Packets that the capture itself lost, by interface.
    dropped: BTreeMap<u32, u64>,
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

/// Names the captures of one input, which begin at `first`: after the input where
/// it is one capture, after their entries where it is an archive, after node and
/// interface where it is a transcript of several. No two captures of the analysis
/// have the same name: evidence cites them by it.
pub fn name_captures(captures: &mut [CaptureIntake], first: usize, input: &str) {
    let Some((earlier, captures)) = captures.split_at_mut_checked(first) else { return };
    let elsewhere: BTreeSet<&str> = earlier.iter().map(CaptureIntake::name).collect();
    let mut taken: BTreeMap<String, u32> =
        elsewhere.iter().map(|name| ((*name).to_owned(), 1)).collect();
    let is_alone = captures.len() == 1;
    for capture in captures {
        let own = if is_alone {
            capture.header.name.clone().unwrap_or_else(|| input.to_owned())
        } else {
            capture.name_among_others(input)
        };
        let name = if elsewhere.contains(own.as_str()) { format!("{input}: {own}") } else { own };
        capture.name = unique(name, &mut taken);
    }
}

/// The name with a number behind it where it is taken: `a.pcap #2`. `taken` counts
/// the captures that wanted a name.
fn unique(name: String, taken: &mut BTreeMap<String, u32>) -> String {
    let mut free = name.clone();
    let mut count = taken.get(&name).copied().unwrap_or(0);
    while taken.contains_key(&free) {
        count = count.saturating_add(1);
        free = format!("{name} #{count}");
    }
    taken.insert(name, count.max(1));
    taken.entry(free.clone()).or_insert(1);
    free
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
            link_types: Vec::new(),
            packets: 0,
            datagrams: 0,
            icmp_errors: 0,
            bytes: 0,
            times: None,
            tunnels: TunnelCounts::default(),
            faults: Vec::new(),
            faults_omitted: 0,
            undecoded: BTreeMap::new(),
            dropped: BTreeMap::new(),
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

    /// The entry of an archive, or the place of a run, in the words of its prompt.
    fn name_among_others(&self, input: &str) -> String {
        let line = self.header.line.map(|line| format!("line {line}"));
        let place = match (&self.header.node, &self.header.interface) {
            (Some(node), Some(interface)) => Some(format!("{node}/{interface}")),
            (None, Some(interface)) => Some(interface.clone()),
            (Some(node), None) => Some(node.clone()),
            (None, None) => None,
        };
        match (&self.header.name, place, line) {
            (Some(entry), Some(place), Some(line)) => format!("{entry}: {place} ({line})"),
            (Some(entry), None, Some(line)) => format!("{entry} ({line})"),
            (Some(entry), _, None) => entry.clone(),
            (None, Some(place), Some(line)) => format!("{place} ({line})"),
            (None, Some(place), None) => place,
            (None, None, Some(line)) => format!("{input} ({line})"),
            (None, None, None) => input.to_owned(),
        }
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

    /// Notes something unreadable. A frame that could not even be handed out
    /// counts as a packet: frame numbers must stay those of Wireshark.
    fn fault(&mut self, fault: &Fault) {
        if let input::Place::Frame(number) = fault.place {
            self.packets = self.packets.max(number);
        }
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault.to_string());
        } else {
            self.faults_omitted += 1;
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

    /// What is known of each point of the whole that ends with it, and is named `name`.
    pub fn places(&self, topology: &Topology, name: &str) -> Vec<(PointId, Place)> {
        let node = self
            .stated
            .as_ref()
            .and_then(|point| point.node.clone())
            .or_else(|| self.header.node.clone());
        let kernel =
            (FIRST_KERNEL_INTERFACE..).zip(&self.kernel_interfaces).map(|(id, (_, index))| {
                let name = topology.interface_name(node.as_deref(), *index);
                (id, Some(name.map_or_else(|| format!("interface {index}"), str::to_owned)))
            });
        let own = self.whole_interfaces().iter().map(|(id, header)| (*id, header.name.clone()));
        let mut interfaces: Vec<(u32, Option<String>)> = own.chain(kernel).collect();
        if interfaces.is_empty() {
            interfaces.push((0, None));
        }
        let is_single = interfaces.len() == 1;
        interfaces
            .into_iter()
            .map(|(id, own_name)| {
                let stated = self.stated.as_ref();
                // A capture of several interfaces is not taken at one point, whatever was stated.
                let kind =
                    stated.filter(|_| is_single).map_or(PointKind::Unknown, |point| point.kind);
                let named = stated.filter(|_| is_single).and_then(|point| point.interface.clone());
                let from_header =
                    self.header.interface.clone().filter(|name| is_single && name != "any");
                let interface = named.or(own_name).or(from_header);
                let point = CapturePoint { kind, node: node.clone(), interface };
                let id = PointId { capture: self.first_part(), interface: id };
                (id, Place { point, capture_name: name.to_owned() })
            })
            .collect()
    }

    /// The capture as the report lists it.
    /// `continues` is the name of the capture that it goes on with.
    pub fn summary(self, correlated: &Correlated, continues: Option<String>) -> Capture {
        let points: Vec<_> = correlated
            .points
            .iter()
            .filter(|point| point.id.capture == self.first_part())
            .collect();
        let mut kinds: Vec<PointKind> = points.iter().map(|point| point.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut interfaces: Vec<&str> =
            points.iter().filter_map(|point| point.interface.as_deref()).collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        let stated_interface = self.stated.as_ref().and_then(|point| point.interface.clone());
        let interface = stated_interface
            .or_else(|| (!interfaces.is_empty()).then(|| interfaces.join(", ")))
            .or_else(|| self.header.interface.clone());
        let node = points.iter().find_map(|point| point.node.clone()).or_else(|| {
            self.stated.as_ref().and_then(|point| point.node.clone()).or(self.header.node.clone())
        });
        let unfollowed: u64 = correlated
            .unfollowed_packets
            .iter()
            .filter(|(point, _)| point.capture == self.id)
            .map(|(_, packets)| packets)
            .sum();
        let offset = correlated.clock_offsets.get(&self.first_part());
        Capture {
            format: self.header.format,
            point: if let [kind] = kinds[..] { kind } else { PointKind::Unknown },
            node,
            interface,
            link_types: self.link_types.iter().map(ToString::to_string).collect(),
            clock: self.header.clock,
            packets: self.packets,
            datagrams: self.datagrams,
            icmp_errors: self.icmp_errors,
            bytes: self.bytes,
            first_packet_at: self.times.map(|(first, _)| first),
            last_packet_at: self.times.map(|(_, last)| last),
            clock_offset_us: offset.map(|offset| offset.offset_us),
            clock_offset_error_us: offset.and_then(|offset| offset.error_us),
            warnings: self.warnings(unfollowed),
            tunnels: self.tunnels.list(),
            tracked_entries: 0,
            continues,
            name: self.name,
        }
    }

    fn warnings(&self, unfollowed_packets: u64) -> Vec<String> {
        let mut warnings = self.dropped_warnings();
        warnings.extend_from_slice(&self.faults);
        if self.faults_omitted > 0 {
            warnings.push(format!("and {} more faults of this kind", self.faults_omitted));
        }
        for (reason, undecoded) in &self.undecoded {
            warnings.push(match undecoded {
                Undecoded { frames: 1, first_frame } => {
                    format!("frame {first_frame} was not decoded: {reason}")
                }
                Undecoded { frames, first_frame } => {
                    format!("{frames} frames were not decoded, first frame {first_frame}: {reason}")
                }
            });
        }
        if unfollowed_packets > 0 {
            warnings.push(format!(
                "{unfollowed_packets} packets of further clients were counted, but not followed: there were too many exchanges at once"
            ));
        }
        warnings.extend(self.tunnels.warning());
        // What dig says needs no times.
        if self.header.clock == Clock::None && self.header.format != CaptureFormat::Dig {
            warnings.push(
                "the text has no times, so silence and repetition cannot be judged".to_owned(),
            );
        }
        warnings.extend_from_slice(&self.notes);
        warnings
    }

    fn dropped_warnings(&self) -> Vec<String> {
        let listed = self.dropped.iter().take(MAX_FAULTS).map(|(interface, packets)| {
            let name = self.interfaces.get(interface).and_then(|header| header.name.as_deref());
            let place = name.map(|name| format!(" at {name}")).unwrap_or_default();
            let packets = match packets {
                1 => "a packet".to_owned(),
                more => format!("{more} packets"),
            };
            format!("the capture itself lost {packets}{place}: silence in it proves little")
        });
        listed.collect()
    }

    fn note_undecoded(&mut self, error: &DecodeError, frame: u64) {
        let reason = match error {
            DecodeError::UnsupportedLinkType(link_type) => {
                format!("{link_type} is not supported")
            }
            DecodeError::Cut { layer, .. } => format!("the {layer} header is cut"),
            DecodeError::Damaged { layer, .. } => format!("the {layer} header is damaged"),
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
        let Some(kernel_index) = kernel_interface else { return PointId { capture, interface } };
        let wanted = (interface, kernel_index);
        let position = self.kernel_interfaces.iter().position(|known| *known == wanted);
        let position = position.unwrap_or_else(|| {
            self.kernel_interfaces.push(wanted);
            self.kernel_interfaces.len() - 1
        });
        let offset = u32::try_from(position).unwrap_or(FIRST_KERNEL_INTERFACE);
        PointId { capture, interface: FIRST_KERNEL_INTERFACE + offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(name: Option<&str>, node: Option<&str>, line: Option<u64>) -> CaptureIntake {
        let format = if line.is_some() { CaptureFormat::TcpdumpText } else { CaptureFormat::Pcap };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let header = CaptureHeader {
            format,
            clock: Clock::Absolute,
            name: owned(name),
            node: owned(node),
            interface: None,
            line,
        };
        CaptureIntake::new(CaptureId(0), "input", None, header)
    }

    fn names(captures: &[(Option<&str>, Option<&str>, Option<u64>)]) -> Vec<String> {
        let mut captures: Vec<_> =
            captures.iter().map(|(name, node, line)| capture(*name, *node, *line)).collect();
        name_captures(&mut captures, 0, "input");
        captures.into_iter().map(|capture| capture.name).collect()
    }

    #[test]
    fn captures_are_named_after_where_they_come_from() {
        assert_eq!(names(&[(None, Some("node3"), Some(7))]), ["input"]);
        assert_eq!(names(&[(Some("a.pcap"), None, None)]), ["a.pcap"]);
        let transcript = [(None, Some("node3"), Some(7)), (None, None, Some(9))];
        assert_eq!(names(&transcript), ["node3 (line 7)", "input (line 9)"]);
        let archive = [
            (Some("a.pcap"), None, None),
            (Some("a.pcap"), None, None),
            (Some("b.txt"), Some("node3"), Some(7)),
            (Some("b.txt"), None, Some(9)),
        ];
        assert_eq!(
            names(&archive),
            ["a.pcap", "a.pcap #2", "b.txt: node3 (line 7)", "b.txt (line 9)"]
        );
    }

    #[test]
    fn captures_of_several_inputs_have_names_of_their_own() {
        let session = [(None, Some("node3"), Some(1)), (None, Some("node3"), Some(9))];
        let archive = [(Some("a.pcap"), None, None), (Some("a.pcap"), None, None)];
        let cases: [(&[_], [&str; 4]); 3] = [
            (
                &session,
                ["node3 (line 1)", "node3 (line 9)", "two: node3 (line 1)", "two: node3 (line 9)"],
            ),
            (&archive, ["a.pcap", "a.pcap #2", "two: a.pcap", "two: a.pcap #2"]),
            (&archive[..1], ["a.pcap", "two: a.pcap", "", ""]),
        ];
        for (input, expected) in cases {
            let mut captures: Vec<CaptureIntake> = Vec::new();
            for name in ["one", "two"] {
                let first = captures.len();
                captures
                    .extend(input.iter().map(|(name, node, line)| capture(*name, *node, *line)));
                name_captures(&mut captures, first, name);
            }
            let names: Vec<&str> = captures.iter().map(CaptureIntake::name).collect();
            assert_eq!(names, expected[..names.len()]);
        }
    }

    #[test]
    fn lost_packets_and_notes_are_warnings() {
        let mut capture = capture(None, None, None);
        let name = Some("eth0".to_owned());
        capture.interface(InterfaceHeader { index: 0, name, link_type: None });
        capture.dropped(0, 5);
        capture.dropped(0, 7);
        capture.dropped(3, 1);
        capture.note("comment on frame 1: look here".to_owned());
        assert_eq!(
            capture.warnings(0),
            [
                "the capture itself lost 12 packets at eth0: silence in it proves little",
                "the capture itself lost a packet: silence in it proves little",
                "comment on frame 1: look here",
            ]
        );
    }
}
