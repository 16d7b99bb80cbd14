//! Which conversations can be asymmetric at all.

use std::net::IpAddr;

use crate::model::endpoint::is_group;
use crate::model::exchange::{Exchange, Expectation, Said, View};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::topology::{Role, Topology};

/// What kind of conversation is expected; only [`Habit::Conversation`] can be
/// asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// One client asks one server.
    Conversation,
    /// Nobody answers: syslog, flow exports, traps.
    OneWay,
    /// Sent to a group; whoever feels addressed answers with its own address.
    Group,
    /// Answers may come from elsewhere by design.
    MovesByDesign,
    /// An overlay's outer header: each direction is a flow of its own (RFC 7348 section 5).
    Tunnel,
    /// A traceroute probe, whose ICMP errors are what it wants, or one of several ways
    /// that ICE tries, where another works (RFC 8445 section 7.2.5.2).
    Probe,
}

/// What is expected of an exchange, by its protocol and by whom it asks.
#[must_use]
pub fn habit_of(exchange: &Exchange, view: &View, topology: &Topology) -> Habit {
    let protocol = exchange.protocol;
    if view.asked.is_some_and(|asked| asks_group(asked.address, topology)) {
        return Habit::Group;
    }
    if protocol.is_one_way() || asks_nothing(exchange) {
        return Habit::OneWay;
    }
    match protocol {
        Protocol::Vxlan | Protocol::Geneve | Protocol::GtpU | Protocol::Teredo => Habit::Tunnel,
        Protocol::Stun if view.replies.is_empty() && view.answered_elsewhere.is_some() => {
            Habit::Probe
        }
        other if is_probe(view, other) => Habit::Probe,
        other if other.moves_by_design() => Habit::MovesByDesign,
        _ => Habit::Conversation,
    }
}

/// Whether the client wanted no answer, and got none, wherever it was seen.
fn asks_nothing(exchange: &Exchange) -> bool {
    exchange.views.iter().all(|view| {
        view.expectation == Expectation::Nothing
            && view.asked.is_some()
            && view.reply_packets() == 0
            && view.follow_ups.is_empty()
    })
}

/// Traceroute counts upwards from port 33434. At other ports it is known by what it
/// provokes, be it by a probe beside this one: the last, which arrives, gets port
/// unreachable or nothing. At the port of some protocol its payload is not that protocol's.
fn is_probe(view: &View, protocol: Protocol) -> bool {
    let is_read =
        view.steps.first().is_some_and(|step| !matches!(step.said, Said::Datagram { .. }));
    if protocol == Protocol::Tftp || (protocol != Protocol::Udp && is_read) {
        return false;
    }
    let unanswered = view.replies.is_empty();
    let expired = view.icmp_errors.iter().any(|errors| errors.kind == IcmpKind::TimeExceeded);
    let port = view.asked.is_some_and(|asked| (33_434..=33_534).contains(&asked.port));
    let expired = expired || view.expired_beside;
    unanswered && (expired || (port && protocol == Protocol::Udp))
}

fn asks_group(address: IpAddr, topology: &Topology) -> bool {
    is_group(address)
        || topology.is_broadcast(address)
        || matches!(topology.role_of(address), Role::Multicast | Role::Broadcast)
}
