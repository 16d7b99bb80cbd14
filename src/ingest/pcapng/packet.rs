//! The three packet blocks: enhanced, simple and obsolete.
//!
//! Read here and not with pcap-parser, which allocates for every packet that
//! has an option, and refuses the packet where an option is damaged.

use crate::ingest::byte_order::ByteOrder;
use crate::model::capture::Direction;

/// `epb_flags` and `pack_flags`: pcapng section 4.3.
const FLAGS_OPTION: u16 = 2;

/// A packet block's fields, before anything is checked against its interface.
pub struct PacketBlock<'a> {
    order: ByteOrder,
    /// By the section's own count.
    pub interface: u32,
    /// Since the epoch, in the interface's resolution; a simple packet has none.
    pub ticks: Option<u64>,
    /// As announced; a simple packet does not say it.
    announced_length: Option<u32>,
    pub original_length: u32,
    /// The frame, padding, and options.
    pub content: &'a [u8],
}

impl<'a> PacketBlock<'a> {
    /// An enhanced packet block; `None` where it is too short to be one.
    pub fn find_enhanced(order: ByteOrder, block: &'a [u8]) -> Option<Self> {
        Some(Self {
            order,
            interface: order.find_u32(block, 8)?,
            ticks: Some(find_ticks(order, block, 12)?),
            announced_length: Some(order.find_u32(block, 20)?),
            original_length: order.find_u32(block, 24)?,
            content: find_content(block, 28)?,
        })
    }

    /// An obsolete packet block, which has a drop count beside a narrower
    /// interface number.
    pub fn find_obsolete(order: ByteOrder, block: &'a [u8]) -> Option<Self> {
        Some(Self {
            interface: u32::from(order.find_u16(block, 8)?),
            ..Self::find_enhanced(order, block)?
        })
    }

    /// A simple packet block: always of the section's first interface.
    pub fn find_simple(order: ByteOrder, block: &'a [u8]) -> Option<Self> {
        Some(Self {
            order,
            interface: 0,
            ticks: None,
            announced_length: None,
            original_length: order.find_u32(block, 8)?,
            content: find_content(block, 12)?,
        })
    }

    /// How many bytes of the frame the block has. Of a simple packet that is
    /// the least of its original length, the snap length, and what there is
    /// room for: pcapng section 4.4.
    pub fn captured_length(&self, snap_length_bytes: u32) -> u32 {
        self.announced_length.unwrap_or_else(|| {
            let snap_length = if snap_length_bytes == 0 { u32::MAX } else { snap_length_bytes };
            let room = u32::try_from(self.content.len()).unwrap_or(u32::MAX);
            self.original_length.min(snap_length).min(room)
        })
    }

    /// The first `captured_length` bytes of the content.
    pub fn find_bytes(&self, captured_length: u32) -> Option<&'a [u8]> {
        self.content.get(..usize::try_from(captured_length).ok()?)
    }

    /// What the flags behind `captured_length` bytes say, if there are any.
    pub fn find_direction(&self, captured_length: u32) -> Option<Direction> {
        self.announced_length?;
        let padded = usize::try_from(captured_length).ok()?.checked_next_multiple_of(4)?;
        let mut options = self.content.get(padded..)?;
        loop {
            let code = self.order.find_u16(options, 0)?;
            let length = usize::from(self.order.find_u16(options, 2)?);
            if code == 0 {
                return None;
            }
            if code == FLAGS_OPTION && length == 4 {
                return match self.order.find_u32(options, 4)? & 0b11 {
                    0b01 => Some(Direction::In),
                    0b10 => Some(Direction::Out),
                    _ => None,
                };
            }
            options = options.get(4 + length.next_multiple_of(4)..)?;
        }
    }
}

/// Two 32-bit halves, the upper one first in both byte orders.
fn find_ticks(order: ByteOrder, block: &[u8], at: usize) -> Option<u64> {
    let (high, low) = (order.find_u32(block, at)?, order.find_u32(block, at + 4)?);
    Some(u64::from(high) << 32 | u64::from(low))
}

/// What stands between the fixed fields and the repeated length.
fn find_content(block: &[u8], from: usize) -> Option<&[u8]> {
    block.get(from..block.len().checked_sub(4)?)
}
