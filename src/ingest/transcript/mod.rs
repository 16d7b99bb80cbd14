//! Pasted text: a terminal session, an article around one, or bare tcpdump
//! lines.
//!
//! The text is split at its prompts. What `ip` and `kubectl` printed becomes an
//! inventory, each run of tcpdump a capture; prose between them is passed over.

mod announcement;
mod bare;
mod clean;
mod command;
mod filter;
mod heading;
mod inventory;
mod known_commands;
mod last_packets;
mod lines;
mod logs;
mod noise;
mod opening;
mod options;
mod prompt;
mod quoting;
mod repair;
mod resume;
mod section;
mod selection;
mod session;
mod shape;
mod tracked;
mod words;

use std::io::BufRead;

use super::Event;
use super::hex_dump::Caption;
use super::netfilter_log::begins_log;
use super::server_log::find_failure;
use crate::model::capture::CaptureFormat;
use crate::model::input::{Fault, InputErrorKind, Place};
use announcement::find_announcement;
use bare::{Bare, find_bare};
use lines::{LIMIT_LINE_BYTES, Line};
use logs::is_log_line;
use noise::{find_captured, is_noise};
use prompt::find_prompt;
use quoting::Quoting;
use repair::{Repair, Repaired};
use resume::Paused;
use section::Section;
use session::Session;

/// Runs of one text. Each becomes a capture, which costs much more than its
/// lines: a text that changes between packets and prose must not exhaust us.
const LIMIT_RUNS: usize = 500;

/// Failures of one server's log that are told.
const LIMIT_FAILURES: usize = 20;

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Reads pasted text to its end.
///
/// # Errors
///
/// Where the text holds neither a tcpdump line nor a fact about addresses, or
/// where `input` fails.
pub fn read_text(
    input: &mut dyn BufRead,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let mut splitter = Splitter {
        section: Section::Prose,
        session: Session::default(),
        has_content: false,
        runs: 0,
        failures: 0,
        is_full: false,
        paused: None,
        node: None,
        caption: Caption::default(),
        unread: 0,
        first_unread: None,
    };
    let mut repair = Repair::default();
    let mut quoting = Quoting::default();
    let mut line = Line::default();
    loop {
        match line.read(input) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                repair.finish(&mut |done| splitter.take(done, sink));
                splitter.close(sink);
                return Err(InputErrorKind::Read(error));
            }
        }
        if line.is_cut {
            let message = format!("is longer than {LIMIT_LINE_BYTES} bytes; the rest is left out");
            sink(Event::Fault(Fault { place: Place::Line(line.number), message }));
        }
        let text = line.text();
        let cleaned = clean::clean(&text);
        let unquoted = quoting.remove(&cleaned);
        repair.push(line.number, unquoted, &mut |done| splitter.take(done, sink));
    }
    repair.finish(&mut |done| splitter.take(done, sink));
    splitter.close(sink);
    match splitter.first_unread {
        _ if splitter.has_content => Ok(()),
        Some(first) => Err(InputErrorKind::UnreadPackets { first }),
        None => Err(InputErrorKind::NoPackets { lines: line.number }),
    }
}

struct Splitter {
    section: Section,
    session: Session,
    has_content: bool,
    /// Runs that ended.
    runs: usize,
    /// Lines of a server's log that were handed out.
    failures: usize,
    /// Whether it was told that there are too many.
    is_full: bool,
    /// A run of tcpdump behind which prose came: it may go on.
    paused: Option<Paused>,
    /// The host that a log collector names before the line.
    node: Option<String>,
    /// What the last line of prose says, if a dump follows on it.
    caption: Caption,
    /// Packets that were not read, until there is a capture to say it of.
    unread: u64,
    /// What was said of the first of them, or of what a section could not read.
    first_unread: Option<String>,
}

impl Splitter {
    fn take(&mut self, repaired: Repaired, sink: Sink<'_>) {
        match repaired {
            Repaired::Line(line) => {
                self.node = line.node;
                self.push(line.number, &line.text, sink);
                self.hand_out_unread(sink);
            }
            Repaired::NextSource => self.close(sink),
            Repaired::OtherProgram(text) => self.tell_failure(&text, sink),
            Repaired::Unread { packets, fault } => {
                self.unread = self.unread.saturating_add(packets);
                self.hand_out_unread(sink);
                if let Some(fault) = fault {
                    self.first_unread.get_or_insert_with(|| fault.to_string());
                    sink(Event::Fault(fault));
                }
            }
            Repaired::Fault(fault) => sink(Event::Fault(fault)),
        }
    }

    /// Tells the capture that is open, or the next one, of packets that were not read: their
    /// lack proves no silence.
    fn hand_out_unread(&mut self, sink: Sink<'_>) {
        /// More say nothing more.
        const LIMIT: u64 = 1_000;
        if self.unread == 0 {
            return;
        }
        let paused = self.paused.as_ref().map(Paused::section);
        let has_begun = [Some(&self.section), paused]
            .into_iter()
            .flatten()
            .any(|section| matches!(section, Section::Run { run, .. } if run.has_begun()));
        if has_begun {
            for _ in 0..std::mem::take(&mut self.unread).min(LIMIT) {
                sink(Event::Unread { interface: 0 });
            }
        }
    }

    fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        if self.runs + usize::from(self.paused.is_some()) >= LIMIT_RUNS {
            self.refuse(line, sink);
            return;
        }
        if self.section.push_sure(line, text, sink) {
            return;
        }
        if let Some(section) = self.session.find_continued(text) {
            self.section = section;
            return;
        }
        let prompt = find_prompt(text).filter(|prompt| self.section.may_prompt(prompt));
        if let Some(prompt) = prompt {
            self.close(sink);
            self.section = self.session.open_prompt(line, &prompt);
            return;
        }
        if let Section::Inventory(inventory) = &mut self.section {
            if inventory.push(line, text) {
                self.has_content |= inventory.hand_out_part(text, sink);
                if let Some(format) = inventory.find_flows() {
                    self.open_flows(format, sink);
                }
                return;
            }
            if is_nothing(text) && self.section.waits() {
                return;
            }
            self.close(sink);
        }
        if let Section::Complaint(run) = &mut self.section {
            if (!run.is_log() || is_of_programs(text)) && run.push(line, text) {
                return;
            }
            self.close(sink);
        }
        if let Section::Flows(run) = &mut self.section {
            if run.push(line, text, sink) || is_noise(text) {
                return;
            }
            self.close(sink);
        }
        if let Section::Netfilter(run) = &mut self.section {
            if run.push(line, text, sink) || is_noise(text) {
                return;
            }
            // The kernel logs more than packets.
            if is_log_line(text) && is_nothing(text) {
                self.tell_failure(text, sink);
                return;
            }
            self.close(sink);
        }
        if let Some(announcement) = find_announcement(text) {
            self.announce(line, &announcement, sink);
            return;
        }
        if matches!(self.section, Section::Run { .. }) {
            if self.push_to_run(line, text, sink) || (is_nothing(text) && self.section.waits()) {
                return;
            }
            self.pause(line, text, sink);
        } else if self.resumes(line, text, sink) {
            return;
        }
        self.open_bare(line, text, sink);
    }

    /// What was taken for an inventory is flows in JSON.
    fn open_flows(&mut self, format: CaptureFormat, sink: Sink<'_>) {
        let section = std::mem::replace(&mut self.section, Section::Prose);
        self.section = match section {
            Section::Inventory(inventory) => Section::Flows(inventory.into_flows(format, sink)),
            other => other,
        };
    }

    /// Takes a line within a run of tcpdump; says whether the run goes on with it.
    fn push_to_run(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        let Section::Run { run, state } = &mut self.section else { return false };
        if is_noise(text) && !run.takes_characters(text) {
            run.note_gap(text);
            let captured = find_captured(text);
            state.has_ended |= captured.is_some() || text.trim_start().starts_with("^C");
            if captured.is_some() {
                run.note_end();
            }
            state.saw_none |= captured == Some(0);
            return true;
        }
        // Two captures of one exchange may stand one below the other.
        let may_be_another = state.is_interrupted || run.has_characters();
        if may_be_another && run.falls_back(text) {
            return false;
        }
        if run.push(line, text, sink) {
            self.has_content = true;
            state.last.note(text);
            return true;
        }
        if run.has_packets() && is_log_line(text) && !begins_log(text) {
            state.is_interrupted = true;
            self.tell_failure(text, sink);
            return true;
        }
        false
    }

    /// Tells what a server's log says of a failure.
    fn tell_failure(&mut self, text: &str, sink: Sink<'_>) {
        let Some(failure) = find_failure(text) else { return };
        self.has_content = true;
        if self.failures < LIMIT_FAILURES {
            self.failures += 1;
            sink(Event::ServerLog(failure));
        }
    }

    /// Says once that the rest of the text is left out.
    fn refuse(&mut self, line: u64, sink: Sink<'_>) {
        if !std::mem::replace(&mut self.is_full, true) {
            self.close(sink);
            let message = format!(
                "the text holds more than {LIMIT_RUNS} runs of tcpdump; from here on it is left out"
            );
            sink(Event::Fault(Fault { place: Place::Line(line), message }));
        }
    }

    /// Ends what is open and hands out what it still holds.
    fn close(&mut self, sink: Sink<'_>) {
        let section = std::mem::replace(&mut self.section, Section::Prose);
        let paused = self.paused.take().map(Paused::into_section);
        for section in paused.into_iter().chain([section]) {
            let first_unread = &mut self.first_unread;
            let ended = section.finish(&mut |event| {
                if let Event::Fault(fault) = &event {
                    first_unread.get_or_insert_with(|| fault.to_string());
                }
                sink(event);
            });
            self.runs += usize::from(ended.is_run);
            self.has_content |= ended.has_content;
        }
    }
}

/// Whether a line may be of a program's log: it begins nothing else that we read.
fn is_of_programs(text: &str) -> bool {
    matches!(find_bare(text), None | Some(Bare::Complaint(_) | Bare::Failure))
        && find_announcement(text).is_none()
}

/// Whether a line begins nothing that we read.
fn is_nothing(text: &str) -> bool {
    find_bare(text).is_none_or(|bare| bare == Bare::Failure) && find_announcement(text).is_none()
}

#[cfg(test)]
mod tests;
