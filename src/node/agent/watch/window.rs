//! The packets of the last while, as pcapng: what one analysis is given.
//!
//! Windows overlap: each is moved on by a part of its length, so an exchange
//! that is shorter than the rest lies whole in one of them.

mod interfaces;
mod snapshot;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::model::time::Timestamp;
use interfaces::Interfaces;
pub use snapshot::{Snapshot, Span};

/// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4).
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// How much a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    pub span: Duration,
    pub packets: u64,
    pub bytes: usize,
}

/// Packets that are kept for the next analyses.
#[derive(Debug)]
pub struct Window {
    limits: WindowLimits,
    section: Vec<u8>,
    interfaces: Interfaces,
    segments: VecDeque<Segment>,
    packets: u64,
    bytes: usize,
    /// From when on all packets are here.
    complete_from: Timestamp,
    /// When packets may have been missed last.
    gap_at: Option<Timestamp>,
    skipped: u64,
}

/// Packets that came together.
#[derive(Debug)]
struct Segment {
    blocks: Bytes,
    packets: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    is_analysed: bool,
}

impl Window {
    /// An empty window; nothing before `now` was seen.
    pub fn new(limits: WindowLimits, now: Timestamp) -> Self {
        Self {
            limits,
            section: Vec::new(),
            interfaces: Interfaces::default(),
            segments: VecDeque::new(),
            packets: 0,
            bytes: 0,
            complete_from: now,
            gap_at: None,
            skipped: 0,
        }
    }

    /// Notes that packets are captured from `now` on.
    pub fn begin(&mut self, now: Timestamp) {
        self.complete_from = self.complete_from.max(now);
    }

    /// Notes that packets may have been missed up to `now`: the kernel dropped
    /// some, or the capture was begun anew.
    pub fn note_gap(&mut self, now: Timestamp) {
        self.gap_at = self.gap_at.max(Some(now));
    }

    /// Packets that had to make room, or became too old, before an analysis saw them.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes whole blocks of a capture's stream, in their order. Another
    /// section begins another capture.
    pub fn push(&mut self, chunk: &[u8], now: Timestamp) {
        let mut blocks = Vec::with_capacity(chunk.len());
        let (mut packets, mut times) = (0, None::<(Timestamp, Timestamp)>);
        let mut rest = chunk;
        while let Some((kind, block, behind)) = split_block(rest) {
            rest = behind;
            match kind {
                SECTION_HEADER => {
                    self.section = block.to_vec();
                    self.interfaces.begin_section();
                }
                INTERFACE_DESCRIPTION => {
                    let has_room = self.interfaces.add(block).is_ok();
                    if !has_room {
                        // Those of this chunk have numbers of before, too.
                        self.skipped += std::mem::take(&mut packets);
                        (blocks, times) = (Vec::new(), None);
                        self.forget_interfaces(now);
                    }
                }
                ENHANCED_PACKET => {
                    let Some((number, at)) = self.find_number(block, now) else { continue };
                    // Type and length, 4 bytes each, stand before the interface's number.
                    blocks.extend_from_slice(&block[..8]);
                    blocks.extend_from_slice(&number.to_le_bytes());
                    blocks.extend_from_slice(&block[12..]);
                    let (first, last) = times.get_or_insert((at, at));
                    (*first, *last) = ((*first).min(at), (*last).max(at));
                    packets += 1;
                }
                _ => {}
            }
        }
        if let Some((first_at, last_at)) = times {
            self.packets += packets;
            self.bytes += blocks.len();
            let blocks = Bytes::from(blocks);
            let segment = Segment { blocks, packets, first_at, last_at, is_analysed: false };
            self.segments.push_back(segment);
        }
        self.make_room();
    }

    /// Begins to number anew: nobody can say which interfaces of earlier sections are
    /// still there.
    fn forget_interfaces(&mut self, now: Timestamp) {
        self.skipped += self.unseen();
        self.segments.clear();
        (self.packets, self.bytes) = (0, 0);
        self.complete_from = self.complete_from.max(now);
        self.note_gap(now);
        self.interfaces.number_anew();
    }

    /// Packets that no analysis has seen.
    fn unseen(&self) -> u64 {
        let unseen = self.segments.iter().filter(|segment| !segment.is_analysed);
        unseen.map(|segment| segment.packets).sum()
    }

    /// A packet's interface as it is numbered here, and its time. One of an interface
    /// without a number is left out, and counted.
    fn find_number(&mut self, block: &[u8], now: Timestamp) -> Option<(u32, Timestamp)> {
        let number = usize::try_from(read_u32(block, 8)?).ok()?;
        let (high, low) = (read_u32(block, 12)?, read_u32(block, 16)?);
        let nanoseconds = (u64::from(high) << 32) | u64::from(low);
        let at = Timestamp::from_nanoseconds(i64::try_from(nanoseconds).ok()?);
        let Some(number) = self.interfaces.find_number(number) else {
            self.skipped += 1;
            self.note_gap(now);
            return None;
        };
        Some((number, at))
    }

    fn make_room(&mut self) {
        let Self { limits, .. } = *self;
        while (self.packets > limits.packets || self.bytes > limits.bytes)
            && let Some(segment) = self.pop()
        {
            self.complete_from = self.complete_from.max(segment.last_at);
            if !segment.is_analysed {
                self.skipped += segment.packets;
            }
        }
    }

    fn pop(&mut self) -> Option<Segment> {
        let segment = self.segments.pop_front()?;
        self.packets -= segment.packets;
        self.bytes -= segment.blocks.len();
        Some(segment)
    }

    /// The window that ends at `now`.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        let begin = now - self.limits.span;
        while self.segments.front().is_some_and(|oldest| oldest.last_at < begin)
            && let Some(segment) = self.pop()
        {
            if !segment.is_analysed {
                // Analyses take longer than a window moves on: what these packets
                // began is not known, so silence after it proves nothing.
                self.skipped += segment.packets;
                self.note_gap(begin);
            }
        }
        let begin = begin.max(self.complete_from);
        // What came together stays together: the first ones may be a little older.
        let from = self.segments.front().map_or(begin, |oldest| oldest.first_at.min(begin));
        let mut head = self.section.clone();
        for description in self.interfaces.descriptions() {
            head.extend_from_slice(description);
        }
        let mut parts = VecDeque::from([Bytes::from(head)]);
        for segment in &mut self.segments {
            segment.is_analysed = true;
            parts.push_back(segment.blocks.clone());
        }
        let has_gap = self.gap_at.is_some_and(|at| at >= from);
        Snapshot::new(parts, self.packets, Span { from, until: now, has_gap })
    }
}

/// The first block of `bytes`: its type, all of it, and what is behind it.
fn split_block(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let length = usize::try_from(read_u32(bytes, 4)?).ok()?;
    // Type, length, and the length again.
    let (block, behind) = bytes.split_at_checked(length).filter(|_| length >= 12)?;
    Some((read_u32(block, 0)?, block, behind))
}

/// Our own writer's byte order, which is little-endian.
fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
