//! ICMP errors about datagrams that were not captured.
//!
//! An error quotes the head of the datagram that it is about (RFC 792, RFC 4443
//! section 2.4), ports included. A capture's filter often hides that datagram: the
//! founding fault's follow-ups are not on port 69. The quote shows that it was sent.

use super::PointTable;
use crate::correlate::fit;
use crate::correlate::flows::Flow;
use crate::correlate::record::{ExchangeIndex, Record, is_group};
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{Course, Novelty, Origin};
use crate::model::packet::{Application, Datagram, IcmpError};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

impl PointTable {
    /// Counts an ICMP error at the transfer whose follow-up it quotes, or at an
    /// exchange that the quote alone shows.
    pub(super) fn stranger_quoted(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let Some(quote) = error.quote else { return false };
        let ends = quote.source_endpoint().zip(quote.destination_endpoint());
        let Some((source, destination)) = ends else { return false };
        let quoted = Datagram {
            flow: FlowKey::udp(source, destination),
            length: 0,
            fingerprint: None,
            is_cut: true,
            application: Application::Unknown { tftp_shape: None },
        };
        let is_shown = match self.find_transfer_quoted(&quoted, frame.at) {
            Some((exchange, course)) => {
                self.note_quoted_follow_up(frame, &quoted, exchange, course);
                true
            }
            None => error.kind.is_refusal() && self.open_quoted(&quoted),
        };
        is_shown && self.known_error(frame, error)
    }

    /// The transfer that a quoted datagram follows: at the address asked, and another port.
    fn find_transfer_quoted(
        &self,
        quoted: &Datagram,
        at: Timestamp,
    ) -> Option<(ExchangeIndex, Course)> {
        let destination = quoted.flow.destination;
        self.exchanges_of(quoted.flow.source).find_map(|(index, exchange)| {
            let is_at_asked_address = exchange.asked.is_some_and(|asked| {
                asked.address == destination.address && asked.port != destination.port
            });
            let counts = is_tftp_protocol(exchange.protocol) && is_at_asked_address;
            let course = fit::find_course(exchange, quoted, at).filter(|_| counts)?;
            Some((index, course))
        })
    }

    fn note_quoted_follow_up(
        &mut self,
        frame: FrameRef,
        quoted: &Datagram,
        exchange: ExchangeIndex,
        course: Course,
    ) {
        let (client, server) = (quoted.flow.source, quoted.flow.destination);
        self.register(Flow {
            client,
            server,
            exchange,
            course: Some(course),
            origin: Origin::Asked,
        });
        let details = self.exchanges[exchange.position()].details(frame.capture);
        details.follow_up(frame, quoted, course, Novelty::New);
    }

    /// Opens an exchange of which only the quote is known: its sender is not known to
    /// have asked anybody, and to whom it sent is not a client that was answered.
    fn open_quoted(&mut self, quoted: &Datagram) -> bool {
        let (source, destination) = (quoted.flow.source, quoted.flow.destination);
        let [from, to] = [source, destination].map(|end| Protocol::of_port(end.port));
        let is_reply = from.is_some() && to.is_none();
        if is_reply || is_group(destination.address) || !self.are_strangers(source, destination) {
            return false;
        }
        let Some(index) = self.free_place() else { return false };
        let protocol = to.unwrap_or(Protocol::Udp);
        self.put(index, Record::open(protocol, source, Some(destination), quoted));
        self.clients.add(&self.hasher, &mut self.exchanges, index);
        let hash = self.hasher.pair(source, destination);
        self.flows.register_own(hash, &self.exchanges, index);
        true
    }

    fn are_strangers(&self, one: Endpoint, other: Endpoint) -> bool {
        let is_unknown = |table: &Self, end| table.exchanges_of(end).next().is_none();
        let tables = std::iter::once(self).chain(self.translated.as_deref());
        let mut unknown =
            tables.flat_map(|table| [is_unknown(table, one), is_unknown(table, other)]);
        unknown.all(|unknown| unknown)
    }
}
