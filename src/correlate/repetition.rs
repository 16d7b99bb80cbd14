//! Whether a packet is the last one again: a repetition, or a second copy.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use super::signature::{Basis, Signature};
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Datagram, Packet};
use crate::model::time::Timestamp;

/// The second copy of a datagram comes this soon; no sender repeats itself as fast.
pub const COPY: Duration = Duration::from_millis(1);

/// Whether a protocol's sides speak in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    WaitsForAnswers,
    Free,
}

/// The last packet of one side, to recognise a repetition or a copy.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    pub at: Timestamp,
    said: u64,
    length: u32,
    /// Two peers of one socket with the same one are rarer than second copies.
    peer: u32,
    ip_identification: Option<NonZeroU16>,
    basis: Basis,
}

impl Last {
    pub fn new(packet: &Packet, datagram: &Datagram, peer: Endpoint, signature: Signature) -> Self {
        Self {
            at: packet.at,
            said: signature.value,
            length: datagram.length,
            peer: digest(peer),
            ip_identification: packet.ip_identification.and_then(NonZeroU16::new),
            basis: signature.basis,
        }
    }

    /// Whether `later` is this very datagram, captured twice: a mirror port, or
    /// a bridge and its port under one interface. A sender that repeats itself
    /// gives its packet another IPv4 identification, and waits longer.
    pub fn is_copied_by(&self, later: &Self, pace: Pace) -> bool {
        let within = match (self.ip_identification, later.ip_identification) {
            (Some(before), Some(now)) if before == now => Duration::from_millis(100),
            (Some(_), Some(_)) => return false,
            // Text: only the length is known, but nobody asks twice at once.
            _ if self.basis == Basis::Length => Duration::from_micros(100),
            _ => COPY,
        };
        (self.basis != Basis::Length || pace == Pace::WaitsForAnswers)
            && self.says(Signature { value: later.said, basis: later.basis })
            && self.length == later.length
            && self.peer == later.peer
            && later.at.distance(self.at) <= within
    }

    /// Whether `later` says the same again. Where only lengths are known, or
    /// payloads that may be alike on purpose, news from the other side in
    /// between makes it a new message.
    pub fn says_again(&self, later: &Self, news_between: bool) -> bool {
        self.says(Signature { value: later.said, basis: later.basis })
            && self.length == later.length
            && (self.basis == Basis::Meaning || !news_between)
    }

    /// Whether it has this signature.
    pub fn says(&self, signature: Signature) -> bool {
        self.said == signature.value && self.basis == signature.basis
    }
}

fn digest(endpoint: Endpoint) -> u32 {
    let bits = match endpoint.address {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => v6
            .segments()
            .iter()
            .fold(1, |sum: u32, segment| sum.wrapping_mul(31).wrapping_add(u32::from(*segment))),
    };
    bits.wrapping_mul(31).wrapping_add(u32::from(endpoint.port))
}
