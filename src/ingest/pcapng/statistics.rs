//! What an interface statistics block tells: packets that the capturing host lost, and
//! until when it listened.

use super::packet::find_option;
use crate::ingest::byte_order::ByteOrder;

/// `isb_starttime` and `isb_endtime`: when the capture began and ended.
const START_OPTION: u16 = 2;
const END_OPTION: u16 = 3;
/// `isb_ifrecv`: received by the interface.
const INTERFACE_RECEIVED_OPTION: u16 = 4;
/// `isb_ifdrop`: dropped by the interface, for want of resources.
const INTERFACE_DROP_OPTION: u16 = 5;
/// `isb_osdrop`: dropped by the operating system.
const SYSTEM_DROP_OPTION: u16 = 7;
/// `isb_filteraccept`: let through by the filter, the dropped ones included.
const FILTER_ACCEPT_OPTION: u16 = 6;
/// `isb_usrdeliv`: handed to the program that wrote the capture.
const DELIVERED_OPTION: u16 = 8;

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

/// How long an interface listened, as its statistics tell. Times are in ticks of the
/// interface's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listening {
    pub started: Option<u64>,
    pub ended: Option<u64>,
    /// Packets that the capturing program was handed until then.
    pub delivered: Option<u64>,
}

/// One block of statistics.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Packets lost since the capture began.
    pub dropped: u64,
    pub listening: Listening,
}

/// Reads an interface statistics block: pcapng section 4.6. All ones mean that the
/// writer did not know.
pub fn read(order: ByteOrder, block: &[u8]) -> Statistics {
    let mut options = block.get(20..block.len().saturating_sub(4)).unwrap_or(&[]);
    let mut statistics = Statistics::default();
    let (mut received, mut accepted, mut delivered) = (None, None, None);
    let (mut lost_by_interface, mut lost_by_system) = (0_u64, 0_u64);
    while let Some((code, value, rest)) = find_option(order, options) {
        let count = order.find_u64(value, 0).filter(|count| *count != u64::MAX);
        match code {
            START_OPTION => statistics.listening.started = find_time(order, value),
            END_OPTION => statistics.listening.ended = find_time(order, value),
            INTERFACE_RECEIVED_OPTION => received = count,
            INTERFACE_DROP_OPTION => lost_by_interface = count.unwrap_or(0),
            FILTER_ACCEPT_OPTION => accepted = count,
            SYSTEM_DROP_OPTION => lost_by_system = count.unwrap_or(0),
            DELIVERED_OPTION => delivered = count,
            _ => {}
        }
        options = rest;
    }
    statistics.dropped = lost_by_interface.saturating_add(lost_by_system);
    statistics.listening.delivered = delivered
        .or_else(|| Some(accepted?.saturating_sub(lost_by_system)))
        .or_else(|| Some(received?.saturating_sub(statistics.dropped)));
    statistics
}

/// Two 32-bit halves, the upper one first in both byte orders, as in a packet block.
fn find_time(order: ByteOrder, value: &[u8]) -> Option<u64> {
    let (high, low) = (order.find_u32(value, 0)?, order.find_u32(value, 4)?);
    Some(u64::from(high) << 32 | u64::from(low))
}
