//! What is handed out of an event that no further line tells of.

use super::event::{Carries, Fate, FlowEvent, Side};
use super::packets::{datagram, find_error, name_of, stand_ins};
use super::passing::Waiting;
use super::{FlowRun, Sink};
use crate::ingest::{Event, InterfaceHeader, NamedPacket};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Content, Dropped, Dropper, Packet};
use crate::model::time::Timestamp;

/// Characters of a reason that are kept.
const LIMIT_REASON_CHARS: usize = 80;

impl FlowRun {
    pub(super) fn hand_out(&mut self, waiting: Waiting, sink: Sink<'_>) {
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
}
