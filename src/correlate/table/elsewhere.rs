//! Packets on a flow not seen before that belong to a known exchange all the same.

use std::time::Duration;

use super::{MAX_CANDIDATES, PointTable};
use crate::correlate::audience::Audience;
use crate::correlate::broadcasts::is_subnet_broadcast;
use crate::correlate::clients::back_from;
use crate::correlate::fit::{self, Fit, Ties};
use crate::correlate::flows::Flow;
use crate::correlate::passage::Passage;
use crate::correlate::record::{ExchangeIndex, Record};
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin, PayloadReplies};
use crate::model::packet::{Datagram, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A datagram that leaves translated does so within this time of its arrival.
const TRANSLATION_DELAY: Duration = Duration::from_millis(50);

impl PointTable {
    /// Takes a packet from an endpoint to which its addressee has not spoken yet
    /// as the answer to what the addressee asked elsewhere, where it fits.
    pub(super) fn reply_from_elsewhere(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let here = self.best_reply_fit(datagram, packet.at);
        let behind =
            self.translated.as_ref().and_then(|table| table.best_reply_fit(datagram, packet.at));
        let (table, exchange, fit) = match (here, behind) {
            (None, None) => return false,
            (Some((exchange, fit)), None) => (self, exchange, fit),
            (Some((exchange, fit)), Some((_, other))) if fit >= other => (self, exchange, fit),
            (_, Some((exchange, fit))) => match self.translated.as_deref_mut() {
                Some(table) => (table, exchange, fit),
                None => return false,
            },
        };
        let origin = fit.origin();
        let record = &mut table.exchanges[exchange.position()];
        if let Some(asked) = record.asked
            && is_subnet_broadcast(asked.address, datagram.flow.source.address)
        {
            table.broadcasts.suspect(asked.address);
            if record.audience == Audience::Untold {
                record.audience = Audience::Group;
            }
        }
        // What was said to a group, from a port that both use, may be answered once; what
        // comes after that is no answer.
        let record = &table.exchanges[exchange.position()];
        let answers_once = record.audience == Audience::Group
            && !is_tftp_protocol(record.protocol)
            && fit::group::is_between_like_ports(datagram);
        if !answers_once {
            table.register(Flow {
                client: datagram.flow.destination,
                server: datagram.flow.source,
                exchange,
                course: Some(Course::ToAnswerer),
                origin,
            });
        }
        let record = &mut table.exchanges[exchange.position()];
        if origin.is_other_endpoint() {
            record.note_late_change(frame, datagram.flow.source);
        }
        record.reply(packet, frame, datagram, origin);
        if is_tftp_protocol(record.protocol) {
            table.note_transfer_port(datagram.flow.source, exchange, packet.at);
        }
        true
    }

    /// Notes from where a transfer goes on; most servers take another port for each, and
    /// come back to it much later.
    fn note_transfer_port(&mut self, source: Endpoint, exchange: ExchangeIndex, at: Timestamp) {
        let Some(client) = self.exchanges.get(exchange.position()).map(|own| own.client) else {
            return;
        };
        let before = self.by_tid.insert(source, exchange);
        let before = before.and_then(|before| self.exchanges.get(before.position()));
        if before.is_some_and(|before| before.client != client && fit::is_running(before, at)) {
            self.shared_tids.insert(source);
        }
    }

    /// Takes an answer to the address that its request named as what it is.
    pub(super) fn reply_to_payload(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let Some(named) = self.payload_addresses.find(datagram) else { return false };
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let Some(record) = self.exchanges.get_mut(named.exchange.position()) else { return false };
        // The place may be another exchange's by now.
        if record.protocol != Protocol::Sip || record.asked != Some(source) {
            return false;
        }
        record.details(frame.capture).payload_replies.get_or_insert_with(|| {
            Box::new(PayloadReplies {
                source,
                destination,
                packets: 1,
                first: frame,
                asks_for_own_port: named.asks_for_own_port,
            })
        });
        record.reply(packet, frame, datagram, Origin::Asked);
        self.register(Flow {
            client: destination,
            server: source,
            exchange: named.exchange,
            course: Some(Course::ToAnswerer),
            origin: Origin::Asked,
        });
        true
    }

    pub(super) fn best_reply_fit(
        &self,
        datagram: &Datagram,
        at: Timestamp,
    ) -> Option<(ExchangeIndex, Fit)> {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        self.exchanges_of(destination).next()?;
        let ties = self.ties(source, destination);
        self.exchanges_of(destination)
            .filter(|(_, exchange)| !self.asks_on(source, exchange, datagram))
            .filter_map(|(index, exchange)| {
                fit::find_reply_fit(exchange, datagram, at, ties).map(|fit| (index, fit))
            })
            // The latest exchange first, so that it wins among equals.
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .or_else(|| self.identified_fit(datagram, at))
    }

    /// Whom else a client and the sender of a packet to it talk to.
    fn ties(&self, source: Endpoint, client: Endpoint) -> Ties {
        if self.exchanges_of(source).next().is_some() {
            return Ties::Many;
        }
        if !self.asks_many(client) {
            return Ties::Alone;
        }
        let are_groups =
            self.exchanges_of(client).all(|(_, exchange)| exchange.audience == Audience::Group);
        if are_groups { Ties::WithGroups } else { Ties::Many }
    }

    /// Whether `source` was answered by what `exchange` says to a group, and goes on to ask:
    /// where client and server use one port, nothing else tells.
    fn asks_on(&self, source: Endpoint, exchange: &Record, datagram: &Datagram) -> bool {
        fit::group::asks_all(exchange, source.address)
            && fit::group::is_between_like_ports(datagram)
            && self
                .exchanges_of(source)
                .any(|(_, own)| fit::group::is_answered_by_announcement(own, exchange))
    }

    /// As [`best_reply_fit`](Self::best_reply_fit), of a socket that asks more than are
    /// tried one by one.
    fn identified_fit(&self, datagram: &Datagram, at: Timestamp) -> Option<(ExchangeIndex, Fit)> {
        let index = self.identities.find(datagram)?;
        let exchange = self.exchanges.get(index.position())?;
        // The place may be another exchange's by now.
        if exchange.client != datagram.flow.destination {
            return None;
        }
        fit::find_reply_fit(exchange, datagram, at, Ties::Many).map(|fit| (index, fit))
    }

    /// Takes a packet to an endpoint that its sender has not spoken to yet as
    /// what follows a reply, where it fits. `latest` is its sender's latest exchange.
    pub(super) fn follow_up_to_elsewhere(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        latest: Option<ExchangeIndex>,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let by_sender = back_from(&self.exchanges, latest).take(MAX_CANDIDATES).find_map(
            |(index, exchange)| {
                fit::find_course(exchange, datagram, packet.at).map(|course| (index, course))
            },
        );
        let found = by_sender.or_else(|| {
            let &index = self.by_tid.get(&destination)?;
            // Who speaks to a port that serves several is one of them, or another.
            if self.shared_tids.contains(&destination) {
                return None;
            }
            let exchange = &self.exchanges[index.position()];
            fit::comes_from_other_source(exchange, datagram, packet.at)
                .then_some((index, Course::FromOtherSource))
        });
        let Some((exchange, course)) = found else { return false };
        self.register(Flow {
            client: source,
            server: destination,
            exchange,
            course: Some(course),
            origin: self.exchanges[exchange.position()].origin_of_followed(destination),
        });
        self.exchanges[exchange.position()].follow_up(packet, frame, datagram, course);
        true
    }

    /// Takes a client's packet that just went by with another destination, or
    /// between two other addresses, as the same one after translation. `latest` is its
    /// sender's latest exchange.
    pub(super) fn translated_copy(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        latest: Option<ExchangeIndex>,
    ) -> bool {
        if Audience::of(packet, datagram.flow.destination.address) == Audience::Group {
            return false;
        }
        let own = back_from(&self.exchanges, latest).take(MAX_CANDIDATES);
        let passages = own.filter_map(|(_, exchange)| {
            let asks_one = exchange.audience != Audience::Group;
            let passage = exchange.passage_of_last(packet, datagram, TRANSLATION_DELAY);
            passage.filter(|passage| asks_one && *passage != Passage::SentTwice)
        });
        // What came through anywhere came through, whoever else was asked the same.
        let passage =
            passages.reduce(|one, other| if one == Passage::PassedOn { one } else { other });
        // Another request of the same socket may stand between the two.
        let earlier = || {
            let found = self.latest_requests.find_passage(packet, datagram, TRANSLATION_DELAY);
            found.filter(|passage| *passage != Passage::SentTwice)
        };
        let passage = passage.or_else(earlier);
        let relayed = || self.latest_requests.has_passed(packet, datagram);
        let Some(passage) = passage.or_else(|| relayed().then_some(Passage::PassedOn)) else {
            return false;
        };
        let (id, max_exchanges) = (self.id.translated(), self.max_exchanges);
        let hasher = &self.hasher;
        let table = self
            .translated
            .get_or_insert_with(|| Box::new(PointTable::new(id, max_exchanges, hasher.clone())));
        table.datagram(packet, frame, datagram);
        if passage == Passage::PassedOn {
            table.note_passed_on(datagram);
        }
        true
    }

    /// Notes that the exchange of `datagram` is another one's, passed on.
    fn note_passed_on(&mut self, datagram: &Datagram) {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let found = self.flows.find(&self.hasher, &self.exchanges, source, destination);
        if let Some(flow) = found.filter(|flow| flow.client == source) {
            self.passed_on.insert(flow.exchange);
        }
    }
}
