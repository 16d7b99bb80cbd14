//! Whether a packet is the last one again: a repetition, or a second copy.

use std::hash::Hasher;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use rustc_hash::FxHasher;

use super::passage::Header;
use super::signature::{Basis, Signature, shorten};
use crate::model::capture::Direction;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Datagram, Packet};
use crate::model::time::Timestamp;

/// The second copy of a datagram comes this soon; no sender repeats itself as fast.
pub const COPY: Duration = Duration::from_millis(1);

/// Copies of which more is known come within this time.
pub const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// How soon the second copy of a packet comes that looks like the first one. Two packets
/// of one sender have two identifications in IPv4, and no mark in IPv6.
pub const fn copied_within(sender: IpAddr) -> Duration {
    if sender.is_ipv4() { ON_ITS_WAY } else { COPY }
}

/// Whether two packets come from text without times: all of it stands at one instant.
pub const fn is_untimed(one: Timestamp, other: Timestamp) -> bool {
    one.as_nanoseconds() == 0 && other.as_nanoseconds() == 0
}

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
    /// What `kind` says: the identification, or half of the flow label.
    tag: Option<NonZeroU16>,
    /// Zero where unknown.
    hop_limit: u8,
    kind: Kind,
}

/// What else is known of a packet, in one byte: the lowest bit is always set, so that
/// a packet that there was not takes no room.
#[derive(Debug, Clone, Copy)]
struct Kind(NonZeroU8);

impl Kind {
    const PAYLOAD: u8 = 0x02;
    const LENGTH: u8 = 0x04;
    const IN: u8 = 0x08;
    const OUT: u8 = 0x10;
    const LABELLED: u8 = 0x20;
    const TUNNELLED: u8 = 0x40;

    /// `tag` is what stands in the tag's place.
    fn new(basis: Basis, direction: Option<Direction>, tag: Tag) -> Self {
        let basis = match basis.folded() {
            Basis::Meaning | Basis::Words => 0,
            Basis::Payload => Self::PAYLOAD,
            Basis::Length => Self::LENGTH,
        };
        let direction = match direction {
            None => 0,
            Some(Direction::In) => Self::IN,
            Some(Direction::Out) => Self::OUT,
        };
        let tag = match tag {
            Tag::Identification => 0,
            Tag::FlowLabel => Self::LABELLED,
        };
        Self(NonZeroU8::MIN | basis | direction | tag)
    }

    /// With a note that it came through a tunnel, if it did.
    const fn tunnelled_if(self, packet: &Packet) -> Self {
        match (packet.tunnel, NonZeroU8::new(self.0.get() | Self::TUNNELLED)) {
            (Some(_), Some(kind)) => Self(kind),
            _ => self,
        }
    }

    const fn has(self, bit: u8) -> bool {
        self.0.get() & bit != 0
    }

    const fn basis(self) -> Basis {
        match (self.has(Self::PAYLOAD), self.has(Self::LENGTH)) {
            (true, _) => Basis::Payload,
            (_, true) => Basis::Length,
            _ => Basis::Meaning,
        }
    }

    const fn direction(self) -> Option<Direction> {
        match (self.has(Self::IN), self.has(Self::OUT)) {
            (true, _) => Some(Direction::In),
            (_, true) => Some(Direction::Out),
            _ => None,
        }
    }

    const fn tag(self) -> Tag {
        if self.has(Self::LABELLED) { Tag::FlowLabel } else { Tag::Identification }
    }
}

/// What marks a packet in its IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// IPv4: each packet has its own.
    Identification,
    /// IPv6: all packets of a flow share one.
    FlowLabel,
}

impl Last {
    #[inline]
    pub fn new(packet: &Packet, datagram: &Datagram, peer: Endpoint, signature: Signature) -> Self {
        let header = Header::of(packet);
        let (tag, value) = match header.identification {
            Some(identification) => (Tag::Identification, Some(identification)),
            None => (Tag::FlowLabel, header.flow_label),
        };
        Self {
            at: packet.at,
            said: digest_words(signature, datagram),
            peer: digest(peer),
            tag: value,
            hop_limit: header.hop_limit.map_or(0, NonZeroU8::get),
            kind: Kind::new(signature.basis, packet.direction, tag).tunnelled_if(packet),
        }
    }

    /// Whether `later` is this very datagram, captured twice: a mirror port, or
    /// a bridge and its port under one interface. A sender that repeats itself
    /// gives its packet another IPv4 identification, and waits longer.
    pub fn is_copied_by(&self, later: &Self, pace: Pace) -> bool {
        let within = match (self.identification(), later.identification()) {
            (Some(before), Some(now)) if before == now => ON_ITS_WAY,
            (Some(_), Some(_)) => return false,
            // How soon it came is not known.
            _ if is_untimed(self.at, later.at) => return false,
            // Seen on both sides of a router, which takes one off the hop limit; who
            // repeats himself begins with the same one again.
            _ if self.is_passed_on_as(later) => ON_ITS_WAY,
            // Text: only the length is known, but nobody asks twice at once.
            _ if self.basis() == Basis::Length => Duration::from_micros(100),
            _ => COPY,
        };
        (self.basis() != Basis::Length || pace == Pace::WaitsForAnswers)
            && self.repeats(later)
            && self.peer == later.peer
            && later.at.distance(self.at) <= within
    }

    fn is_passed_on_as(&self, later: &Self) -> bool {
        later.hop_limit > 0 && later.hop_limit < self.hop_limit
    }

    /// Whether `later` says the same again. Where only lengths are known, or
    /// payloads that may be alike on purpose, news from the other side in
    /// between makes it a new message.
    pub fn says_again(&self, later: &Self, news_between: bool) -> bool {
        self.repeats(later) && (self.basis() == Basis::Meaning || !news_between)
    }

    /// Whether `later` is from, or to, another peer.
    pub fn is_of_another(&self, later: &Self) -> bool {
        self.peer != later.peer
    }

    /// Its packet's header.
    pub fn header(&self) -> Header {
        Header {
            identification: self.identification(),
            flow_label: self.tag.filter(|_| self.kind.tag() == Tag::FlowLabel),
            hop_limit: self.hop_limit(),
            direction: self.kind.direction(),
        }
    }

    /// Whether it came through a tunnel.
    pub fn is_tunnelled(&self) -> bool {
        self.kind.has(Kind::TUNNELLED)
    }

    /// How many hops it could still take.
    pub fn hop_limit(&self) -> Option<NonZeroU8> {
        NonZeroU8::new(self.hop_limit)
    }

    fn identification(&self) -> Option<NonZeroU16> {
        self.tag.filter(|_| self.kind.tag() == Tag::Identification)
    }

    fn basis(&self) -> Basis {
        self.kind.basis()
    }

    /// Whether it says what `datagram` does, whose signature is given.
    pub fn says(&self, signature: Signature, datagram: &Datagram) -> bool {
        self.said == digest_words(signature, datagram) && self.basis() == signature.basis.folded()
    }

    /// Whether both say the same, as far as that can be told.
    pub fn says_as(&self, other: &Self) -> bool {
        self.basis() != Basis::Length && self.repeats(other)
    }

    fn repeats(&self, later: &Self) -> bool {
        self.said == later.said && self.basis() == later.basis()
    }
}

/// Things said in a row are told apart well enough by half of a hash.
fn digest_words(signature: Signature, datagram: &Datagram) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(signature.value);
    hasher.write_u32(datagram.length);
    shorten(hasher.finish())
}

fn digest(endpoint: Endpoint) -> u32 {
    let bits = match endpoint.address {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => {
            let octets = v6.octets();
            let (words, _) = octets.as_chunks();
            words.iter().fold(1, |sum: u32, word| {
                sum.wrapping_mul(0x9e37_79b1).wrapping_add(u32::from_be_bytes(*word))
            })
        }
    };
    bits.wrapping_mul(31).wrapping_add(u32::from(endpoint.port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_takes_one_off_the_hop_limit_of_a_copy() {
        let last = |milliseconds: i64, hop_limit: u8, said: u32| Last {
            at: Timestamp::from_nanoseconds((1_000 + milliseconds) * 1_000_000),
            said,
            peer: 1,
            tag: None,
            hop_limit,
            kind: Kind::new(Basis::Meaning, None, Tag::FlowLabel),
        };
        let first = last(0, 64, 7);
        for (name, later, is_copy) in [
            ("behind a router", last(3, 63, 7), true),
            ("behind two", last(90, 62, 7), true),
            ("sent again", last(3, 64, 7), false),
            ("much later", last(500, 63, 7), false),
            ("something else", last(3, 63, 8), false),
            ("hop limit not known", last(3, 0, 7), false),
            ("a mirror's copy", last(0, 64, 7), true),
        ] {
            assert_eq!(first.is_copied_by(&later, Pace::Free), is_copy, "{name}");
        }
    }

    #[test]
    fn one_byte_tells_all_that_went_into_it() {
        for basis in [Basis::Meaning, Basis::Words, Basis::Payload, Basis::Length] {
            for direction in [None, Some(Direction::In), Some(Direction::Out)] {
                for tag in [Tag::Identification, Tag::FlowLabel] {
                    let kind = Kind::new(basis, direction, tag);
                    assert_eq!(
                        (kind.basis(), kind.direction(), kind.tag()),
                        (basis.folded(), direction, tag)
                    );
                }
            }
        }
        assert_eq!(size_of::<Option<Last>>(), 20);
    }
}
