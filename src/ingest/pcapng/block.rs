//! The frame around every block: its type, and its length at both ends.

use std::fmt;

use crate::ingest::byte_order::ByteOrder;
use crate::ingest::pcap::{FRAME_MAX_BYTES, explain_end};
use crate::ingest::window::Window;

/// Type, length, and the length again behind the content.
const FRAMING_BYTES: u32 = 12;

/// The largest packet block: a frame and its options.
const PACKET_BLOCK_MAX_BYTES: u32 = FRAME_MAX_BYTES + 256 * 1024;

/// The largest section header or interface description: a few fields and
/// options, of which the largest are comments. Each option costs memory.
const HEADER_BLOCK_MAX_BYTES: u32 = 1024 * 1024;

/// The kinds of block that are read; all others are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SectionHeader,
    InterfaceDescription,
    ObsoletePacket,
    SimplePacket,
    InterfaceStatistics,
    EnhancedPacket,
    /// What Wireshark shows as a frame, though it is no packet of a network: entries of
    /// a journal, custom blocks, a system's events.
    OtherRecord(u32),
    Other(u32),
}

/// The beginning of a block.
#[derive(Debug, Clone, Copy)]
pub struct BlockHead {
    pub kind: Kind,
    pub order: ByteOrder,
    length: u32,
}

impl BlockHead {
    /// The head of the block at which the window stands, in the byte order of
    /// the section or of its own section header. `None` where the capture ends.
    pub fn parse(
        window: &mut Window<'_>,
        section: Option<ByteOrder>,
    ) -> Result<Option<Self>, String> {
        if !window.ensure(12) {
            explain_end(window, || "a block is cut: at least 12 bytes were expected".to_owned())?;
            return Ok(None);
        }
        let bytes = window.unused();
        // The type of a section header reads the same in both byte orders; its
        // own byte order follows behind its length.
        let order = if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            match bytes.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => ByteOrder::Big,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => ByteOrder::Little,
                _ => {
                    return Err(
                        "a section header is damaged: the byte-order magic 1a2b3c4d is missing"
                            .to_owned(),
                    );
                }
            }
        } else {
            section.ok_or("a section header was expected")?
        };
        let (Some(kind), Some(length)) = (order.find_u32(bytes, 0), order.find_u32(bytes, 4))
        else {
            return Ok(None); // not reached: twelve bytes are there
        };
        let head = Self { kind: Kind::from(kind), order, length };
        if length < FRAMING_BYTES || !length.is_multiple_of(4) {
            return Err(format!(
                "{head} is damaged: its length is {length}, not a multiple of 4 from 12 on"
            ));
        }
        Ok(Some(head))
    }

    /// The whole block, if its frame is sound.
    pub fn find_block<'w>(self, window: &'w mut Window<'_>) -> Result<&'w [u8], String> {
        let max_bytes = match self.kind {
            Kind::SectionHeader | Kind::InterfaceDescription | Kind::InterfaceStatistics => {
                HEADER_BLOCK_MAX_BYTES
            }
            Kind::ObsoletePacket
            | Kind::SimplePacket
            | Kind::EnhancedPacket
            | Kind::OtherRecord(_)
            | Kind::Other(_) => PACKET_BLOCK_MAX_BYTES,
        };
        if self.length > max_bytes {
            return Err(format!(
                "{self} is damaged: it announces {} bytes, more than any has ({max_bytes})",
                self.length
            ));
        }
        let whole = self.length_in_memory();
        if !window.ensure(whole) {
            return Err(self.explain_cut(window, window.unused().len() as u64));
        }
        let block = &window.unused()[..whole];
        self.check_trailer(&block[whole - 4..])?;
        Ok(block)
    }

    /// Moves past a block that was read.
    pub fn consume(self, window: &mut Window<'_>) {
        window.consume(self.length_in_memory());
    }

    /// Moves past a block that nobody here needs, whatever its length.
    pub fn skip(self, window: &mut Window<'_>) -> Result<(), String> {
        let before_trailer = u64::from(self.length) - 4;
        let skipped = window.skip(before_trailer);
        if skipped < before_trailer || !window.ensure(4) {
            return Err(self.explain_cut(window, skipped + window.unused().len() as u64));
        }
        self.check_trailer(window.unused())?;
        window.consume(4);
        Ok(())
    }

    fn length_in_memory(self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    fn explain_cut(self, window: &Window<'_>, there: u64) -> String {
        match window.failure() {
            Some(failure) => failure.to_string(),
            None => format!("{self} is cut: it announces {} bytes, {there} are there", self.length),
        }
    }

    fn check_trailer(self, trailer: &[u8]) -> Result<(), String> {
        match self.order.find_u32(trailer, 0) {
            Some(repeated) if repeated == self.length => Ok(()),
            repeated => Err(format!(
                "{self} is damaged: its length is {} at its beginning and {} at its end",
                self.length,
                repeated.unwrap_or(0)
            )),
        }
    }
}

impl From<u32> for Kind {
    fn from(number: u32) -> Self {
        match number {
            0x0a0d_0d0a => Self::SectionHeader,
            1 => Self::InterfaceDescription,
            2 => Self::ObsoletePacket,
            3 => Self::SimplePacket,
            5 => Self::InterfaceStatistics,
            6 => Self::EnhancedPacket,
            9 | 0x0bad | 0x4000_0bad | 0x204 | 0x208 | 0x216 | 0x217 | 0x221 | 0x222 => {
                Self::OtherRecord(number)
            }
            other => Self::Other(other),
        }
    }
}

/// The block as the beginning of a sentence.
impl fmt::Display for BlockHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::SectionHeader => "a section header",
            Kind::InterfaceDescription => "an interface description",
            Kind::InterfaceStatistics => "an interface's statistics",
            Kind::ObsoletePacket | Kind::SimplePacket | Kind::EnhancedPacket => "a packet block",
            Kind::OtherRecord(number) | Kind::Other(number) => {
                return write!(f, "a block of type {number:#x}");
            }
        })
    }
}
