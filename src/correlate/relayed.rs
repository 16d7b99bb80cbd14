//! Requests that leave a node under its own address, by the interface at which
//! they came: `externalTrafficPolicy: Cluster` with the pod on another node.
//!
//! Both endpoints are other ones then, so the payload is all that the two
//! sightings have in common.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::passage::{Header, Passage};
use super::signature::shorten;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Datagram, Packet};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A node passes a datagram on within this time.
const PASSING: Duration = Duration::from_millis(5);
/// More requests than these do not pass a node at one time.
const MAX_RECENT: usize = 32;

/// The requests, or the first messages that want no answer, of the latest exchanges.
#[derive(Debug, Default)]
pub struct LatestRequests {
    /// Oldest first.
    latest: VecDeque<Opened>,
    /// What is left of their fingerprints, one behind the other: nearly always it shows
    /// that a datagram is none of them.
    digests: [u32; MAX_RECENT],
    next_digest: usize,
    /// So many of them are cut.
    cut: usize,
}

#[derive(Debug)]
struct Opened {
    at: Timestamp,
    fingerprint: Option<u64>,
    length: u32,
    is_cut: bool,
    /// Many devices tell a collector the same, when they boot: only the mark of its packet
    /// tells a message from another's.
    is_one_way: bool,
    header: Header,
    client: Endpoint,
    asked: Endpoint,
}

impl LatestRequests {
    /// Notes a request that opened an exchange.
    pub fn note(&mut self, packet: &Packet, datagram: &Datagram, protocol: Protocol) {
        if self.latest.len() == MAX_RECENT
            && let Some(oldest) = self.latest.pop_front()
        {
            self.cut -= usize::from(oldest.is_cut);
        }
        self.cut += usize::from(datagram.is_cut);
        if let Some(digest) = self.digests.get_mut(self.next_digest) {
            *digest = datagram.fingerprint.map_or(0, shorten);
        }
        self.next_digest = (self.next_digest + 1) % MAX_RECENT;
        self.latest.push_back(Opened {
            at: packet.at,
            fingerprint: datagram.fingerprint,
            length: datagram.length,
            is_cut: datagram.is_cut,
            is_one_way: protocol.is_one_way(),
            header: Header::of(packet),
            client: datagram.flow.source,
            asked: datagram.flow.destination,
        });
    }

    /// What `datagram` shows of the latest one of them that its sender sent `within` so
    /// long before it, in the same words, to somebody else.
    pub fn find_passage(
        &self,
        packet: &Packet,
        datagram: &Datagram,
        within: Duration,
    ) -> Option<Passage> {
        let fingerprint = datagram.fingerprint.filter(|_| self.may_have(datagram))?;
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let recent =
            self.latest.iter().rev().take_while(|opened| packet.at.since(opened.at) <= within);
        let mut same = recent.filter(|opened| {
            opened.fingerprint == Some(fingerprint)
                && opened.client == source
                && opened.asked != destination
        });
        same.next().map(|opened| opened.header.passage_to(Header::of(packet)))
    }

    /// Whether `datagram` is one of them, between two other addresses of the same
    /// family. Translation keeps the payload; who sends anew, as a proxy does, or asks
    /// the same by chance, sends another packet. Two strangers that do, as devices
    /// that boot together read one file, need more to be taken for one than that
    /// nothing speaks against it.
    pub fn has_passed(&self, packet: &Packet, datagram: &Datagram) -> bool {
        if !self.may_have(datagram) {
            return false;
        }
        let header = Header::of(packet);
        let (source, destination) =
            (datagram.flow.source.address, datagram.flow.destination.address);
        self.latest.iter().rev().take_while(|opened| packet.at.since(opened.at) <= PASSING).any(
            |opened| {
                let ends = [opened.client.address, opened.asked.address];
                opened.is_like(datagram, header)
                    && (!opened.is_one_way || opened.header.has_mark_of(header))
                    && opened.header.passage_to(header) == Passage::PassedOn
                    && source.is_ipv4() == opened.client.address.is_ipv4()
                    && (!ends.contains(&source) || opened.is_sent_on_by_asked(source, header))
                    && !ends.contains(&destination)
            },
        )
    }
}

impl LatestRequests {
    /// Whether one of them may say the same as `datagram`.
    fn may_have(&self, datagram: &Datagram) -> bool {
        let is_among = |fingerprint| self.digests.contains(&shorten(fingerprint));
        datagram.is_cut || self.cut > 0 || datagram.fingerprint.is_some_and(is_among)
    }
}

impl Opened {
    /// Whether the address that was asked sent it on in its own name: a balancer that owns the
    /// address translates both ends. So does a server there that asks another for its client,
    /// with a packet of its own; what is passed on keeps its mark, and has a hop less
    /// (RFC 791 section 3.2, RFC 8200 section 3).
    fn is_sent_on_by_asked(&self, source: IpAddr, header: Header) -> bool {
        let hops = self.header.hop_limit.zip(header.hop_limit);
        source == self.asked.address
            && self.header.has_mark_of(header)
            && hops.is_some_and(|(before, now)| now < before)
    }

    /// Whether `datagram` says the same. Where a snap length left less of one of them,
    /// as in a tunnel, length and header have to do.
    fn is_like(&self, datagram: &Datagram, header: Header) -> bool {
        let is_same = self.fingerprint.is_some() && self.fingerprint == datagram.fingerprint;
        let is_marked = (self.is_cut || datagram.is_cut)
            && self.length == datagram.length
            && self.header.has_mark_of(header);
        is_same || is_marked
    }
}
