//! Who talks to whom on the wire of a capture: two captures of one wire have it
//! in common, two sides of a translation have not.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::model::capture::{Frame, LinkType};
use crate::model::packet::{Content, Packet};

/// Pairs kept from the beginning of a capture, and as many from its end, by direction.
const MAX_PAIRS: usize = 128;
/// The bit of a pair that says which of the two speaks.
const DIRECTION: u64 = 1;
/// All frames are looked at up to this one; of those behind it a few suffice.
const ALL_UP_TO: u64 = 4_096;
const EVERY: u64 = 16;

/// The pairs of talkers at both ends of a capture.
#[derive(Debug, Default)]
pub struct Talkers {
    frames: u64,
    early: Vec<u64>,
    late: VecDeque<u64>,
}

impl Talkers {
    /// Notes who talks in `frame`: by link addresses, else by IP addresses.
    #[inline]
    pub fn hear_frame(&mut self, frame: &Frame<'_>) {
        if !self.is_passed_over() {
            self.note_frame(frame);
        }
    }

    fn note_frame(&mut self, frame: &Frame<'_>) {
        if let Some(pair) = find_link_pair(frame).or_else(|| find_ip_pair(frame)) {
            self.note(pair);
        }
        if let Some(station) = find_station(frame) {
            self.note(station);
        }
    }

    /// Notes who talks in a packet that a text spells out.
    pub fn hear_packet(&mut self, packet: &Packet) {
        let (source, destination) = match &packet.content {
            Content::Datagram(datagram) | Content::Discarded(datagram) => {
                (datagram.flow.source.address, datagram.flow.destination.address)
            }
            Content::Dropped(dropped) => {
                let flow = &dropped.datagram.flow;
                (flow.source.address, flow.destination.address)
            }
            Content::IcmpError(error) => (error.from, error.to),
            Content::FragmentsLost(_) | Content::Neighbour(_) | Content::Segment(_) => return,
        };
        if !self.is_passed_over() {
            self.note(digest(source, destination));
        }
    }

    /// Whether a pair that talks here talks there too.
    pub fn share_any(&self, other: &Self) -> bool {
        self.share(other, |own, other| (own ^ other) & !DIRECTION == 0)
    }

    /// Whether somebody speaks to somebody here and there.
    pub fn share_direction(&self, other: &Self) -> bool {
        self.share(other, |own, other| own == other)
    }

    fn share(&self, other: &Self, is_same: impl Fn(u64, u64) -> bool) -> bool {
        let mut own = self.early.iter().chain(&self.late);
        own.any(|pair| {
            let mut others = other.late.iter().chain(&other.early);
            others.any(|other| is_same(*pair, *other))
        })
    }

    /// Takes over what was heard before.
    pub fn absorb(&mut self, before: &Self) {
        for pair in before.early.iter().chain(&before.late) {
            if self.early.len() < 2 * MAX_PAIRS && !self.early.contains(pair) {
                self.early.push(*pair);
            }
        }
    }

    fn is_passed_over(&mut self) -> bool {
        self.frames += 1;
        self.frames > ALL_UP_TO && !self.frames.is_multiple_of(EVERY)
    }

    fn note(&mut self, pair: u64) {
        if self.late.back() == Some(&pair) {
            return;
        }
        if self.early.len() < MAX_PAIRS && !self.early.contains(&pair) {
            self.early.push(pair);
        }
        // Who talks has mostly talked a moment ago.
        if let Some(known) = self.late.iter().rposition(|known| *known == pair) {
            self.late.remove(known);
        } else if self.late.len() >= MAX_PAIRS {
            self.late.pop_front();
        }
        self.late.push_back(pair);
    }
}

/// The two addresses of an Ethernet frame; on loopback they are zero.
fn find_link_pair(frame: &Frame<'_>) -> Option<u64> {
    if frame.link_type != LinkType::Ethernet {
        return None;
    }
    let (destination, rest) = frame.bytes.split_first_chunk::<6>()?;
    let source = rest.first_chunk::<6>()?;
    (source != &[0; 6]).then(|| digest(*source, *destination))
}

/// Who sent the frame, and at which of the kernel's interfaces that was seen:
/// `tcpdump -i any` keeps no more of the link addresses.
fn find_station(frame: &Frame<'_>) -> Option<u64> {
    let (interface, length, address) = match frame.link_type {
        LinkType::LinuxSll => (&[][..], frame.bytes.get(4..6)?, frame.bytes.get(6..14)?),
        LinkType::LinuxSll2 => {
            (frame.bytes.get(4..8)?, frame.bytes.get(11..12)?, frame.bytes.get(12..20)?)
        }
        _ => return None,
    };
    let is_ethernet = length.last() == Some(&6) && address != [0; 8];
    is_ethernet.then(|| digest(interface, address))
}

fn find_ip_pair(frame: &Frame<'_>) -> Option<u64> {
    let header_bytes = match frame.link_type {
        LinkType::Ethernet => 14,
        LinkType::LinuxSll => 16,
        LinkType::LinuxSll2 => 20,
        LinkType::Null | LinkType::Loop => 4,
        LinkType::RawIp | LinkType::Ipv4 | LinkType::Ipv6 => 0,
        _ => return None,
    };
    let ip = frame.bytes.get(header_bytes..)?;
    match ip.first()? >> 4 {
        4 => Some(digest(ip.get(12..16)?, ip.get(16..20)?)),
        6 => Some(digest(ip.get(8..24)?, ip.get(24..40)?)),
        _ => None,
    }
}

/// The same in both directions, but for one bit.
fn digest<T: Hash + Ord>(one: T, other: T) -> u64 {
    let mut hasher = FxHasher::default();
    let is_lower = one <= other;
    if is_lower { (one, other) } else { (other, one) }.hash(&mut hasher);
    hasher.finish() & !DIRECTION | u64::from(is_lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn talkers(link_type: LinkType, frames: &[&[u8]]) -> Talkers {
        let mut talkers = Talkers::default();
        for bytes in frames {
            talkers.hear_frame(&Frame {
                number: 1,
                at: Timestamp::EPOCH,
                interface: 0,
                link_type,
                direction: None,
                original_length: 0,
                bytes,
            });
        }
        talkers
    }

    #[test]
    fn captures_of_one_wire_share_talkers() {
        let there: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let back: &[u8] = &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        let other: &[u8] = &[2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1, 8, 0];
        let cut: &[u8] = &[2, 0, 0, 0];
        let loopback: &[u8] = &[0; 14];
        let cases = [
            ("the same direction", there, there, true),
            ("the other direction", there, back, true),
            ("another neighbour", there, other, false),
            ("a cut frame", cut, cut, false),
            ("loopback without IP", loopback, loopback, false),
        ];
        for (name, one, two, expected) in cases {
            let (one, two) =
                (talkers(LinkType::Ethernet, &[one]), talkers(LinkType::Ethernet, &[two]));
            assert_eq!(one.share_any(&two), expected, "{name}");
        }
    }

    #[test]
    fn without_link_addresses_ip_addresses_tell() {
        let ipv4 = |last: u8| {
            let mut bytes = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0];
            bytes.extend([192, 0, 2, 1, 192, 0, 2, last]);
            bytes
        };
        let ipv6 = |last: u8| {
            let mut bytes = vec![0; 40];
            (bytes[0], bytes[39]) = (0x60, last);
            bytes
        };
        let makers: [&dyn Fn(u8) -> Vec<u8>; 2] = [&ipv4, &ipv6];
        for make in makers {
            let one = talkers(LinkType::RawIp, &[&make(7)]);
            assert!(one.share_any(&talkers(LinkType::RawIp, &[&make(7)])));
            assert!(!one.share_any(&talkers(LinkType::RawIp, &[&make(8)])));
        }
    }
}
