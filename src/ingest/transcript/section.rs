//! What the lines of a text belong to at the moment.

use super::Sink;
use super::inventory::Inventory;
use super::last_packets::LastPackets;
use super::prompt::Prompt;

use crate::ingest::complaint::ComplaintRun;
use crate::ingest::flow_events::FlowRun;
use crate::ingest::hex_dump::HexRun;
use crate::ingest::netfilter_log::NetfilterRun;
use crate::ingest::netscreen::NetscreenRun;
use crate::ingest::tcpdump_text::Run;

/// A part of the text that is read as one.
pub(super) enum Section {
    Prose,
    Run { run: Box<Run>, state: Box<RunState> },
    Inventory(Box<Inventory>),
    Complaint(Box<ComplaintRun>),
    Flows(Box<FlowRun>),
    Netscreen(Box<NetscreenRun>),
    Netfilter(Box<NetfilterRun>),
    HexDumps(Box<HexRun>),
}

/// What is known of a run beside its packets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RunState {
    /// tcpdump says that it captured nothing.
    pub saw_none: bool,
    /// tcpdump was stopped, or has said how much it captured.
    pub has_ended: bool,
    /// tcpdump has said where it listens.
    pub is_announced: bool,
    /// Another program's lines stand behind the last packet.
    pub is_interrupted: bool,
    /// Lines of no known kind before the first packet.
    pub lines_before: u32,
    /// Tell where a run that prose interrupts goes on.
    pub last: LastPackets,
}

/// What a part turned out to be at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// It became a capture.
    pub is_run: bool,
    pub has_content: bool,
}

impl Section {
    /// Takes a line that can be nothing else, whatever it looks like: the bytes of
    /// a packet, shown as characters, may look like a prompt.
    pub fn push_sure(&mut self, line: u64, text: &str, sink: Sink<'_>) -> bool {
        match self {
            Self::Run { run, .. } => !run.is_inside_characters() && run.push_dump(text),
            Self::Netscreen(run) => run.push(line, text, sink),
            Self::HexDumps(run) => run.push(text, sink),
            Self::Prose
            | Self::Inventory(_)
            | Self::Complaint(_)
            | Self::Flows(_)
            | Self::Netfilter(_) => false,
        }
    }

    /// Whether the next line may be a prompt's. The bytes of a packet, shown as
    /// characters, may well look like one: `# ip address of the switch`.
    pub fn may_prompt(&self, prompt: &Prompt<'_>) -> bool {
        match self {
            Self::Run { run, .. } if run.has_characters() && !prompt.names_user => {
                !run.is_inside_characters() && prompt.is_about_networks()
            }
            _ => true,
        }
    }

    /// Whether nothing came yet of what a command prints: ssh and kubectl may first
    /// say something of their own.
    pub fn waits(&mut self) -> bool {
        /// A banner is longer than that only where nothing else follows.
        const LIMIT_LINES: u32 = 30;
        match self {
            Self::Run { run, state } if !run.has_packets() => {
                state.lines_before = state.lines_before.saturating_add(1);
                state.lines_before <= LIMIT_LINES
            }
            Self::Inventory(inventory) => inventory.skip_before(LIMIT_LINES),
            _ => false,
        }
    }

    /// Ends the part and hands out what it still holds.
    pub fn finish(self, sink: Sink<'_>) -> Ended {
        let is_run = match self {
            Self::Prose => false,
            Self::Inventory(inventory) => {
                return Ended { is_run: false, has_content: inventory.finish(sink) };
            }
            Self::Run { run, state } => {
                let saw_none = state.saw_none;
                let has_packets = run.has_packets();
                if !has_packets && saw_none {
                    run.finish_empty(sink);
                } else {
                    run.finish(sink);
                }
                // That its packets are content was told as they came. That nothing came is
                // the proof of a request that was lost on the way.
                let has_content = saw_none && !has_packets;
                return Ended { is_run: has_packets || saw_none, has_content };
            }
            Self::Flows(run) => run.finish(sink),
            Self::Complaint(run) => run.finish(sink),
            Self::Netfilter(run) => run.finish(sink),
            Self::HexDumps(run) => run.finish(sink),
            Self::Netscreen(run) => {
                run.finish(sink);
                true
            }
        };
        Ended { is_run, has_content: is_run }
    }
}
