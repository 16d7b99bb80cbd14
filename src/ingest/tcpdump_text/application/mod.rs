//! What a packet line says about a datagram's payload.

mod dhcp;
mod dns;
mod ike;
mod ntp;
mod radius;
mod sip;
mod snmp;
mod tftp;
mod wireguard;

pub use sip::{is_keep_alive, keep_alive, read as read_sip};

use crate::model::endpoint::FlowKey;
use crate::model::packet::Application;
use crate::model::protocol::Protocol;

/// A payload as text shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub application: Application,
    /// Payload bytes, where the text says so.
    pub length: Option<u32>,
}

/// What tcpdump prints at the start of a summary, and the protocol that is.
const LEADS: &[(&str, Protocol)] = &[
    ("SYSLOG ", Protocol::Syslog),
    ("[|syslog]", Protocol::Syslog),
    ("isakmp", Protocol::Ike),
    ("NONESP-encap", Protocol::Ike),
    ("UDP-encap", Protocol::Ike),
    ("VXLAN", Protocol::Vxlan),
    ("OTV", Protocol::Vxlan),
    ("Geneve", Protocol::Geneve),
    ("quic", Protocol::Quic),
    ("QUIC", Protocol::Quic),
    ("sFlow", Protocol::Sflow),
    ("NetFlow", Protocol::NetFlow),
];

/// Reads the summary of a UDP datagram and the lines below it.
#[must_use]
pub fn read_application(flow: &FlowKey, summary: &str, body: &[String]) -> Reading {
    let summary = summary.trim();
    if let Some(reading) = tftp::find(summary) {
        return reading;
    }
    let protocol = Protocol::of_flow(flow);
    if summary.starts_with("UDP,") || summary.starts_with("[|udp]") {
        return by_length(flow, protocol, find_length(summary));
    }
    // tcpdump 3, and `-q` of old versions.
    if let Some(length) = summary.strip_prefix("udp ") {
        let digits = length.trim_start().split(|c: char| !c.is_ascii_digit()).next();
        return by_length(flow, protocol, digits.and_then(|digits| digits.parse().ok()));
    }
    if summary.starts_with("SIP") {
        return Reading { application: sip::read(summary, body), length: find_length(summary) };
    }
    if let Some(application) = ike::find_opening(flow, summary) {
        return Reading { application, length: None };
    }
    if let Some(application) = ntp::find(summary, body) {
        return Reading { application, length: find_length(summary) };
    }
    if let Some(application) = dhcp::find(summary, body) {
        return Reading { application, length: find_length(summary) };
    }
    if let Some(application) = radius::find(summary, body) {
        return Reading { application, length: find_length(summary) };
    }
    if let Some(application) = snmp::find(protocol, summary, body) {
        // A value in the message may well contain the word `length`.
        return Reading { application, length: None };
    }
    let lead = LEADS.iter().find(|(lead, _)| summary.starts_with(lead)).map(|(_, named)| *named);
    // It is printed where the message is one: tcpdump looks for its priority, or version.
    if let Some(named) = lead.filter(|named| named.is_one_way() && !summary.starts_with("[|")) {
        let length = find_length(summary).or_else(|| find_trailing_length(summary));
        return Reading { application: Application::Report(named), length };
    }
    match lead.or(protocol) {
        Some(named @ (Protocol::Dns | Protocol::Mdns | Protocol::Llmnr)) => {
            dns::read(named, summary)
        }
        Some(Protocol::Vxlan | Protocol::Geneve) => plain(lead.or(protocol), None),
        named => plain(named, find_length(summary).or_else(|| find_trailing_length(summary))),
    }
}

/// A datagram of which no more than its length is printed.
fn by_length(flow: &FlowKey, protocol: Option<Protocol>, length: Option<u32>) -> Reading {
    let handshake = length
        .filter(|_| protocol == Some(Protocol::Wireguard))
        .and_then(|length| wireguard::find_handshake(flow, length));
    match handshake {
        Some(application) => Reading { application, length },
        None => plain(protocol, length),
    }
}

fn plain(protocol: Option<Protocol>, length: Option<u32>) -> Reading {
    let application =
        protocol.map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
    Reading { application, length }
}

/// The first `length N` or `length: N`, in bytes. Of `bad length 100 > 64` the
/// first is what the UDP header says.
fn find_length(summary: &str) -> Option<u32> {
    let (_, rest) = summary.split_once("length")?;
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `(29)` at the end of a summary, in bytes.
fn find_trailing_length(summary: &str) -> Option<u32> {
    let (_, number) = summary.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests;
