//! What collectors, people, pages and mail do to lines, undone before they are read.
//!
//! | module | undoes |
//! |---|---|
//! | [`formats`] | what programs put before each line, by a grammar for each |
//! | [`unexplained`], [`told`] | words before a packet, and packets that sentences tell once more |
//! | [`sources`] | lines of several sources in one text |
//! | [`marks`], [`masks`] | tags, emphasis, arrows and brackets within a packet line |
//! | [`several`] | line ends that were lost between packets |
//! | [`broken`], [`joining`], [`line_end`] | line ends that were put into packets |
//!
//! A line that begins with a packet, as tcpdump prints it, needs none of them.

mod above;
mod broken;
mod choice;
mod formats;
mod joining;
mod line_end;
mod marks;
mod masks;
mod plain;
mod several;
mod sources;
mod told;
mod unexplained;

use crate::model::input::Fault;
use above::{Above, Before};
use broken::Broken;
use choice::{Choice, Choosing, is_told_by_no_person};
use formats::{find_entry, is_printed};
use plain::{is_logged_packet, is_plain, may_hold_packet};
use sources::Sources;
use told::Told;

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
    /// A line that another program wrote, between those of tcpdump.
    OtherProgram(String),
    /// Packets that stand here and are not read.
    Unread {
        packets: u64,
        fault: Option<Fault>,
    },
    Fault(Fault),
}

type Out<'a> = &'a mut dyn FnMut(Repaired);

/// Repairs the lines of one text.
#[derive(Debug, Default)]
pub(super) struct Repair {
    choice: Choice,
    sources: Sources,
    told: Told,
    broken: Broken,
    above: Above,
    /// Lines of the run were entries of Docker's `json-file` driver.
    is_unpacked: bool,
}

/// When a line is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// As it comes.
    First,
    /// After what follows on it was seen.
    Released,
}

impl Repair {
    /// Takes the next line, already without what terminals and mail put around it.
    pub fn push(&mut self, number: u64, text: &str, out: Out<'_>) {
        if self.told.holds() {
            self.hold(number, text, out);
        } else if self.is_idle() && is_plain(text) {
            self.above.before = Before::Nothing;
            self.told.note(text);
            self.broken.push_packet(line(number, text, None), out);
        } else if self.is_idle() && is_logged_packet(text) {
            self.pass_on(number, text, out);
        } else {
            self.choose(number, text, Turn::First, out);
        }
    }

    /// Hands out what is still held.
    pub fn finish(mut self, out: Out<'_>) {
        self.release(out);
        for (number, text) in self.choice.release() {
            self.take_unexplained(number, &text, Turn::Released, out);
        }
        self.end_sources(out);
        if let Some(fault) = self.told.find_rest() {
            out(Repaired::Fault(fault));
        }
    }

    /// Whether nothing of the lines before concerns a plain line.
    fn is_idle(&self) -> bool {
        !self.choice.concerns_next() && !self.told.concerns_next()
    }

    /// Keeps a line back until it is known what stands plainly in the text.
    fn hold(&mut self, number: u64, text: &str, out: Out<'_>) {
        if text.len() <= LIMIT_LINE_BYTES && may_hold_packet(text) {
            let text = marks::remove_marks(text);
            if is_told_by_no_person(&text) {
                self.told.note(&text);
            }
        }
        if self.told.hold(number, text) {
            self.release(out);
        }
    }

    fn release(&mut self, out: Out<'_>) {
        for (number, text) in self.told.release() {
            self.choose(number, &text, Turn::Released, out);
        }
        // What is open is decided within what was held: it must not be held once more.
        for (number, text) in self.choice.release() {
            self.take_unexplained(number, &text, Turn::Released, out);
        }
    }

    /// Finds the formats that explain a line.
    fn choose(&mut self, number: u64, text: &str, turn: Turn, out: Out<'_>) {
        if text.len() > LIMIT_LINE_BYTES {
            return self.pass_on(number, text, out);
        }
        if self.told.leaves_out(text) {
            return;
        }
        if self.completes_last(text) {
            return self.pass_on(number, text, out);
        }
        // The bytes of a packet may look like an entry.
        let may_be_entry = self.is_unpacked || !self.above.has_characters();
        if let Some(entry) = find_entry(text).filter(|_| may_be_entry) {
            self.is_unpacked = true;
            let log = entry.log.trim_end_matches(['\r', '\n']);
            let log = self.above.add_time(log, entry.time.as_deref());
            return self.choose_below(number, &log, turn, out);
        }
        self.choose_below(number, text, turn, out);
    }

    /// Whether a line is the rest of the last packet's, which lacks its ends without it. No
    /// format stands before it then, though it may look so.
    fn completes_last(&self, text: &str) -> bool {
        !self.choice.waits()
            && !self.above.has_characters()
            && self.sources.are_none()
            && self.broken.lacks(text)
    }

    fn choose_below(&mut self, number: u64, text: &str, turn: Turn, out: Out<'_>) {
        loop {
            match self.choice.take(number, text, &self.above) {
                Choosing::Waits => return,
                Choosing::Explained(earlier) => {
                    for (number, text) in earlier {
                        self.take_explained(number, &text, out);
                    }
                    return self.take_explained(number, text, out);
                }
                Choosing::Ended => {
                    self.above.end_run();
                    self.end_sources(out);
                }
                Choosing::Apart(earlier) => {
                    for (number, text) in earlier {
                        self.take_unexplained(number, &text, turn, out);
                    }
                    // What holds back those holds this one back too.
                    if self.told.holds() {
                        return self.hold(number, text, out);
                    }
                }
                Choosing::Unexplained => return self.take_unexplained(number, text, turn, out),
            }
        }
    }

    /// Takes a line behind the formats that were chosen.
    fn take_explained(&mut self, number: u64, text: &str, out: Out<'_>) {
        let Some(explained) = self.choice.explain(text) else {
            return self.pass_on(number, text, out);
        };
        let timed = self.above.add_time(explained.text, explained.time);
        let printed = marks::remove_marks(&timed);
        self.above.note(&printed);
        let is_packet = !self.above.takes(&printed) && is_printed(&printed);
        if !explained.source.is_empty() && !is_packet && !self.sources.knows(&explained.source) {
            out(Repaired::OtherProgram(text.to_owned()));
            return;
        }
        if is_packet {
            self.above.before = Before::Format;
            self.told.note(&printed);
        }
        let parts = if is_packet { several::split(&printed) } else { vec![&*printed] };
        for part in parts {
            let line = line(number, part, explained.node);
            if explained.source.is_empty() {
                self.broken.push(line, out);
            } else {
                let broken = &mut self.broken;
                let mut through = |done| pass_through(broken, done, out);
                self.sources.take(&explained.source, self.choice.has_words(), line, &mut through);
            }
        }
    }

    fn pass_on(&mut self, number: u64, text: &str, out: Out<'_>) {
        self.broken.push(line(number, text, None), out);
    }

    fn push_several(&mut self, number: u64, text: &str, out: Out<'_>) {
        for part in several::split(text) {
            self.broken.push(line(number, part, None), out);
        }
    }

    /// Hands out the lines of all sources: they are over.
    fn end_sources(&mut self, out: Out<'_>) {
        self.broken.finish(out);
        let broken = &mut self.broken;
        self.sources.flush(&mut |done| pass_through(broken, done, out));
        self.broken.finish(out);
    }
}

/// Mends the lines of one source after the other.
fn pass_through(broken: &mut Broken, done: Repaired, out: Out<'_>) {
    match done {
        Repaired::Line(line) => broken.push(line, out),
        other => {
            broken.finish(out);
            out(other);
        }
    }
}

fn line(number: u64, text: &str, node: Option<&str>) -> Line {
    Line { number, text: text.to_owned(), node: node.map(str::to_owned) }
}
