//! Memory that a device can read from by itself.

use bytes::Bytes;

/// Addresses, lengths and places in the file are multiples of this where the system's
/// cache is passed by (open(2), "O_DIRECT"): no device has larger blocks.
pub const ALIGN_BYTES: usize = 4096;
/// Enough at once for a device to be busy with.
pub const WHOLE_BYTES: usize = 512 << 10;

/// Some bytes of a file, one behind the other.
#[derive(Debug)]
pub enum Block {
    Own(Own),
    /// What others read as well.
    Shared(Bytes),
}

/// Bytes that are copied to where a device can read them.
#[derive(Debug)]
pub struct Own {
    /// What aligns the first byte, then the bytes. Its room is never exceeded, so that it
    /// stays where it is.
    memory: Vec<u8>,
    start: usize,
}

impl Block {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(own) => own.bytes(),
            Self::Shared(bytes) => bytes,
        }
    }
}

/// Whether a device can read these bytes where they are, and they are enough at once.
pub fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= WHOLE_BYTES
        && bytes.len().is_multiple_of(ALIGN_BYTES)
        && bytes.as_ptr().align_offset(ALIGN_BYTES) == 0
}

impl Own {
    /// An empty one. Memory is taken as it is filled.
    pub fn new() -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(ALIGN_BYTES + WHOLE_BYTES);
        let start = memory.as_ptr().align_offset(ALIGN_BYTES).min(ALIGN_BYTES);
        memory.resize(start, 0);
        Self { memory, start }
    }

    pub fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..).unwrap_or_default()
    }

    /// Takes from the beginning of `bytes` what there is room for; gives back the rest.
    pub fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = WHOLE_BYTES - self.bytes().len();
        let (taken, rest) = bytes.split_at(room.min(bytes.len()));
        self.memory.extend_from_slice(taken);
        rest
    }

    pub fn is_full(&self) -> bool {
        self.bytes().len() == WHOLE_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    pub fn clear(&mut self) {
        self.memory.truncate(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_aligned_and_takes_so_much() {
        let bytes: Vec<u8> = (0..=255).cycle().take(WHOLE_BYTES + 5).collect();
        let mut block = Own::new();
        for _ in 0..2 {
            assert!(block.fill(&bytes[..7]).is_empty());
            assert!(!block.is_full() && !is_whole(block.bytes()));
            let rest = block.fill(&bytes[7..]);
            assert!(block.is_full() && is_whole(block.bytes()));
            assert_eq!(rest, &bytes[WHOLE_BYTES..]);
            assert_eq!(block.fill(rest), rest);
            assert!(block.bytes() == &bytes[..WHOLE_BYTES]);
            block.clear();
            assert!(block.is_empty());
        }
    }
}
