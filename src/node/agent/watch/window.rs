//! The packets of the last while, as pcapng: what one analysis is given.
//!
//! Windows overlap: each is moved on by a part of its length, so an exchange
//! that is shorter than the rest lies whole in one of them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;

use crate::model::time::Timestamp;

/// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4).
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Interfaces that one window knows. Pods come and go, and their cables with them.
const MAX_INTERFACES: usize = 256;

/// Descriptions that are kept of one section: it has one for each ring.
const MAX_DESCRIPTIONS: usize = 4 * MAX_INTERFACES;

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
    /// The description of each interface, by its number in what is kept.
    interfaces: Vec<Vec<u8>>,
    /// The description of each interface of the stream's section, by its number there.
    described: Vec<Vec<u8>>,
    /// The number here of each interface of the stream's section, where there is room for it.
    numbers: Vec<Option<u32>>,
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

impl Window {
    /// An empty window; nothing before `now` was seen.
    pub fn new(limits: WindowLimits, now: Timestamp) -> Self {
        Self {
            limits,
            section: Vec::new(),
            interfaces: Vec::new(),
            described: Vec::new(),
            numbers: Vec::new(),
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
                    self.described.clear();
                    self.numbers.clear();
                }
                INTERFACE_DESCRIPTION => self.add_interface(block, now),
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

    /// Interfaces that are described alike are one: of another capture, or of
    /// another ring of the same.
    fn add_interface(&mut self, description: &[u8], now: Timestamp) {
        if self.described.len() < MAX_DESCRIPTIONS {
            self.described.push(description.to_vec());
        }
        let is_known = self.interfaces.iter().any(|known| known == description);
        if !is_known && self.interfaces.len() >= MAX_INTERFACES {
            self.forget_interfaces(now);
            return;
        }
        let number = self.number_of(description);
        self.numbers.push(number);
    }

    /// Begins to number anew: nobody can say which interfaces of earlier sections are
    /// still there. Those of this section keep their places in it, because its packets
    /// name them by these.
    fn forget_interfaces(&mut self, now: Timestamp) {
        self.skipped += self.unseen();
        self.interfaces.clear();
        self.segments.clear();
        (self.packets, self.bytes) = (0, 0);
        self.complete_from = self.complete_from.max(now);
        self.note_gap(now);
        let described = std::mem::take(&mut self.described);
        self.numbers = described.iter().map(|one| self.number_of(one)).collect();
        self.described = described;
    }

    /// The number here of the interface that is described so; `None` where a single
    /// section has more interfaces than there is room for.
    fn number_of(&mut self, description: &[u8]) -> Option<u32> {
        let known = self.interfaces.iter().position(|known| known == description);
        if known.is_none() && self.interfaces.len() >= MAX_INTERFACES {
            return None;
        }
        let number = known.unwrap_or_else(|| {
            self.interfaces.push(description.to_vec());
            self.interfaces.len() - 1
        });
        u32::try_from(number).ok()
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
        let Some(number) = self.numbers.get(number).copied().flatten() else {
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
        for description in &self.interfaces {
            head.extend_from_slice(description);
        }
        let mut parts = VecDeque::from([Bytes::from(head)]);
        for segment in &mut self.segments {
            segment.is_analysed = true;
            parts.push_back(segment.blocks.clone());
        }
        let has_gap = self.gap_at.is_some_and(|at| at >= from);
        Snapshot { parts, packets: self.packets, span: Span { from, until: now, has_gap } }
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

#[cfg(test)]
mod tests {
    use super::super::samples::{Stream, at};
    use super::*;

    const LIMITS: WindowLimits =
        WindowLimits { span: Duration::from_mins(1), packets: 100, bytes: 1 << 20 };

    fn window(limits: WindowLimits) -> Window {
        Window::new(limits, at(0))
    }

    /// The times of the packets in a snapshot, in seconds, and their interfaces.
    fn packets(mut snapshot: Snapshot) -> Vec<(i64, u32)> {
        let mut bytes = Vec::new();
        snapshot.read_to_end(&mut bytes).unwrap();
        let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
        while let Some((kind, block, behind)) = split_block(rest) {
            rest = behind;
            if kind == ENHANCED_PACKET {
                let high = u64::from(read_u32(block, 12).unwrap());
                let time = (high << 32) | u64::from(read_u32(block, 16).unwrap());
                let seconds = i64::try_from(time / 1_000_000_000).unwrap();
                found.push((
                    seconds - at(0).as_nanoseconds() / 1_000_000_000,
                    read_u32(block, 8).unwrap(),
                ));
            }
        }
        assert!(rest.is_empty());
        found
    }

    fn fill(window: &mut Window, seconds: &[i64]) {
        let mut stream = Stream::new(&["eth0"]);
        window.push(&stream.take(), at(0));
        for second in seconds {
            stream.packet(0, at(*second), "192.0.2.9:5000", "192.0.2.21:69", b"x");
            window.push(&stream.take(), at(*second));
        }
    }

    #[test]
    fn a_window_moves_on_with_the_clock() {
        let mut window = window(LIMITS);
        fill(&mut window, &[1, 30, 50, 70]);
        let cases: [(i64, &[i64], i64); 5] = [
            // now, packets in the window, its beginning
            (10, &[1, 30, 50, 70], 0),
            (61, &[1, 30, 50, 70], 1),
            (75, &[30, 50, 70], 15),
            (120, &[70], 60),
            (200, &[], 140),
        ];
        for (now, expected, from) in cases {
            let snapshot = window.snapshot(at(now));
            assert_eq!(snapshot.span.from, at(from), "at {now} s");
            assert_eq!(snapshot.packets, u64::try_from(expected.len()).unwrap());
            let times: Vec<i64> = packets(snapshot).iter().map(|(time, _)| *time).collect();
            assert_eq!(times, expected, "at {now} s");
        }
        assert_eq!((window.packets, window.bytes, window.skipped()), (0, 0, 0));
    }

    #[test]
    fn a_full_window_is_shorter_and_says_so() {
        let mut window = window(WindowLimits { packets: 3, ..LIMITS });
        fill(&mut window, &[1, 2, 3]);
        assert_eq!(window.snapshot(at(4)).span.from, at(0));
        fill(&mut window, &[5, 6]);
        let snapshot = window.snapshot(at(7));
        assert_eq!((snapshot.packets, snapshot.span.from), (3, at(2)));
        // An analysis saw those that went.
        assert_eq!(window.skipped(), 0);
        fill(&mut window, &[8, 9, 10, 11]);
        assert_eq!(window.skipped(), 1);
        assert_eq!(window.snapshot(at(12)).span.from, at(8));
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let mut window = window(WindowLimits { bytes: 300, ..LIMITS });
        fill(&mut window, &[1, 2, 3, 4, 5, 6]);
        assert!(window.bytes <= 300, "{}", window.bytes);
        assert!(window.skipped() > 0);
    }

    #[test]
    fn interfaces_of_several_rings_and_captures_are_one() {
        let mut window = window(LIMITS);
        let mut stream = Stream::new(&["eth0", "eth0", "cali1"]);
        for (second, number) in [(1, 0), (2, 1), (3, 2)] {
            stream.packet(number, at(second), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
        }
        window.push(&stream.take(), at(3));
        let mut stream = Stream::new(&["cali1", "eth1"]);
        for (second, number) in [(4, 0), (5, 1)] {
            stream.packet(number, at(second), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
        }
        window.push(&stream.take(), at(5));
        let found = packets(window.snapshot(at(6)));
        assert_eq!(found, [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)]);
    }

    /// The names of the interfaces that packets of a snapshot are of, in their order.
    fn names(snapshot: Snapshot) -> Vec<String> {
        let interfaces = snapshot.parts.front().map(|head| {
            let (mut rest, mut names) = (&head[..], Vec::new());
            while let Some((kind, block, behind)) = split_block(rest) {
                rest = behind;
                if kind == INTERFACE_DESCRIPTION {
                    // `if_name` is the first option: its length, then itself.
                    let length = usize::from(u16::from_le_bytes([block[18], block[19]]));
                    names.push(String::from_utf8(block[20..20 + length].to_vec()).unwrap());
                }
            }
            names
        });
        let interfaces = interfaces.unwrap_or_default();
        let numbers = packets(snapshot).into_iter().map(|(_, number)| number);
        numbers.map(|number| interfaces[usize::try_from(number).unwrap()].clone()).collect()
    }

    #[test]
    fn interfaces_that_come_and_go_do_not_fill_the_memory() {
        for [client, asked] in
            [["192.0.2.9:5000", "192.0.2.21:69"], ["[2001:db8::9]:5000", "[2001:db8::21]:69"]]
        {
            for per_section in [1, 60, 64] {
                let mut window = window(WindowLimits { packets: 1_000, ..LIMITS });
                let mut resets = 0;
                for section in 0..40_i64 {
                    let mut expected = vec!["eth0".to_owned()];
                    expected.extend((1..per_section).map(|n| format!("cali{section}-{n}")));
                    let all: Vec<&str> = expected.iter().map(String::as_str).collect();
                    let mut stream = Stream::new(&all);
                    // Descriptions come first, packets later.
                    window.push(&stream.take(), at(section));
                    for number in 0..per_section {
                        stream.packet(number, at(section), client, asked, b"x");
                    }
                    window.push(&stream.take(), at(section));
                    assert!(window.interfaces.len() <= MAX_INTERFACES);
                    let snapshot = window.snapshot(at(section));
                    let found = names(snapshot.clone());
                    assert_eq!(&found[found.len() - expected.len()..], expected, "{section}");
                    resets += u32::from(snapshot.span.has_gap);
                }
                assert_eq!(resets > 0, per_section > 1, "{per_section} interfaces a section");
                assert_eq!(window.skipped(), 0);
            }
        }
    }

    #[test]
    fn a_section_with_too_many_interfaces_says_what_it_leaves_out() {
        let all: Vec<String> = (0..300).map(|number| format!("cali{number}")).collect();
        let mut stream = Stream::new(&all.iter().map(String::as_str).collect::<Vec<_>>());
        for number in 0..300 {
            stream.packet(number, at(1), "[2001:db8::9]:5000", "[2001:db8::21]:69", b"x");
        }
        let mut window = window(WindowLimits { packets: 1_000, ..LIMITS });
        window.push(&stream.take(), at(2));
        let snapshot = window.snapshot(at(3));
        assert!(snapshot.span.has_gap);
        assert_eq!(window.skipped() + snapshot.packets, 300);
        assert_eq!(names(snapshot), &all[..MAX_INTERFACES]);
    }

    #[test]
    fn packets_that_became_too_old_unseen_are_counted() {
        for [client, asked] in
            [["192.0.2.9:5000", "192.0.2.21:69"], ["[2001:db8::9]:5000", "[2001:db8::21]:69"]]
        {
            let mut window = window(LIMITS);
            let mut stream = Stream::new(&["eth0"]);
            for second in [1, 30, 100] {
                stream.packet(0, at(second), client, asked, b"x");
                window.push(&stream.take(), at(second));
            }
            // The first analysis comes late.
            let snapshot = window.snapshot(at(110));
            assert_eq!((snapshot.packets, snapshot.span.has_gap), (1, true));
            assert_eq!(window.skipped(), 2);
            // Later ones keep up.
            let snapshot = window.snapshot(at(125));
            assert_eq!((snapshot.packets, snapshot.span.has_gap), (1, false));
            assert_eq!(window.skipped(), 2);
        }
    }

    #[test]
    fn a_gap_is_told_for_as_long_as_the_window_holds_it() {
        let mut window = window(LIMITS);
        fill(&mut window, &[1]);
        assert!(!window.snapshot(at(5)).span.has_gap);
        window.note_gap(at(10));
        assert!(window.snapshot(at(11)).span.has_gap);
        assert!(window.snapshot(at(70)).span.has_gap);
        assert!(!window.snapshot(at(71)).span.has_gap);
    }

    #[test]
    fn cut_and_odd_blocks_are_passed_over() {
        let mut window = window(LIMITS);
        let mut stream = Stream::new(&["eth0"]);
        stream.packet(0, at(1), "192.0.2.9:5000", "192.0.2.21:69", b"x");
        stream.packet(7, at(2), "192.0.2.9:5000", "192.0.2.21:69", b"x");
        let bytes = stream.take();
        for length in 0..=bytes.len() {
            window.push(&bytes[..length], at(2));
        }
        window.push(&[6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], at(2));
        assert_eq!(packets(window.snapshot(at(3)))[0], (1, 0));
    }
}
