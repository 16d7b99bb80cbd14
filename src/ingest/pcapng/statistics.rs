//! Packets that the capturing host lost.

use super::packet::find_option;
use crate::ingest::byte_order::ByteOrder;

/// `isb_ifdrop`: dropped by the interface, for want of resources.
const INTERFACE_DROP_OPTION: u16 = 5;
/// `isb_osdrop`: dropped by the operating system.
const SYSTEM_DROP_OPTION: u16 = 7;

/// Packets lost at one interface, as its statistics and its packets say.
#[derive(Debug, Default)]
pub struct Dropped {
    /// Since the capture began.
    counted: u64,
    /// Before single packets.
    added: u64,
}

impl Dropped {
    /// Takes over a count since the capture began.
    pub fn count(&mut self, packets: u64) {
        self.counted = self.counted.max(packets);
    }

    /// Takes over what was lost before one packet.
    pub fn add(&mut self, packets: u64) {
        self.added = self.added.saturating_add(packets);
    }

    /// All packets lost. Where both ways of saying it are used, they speak of
    /// the same packets.
    pub fn packets(&self) -> u64 {
        self.counted.max(self.added)
    }
}

/// The packets that an interface statistics block says were lost: pcapng
/// section 4.6. All ones mean that the writer did not know.
pub fn find_dropped(order: ByteOrder, block: &[u8]) -> u64 {
    let mut options = block.get(20..block.len().saturating_sub(4)).unwrap_or(&[]);
    let mut dropped = 0_u64;
    while let Some((code, value, rest)) = find_option(order, options) {
        if let INTERFACE_DROP_OPTION | SYSTEM_DROP_OPTION = code {
            let count = order.find_u64(value, 0).filter(|count| *count != u64::MAX);
            dropped = dropped.saturating_add(count.unwrap_or(0));
        }
        options = rest;
    }
    dropped
}
