//! To which exchange of two endpoints a packet from one of them belongs.
//!
//! Where each side asks the other on one pair of ports (see [`reversed`](super::reversed)),
//! there are two exchanges between the same ends. A message says by its role of which one
//! it is. A fragment, and the head of a datagram that an ICMP error quotes, say nothing of
//! the kind; but an error comes as soon as its datagram did not arrive (RFC 792, RFC 4443
//! section 2.4), so it is about what its sender sent last.

use super::PointTable;
use crate::correlate::flows::Flow;
use crate::correlate::record::Record;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::Origin;
use crate::model::packet::{Application, Datagram, IcmpError, TransactionRole};
use crate::model::report::Quotes;
use crate::model::time::Timestamp;

/// A packet of which it is asked to what exchange it belongs.
#[derive(Debug, Clone, Copy)]
pub struct Directed {
    pub source: Endpoint,
    pub destination: Endpoint,
    /// What it is to its exchange, where that was read.
    pub role: Option<TransactionRole>,
    pub at: Timestamp,
}

impl Directed {
    /// Of a datagram that came, or should have come, at `at`.
    pub fn of(datagram: &Datagram, at: Timestamp) -> Self {
        Self { role: find_role(datagram), ..Self::unread(datagram.flow, at) }
    }

    /// Of which only the ends are known.
    pub const fn unread(flow: FlowKey, at: Timestamp) -> Self {
        Self { source: flow.source, destination: flow.destination, role: None, at }
    }
}

impl PointTable {
    /// The flow of the exchange to which `packet` belongs; it is the latest now.
    pub(super) fn find_directed(&mut self, packet: Directed) -> Option<Flow> {
        let Directed { source, destination, .. } = packet;
        let flow = self.flows.find(&self.hasher, &self.exchanges, source, destination)?;
        Some(self.direct(flow, packet))
    }

    /// As [`find_directed`](Self::find_directed), but it is not the latest for that.
    pub fn look_directed(&self, packet: Directed) -> Option<Flow> {
        let Directed { source, destination, .. } = packet;
        let flow = self.flows.look(&self.hasher, &self.exchanges, source, destination)?;
        Some(self.direct(flow, packet))
    }

    /// The flow of the exchange that an ICMP error is about, which part of it the error
    /// quotes, and the destination quoted.
    pub fn find_quoted(
        &self,
        error: &IcmpError,
        at: Timestamp,
    ) -> Option<(Flow, Quotes, Option<Endpoint>)> {
        let (flow, quotes_client) = self.flows.find_quoted(&self.hasher, &self.exchanges, error)?;
        let (source, destination) =
            if quotes_client { (flow.client, flow.server) } else { (flow.server, flow.client) };
        let flow = self.direct(flow, Directed { source, destination, role: None, at });
        let quotes = match (source == flow.client, flow.course) {
            (false, _) => Quotes::Reply,
            (true, None) => Quotes::Request,
            (true, Some(_)) => Quotes::FollowUp,
        };
        let quoted_destination = match error.quote {
            Some(quote) if quote.destination_port.is_some() => quote.destination_endpoint(),
            // The quote is cut, but the flow is known.
            _ => Some(destination),
        };
        Some((flow, quotes, quoted_destination))
    }

    /// Whether `datagram`, which goes from the flow's server to its client, asks that one
    /// something, and answers nothing.
    pub(super) fn asks_back(&self, datagram: &Datagram, flow: Flow) -> bool {
        let Application::Transaction(transaction) = &datagram.application else { return false };
        flow.client == datagram.flow.destination
            && transaction.role == TransactionRole::Request
            && self.may_be_reversed(transaction, flow)
    }

    /// `flow`, or that of the exchange between its ends which the other side asks, if
    /// `packet` is of that one.
    fn direct(&self, flow: Flow, packet: Directed) -> Flow {
        // Nearly always there is no other.
        let Some(index) = self.find_reversed(flow) else { return flow };
        let (Some(own), Some(other)) =
            (self.exchanges.get(flow.exchange.position()), self.exchanges.get(index.position()))
        else {
            return flow;
        };
        let is_of_client = packet.source == flow.client;
        let is_reversed = match packet.role {
            Some(TransactionRole::Request) => !is_of_client,
            Some(TransactionRole::Reply) => is_of_client,
            Some(TransactionRole::Notification | TransactionRole::Unread) | None => {
                let capture = self.id.capture;
                last_said(other, packet, capture) > last_said(own, packet, capture)
            }
        };
        if !is_reversed {
            return flow;
        }
        let (client, server) = (flow.server, flow.client);
        Flow { client, server, exchange: index, course: None, origin: Origin::Asked }
    }
}

/// What a datagram is to its exchange, where that was read.
pub fn find_role(datagram: &Datagram) -> Option<TransactionRole> {
    match &datagram.application {
        Application::Transaction(transaction) => Some(transaction.role),
        Application::Tftp(_)
        | Application::Plain(_)
        | Application::Report(_)
        | Application::Unknown { .. } => None,
    }
}

/// How near in time something was said, and in which frame last.
type LastSaid = (std::cmp::Reverse<u64>, u64);

/// The last that the packet's sender is known to have said to its addressee in an exchange
/// by the time of the packet; what is nearer in time is more.
pub fn last_said(record: &Record, packet: Directed, capture: CaptureId) -> Option<LastSaid> {
    let asks = record.client == packet.source && record.asked == Some(packet.destination);
    let own = if asks { &record.requests } else { &record.answers };
    let details = record.details.as_deref();
    let replies = details.into_iter().flat_map(|details| &details.replies);
    let replies = replies
        .filter(|replies| !asks && replies.source == packet.source)
        .map(|replies| &replies.tally.count);
    let spans = std::iter::once(own).chain(replies).filter_map(|count| {
        let (first, last): (FrameRef, FrameRef) = (count.first(capture)?, count.last(capture)?);
        let between = packet.at.clamp(first.at.min(last.at), last.at.max(first.at));
        let apart_ns = packet.at.as_nanoseconds().abs_diff(between.as_nanoseconds());
        Some((std::cmp::Reverse(apart_ns), last.number))
    });
    spans.max()
}
