//! The packets of exchanges that do not show both their sides at one point yet.

use std::collections::VecDeque;

use crate::model::exchange::PointId;
use crate::model::packet::Packet;

/// So many are kept before it is looked which of them are needed no more. Where both
/// sides of an exchange come by one interface that is nearly all.
const FEWEST_KEPT: usize = 4_096;
/// Kept at most, some 25 MB; of more the latest.
const MOST_KEPT: usize = 128 * 1_024;

/// Packets in the order in which they came.
#[derive(Debug)]
pub struct Kept {
    packets: VecDeque<Seen>,
    /// So many are kept before it is looked again.
    limit: usize,
    /// So many at most.
    most: usize,
    /// Some that were needed did not stay.
    has_lost: bool,
}

/// A packet, and the point that saw it.
#[derive(Debug)]
pub struct Seen {
    pub point: PointId,
    pub packet: Packet,
}

impl Default for Kept {
    fn default() -> Self {
        Self::up_to(MOST_KEPT)
    }
}

impl Kept {
    /// Keeps so many at most.
    pub fn up_to(most: usize) -> Self {
        Self { packets: VecDeque::new(), limit: FEWEST_KEPT, most, has_lost: false }
    }

    /// Whether it is time to [`retain`](Self::retain) what is still needed.
    pub fn is_full(&self) -> bool {
        self.packets.len() >= self.limit
    }

    pub fn push(&mut self, point: PointId, packet: &Packet) {
        self.packets.push_back(Seen { point, packet: packet.clone() });
    }

    /// Lets go of what is not needed, and of the oldest where very much is.
    pub fn retain(&mut self, is_needed: impl FnMut(&Seen) -> bool) {
        self.packets.retain(is_needed);
        let excess = self.packets.len().saturating_sub(self.most / 4 * 3);
        self.packets.drain(..excess);
        self.has_lost |= excess > 0;
        self.limit = (self.packets.len() * 2).clamp(FEWEST_KEPT, self.most);
    }

    /// Notes that packets went by which may be needed.
    pub fn note_lost(&mut self) {
        self.has_lost = true;
    }

    /// Whether packets are missing of what is still needed.
    pub fn has_lost(&self) -> bool {
        self.has_lost
    }

    pub fn into_packets(self) -> Vec<Seen> {
        self.packets.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::capture::CaptureId;
    use crate::model::endpoint::{Endpoint, FlowKey};
    use crate::model::packet::{Application, Content, Datagram};
    use crate::model::protocol::Protocol;
    use crate::model::time::Timestamp;

    fn packet(frame: u64) -> Packet {
        let end = Endpoint::unknown("2001:db8::7".parse().unwrap());
        let datagram = Datagram {
            flow: FlowKey::udp(end, end),
            length: 1,
            fingerprint: None,
            is_cut: false,
            application: Application::Plain(Protocol::Snmp),
        };
        Packet::without_headers(frame, Timestamp::EPOCH, 0, Content::Datagram(datagram))
    }

    #[test]
    fn what_is_needed_stays_up_to_a_limit() {
        const MOST: usize = 16 * 1_024;
        let point = PointId { capture: CaptureId(0), interface: 0 };
        // Of how many one is needed, and how many are left of 20,000.
        for (of, at_least, at_most) in [(1, MOST / 4 * 3, MOST), (10, 1_900, FEWEST_KEPT + 1_900)] {
            let mut kept = Kept::up_to(MOST);
            for frame in 1..=20_000 {
                if kept.is_full() {
                    kept.retain(|seen| seen.packet.frame % of == 0);
                }
                kept.push(point, &packet(frame));
            }
            let left = kept.into_packets();
            assert!((at_least..=at_most).contains(&left.len()), "{of}: {}", left.len());
            assert_eq!(left.last().unwrap().packet.frame, 20_000);
            assert!(left.is_sorted_by_key(|seen| seen.packet.frame));
        }
    }
}
