//! Packets of a flow's events.

use std::net::IpAddr;

use super::event::{Fate, FlowEvent, Party, Who};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Application, Datagram, IcmpError, IcmpKind};
use crate::model::protocol::Protocol;
use crate::model::stand_in;

/// An ICMP error of which the quote is not shown.
pub(super) fn find_error(kind: IcmpKind, event: &FlowEvent) -> Option<IcmpError> {
    let (from, to) = (event.source.address()?, event.destination.address()?);
    (event.fate == Fate::Forwarded).then_some(IcmpError {
        kind,
        from,
        to,
        quote: None,
        fingerprint: None,
    })
}

/// The name that has to be looked up.
pub(super) fn name_of(party: &Party) -> Option<String> {
    match &party.who {
        Who::Name(name) => Some(name.clone()),
        Who::Address(_) => None,
    }
}

/// The addresses; where a name has to be resolved, the one that stands for it. Which family
/// two names are of is not told: those of IPv4 stand for both.
pub(super) fn stand_ins(source: &Party, destination: &Party) -> (IpAddr, IpAddr) {
    let known = source.address().or_else(|| destination.address());
    let is_ipv6 = known.is_some_and(|address| address.is_ipv6());
    let of = |party: &Party| match &party.who {
        Who::Address(address) => *address,
        Who::Name(name) => stand_in::address_of(name, is_ipv6),
    };
    (of(source), of(destination))
}

/// A datagram of which neither length nor payload is told.
pub(super) fn datagram(flow: FlowKey) -> Datagram {
    let protocol = Protocol::of_flow(&flow);
    let application =
        protocol.map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
    Datagram { flow, length: 0, fingerprint: None, is_cut: false, application }
}
