//! Memory that a device can read from by itself.

/// Addresses, lengths and places in the file are multiples of this where the system's
/// cache is passed by (open(2), "O_DIRECT"): no device has larger blocks.
pub const ALIGN_BYTES: usize = 4096;
/// Enough at once for a device to be busy with.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Some bytes of a file, one behind the other.
#[derive(Debug)]
pub struct Block {
    /// What aligns the first byte, then the bytes. Its room is never exceeded, so that it
    /// stays where it is.
    memory: Vec<u8>,
    start: usize,
}

impl Block {
    /// An empty one. Memory is taken as it is filled.
    pub fn new() -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(ALIGN_BYTES + BLOCK_BYTES);
        let start = memory.as_ptr().align_offset(ALIGN_BYTES).min(ALIGN_BYTES);
        memory.resize(start, 0);
        Self { memory, start }
    }

    pub fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..).unwrap_or_default()
    }

    /// Takes from the beginning of `bytes` what there is room for; gives back the rest.
    pub fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = BLOCK_BYTES - self.bytes().len();
        let (taken, rest) = bytes.split_at(room.min(bytes.len()));
        self.memory.extend_from_slice(taken);
        rest
    }

    pub fn is_full(&self) -> bool {
        self.bytes().len() == BLOCK_BYTES
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
        let bytes: Vec<u8> = (0..=255).cycle().take(BLOCK_BYTES + 5).collect();
        let mut block = Block::new();
        for _ in 0..2 {
            let mut rest = bytes.as_slice();
            rest = block.fill(&rest[..7]).is_empty().then(|| &rest[7..]).unwrap();
            assert!(!block.is_full());
            rest = block.fill(rest);
            assert!(block.is_full());
            assert_eq!(rest, &bytes[BLOCK_BYTES..]);
            assert_eq!(block.fill(rest), rest);
            assert!(block.bytes() == &bytes[..BLOCK_BYTES]);
            assert_eq!(block.bytes().as_ptr().align_offset(ALIGN_BYTES), 0);
            block.clear();
            assert!(block.bytes().is_empty());
        }
    }
}
