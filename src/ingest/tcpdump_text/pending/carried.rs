//! The packet inside a tunnel's, as a packet of its own.

use super::{Outcome, Pending, Stage};
use crate::ingest::tcpdump_text::Origin;
use crate::ingest::tcpdump_text::foreign::is_tcp;
use crate::ingest::tcpdump_text::nested::find_nested;
use crate::ingest::tcpdump_text::network::parse_addressed;
use crate::ingest::tcpdump_text::tunnel::{Carried, find_carried};
use crate::model::packet::{Content, Tunnel};

const TCP: u8 = 6;

/// Tunnels in each other that are looked into, as in frames.
const MAX_DEPTH: usize = 4;

impl Pending {
    /// What the innermost packet is, of which the text tells, and the tunnel that
    /// carries it. A packet in a tunnel is what is inside, where that is a datagram or
    /// an ICMP error about one; else the tunnel's datagram is itself the packet.
    pub fn read_innermost(&self, origin: &Origin) -> (Outcome, Option<Tunnel>) {
        self.read_carried(origin, MAX_DEPTH).unwrap_or_else(|| (self.read(), None))
    }

    fn read_carried(&self, origin: &Origin, depth: usize) -> Option<(Outcome, Option<Tunnel>)> {
        let Stage::Sides { source, destination, summary, .. } = &self.stage else { return None };
        let nested = find_nested(source, destination, summary, &self.body);
        let carried = nested.or_else(|| self.find_in_udp(source, destination, summary))?;
        let mut inner =
            Self::new(self.line, self.frame, self.at, self.interface, &carried.head, carried.text);
        for line in carried.rest {
            inner.continue_with(line, origin);
        }
        let deeper = depth.checked_sub(1).and_then(|depth| inner.read_carried(origin, depth));
        if deeper.is_none() && inner.is_tcp() {
            // What carries a connection is no exchange of its own. Of the connection its
            // handshake counts, as in frames.
            let outcome = match inner.read() {
                segment @ Outcome::Content(Content::Segment(_)) => segment,
                _ => Outcome::Other,
            };
            return Some((outcome, Some(carried.tunnel)));
        }
        let carries_connection = deeper.as_ref().is_some_and(|(outcome, _)| {
            matches!(outcome, Outcome::Other | Outcome::Content(Content::Segment(_)))
        });
        let (outcome, tunnel) = deeper.unwrap_or_else(|| (inner.read(), Some(carried.tunnel)));
        let concerns_an_exchange = match &outcome {
            Outcome::Content(Content::Datagram(_)) | Outcome::Named { .. } => true,
            // Connections inside a tunnel are not followed.
            Outcome::Content(Content::IcmpError(error)) | Outcome::NamedError { error, .. } => {
                !error.quotes_segment()
            }
            _ => false,
        };
        (concerns_an_exchange || carries_connection).then_some((outcome, tunnel))
    }

    fn is_tcp(&self) -> bool {
        let protocol = self.header.and_then(|header| header.protocol);
        let Stage::Sides { summary, .. } = &self.stage else { return false };
        protocol.map_or_else(|| is_tcp(summary), |protocol| protocol == TCP)
    }

    fn find_in_udp<'a>(
        &'a self,
        source: &'a str,
        destination: &'a str,
        summary: &'a str,
    ) -> Option<Carried<'a>> {
        let addressed =
            parse_addressed(self.header.as_ref(), source, destination, summary).ok()??;
        let (source, destination) =
            (addressed.source.stand_in(self.family), addressed.destination.stand_in(self.family));
        let super::Transport::Udp { summary, .. } = addressed.transport else { return None };
        find_carried(source, destination, summary, &self.body)
    }
}
