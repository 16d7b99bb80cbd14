//! Whether a packet is the last one again: a repetition, or a second copy.

use std::hash::Hasher;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use rustc_hash::FxHasher;

use super::signature::{Basis, Signature};
use crate::model::capture::Direction;
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
#[repr(C, packed(4))]
pub struct Last {
    pub at: Timestamp,
    /// Half of a hash of what was said and how long it was.
    said: u32,
    /// Two peers of one socket with the same one are rarer than second copies.
    peer: u32,
    ip_identification: Option<NonZeroU16>,
    basis: Basis,
    direction: Option<Direction>,
}

impl Last {
    pub fn new(packet: &Packet, datagram: &Datagram, peer: Endpoint, signature: Signature) -> Self {
        Self {
            at: packet.at,
            said: digest_words(signature, datagram),
            peer: digest(peer),
            ip_identification: packet.ip_identification.and_then(NonZeroU16::new),
            basis: signature.basis,
            direction: packet.direction,
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
            && self.repeats(later)
            && self.peer == later.peer
            && later.at.distance(self.at) <= within
    }

    /// Whether `later` says the same again. Where only lengths are known, or
    /// payloads that may be alike on purpose, news from the other side in
    /// between makes it a new message.
    pub fn says_again(&self, later: &Self, news_between: bool) -> bool {
        self.repeats(later) && (self.basis == Basis::Meaning || !news_between)
    }

    /// Whether `later` is from, or to, another peer.
    pub fn is_of_another(&self, later: &Self) -> bool {
        self.peer != later.peer
    }

    /// Whether `packet` may be this very datagram on its way out, translated. A
    /// host that forwards a datagram takes it in and sends it out, and leaves its
    /// IPv4 identification as it is (RFC 791 section 3.2).
    pub fn may_leave_as(&self, packet: &Packet) -> bool {
        let same_way = self.direction.is_some() && self.direction == packet.direction;
        let identification = packet.ip_identification.and_then(NonZeroU16::new);
        let differs = matches!(
            (self.ip_identification, identification),
            (Some(before), Some(now)) if before != now
        );
        !same_way && !differs
    }

    /// Whether it says what `datagram` does, whose signature is given.
    pub fn says(&self, signature: Signature, datagram: &Datagram) -> bool {
        self.said == digest_words(signature, datagram) && self.basis == signature.basis
    }

    /// Whether the IPv4 identifications let both be one packet.
    pub fn may_be_packet(&self, later: &Packet) -> bool {
        match (self.ip_identification, later.ip_identification.and_then(NonZeroU16::new)) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        }
    }

    fn repeats(&self, later: &Self) -> bool {
        self.said == later.said && self.basis == later.basis
    }
}

/// Things said in a row are told apart well enough by half of a hash.
fn digest_words(signature: Signature, datagram: &Datagram) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(signature.value);
    hasher.write_u32(datagram.length);
    shorten(hasher.finish())
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash is hash enough")]
const fn shorten(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
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
