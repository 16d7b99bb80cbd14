//! The pcapng file format (draft-ietf-opsawg-pcapng): sections, interfaces,
//! packets; all other blocks are skipped.
//!
//! Blocks are framed here and then read one by one, so that damage within one
//! block, or a block of a kind that nobody knows, costs no other.

mod block;
mod comments;
mod interface;
mod opening;
mod packet;
mod sections;
mod statistics;

use std::cell::Cell;
use std::rc::Rc;

use pcap_parser::pcapng::{
    OptionCode, parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le,
    parse_sectionheaderblock,
};

use self::block::{BlockHead, Kind};
use self::comments::Comments;
use self::interface::Interface;
use self::opening::Opening;
use self::packet::PacketBlock;
use self::sections::Sections;
use super::Event;
use super::byte_order::ByteOrder;
use super::faults::Faults;
use super::joined;
use super::pcap::explain_last;
use super::window::Window;
use crate::model::capture::Frame;
use crate::model::input::{InputErrorKind, Place};
use crate::model::time::Timestamp;

/// Interfaces that one capture may have, over all its sections.
const INTERFACES_MAX: u32 = 65_536;

/// Reads a pcapng capture to its end, or to where one of another format begins.
///
/// # Errors
///
/// Where the first section header is cut or damaged. Damage after it is a
/// fault, and ends the capture.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let mut opening = Opening::default();
    let is_untimed = Rc::clone(&opening.is_untimed);
    let sink = &mut |event: Event<'_>| opening.pass(event, sink);
    let mut capture = Capture { is_untimed, ..Capture::default() };
    let end = read_blocks(window, &mut capture, sink);
    if capture.section.is_none() {
        let message = end.err().unwrap_or_else(|| "it has no section header".to_owned());
        return Err(InputErrorKind::Damaged { message, offset_bytes: capture.block_offset });
    }
    let is_whole = end.is_ok();
    if let Err(message) = end {
        let place = Place::Byte(capture.block_offset);
        let last = explain_last(capture.frames);
        capture.faults.tell("damage", place, || format!("{message}; {last}"), sink);
    }
    capture.tell_dropped(sink);
    if is_whole {
        capture.tell_ends(sink);
    }
    capture.comments.tell_rest(sink);
    capture.faults.tell_rest(sink);
    sink(Event::CaptureEnds);
    Ok(())
}

/// What is known while a capture is read.
#[derive(Default)]
struct Capture {
    /// `None` until the first section header was read.
    section: Option<Section>,
    /// Descriptions of interfaces in all sections so far.
    interfaces: u32,
    sections: Sections,
    /// Packet blocks so far.
    frames: u64,
    /// The time of the latest packet that has one.
    latest: Option<Timestamp>,
    /// Whether the first packet has no time.
    is_untimed: Rc<Cell<bool>>,
    /// Whether a packet without a time was met.
    has_untimed: bool,
    /// Where the current block begins in the stream.
    block_offset: u64,
    faults: Faults,
    comments: Comments,
}

/// A section: from its header to the next one.
struct Section {
    order: ByteOrder,
    /// By the number that packet blocks of this section use.
    interfaces: Vec<Interface>,
}

/// Reads blocks until the capture ends; an error says why it ends early.
fn read_blocks(
    window: &mut Window<'_>,
    capture: &mut Capture,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    loop {
        capture.block_offset = window.offset();
        let order = capture.section.as_ref().map(|section| section.order);
        if order.is_some()
            && window.ensure(1)
            && !window.unused().starts_with(&[0x0a])
            && joined::begins_capture(window)
        {
            return Ok(());
        }
        let Some(head) = BlockHead::parse(window, order)? else { return Ok(()) };
        if let Kind::Other(_) | Kind::OtherRecord(_) = head.kind {
            head.skip(window)?;
            if let Kind::OtherRecord(_) = head.kind {
                capture.pass_over_record(sink);
            }
        } else {
            capture.read_block(head, head.find_block(window)?, sink)?;
            head.consume(window);
        }
    }
}

impl Capture {
    /// Reads one block with a sound frame. An error ends the capture.
    fn read_block(
        &mut self,
        head: BlockHead,
        block: &[u8],
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), String> {
        let find_packet = match head.kind {
            Kind::SectionHeader => return self.begin_section(head.order, block, sink),
            Kind::InterfaceDescription => return self.add_interface(head.order, block, sink),
            Kind::EnhancedPacket => PacketBlock::find_enhanced,
            Kind::SimplePacket => PacketBlock::find_simple,
            Kind::ObsoletePacket => PacketBlock::find_obsolete,
            Kind::InterfaceStatistics => {
                self.take_statistics(head.order, block);
                return Ok(());
            }
            Kind::Other(_) | Kind::OtherRecord(_) => return Ok(()),
        };
        self.frames += 1;
        if let Some(packet) = find_packet(head.order, block) {
            self.deliver(&packet, sink);
        } else {
            let message =
                || format!("its block of {} bytes has no room for its own fields", block.len());
            let kind = "packet blocks without room for their own fields";
            self.faults.tell(kind, Place::Frame(self.frames), message, sink);
            sink(Event::OtherPacket { frame: self.frames, at: None });
        }
        Ok(())
    }

    /// Counts a block without a packet that has a number in Wireshark.
    fn pass_over_record(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        if self.section.is_some() {
            self.frames += 1;
            sink(Event::OtherPacket { frame: self.frames, at: None });
        }
    }

    fn begin_section(
        &mut self,
        order: ByteOrder,
        block: &[u8],
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), String> {
        let (_, header) = parse_sectionheaderblock(block).map_err(|_| {
            format!(
                "a section header of {} bytes cannot be read; at least 28 were expected",
                block.len()
            )
        })?;
        if header.major_version != 1 {
            return Err(format!(
                "a section header names pcapng version {}.{}; 1.0 was expected",
                header.major_version, header.minor_version
            ));
        }
        if self.section.is_none() {
            sink(Event::CaptureBegins(opening::header()));
        }
        for option in &header.options {
            if let (OptionCode::Comment, Ok(text)) = (option.code, option.as_bytes()) {
                self.comments.tell("comment on the capture", text, sink);
            }
        }
        self.tell_dropped(sink);
        self.tell_ends(sink);
        self.sections.begin(self.latest);
        self.section = Some(Section { order, interfaces: Vec::new() });
        Ok(())
    }

    fn add_interface(
        &mut self,
        order: ByteOrder,
        block: &[u8],
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), String> {
        let parse = match order {
            ByteOrder::Little => parse_interfacedescriptionblock_le,
            ByteOrder::Big => parse_interfacedescriptionblock_be,
        };
        let (_, description) = parse(block).map_err(|_| {
            format!(
                "an interface description of {} bytes cannot be read; at least 20 were expected",
                block.len()
            )
        })?;
        let Some(section) = &mut self.section else { return Ok(()) };
        if self.interfaces >= INTERFACES_MAX {
            let message = || {
                format!(
                    "the capture has more than {INTERFACES_MAX} interfaces; packets of the others are left out"
                )
            };
            self.faults.tell("interfaces that are too many", Place::Whole, message, sink);
            return Ok(());
        }
        let mut interface = Interface::new(self.interfaces, order, &description);
        let name = interface.name.as_deref();
        for option in &description.options {
            if let (OptionCode::Comment, Ok(text)) = (option.code, option.as_bytes()) {
                let place = name.unwrap_or("interface without a name");
                self.comments.tell(&format!("comment on {place}"), text, sink);
            }
        }
        interface.may_be = self.sections.find_same(name, interface.link_type);
        if interface.may_be.is_none() {
            interface.tell(&mut self.sections, sink);
        }
        section.interfaces.push(interface);
        self.interfaces += 1;
        Ok(())
    }

    fn take_statistics(&mut self, order: ByteOrder, block: &[u8]) {
        let Some(section) = &mut self.section else { return };
        let interface = order.find_u32(block, 8).and_then(|number| usize::try_from(number).ok());
        let Some(known) = interface.and_then(|at| section.interfaces.get_mut(at)) else { return };
        known.take_statistics(&statistics::read(order, block));
    }

    /// Tells until when the interfaces of a section listened that came to its end.
    fn tell_ends(&self, sink: &mut dyn FnMut(Event<'_>)) {
        for interface in self.section.iter().flat_map(|section| &section.interfaces) {
            if let Some(until) = interface.listened_until() {
                sink(Event::Listened { interface: interface.index, until });
            }
        }
    }

    /// Tells what the interfaces of the section lost, and those that had no packet.
    fn tell_dropped(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        for interface in self.section.iter_mut().flat_map(|section| &mut section.interfaces) {
            if !interface.is_told {
                interface.tell(&mut self.sections, sink);
            }
            let packets = interface.dropped.packets();
            if packets > 0 {
                sink(Event::Dropped { interface: interface.index, packets });
            }
        }
    }

    fn deliver(&mut self, packet: &PacketBlock<'_>, sink: &mut dyn FnMut(Event<'_>)) {
        let place = Place::Frame(self.frames);
        let interfaces =
            self.section.as_mut().map_or(&mut [][..], |section| &mut section.interfaces);
        let described = interfaces.len();
        let known = usize::try_from(packet.interface).ok().and_then(|at| interfaces.get_mut(at));
        let Some(interface) = known else {
            let message = || {
                format!(
                    "it names interface {}, but this section describes {described} so far",
                    packet.interface
                )
            };
            self.faults.tell("packets of interfaces that are not described", place, message, sink);
            sink(Event::OtherPacket { frame: self.frames, at: None });
            return;
        };
        let captured_length = packet.captured_length(interface.snap_length_bytes);
        let Some(bytes) = packet.find_bytes(captured_length) else {
            let message = || {
                format!(
                    "its block announces {captured_length} captured bytes and has room for {}",
                    packet.content.len()
                )
            };
            self.faults.tell("packets longer than their block", place, message, sink);
            sink(Event::OtherPacket { frame: self.frames, at: None });
            return;
        };
        if packet.ticks.is_none() && self.latest.is_none() {
            self.is_untimed.set(true);
        }
        let at = match packet.ticks {
            Some(ticks) => interface.time(ticks),
            None => self.latest.unwrap_or(Timestamp::EPOCH),
        };
        if packet.ticks.is_none() && !self.has_untimed {
            self.has_untimed = true;
            let message = || {
                "it is a simple packet block, which has no time; such packets are given the time of the packet before them".to_owned()
            };
            self.faults.tell("packets without a time", place, message, sink);
        }
        if !interface.is_told {
            interface.settle(at, &mut self.sections, sink);
        }
        self.latest = Some(at);
        interface.count(at);
        let remarks = packet.read_options(captured_length, |text| {
            self.comments.tell(&format!("comment on frame {}", self.frames), text, sink);
        });
        interface.dropped.add(remarks.dropped_before);
        sink(Event::Frame(Frame {
            number: self.frames,
            at,
            interface: interface.index,
            link_type: interface.link_type,
            direction: remarks.direction,
            original_length: packet.original_length.max(captured_length),
            bytes,
        }));
    }
}

#[cfg(test)]
mod tests;
