//! What a DHCP server says to the address that it gives away.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::PointTable;
use crate::correlate::opening::is_lease;
use crate::correlate::record::is_group;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Origin;
use crate::model::packet::{Datagram, Packet};
use crate::model::protocol::Protocol;

/// A client that got nothing asks again after so long (RFC 2131 section 4.1).
pub(super) const OFFER_DELAY: Duration = Duration::from_secs(10);
/// Where a client listens that has no address yet.
const WITHOUT_ADDRESS: Endpoint = Endpoint { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 68 };

impl PointTable {
    /// Takes an offer, or a lease, that is sent to the address in it (RFC 2131
    /// section 4.1) as an answer to those that asked without an address.
    pub(super) fn lease(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) -> bool {
        let destination = datagram.flow.destination.address;
        if !is_lease(datagram) || !destination.is_ipv4() || is_group(destination) {
            return false;
        }
        let asking = self.exchanges_of(WITHOUT_ADDRESS).find(|(_, exchange)| {
            exchange.protocol == Protocol::Dhcp
                && exchange.asked.is_some()
                && packet.at.since(exchange.last_at()) <= OFFER_DELAY
        });
        let Some((exchange, _)) = asking else { return false };
        // No flow is registered: what the client says from its address later, to keep it,
        // is an exchange of its own.
        self.exchanges[exchange.position()].reply(packet, frame, datagram, Origin::ByDesign);
        true
    }
}
