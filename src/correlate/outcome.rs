//! All exchanges, put together one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::audience::Audience;
use super::bypass;
use super::cables::Cables;
use super::details::Details;
use super::ended;
use super::fold::Folded;
use super::join::{self, ClockOffset, Group, Groups, Stated};
use super::moved;
use super::record::{Flag, Record, is_group};
use super::roles;
use super::table::PointTable;
use super::view::{Sighting, sighting};
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{AddressTranslation, DeviceRule, Exchange, Point, PointId, Replies};
use crate::model::finding::Verdict;
use crate::model::protocol::Protocol;
use crate::model::topology::{Role, Topology};

/// All exchanges, and what was learned on the way.
///
/// The exchanges stay as small as they were counted; each is made whole only
/// while somebody looks at it.
#[derive(Debug)]
pub struct Correlated {
    pub points: Vec<Point>,
    /// Each capture's clock minus the first one's, where datagrams were seen at both.
    pub clock_offsets: BTreeMap<CaptureId, ClockOffset>,
    /// Packets of clients for which there was no room, per point.
    pub unfollowed_packets: BTreeMap<PointId, u64>,
    tables: Vec<PointTable>,
    groups: Groups,
}

/// What is left of exchanges that nobody needs any more: small pieces of memory, of
/// which giving back many takes long.
#[derive(Debug)]
pub struct Remains(
    #[expect(dead_code, reason = "it is there to be dropped")]
    #[expect(clippy::vec_box, reason = "to move what is in the boxes is what takes long")]
    Vec<Box<Details>>,
);

/// One exchange, made whole when asked for.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    correlated: &'a Correlated,
    topology: &'a Topology,
    group: Group,
}

impl Entry<'_> {
    /// The exchange; `None` where nothing was captured of it.
    #[must_use]
    pub fn exchange(&self) -> Option<Exchange> {
        let mut exchange = self.correlated.exchange(&self.group)?;
        let (device, rule) = roles::choose_device(&exchange, self.topology);
        exchange.device = device;
        exchange.device_rule = rule;
        Some(exchange)
    }

    /// The client's socket and whom it asked, as the first point saw them.
    #[must_use]
    pub fn find_ends(&self) -> Option<(Endpoint, Option<Endpoint>)> {
        let place = self.group.first()?;
        let record = &self.correlated.tables[place.table].exchanges[place.position];
        Some((record.client, record.asked))
    }

    /// Whether one of `addresses` takes part, at whichever point.
    #[must_use]
    pub fn concerns(&self, addresses: &BTreeSet<IpAddr>) -> bool {
        self.group.iter().any(|place| {
            let record = &self.correlated.tables[place.table].exchanges[place.position];
            let mut found = false;
            record.visit_addresses(&mut |address| found |= addresses.contains(&address));
            found
        })
    }

    /// What to count instead of the exchange, where every request was answered
    /// by the endpoint asked, or its protocol wants no answer, and no other
    /// point or role could say otherwise.
    #[must_use]
    pub fn find_well(&self) -> Option<WellExchanges> {
        let [place] = self.group[..] else { return None };
        let record = &self.correlated.tables[place.table].exchanges[place.position];
        let asked = record.asked?.address;
        let plain = record.is_unremarkable()
            && !record.protocol.moves_by_design()
            && self.topology.role_of(asked) != Role::Broadcast;
        if !plain || record.flags.has(Flag::LooksLikeTftp) {
            return None;
        }
        let client = record.client.address;
        let protocol = record.find_disproof().unwrap_or(record.protocol);
        Some(WellExchanges::new(client, asked, protocol, self.topology, 1))
    }
}

/// Exchanges of one device that went well and are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellExchanges {
    /// Who asked, and who was asked.
    pub ends: [IpAddr; 2],
    pub device: IpAddr,
    pub device_rule: DeviceRule,
    pub protocol: Protocol,
    pub verdict: Verdict,
    pub exchanges: u64,
}

impl WellExchanges {
    fn new(
        client: IpAddr,
        asked: IpAddr,
        protocol: Protocol,
        topology: &Topology,
        exchanges: u64,
    ) -> Self {
        let (device, device_rule) = roles::choose_side(client, Some(asked), protocol, topology);
        let verdict = if protocol.is_one_way() { Verdict::OneWay } else { Verdict::Symmetric };
        Self { ends: [client, asked], device, device_rule, protocol, verdict, exchanges }
    }
}

impl Correlated {
    pub(super) fn new(
        tables: Vec<PointTable>,
        points: Vec<Point>,
        unfollowed_packets: BTreeMap<PointId, u64>,
        stated: &Stated,
        topology: &mut Topology,
    ) -> Self {
        let groups = join::join(&tables, &points, stated, topology);
        let clock_offsets = join::clock_offsets(&groups, &tables, &points);
        let correlated = Self { points, clock_offsets, unfollowed_packets, tables, groups };
        for table in &correlated.tables {
            table.broadcasts.infer(topology);
        }
        let cables = Cables::of(&correlated.tables, &correlated.points);
        for group in correlated.groups.iter() {
            if let Some(asked) = correlated.find_broadcast(&group) {
                roles::infer_broadcast(asked, topology);
            }
            if let Some(exchange) = correlated.telling(&group) {
                roles::infer(&exchange, &correlated.points, &cables, topology);
            }
        }
        correlated
    }

    /// How many exchanges there are.
    #[must_use]
    pub const fn entry_count(&self) -> usize {
        self.groups.len()
    }

    /// The exchange with this number, still small.
    #[must_use]
    pub fn entry<'a>(&'a self, number: usize, topology: &'a Topology) -> Option<Entry<'a>> {
        self.groups.get(number).map(|group| Entry { correlated: self, topology, group })
    }

    /// All exchanges, each still small.
    pub fn entries<'a>(&'a self, topology: &'a Topology) -> impl Iterator<Item = Entry<'a>> + 'a {
        (0..self.entry_count()).filter_map(|number| self.entry(number, topology))
    }

    /// Gives back the large pieces of memory at once.
    #[must_use]
    pub fn into_remains(mut self) -> Remains {
        let records = self.tables.iter_mut().flat_map(|table| &mut table.exchanges);
        Remains(records.filter_map(|record| record.details.take()).collect())
    }

    /// Exchanges that went well long before the capture ended.
    pub fn well_exchanges<'a>(
        &'a self,
        topology: &'a Topology,
    ) -> impl Iterator<Item = WellExchanges> + 'a {
        let folds = self.tables.iter().flat_map(|table| table.folds.iter());
        folds.map(|Folded { client, asked, protocol, exchanges }| {
            WellExchanges::new(client, asked, protocol, topology, exchanges.into())
        })
    }

    /// The exchange, if its packets may tell the role of an address.
    fn telling(&self, group: &Group) -> Option<Exchange> {
        let tells = group.iter().any(|place| {
            let table = &self.tables[place.table];
            let at_pod = self.points[place.table].kind == PointKind::Pod;
            let details = table.exchanges[place.position].details.as_deref();
            let replies = details.map(|details| details.replies.as_slice()).unwrap_or_default();
            at_pod || replies.iter().any(|replies| replies.origin.is_changed())
        });
        if tells { self.exchange(group) } else { None }
    }

    /// The address asked, if its answers show that it stands for all hosts of a network.
    fn find_broadcast(&self, group: &Group) -> Option<IpAddr> {
        group.iter().find_map(|place| {
            let record = &self.tables[place.table].exchanges[place.position];
            let asked = record.asked.filter(|_| record.audience == Audience::Group)?;
            (!is_group(asked.address)).then_some(asked.address)
        })
    }

    fn sighting(&self, record: &Record, table: &PointTable, place: join::Place) -> Sighting {
        let point = &self.points[place.table];
        let Some(joined) = table.joined.find(place.position) else {
            return sighting(record, table, point);
        };
        let mut whole = sighting(record, table, &joined.point(point));
        whole.view.beside = joined.beside;
        table.joined.restore_frames(&mut whole.view);
        whole
    }

    fn exchange(&self, group: &Group) -> Option<Exchange> {
        let mut seen: Vec<(Endpoint, Sighting)> = group
            .iter()
            .map(|place| {
                let table = &self.tables[place.table];
                let record = &table.exchanges[place.position];
                (record.client, self.sighting(record, table, *place))
            })
            .collect();
        moved::join_follow_ups(&mut seen, &self.clock_offsets);
        bypass::join_answers(&mut seen, &self.points, &self.clock_offsets);
        ended::note_late_answers(&mut seen, &self.clock_offsets);
        let translations = translations(&seen);
        let (client, first) = seen.first()?;
        // An answer that one of the points saw tells of what all of them saw.
        let disproved = seen.iter().map(|(_, seen)| seen.protocol).find(|own| !own.is_one_way());
        let protocol = disproved.filter(|_| first.protocol.is_one_way()).unwrap_or(first.protocol);
        Some(Exchange {
            protocol,
            client: *client,
            device: client.address,
            device_rule: DeviceRule::Initiator,
            translations,
            tracked: Vec::new(),
            views: seen.into_iter().map(|(_, sighting)| sighting.view).collect(),
        })
    }
}

/// How addresses change between the first view and each other one.
fn translations(seen: &[(Endpoint, Sighting)]) -> Vec<AddressTranslation> {
    let Some(((client, first), others)) = seen.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for (other_client, other) in others {
        let (near, far) = (&first.view, &other.view);
        let mut push = |from: PointId, to: PointId, before: Endpoint, after: Endpoint| {
            if before != after {
                found.push(AddressTranslation { from, to, before, after });
            }
        };
        push(far.point, near.point, *other_client, *client);
        if let (Some(before), Some(after)) = (near.asked, far.asked) {
            push(near.point, far.point, before, after);
        }
        let answered_at = near.beside.map_or(near.point, |beside| beside.point);
        for (before, after) in pair_replies(&far.replies, &near.replies) {
            push(far.point, answered_at, before, after);
        }
    }
    found
}

/// Which source of replies at one point is which at another. Translation mostly leaves the
/// port as it is; where it changes all of them, they come in one order. A reply that was
/// seen at one point only has no counterpart.
fn pair_replies(far: &[Replies], near: &[Replies]) -> Vec<(Endpoint, Endpoint)> {
    let mut left: Vec<Endpoint> = near.iter().map(|replies| replies.source).collect();
    let sources = || far.iter().map(|replies| replies.source);
    let by_port: Vec<(Endpoint, Endpoint)> = sources()
        .filter_map(|before| {
            let same = left.iter().position(|after| after.port == before.port)?;
            Some((before, left.remove(same)))
        })
        .collect();
    if by_port.is_empty() && far.len() == near.len() {
        return sources().zip(near.iter().map(|replies| replies.source)).collect();
    }
    by_port
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::{Origin, Tally};

    #[test]
    fn replies_of_two_points_are_paired_by_their_ports() {
        type Ports = &'static [u16];
        type Case = (&'static str, Ports, Ports, &'static [(u16, u16)]);
        let cases: [Case; 6] = [
            ("one", &[40_001], &[40_001], &[(40_001, 40_001)]),
            ("the first was lost", &[40_001, 40_002], &[40_002], &[(40_002, 40_002)]),
            ("the last was lost", &[40_001, 40_002], &[40_001], &[(40_001, 40_001)]),
            ("a random port", &[40_001], &[1_024], &[(40_001, 1_024)]),
            ("random ports", &[40_001, 40_002], &[7, 8], &[(40_001, 7), (40_002, 8)]),
            ("random ports, and a loss", &[40_001, 40_002], &[7], &[]),
        ];
        for (pod, node) in [("10.244.1.16", "192.0.2.13"), ("fd00::16", "2001:db8::13")] {
            let replies = |address: &str, ports: &[u16]| -> Vec<Replies> {
                let source = |port| Endpoint::new(address.parse().unwrap(), port);
                let of = |port: &u16| Replies {
                    source: source(*port),
                    origin: Origin::Asked,
                    tally: Tally::NONE,
                    awaits_follow_up: true,
                };
                ports.iter().map(of).collect()
            };
            for (name, far, near, expected) in cases {
                let paired = pair_replies(&replies(pod, far), &replies(node, near));
                let ports: Vec<_> =
                    paired.iter().map(|(before, after)| (before.port, after.port)).collect();
                assert_eq!(ports, expected, "{name}");
            }
        }
    }
}
