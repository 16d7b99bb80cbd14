//! ICMP errors about the SYN of a handshake, or about its answer.

use std::collections::VecDeque;

use super::{Handshakes, Key, MAX_STRANGE, SYN_ACK, SegmentKind, Waiting, answer, open, origin};
use crate::correlate::table::PointTable;
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{IcmpErrors, Tally};
use crate::model::packet::{IcmpError, Packet, Quote};
use crate::model::report::Quotes;
use crate::model::segment::QuotedKind;

/// How far back an error without numbers looks for the segment that it means.
pub(super) const MAX_LATEST: usize = 64;
/// Answered handshakes that are remembered.
const MAX_ANSWERED: usize = 256;

/// The handshakes that were answered last by whom they asked, the latest last. An
/// error about the answer comes within a round trip, or not at all.
#[derive(Debug, Default)]
pub(super) struct LatestAnswers(VecDeque<Answered>);

#[derive(Debug)]
struct Answered {
    key: Key,
    waiting: Waiting,
    answerer: Endpoint,
    packet: Packet,
    frame: FrameRef,
}

impl LatestAnswers {
    pub(super) fn note(
        &mut self,
        key: Key,
        waiting: Waiting,
        answerer: Endpoint,
        packet: &Packet,
        frame: FrameRef,
    ) {
        if self.0.len() >= MAX_ANSWERED {
            self.0.pop_front();
        }
        self.0.push_back(Answered { key, waiting, answerer, packet: packet.clone(), frame });
    }

    fn find(&self, fits: impl Fn(&Answered) -> bool) -> Option<&Answered> {
        self.0.iter().rev().find(|answered| fits(answered))
    }

    /// The SYN of `key` that was answered so far by whom its translation asks alone, if
    /// `source` answers it now and was not asked.
    pub(super) fn take_translated(&mut self, key: Key, source: Endpoint) -> Option<Waiting> {
        let is_its = |answered: &Answered| {
            let asked = &answered.waiting.asked;
            answered.key == key
                && asked.first() != Some(&answered.answerer)
                && !asked.contains(&source)
        };
        let place = self.0.iter().rposition(is_its)?;
        self.0.remove(place).map(|answered| answered.waiting)
    }

    /// The SYN of `key`, if its translation was answered, and `packet` is that answer once
    /// more, which a host passed on from `source` as it was.
    pub(super) fn take_untranslated(
        &mut self,
        key: Key,
        source: Endpoint,
        packet: &Packet,
    ) -> Option<Waiting> {
        let hops = |packet: &Packet| packet.hop_marks.hop_limit();
        let place = self.0.iter().rposition(|answered| {
            let is_hop_on =
                hops(&answered.packet).zip(hops(packet)).is_some_and(|(before, now)| now < before);
            answered.key == key
                && answered.answerer == source
                && answered.waiting.asked.first() != Some(&source)
                && is_hop_on
        })?;
        let mut waiting = self.0.remove(place)?.waiting;
        // What it was translated to is nobody whom the client asked.
        waiting.asked.truncate(1);
        Some(waiting)
    }

    fn take(&mut self, key: Key) -> Option<Answered> {
        let place = self.0.iter().rposition(|answered| answered.key == key)?;
        self.0.remove(place)
    }
}

/// What an error quotes of a handshake.
#[derive(Debug, Clone, Copy)]
struct QuotedPart {
    key: Key,
    quotes: Quotes,
    destination: Endpoint,
}

impl Handshakes {
    /// Takes an ICMP error that may be about a segment of a handshake; `table` is that
    /// of this point, asked for only where it is.
    pub fn icmp_error<'t>(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        error: &IcmpError,
        table: impl FnOnce() -> &'t mut PointTable,
    ) {
        if !error.kind.is_refusal() {
            return;
        }
        let Some(quoted) = self.find_quoted(error) else { return };
        let table = table();
        if !self.strange.contains_key(&quoted.key) {
            self.open_refused(quoted, packet, table);
        }
        let Some(strange) = self.strange.get(&quoted.key) else { return };
        if let Some(record) = table.exchanges.get_mut(strange.exchange.position()) {
            let errors = IcmpErrors {
                kind: error.kind,
                from: error.from,
                quotes: quoted.quotes,
                quoted_destination: Some(quoted.destination),
                tunnel: None,
                tally: Tally::NONE,
            };
            record.icmp_error(frame, errors, error);
        }
    }

    /// Makes an exchange of a handshake that went its usual way until now.
    fn open_refused(&mut self, quoted: QuotedPart, packet: &Packet, table: &mut PointTable) {
        if self.strange.len() >= MAX_STRANGE {
            return;
        }
        let key = quoted.key;
        if let Some(waiting) = self.waiting.remove(&key) {
            let Some(record) = open(key, &waiting, packet) else { return };
            self.adopt(key, waiting.asked, None, record, table);
        } else if let Some(answered) = self.answered.take(key) {
            let Answered { waiting, answerer, packet, frame, .. } = answered;
            let Some(mut record) = open(key, &waiting, &packet) else { return };
            let datagram = answer(FlowKey::tcp(answerer, key.0), key.1, SYN_ACK);
            record.reply(&packet, frame, &datagram, origin(answerer, &waiting.asked));
            self.adopt(key, waiting.asked, Some(answerer), record, table);
        }
    }

    fn find_quoted(&self, error: &IcmpError) -> Option<QuotedPart> {
        let quote = error.quote?;
        match quote.kind {
            QuotedKind::Datagram | QuotedKind::Segment(Some(SegmentKind::Reset { .. })) => None,
            QuotedKind::Segment(Some(SegmentKind::Syn { awaits })) => {
                let (client, asked) = (quote.source_endpoint()?, quote.destination_endpoint()?);
                self.find_request((client, awaits), |endpoint| endpoint == asked)
            }
            QuotedKind::Segment(Some(SegmentKind::SynAck { acknowledges })) => {
                let (answerer, client) = (quote.source_endpoint()?, quote.destination_endpoint()?);
                self.find_answer((client, acknowledges), |endpoint| endpoint == answerer)
            }
            QuotedKind::Segment(None) | QuotedKind::Unknown => self.find_latest(&quote),
        }
    }

    /// The latest segment of a handshake that fits what a text shows of a quote.
    fn find_latest(&self, quote: &Quote) -> Option<QuotedPart> {
        let is_source = |endpoint: Endpoint| {
            endpoint.address == quote.source
                && quote.source_port.is_none_or(|port| port == endpoint.port)
        };
        let is_destination = |endpoint: Endpoint| {
            endpoint.address == quote.destination
                && quote.destination_port.is_none_or(|port| port == endpoint.port)
        };
        let waiting = self.order.iter().rev().take(MAX_LATEST);
        let mut keys = waiting.chain(self.latest_strange.iter().rev());
        let request = keys.find_map(|key| {
            let found = self.find_request(*key, is_destination);
            found.filter(|_| is_source(key.0))
        });
        request.or_else(|| {
            let answered = self
                .answered
                .find(|answered| is_source(answered.answerer) && is_destination(answered.key.0));
            let answered = answered.map(|answered| &answered.key);
            let mut keys = answered.into_iter().chain(self.latest_strange.iter().rev());
            keys.find_map(|key| {
                let found = self.find_answer(*key, is_source);
                found.filter(|_| is_destination(key.0))
            })
        })
    }

    /// The SYN of `key`, if it went to one who fits.
    fn find_request(&self, key: Key, fits: impl Fn(Endpoint) -> bool) -> Option<QuotedPart> {
        let asked = match self.strange.get(&key) {
            Some(strange) => &strange.asked,
            None => &self.waiting.get(&key)?.asked,
        };
        let destination = asked.iter().copied().find(|asked| fits(*asked))?;
        Some(QuotedPart { key, quotes: Quotes::Request, destination })
    }

    /// The SYN-ACK of `key`, if it came from one who fits.
    fn find_answer(&self, key: Key, fits: impl Fn(Endpoint) -> bool) -> Option<QuotedPart> {
        let answerer = match self.strange.get(&key) {
            Some(strange) => strange.answerer?,
            None => self.answered.find(|answered| answered.key == key)?.answerer,
        };
        fits(answerer).then_some(QuotedPart { key, quotes: Quotes::Reply, destination: key.0 })
    }
}
