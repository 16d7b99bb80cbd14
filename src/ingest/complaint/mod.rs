//! What programs say of an answer that they threw away: `dig`, `nslookup` and `host`
//! (`;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53`), and OpenVPN
//! (`Incoming packet rejected from …, expected peer address: …`).
//!
//! One such line tells whom they asked, who answered, and that the answer did
//! not count; only who asked is not in it. The first three share BIND's
//! `dighost.c`, which prints the line and goes on waiting; so does OpenVPN.

mod dig_line;
mod end;
mod line;
mod openvpn_line;

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::ingest::{CaptureHeader, Event, InterfaceHeader, NamedPacket};
use crate::model::capture::{CaptureFormat, Clock};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::input::{Fault, Place};
use crate::model::packet::{Application, Content, Datagram, Packet, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
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

/// What was handed out of one question.
#[derive(Debug, Default)]
struct Question {
    /// Counted from 0 within the run.
    index: u64,
    /// Each with its family.
    asked: Vec<(End, bool)>,
    is_answered: bool,
    /// The program would say so if it were answered again.
    is_over: bool,
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

    /// One question to each server asked, then what came back. Frames are
    /// numbered by their lines: there are no packets to count.
    fn hand_out_packets(&self, sink: Sink<'_>) {
        let mut question = Question::default();
        // The command asked the first server; a complaint alone tells of others.
        let mut asked_at = Some(self.first_line);
        for told in &self.told {
            match told {
                Told::ThrownAway { line, source, asked } => {
                    if question.is_over {
                        question = Question { index: question.index + 1, ..Question::default() };
                    }
                    // Both ends are of one family, of which a mask says nothing.
                    let is_ipv6 = source.is_ipv6().or_else(|| asked.is_ipv6()).unwrap_or(false);
                    let asked = (asked, is_ipv6);
                    self.ask(&mut question, asked, asked_at.take().unwrap_or(*line), sink);
                    let answer = Answer { line: *line, source, asked, is_taken: false };
                    self.hand_out_answer(&question, answer, sink);
                }
                Told::GivenUp => question.is_over = true,
                Told::Taken { line, server, is_told_always } => {
                    question.is_over |= is_told_always;
                    let is_first = !std::mem::replace(&mut question.is_answered, true);
                    if self.program == Program::Openvpn {
                        let asked = (server, server.is_ipv6().unwrap_or(false));
                        self.ask(&mut question, asked, asked_at.take().unwrap_or(*line), sink);
                    }
                    let known = question.asked.iter().find(|(asked, _)| asked == server);
                    if let Some((_, is_ipv6)) = known.filter(|_| is_first) {
                        let asked = (server, *is_ipv6);
                        let answer = Answer { line: *line, source: server, asked, is_taken: true };
                        self.hand_out_answer(&question, answer, sink);
                    }
                }
            }
        }
    }

    /// Hands out the question to `asked`, once.
    fn ask(
        &self,
        question: &mut Question,
        (asked, is_ipv6): (&End, bool),
        line: u64,
        sink: Sink<'_>,
    ) {
        if question.asked.iter().any(|(known, _)| known == asked) {
            return;
        }
        question.asked.push((asked.clone(), is_ipv6));
        let server = asked.endpoint(is_ipv6);
        let client = Endpoint::unknown(server.address);
        let flow = FlowKey::udp(client, server);
        let datagram = self.message(question, asked, flow, TransactionRole::Request);
        hand_out(line, Content::Datagram(datagram), (None, asked.name()), sink);
    }

    fn hand_out_answer(&self, question: &Question, answer: Answer<'_>, sink: Sink<'_>) {
        let Answer { line, source, asked: (asked, is_ipv6), is_taken } = answer;
        let from = source.endpoint(is_ipv6);
        let client = Endpoint::unknown(asked.endpoint(is_ipv6).address);
        let flow = FlowKey::udp(from, client);
        let datagram = self.message(question, asked, flow, TransactionRole::Reply);
        let content =
            if is_taken { Content::Datagram(datagram) } else { Content::Discarded(datagram) };
        hand_out(line, content, (source.name(), None), sink);
    }

    /// A message of one question of this run to `asked`. That an answer belongs to
    /// it says the program: it looks at the source of what comes to its own socket.
    fn message(
        &self,
        question: &Question,
        asked: &End,
        flow: FlowKey,
        role: TransactionRole,
    ) -> Datagram {
        let mut hasher = FxHasher::default();
        let name = asked.name();
        let address = name.is_none().then(|| asked.endpoint(false));
        (self.first_line, self.node.as_deref(), question.index, name, address, asked.port)
            .hash(&mut hasher);
        let (protocol, request, reply) = self.program.words();
        let label = match role {
            TransactionRole::Reply => reply,
            TransactionRole::Request | TransactionRole::Notification | TransactionRole::Unread => {
                request
            }
        };
        Datagram {
            flow,
            length: 0,
            fingerprint: None,
            is_cut: false,
            application: Application::Transaction(Transaction {
                protocol,
                role,
                identity: hasher.finish(),
                question: None,
                label,
                reply_to: None,
            }),
        }
    }
}

/// An answer of which a line tells.
#[derive(Debug, Clone, Copy)]
struct Answer<'a> {
    line: u64,
    source: &'a End,
    /// With its family.
    asked: (&'a End, bool),
    is_taken: bool,
}

fn hand_out(
    line: u64,
    content: Content,
    (source, destination): (Option<&str>, Option<&str>),
    sink: Sink<'_>,
) {
    let packet = Packet::without_headers(line, Timestamp::EPOCH, 0, content);
    if source.is_none() && destination.is_none() {
        sink(Event::Packet(packet));
        return;
    }
    let (source, destination) = (source.map(str::to_owned), destination.map(str::to_owned));
    let quoted = Vec::new();
    sink(Event::NamedPacket(NamedPacket {
        packet,
        line,
        source,
        destination,
        quoted,
        is_ipv6: None,
    }));
}

#[cfg(test)]
mod tests;
