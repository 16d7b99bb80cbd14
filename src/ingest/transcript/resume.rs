//! Runs of tcpdump with comments between their packets, as people write them into
//! forum posts and issues.

use super::bare::find_bare;
use super::heading::names_place;
use super::noise::find_captured;
use super::section::Section;
use super::{Sink, Splitter};
use crate::ingest::Event;
use crate::ingest::tcpdump_text::{Resumption, looks_like_packet};
use crate::model::input::{Fault, Place};

const SPLITS: &str = "stands between two packets and is none: what is before and behind it is taken for two captures; if it is the rest of a line, paste the lines unbroken";

/// A run behind which prose came.
pub(super) struct Paused {
    section: Section,
    /// The first line of the prose, counted from 1.
    line: u64,
    lines: u32,
    /// The prose says where what follows was captured.
    names_place: bool,
}

impl Paused {
    /// Pauses a run at a line that is none of its own.
    ///
    /// # Errors
    ///
    /// The section itself, where something else begins with the line, or the run is over.
    pub fn find(section: Section, line: u64, text: &str) -> Result<Self, Section> {
        let is_open = match &section {
            Section::Run { run, state } => run.has_packets() && !state.has_ended,
            _ => false,
        };
        if !is_open || find_bare(text).is_some() {
            return Err(section);
        }
        Ok(Self { section, line, lines: 1, names_place: names_place(text) })
    }

    /// The first line that was none of the run's.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Takes a further line of prose.
    pub fn note(&mut self, text: &str) {
        self.lines = self.lines.saturating_add(1);
        self.names_place |= names_place(text);
    }

    /// Whether the run goes on with a packet.
    pub fn may_resume(&self, text: &str) -> bool {
        let is_copied = match &self.section {
            Section::Run { state, .. } => state.last.hold_copy_of(text),
            _ => false,
        };
        self.resumption(text) == Some(Resumption::Later) && !self.names_place && !is_copied
    }

    /// What to say where a packet of the same run is taken for one of another.
    pub fn find_complaint(&self, text: &str) -> Option<&'static str> {
        let may_be_same = match self.resumption(text)? {
            Resumption::Later | Resumption::Elsewhere => false,
            Resumption::Unknown => true,
        };
        (may_be_same && self.lines == 1 && !self.names_place).then_some(SPLITS)
    }

    fn resumption(&self, text: &str) -> Option<Resumption> {
        match &self.section {
            Section::Run { run, .. } => Some(run.find_resumption(text)),
            _ => None,
        }
    }

    /// The run.
    pub const fn section(&self) -> &Section {
        &self.section
    }

    pub fn into_section(self) -> Section {
        self.section
    }
}

impl Splitter {
    /// Prose between packets need not end their run.
    pub(super) fn pause(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        let section = std::mem::replace(&mut self.section, Section::Prose);
        match Paused::find(section, line, text) {
            Ok(paused) => self.paused = Some(paused),
            Err(section) => {
                self.section = section;
                self.close(sink);
            }
        }
    }

    /// Whether a line goes on with the run that prose interrupted.
    pub(super) fn resumes(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        let Some(paused) = &mut self.paused else { return false };
        if find_captured(text).is_some() {
            self.close(sink);
            return false;
        }
        if !looks_like_packet(text) {
            paused.note(text);
            return false;
        }
        if let Some(message) = paused.find_complaint(text) {
            let place = Place::Line(paused.line());
            sink(Event::Fault(Fault { place, message: message.to_owned() }));
        }
        if !paused.may_resume(text) {
            return false;
        }
        let Some(paused) = self.paused.take() else { return false };
        self.section = paused.into_section();
        self.push_to_run(line, text, sink)
    }
}
