//! Fragments by their hash: a copy of a fragment is not one of another datagram.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::super::ip::Fragment;

/// More than a datagram of 64 KiB has on Ethernet. Behind that, every fragment
/// counts as a copy.
const MAX_PIECES: usize = 64;

/// The hash of a fragment: its place and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece(u64);

impl Piece {
    pub fn of(fragment: &Fragment<'_>) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write_u16(fragment.offset.value());
        fragment.place.hash(&mut hasher);
        hasher.write(fragment.payload);
        Self(hasher.finish())
    }
}

/// The fragments of one datagram.
#[derive(Debug, Default)]
pub(super) struct Pieces(SmallVec<[Piece; 4]>);

impl Pieces {
    pub fn push(&mut self, piece: Piece) {
        if self.0.len() < MAX_PIECES && !self.0.contains(&piece) {
            self.0.push(piece);
        }
    }

    pub fn contain(&self, piece: Piece) -> bool {
        self.0.len() >= MAX_PIECES || self.0.contains(&piece)
    }
}
