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

/// Complaints of one run that are kept: a run has a few tries.
const LIMIT_COMPLAINTS: usize = 1_000;

/// One run of one of the three programs.
#[derive(Debug, Default)]
pub struct DigRun {
    node: Option<String>,
    /// The line of the command, or the first one of what it printed.
    first_line: u64,
    complaints: Vec<Complaint>,
    /// An answer that was taken, its server and line.
    answer: Option<(Endpoint, u64)>,
    faults: Vec<Fault>,
    has_banner: bool,
}

/// An answer that was thrown away.
#[derive(Debug, Clone, Copy)]
struct Complaint {
    line: u64,
    source: Endpoint,
    asked: Endpoint,
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
                // A second one belongs to another run.
                if std::mem::replace(&mut self.has_banner, true) || !self.complaints.is_empty() {
                    return false;
                }
            }
            DigLine::Own => {}
            DigLine::Complaint { source, asked } => {
                if self.complaints.len() < LIMIT_COMPLAINTS {
                    self.complaints.push(Complaint { line, source, asked });
                }
            }
            DigLine::AnsweredBy(server) => {
                self.answer.get_or_insert((server, line));
            }
            DigLine::Unreadable => {
                if self.faults.len() < LIMIT_COMPLAINTS {
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
        if self.complaints.is_empty() {
            for fault in self.faults {
                sink(Event::Fault(fault));
            }
            return false;
        }
        sink(Event::CaptureBegins(CaptureHeader {
            format: CaptureFormat::Dig,
            clock: Clock::None,
            name: None,
            node: self.node.clone(),
            interface: None,
            line: Some(self.first_line),
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
        let mut asked: Vec<Endpoint> = Vec::new();
        for complaint in &self.complaints {
            let client = Endpoint::unknown(complaint.asked.address);
            if !asked.contains(&complaint.asked) {
                let line = if asked.is_empty() { self.first_line } else { complaint.line };
                asked.push(complaint.asked);
                let question = FlowKey::udp(client, complaint.asked);
                let datagram = self.message(question, complaint.asked, TransactionRole::Request);
                sink(Event::Packet(packet(line, Content::Datagram(datagram))));
            }
            let answer = FlowKey::udp(complaint.source, client);
            let datagram = self.message(answer, complaint.asked, TransactionRole::Reply);
            sink(Event::Packet(packet(complaint.line, Content::Discarded(datagram))));
        }
        if let Some((server, line)) = self.answer.filter(|(server, _)| asked.contains(server)) {
            let flow = FlowKey::udp(server, Endpoint::unknown(server.address));
            let datagram = self.message(flow, server, TransactionRole::Reply);
            sink(Event::Packet(packet(line, Content::Datagram(datagram))));
        }
    }

    /// A message of this run's one question to `asked`. That an answer belongs to
    /// it says the program: it looks at the source of what comes to its own socket.
    fn message(&self, flow: FlowKey, asked: Endpoint, role: TransactionRole) -> Datagram {
        let mut hasher = FxHasher::default();
        (self.first_line, self.node.as_deref(), asked).hash(&mut hasher);
        let label = match role {
            TransactionRole::Reply => "response",
            TransactionRole::Request | TransactionRole::Notification => "query",
        };
        Datagram {
            flow,
            length: 0,
            fingerprint: None,
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
    Packet {
        frame: line,
        at: Timestamp::EPOCH,
        interface: 0,
        kernel_interface: None,
        direction: None,
        ip_identification: None,
        tunnel: None,
        content,
    }
}

/// An address as BIND prints it: `192.0.2.1#53`, `fe80::1%eth0#53`.
fn find_endpoint(text: &str) -> Option<Endpoint> {
    let (address, port) = text.trim().split_once('#')?;
    let address: IpAddr = address.split('%').next()?.parse().ok()?;
    Some(Endpoint::new(address.to_canonical(), port.parse().ok()?))
}

#[cfg(test)]
mod tests;
