//! Packets within sentences and behind words: what is told there once more must not count
//! twice, and what is told only there must not vanish.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::several;
use crate::ingest::hex_dump::find_dump_line;
use crate::ingest::tcpdump_text::{find_stamp, is_date, is_timed_packet};

/// Packets that are known again, eight bytes each.
const LIMIT_KNOWN: usize = 50_000;
/// Packets in sentences that are told at the end.
const LIMIT_NOTED: usize = 20;
/// Bytes of lines that wait until it is known what stands plainly behind them.
const LIMIT_HELD_BYTES: usize = 4 * 1_024 * 1_024;

const MESSAGE: &str = "a packet stands within a sentence here and was not read; if it belongs to the capture, put it on a line of its own";

/// The packets that a text told so far.
#[derive(Debug, Default)]
pub(super) struct Quotations {
    /// Hashes of the packets that were read.
    read: HashSet<u64>,
    /// Hashes of the packets with no person's words before them.
    plain: HashSet<u64>,
    /// Line and hash of those in sentences.
    noted: Vec<(u64, u64)>,
    /// Lines from the first packet behind words on.
    held: Vec<(u64, String)>,
    held_bytes: usize,
    /// A packet was left out, of which lines of this kind may follow.
    below: Option<Below>,
}

/// What may follow on a packet that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    Dump,
    /// The ends of the packet too, below the header of `-v`.
    SidesAndDump,
}

impl Quotations {
    /// Notes that a packet line is read.
    pub fn read(&mut self, text: &str) {
        if self.read.len() < LIMIT_KNOWN && is_timed_packet(text) {
            self.read.insert(hash(text));
        }
    }

    /// Notes the packets of a line of their own.
    pub fn note_plain(&mut self, text: &str) {
        for packet in several::split(text) {
            if self.plain.len() < LIMIT_KNOWN && is_timed_packet(packet) {
                self.plain.insert(hash(packet));
            }
        }
    }

    /// Whether a packet behind words stands on a line of its own too, as far as was read:
    /// it has the same ends in the same fraction of a second. Of several on one line none
    /// is left out.
    pub fn stands_plainly(&self, text: &str) -> bool {
        self.plain.contains(&hash(text)) && several::split(text).len() == 1
    }

    /// Whether lines wait.
    pub const fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Keeps a line back; says whether too much waits.
    pub fn hold(&mut self, number: u64, text: &str) -> bool {
        self.held_bytes = self.held_bytes.saturating_add(text.len() + size_of::<(u64, String)>());
        self.held.push((number, text.to_owned()));
        self.held_bytes > LIMIT_HELD_BYTES
    }

    /// The lines that waited.
    pub fn release(&mut self) -> Vec<(u64, String)> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }

    /// Notes that a packet is left out.
    pub fn leave_out(&mut self, text: &str) {
        let is_header = text.trim_end().ends_with(')');
        self.below = Some(if is_header { Below::SidesAndDump } else { Below::Dump });
    }

    /// Whether a line stands below a packet that was left out, and belongs to it.
    pub fn leaves_out(&mut self, text: &str) -> bool {
        let Some(below) = self.below else { return false };
        let has_sides = below == Below::SidesAndDump && text.contains(" > ");
        let is_below = text.starts_with([' ', '\t'])
            && (find_dump_line(text).is_some() || (has_sides && !is_timed_packet(text)));
        if !is_below {
            self.below = None;
        }
        is_below
    }

    /// Notes a packet within a sentence.
    pub fn note(&mut self, line: u64, packet: &str) {
        if self.noted.len() < LIMIT_NOTED {
            self.noted.push((line, hash(packet)));
        }
    }

    /// The lines of those that were told nowhere else.
    pub fn finish(self) -> impl Iterator<Item = (u64, &'static str)> {
        let Self { read, noted, .. } = self;
        noted
            .into_iter()
            .filter(move |(_, hash)| !read.contains(hash))
            .map(|(line, _)| (line, MESSAGE))
    }
}

/// Whether a packet's time tells it from others: one of day or a date, with a fraction.
/// What counts from the packet before or from the first (`-ttt`, `-ttttt`) looks like the
/// first hour of a day.
pub(super) fn has_own_time(text: &str) -> bool {
    const HOUR_NS: i64 = 3_600_000_000_000;
    find_stamp(text).is_some_and(|(stamp, _)| {
        stamp.has_fraction && (is_date(stamp) || stamp.value.nanoseconds() >= HOUR_NS)
    })
}

/// Of the packet's time and ends; its summary may be cut in a sentence.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = text.trim();
    let end = text.find(": ").unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end_matches([':', '`']).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_tell_packets_apart_are_known() {
        for ends in
            ["IP 192.0.2.9.5 > 192.0.2.21.69: UDP", "IP6 2001:db8::9.5 > 2001:db8::21.69: UDP"]
        {
            let cases = [
                ("07:29:48.654684", true),
                ("2024-11-08 00:00:00.654684", true),
                ("1731050988.654684", true),
                ("07:29:48", false),
                ("00:00:00.000002", false),
                ("00:01:48.654684", false),
            ];
            for (time, expected) in cases {
                assert_eq!(has_own_time(&format!("{time} {ends}")), expected, "{time}");
            }
        }
    }
}
