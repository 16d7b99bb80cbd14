//! Packets of which the text gives names for addresses, held until all that
//! the analysis learns of addresses is known.

mod resolving;

use std::collections::{BTreeMap, BTreeSet};

use self::resolving::{Standing, forget_names, resolve};
use super::CaptureIntake;
use super::faults::MAX_FAULTS;
use crate::analysis::ends::{Ends, PrintedNames};
use crate::analysis::feeder::Feeder;
use crate::analysis::span::Span;
use crate::ingest::NamedPacket;
use crate::model::exchange::Unread;
use crate::model::input::{Fault, Place};
use crate::model::packet::Packet;
use crate::model::time::Timestamp;

/// Packets of one capture that are held, some 300 bytes each.
const LIMIT_HELD: usize = 200_000;

/// The first packet with a name, and all that follow it.
#[derive(Debug, Default)]
pub(super) struct Unresolved {
    items: Vec<Item>,
    /// The part before this one waits, so that this one has to as well.
    follows: bool,
    is_released: bool,
    /// The times of what was held.
    span: Option<Span>,
    omitted: u64,
    /// What was left out of datagrams, by interface: they are as unread as those whose
    /// names nobody knows.
    left_out: BTreeMap<u32, Unread>,
}

#[derive(Debug)]
enum Item {
    Packet(Box<Packet>, u32),
    Named(Box<NamedPacket>),
    Other(Option<Timestamp>),
}

impl Unresolved {
    /// Takes a packet that stands behind one with a name.
    pub fn packet(&mut self, packet: Packet, wire_bytes: u32) {
        self.push(Item::Packet(Box::new(packet), wire_bytes));
    }

    /// Whether it takes a packet of no concern that stands behind one with a name.
    pub fn takes_other(&mut self, at: Option<Timestamp>) -> bool {
        let takes = self.is_holding();
        if takes {
            self.push(Item::Other(at));
        }
        takes
    }

    /// Takes a packet whose ends are named.
    pub fn named(&mut self, named: NamedPacket) {
        self.push(Item::Named(Box::new(named)));
    }

    /// Waits for what goes before it, too.
    pub fn follow(&mut self) {
        self.follows = true;
    }

    /// Whether a packet with a name came, so that all behind it have to wait.
    pub fn is_holding(&self) -> bool {
        (self.follows || !self.items.is_empty()) && !self.is_released
    }

    /// Packets that are held, or were left out, and are not counted elsewhere.
    pub fn packets(&self) -> u64 {
        u64::try_from(self.items.len()).unwrap_or(u64::MAX).saturating_add(self.omitted)
    }

    /// The times of what was held.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    fn push(&mut self, item: Item) {
        let at = match &item {
            Item::Packet(packet, _) => Some(packet.at),
            Item::Named(named) => Some(named.packet.at),
            Item::Other(at) => *at,
        };
        if let Some(at) = at {
            Span::note(&mut self.span, at);
        }
        if self.items.len() < LIMIT_HELD {
            self.items.push(item);
            return;
        }
        self.omitted += 1;
        let packet = match &item {
            Item::Packet(packet, _) => packet,
            Item::Named(named) => &named.packet,
            Item::Other(_) => return,
        };
        self.left_out.entry(packet.interface).or_default().note_packet(packet);
    }
}

impl CaptureIntake {
    /// Whether packets wait for addresses.
    pub fn waits_for_names(&self) -> bool {
        self.unresolved.is_holding()
    }

    /// The names that what is held prints.
    pub fn printed_names(&self) -> PrintedNames {
        let mut printed = PrintedNames::default();
        for item in &self.unresolved.items {
            if let Item::Named(named) = item {
                printed.note(named);
            }
        }
        printed
    }

    /// Passes on what was held, by the addresses that the names have, or that stand for
    /// them.
    pub fn resolve_names(&mut self, ends: &mut Ends, feeder: &mut Feeder) {
        self.unresolved.is_released = true;
        let mut told = BTreeSet::new();
        let mut standing = Standing::default();
        for item in std::mem::take(&mut self.unresolved.items) {
            match item {
                Item::Packet(packet, wire_bytes) => self.packet(*packet, wire_bytes, feeder),
                Item::Other(at) => self.other(at, None, feeder),
                Item::Named(mut waiting) => match resolve(&mut waiting, ends) {
                    Ok(()) => {
                        standing.note(&waiting, ends.stand_ins());
                        self.packet(waiting.packet, 0, feeder);
                    }
                    Err(unresolved) => {
                        forget_names(&mut waiting);
                        let packet = &waiting.packet;
                        self.other(Some(packet.at), None, feeder);
                        self.missing_at(packet.interface).unread.note_packet(packet);
                        if told.len() < MAX_FAULTS && told.insert(unresolved.name.clone()) {
                            let (place, message) =
                                (Place::Line(waiting.line), unresolved.to_string());
                            self.faults.note(&Fault { place, message });
                        }
                    }
                },
            }
        }
        for (interface, left_out) in std::mem::take(&mut self.unresolved.left_out) {
            self.missing_at(interface).unread.absorb(&left_out);
        }
        let mut tell = |message| self.faults.note(&Fault { place: Place::Whole, message });
        if self.unresolved.omitted > 0 {
            tell(format!(
                "{} packets were left out: {LIMIT_HELD} wait for the addresses of names already",
                self.unresolved.omitted
            ));
        }
        standing.find_warning().into_iter().for_each(&mut tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::{Endpoint, FlowKey};
    use crate::model::packet::{Application, Content, Datagram};

    #[test]
    fn what_is_left_out_is_unread_too() {
        for [client, server, stranger] in [
            ["192.0.2.7", "198.51.100.10", "192.0.2.8"],
            ["2001:db8::7", "2001:db8:100::10", "2001:db8::8"],
        ] {
            let end = |address: &str, port| Endpoint::new(address.parse().unwrap(), port);
            let answer = |to: &str| {
                let datagram = Datagram {
                    flow: FlowKey::udp(end(server, 161), end(to, 58_631)),
                    length: 60,
                    fingerprint: None,
                    is_cut: false,
                    application: Application::Unknown { tftp_shape: None },
                };
                let at = Timestamp::from_seconds(1);
                Packet::without_headers(1, at, 2, Content::Datagram(datagram))
            };
            let mut unresolved = Unresolved::default();
            for _ in 0..LIMIT_HELD {
                unresolved.push(Item::Other(None));
            }
            for to in [client, client, stranger] {
                unresolved.packet(answer(to), 0);
            }
            unresolved.push(Item::Other(None));
            assert_eq!(unresolved.omitted, 4);
            let unread = &unresolved.left_out[&2];
            assert_eq!(unread.packets(), 3, "{client}");
            assert_eq!(unread.packets_of(&[end(client, 58_631)]), 2, "{client}");
        }
    }
}
