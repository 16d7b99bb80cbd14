//! Memory for what waits between the network and the analysis, used again and again.
//!
//! Who reads the connection has one buffer for all reads as long as nobody keeps what was
//! read, and a new one for each read else: memory that the system has to clear, page by
//! page, where to copy what has just been read costs little.

use bytes::{Bytes, BytesMut};

/// Two large reads from the connection.
const BLOCK_BYTES: usize = 512 << 10;

/// Blocks of memory, of which those that nobody reads any more are free.
#[derive(Debug)]
pub struct Spare {
    blocks: Vec<BytesMut>,
    most: usize,
}

impl Spare {
    /// At most so many blocks; they are made as they are needed.
    pub const fn new(most: usize) -> Self {
        Self { blocks: Vec::new(), most }
    }

    /// The bytes of `read`, in memory of their own. Where there is none, they stay where
    /// they are.
    pub fn keep(&mut self, read: Bytes) -> Bytes {
        if read.len() > BLOCK_BYTES {
            return read;
        }
        // The first that is free was used last, and is in a cache still.
        let has_room =
            |block: &mut BytesMut| block.capacity() >= read.len() || block.try_reclaim(BLOCK_BYTES);
        let place = self.blocks.iter_mut().position(has_room).unwrap_or(self.blocks.len());
        if place == self.blocks.len() && place < self.most {
            self.blocks.push(BytesMut::with_capacity(BLOCK_BYTES));
        }
        let Some(block) = self.blocks.get_mut(place) else { return read };
        block.extend_from_slice(&read);
        block.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_nobody_reads_it() {
        let mut spare = Spare::new(2);
        let read = |value: u8| Bytes::from(vec![value; BLOCK_BYTES / 2 + 1]);
        let first = spare.keep(read(1));
        let place = first.as_ptr();
        drop(first);
        let again = spare.keep(read(2));
        assert_eq!((again.as_ptr(), &again), (place, &read(2)));
        // Both blocks are in use; then bytes stay where they were.
        let other = spare.keep(read(3));
        let none = read(4);
        let kept = spare.keep(none.clone());
        assert_eq!(kept.as_ptr(), none.as_ptr());
        assert_eq!((again, other, spare.blocks.len()), (read(2), read(3), 2));
    }

    #[test]
    fn several_small_ones_share_a_block() {
        let mut spare = Spare::new(3);
        let kept: Vec<Bytes> =
            (0..100).map(|value| spare.keep(Bytes::from(vec![value; 1_000]))).collect();
        assert_eq!(spare.blocks.len(), 1);
        for (value, bytes) in (0..).zip(&kept) {
            assert_eq!(bytes, &vec![value; 1_000]);
        }
        let large = Bytes::from(vec![0; BLOCK_BYTES + 1]);
        assert_eq!(spare.keep(large.clone()).as_ptr(), large.as_ptr());
        assert!(spare.keep(Bytes::new()).is_empty());
    }
}
