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

use crate::ingest::tcpdump_text::looks_like_packet;
use crate::model::input::{Fault, Place};
use aside::Aside;
use broken::Broken;
use prefix::{Behind, Found, Shape};
use quotations::Quotations;

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
}

impl Repair {
    /// Takes the next line, already without what terminals and mail put around it.
    pub fn push(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        if text.len() > LIMIT_LINE_BYTES {
            self.push_other(number, text, out);
            return;
        }
        // Nothing else needs it.
        if !text.contains("IP") && !has_mark(text) {
            self.push_below(number, text, out);
            return;
        }
        let text = marks::remove_marks(text);
        match prefix::find(&text) {
            Found::Plain if looks_like_packet(&text) => {
                if !self.quotations.is_told_already(&text) {
                    self.shape = None;
                    self.aside.flush_at(&text, &mut self.broken, out);
                    self.push_several(number, &text, None, out);
                }
            }
            Found::Plain => self.push_below(number, &text, out),
            Found::Behind(Behind { text, prefix, label, node, is_told }) => {
                self.shape = Shape::of(prefix);
                if is_told && self.quotations.takes_told(&text) {
                    return;
                }
                let waits = label
                    .is_some_and(|label| self.aside.takes(&label, number, &text, node.as_deref()));
                if !waits {
                    self.push_several(number, &text, node.as_deref(), out);
                }
            }
            Found::Quoted(packet) => {
                self.quotations.note(number, packet);
                self.push_other(number, &text, out);
            }
        }
    }

    /// Takes a line that begins no packet: below one it has the same prefix.
    fn push_below(&mut self, number: u64, text: &str, out: &mut dyn FnMut(Repaired)) {
        let behind = self.shape.as_ref().and_then(|shape| shape.find_behind(text));
        match behind {
            Some((label, behind)) => {
                let waits =
                    label.is_some_and(|label| self.aside.takes(&label, number, behind, None));
                if !waits {
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
        self.broken.finish(out);
        self.aside.flush(&mut self.broken, out);
        for (number, message) in self.quotations.finish() {
            let place = Place::Line(number);
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

/// Whether a line holds what people put around packets, or entries of a table of
/// connection tracking, or an arrow.
fn has_mark(text: &str) -> bool {
    memchr::memchr3(b'<', b'>', b'`', text.as_bytes()).is_some()
        || text.contains("src=")
        || text.contains("\\u003e")
        || text.contains(['→', '[', '{'])
}
