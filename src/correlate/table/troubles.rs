//! What tells that packets did not arrive: fragments that are missing, datagrams
//! that were dropped or thrown away, ICMP errors.

use super::PointTable;
use super::directed::Directed;
use crate::correlate::flows::Flow;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::FrameRef;
use crate::model::endpoint::FlowKey;
use crate::model::exchange::{IcmpErrors, Tally};
use crate::model::packet::{
    Application, Datagram, Dropped, FragmentsLost, IcmpError, IcmpKind, Packet,
};
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;

/// RFC 768.
const UDP_HEADER_BYTES: u32 = 8;

impl PointTable {
    /// Takes a datagram of which fragments are missing.
    pub fn fragments_lost(&mut self, packet: &Packet, frame: FrameRef, lost: &FragmentsLost) {
        let Some(flow) = lost.flow else { return };
        if let Some(table) = self.behind(flow) {
            return table.fragments_lost(packet, frame, lost);
        }
        let found = self.find_directed(Directed::unread(flow, packet.at));
        let length =
            lost.total_bytes.unwrap_or(lost.received_bytes).saturating_sub(UDP_HEADER_BYTES);
        let application = Application::Unknown { tftp_shape: None };
        let mut datagram = Datagram { flow, length, fingerprint: None, is_cut: false, application };
        match found {
            Some(known) if known.client == flow.destination => {
                self.reply_in_parts(packet, frame, &datagram, lost, known);
            }
            Some(known) => {
                let exchange = &mut self.exchanges[known.exchange.position()];
                // Where the server went on, the capture's filter hid the other fragments.
                if is_tftp_protocol(exchange.protocol) {
                    exchange.details(frame.capture).request_lost(frame, flow, lost);
                } else if !exchange.is_heard_since(packet.at) {
                    exchange.request(packet, frame, &datagram);
                    exchange.details(frame.capture).request_lost(frame, flow, lost);
                }
            }
            None => {
                let asked = Protocol::of_port(flow.destination.port);
                let Some(protocol) = asked.filter(|protocol| protocol.expects_answer()) else {
                    return;
                };
                datagram.application = Application::Plain(protocol);
                let (source, destination) = (flow.source, flow.destination);
                let hash = self.hasher.pair(source, destination);
                self.open(packet, frame, &datagram, hash);
                let opened = self.flows.find(&self.hasher, &self.exchanges, source, destination);
                if let Some(opened) = opened.filter(|opened| opened.client == source) {
                    let exchange = &mut self.exchanges[opened.exchange.position()];
                    exchange.details(frame.capture).request_lost(frame, flow, lost);
                }
            }
        }
    }

    /// A reply is lost where its client asked again; where the client was content,
    /// the capture's filter hid the other fragments, which have no ports, and the
    /// reply counts.
    fn reply_in_parts(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        lost: &FragmentsLost,
        known: Flow,
    ) {
        let exchange = &mut self.exchanges[known.exchange.position()];
        if exchange.asked_since(packet.at) || exchange.has_lost_replies() {
            exchange.details(frame.capture).reply_lost(frame, datagram.flow, lost);
        } else {
            exchange.reply(packet, frame, datagram, known.origin);
        }
    }

    /// Takes a reply of which its client says that it threw it away.
    pub fn discarded(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        if let Some(table) = self.behind(datagram.flow) {
            return table.discarded(packet, frame, datagram);
        }
        self.datagram(packet, frame, datagram);
        let found = self.find_directed(Directed::of(datagram, packet.at));
        if let Some(known) = found.filter(|known| known.client == datagram.flow.destination) {
            self.exchanges[known.exchange.position()].details(frame.capture).discarded(frame);
        }
    }

    /// Takes a datagram that was dropped. A request was sent all the same; an
    /// answer that was dropped has not come.
    pub fn dropped(&mut self, packet: &Packet, frame: FrameRef, dropped: &Dropped) {
        let flow = dropped.datagram.flow;
        if let Some(table) = self.behind(flow) {
            return table.dropped(packet, frame, dropped);
        }
        let directed = Directed::of(&dropped.datagram, packet.at);
        let answers = match self.find_directed(directed) {
            Some(known) => (known.client == flow.destination
                && !self.asks_back(&dropped.datagram, known))
            .then_some(known.exchange),
            // TFTP answers from a port of its own choice.
            None => self
                .exchanges_of(flow.destination)
                .find(|(_, exchange)| {
                    exchange.asked.is_some_and(|asked| asked.address == flow.source.address)
                })
                .map(|(index, _)| index),
        };
        if let Some(index) = answers {
            self.exchanges[index.position()].details(frame.capture).dropped(
                frame,
                dropped,
                Quotes::Reply,
            );
            return;
        }
        self.datagram(packet, frame, &dropped.datagram);
        let known = self.find_directed(directed);
        if let Some(known) = known.filter(|known| known.client == flow.source) {
            let part = if known.course.is_some() { Quotes::FollowUp } else { Quotes::Request };
            self.exchanges[known.exchange.position()]
                .details(frame.capture)
                .dropped(frame, dropped, part);
        }
    }

    /// Counts an ICMP error at the exchange that it is about.
    pub fn icmp_error(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let is_known = self.known_error(frame, error);
        // Where its ports say that a tunnel is meant, all that is inside is. Of a long quote
        // that was read.
        let may_be_tunnel = error.quote.is_some_and(|quote| {
            quote.tunnel.is_none() && (quote.destination_port.is_some() || !is_known)
        });
        let is_carried = may_be_tunnel && self.tunnelled_error(frame, error);
        is_known || is_carried || self.stranger_quoted(frame, error)
    }

    /// Counts an ICMP error about a flow that was captured.
    pub(super) fn known_error(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let found = self.find_quoted(error, frame.at);
        let Some((flow, quotes, quoted_destination)) = found else {
            return self.translated.as_mut().is_some_and(|table| table.known_error(frame, error));
        };
        self.has_expired |= error.kind == IcmpKind::TimeExceeded;
        let refused = error.find_refused_tunnel();
        let errors = IcmpErrors {
            kind: error.kind,
            from: error.from,
            quotes,
            quoted_destination: refused.map(|tunnel| tunnel.far_end).or(quoted_destination),
            tunnel: refused.map(|tunnel| tunnel.kind),
            tally: Tally::NONE,
        };
        self.exchanges[flow.exchange.position()].icmp_error(frame, errors, error);
        true
    }

    /// The table of what is seen here after translation, if the flow is known there
    /// and not here.
    fn behind(&mut self, flow: FlowKey) -> Option<&mut Self> {
        let table = self.translated.as_deref_mut()?;
        let is_known = |table: &Self| {
            table.flows.knows(&table.hasher, &table.exchanges, flow.source, flow.destination)
        };
        let is_here =
            self.flows.knows(&self.hasher, &self.exchanges, flow.source, flow.destination);
        (!is_here && is_known(table)).then_some(table)
    }
}
