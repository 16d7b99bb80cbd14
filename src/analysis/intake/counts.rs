//! How much of what a capture holds.

use super::tunnels::TunnelCounts;
use crate::model::packet::{Content, FragmentsSeen, Packet};
use crate::model::time::Timestamp;

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub packets: u64,
    pub datagrams: u64,
    pub icmp_errors: u64,
    /// On the wire.
    pub bytes: u64,
    /// The first and the last packet's.
    pub times: Option<(Timestamp, Timestamp)>,
    pub tunnels: TunnelCounts,
}

impl Counts {
    /// Counts what a packet holds. The packet itself and its bytes are counted with its frame.
    pub fn add(&mut self, packet: &Packet) {
        match &packet.content {
            Content::Datagram(_) | Content::Discarded(_) | Content::Dropped(_) => {
                self.datagrams += 1;
            }
            Content::IcmpError(_) => self.icmp_errors += 1,
            Content::FragmentsLost(lost) => match lost.seen {
                FragmentsSeen::First => self.datagrams += 1,
                FragmentsSeen::LaterOnly => {}
            },
            Content::Segment(_) if packet.tunnel.is_some_and(|tunnel| tunnel.kind.is_in_udp()) => {
                self.datagrams += 1;
            }
            Content::Neighbour(_) | Content::Segment(_) => {}
        }
        if let Some(tunnel) = packet.tunnel {
            self.tunnels.add(tunnel);
        }
    }

    /// Notes the time of a packet of any kind.
    pub fn note_time(&mut self, at: Timestamp) {
        note_time(&mut self.times, at);
    }
}

/// Makes `times`, the first and the last, take in another one.
pub fn note_time(times: &mut Option<(Timestamp, Timestamp)>, at: Timestamp) {
    let (first, last) = times.get_or_insert((at, at));
    *first = (*first).min(at);
    *last = (*last).max(at);
}
