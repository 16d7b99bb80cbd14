//! Lines that mail or a window broke in two: mail breaks at a space, which is lost; a
//! window and `fold` break anywhere, at one width.

mod joints;
mod line_end;

use super::{Line, Repaired};
use crate::ingest::hex_dump::find_dump_line;
use crate::ingest::tcpdump_text::{Completeness, find_completeness};
use crate::ingest::transcript::announcement::find_announcement;
use crate::ingest::transcript::noise::find_captured;
use crate::ingest::transcript::prompt::find_prompt;
use crate::ingest::transcript::tracked::begins_table;
use crate::model::input::{Fault, Place};
use joints::candidates;
pub(super) use line_end::is_surely_whole;
use line_end::{
    ends_with_length, has_open_name, has_open_quote, is_cut_by_snap_length, is_within_word,
};

/// Lines that one packet may be broken into.
const LIMIT_PARTS: usize = 12;
/// Lines that are kept until one more shows that they are parts.
const LIMIT_SPARE: usize = 2;
/// tcpdump prints no longer line that is of concern.
const LIMIT_BYTES: usize = 4_096;

const MESSAGE: &str = "is broken off and goes on in the next line: such lines are put together; paste them unbroken to be sure";

/// The last line, while it may go on.
#[derive(Debug, Default)]
pub(super) struct Broken {
    open: Option<Open>,
    /// The header that `-v` prints on a line of its own, above the line that is open.
    header: Option<String>,
    /// The width at which a window broke lines, in characters, once one is proven.
    width: Option<usize>,
    /// The longest line so far, and how many are as long.
    longest: (usize, usize),
    is_told: bool,
}

#[derive(Debug)]
struct Open {
    line: Line,
    parts: usize,
    kind: Kind,
    /// Characters of its last part.
    last_part: usize,
    /// Lines behind it that may be parts, if more come: `ICM`, `P6, destination unr`.
    spare: Vec<Line>,
}

impl Open {
    fn new(line: Line, kind: Kind, last_part: usize) -> Self {
        Self { line, parts: 1, kind, last_part, spare: Vec::new() }
    }

    /// Whether two more lines may have to be seen: not even the ends are there.
    fn needs_more(&self) -> bool {
        let is_short = matches!(
            self.kind,
            Kind::Packet(Completeness::Unread | Completeness::Ends | Completeness::Thin)
        );
        is_short && self.spare.len() < LIMIT_SPARE
    }
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Packet(Completeness),
    /// An entry of connection tracking.
    Entry,
}

impl Broken {
    /// Takes the next line, and hands out those that are complete.
    pub fn push(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        let characters = line.text.chars().count();
        if let Some(mut open) = self.open.take() {
            if let Some((text, kind)) = self.join(&open, &line.text) {
                self.note_width(characters);
                let parts = open.parts + open.spare.len() + 1;
                let line = Line { text, ..open.line };
                let open = Open { line, parts, kind, last_part: characters, spare: Vec::new() };
                self.hold(open, out);
                return;
            }
            if open.needs_more() && may_be_rest(&line.text) && line.text.len() <= LIMIT_BYTES {
                self.note_width(characters);
                open.spare.push(line);
                self.open = Some(open);
                return;
            }
            self.hand_out_open(open, out);
        }
        self.note_width(characters);
        match self.find_kind(&line.text) {
            Some(kind) => self.hold(Open::new(line, kind, characters), out),
            None => self.hand_out(line, out),
        }
    }

    /// Whether a whole line could be nothing else than what it is: none before it is open.
    pub const fn is_idle(&self) -> bool {
        self.open.is_none() && self.width.is_none()
    }

    /// Hands out a line that is whole, where nothing is open.
    pub fn pass(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        self.note_width(line.text.len());
        self.header = None;
        out(Repaired::Line(line));
    }

    /// Hands out the line that is still open.
    pub fn finish(&mut self, out: &mut dyn FnMut(Repaired)) {
        if let Some(open) = self.open.take() {
            self.hand_out_open(open, out);
        }
    }

    fn hand_out(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        let is_header = line.text.trim_end().ends_with(')')
            && ["(tos ", "(class ", "(flowlabel ", "(hlim "]
                .iter()
                .any(|lead| line.text.contains(lead));
        self.header = is_header.then(|| line.text.clone());
        out(Repaired::Line(line));
    }

    /// Hands out a line that is put together, or not.
    fn hand_out_open(&mut self, open: Open, out: &mut dyn FnMut(Repaired)) {
        let Open { line, parts, spare, .. } = open;
        let number = line.number;
        self.hand_out(line, out);
        // Behind the line: the capture that it belongs to has begun.
        if parts > 1 && !std::mem::replace(&mut self.is_told, true) {
            let place = Place::Line(number);
            out(Repaired::Fault(Fault { place, message: MESSAGE.to_owned() }));
        }
        for line in spare {
            self.hand_out(line, out);
        }
    }

    /// Keeps a line until the next tells whether it goes on there.
    fn hold(&mut self, open: Open, out: &mut dyn FnMut(Repaired)) {
        let may_go_on = match open.kind {
            Kind::Packet(_) if is_cut_by_snap_length(&open.line.text) => false,
            Kind::Packet(Completeness::Whole) => {
                has_open_name(&open.line.text) || self.width == Some(open.last_part)
            }
            Kind::Packet(_) | Kind::Entry => true,
        };
        if may_go_on && open.parts < LIMIT_PARTS && open.line.text.len() < LIMIT_BYTES {
            self.open = Some(open);
        } else {
            self.hand_out_open(open, out);
        }
    }

    fn find_kind(&self, text: &str) -> Option<Kind> {
        if begins_table(text.trim()) {
            return Some(Kind::Entry);
        }
        let may_be_packet = text.contains(" > ") || text.contains("IP");
        if !may_be_packet || (self.width.is_none() && ends_with_length(text)) {
            return None;
        }
        self.complete(text).map(Kind::Packet)
    }

    /// How complete a packet is whose header may stand on the line before.
    fn complete(&self, text: &str) -> Option<Completeness> {
        find_completeness(text).or_else(|| {
            let header = self.header.as_ref()?;
            find_completeness(&format!("{header} {}", text.trim_start()))
        })
    }

    /// The open line with those behind it, if they are one.
    fn join(&mut self, open: &Open, next: &str) -> Option<(String, Kind)> {
        if next.len() > LIMIT_BYTES || !may_be_rest(next) {
            return None;
        }
        let text = open.line.text.as_str();
        let completeness = match open.kind {
            Kind::Entry => {
                let joined = format!("{} {}", text.trim_end(), next.trim_start());
                return goes_on_entry(next).then_some((joined, Kind::Entry));
            }
            Kind::Packet(completeness) => completeness,
        };
        let rest: Vec<&str> =
            open.spare.iter().map(|line| line.text.as_str()).chain([next]).collect();
        let is_proven = self.width == Some(open.last_part);
        let goes_on_small = next.starts_with(|c: char| c.is_ascii_lowercase());
        let prefers_together = is_proven
            || (goes_on_small && self.is_window(open.last_part))
            || is_within_word(text, next);
        let best = candidates(text, &rest)
            .filter_map(|(joined, joints)| Some((self.complete(&joined)?, joints, joined)))
            .max_by_key(|(complete, joints, _)| (*complete, joints.preference(prefers_together)))?;
        let (complete, joints, joined) = best;
        let closes_name = has_open_name(text) && !has_open_quote(&joined);
        let goes_on = complete > completeness
            || (complete == completeness && rest.len() == 1 && (closes_name || is_proven));
        if !goes_on {
            return None;
        }
        if complete > completeness && joints.proves_width && !prefers_together {
            self.width = Some(open.last_part);
        }
        Some((joined, Kind::Packet(complete)))
    }

    /// Whether a window probably broke lines of this length: it breaks all at one, and
    /// none is longer.
    fn is_window(&self, characters: usize) -> bool {
        self.longest.0 == characters && self.longest.1 > 1
    }

    fn note_width(&mut self, characters: usize) {
        match characters.cmp(&self.longest.0) {
            std::cmp::Ordering::Greater => self.longest = (characters, 1),
            std::cmp::Ordering::Equal => self.longest.1 += 1,
            std::cmp::Ordering::Less => {}
        }
    }
}

/// Whether a line may be the rest of another: it begins nothing.
fn may_be_rest(text: &str) -> bool {
    let trimmed = text.trim();
    let is_below = text.starts_with('\t') || text.starts_with("    ");
    !trimmed.is_empty()
        && (!is_below || goes_on_entry(text))
        && find_dump_line(text).is_none()
        && !trimmed.starts_with("```")
        && find_completeness(text).is_none()
        && !begins_table(trimmed)
        && find_captured(text).is_none()
        && find_announcement(text).is_none()
        && find_prompt(text).is_none()
}

/// Whether a line goes on with an entry of connection tracking: its words are `word=value`
/// and marks (libnetfilter_conntrack, `snprintf_default.c`), and nothing else begins so.
fn goes_on_entry(text: &str) -> bool {
    const MARKS: [&str; 4] = ["[UNREPLIED]", "[ASSURED]", "[OFFLOAD]", "[HW_OFFLOAD]"];
    let first = text.split_whitespace().next().unwrap_or_default();
    let names = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    MARKS.contains(&first) || first.split_once('=').is_some_and(|(word, _)| names(word))
}
