//! Packets of a flow's events.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::event::{Fate, FlowEvent, Party, Who};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Application, Datagram, IcmpError, IcmpKind};
use crate::model::protocol::Protocol;

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

/// The addresses; the unspecified one stands where a name has to be resolved.
pub(super) fn stand_ins(source: &Party, destination: &Party) -> (IpAddr, IpAddr) {
    let known = source.address().or_else(|| destination.address());
    let unknown = match known {
        Some(IpAddr::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    (source.address().unwrap_or(unknown), destination.address().unwrap_or(unknown))
}

/// A datagram of which neither length nor payload is told.
pub(super) fn datagram(flow: FlowKey) -> Datagram {
    let protocol = Protocol::of_flow(&flow);
    let application =
        protocol.map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
    Datagram { flow, length: 0, fingerprint: None, is_cut: false, application }
}
