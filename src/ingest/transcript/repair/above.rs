//! What the packet above says of a line.

use std::borrow::Cow;

use super::formats::add_time;
use super::several;
use crate::ingest::tcpdump_text::{begins_dump, is_timed_packet, looks_like_packet};
use crate::ingest::transcript::announcement::find_announcement;
use crate::ingest::transcript::noise::find_captured;
use crate::ingest::transcript::prompt::find_prompt;

/// The last packet, as far as it concerns the next line.
#[derive(Debug, Default)]
pub(super) struct Above {
    pub before: Before,
    /// The bytes of packets are printed as characters: they may look like packets.
    has_characters: bool,
    /// Packets have times of their own: what has none is no packet.
    has_times: bool,
}

/// What stood before the last packet on its line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// There is none so far.
    #[default]
    Unknown,
    Nothing,
    Words,
    Format,
}

impl Above {
    /// Whether packets' bytes are printed as characters.
    pub const fn has_characters(&self) -> bool {
        self.has_characters
    }

    /// A line of a collector's, with its time where it is a packet without one.
    pub fn add_time<'a>(&mut self, text: &'a str, time: Option<&str>) -> Cow<'a, str> {
        self.has_times |= is_timed_packet(several::head(text, several::LIMIT_HEAD_BYTES));
        add_time(text, time.filter(|_| !self.has_times))
    }

    /// Notes that a collector's lines are over.
    pub const fn end_run(&mut self) {
        self.has_times = false;
    }

    /// Notes where packets' bytes are printed as characters, and where such a run is over.
    pub fn note(&mut self, text: &str) {
        if self.before == Before::Unknown {
            return;
        }
        if begins_dump(text) {
            self.has_characters = true;
        } else if self.has_characters
            && (find_captured(text).is_some()
                || find_announcement(text).is_some()
                || find_prompt(text).is_some())
        {
            self.has_characters = false;
            self.before = Before::Unknown;
        }
    }

    /// Whether a line belongs to the packet above, though what looks like a packet may stand
    /// in it: bytes that are printed as characters hold anything, and so do the lines of `-v`.
    pub fn takes(&self, text: &str) -> bool {
        self.before != Before::Unknown
            && (self.has_characters || text.starts_with('\t'))
            && !looks_like_packet(text)
    }
}
