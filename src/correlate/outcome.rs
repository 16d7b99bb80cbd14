//! All exchanges, put together one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::fold::Folded;
use super::join::{self, ClockOffset, Group, Groups, Stated};
use super::roles;
use super::table::PointTable;
use super::view::{Sighting, sighting};
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{AddressTranslation, DeviceRule, Exchange, Point, PointId, View};
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
        if !plain || record.looks_like_tftp {
            return None;
        }
        let client = record.client.address;
        Some(WellExchanges::new(client, asked, record.protocol, self.topology, 1))
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
        let groups = join::join(&tables, &points, stated);
        let clock_offsets = join::clock_offsets(&groups, &tables);
        let correlated = Self { points, clock_offsets, unfollowed_packets, tables, groups };
        for table in &correlated.tables {
            table.broadcasts.infer(topology);
        }
        for exchange in correlated.groups.iter().filter_map(|group| correlated.telling(&group)) {
            roles::infer(&exchange, &correlated.points, topology);
        }
        correlated
    }

    /// All exchanges, each still small.
    pub fn entries<'a>(&'a self, topology: &'a Topology) -> impl Iterator<Item = Entry<'a>> + 'a {
        self.groups.iter().map(move |group| Entry { correlated: self, topology, group })
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

    fn exchange(&self, group: &Group) -> Option<Exchange> {
        let seen: Vec<(Endpoint, Sighting)> = group
            .iter()
            .map(|place| {
                let table = &self.tables[place.table];
                let record = &table.exchanges[place.position];
                (record.client, sighting(record, table, &self.points[place.table]))
            })
            .collect();
        let translations = translations(&seen);
        let (client, first) = seen.first()?;
        Some(Exchange {
            protocol: first.protocol,
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
        let mut push = |from: &View, to: &View, before: Endpoint, after: Endpoint| {
            if before != after {
                found.push(AddressTranslation { from: from.point, to: to.point, before, after });
            }
        };
        push(far, near, *other_client, *client);
        if let (Some(before), Some(after)) = (near.asked, far.asked) {
            push(near, far, before, after);
        }
        for (before, after) in far.replies.iter().zip(&near.replies) {
            push(far, near, before.source, after.source);
        }
    }
    found
}
