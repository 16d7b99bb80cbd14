//! Answers whose question was before the capture, and the questions after it.
//!
//! An answer from a port that is no service's looks like a question, and so does the
//! datagram that an ICMP error quotes. What the same two endpoints say from then on
//! would be taken for more of it, though its addressee has asked something by then.

use super::PointTable;
use crate::correlate::fit::{self, Ties};
use crate::correlate::flows::Flow;
use crate::model::capture::FrameRef;
use crate::model::packet::{Datagram, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

impl PointTable {
    /// Takes a packet on the flow of a stray answer, which its addressee refused, as the
    /// answer to what that one asked since, where it fits.
    pub(super) fn stray_answer(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        flow: Flow,
    ) -> bool {
        let is_stray = self.exchanges[flow.exchange.position()].is_refused_unheard();
        let Some(protocol) = is_stray.then(|| self.find_asked_since(datagram, packet.at)).flatten()
        else {
            return false;
        };
        let exchange = &self.exchanges[flow.exchange.position()];
        self.flows.forget_own(&self.hasher, exchange, flow.exchange);
        self.clients.remove(&self.hasher, &mut self.exchanges, flow.exchange);
        self.exchanges[flow.exchange.position()].turn_round(protocol, frame.capture);
        self.reply_from_elsewhere(packet, frame, datagram)
    }

    /// The protocol in which the addressee asked what `datagram` answers.
    fn find_asked_since(&self, datagram: &Datagram, at: Timestamp) -> Option<Protocol> {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let tables = std::iter::once(self).chain(self.translated.as_deref());
        tables.into_iter().find_map(|table| {
            // The stray answer is its sender's only exchange.
            let alone =
                !table.asks_many(destination) && table.exchanges_of(source).nth(1).is_none();
            let ties = if alone { Ties::Alone } else { Ties::Many };
            table.exchanges_of(destination).find_map(|(_, exchange)| {
                fit::find_reply_fit(exchange, datagram, at, ties).map(|_| exchange.protocol)
            })
        })
    }
}
