//! TCP handshakes whose answer comes from somebody who was not asked, or that an
//! ICMP error ends.
//!
//! A SYN is kept until its answer comes, and forgotten soon then: that most do is why
//! ordinary TCP costs next to nothing. Only a SYN that somebody else answers, or that
//! is refused by ICMP, becomes an exchange. The acknowledged number says that it is
//! the answer.

mod refusals;

use std::collections::VecDeque;

use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use self::refusals::{LatestAnswers, MAX_LATEST};
use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::Origin;
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Content, Datagram, Packet, Transaction, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::segment::{Segment, SegmentKind};

/// SYNs that wait for an answer at once; the oldest is given up first.
const MAX_WAITING: usize = 8_192;
/// Exchanges followed at once, of those that somebody else answered.
const MAX_STRANGE: usize = 4_096;
/// Addresses one SYN goes to: before and after its translations.
const MAX_ASKED: usize = 4;
/// Repetitions of a SYN that are remembered while it waits.
const MAX_REPEATS: usize = 8;

const SYN: &str = "SYN";
const SYN_ACK: &str = "SYN-ACK";
const RESET: &str = "RST";

/// A client socket and the number that answers to its SYN acknowledge.
type Key = (Endpoint, u32);

/// The handshakes of one capture point.
#[derive(Debug, Default)]
pub struct Handshakes {
    waiting: HashMap<Key, Waiting>,
    /// Keys in the order of their SYNs; some are answered by now.
    order: VecDeque<Key>,
    strange: HashMap<Key, Strange>,
    /// Keys of `strange`, the latest last.
    latest_strange: VecDeque<Key>,
    answered: LatestAnswers,
}

/// A SYN without an answer yet.
#[derive(Debug)]
struct Waiting {
    /// More than one where a point sees it before and after translation.
    asked: SmallVec<[Endpoint; 1]>,
    frame: FrameRef,
    ip_identification: Option<u16>,
    /// Later SYNs to the address asked first, each with its IPv4 identification.
    repeats: Vec<(FrameRef, Option<u16>)>,
}

/// A handshake that somebody else answered, or that an ICMP error is about.
#[derive(Debug)]
struct Strange {
    asked: SmallVec<[Endpoint; 1]>,
    /// Who answered first.
    answerer: Option<Endpoint>,
    exchange: ExchangeIndex,
}

impl Handshakes {
    /// Takes a segment; `table` is that of this point, asked for only where the
    /// segment belongs to a handshake that somebody else answered.
    pub fn take<'t>(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        segment: Segment,
        table: impl FnOnce() -> &'t mut PointTable,
    ) {
        let FlowKey { source, destination, .. } = segment.flow;
        match segment.kind {
            SegmentKind::Syn { awaits } => {
                let key = (source, awaits);
                match self.strange.get(&key) {
                    Some(strange) if strange.asked.contains(&destination) => {
                        if let Some(record) = table().exchanges.get_mut(strange.exchange.position())
                        {
                            record.request(packet, frame, &syn(segment.flow, awaits));
                        }
                    }
                    Some(_) => {}
                    None => self.wait(key, destination, packet, frame),
                }
            }
            SegmentKind::SynAck { acknowledges } => {
                self.answer((destination, acknowledges), SYN_ACK, segment, packet, frame, table);
            }
            SegmentKind::Reset { sequence, acknowledges } => {
                let refused = self.strange.get(&(source, sequence));
                if let Some(strange) =
                    refused.filter(|strange| strange.answerer == Some(destination))
                {
                    if let Some(record) = table().exchanges.get_mut(strange.exchange.position()) {
                        record.details(frame.capture).refused(frame, segment.flow);
                    }
                } else if let Some(acknowledges) = acknowledges {
                    self.answer((destination, acknowledges), RESET, segment, packet, frame, table);
                }
            }
        }
    }

    fn wait(&mut self, key: Key, asked: Endpoint, packet: &Packet, frame: FrameRef) {
        if let Some(waiting) = self.waiting.get_mut(&key) {
            if waiting.asked.first() == Some(&asked) {
                if waiting.repeats.len() < MAX_REPEATS {
                    waiting.repeats.push((frame, packet.ip_identification));
                }
            } else if !waiting.asked.contains(&asked) && waiting.asked.len() < MAX_ASKED {
                waiting.asked.push(asked);
            }
            return;
        }
        while self.waiting.len() >= MAX_WAITING
            && let Some(oldest) = self.order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        if self.order.len() >= 2 * MAX_WAITING {
            let waiting = &self.waiting;
            self.order.retain(|key| waiting.contains_key(key));
        }
        let ip_identification = packet.ip_identification;
        let (asked, repeats) = (smallvec![asked], Vec::new());
        self.waiting.insert(key, Waiting { asked, frame, ip_identification, repeats });
        self.order.push_back(key);
    }

    fn answer<'t>(
        &mut self,
        key: Key,
        label: &'static str,
        segment: Segment,
        packet: &Packet,
        frame: FrameRef,
        table: impl FnOnce() -> &'t mut PointTable,
    ) {
        let source = segment.flow.source;
        let datagram = answer(segment.flow, key.1, label);
        if let Some(strange) = self.strange.get_mut(&key) {
            let exchange = strange.exchange;
            let is_asked = strange.asked.contains(&source);
            // After an ICMP error a reset says no once more; it does not make up for it.
            if is_asked && strange.answerer.is_none() && label == RESET {
                return;
            }
            // Where the SYN was seen translated, its answer is seen before it is translated
            // back, which is none yet.
            let is_before_translation = is_asked && strange.asked.first() != Some(&source);
            if is_before_translation && strange.answerer.is_some_and(|known| known != source) {
                return;
            }
            let answerer = *strange.answerer.get_or_insert(source);
            let table = table();
            if is_asked && !strange.asked.contains(&answerer) {
                // Who was asked answers as well: the other one was a copy of this
                // answer, seen before its translation.
                self.strange.remove(&key);
                table.discard(exchange);
            } else if let Some(record) = table.exchanges.get_mut(exchange.position()) {
                let origin = origin(source, &strange.asked);
                record.reply(packet, frame, &datagram, origin);
            }
            return;
        }
        let Some(waiting) = self.waiting.remove(&key) else {
            if label == SYN_ACK {
                self.answer_again(key, segment, packet, frame, table);
            }
            return;
        };
        if waiting.asked.contains(&source) {
            if label == SYN_ACK {
                self.answered.note(key, waiting, source, packet, frame);
            }
            return;
        }
        if self.strange.len() >= MAX_STRANGE {
            return;
        }
        let Some(mut record) = open(key, &waiting, packet) else { return };
        record.reply(packet, frame, &datagram, origin(source, &waiting.asked));
        self.adopt(key, waiting.asked, Some(source), record, table());
    }

    /// Takes a further answer to a SYN that was answered. Where a point saw the SYN before
    /// and after its translation, it sees the answer twice as well: what leaves with an
    /// address that was not asked is what the client gets, be it another or the pod's own.
    fn answer_again<'t>(
        &mut self,
        key: Key,
        segment: Segment,
        packet: &Packet,
        frame: FrameRef,
        table: impl FnOnce() -> &'t mut PointTable,
    ) {
        let source = segment.flow.source;
        if self.strange.len() >= MAX_STRANGE {
            return;
        }
        let waiting = self.answered.take_translated(key, source);
        let waiting = waiting.or_else(|| self.answered.take_untranslated(key, source, packet));
        let Some(waiting) = waiting else { return };
        let Some(mut record) = open(key, &waiting, packet) else { return };
        let datagram = answer(segment.flow, key.1, SYN_ACK);
        record.reply(packet, frame, &datagram, origin(source, &waiting.asked));
        self.adopt(key, waiting.asked, Some(source), record, table());
    }

    /// Follows a handshake from now on.
    fn adopt(
        &mut self,
        key: Key,
        asked: SmallVec<[Endpoint; 1]>,
        answerer: Option<Endpoint>,
        record: Record,
        table: &mut PointTable,
    ) {
        let Some(exchange) = table.adopt(record) else { return };
        self.strange.insert(key, Strange { asked, answerer, exchange });
        if self.latest_strange.len() >= MAX_LATEST {
            self.latest_strange.pop_front();
        }
        self.latest_strange.push_back(key);
    }
}

/// The exchange of a SYN that waits, with all its repetitions. `packet` was seen at
/// the same point.
fn open(key: Key, waiting: &Waiting, packet: &Packet) -> Option<Record> {
    let &asked = waiting.asked.first()?;
    let flow = FlowKey::tcp(key.0, asked);
    let request = syn(flow, key.1);
    let mut record = Record::open(Protocol::Tcp, key.0, Some(asked), &request);
    let first = (waiting.frame, waiting.ip_identification);
    for (frame, ip_identification) in std::iter::once(first).chain(waiting.repeats.iter().copied())
    {
        let sent = Packet {
            frame: frame.number,
            at: frame.at,
            ip_identification,
            content: Content::Segment(Segment { flow, kind: SegmentKind::Syn { awaits: key.1 } }),
            ..packet.clone()
        };
        record.request(&sent, frame, &request);
    }
    Some(record)
}

/// Whether an answer opens its half of the connection, so that the client's
/// acknowledgement is waited for.
pub fn is_open_half(datagram: &Datagram) -> bool {
    matches!(&datagram.application, Application::Transaction(answer) if answer.label == SYN_ACK)
}

fn origin(source: Endpoint, asked: &[Endpoint]) -> Origin {
    if asked.contains(&source) {
        Origin::Asked
    } else if asked.iter().any(|asked| asked.address == source.address) {
        Origin::OtherPort(Confidence::Certain)
    } else {
        Origin::OtherAddress(Confidence::Certain)
    }
}

fn syn(flow: FlowKey, awaits: u32) -> Datagram {
    message(flow, TransactionRole::Request, awaits, SYN)
}

fn answer(flow: FlowKey, acknowledges: u32, label: &'static str) -> Datagram {
    message(flow, TransactionRole::Reply, acknowledges, label)
}

/// A segment in the words of requests and answers.
fn message(flow: FlowKey, role: TransactionRole, number: u32, label: &'static str) -> Datagram {
    let identity = u64::from(number);
    let transaction = Transaction {
        protocol: Protocol::Tcp,
        role,
        identity,
        question: None,
        label,
        reply_to: None,
    };
    Datagram {
        flow,
        length: 0,
        fingerprint: Some(identity),
        is_cut: false,
        application: Application::Transaction(transaction),
    }
}

#[cfg(test)]
impl Handshakes {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.strange.is_empty()
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
#[path = "handshakes_tests.rs"]
mod tests;
