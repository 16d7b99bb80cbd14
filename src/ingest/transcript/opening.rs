//! How a part of the text begins where no command says it.

use super::announcement::Announcement;
use super::bare::{Bare, find_bare};
use super::inventory::Inventory;
use super::section::{RunState, Section};
use super::{Sink, Splitter};
use crate::ingest::complaint::ComplaintRun;
use crate::ingest::flow_events::FlowRun;
use crate::ingest::hex_dump::{Caption, HexRun};
use crate::ingest::netfilter_log::NetfilterRun;
use crate::ingest::netscreen::NetscreenRun;
use crate::ingest::tcpdump_text::{Origin, Run};

impl Splitter {
    /// What begins without a command ends what is open; other lines do not, so
    /// that text may stand between frames.
    pub(super) fn open_bare(&mut self, line: u64, text: &str, sink: Sink<'_>) {
        let Some(bare) = find_bare(text) else {
            self.caption = Caption::read(text).unwrap_or(self.caption);
            return;
        };
        let caption = std::mem::take(&mut self.caption);
        if bare == Bare::Failure {
            self.tell_failure(text, sink);
            return;
        }
        self.close(sink);
        self.section = match bare {
            Bare::Failure => Section::Prose,
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
            Bare::Complaint(program) => {
                let mut run = ComplaintRun::new(program, None, line);
                run.push(line, text);
                Section::Complaint(Box::new(run))
            }
            Bare::Netfilter => {
                let mut run = NetfilterRun::new(line);
                run.push(line, text, sink);
                Section::Netfilter(Box::new(run))
            }
            Bare::HexDumps => {
                let mut run = HexRun::new(line, caption);
                run.push(text, sink);
                Section::HexDumps(Box::new(run))
            }
        };
    }

    fn open_packets(&mut self, line: u64, text: &str, sink: Sink<'_>) -> Section {
        let mut run = Run::new(Origin { line, node: self.node.take(), ..Origin::default() });
        self.has_content |= run.push(line, text, sink);
        let mut state = Box::<RunState>::default();
        state.last.note(text);
        Section::Run { run: Box::new(run), state }
    }

    /// `listening on …` completes the command before it, or begins a run.
    pub(super) fn announce(&mut self, line: u64, announcement: &Announcement<'_>, sink: Sink<'_>) {
        let is_new = match &self.section {
            Section::Run { run, state } => run.has_packets() || state.is_announced,
            Section::Prose
            | Section::Inventory(_)
            | Section::Complaint(_)
            | Section::Flows(_)
            | Section::Netscreen(_)
            | Section::Netfilter(_)
            | Section::HexDumps(_) => true,
        };
        if is_new {
            self.close(sink);
            let run = Box::new(Run::new(Origin { line, ..Origin::default() }));
            self.section = Section::Run { run, state: Box::default() };
        }
        if let Section::Run { run, state } = &mut self.section {
            state.is_announced = true;
            let origin = run.origin_mut();
            if let Some(interface) = announcement.interface {
                origin.interface = Some(interface.to_owned());
            }
            origin.link_type = announcement.link_type.or(origin.link_type);
        }
    }
}
