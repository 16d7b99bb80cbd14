//! What a run proves, as packets: each question, and what came back.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::end::End;
use super::{ComplaintRun, Program, Sink, Told};
use crate::ingest::{Event, NamedPacket};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Application, Content, Datagram, Packet, Transaction, TransactionRole};
use crate::model::time::Timestamp;

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
    /// One question to each server asked, then what came back. Frames are
    /// numbered by their lines: there are no packets to count.
    pub(super) fn hand_out_packets(&self, sink: Sink<'_>) {
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
