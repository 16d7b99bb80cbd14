//! What the lines of a text belong to at the moment.

use super::Sink;
use super::inventory::Inventory;
use crate::ingest::dig::DigRun;
use crate::ingest::flow_events::FlowRun;
use crate::ingest::hex_dump::HexRun;
use crate::ingest::netscreen::NetscreenRun;
use crate::ingest::tcpdump_text::Run;

/// A part of the text that is read as one.
pub(super) enum Section {
    Prose,
    Run { run: Box<Run>, saw_none: bool, is_announced: bool },
    Inventory(Box<Inventory>),
    Dig(Box<DigRun>),
    Flows(Box<FlowRun>),
    Netscreen(Box<NetscreenRun>),
    HexDumps(Box<HexRun>),
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
            Self::Run { run, .. } => run.push_dump(text),
            Self::Netscreen(run) => run.push(line, text, sink),
            Self::HexDumps(run) => run.push(text, sink),
            Self::Prose | Self::Inventory(_) | Self::Dig(_) | Self::Flows(_) => false,
        }
    }

    /// Ends the part and hands out what it still holds.
    pub fn finish(self, sink: Sink<'_>) -> Ended {
        let is_run = match self {
            Self::Prose => false,
            Self::Inventory(inventory) => {
                return Ended { is_run: false, has_content: inventory.finish(sink) };
            }
            Self::Run { run, saw_none, .. } => {
                let has_packets = run.has_packets();
                if !has_packets && saw_none {
                    run.finish_empty(sink);
                } else {
                    run.finish(sink);
                }
                // That its packets are content was told as they came.
                return Ended { is_run: has_packets || saw_none, has_content: false };
            }
            Self::Flows(run) => run.finish(sink),
            Self::Dig(run) => run.finish(sink),
            Self::HexDumps(run) => run.finish(sink),
            Self::Netscreen(run) => {
                run.finish(sink);
                true
            }
        };
        Ended { is_run, has_content: is_run }
    }
}
