//! Addresses that turned out to mean all hosts of a network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::capture::FrameRef;
use crate::model::topology::{AddressRole, FactSource, Role, Topology};

/// A capture of more networks than this is none; a forged one may name any number.
const MAX_ADDRESSES: usize = 256;

/// Broadcast addresses by the link headers of what was sent to them, each with the
/// frame that showed it first.
#[derive(Debug, Default)]
pub struct Broadcasts(BTreeMap<IpAddr, FrameRef>);

impl Broadcasts {
    /// Notes that a frame for all hosts was sent to `address`.
    pub fn note(&mut self, address: IpAddr, frame: FrameRef) {
        if self.0.len() < MAX_ADDRESSES {
            self.0.entry(address).or_insert(frame);
        }
    }

    /// Tells `topology` of them.
    pub fn infer(&self, topology: &mut Topology) {
        for (address, frame) in &self.0 {
            let reason =
                format!("frame {} was sent to it and to all hosts of its link", frame.number);
            let source = FactSource::Packets;
            let belief =
                AddressRole { role: Role::Broadcast, node: None, pod: None, source, reason };
            topology.infer(*address, belief);
        }
    }
}
