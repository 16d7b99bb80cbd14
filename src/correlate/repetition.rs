//! Whether a packet is the last one again: a repetition, or a second copy.

use std::time::Duration;

use super::signature::{Basis, Signature};
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Datagram, Packet};
use crate::model::time::Timestamp;

/// The last packet of one side, to recognise a repetition or a copy.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    pub at: Timestamp,
    peer: Endpoint,
    pub signature: Signature,
    length: u32,
    ip_identification: Option<u16>,
}

impl Last {
    pub fn new(packet: &Packet, datagram: &Datagram, peer: Endpoint, signature: Signature) -> Self {
        Self {
            at: packet.at,
            peer,
            signature,
            length: datagram.length,
            ip_identification: packet.ip_identification,
        }
    }

    /// Whether `later` is this very datagram, captured twice: a mirror port, or
    /// a bridge and its port under one interface. A sender that repeats itself
    /// gives its packet another IPv4 identification, and waits longer.
    pub fn is_copied_by(&self, later: &Self) -> bool {
        let within = match (self.ip_identification, later.ip_identification) {
            (Some(before), Some(now)) if before == now => Duration::from_millis(100),
            (Some(_), Some(_)) => return false,
            _ => Duration::from_millis(1),
        };
        self.signature.is_sure()
            && self.signature == later.signature
            && self.length == later.length
            && self.peer == later.peer
            && later.at.distance(self.at) <= within
    }

    /// Whether `later` says the same again. Where only lengths are known, or
    /// payloads that may be alike on purpose, news from the other side in
    /// between makes it a new message.
    pub fn says_again(&self, later: &Self, news_between: bool) -> bool {
        self.signature == later.signature
            && self.length == later.length
            && (self.signature.basis == Basis::Meaning || !news_between)
    }
}
