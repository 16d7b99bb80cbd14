//! Whether two packets that say the same are one that a host passed on, translated,
//! or two that their sender sent.
//!
//! A client that asks two servers at once from one socket, as resolvers and exporters
//! do, shows nearly what a translation shows: the same client, the same words, another
//! destination a moment later. What the two do not share is in the IP header.

use std::num::{NonZeroU8, NonZeroU16};

use crate::model::capture::Direction;
use crate::model::packet::Packet;

/// What of a packet's header tells it from another one that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// IPv4 identification; translation leaves it as it is (RFC 791 section 3.2).
    pub identification: Option<NonZeroU16>,
    /// Half of IPv6's flow label, which translation leaves as it is as well; Linux
    /// makes one for each destination.
    pub flow_label: Option<NonZeroU16>,
    pub hop_limit: Option<NonZeroU8>,
    pub direction: Option<Direction>,
}

/// What two such headers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Two packets: their sender sent both.
    SentTwice,
    /// One packet, which a host passed on between the two times that it was seen.
    PassedOn,
    /// The headers allow for both.
    Unclear,
}

impl Header {
    pub fn of(packet: &Packet) -> Self {
        let marks = packet.hop_marks;
        Self {
            identification: packet.ip_identification.and_then(NonZeroU16::new),
            flow_label: marks.flow_label().map(fold),
            hop_limit: marks.hop_limit().and_then(NonZeroU8::new),
            direction: packet.direction,
        }
    }

    /// What this header and `later` show, whose packets say the same to different
    /// destinations.
    pub fn passage_to(self, later: Self) -> Passage {
        let identifications = self.identification.zip(later.identification);
        let labels = self.flow_label.zip(later.flow_label);
        if identifications.is_some_and(|(before, now)| before != now)
            || labels.is_some_and(|(before, now)| before != now)
        {
            return Passage::SentTwice;
        }
        match (self.direction, later.direction) {
            // A host that forwards takes a packet in before it sends it out.
            (Some(before), Some(now)) if before == now => return Passage::SentTwice,
            (Some(Direction::In), Some(Direction::Out)) => return Passage::PassedOn,
            _ => {}
        }
        // Balancers that rewrite frames on a bridge leave the hop limit as it is.
        if identifications.is_some() {
            return Passage::PassedOn;
        }
        match self.hop_limit.zip(later.hop_limit) {
            // Nobody forwarded it, and both came the same way from the same sender.
            Some((before, now)) if before == now => Passage::SentTwice,
            Some((before, now)) if now < before => Passage::PassedOn,
            _ => Passage::Unclear,
        }
    }
}

/// Twenty bits in sixteen: of 65,536 labels two are taken for one.
#[expect(clippy::cast_possible_truncation, reason = "what the lower half lacks is folded in")]
const fn fold(label: u32) -> NonZeroU16 {
    match NonZeroU16::new((label ^ label >> 16) as u16) {
        Some(folded) => folded,
        None => NonZeroU16::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Header =
        Header { identification: None, flow_label: None, hop_limit: None, direction: None };

    #[test]
    fn headers_tell_one_packet_from_two() {
        let v4 = |identification, hops| Header {
            identification: NonZeroU16::new(identification),
            hop_limit: NonZeroU8::new(hops),
            ..BARE
        };
        let v6 = |label, hops| Header {
            flow_label: NonZeroU16::new(label),
            hop_limit: NonZeroU8::new(hops),
            ..BARE
        };
        let going = |direction| Header { direction: Some(direction), ..BARE };
        let cases = [
            ("nothing known", BARE, BARE, Passage::Unclear),
            ("one hop on", v4(0, 64), v4(0, 63), Passage::PassedOn),
            ("one hop on, v6", v6(0, 64), v6(0, 63), Passage::PassedOn),
            ("one hop on, labelled", v6(7, 64), v6(7, 63), Passage::PassedOn),
            ("no hop on", v4(0, 64), v4(0, 64), Passage::SentTwice),
            ("no hop on, v6", v6(0, 64), v6(0, 64), Passage::SentTwice),
            ("other labels", v6(7, 64), v6(8, 63), Passage::SentTwice),
            ("other identifications", v4(7, 64), v4(8, 63), Passage::SentTwice),
            ("a hop back: files merged", v4(0, 63), v4(0, 64), Passage::Unclear),
            ("one identification", v4(7, 64), v4(7, 64), Passage::PassedOn),
            ("in, then out", going(Direction::In), going(Direction::Out), Passage::PassedOn),
            ("both out", going(Direction::Out), going(Direction::Out), Passage::SentTwice),
            ("out, then in", going(Direction::Out), going(Direction::In), Passage::Unclear),
        ];
        for (name, before, later, expected) in cases {
            assert_eq!(before.passage_to(later), expected, "{name}");
        }
    }
}
