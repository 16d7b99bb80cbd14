//! Packets on their way into the stream.

use super::block::RingPacket;
use super::pcapng;
use super::program::LinkLayer;
use crate::model::time::Timestamp;

/// Packets of several interfaces, already in the form of pcapng, until it is
/// sure that no earlier one comes.
#[derive(Debug, Default)]
pub struct Pending {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    is_sorted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Timestamp,
    start: usize,
    end: usize,
}

impl Pending {
    /// Takes a packet of the interface with this number.
    pub fn push(&mut self, interface: u32, link: LinkLayer, packet: &RingPacket<'_>) {
        let start = self.bytes.len();
        pcapng::write_packet(&mut self.bytes, interface, link, packet);
        self.is_sorted =
            self.entries.last().is_none_or(|last| self.is_sorted && last.at <= packet.at);
        self.entries.push(Entry { at: packet.at, start, end: self.bytes.len() });
    }

    /// Bytes that wait.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Hands the packets up to `until`, earliest first, to `take`, for as long
    /// as it returns true. All where `until` is `None`.
    pub fn drain(
        &mut self,
        until: Option<Timestamp>,
        take: &mut dyn FnMut(Timestamp, &[u8]) -> bool,
    ) {
        if !self.is_sorted {
            // Stable: packets of one instant stay as they came.
            self.entries.sort_by_key(|entry| entry.at);
            self.is_sorted = true;
        }
        let is_due = |entry: &Entry| until.is_none_or(|until| entry.at <= until);
        let due = self.entries.partition_point(is_due);
        for entry in self.entries.drain(..due) {
            let bytes = self.bytes.get(entry.start..entry.end).unwrap_or_default();
            if !take(entry.at, bytes) {
                break;
            }
        }
        self.compact();
    }

    /// Frees the bytes of packets that are gone.
    fn compact(&mut self) {
        if self.entries.is_empty() {
            self.bytes.clear();
            return;
        }
        let kept: usize = self.entries.iter().map(|entry| entry.end - entry.start).sum();
        // Only where that is worth the copying.
        if kept > self.bytes.len() / 2 {
            return;
        }
        let mut bytes = Vec::with_capacity(kept);
        for entry in &mut self.entries {
            let start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(entry.start..entry.end).unwrap_or_default());
            (entry.start, entry.end) = (start, bytes.len());
        }
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_two_interfaces_come_in_the_order_of_time() {
        let mut pending = Pending::default();
        for (interface, at) in [(0, 10), (0, 30), (1, 5), (1, 20), (1, 40)] {
            let packet = RingPacket {
                at: Timestamp::from_nanoseconds(at),
                original_length: 4,
                tag: None,
                packet_type: 0,
                bytes: &[1, 2, 3, 4],
            };
            pending.push(interface, LinkLayer::Ethernet, &packet);
        }
        let mut found = Vec::new();
        pending.drain(Some(Timestamp::from_nanoseconds(25)), &mut |at, bytes| {
            found.push((at.as_nanoseconds(), bytes[8]));
            true
        });
        assert_eq!(found, [(5, 1), (10, 0), (20, 1)]);
        found.clear();
        pending.drain(None, &mut |at, bytes| {
            found.push((at.as_nanoseconds(), bytes[8]));
            true
        });
        assert_eq!(found, [(30, 0), (40, 1)]);
        assert_eq!(pending.len_bytes(), 0);
    }
}
