//! Addresses that mean all hosts of a network, and those that only seem to.
//!
//! Nothing in an IPv4 address says that it is a broadcast address: that takes the
//! network's mask, which no packet tells. What the packets show of an address is gathered
//! and weighed when all of them are in:
//!
//! - It is a host's if anything came from it, an ICMP error included (RFC 1122 section
//!   3.2.1.3: no packet has a broadcast address as its source); if an error says that
//!   a datagram did not arrive there (section 3.2.2: of broadcasts none is sent); or if
//!   a client that was answered went on to it at the answer's port.
//! - It is a host's if its lower bits are not alike: a network's broadcast address ends
//!   in ones, two of them at least (RFC 922 section 7; RFC 3021 for why), or in zeros
//!   (4.2BSD, RFC 1122 section 3.3.6).
//! - It means all hosts if frames for all hosts of the link went to it. Relays and tools
//!   that wake hosts send a host such frames as well: where frames for one went to it
//!   too, eight ones are asked for. And frames that were made by hand all go to
//!   everybody: where a client was answered in a frame like that to what it asked in
//!   one, none of them is believed.
//! - It means all hosts if one request to it was answered by several of its network, or
//!   by another one of that network. The latter does not count if the client asked again
//!   all the same, or refused the answer. It does not count either if a frame for one host
//!   carried the request, unless the client left it at that answer, which belongs to the
//!   request by time alone: a directed broadcast is in a frame for one as well, on its way
//!   to the router.

mod standing;

use std::collections::BTreeMap;
use std::net::IpAddr;

pub use self::standing::settle;
use super::audience::Audience;
use super::record::is_group;
use crate::model::capture::FrameRef;
use crate::model::packet::{Application, Datagram, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::topology::{AddressRole, FactSource, Role, Topology};

/// A capture of more networks than this is none; a forged one may name any number.
const MAX_ADDRESSES: usize = 256;
/// The broadcast address of a network of four ends so; of two, there is none (RFC 3021).
const MIN_ONES: u32 = 2;
/// Of a network as large as most are. What ends so is hardly a host by chance.
const TELLING_ONES: u32 = 8;

/// Addresses of one point that may mean all hosts of a network.
#[derive(Debug, Default)]
pub struct Broadcasts {
    /// With the first frame for all hosts that went there.
    seen: BTreeMap<IpAddr, Option<FrameRef>>,
    are_made_by_hand: bool,
}

impl Broadcasts {
    /// To whom `packet`, which opens an exchange, goes, as far as is known by now; notes what
    /// it says of its destination.
    pub fn take_opening(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> Audience {
        let to = datagram.flow.destination.address;
        let audience = Audience::of(packet, to);
        if is_group(to) {
            return audience;
        }
        let is_believed = !self.are_made_by_hand && may_be_broadcast(to);
        if audience == Audience::Group && is_believed {
            if self.has_room(to) {
                self.seen.entry(to).or_default().get_or_insert(frame);
            }
            return Audience::Group;
        }
        if is_for_all(datagram) {
            self.suspect(to);
            return Audience::Group;
        }
        if audience == Audience::Group { Audience::Untold } else { audience }
    }

    /// Notes that `address` may be no host's by what was said to it, or by who answered.
    pub fn suspect(&mut self, address: IpAddr) {
        if self.has_room(address) {
            self.seen.entry(address).or_default();
        }
    }

    /// Notes that who asked in a frame for all hosts was answered in one.
    pub fn doubt(&mut self) {
        self.are_made_by_hand = true;
    }

    /// Tells `topology` of those that went to all hosts of a link.
    pub fn infer(&self, topology: &mut Topology) {
        for (address, frame) in &self.seen {
            let Some(frame) = frame else { continue };
            let reason = format!("frame {} went to it and to all hosts of its link", frame.number);
            let source = FactSource::Packets;
            let belief =
                AddressRole { role: Role::Broadcast, node: None, pod: None, source, reason };
            topology.infer(*address, belief);
        }
    }

    fn has_room(&self, address: IpAddr) -> bool {
        self.seen.len() < MAX_ADDRESSES || self.seen.contains_key(&address)
    }
}

/// Whether `datagram` asks nobody and says itself that it is for all hosts of a network,
/// whose broadcast address looks like any other: NTP's mode 5 (RFC 5905 section 3).
fn is_for_all(datagram: &Datagram) -> bool {
    datagram.flow.destination.address.is_ipv4()
        && matches!(&datagram.application, Application::Transaction(transaction)
            if transaction.protocol == Protocol::Ntp
                && transaction.role == TransactionRole::Notification)
}

/// Whether an address ends like a network's broadcast address.
fn may_be_broadcast(address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let bits = address.to_bits();
    bits.trailing_ones() >= MIN_ONES || bits.trailing_zeros() >= TELLING_ONES
}

/// Whether `asked` is the highest address of the network of 256 or more that
/// `answerer` is in: then all its hosts may have been asked (RFC 922).
pub fn is_subnet_broadcast(asked: IpAddr, answerer: IpAddr) -> bool {
    let (IpAddr::V4(asked), IpAddr::V4(answerer)) = (asked, answerer) else { return false };
    let host_bits = asked.to_bits().trailing_ones();
    (TELLING_ONES..32).contains(&host_bits)
        && asked != answerer
        && asked.to_bits() >> host_bits == answerer.to_bits() >> host_bits
}

/// Whether an address is surely no host's by its shape alone.
pub fn looks_like_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.to_bits().trailing_ones() >= TELLING_ONES)
}
