//! What `dig`, `nslookup` and `host` say of an answer that they threw away:
//! `;; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53`.
//!
//! One such line tells whom they asked, who answered, and that the answer did
//! not count; only who asked is not in it. All three programs share BIND's
//! `dighost.c`, which prints the line and goes on waiting.

mod line;

use std::net::IpAddr;

use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

use crate::ingest::{CaptureHeader, Event, InterfaceHeader};
use crate::model::capture::{CaptureFormat, Clock};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::input::{Fault, Place};
use crate::model::packet::{Application, Content, Datagram, Packet, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
use line::{DigLine, read_line};

pub use line::begins_run;

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

/// Complaints and answers of one run that are kept: a run has a few tries.
const LIMIT_TOLD: usize = 1_000;

/// One run of one of the three programs.
#[derive(Debug, Default)]
pub struct DigRun {
    node: Option<String>,
    /// The line of the command, or the first one of what it printed.
    first_line: u64,
    /// From the first complaint on: what was answered before is not about it.
    told: Vec<Told>,
    faults: Vec<Fault>,
    has_banner: bool,
}

/// What one line says of an answer.
#[derive(Debug, Clone, Copy)]
enum Told {
    ThrownAway {
        line: u64,
        source: Endpoint,
        asked: Endpoint,
    },
    /// `is_told_always`: the program says so of each answer.
    Taken {
        line: u64,
        server: Endpoint,
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
    asked: Vec<Endpoint>,
    is_answered: bool,
    /// The program would say so if it were answered again.
    is_over: bool,
}

impl DigRun {
    /// A run that begins at `first_line`, on the host that the prompt names.
    #[must_use]
    pub fn new(node: Option<String>, first_line: u64) -> Self {
        Self { node, first_line, ..Self::default() }
    }

    /// Takes the next line; says whether the program would print it.
    pub fn push(&mut self, line: u64, text: &str) -> bool {
        match read_line(text) {
            DigLine::Foreign => return false,
            DigLine::Banner => {
                // dig prints it with the first answer that it takes, or as it gives up, so
                // behind its complaints. A second one that nothing was complained of before
                // belongs to another run.
                let is_second = std::mem::replace(&mut self.has_banner, true);
                if is_second && !self.told.last().is_some_and(Told::is_complaint) {
                    return false;
                }
            }
            DigLine::Own => {}
            DigLine::GivenUp => {
                if (1..LIMIT_TOLD).contains(&self.told.len()) {
                    self.told.push(Told::GivenUp);
                }
            }
            DigLine::Complaint { source, asked } => {
                if self.told.len() < LIMIT_TOLD {
                    self.told.push(Told::ThrownAway { line, source, asked });
                }
            }
            DigLine::Answered { server, is_told_always } => {
                if (1..LIMIT_TOLD).contains(&self.told.len()) {
                    self.told.push(Told::Taken { line, server, is_told_always });
                }
            }
            DigLine::Unreadable => {
                if self.faults.len() < LIMIT_TOLD {
                    let message =
                        "tells of a reply from an unexpected source, but not both as ADDRESS#PORT"
                            .to_owned();
                    self.faults.push(Fault { place: Place::Line(line), message });
                }
            }
        }
        true
    }

    /// Hands out what the run proves; says whether that was anything. A run
    /// without complaints proves nothing about addresses.
    pub fn finish(self, sink: Sink<'_>) -> bool {
        if self.told.is_empty() {
            for fault in self.faults {
                sink(Event::Fault(fault));
            }
            return false;
        }
        sink(Event::CaptureBegins(CaptureHeader {
            node: self.node.clone(),
            line: Some(self.first_line),
            ..CaptureHeader::of(CaptureFormat::Dig, Clock::None)
        }));
        sink(Event::Interface(InterfaceHeader { index: 0, name: None, link_type: None }));
        for fault in &self.faults {
            sink(Event::Fault(fault.clone()));
        }
        self.hand_out_packets(sink);
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
            match *told {
                Told::ThrownAway { line, source, asked } => {
                    if question.is_over {
                        question = Question { index: question.index + 1, ..Question::default() };
                    }
                    let client = Endpoint::unknown(asked.address);
                    if !question.asked.contains(&asked) {
                        question.asked.push(asked);
                        let flow = FlowKey::udp(client, asked);
                        let datagram =
                            self.message(&question, asked, flow, TransactionRole::Request);
                        let at = asked_at.take().unwrap_or(line);
                        sink(Event::Packet(packet(at, Content::Datagram(datagram))));
                    }
                    let flow = FlowKey::udp(source, client);
                    let datagram = self.message(&question, asked, flow, TransactionRole::Reply);
                    sink(Event::Packet(packet(line, Content::Discarded(datagram))));
                }
                Told::GivenUp => question.is_over = true,
                Told::Taken { line, server, is_told_always } => {
                    question.is_over |= is_told_always;
                    let is_first = !std::mem::replace(&mut question.is_answered, true);
                    if is_first && question.asked.contains(&server) {
                        let flow = FlowKey::udp(server, Endpoint::unknown(server.address));
                        let datagram =
                            self.message(&question, server, flow, TransactionRole::Reply);
                        sink(Event::Packet(packet(line, Content::Datagram(datagram))));
                    }
                }
            }
        }
    }

    /// A message of one question of this run to `asked`. That an answer belongs to
    /// it says the program: it looks at the source of what comes to its own socket.
    fn message(
        &self,
        question: &Question,
        asked: Endpoint,
        flow: FlowKey,
        role: TransactionRole,
    ) -> Datagram {
        let mut hasher = FxHasher::default();
        (self.first_line, self.node.as_deref(), question.index, asked).hash(&mut hasher);
        let label = match role {
            TransactionRole::Reply => "response",
            TransactionRole::Request | TransactionRole::Notification | TransactionRole::Unread => {
                "query"
            }
        };
        Datagram {
            flow,
            length: 0,
            fingerprint: None,
            is_cut: false,
            application: Application::Transaction(Transaction {
                protocol: Protocol::Dns,
                role,
                identity: hasher.finish(),
                question: None,
                label,
                reply_to: None,
            }),
        }
    }
}

fn packet(line: u64, content: Content) -> Packet {
    Packet::without_headers(line, Timestamp::EPOCH, 0, content)
}

/// An address as BIND prints it: `192.0.2.1#53`, `fe80::1%eth0#53`.
fn find_endpoint(text: &str) -> Option<Endpoint> {
    let (address, port) = text.trim().split_once('#')?;
    let address: IpAddr = address.split('%').next()?.parse().ok()?;
    Some(Endpoint::new(address.to_canonical(), port.parse().ok()?))
}

#[cfg(test)]
mod tests;
