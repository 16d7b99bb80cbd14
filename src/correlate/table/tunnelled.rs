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
/// The latest datagrams that came through tunnels, at each point.
const MAX_LATEST: usize = 64;

/// What came last through tunnels at a point: where a host quotes no more than eight bytes
/// behind the IP header (RFC 792), what was inside is not in the quote.
#[derive(Debug, Default)]
pub struct LatestTunnelled {
    latest: Vec<Tunnelled>,
    next: usize,
}

#[derive(Debug)]
struct Tunnelled {
    tunnel: Tunnel,
    /// Of the outer datagram.
    source_port: Option<u16>,
    flow: FlowKey,
    at: Timestamp,
}

impl LatestTunnelled {
    /// Notes a datagram that came through a tunnel over UDP whose port is its own.
    pub fn note(&mut self, packet: &Packet, datagram: &Datagram) {
        let Some(tunnel) = packet.tunnel.filter(|tunnel| find_port(tunnel.kind).is_some()) else {
            return;
        };
        let source_port = packet.tunnel_port;
        let new = Tunnelled { tunnel, source_port, flow: datagram.flow, at: packet.at };
        match self.latest.get_mut(self.next) {
            Some(place) => *place = new,
            None => self.latest.push(new),
        }
        self.next = (self.next + 1) % MAX_LATEST;
    }

    /// The latest datagram that was inside what `error` quotes. Its sender draws the outer
    /// source port from the flow inside (RFC 7348 section 5): another one is of another flow.
    fn find(&self, error: &IcmpError, at: Timestamp) -> Option<&Tunnelled> {
        let quote = error.quote?;
        let fits = |known: &&Tunnelled| {
            let Tunnel { kind, source, destination, .. } = known.tunnel;
            let protocol = quote.destination_port.map(Protocol::of_port);
            let is_its_port = protocol.is_none_or(|named| named == protocol_of(kind));
            let ports = known.source_port.zip(quote.source_port);
            is_its_port
                && (source, destination) == (quote.source, quote.destination)
                && ports.is_none_or(|(known, quoted)| known == quoted)
                && known.at <= at
                && at.since(known.at) <= SOON
        };
        self.latest.iter().filter(fits).max_by_key(|known| known.at)
    }
}

impl PointTable {
    /// Counts an error about a tunnel at the exchange whose packet was inside.
    pub(super) fn tunnelled_error(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let refuses = error.kind.is_refusal();
        let found = self.tunnelled.find(error, frame.at).filter(|_| refuses);
        let Some(Tunnelled { tunnel, flow: inner, at: sent_at, .. }) = found else {
            return false;
        };
        let (kind, inner, sent_at) = (tunnel.kind, *inner, *sent_at);
        let Some(flow) = self.look_directed(Directed::unread(inner, sent_at)) else { return false };
        let quotes = match (inner.source == flow.client, flow.course) {
            (false, _) => Quotes::Reply,
            (true, None) => Quotes::Request,
            (true, Some(_)) => Quotes::FollowUp,
        };
        let outer = error.quote.and_then(|quote| {
            let port = quote.destination_port.or_else(|| find_port(kind))?;
            Some(Endpoint::new(quote.destination, port))
        });
        let errors = IcmpErrors {
            kind: error.kind,
            from: error.from,
            quotes,
            quoted_destination: outer,
            tunnel: Some(kind),
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
