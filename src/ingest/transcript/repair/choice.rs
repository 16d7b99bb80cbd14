//! Which formats stand before the lines of a run.

use super::above::Above;
use super::formats::{Explained, Layers, Names, is_packet, is_printed, is_sure_prompt};
use super::may_hold_packet;
use crate::ingest::tcpdump_text::is_timed_packet;
use crate::ingest::transcript::prompt::find_prompt;
use crate::ingest::transcript::tracked::begins_table;

/// Blank lines between a line and the next of its format.
const LIMIT_WAITING: usize = 8;

/// The formats that were chosen, or that may be.
#[derive(Debug, Default)]
pub(super) struct Choice {
    made: Option<Layers>,
    /// Formats of which one more line has to be seen, and the lines so far.
    open: Option<(Layers, Vec<(u64, String)>)>,
}

/// What a line is to the formats.
#[derive(Debug)]
pub(super) enum Choosing {
    /// The formats that are chosen explain it, and these lines before it.
    Explained(Vec<(u64, String)>),
    /// One more line has to be seen.
    Waits,
    /// None explains it.
    Unexplained,
    /// The lines that waited are explained by none. It has to be taken again.
    Apart(Vec<(u64, String)>),
    /// The formats that were chosen are over. It has to be taken again.
    Ended,
}

impl Choice {
    /// Whether formats are chosen, or may be with the next line.
    pub const fn concerns_next(&self) -> bool {
        self.made.is_some() || self.open.is_some()
    }

    /// Whether lines wait until one more was seen.
    pub const fn waits(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the names of sources are words.
    pub fn has_words(&self) -> bool {
        self.made.as_ref().is_some_and(|layers| !layers.are_sure())
    }

    /// The line behind the formats that are chosen.
    pub fn explain<'a>(&self, text: &'a str) -> Option<Explained<'a>> {
        self.made.as_ref()?.explain(text)
    }

    /// The lines that wait.
    pub fn release(&mut self) -> Vec<(u64, String)> {
        self.open.take().map(|(_, lines)| lines).unwrap_or_default()
    }

    /// Takes the next line.
    pub fn take(&mut self, number: u64, text: &str, above: &Above) -> Choosing {
        if let Some(layers) = &self.made {
            if explains(layers, text, above) {
                return Choosing::Explained(Vec::new());
            }
            let begins_other = || !above.takes(text) && Layers::find(text).is_some();
            if is_printed(text) || find_prompt(text).is_some() || begins_other() {
                self.made = None;
                return Choosing::Ended;
            }
            return Choosing::Unexplained;
        }
        if let Some((layers, mut lines)) = self.open.take() {
            if text.trim().is_empty() && lines.len() < LIMIT_WAITING {
                lines.push((number, text.to_owned()));
                self.open = Some((layers, lines));
                return Choosing::Waits;
            }
            if goes_on(&layers, &lines, text) {
                self.made = Some(layers);
                return Choosing::Explained(lines);
            }
            return Choosing::Apart(lines);
        }
        if above.takes(text) || !(may_hold_packet(text) || begins_with_number(text)) {
            return Choosing::Unexplained;
        }
        match Layers::find(text) {
            None => Choosing::Unexplained,
            Some(layers) if layers.are_sure() || holds_entry(&layers, text) => {
                self.made = Some(layers);
                Choosing::Explained(Vec::new())
            }
            Some(layers) => {
                self.open = Some((layers, vec![(number, text.to_owned())]));
                Choosing::Waits
            }
        }
    }
}

/// Whether a line may be numbered by `cat -n` or `nl`: `     7\tTEXT`.
fn begins_with_number(text: &str) -> bool {
    let number = text.trim_start_matches(' ');
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < number.len() && rest.starts_with(['\t', ' '])
}

/// Whether a text holds a packet as tcpdump or a collector wrote it, for sure.
pub(super) fn is_told_by_no_person(text: &str) -> bool {
    is_packet(text) || Layers::find(text).is_some_and(|layers| layers.are_sure())
}

/// Whether a line is an entry of connection tracking, which no sentence is about.
fn holds_entry(layers: &Layers, text: &str) -> bool {
    layers.explain(text).is_some_and(|explained| begins_table(explained.text.trim()))
}

/// Whether formats explain a line of their run. A packet that they leave nothing of stands
/// plainly, and a prompt behind a mark is one, unless it may be a packet's bytes.
fn explains(layers: &Layers, text: &str, above: &Above) -> bool {
    layers.explain(text).is_some_and(|explained| {
        above.has_characters()
            || explained.text.starts_with(char::is_whitespace)
            || is_printed(explained.text)
            || (layers.names() == Names::Numbers && is_sure_prompt(explained.text))
            || !(is_timed_packet(text)
                || (layers.names() <= Names::Numbers && find_prompt(text).is_some()))
    })
}

/// Whether a second line shows that formats are those of a run: it is of the same source, or
/// a packet too.
fn goes_on(layers: &Layers, lines: &[(u64, String)], text: &str) -> bool {
    let Some(next) = layers.explain(text) else { return false };
    let first = lines.first().and_then(|(_, text)| layers.explain(text));
    is_printed(next.text) || first.is_some_and(|first| first.source == next.source)
}
