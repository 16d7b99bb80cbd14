//! Pasted text: a terminal session, an article around one, or bare tcpdump
//! lines.
//!
//! The text is split at its prompts. What `ip` and `kubectl` printed becomes an
//! inventory, each run of tcpdump a capture; prose between them is passed over.

mod announcement;
mod bare;
mod clean;
mod command;
mod inventory;
mod lines;
mod noise;
mod options;
mod prompt;
mod section;
mod shape;
mod tracked;
mod words;

use std::io::BufRead;

use super::Event;
use super::dig::DigRun;
use super::flow_events::FlowRun;
use super::hex_dump::{Caption, HexRun};
use super::netscreen::NetscreenRun;
use super::tcpdump_text::{Origin, Run};
use crate::model::input::{Fault, InputErrorKind, Place};
use announcement::{Announcement, find_announcement};
use bare::{Bare, find_bare};
use command::{CommandKind, Host, read_command};
use inventory::Inventory;
use lines::{LIMIT_LINE_BYTES, Line};
use noise::{find_captured, is_noise};
use prompt::{Prompt, find_prompt};
use section::Section;

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
        has_content: false,
        runs: 0,
        failures: 0,
        is_full: false,
        open_line: None,
        broken_line: None,
        caption: Caption::default(),
    };
    let mut line = Line::default();
    loop {
        match line.read(input) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                splitter.close(sink);
                return Err(InputErrorKind::Read(error));
            }
        }
        if line.is_cut {
            let message = format!("is longer than {LIMIT_LINE_BYTES} bytes; the rest is left out");
            sink(Event::Fault(Fault { place: Place::Line(line.number), message }));
        }
        splitter.push(line.number, &clean::clean(&line.text()), sink);
    }
    splitter.close(sink);
    if splitter.has_content {
        Ok(())
    } else {
        Err(InputErrorKind::NoPackets { lines: line.number })
    }
}

struct Splitter {
    section: Section,
    has_content: bool,
    /// Runs that ended.
    runs: usize,
    /// Lines of a server's log that were handed out.
    failures: usize,
    /// Whether it was told that there are too many.
    is_full: bool,
    /// The last line of a packet, if it may go on where a window or a mail ended it.
    open_line: Option<u64>,
    /// A line behind such a one that is no packet's, and ended the run.
    broken_line: Option<u64>,
    /// What the last line of prose says, if a dump follows on it.
    caption: Caption,
}

impl Splitter {
    fn push(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        if self.runs >= LIMIT_RUNS {
            self.refuse(line, sink);
            return;
        }
        if self.section.push_sure(line, text, sink) {
            return;
        }
        if let Some(prompt) = find_prompt(text) {
            self.close(sink);
            self.section = open_command(line, &prompt);
            return;
        }
        if let Section::Inventory(inventory) = &mut self.section {
            if inventory.push(line, text) {
                self.has_content |= inventory.hand_out_part(text, sink);
                return;
            }
            self.close(sink);
        }
        if let Section::Dig(run) = &mut self.section {
            if run.push(line, text) {
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
        if let Some(announcement) = find_announcement(text) {
            self.announce(line, &announcement, sink);
            return;
        }
        if let Section::Run { run, saw_none, .. } = &mut self.section {
            if is_noise(text) {
                run.note_gap();
                *saw_none |= find_captured(text) == Some(0);
                return;
            }
            if run.push(line, text, sink) {
                self.has_content = true;
                self.open_line = may_go_on(text).then_some(line);
                return;
            }
            self.broken_line = self.open_line.map(|open| open + 1).filter(|next| *next == line);
            self.close(sink);
        }
        self.open_bare(line, text, sink);
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

    /// What begins without a command ends what is open; other lines do not, so
    /// that text may stand between frames.
    fn open_bare(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        let Some(bare) = find_bare(text) else {
            self.caption = Caption::read(text).unwrap_or(self.caption);
            return;
        };
        let caption = std::mem::take(&mut self.caption);
        if let Bare::Failure(failure) = bare {
            self.has_content = true;
            if self.failures < LIMIT_FAILURES {
                self.failures += 1;
                sink(Event::ServerLog(failure));
            }
            return;
        }
        self.close(sink);
        self.section = match bare {
            Bare::Failure(_) => Section::Prose,
            Bare::Netscreen => {
                let mut run = NetscreenRun::new(line);
                self.has_content |= run.push(line, text, sink);
                Section::Netscreen(Box::new(run))
            }
            Bare::Packet => self.open_packets(line, text, sink),
            Bare::Flows(format) => {
                let mut run = FlowRun::new(format, None, line);
                run.push(line, text, sink);
                Section::Flows(Box::new(run))
            }
            Bare::Inventory(shape) => {
                let mut inventory = Inventory::new("", None, shape);
                inventory.push(line, text);
                Section::Inventory(Box::new(inventory))
            }
            Bare::Dig => {
                let mut run = DigRun::new(None, line);
                run.push(line, text);
                Section::Dig(Box::new(run))
            }
            Bare::HexDumps => {
                let mut run = HexRun::new(line, caption);
                run.push(text, sink);
                Section::HexDumps(Box::new(run))
            }
        };
    }

    fn open_packets(&mut self, line: u64, text: &str, sink: Sink<'_>) -> Section {
        let mut run = Run::new(Origin { line, ..Origin::default() });
        self.has_content |= run.push(line, text, sink);
        self.open_line = may_go_on(text).then_some(line);
        if let Some(broken) = self.broken_line.take().filter(|broken| broken + 1 == line) {
            let message = "stands between two packets and is none: what is before and behind it is taken for two captures; if it is the rest of a line, paste the lines unbroken";
            let place = Place::Line(broken);
            sink(Event::Fault(Fault { place, message: message.to_owned() }));
        }
        Section::Run { run: Box::new(run), saw_none: false, is_announced: false }
    }

    /// `listening on …` completes the command before it, or begins a run.
    fn announce(&mut self, line: u64, announcement: &Announcement<'_>, sink: Sink<'_>) {
        let is_new = match &self.section {
            Section::Run { run, is_announced, .. } => run.has_packets() || *is_announced,
            Section::Prose
            | Section::Inventory(_)
            | Section::Dig(_)
            | Section::Flows(_)
            | Section::Netscreen(_)
            | Section::HexDumps(_) => true,
        };
        if is_new {
            self.close(sink);
            let run = Box::new(Run::new(Origin { line, ..Origin::default() }));
            self.section = Section::Run { run, saw_none: false, is_announced: false };
        }
        if let Section::Run { run, is_announced, .. } = &mut self.section {
            *is_announced = true;
            let origin = run.origin_mut();
            if let Some(interface) = announcement.interface {
                origin.interface = Some(interface.to_owned());
            }
            origin.link_type = announcement.link_type.or(origin.link_type);
        }
    }

    /// Ends what is open and hands out what it still holds.
    fn close(&mut self, sink: Sink<'_>) {
        let ended = std::mem::replace(&mut self.section, Section::Prose).finish(sink);
        self.runs += usize::from(ended.is_run);
        self.has_content |= ended.has_content;
    }
}

/// Whether a line may have been broken at its end: it is long, and does not end
/// as packet lines do, with a length or a bracket.
fn may_go_on(text: &str) -> bool {
    /// Nobody breaks lines that are shorter.
    const SHORTEST: usize = 60;
    let text = text.trim_end();
    text.len() >= SHORTEST && !text.ends_with(|end: char| end.is_ascii_digit() || end == ')')
}

fn open_command(line: u64, prompt: &Prompt<'_>) -> Section {
    let command = read_command(prompt.command);
    let node = match command.host {
        Host::OfPrompt => prompt.node.map(str::to_owned),
        Host::Named(host) => Some(host),
        Host::Unknown => None,
    };
    match command.kind {
        CommandKind::Tcpdump(origin) => {
            let run = Box::new(Run::new(Origin { node, line, ..origin }));
            Section::Run { run, saw_none: false, is_announced: false }
        }
        CommandKind::Inventory(shape) => {
            Section::Inventory(Box::new(Inventory::new(prompt.command, node, shape)))
        }
        CommandKind::Dig => Section::Dig(Box::new(DigRun::new(node, line))),
        CommandKind::Other => Section::Prose,
    }
}

#[cfg(test)]
mod tests;
