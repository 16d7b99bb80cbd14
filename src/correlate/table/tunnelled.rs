//! ICMP errors about a tunnel, and the exchanges that it carries.
//!
//! The host at a tunnel's far end that does not take it refuses the outer datagram, and
//! quotes that (RFC 792, RFC 4443 section 2.4). Whoever speaks inside hears nothing of it,
//! and waits: what is refused is all that the tunnel carries.

use std::time::Duration;

use super::PointTable;
use super::directed::Directed;
use crate::model::capture::FrameRef;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{IcmpErrors, Tally};
use crate::model::packet::{Datagram, IcmpError, Packet, Tunnel, TunnelKind};
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::time::Timestamp;

/// Hosts send an error at once; the way back takes some time.
const SOON: Duration = Duration::from_secs(1);
/// The latest datagrams that came through tunnels.
const MAX_LATEST: usize = 8;

/// What came last through tunnels at a point.
#[derive(Debug, Default)]
pub struct LatestTunnelled {
    latest: Vec<(Tunnel, FlowKey, Timestamp)>,
    next: usize,
}

impl LatestTunnelled {
    /// Notes a datagram that came through a tunnel over UDP whose port is its own.
    pub fn note(&mut self, packet: &Packet, datagram: &Datagram) {
        let Some(tunnel) = packet.tunnel.filter(|tunnel| find_port(tunnel.kind).is_some()) else {
            return;
        };
        let new = (tunnel, datagram.flow, packet.at);
        match self.latest.get_mut(self.next) {
            Some(place) => *place = new,
            None => self.latest.push(new),
        }
        self.next = (self.next + 1) % MAX_LATEST;
    }

    /// The latest datagram that was inside what `error` quotes, and the port of its tunnel.
    fn find(&self, error: &IcmpError, at: Timestamp) -> Option<(FlowKey, Timestamp, u16)> {
        let quote = error.quote?;
        let fits = |tunnel: &Tunnel, told_at: Timestamp| {
            let protocol = quote.destination_port.map(Protocol::of_port);
            let is_its_port = protocol.is_none_or(|known| known == protocol_of(tunnel.kind));
            is_its_port
                && (tunnel.source, tunnel.destination) == (quote.source, quote.destination)
                && told_at <= at
                && at.since(told_at) <= SOON
        };
        let found = self.latest.iter().filter(|(tunnel, _, told_at)| fits(tunnel, *told_at));
        let (tunnel, flow, told_at) = found.max_by_key(|(_, _, told_at)| *told_at)?;
        let port = quote.destination_port.or_else(|| find_port(tunnel.kind))?;
        Some((*flow, *told_at, port))
    }
}

impl PointTable {
    /// Counts an error about a tunnel at the exchange whose packet was inside.
    pub(super) fn tunnelled_error(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let refuses = error.kind.is_refusal();
        let Some((inner, sent_at, port)) = self.tunnelled.find(error, frame.at).filter(|_| refuses)
        else {
            return false;
        };
        let Some(flow) = self.look_directed(Directed::unread(inner, sent_at)) else { return false };
        let quotes = match (inner.source == flow.client, flow.course) {
            (false, _) => Quotes::Reply,
            (true, None) => Quotes::Request,
            (true, Some(_)) => Quotes::FollowUp,
        };
        let outer = error.quote.map(|quote| Endpoint::new(quote.destination, port));
        let errors = IcmpErrors {
            kind: error.kind,
            from: error.from,
            quotes,
            quoted_destination: outer,
            tally: Tally::NONE,
        };
        self.exchanges[flow.exchange.position()].icmp_error(frame, errors, error);
        true
    }
}

/// The port registered for a tunnel, where overlays of a cluster and mobile networks use it.
const fn find_port(kind: TunnelKind) -> Option<u16> {
    match kind {
        // RFC 7348 section 8, RFC 8926 section 3.3, 3GPP TS 29.281 section 4.4.2.
        TunnelKind::Vxlan => Some(4789),
        TunnelKind::Geneve => Some(6081),
        TunnelKind::GtpU => Some(2152),
        _ => None,
    }
}

const fn protocol_of(kind: TunnelKind) -> Option<Protocol> {
    match find_port(kind) {
        Some(port) => Protocol::of_port(port),
        None => None,
    }
}
