//! The three packet blocks: enhanced, simple and obsolete.
//!
//! Read here and not with pcap-parser, which allocates for every packet that
//! has an option, and refuses the packet where an option is damaged.

use crate::ingest::byte_order::ByteOrder;
use crate::model::capture::Direction;

/// `opt_comment`: pcapng section 3.5.
pub const COMMENT_OPTION: u16 = 1;

/// `epb_flags` and `pack_flags`: pcapng section 4.3.
const FLAGS_OPTION: u16 = 2;

/// `epb_dropcount`; an obsolete packet has a field for it.
const DROP_COUNT_OPTION: u16 = 4;

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
    /// Whether packets lost before this one stand in an option.
    has_drop_count: bool,
    /// What the field for it says.
    dropped_before: u64,
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
            has_drop_count: true,
            dropped_before: 0,
        })
    }

    /// An obsolete packet block, which has a drop count beside a narrower
    /// interface number.
    pub fn find_obsolete(order: ByteOrder, block: &'a [u8]) -> Option<Self> {
        // All ones: the writer did not know.
        let dropped = order.find_u16(block, 10).filter(|count| *count != u16::MAX);
        Some(Self {
            interface: u32::from(order.find_u16(block, 8)?),
            has_drop_count: false,
            dropped_before: u64::from(dropped.unwrap_or(0)),
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
            has_drop_count: false,
            dropped_before: 0,
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

    /// What the options behind `captured_length` bytes say; comments are handed
    /// to `take_comment`. A damaged option ends them.
    pub fn read_options(
        &self,
        captured_length: u32,
        mut take_comment: impl FnMut(&[u8]),
    ) -> Remarks {
        let mut remarks = Remarks { direction: None, dropped_before: self.dropped_before };
        if self.announced_length.is_none() {
            return remarks; // a simple packet has no options
        }
        let padded =
            usize::try_from(captured_length).ok().and_then(|l| l.checked_next_multiple_of(4));
        let mut options = padded.and_then(|at| self.content.get(at..)).unwrap_or(&[]);
        while let Some((code, value, rest)) = find_option(self.order, options) {
            match code {
                COMMENT_OPTION => take_comment(value),
                FLAGS_OPTION if value.len() == 4 => {
                    remarks.direction = match self.order.find_u32(value, 0).unwrap_or(0) & 0b11 {
                        0b01 => Some(Direction::In),
                        0b10 => Some(Direction::Out),
                        _ => None,
                    };
                }
                DROP_COUNT_OPTION if self.has_drop_count => {
                    remarks.dropped_before = self
                        .order
                        .find_u64(value, 0)
                        .filter(|count| *count != u64::MAX)
                        .unwrap_or(0);
                }
                _ => {}
            }
            options = rest;
        }
        remarks
    }
}

/// What the options of a packet say.
pub struct Remarks {
    pub direction: Option<Direction>,
    /// Packets lost at the interface since the packet before this one.
    pub dropped_before: u64,
}

/// The first option: its code, its value, and what follows on it. `None` at
/// their end, and where the option is cut.
pub fn find_option(order: ByteOrder, options: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let code = order.find_u16(options, 0).filter(|code| *code != 0)?;
    let length = usize::from(order.find_u16(options, 2)?);
    let value = options.get(4..4 + length)?;
    let rest = options.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
    Some((code, value, rest))
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
