//! Packets behind words and within sentences. One that stands in a run of the text anyway
//! is told a second time there, and does not count again.

use super::formats::is_packet;
use super::several;
use crate::ingest::hex_dump::find_dump_line;
use crate::ingest::tcpdump_text::{find_stamp, is_date, is_timed_packet};
use crate::model::input::{Fault, Place};

/// Bytes of packet lines in which those that are told again are looked for.
const LIMIT_KNOWN_BYTES: usize = 1_024 * 1_024;
/// Bytes of lines that wait until it is known what stands behind them.
const LIMIT_HELD_BYTES: usize = 4 * 1_024 * 1_024;
/// How often is looked; more count as told nowhere else.
const LIMIT_LOOKS: u32 = 64;
/// Packets that could not be read, and are told one by one.
const LIMIT_UNREAD: u64 = 20;
/// A packet stands within so many bytes of a line's begin.
const LIMIT_BEFORE_BYTES: usize = 160;
/// Times within a line that are looked at.
const LIMIT_STARTS: usize = 32;
/// More words are a sentence.
const LIMIT_WORDS: usize = 8;

/// A packet with words before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind<'a> {
    pub words: &'a str,
    pub packet: &'a str,
    /// The words lead to it, as a heading does: `The answer: `. Others are a sentence.
    pub is_led_to: bool,
}

impl<'a> Behind<'a> {
    /// Finds the packet.
    pub fn find(text: &'a str) -> Option<Self> {
        let begins = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
            // Of `07:29:48.654684` the seconds alone would be a time too.
            let is_clock = || text.as_bytes().iter().skip(at).take(3).any(|byte| *byte == b':');
            before.is_some_and(|b| {
                !b.is_ascii_alphanumeric() && *b != b'.' && (*b != b':' || is_clock())
            })
        };
        let digits = text.bytes().enumerate().take(LIMIT_BEFORE_BYTES);
        let starts = digits.filter(|(at, byte)| byte.is_ascii_digit() && begins(*at));
        let (words, packet) = starts
            .take(LIMIT_STARTS)
            .filter_map(|(at, _)| text.split_at_checked(at))
            .find(|(_, packet)| is_timed_packet(several::head(packet, several::LIMIT_HEAD_BYTES)))
            .or_else(|| skip_quote(text).filter(|(_, packet)| is_packet(packet)))?;
        let is_led_to = words.trim_end().ends_with([':', '=', '-', '>', '"', '`', '(', '[', '“'])
            && words.split_whitespace().count() <= LIMIT_WORDS;
        Some(Self { words, packet, is_led_to })
    }
}

/// A quotation mark before the first of several lines.
fn skip_quote(text: &str) -> Option<(&str, &str)> {
    let packet = text.strip_prefix(['"', '\'', '“', '`'])?;
    text.split_at_checked(text.len() - packet.len())
}

/// The packets that a text told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Lines of packets that stand plainly.
    known: String,
    looks: u32,
    /// Lines from the first packet behind words on.
    held: Vec<(u64, String)>,
    held_bytes: usize,
    /// Packets that were not read, and the line of the last.
    unread: u64,
    last_unread: u64,
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

impl Told {
    /// Notes a line with packets that are read.
    pub fn note(&mut self, text: &str) {
        if self.known.len() + text.len() < LIMIT_KNOWN_BYTES {
            self.known.push_str(text);
            self.known.push('\n');
        }
    }

    /// Whether the next line may be one of a packet that is left out.
    pub const fn concerns_next(&self) -> bool {
        self.below.is_some()
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

    /// Whether a packet stands plainly too, as far as was read: it has the same ends at the
    /// same time. Its summary may be cut where it is told.
    pub fn stands_plainly(&mut self, packet: &str) -> bool {
        self.looks = self.looks.saturating_add(1);
        let end = packet.find(": ").unwrap_or(packet.len());
        let told = packet.get(..end).unwrap_or(packet).trim_end_matches([':', '`']);
        self.looks <= LIMIT_LOOKS && self.known.contains(told)
    }

    /// Notes that a packet is left out.
    pub fn leave_out(&mut self, packet: &str) {
        let is_header = packet.trim_end().ends_with(')');
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

    /// Counts a packet that was not read; gives what to say of it.
    pub fn note_unread(&mut self, number: u64, words: &str) -> Option<Fault> {
        self.last_unread = number;
        self.unread = self.unread.saturating_add(1);
        (self.unread <= LIMIT_UNREAD).then(|| {
            let message = format!(
                "a packet stands behind {} and was not read; remove what stands before it, or put it on a line of its own",
                quote_beginning(words)
            );
            Fault { place: Place::Line(number), message }
        })
    }

    /// What to say of the packets that were not told one by one.
    pub fn find_rest(&self) -> Option<Fault> {
        let rest = self.unread.checked_sub(LIMIT_UNREAD).filter(|rest| *rest > 0)?;
        let message = format!("{rest} more packets behind other text, up to here, were not read");
        Some(Fault { place: Place::Line(self.last_unread), message })
    }
}

/// The begin of a text, in quotes.
fn quote_beginning(text: &str) -> String {
    const LIMIT_CHARACTERS: usize = 40;
    let text = text.trim_end();
    let shown: String = text.chars().take(LIMIT_CHARACTERS).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("'{shown}{more}'")
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

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [&str; 2] =
        ["IP 192.0.2.9.5 > 192.0.2.21.69: UDP", "IP6 2001:db8::9.5 > 2001:db8::21.69: UDP"];

    #[test]
    fn times_that_tell_packets_apart_are_known() {
        for ends in ENDS {
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

    #[test]
    fn words_that_lead_to_a_packet_are_told_from_sentences() {
        for ends in ENDS {
            let packet = format!("07:29:48.654684 {ends}, length 4");
            let cases = [
                ("Output: ", Some(true)),
                ("The answer comes from the node: ", Some(true)),
                ("\"", Some(true)),
                ("(", Some(true)),
                ("See how ", Some(false)),
                ("One two three four five six seven eight nine: ", Some(false)),
                ("", None),
            ];
            for (words, expected) in cases {
                let text = format!("{words}{packet}");
                let found = Behind::find(&text);
                assert_eq!(found.map(|found| found.is_led_to), expected, "{text}");
                assert!(found.is_none_or(|found| found.packet == packet), "{text}");
            }
            let cut = format!("29:48.654684 {ends}, length 4");
            assert_eq!(Behind::find(&format!("at {cut}")), None);
        }
    }
}
