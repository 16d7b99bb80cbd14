//! Memory for what waits between the network and the analysis, used again and again.
//!
//! Who reads the connection has one buffer for all reads as long as nobody keeps what was
//! read, and a new one for each read else: memory that the system has to clear, page by
//! page. So what was read is gathered at once in blocks that the store can hand to the
//! device as they are.

use bytes::{Bytes, BytesMut};

use crate::store::{ALIGN_BYTES, WHOLE_BYTES};

/// Gathers the bytes of one input after the other.
#[derive(Debug)]
pub struct Gather {
    /// What is filled.
    filling: Option<BytesMut>,
    /// How many bytes it takes still.
    room_bytes: usize,
    /// Blocks that were filled; those that nobody reads any more are free.
    filled: Vec<BytesMut>,
    /// So many of them are kept.
    most: usize,
}

impl Gather {
    /// Keeps so many blocks; they are made as they are needed.
    pub const fn new(most: usize) -> Self {
        Self { filling: None, room_bytes: 0, filled: Vec::new(), most }
    }

    /// Takes what there is room for from the beginning of `read`; gives the block once it
    /// is full.
    pub fn take(&mut self, read: &mut Bytes) -> Option<Bytes> {
        if self.room_bytes == 0 {
            self.filled.extend(self.filling.take());
            self.room_bytes = WHOLE_BYTES;
        }
        let (filled, most) = (&mut self.filled, self.most);
        let block = self.filling.get_or_insert_with(|| next_block(filled, most));
        let taken = read.split_to(read.len().min(self.room_bytes));
        block.extend_from_slice(&taken);
        self.room_bytes -= taken.len();
        (self.room_bytes == 0).then(|| block.split().freeze())
    }

    /// Whether it holds bytes.
    pub fn has_bytes(&self) -> bool {
        self.filling.as_ref().is_some_and(|block| !block.is_empty())
    }

    /// What it holds. The next bytes stand behind it, and take what room is left.
    pub fn take_rest(&mut self) -> Option<Bytes> {
        let block = self.filling.as_mut().filter(|block| !block.is_empty());
        block.map(|block| block.split().freeze())
    }

    /// The next bytes begin a block.
    pub const fn end_input(&mut self) {
        self.room_bytes = 0;
    }
}

/// A block of those that are free, or a new one.
fn next_block(filled: &mut Vec<BytesMut>, most: usize) -> BytesMut {
    const ROOM_BYTES: usize = ALIGN_BYTES + WHOLE_BYTES;
    // What was filled last is in a cache still.
    let free = filled.iter_mut().rposition(|block| block.try_reclaim(ROOM_BYTES));
    let mut block = match free {
        Some(place) => filled.swap_remove(place),
        None => BytesMut::with_capacity(ROOM_BYTES),
    };
    filled.truncate(most);
    let before = block.as_ptr().align_offset(ALIGN_BYTES).min(ALIGN_BYTES);
    block.resize(before, 0);
    drop(block.split());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Bytes {
        (0..=250).cycle().take(length).collect::<Vec<u8>>().into()
    }

    /// What is given of `all`, read in such steps.
    fn gather(gather: &mut Gather, all: &Bytes, step: usize) -> Vec<Bytes> {
        let mut given = Vec::new();
        for chunk in all.chunks(step) {
            let mut read = Bytes::copy_from_slice(chunk);
            while !read.is_empty() {
                given.extend(gather.take(&mut read));
            }
        }
        given
    }

    #[test]
    fn blocks_are_whole_and_aligned() {
        let all = bytes(3 * WHOLE_BYTES + 5);
        for step in [1_000, 400_000, all.len()] {
            let mut gathered = Gather::new(4);
            let mut given = gather(&mut gathered, &all, step);
            assert!(given.iter().all(|block| {
                block.len() == WHOLE_BYTES && block.as_ptr().align_offset(ALIGN_BYTES) == 0
            }));
            assert!(gathered.has_bytes());
            given.extend(gathered.take_rest());
            assert!(!gathered.has_bytes() && gathered.take_rest().is_none());
            assert!(given.concat() == all[..], "step {step}");
        }
    }

    #[test]
    fn after_a_rest_the_next_block_is_whole_again() {
        let all = bytes(2 * WHOLE_BYTES);
        let mut gathered = Gather::new(4);
        let mut given = gather(&mut gathered, &all.slice(..7), 7);
        given.extend(gathered.take_rest());
        given.extend(gather(&mut gathered, &all.slice(7..), 100_000));
        let lengths: Vec<usize> = given.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [7, WHOLE_BYTES - 7, WHOLE_BYTES]);
        assert!(given.concat() == all[..]);
        // Another input is no part of it.
        given.extend(gather(&mut gathered, &all.slice(..7), 7));
        given.extend(gathered.take_rest());
        gathered.end_input();
        assert_eq!(gather(&mut gathered, &all, 100_000).len(), 2);
    }

    #[test]
    fn memory_is_used_again_once_nobody_reads_it() {
        let all = bytes(WHOLE_BYTES);
        let mut gathered = Gather::new(2);
        let place = |given: &[Bytes]| given[0].as_ptr();
        let first = place(&gather(&mut gathered, &all, WHOLE_BYTES));
        // It has just been given up: but its block is the one that is filled.
        let kept: Vec<_> = (0..9).map(|_| gather(&mut gathered, &all, WHOLE_BYTES)).collect();
        assert!(kept.iter().any(|given| place(given) == first));
        assert!(kept.iter().all(|given| given[0] == all));
        assert!(gathered.filled.len() <= 3);
    }
}
