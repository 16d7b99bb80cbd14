//! Exchanges of which one point saw one side, and another point the other.
//!
//! A host with two uplinks answers by another interface than the one at which it was
//! asked; a tap has an interface, or a file, for each direction; of bonded links each
//! carries some flows. Every point has a table of its own, so that an exchange looks
//! unanswered in one and unasked in the other.
//!
//! Its packets are kept until it shows both its sides at one point. What is left in the
//! end is gone through again as one point would have seen it; where that gives one
//! exchange instead of two, they are one.

mod again;
mod commit;
mod errors;
mod joined;
mod kept;
mod quoted;
mod replay;
mod rough;
mod socket;
mod stray;

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use self::errors::Errors;
pub use self::joined::JoinedHere;
pub use self::kept::Kept;
use self::kept::Seen;
use self::quoted::Said;
use self::socket::Sockets;
use super::Place;
use super::audience::Audience;
use super::flows::Foreseen;
use super::points::kind_by_name;
use super::record::{ExchangeIndex, Record};
use super::table::PointTable;
use super::table::directed::{Directed, find_role};
use super::tftp::is_tftp_protocol;
use crate::model::capture::{DISORDER, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PointId;
use crate::model::packet::{Content, Datagram, Packet};
use crate::model::time::Timestamp;

/// Of longer exchanges nothing is kept.
const MOST_PACKETS: usize = 32_768;
/// Exchanges of one socket among which a packet's is looked for.
const MAX_CANDIDATES: usize = 32;

/// What one point saw of an exchange, where it did not see both sides.
#[derive(Debug)]
struct Half {
    /// Where it stands among the tables.
    table: usize,
    index: ExchangeIndex,
    first_at: Timestamp,
    /// Its packets, by their places among those that were kept.
    packets: Vec<usize>,
}

/// How far apart the points of one exchange may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    OneCapture,
    AllCaptures,
}

/// Everything that is looked at.
struct Scene<'a> {
    tables: &'a mut [PointTable],
    /// The tables' kinds, as far as names and senders tell.
    kinds: &'a [PointKind],
    /// The host whose clock each table's times are of, as far as senders tell.
    nodes: &'a [Option<String>],
    /// The tables by their points.
    by_point: &'a HashMap<PointId, usize>,
    kept: &'a [Seen],
    /// ICMP errors that are of no half.
    errors: Errors,
}

/// Puts together what the tables of several points saw of one exchange.
pub fn join(tables: &mut [PointTable], kept: Kept, places: &BTreeMap<PointId, Place>) {
    let own: HashSet<PointId> = tables.iter().map(|table| table.id.as_captured()).collect();
    if own.len() < 2 {
        return;
    }
    let has_lost = kept.has_lost();
    let kept = kept.into_packets();
    let by_point = tables.iter().enumerate().map(|(place, table)| (table.id, place)).collect();
    let (mut halves, errors) = find_halves(tables, &by_point, &kept);
    // What is seen of one direction does not tell the side of the translation, as addresses do
    // where both are: an answer that leaves untranslated has the pod's. Names do.
    let kinds: Vec<PointKind> = tables.iter().map(|table| kind_by_name(table.id, places)).collect();
    let nodes: Vec<Option<String>> =
        tables.iter().map(|table| find_node(table.id, places)).collect();
    let (kinds, nodes) = (&*kinds, &*nodes);
    let mut scene = Scene { tables, kinds, nodes, by_point: &by_point, kept: &kept, errors };
    for reach in [Reach::OneCapture, Reach::AllCaptures] {
        let sockets = Sockets::of(&halves, scene.tables);
        let mut joined = Vec::new();
        for members in sockets.in_order() {
            socket::join(&mut scene, reach, &sockets, members, &mut halves, &mut joined);
        }
        halves.retain(|half| !half.packets.is_empty());
        halves.append(&mut joined);
    }
    rough::join(tables, kinds, has_lost);
}

/// The node that the sender, or the capture itself, names for a point.
fn find_node(point: PointId, places: &BTreeMap<PointId, Place>) -> Option<String> {
    places.get(&point.as_captured())?.point.node.clone()
}

impl Scene<'_> {
    /// Whether the times of two tables are of one clock: of one capture, or of one host.
    fn have_one_clock(&self, one: usize, other: usize) -> bool {
        let [here, there] = [one, other].map(|table| self.tables[table].id.capture);
        here == there || (self.nodes[one].is_some() && self.nodes[one] == self.nodes[other])
    }
}

/// The halves of all tables, and the errors that are of none of them.
fn find_halves(
    tables: &[PointTable],
    by_point: &HashMap<PointId, usize>,
    kept: &[Seen],
) -> (Vec<Half>, Errors) {
    let mut found: BTreeMap<(usize, ExchangeIndex), Vec<usize>> = BTreeMap::new();
    let mut errors = Errors::default();
    let mut said = Said::default();
    for (number, seen) in kept.iter().enumerate() {
        let Some(&table) = by_point.get(&seen.point) else { continue };
        let index = tables[table].find_exchange_of(&seen.packet, seen.packet.at);
        if let (Some(_), Content::IcmpError(error)) = (index, &seen.packet.content)
            && let Some(client) = said.find_asking(kept, &tables[table], error, seen.packet.at)
        {
            errors.add_of(number, client);
            continue;
        }
        match (index, &seen.packet.content) {
            (Some(index), _) => found.entry((table, index)).or_default().push(number),
            (None, Content::IcmpError(error)) => errors.add(number, error),
            (None, _) => {}
        }
    }
    let halves = found.into_iter().filter_map(|((table, index), packets)| {
        let record = tables[table].exchanges.get(index.position())?;
        let is_complete = packets.len() >= record.counted_packets();
        let first_at = record.times().0;
        (is_complete && !record.is_whole()).then_some(Half { table, index, first_at, packets })
    });
    (halves.collect(), errors)
}

/// Who sent a datagram to whom, or the one that an ICMP error quotes.
fn find_flow_ends(packet: &Packet) -> Option<(Endpoint, Endpoint)> {
    match &packet.content {
        Content::Datagram(datagram) => Some((datagram.flow.source, datagram.flow.destination)),
        Content::FragmentsLost(lost) => lost.flow.map(|flow| (flow.source, flow.destination)),
        Content::IcmpError(error) => {
            let quote = error.quote?;
            quote.source_endpoint().zip(quote.destination_endpoint())
        }
        Content::Discarded(_)
        | Content::Dropped(_)
        | Content::Neighbour(_)
        | Content::Segment(_) => None,
    }
}

impl PointTable {
    /// Whether the rest of a datagram's exchange, as far as it is known here, may have been
    /// seen elsewhere; asked once the datagram has been counted.
    pub fn awaits_rest(&self, datagram: &Datagram, foreseen: Option<Foreseen>) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let known = foreseen.and_then(|foreseen| {
            self.flows.look_foreseen(&self.exchanges, foreseen, source, destination)
        });
        let flow =
            known.or_else(|| self.flows.look(&self.hasher, &self.exchanges, source, destination));
        let record = flow.and_then(|flow| self.exchanges.get(flow.exchange.position()));
        record.is_none_or(|record| !record.is_whole())
    }

    /// Whether a packet that was kept is of an exchange here that does not show both its
    /// sides yet.
    pub fn still_awaits_rest(&self, packet: &Packet) -> bool {
        let is_error = matches!(packet.content, Content::IcmpError(_));
        // What is left of an error's quote may tell in the end what it is about.
        let Some((source, destination)) = find_flow_ends(packet) else { return is_error };
        let found = self.flows.look(&self.hasher, &self.exchanges, source, destination);
        let record = found.and_then(|flow| self.exchanges.get(flow.exchange.position()));
        record.map_or(is_error, |record| !record.is_whole())
    }

    /// The exchange to which a packet belongs that came at `at`.
    fn find_exchange_of(&self, packet: &Packet, at: Timestamp) -> Option<ExchangeIndex> {
        let Some((source, destination)) = find_flow_ends(packet) else {
            let Content::IcmpError(error) = &packet.content else { return None };
            // What is left of the quote may do.
            let found = self.find_quoted(error, at);
            return found.map(|(flow, ..)| flow.exchange);
        };
        let role = match &packet.content {
            Content::Datagram(datagram) => find_role(datagram),
            _ => None,
        };
        let found = self.look_directed(Directed { source, destination, role, at });
        let latest = found.map(|flow| flow.exchange);
        let began = |index: ExchangeIndex| Some(self.exchanges.get(index.position())?.times().0);
        // A socket may ask the same server several times, and be answered from one port.
        if latest.and_then(began).is_some_and(|began| at >= began - DISORDER) {
            return latest;
        }
        let asked_by = |client: Endpoint, asked: Endpoint| {
            let own = self.clients.exchanges(&self.hasher, &self.exchanges, client);
            own.take(MAX_CANDIDATES).find(move |(_, record)| {
                let (first_at, last_at) = record.times();
                record.is_between(asked) && at >= first_at - DISORDER && at <= last_at + DISORDER
            })
        };
        let found = asked_by(source, destination).or_else(|| asked_by(destination, source));
        found.map(|(index, _)| index)
    }
}

impl Record {
    /// Whether both sides of the exchange were seen here, as far as it went, or nobody
    /// waits for another side.
    pub fn is_whole(&self) -> bool {
        if self.protocol.is_one_way() || self.is_long() {
            return true;
        }
        if is_tftp_protocol(self.protocol) {
            let went_on = self.details.as_ref().is_some_and(|details| details.progress.is_some());
            return went_on && self.asked.is_some();
        }
        if self.audience == Audience::Group {
            return self.is_answered();
        }
        self.is_answered() && self.unanswered.is_empty() && self.requests.packets > 0
    }

    /// Whether it has more packets than are kept of one exchange.
    fn is_long(&self) -> bool {
        self.counted_packets() > MOST_PACKETS
    }

    /// All packets of both sides, copies left out.
    fn counted_packets(&self) -> usize {
        let plain = u64::from(self.requests.packets) + u64::from(self.answers.packets);
        let details = self.details.iter().map(|details| {
            let replies = details.replies.iter().map(|replies| replies.tally.count.packets);
            let follow_ups = details.follow_ups.iter().map(|sent| sent.tally.count.packets);
            replies.chain(follow_ups).map(u64::from).sum::<u64>()
        });
        usize::try_from(plain + details.sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// Whether the client and `server` exchanged anything in it.
    fn is_between(&self, server: Endpoint) -> bool {
        let is_there = |details: &super::details::Details| {
            details.replies.iter().any(|replies| replies.source == server)
                || details.follow_ups.iter().any(|sent| sent.destination == server)
        };
        self.asked == Some(server) || self.details.as_deref().is_some_and(is_there)
    }
}
