//! Packets within sentences: what is told there once more must not count twice, and what
//! is told only there must not vanish.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ingest::tcpdump_text::is_timed_packet;

/// Packets that are known again, eight bytes each.
const LIMIT_KNOWN: usize = 20_000;
/// Packets in sentences that are told at the end.
const LIMIT_NOTED: usize = 20;

const MESSAGE: &str = "a packet stands within a sentence here and was not read; if it belongs to the capture, put it on a line of its own";

/// The packets that a text told so far.
#[derive(Debug, Default)]
pub(super) struct Quotations {
    /// Hashes of the packets that were read.
    read: HashSet<u64>,
    /// Those among them that stood behind words of their own.
    told: HashSet<u64>,
    /// Line and hash of those in sentences.
    noted: Vec<(u64, u64)>,
}

impl Quotations {
    /// Notes that a packet line is read.
    pub fn read(&mut self, text: &str) {
        if self.read.len() < LIMIT_KNOWN && is_timed_packet(text) {
            self.read.insert(hash(text));
        }
    }

    /// Whether a line on its own is one that words before it told already: the
    /// microsecond is the same.
    pub fn is_told_already(&self, text: &str) -> bool {
        !self.told.is_empty() && is_timed_packet(text) && self.told.contains(&hash(text))
    }

    /// Takes a packet that stands behind words; says whether it was read before.
    pub fn takes_told(&mut self, text: &str) -> bool {
        let hash = hash(text);
        if self.read.contains(&hash) {
            return true;
        }
        if self.told.len() < LIMIT_KNOWN {
            self.told.insert(hash);
        }
        false
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

/// Of the packet's time and ends; its summary may be cut in a sentence.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = text.trim();
    let end = text.find(": ").unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end_matches([':', '`']).hash(&mut hasher);
    hasher.finish()
}
