//! What people, pages, mail and log collectors do to lines, undone before they are read.
//!
//! | module | undoes |
//! |---|---|
//! | [`marks`] | tags, emphasis, arrows and brackets within a packet line |
//! | [`prefix`] | what stands before a packet on its line |
//! | [`several`] | line ends that were lost between packets |
//! | [`broken`] | line ends that were put into packets |
//! | [`aside`] | lines of several sources in one text |

mod aside;
mod broken;
mod marks;
mod prefix;
mod quotations;
mod several;

use super::announcement::find_announcement;
use super::noise::find_captured;
use super::prompt::find_prompt;
use super::resume::names_place;
use crate::ingest::tcpdump_text::{begins_dump, looks_like_packet};
use crate::model::input::{self, Fault};
use aside::{Aside, Place};
use broken::Broken;
use prefix::{Behind, Found, Shape};
use quotations::{Quotations, has_own_time};

/// A longer line holds no packet that people touched.
const LIMIT_LINE_BYTES: usize = 8_192;

/// A line as the tool printed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub number: u64,
    pub text: String,
    /// The host that a log collector wrote before it.
    pub node: Option<String>,
}

/// What comes out of the repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Repaired {
    Line(Line),
    /// The lines of one source are over; those of another follow.
    NextSource,
    Fault(Fault),
}

/// Repairs the lines of one text.
#[derive(Debug, Default)]
pub(super) struct Repair {
    broken: Broken,
    quotations: Quotations,
    aside: Aside,
    /// What stood before the last packet.
    shape: Option<Shape>,
    before: Before,
    /// The bytes of packets are printed as characters: they may look like packets.
    has_characters: bool,
}

/// What stood before the last packet of a run on its line.
#[derive(Debug, Default, PartialEq, Eq)]
enum Before {
    /// There is none so far.
    #[default]
    Unknown,
    Nothing,
    /// A prefix of this form.
    Prefix(String),
}

impl Repair {
    /// Takes the next line, already without what terminals and mail put around it.
    pub fn push(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        if self.quotations.holds() {
            self.hold(number, text, out);
        } else {
            self.take(number, text, Turn::First, out);
        }
    }

    /// Keeps a line back until it is known what stands plainly in the text.
    fn hold(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        if text.len() <= LIMIT_LINE_BYTES && (text.contains("IP") || has_mark(text)) {
            let text = marks::remove_marks(text);
            match prefix::find(&text) {
                Found::Plain => self.quotations.note_plain(&text),
                Found::Behind(behind) if !behind.is_told => {
                    self.quotations.note_plain(&behind.text);
                }
                Found::Behind(_) | Found::Quoted(_) => {}
            }
        }
        if self.quotations.hold(number, text) {
            self.release(out);
        }
    }

    fn release(&mut self, out: &mut dyn FnMut(Repaired)) {
        for (number, text) in self.quotations.release() {
            self.take(number, &text, Turn::Released, out);
        }
    }

    fn take(&mut self, number: u64, text: &str, turn: Turn, out: &mut dyn FnMut(Repaired)) {
        if text.len() > LIMIT_LINE_BYTES {
            self.push_other(number, text, out);
            return;
        }
        if self.quotations.leaves_out(text) {
            return;
        }
        self.note_characters(text);
        // Nothing else needs it.
        if !text.contains("IP") && !has_mark(text) {
            self.push_below(number, text, out);
            return;
        }
        if self.is_within_packet(text) {
            self.push_below(number, text, out);
            return;
        }
        let text = marks::remove_marks(text);
        match prefix::find(&text) {
            Found::Plain if looks_like_packet(&text) => {
                self.shape = None;
                self.before = Before::Nothing;
                self.quotations.note_plain(&text);
                self.aside.flush_at(&text, &mut self.broken, out);
                self.push_several(number, &text, None, out);
            }
            Found::Plain => self.push_below(number, &text, out),
            Found::Behind(behind) => self.push_behind(number, behind, &text, turn, out),
            Found::Quoted(packet) => {
                self.quotations.note(number, packet);
                self.push_other(number, &text, out);
            }
        }
    }

    /// Takes a packet behind a prefix. What a person told is left out only where the same
    /// packet stands plainly too; `whole` is its line.
    fn push_behind(
        &mut self,
        number: u64,
        behind: Behind<'_>,
        whole: &str,
        turn: Turn,
        out: &mut dyn FnMut(Repaired),
    ) {
        let Behind { text, prefix, label, node, is_told } = behind;
        if is_told && has_own_time(&text) {
            if turn == Turn::First {
                self.hold(number, whole, out);
                return;
            }
            if self.quotations.stands_plainly(&text) {
                self.quotations.leave_out(&text);
                self.push_other(number, prefix, out);
                return;
            }
        }
        if !is_told {
            self.quotations.note_plain(&text);
        }
        // `Host: ` before the first packet of a capture is its heading; before one packet
        // after the other such words say who sent it.
        if is_told && self.before == Before::Nothing && is_heading(prefix) {
            self.push_other(number, prefix, out);
        }
        self.shape = Shape::of(prefix);
        self.before = Before::Prefix(prefix::form(prefix));
        if self.is_due(label.as_deref(), number, &text, node.as_deref(), out) {
            self.push_several(number, &text, node.as_deref(), out);
        }
    }

    /// Whether a line of a source is read now; others wait, or are left out.
    fn is_due(
        &mut self,
        label: Option<&str>,
        number: u64,
        text: &str,
        node: Option<&str>,
        out: &mut dyn FnMut(Repaired),
    ) -> bool {
        let Some(label) = label else { return true };
        match self.aside.take(label, number, text, node) {
            Place::Read => true,
            Place::Waits => false,
            Place::LeftOut(fault) => {
                if let Some(fault) = fault {
                    out(Repaired::Fault(fault));
                }
                false
            }
        }
    }

    /// Notes where packets' bytes are printed as characters, and where such a run is over.
    fn note_characters(&mut self, text: &str) {
        if self.before == Before::Unknown {
            return;
        }
        let behind = self.shape.as_ref().and_then(|shape| shape.find_rest(text));
        if begins_dump(behind.map_or(text, |(_, rest)| rest)) {
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

    /// Whether a line belongs to the packet above, though what looks like a packet stands
    /// in it: an earlier packet of the run had nothing of that kind before it. Bytes that
    /// are printed as characters hold anything, and so do the lines of `-v`.
    fn is_within_packet(&self, text: &str) -> bool {
        match &self.before {
            Before::Unknown => false,
            Before::Nothing => {
                (self.has_characters || text.starts_with('\t')) && !looks_like_packet(text)
            }
            Before::Prefix(form) => self.has_characters && !has_form(text, form),
        }
    }

    /// Takes a line that begins no packet: below one it has the same prefix.
    fn push_below(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        let behind = self.shape.as_ref().and_then(|shape| shape.find_behind(text));
        match behind {
            Some((label, behind)) => {
                if self.is_due(label.as_deref(), number, behind, None, out) {
                    self.pass_on(number, behind, out);
                }
            }
            None => self.push_other(number, text, out),
        }
    }

    fn push_other(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        self.aside.flush_at(text, &mut self.broken, out);
        self.pass_on(number, text, out);
    }

    fn pass_on(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        self.broken.push(Line { number, text: text.to_owned(), node: None }, out);
    }

    /// Hands out what is still held.
    pub fn finish(mut self, out: &mut dyn FnMut(Repaired)) {
        self.release(out);
        self.broken.finish(out);
        self.aside.flush(&mut self.broken, out);
        for (number, message) in self.quotations.finish() {
            let place = input::Place::Line(number);
            out(Repaired::Fault(Fault { place, message: message.to_owned() }));
        }
    }

    fn push_several(
        &mut self,
        number: u64,
        text: &str,
        node: Option<&str>,
        out: &mut dyn FnMut(Repaired),
    ) {
        for part in several::split(text) {
            self.quotations.read(part);
            self.broken
                .push(Line { number, text: part.to_owned(), node: node.map(str::to_owned) }, out);
        }
    }
}

/// When a line is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// As it comes.
    First,
    /// After what follows on it was seen.
    Released,
}

/// Whether words before a packet are the heading of a capture.
fn is_heading(prefix: &str) -> bool {
    /// `In the pod: `; a sentence about the packet is longer.
    const LIMIT_WORDS: usize = 3;
    prefix.split_whitespace().count() <= LIMIT_WORDS && names_place(prefix)
}

/// Whether a packet stands behind a prefix of this form.
fn has_form(text: &str, form: &str) -> bool {
    match prefix::find(&marks::remove_marks(text)) {
        Found::Behind(behind) => prefix::form(behind.prefix) == form,
        Found::Plain | Found::Quoted(_) => false,
    }
}

/// Whether a line holds what people put around packets, or entries of a table of
/// connection tracking, or an arrow.
fn has_mark(text: &str) -> bool {
    memchr::memchr3(b'<', b'>', b'`', text.as_bytes()).is_some()
        || text.contains("src=")
        || text.contains("\\u003e")
        || text.contains(['→', '[', '{'])
}
