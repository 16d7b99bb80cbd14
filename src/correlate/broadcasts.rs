//! Addresses that turned out to mean all hosts of a network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::audience::Audience;
use super::record::is_group;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::packet::Packet;
use crate::model::topology::{AddressRole, FactSource, Role, Topology};

/// A capture of more networks than this is none; a forged one may name any number.
const MAX_ADDRESSES: usize = 256;

/// Broadcast addresses by the link headers of what was sent to them.
///
/// Frames that were made by hand go to all hosts, whoever is meant: who sends anything
/// is a host for all that, and where one is answered in such a frame too, no link header
/// of the capture is believed.
#[derive(Debug, Default)]
pub struct Broadcasts {
    /// With the frame that showed it first; without, where the address sent something.
    seen: BTreeMap<IpAddr, Option<FrameRef>>,
    are_doubted: bool,
}

impl Broadcasts {
    /// To whom `packet`, which opens an exchange, goes.
    pub fn audience_of(&self, packet: &Packet, destination: IpAddr) -> Audience {
        let is_host = self.are_doubted || self.seen.get(&destination) == Some(&None);
        if is_host && !is_group(destination) {
            Audience::One
        } else {
            Audience::of(packet, destination)
        }
    }

    /// Notes that a frame for all hosts was sent to `address`.
    pub fn note(&mut self, address: IpAddr, frame: FrameRef) {
        if self.seen.len() < MAX_ADDRESSES {
            self.seen.entry(address).or_insert(Some(frame));
        }
    }

    /// Notes that `sender` sent something.
    pub fn hear(&mut self, sender: Endpoint) {
        if !self.seen.is_empty()
            && let Some(frame) = self.seen.get_mut(&sender.address)
        {
            *frame = None;
        }
    }

    /// Notes that who asked was answered in a frame for all hosts.
    pub fn doubt(&mut self) {
        self.are_doubted = true;
    }

    /// Tells `topology` of them.
    pub fn infer(&self, topology: &mut Topology) {
        let known = self.seen.iter().filter(|_| !self.are_doubted);
        for (address, frame) in known.filter_map(|(address, frame)| Some((address, (*frame)?))) {
            let reason = format!("frame {} went to it and to all hosts of its link", frame.number);
            let source = FactSource::Packets;
            let belief =
                AddressRole { role: Role::Broadcast, node: None, pod: None, source, reason };
            topology.infer(*address, belief);
        }
    }
}
