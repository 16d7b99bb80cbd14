//! How a packet begins, and with the first one its capture.

use super::columns::Row;
use super::line::{Network, read_head};
use super::packet_line::{PacketLine, names_network};
use super::pending::Pending;
use super::pf_log::find_log;
use super::timestamp::Stamp;
use super::{Run, Sink, has_same_form, indentation};
use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::Clock;
use crate::model::time::Timestamp;

/// Interfaces that one run may name; more share the run's own.
const LIMIT_INTERFACES: usize = 256;

impl Run {
    pub(super) fn begins_packet(&self, packet: &PacketLine<'_>, text: &str) -> bool {
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
                        || ((pending.waits_for_sides() || pending.quotes_header())
                            && !names_network(packet.rest))
                };
                packet.is_sure && !self.pending.as_ref().is_some_and(nests)
            }
        }
    }

    /// Packets before the first time may have lost theirs, because what is pasted begins
    /// within one: then the next packet's decides what the times of the run are.
    pub(super) fn date_first(&mut self, next: Option<Stamp>, sink: Sink<'_>) {
        if self.clock.is_some() {
            return;
        }
        let Some(mut last) = self.pending.take() else { return };
        let clock = self.timeline.settle(next);
        self.begin_capture(clock, sink);
        let at = self.timeline.clone().place(next);
        for mut early in std::mem::take(&mut self.early) {
            early.at = at;
            self.pending = Some(early);
            self.settle_pending(sink);
        }
        last.at = at;
        self.pending = Some(last);
    }

    /// Keeps back the packet before `packet`, while none had a time so far. Says whether it
    /// did.
    pub(super) fn hold_early(&mut self, packet: &PacketLine<'_>) -> bool {
        /// A text without times has more packets than are lost at its begin.
        const LIMIT: usize = 8;
        let may_hold = packet.stamp.is_none()
            && self.clock.is_none()
            && self.early.len() < LIMIT
            // A column names an interface, which has to stand in a capture that has begun.
            && read_head(packet.rest).interface.is_none();
        if may_hold && let Some(pending) = self.pending.take() {
            self.early.push(pending);
            return true;
        }
        false
    }

    pub(super) fn begin_packet(&mut self, line: u64, packet: &PacketLine<'_>, sink: Sink<'_>) {
        let head = read_head(packet.rest);
        if self.clock.is_none() {
            self.origin.link_type = self.origin.link_type.or_else(|| find_log(packet.rest));
        }
        // A column names an interface, which has to stand in a capture that has begun.
        if packet.stamp.is_some() || head.interface.is_some() || self.clock.is_some() {
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
    pub(super) fn begin_row(&mut self, line: u64, row: Row, sink: Sink<'_>) {
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

    pub(super) fn begin_capture(&mut self, clock: Clock, sink: Sink<'_>) {
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
