//! Lines that mail or a window broke in two: mail breaks at spaces, which are lost; a window
//! and `fold` break anywhere.
//!
//! A line that tells less of its packet than tcpdump prints is kept, and the lines behind it
//! that begin nothing of their own. They are put together both ways: what tells more of the
//! packet is right. What begins a packet of its own by its looks (`192.0.2.9.5 > …` behind
//! `length 62: `) is a rest as well, where the line before lacks its ends and gets them so.
//!
//! A window breaks all lines at one width. Once a break within a word told it, a line of just
//! that width goes on in the next.

use super::joining::{Joined, Way, columns, find_best, join_apart};
use super::line_end::{has_open_name, is_surely_whole};
use super::{Line, Repaired};
use crate::ingest::hex_dump::find_dump_line;
use crate::ingest::tcpdump_text::{Completeness, find_completeness, is_timed_packet};
use crate::ingest::transcript::announcement::find_announcement;
use crate::ingest::transcript::noise::find_captured;
use crate::ingest::transcript::prompt::find_prompt;
use crate::ingest::transcript::tracked::begins_table;
use crate::model::input::{Fault, Place};

/// Lines that one packet may be broken into.
const LIMIT_PARTS: usize = 12;
/// Bytes of a line with those that may be parts of it; none of concern is longer.
const LIMIT_HELD_BYTES: usize = 1_024;
/// Lines that are kept until one more shows that they are parts: `ICM`, `P6, destination`.
const LIMIT_SPARE: usize = 5;
/// tcpdump prints no longer line that is of concern, whatever its parts.
const LIMIT_BYTES: usize = 4_096;

const MESSAGE: &str = "is broken off and goes on in the next line: such lines are put together; paste them unbroken to be sure";

/// The last line, while it may go on.
#[derive(Debug, Default)]
pub(super) struct Broken {
    open: Option<Open>,
    /// The header that `-v` prints on a line of its own, above the line that is open.
    header: Option<String>,
    /// Columns of the window that broke the lines, where it is known.
    width: Option<usize>,
    is_told: bool,
}

#[derive(Debug)]
struct Open {
    /// The line, its parts, and up to [`LIMIT_SPARE`] that may be parts if more come.
    lines: Vec<Line>,
    /// As far as it is put together, from so many lines, and how.
    joined: String,
    taken: usize,
    ways: Vec<Way>,
    /// `None` until a line comes that may be its rest: most lines never need it.
    kind: Option<Kind>,
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Packet(Completeness),
    /// An entry of connection tracking.
    Entry,
}

const WHOLE: Kind = Kind::Packet(Completeness::Whole);

impl Broken {
    /// Takes a line that begins with a packet, so that it is no rest of another.
    pub fn push_packet(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        self.finish(out);
        if is_surely_whole(&line.text) && !self.is_full(&line.text) {
            self.hand_out(line, out);
        } else {
            self.open = Some(Open::new(line, None));
        }
    }

    /// Takes the next line, and hands out those that are complete.
    pub fn push(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) {
        let Some(line) = self.take_rest(line, out) else { return };
        self.finish(out);
        if begins_table(line.text.trim()) {
            self.open = Some(Open::new(line, Some(Kind::Entry)));
        } else if [" >", "IP", "ARP", " ifindex "].iter().any(|sign| line.text.contains(sign)) {
            self.push_packet(line, out);
        } else {
            self.hand_out(line, out);
        }
    }

    /// Whether the line that is open lacks its ends, and gets them with this text as it
    /// stands: what looks like a mark before a packet is then the end of a word, as in
    /// `length 6`, `2: 192.0.2.9.5 > …`.
    pub fn lacks(&self, text: &str) -> bool {
        let Some(open) = &self.open else { return false };
        let kind = open.kind.or_else(|| self.complete(&open.joined).map(Kind::Packet));
        let Some(Kind::Packet(so_far)) = kind.filter(|kind| lacks_ends(*kind)) else {
            return false;
        };
        text.len() <= LIMIT_BYTES
            && begins_nothing(text)
            && !is_timed_packet(text)
            && self.find_joined(open, text).is_some_and(|joined| joined.complete > so_far)
    }

    /// Hands out the line that is still open.
    pub fn finish(&mut self, out: &mut dyn FnMut(Repaired)) {
        while let Some(open) = self.open.take() {
            self.hand_out_open(open, out);
        }
    }

    /// Takes a line that may be a rest of the one that is open; gives back any other.
    fn take_rest(&mut self, line: Line, out: &mut dyn FnMut(Repaired)) -> Option<Line> {
        let Some(mut open) = self.open.take() else { return Some(line) };
        let may_be_rest = line.text.len() <= LIMIT_BYTES && begins_nothing(&line.text);
        let kind = match open.kind {
            None if may_be_rest => self.complete(&open.joined).map(Kind::Packet),
            kind => kind,
        };
        let goes_on = |kind: &Kind| may_be_rest && (*kind != WHOLE || self.ends_at_width(&open));
        let Some(kind) = kind.filter(goes_on) else {
            self.open = Some(open);
            return Some(line);
        };
        open.kind = Some(kind);
        let as_packet = find_completeness(&line.text);
        let may_be_joined =
            as_packet.is_none() || (lacks_ends(kind) && !is_timed_packet(&line.text));
        // ` ethertype IPv4 …` behind the addresses of `-e` begins like a packet, but is none.
        let may_be_spare = kind != WHOLE
            && may_be_joined
            && as_packet.is_none_or(|complete| lacks_ends(Kind::Packet(complete)));
        let joined = may_be_joined.then(|| self.join(&open, kind, &line.text)).flatten();
        if let Some((joined, kind)) = joined {
            open.lines.push(line);
            if joined.is_of_window {
                self.width = open.lines.first().map(|line| columns(&line.text));
            }
            (open.joined, open.ways, open.taken) = (joined.text, joined.ways, open.lines.len());
            open.kind = Some(kind);
            self.hold(open, out);
            None
        } else if may_be_spare {
            open.lines.push(line);
            self.hold(open, out);
            None
        } else {
            self.open = Some(open);
            Some(line)
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
        let Open { lines, joined, taken, .. } = open;
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else { return };
        let number = first.number;
        self.hand_out(Line { text: joined, ..first }, out);
        // Behind the line: the capture that it belongs to has begun.
        if taken > 1 && !std::mem::replace(&mut self.is_told, true) {
            let place = Place::Line(number);
            out(Repaired::Fault(Fault { place, message: MESSAGE.to_owned() }));
        }
        // What is no part may itself be broken.
        for line in lines.skip(taken - 1) {
            self.push(line, out);
        }
    }

    /// Keeps a line until the next tells whether it goes on there.
    fn hold(&mut self, open: Open, out: &mut dyn FnMut(Repaired)) {
        let spare = open.lines.len() - open.taken;
        // Entries are broken at spaces: each part is one.
        let may_go_on = (open.kind != Some(WHOLE) || self.ends_at_width(&open))
            && !(open.kind == Some(Kind::Entry) && spare > 0)
            && open.taken < LIMIT_PARTS
            && spare <= LIMIT_SPARE
            && open.joined.len() < LIMIT_BYTES
            && (spare == 0 || open.bytes() < LIMIT_HELD_BYTES);
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

    /// Whether a line is as wide as the window that broke the lines.
    fn is_full(&self, text: &str) -> bool {
        self.width.is_some_and(|width| width == columns(text))
    }

    /// Puts the open line, those behind it and `next` together, if they are one.
    fn join(&self, open: &Open, kind: Kind, next: &str) -> Option<(Joined, Kind)> {
        let Kind::Packet(so_far) = kind else {
            let text = join_apart(&open.parts_with(next));
            let (ways, complete) = (Vec::new(), Completeness::Whole);
            let joined = Joined { text, ways, complete, is_of_window: false };
            return goes_on_entry(next).then_some((joined, kind));
        };
        let joined = self.find_joined(open, next)?;
        let tells_more = joined.complete > so_far
            && (so_far < Completeness::Thin || ends(&open.joined, &joined.text));
        // `length 5`, `16`: nothing else shows that a line as wide as the window goes on.
        let goes_on = joined.complete == so_far
            && so_far >= Completeness::Thin
            && self.ends_at_width(open)
            && joined.ways.last() == Some(&Way::Together);
        let kind = Kind::Packet(joined.complete);
        (tells_more || goes_on).then_some((joined, kind))
    }

    fn find_joined(&self, open: &Open, next: &str) -> Option<Joined> {
        let width = self.width.or_else(|| open.find_width());
        find_best(&open.parts_with(next), &open.ways, width, |text| self.complete(text))
    }

    /// Whether the last part is as wide as the window.
    fn ends_at_width(&self, open: &Open) -> bool {
        let width = self.width.or_else(|| open.find_width());
        open.lines.last().is_some_and(|last| width.is_some_and(|it| it == columns(&last.text)))
    }
}

impl Open {
    fn new(line: Line, kind: Option<Kind>) -> Self {
        Self { joined: line.text.clone(), lines: vec![line], taken: 1, ways: Vec::new(), kind }
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.text.len()).sum()
    }

    /// Parts of one width are a window's.
    fn find_width(&self) -> Option<usize> {
        match &self.lines[..] {
            [first, second, ..] => {
                Some(columns(&first.text)).filter(|width| *width == columns(&second.text))
            }
            _ => None,
        }
    }

    fn parts_with<'a>(&'a self, next: &'a str) -> Vec<&'a str> {
        self.lines.iter().map(|line| &*line.text).chain([next]).collect()
    }
}

/// Whether a packet's ends are missing, or what stands behind them.
fn lacks_ends(kind: Kind) -> bool {
    matches!(kind, Kind::Packet(Completeness::Unread | Completeness::Ends))
}

/// Whether what is put together ends as packets do: prose behind one that has no length may
/// speak of lengths too.
fn ends(so_far: &str, joined: &str) -> bool {
    is_surely_whole(joined) || has_open_name(so_far) || so_far.contains(": TFTP,")
}

/// Whether a line may be the rest of another, or a packet: it begins nothing else.
fn begins_nothing(text: &str) -> bool {
    let trimmed = text.trim();
    let is_below = text.starts_with('\t') || text.starts_with("    ");
    !trimmed.is_empty()
        && (!is_below || goes_on_entry(text))
        && find_dump_line(text).is_none()
        && !trimmed.starts_with("```")
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
