//! Lines that mail or a window broke in two: mail breaks at spaces, which are lost; a window
//! and `fold` break anywhere.
//!
//! A line that tells less of its packet than tcpdump prints is kept, and the lines behind it
//! that begin nothing of their own. They are put together both ways: what tells more of the
//! packet is right.

use super::line_end::{has_open_name, has_open_quote, is_surely_whole};
use super::{Line, Repaired};
use crate::ingest::hex_dump::find_dump_line;
use crate::ingest::tcpdump_text::{Completeness, find_completeness};
use crate::ingest::transcript::announcement::find_announcement;
use crate::ingest::transcript::noise::find_captured;
use crate::ingest::transcript::prompt::find_prompt;
use crate::ingest::transcript::tracked::begins_table;
use crate::model::input::{Fault, Place};

/// Lines that one packet may be broken into.
const LIMIT_PARTS: usize = 12;
/// Lines that are kept until one more shows that they are parts: `ICM`, `P6, destination`.
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
    is_told: bool,
}

#[derive(Debug)]
struct Open {
    /// As far as it is put together, from so many parts.
    line: Line,
    parts: usize,
    /// `None` until a line comes that may be its rest: most lines never need it.
    kind: Option<Kind>,
    /// Lines behind it that may be parts, if more come.
    spare: Vec<Line>,
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Packet(Completeness),
    /// An entry of connection tracking.
    Entry,
}

impl Broken {
    /// Takes a line that begins with a packet, so that it is no rest of another.
    pub fn push_packet(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        self.finish(out);
        if is_surely_whole(&line.text) {
            self.hand_out(line, out);
        } else {
            self.open = Some(Open { line, parts: 1, kind: None, spare: Vec::new() });
        }
    }

    /// Takes the next line, and hands out those that are complete.
    pub fn push(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        if let Some(mut open) = self.open.take() {
            if line.text.len() <= LIMIT_BYTES && may_be_rest(&line.text) {
                let kind = open.kind.or_else(|| self.complete(&open.line.text).map(Kind::Packet));
                if let Some(kind) = kind.filter(|kind| *kind != Kind::Packet(Completeness::Whole)) {
                    open.spare.push(line);
                    self.join(open, kind, out);
                    return;
                }
            }
            self.hand_out_open(open, out);
        }
        if begins_table(line.text.trim()) {
            self.open = Some(Open { line, parts: 1, kind: Some(Kind::Entry), spare: Vec::new() });
        } else if line.text.contains(" > ") || line.text.contains("IP") {
            self.push_packet(line, out);
        } else {
            self.hand_out(line, out);
        }
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

    /// Hands out a line that is put together, or not, and those behind it.
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
        let may_go_on = open.kind != Some(Kind::Packet(Completeness::Whole))
            && open.parts < LIMIT_PARTS
            && open.spare.len() <= LIMIT_SPARE
            && open.line.text.len() < LIMIT_BYTES;
        if may_go_on {
            self.open = Some(open);
        } else {
            self.hand_out_open(open, out);
        }
    }

    /// How complete a packet is whose header may stand on the line before.
    fn complete(&self, text: &str) -> Option<Completeness> {
        let complete = find_completeness(text).or_else(|| {
            let header = self.header.as_ref()?;
            find_completeness(&format!("{header} {}", text.trim_start()))
        })?;
        Some(if has_open_name(text) { complete.min(Completeness::Thin) } else { complete })
    }

    /// Puts the open line and those behind it together, if they are one.
    fn join(&mut self, open: Open, kind: Kind, out: &mut dyn FnMut(Repaired)) {
        let joined = match kind {
            Kind::Entry => open
                .spare
                .last()
                .filter(|next| goes_on_entry(&next.text))
                .map(|_| (join_apart(&open), Kind::Entry)),
            Kind::Packet(so_far) => {
                let (together, apart) = (join_together(&open), join_apart(&open));
                let ways =
                    if is_within_word(&open) { [apart, together] } else { [together, apart] };
                // Of two that tell as much the last counts.
                ways.into_iter()
                    .filter_map(|text| Some((self.complete(&text)?, text)))
                    .max_by_key(|(complete, _)| *complete)
                    .filter(|(complete, text)| {
                        *complete > so_far && (so_far < Completeness::Thin || ends(&open, text))
                    })
                    .map(|(complete, text)| (text, Kind::Packet(complete)))
            }
        };
        match joined {
            Some((text, kind)) => {
                let parts = open.parts + open.spare.len();
                let line = Line { text, ..open.line };
                self.hold(Open { line, parts, kind: Some(kind), spare: Vec::new() }, out);
            }
            // Entries are broken at spaces: each part is one.
            None if kind == Kind::Entry => self.hand_out_open(open, out),
            None => self.hold(Open { kind: Some(kind), ..open }, out),
        }
    }
}

/// Whether what is put together ends as packets do: prose behind one that has no length may
/// speak of lengths too.
fn ends(open: &Open, joined: &str) -> bool {
    is_surely_whole(joined) || has_open_name(&open.line.text)
}

/// As a window breaks lines: nothing is lost.
fn join_together(open: &Open) -> String {
    let mut joined = open.line.text.clone();
    for part in &open.spare {
        joined.push_str(part.text.trim_end());
    }
    joined
}

/// As mail does: a space is lost.
fn join_apart(open: &Open) -> String {
    let mut joined = open.line.text.trim_end().to_owned();
    for part in &open.spare {
        joined.push(' ');
        joined.push_str(part.text.trim());
    }
    joined
}

/// Whether a break stands within a word for sure: digits go on, or a name in quotes, or a mark
/// before which no space stands.
fn is_within_word(open: &Open) -> bool {
    let (text, next) = (&open.line.text, open.spare.first().map_or("", |next| &next.text));
    let ends = text.ends_with(|c: char| c.is_ascii_digit());
    let goes_on = next.starts_with(|c: char| c.is_ascii_digit());
    (ends && goes_on) || next.starts_with([':', '.', ',', ')', ']']) || has_open_quote(text)
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
