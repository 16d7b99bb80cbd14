//! The live exchanges of one capture point, and which of them a packet belongs to.

pub mod directed;
mod elsewhere;
mod giaddr;
mod known;
mod lease;
mod places;
mod quoted;
mod reversed;
mod stray;
mod troubles;
mod tunnelled;

use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::audience::Audience;
use super::broadcasts::{Broadcasts, looks_like_broadcast};
use super::clients::Clients;
use super::flows::{Flows, Foreseen};
use super::fold::Folds;
use super::halves::JoinedHere;
use super::identities::Identities;
use super::index::Hasher;
use super::payload_address::PayloadAddresses;
use super::record::{ExchangeIndex, Record, is_group};
use super::relayed::LatestRequests;
use super::unfold;
use super::untranslated;
use super::view::checks::Checks;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PointId;
use crate::model::packet::{Datagram, Packet};
use crate::model::time::Timestamp;
use giaddr::Relays;
use lease::Leases;
use tunnelled::LatestTunnelled;

/// Exchanges of one client socket that are tried for a packet from elsewhere.
const MAX_CANDIDATES: usize = 32;

/// What one capture point sees.
#[derive(Debug)]
pub struct PointTable {
    pub id: PointId,
    pub exchanges: Vec<Record>,
    /// Places in `exchanges` that are free again.
    pub vacant: Vec<ExchangeIndex>,
    pub folds: Folds,
    pub observed: Option<(Timestamp, Timestamp)>,
    /// Packets of clients for which there was no room.
    pub unfollowed_packets: u64,
    pub hasher: Hasher,
    pub flows: Flows,
    pub clients: Clients,
    /// The servers' transfer identifiers (RFC 1350 section 4).
    pub by_tid: HashMap<Endpoint, ExchangeIndex>,
    /// Those of them that several clients were answered from.
    pub shared_tids: HashSet<Endpoint>,
    /// What turned out to be the broadcast addresses of networks.
    pub broadcasts: Broadcasts,
    /// Something ran out of hops here.
    pub has_expired: bool,
    /// Exchanges that are known to be another table's, passed on.
    pub passed_on: HashSet<ExchangeIndex>,
    /// Exchanges behind the translation whose answers left as they were.
    pub left_untranslated: HashSet<ExchangeIndex>,
    /// What is known of exchanges that other points saw as well.
    pub joined: JoinedHere,
    /// Which endpoints answered whose checks, once all packets are in.
    pub checks: Checks,
    payload_addresses: PayloadAddresses,
    relays: Relays,
    leases: Leases,
    tunnelled: LatestTunnelled,
    latest_requests: LatestRequests,
    /// What sockets that ask very many have asked.
    identities: Identities,
    /// Exchanges between the same two endpoints, asked by the other one.
    reversed: HashMap<ExchangeIndex, ExchangeIndex>,
    max_exchanges: usize,
    /// Where one interface shows datagrams before and after translation
    /// (`-i any` without interface names), what is seen after it stands here.
    translated: Option<Box<PointTable>>,
}

impl PointTable {
    pub fn new(id: PointId, max_exchanges: usize, hasher: Hasher) -> Self {
        Self {
            id,
            exchanges: Vec::new(),
            vacant: Vec::new(),
            folds: Folds::default(),
            observed: None,
            unfollowed_packets: 0,
            hasher,
            flows: Flows::default(),
            clients: Clients::default(),
            by_tid: HashMap::new(),
            shared_tids: HashSet::new(),
            broadcasts: Broadcasts::default(),
            has_expired: false,
            passed_on: HashSet::new(),
            left_untranslated: HashSet::new(),
            joined: JoinedHere::default(),
            checks: Checks::default(),
            payload_addresses: PayloadAddresses::default(),
            relays: Relays::default(),
            leases: Leases::default(),
            tunnelled: LatestTunnelled::default(),
            latest_requests: LatestRequests::default(),
            identities: Identities::default(),
            reversed: HashMap::new(),
            max_exchanges,
            translated: None,
        }
    }

    /// Notes that something was captured at `at`: silence of others is observed until then.
    #[inline]
    pub fn observe(&mut self, at: Timestamp) {
        let (first, last) = self.observed.get_or_insert((at, at));
        *first = (*first).min(at);
        *last = (*last).max(at);
    }

    /// Whether what stands here was seen behind the translation.
    const fn is_behind(&self) -> bool {
        self.id.interface != self.id.as_captured().interface
    }

    /// The table of what is seen here after translation, if anything is.
    /// `is_cluster` says whose addresses are translated.
    pub fn take_translated(&mut self, is_cluster: &dyn Fn(IpAddr) -> bool) -> Option<PointTable> {
        let mut table = *self.translated.take()?;
        if let Some(mut further) = table.take_translated(is_cluster) {
            unfold::unfold(&mut table, &mut further, is_cluster);
        }
        untranslated::show(self, &mut table);
        unfold::unfold(self, &mut table, is_cluster);
        table.observed = self.observed;
        let is_empty = table.exchanges.is_empty() && table.folds.iter().next().is_none();
        (!is_empty).then_some(table)
    }

    /// Gives back what only further packets would need; the report takes as much.
    pub fn forget_flows(&mut self) {
        self.flows = Flows::default();
        self.by_tid = HashMap::new();
        self.shared_tids = HashSet::new();
        self.checks = Checks::of(&self.exchanges, self.id.capture);
    }

    /// Calls `visit` with the addresses of all exchanges here, some of them often.
    pub fn visit_addresses(&self, visit: &mut dyn FnMut(IpAddr)) {
        for exchange in self.exchanges.iter().filter(|exchange| !exchange.is_vacant()) {
            exchange.visit_addresses(visit);
        }
        if let Some(translated) = &self.translated {
            translated.visit_addresses(visit);
        }
    }

    /// Whether a client socket has other exchanges than one: it may be answered
    /// by anybody, for all that time tells.
    pub fn asks_many(&self, client: Endpoint) -> bool {
        self.clients.exchanges(&self.hasher, &self.exchanges, client).nth(1).is_some()
    }

    /// Looks ahead for the flow of a datagram, by the hash of its ends.
    #[inline]
    pub fn foresee(&self, hash: u64) -> Foreseen {
        self.flows.foresee(hash)
    }

    /// Reads of the exchange that was foreseen, so that it is at hand for its datagram;
    /// where none was, of what is known of the sender, who may open one.
    #[inline]
    pub fn fetch(&self, foreseen: Foreseen, datagram: &Datagram) {
        match self.flows.find_exchange(foreseen).and_then(|place| self.exchanges.get(place)) {
            Some(exchange) => exchange.fetch(),
            None => self.clients.fetch(&self.hasher, datagram.flow.source),
        }
    }

    /// Puts a datagram where it belongs.
    pub fn datagram(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        let hash = self.hasher.pair(datagram.flow.source, datagram.flow.destination);
        let foreseen = self.foresee(hash);
        self.foreseen_datagram(packet, frame, datagram, foreseen);
    }

    /// As [`datagram`](Self::datagram), with what was foreseen of it.
    pub fn foreseen_datagram(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        foreseen: Foreseen,
    ) {
        if packet.tunnel.is_some() {
            self.tunnelled.note(packet, datagram);
        }
        if packet.is_to_all_hosts(datagram.flow.destination.address) {
            self.check_link_headers(datagram.flow.destination);
        }
        if (giaddr::is_between_servers(datagram) && self.reply_to_relay(packet, frame, datagram))
            || (lease::may_be_of_lease(datagram) && self.lease(packet, frame, datagram))
        {
            return;
        }
        self.place(packet, frame, datagram, foreseen);
    }

    /// Puts a datagram where its ends and what it says make it belong.
    fn place(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram, foreseen: Foreseen) {
        if self.known_flow(packet, frame, datagram, foreseen)
            || self.translated.as_mut().is_some_and(|table| {
                let foreseen = table.foresee(foreseen.hash);
                table.known_flow(packet, frame, datagram, foreseen)
            })
            || self.reply_from_elsewhere(packet, frame, datagram)
        {
            return;
        }
        let source = datagram.flow.source;
        let latest = self.clients.find_latest(&self.hasher, &self.exchanges, source);
        if self.follow_up_to_elsewhere(packet, frame, datagram, latest)
            || self.translated_copy(packet, frame, datagram, latest)
            || self.reply_to_payload(packet, frame, datagram)
            || self
                .translated
                .as_mut()
                .is_some_and(|table| table.reply_to_payload(packet, frame, datagram))
        {
            return;
        }
        self.open(packet, frame, datagram, foreseen.hash);
    }

    /// A frame for all hosts goes to `destination`. If that asked in such a frame what may
    /// be a host, the frames of this capture were made by hand.
    fn check_link_headers(&mut self, destination: Endpoint) {
        let may_be_host = |record: &Record| {
            record.audience != Audience::One
                && record.asked.is_some_and(|asked| {
                    !is_group(asked.address) && !looks_like_broadcast(asked.address)
                })
        };
        let asked: SmallVec<[ExchangeIndex; 4]> = self
            .exchanges_of(destination)
            .filter(|(_, record)| may_be_host(record))
            .map(|(index, _)| index)
            .collect();
        if asked.is_empty() {
            return;
        }
        self.broadcasts.doubt();
        for index in asked {
            self.exchanges[index.position()].audience = Audience::Untold;
        }
    }

    fn exchanges_of(&self, client: Endpoint) -> impl Iterator<Item = (ExchangeIndex, &Record)> {
        self.clients.exchanges(&self.hasher, &self.exchanges, client).take(MAX_CANDIDATES)
    }
}
