//! What programs say of an answer that they threw away: `dig`, `nslookup` and `host`
//! (`;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53`), and OpenVPN
//! (`Incoming packet rejected from …, expected peer address: …`).
//!
//! One such line tells whom they asked, who answered, and that the answer did
//! not count; only who asked is not in it. The first three share BIND's
//! `dighost.c`, which prints the line and goes on waiting; so does OpenVPN.

mod dig_line;
mod end;
mod hand_out;
mod line;
mod openvpn_line;

use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock};
use crate::model::input::{Fault, Place};
use crate::model::protocol::Protocol;
use end::End;
use line::{ComplaintLine, read_line};

pub use line::find_program;

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Complaints and answers of one run that are kept: a run has a few tries.
const LIMIT_TOLD: usize = 1_000;

const FROM_EARLIER: &str = "tells of a packet of a server that was asked before this one: it may be that server's late answer, so nothing is concluded from it";

/// What OpenVPN's manual says of the two ways out.
const OPENVPN_NOTE: &str = "OpenVPN's own advice: `multihome` in the server's configuration has it answer from the address that was asked; `float` in the client's lets it take answers from any";

/// Whose words a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `dig`, `nslookup` or `host`.
    Dig,
    Openvpn,
}

impl Program {
    const fn format(self) -> CaptureFormat {
        match self {
            Self::Dig => CaptureFormat::Dig,
            Self::Openvpn => CaptureFormat::OpenvpnLog,
        }
    }

    /// The protocol, and what the request and the answer are called.
    const fn words(self) -> (Protocol, &'static str, &'static str) {
        match self {
            Self::Dig => (Protocol::Dns, "query", "response"),
            Self::Openvpn => (Protocol::Udp, "OpenVPN packet", "OpenVPN packet"),
        }
    }
}

/// One run of one of the programs.
#[derive(Debug)]
pub struct ComplaintRun {
    program: Program,
    node: Option<String>,
    /// The line of the command, or the first one of what it printed.
    first_line: u64,
    /// Of dig from the first complaint on: what was answered before is not about it.
    told: Vec<Told>,
    faults: Vec<Fault>,
    has_banner: bool,
    /// Whom OpenVPN's log says that it asked, one after the other.
    servers: Vec<End>,
}

/// What one line says of an answer.
#[derive(Debug, Clone)]
enum Told {
    ThrownAway {
        line: u64,
        source: End,
        asked: End,
    },
    /// `is_told_always`: the program says so of each answer.
    Taken {
        line: u64,
        server: End,
        is_told_always: bool,
    },
    /// It waits no longer: what comes next is another question.
    GivenUp,
}

impl Told {
    const fn is_complaint(&self) -> bool {
        matches!(self, Self::ThrownAway { .. })
    }
}

impl ComplaintRun {
    /// A run that begins at `first_line`, on the host that the prompt names.
    #[must_use]
    pub const fn new(program: Program, node: Option<String>, first_line: u64) -> Self {
        Self {
            program,
            node,
            first_line,
            told: Vec::new(),
            faults: Vec::new(),
            has_banner: false,
            servers: Vec::new(),
        }
    }

    /// Takes the next line; says whether the program would print it.
    pub fn push(&mut self, line: u64, text: &str) -> bool {
        match read_line(self.program, text) {
            ComplaintLine::Foreign => return false,
            ComplaintLine::Banner => {
                // dig prints it with the first answer that it takes, or as it gives up, so
                // behind its complaints. A second one that nothing was complained of before
                // belongs to another run.
                let is_second = std::mem::replace(&mut self.has_banner, true);
                if is_second && !self.told.last().is_some_and(Told::is_complaint) {
                    return false;
                }
            }
            ComplaintLine::Own => {}
            ComplaintLine::GivenUp => self.tell(Told::GivenUp),
            ComplaintLine::Asks { server } => {
                self.servers.retain(|known| *known != server);
                if self.servers.len() < LIMIT_TOLD {
                    self.servers.push(server);
                }
            }
            ComplaintLine::Complaint { source, .. } if self.was_asked_before(&source) => {
                self.fault(line, FROM_EARLIER);
            }
            ComplaintLine::Complaint { source, asked } => {
                self.tell(Told::ThrownAway { line, source, asked });
            }
            ComplaintLine::Answered { server, is_told_always } => {
                self.tell(Told::Taken { line, server, is_told_always });
            }
            ComplaintLine::Unreadable(message) => self.fault(line, message),
        }
        true
    }

    /// Whether lines of other programs, too, may look like the run's: those of a log begin
    /// with a time alone.
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.program == Program::Openvpn
    }

    /// Whether an earlier server of OpenVPN's list is the sender: it may answer late.
    fn was_asked_before(&self, source: &End) -> bool {
        let earlier = self.servers.split_last().map(|(_, earlier)| earlier);
        earlier.is_some_and(|earlier| earlier.contains(source))
    }

    fn fault(&mut self, line: u64, message: &str) {
        if self.faults.len() < LIMIT_TOLD {
            let message = message.to_owned();
            self.faults.push(Fault { place: Place::Line(line), message });
        }
    }

    fn tell(&mut self, told: Told) {
        // OpenVPN's log is of one tunnel, which works if its peer answered at any time.
        let is_about_it = match told {
            Told::ThrownAway { .. } => true,
            Told::Taken { .. } => !self.told.is_empty() || self.program == Program::Openvpn,
            Told::GivenUp => !self.told.is_empty(),
        };
        if is_about_it && self.told.len() < LIMIT_TOLD {
            self.told.push(told);
        }
    }

    /// Hands out what the run proves; says whether that was anything. A run
    /// without complaints proves nothing about addresses.
    pub fn finish(self, sink: Sink<'_>) -> bool {
        if !self.told.iter().any(Told::is_complaint) {
            for fault in self.faults {
                sink(Event::Fault(fault));
            }
            return false;
        }
        sink(Event::CaptureBegins(CaptureHeader {
            node: self.node.clone(),
            line: Some(self.first_line),
            ..CaptureHeader::of(self.program.format(), Clock::None)
        }));
        sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type: None }));
        for fault in &self.faults {
            sink(Event::Fault(fault.clone()));
        }
        self.hand_out_packets(sink);
        if self.program == Program::Openvpn {
            sink(Event::Note(OPENVPN_NOTE.to_owned()));
        }
        sink(Event::CaptureEnds);
        true
    }
}

#[cfg(test)]
mod tests;
