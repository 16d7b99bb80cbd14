//! What one analysis is given of a window.

use std::collections::VecDeque;
use std::io::{self, Read};

use bytes::Bytes;

use crate::model::time::Timestamp;

/// What one analysis is given.
#[derive(Debug, Clone)]
pub struct Snapshot {
    parts: VecDeque<Bytes>,
    pub packets: u64,
    pub span: Span,
}

/// The time that a window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Whether packets may have been missed meanwhile: then silence proves nothing.
    pub has_gap: bool,
}

impl Snapshot {
    pub(super) const fn new(parts: VecDeque<Bytes>, packets: u64, span: Span) -> Self {
        Self { parts, packets, span }
    }
}

/// The capture's bytes.
impl Read for Snapshot {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.front_mut() {
            if part.is_empty() {
                self.parts.pop_front();
                continue;
            }
            let taken = part.split_to(part.len().min(buffer.len()));
            buffer[..taken.len()].copy_from_slice(&taken);
            return Ok(taken.len());
        }
        Ok(0)
    }
}
