//! The live exchanges of one capture point, and which of them a packet belongs to.

pub mod directed;
mod elsewhere;
mod giaddr;
mod lease;
mod quoted;
mod reversed;
mod stray;
mod troubles;

use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::audience::Audience;
use super::broadcasts::{Broadcasts, looks_like_broadcast};
use super::clients::{Clients, back_from};
use super::fit::Fit;
use super::flows::{Flow, Flows, Foreseen};
use super::fold::{self, Folds};
use super::halves::JoinedHere;
use super::identities::Identities;
use super::index::Hasher;
use super::opening::{OpeningSide, find_opening};
use super::payload_address::PayloadAddresses;
use super::record::{ExchangeIndex, Record, Renewal, is_group};
use super::relayed::LatestRequests;
use super::tftp::{is_tftp_protocol, tftp_shape};
use super::unfold;
use super::view::checks::Checks;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin, PointId};
use crate::model::packet::{Application, Datagram, Packet, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
use giaddr::Relays;

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
    /// What is known of exchanges that other points saw as well.
    pub joined: JoinedHere,
    /// Which endpoints answered whose checks, once all packets are in.
    pub checks: Checks,
    payload_addresses: PayloadAddresses,
    relays: Relays,
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
            joined: JoinedHere::default(),
            checks: Checks::default(),
            payload_addresses: PayloadAddresses::default(),
            relays: Relays::default(),
            latest_requests: LatestRequests::default(),
            identities: Identities::default(),
            reversed: HashMap::new(),
            max_exchanges,
            translated: None,
        }
    }

    /// Notes that something was captured at `at`: silence of others is observed until then.
    pub fn observe(&mut self, at: Timestamp) {
        let (first, last) = self.observed.get_or_insert((at, at));
        *first = (*first).min(at);
        *last = (*last).max(at);
    }

    /// The table of what is seen here after translation, if anything is.
    /// `is_cluster` says whose addresses are translated.
    pub fn take_translated(&mut self, is_cluster: &dyn Fn(IpAddr) -> bool) -> Option<PointTable> {
        let mut table = *self.translated.take()?;
        if let Some(mut further) = table.take_translated(is_cluster) {
            unfold::unfold(&mut table, &mut further, is_cluster);
        }
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
    pub fn foresee(&self, hash: u64) -> Foreseen {
        self.flows.foresee(hash)
    }

    /// Reads of the exchange that was foreseen, so that it is at hand for its datagram;
    /// where none was, of what is known of the sender, who may open one.
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
        if packet.is_to_all_hosts(datagram.flow.destination.address) {
            self.check_link_headers(datagram.flow.destination);
        }
        if (giaddr::is_between_servers(datagram) && self.reply_to_relay(packet, frame, datagram))
            || self.known_flow(packet, frame, datagram, foreseen)
            || self.translated.as_mut().is_some_and(|table| {
                let foreseen = table.foresee(foreseen.hash);
                table.known_flow(packet, frame, datagram, foreseen)
            })
            || self.reply_from_elsewhere(packet, frame, datagram)
            || self.lease(packet, frame, datagram)
        {
            return;
        }
        let source = datagram.flow.source;
        let latest = self.clients.find_latest(&self.hasher, &self.exchanges, source);
        if self.follow_up_to_elsewhere(packet, frame, datagram, latest)
            || self.translated_copy(packet, frame, datagram, latest)
            || self.reply_to_payload(packet, frame, datagram)
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

    fn known_flow(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        foreseen: Foreseen,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let found = self.flows.find_foreseen(&self.exchanges, foreseen, source, destination);
        let Some(flow) = found else { return false };
        if self.takes_reversed(packet, frame, datagram, flow) {
            return true;
        }
        if flow.client != source && self.answers_another(flow, packet, datagram) {
            self.leave(flow);
            return self.reply_from_elsewhere(packet, frame, datagram);
        }
        if flow.client == source && self.stray_answer(packet, frame, datagram, flow) {
            return true;
        }
        let exchange = &mut self.exchanges[flow.exchange.position()];
        if flow.client != source {
            // Of unknown clients only the transaction tells which one is answered.
            if flow.client.is_unknown() && !exchange.is_answered_by(datagram) {
                return false;
            }
            exchange.count_payload_reply(destination);
            exchange.reply(packet, frame, datagram, flow.origin);
            return true;
        }
        if exchange.asked.is_none() && !is_tftp_protocol(exchange.protocol) {
            exchange.ask(flow.server);
        }
        match flow.course {
            Some(course) => exchange.follow_up(packet, frame, datagram, course),
            // Who acknowledges an answer of the endpoint asked follows it.
            None if acknowledges(datagram) && exchange.answers.packets > 0 => {
                exchange.follow_up(packet, frame, datagram, Course::ToAnswerer);
            }
            None if !is_tftp_protocol(exchange.protocol) => {
                exchange.request(packet, frame, datagram);
                self.payload_addresses.note(flow.exchange, datagram);
                self.identities.note(flow.exchange, datagram);
                self.relays.note(flow.exchange, datagram);
            }
            None => self.transfer_request(packet, frame, datagram, flow),
        }
        true
    }

    /// Takes a client's packet to the endpoint of which it asked a TFTP transfer.
    fn transfer_request(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        flow: Flow,
    ) {
        let exchange = &mut self.exchanges[flow.exchange.position()];
        if let Some(renewal) = exchange.find_renewal(datagram, packet.at) {
            if renewal == Renewal::SameAgain {
                self.forget_answerers(flow.exchange);
            }
            let hash = self.hasher.pair(flow.client, flow.server);
            self.open(packet, frame, datagram, hash);
        } else if is_late_for_request(exchange, datagram) {
            let course = course_at_asked_port(exchange, flow.server);
            exchange.follow_up(packet, frame, datagram, course);
        } else {
            exchange.request(packet, frame, datagram);
        }
    }

    /// Lets go of the endpoints that answered a transfer which is over: a server may
    /// answer the next one from the same port.
    fn forget_answerers(&mut self, index: ExchangeIndex) {
        let Some(exchange) = self.exchanges.get(index.position()) else { return };
        let client = exchange.client;
        let replies = exchange.details.iter().flat_map(|details| &details.replies);
        let sources: Vec<Endpoint> = replies.map(|replies| replies.source).collect();
        for source in sources {
            self.flows.forget(&self.hasher, &self.exchanges, client, source);
            self.by_tid.remove(&source);
        }
    }

    /// Whether a reply on a flow of which no request was captured answers what the
    /// same client asked since: the capture began in the middle of an exchange.
    fn answers_another(&self, flow: Flow, packet: &Packet, datagram: &Datagram) -> bool {
        let exchange = &self.exchanges[flow.exchange.position()];
        // Blocks of a transfer ask nobody; a server may answer the next request from the
        // port of the last one.
        let begins_anew = || {
            exchange.is_midway()
                && tftp_shape(datagram).is_some_and(TftpMessage::can_answer_request)
        };
        let is_other = |(index, fit): (ExchangeIndex, Fit)| fit.is_sure() && index != flow.exchange;
        (exchange.asked.is_none() || begins_anew())
            && self.best_reply_fit(datagram, packet.at).is_some_and(is_other)
    }

    /// Gives up a flow that turns out to be another exchange's, and the exchange
    /// that it began, if that was nothing but its replies.
    fn leave(&mut self, flow: Flow) {
        let exchange = &self.exchanges[flow.exchange.position()];
        if exchange.asked == Some(flow.server) {
            self.flows.forget_own(&self.hasher, exchange, flow.exchange);
        }
        self.flows.forget(&self.hasher, &self.exchanges, flow.client, flow.server);
        self.by_tid.remove(&flow.server);
        if self.exchanges[flow.exchange.position()].is_reply_alone() {
            self.clients.remove(&self.hasher, &mut self.exchanges, flow.exchange);
            self.discard(flow.exchange);
        }
    }

    /// Opens an exchange; `hash` is that of the datagram's ends.
    fn open(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram, hash: u64) {
        fold::sweep(self, packet.at);
        let Some(index) = self.free_place() else {
            self.unfollowed_packets += 1;
            return;
        };
        let to = datagram.flow.destination.address;
        let audience = self.broadcasts.audience_of(packet, to);
        let mut opening = find_opening(datagram);
        // What is said to all hosts answers none of them, whatever its address looks like.
        if audience == Audience::Group && !is_group(to) {
            opening.side = OpeningSide::Client;
            self.broadcasts.note_frame(to, frame);
        }
        let (client, server) = match opening.side {
            OpeningSide::Client => (datagram.flow.source, datagram.flow.destination),
            OpeningSide::Server => (datagram.flow.destination, datagram.flow.source),
        };
        let asked = (opening.side == OpeningSide::Client && !opening.is_late).then_some(server);
        let mut exchange = Record::open(opening.protocol, client, asked, datagram);
        if exchange.audience != Audience::Group {
            exchange.audience = audience;
        } else if !is_group(to) {
            self.broadcasts.suspect(to);
        }
        let mut course = None;
        match (opening.side, opening.is_late) {
            (OpeningSide::Server, _) => exchange.reply(packet, frame, datagram, Origin::Unknown),
            (OpeningSide::Client, false) => exchange.request(packet, frame, datagram),
            (OpeningSide::Client, true) => {
                course = Some(Course::AnswererUnseen);
                exchange.follow_up(packet, frame, datagram, Course::AnswererUnseen);
            }
        }
        if asked.is_some() && audience != Audience::Group && opening.protocol.expects_answer() {
            self.latest_requests.note(packet, datagram);
        }
        self.put(index, exchange);
        self.clients.add(&self.hasher, &mut self.exchanges, index);
        self.follow_wide(index, datagram);
        self.payload_addresses.note(index, datagram);
        if asked.is_some() && opening.protocol == Protocol::Dhcp {
            self.relays.note(index, datagram);
        }
        if asked.is_some() {
            self.flows.register_own(hash, &self.exchanges, index);
        } else {
            self.register(Flow {
                client,
                server,
                exchange: index,
                course,
                origin: Origin::Unknown,
            });
        }
    }

    /// Takes an exchange that no flow of datagrams leads to: a handshake. `None`
    /// where there is no room.
    pub fn adopt(&mut self, exchange: Record) -> Option<ExchangeIndex> {
        let index = self.free_place()?;
        self.put(index, exchange);
        Some(index)
    }

    /// Gives up an exchange that was adopted.
    pub fn discard(&mut self, index: ExchangeIndex) {
        if let Some(exchange) = self.exchanges.get_mut(index.position()) {
            exchange.vacate();
            self.passed_on.remove(&index);
            self.vacant.push(index);
        }
    }

    fn free_place(&mut self) -> Option<ExchangeIndex> {
        self.vacant.pop().or_else(|| {
            let has_room = self.exchanges.len() < self.max_exchanges;
            ExchangeIndex::new(self.exchanges.len()).filter(|_| has_room)
        })
    }

    fn put(&mut self, index: ExchangeIndex, exchange: Record) {
        if index.position() == self.exchanges.len() {
            self.exchanges.push(exchange);
        } else {
            self.exchanges[index.position()] = exchange;
        }
    }

    fn register(&mut self, flow: Flow) {
        self.flows.register(&self.hasher, &self.exchanges, flow);
    }

    /// Follows the identities of a socket that has more exchanges than are tried.
    fn follow_wide(&mut self, index: ExchangeIndex, datagram: &Datagram) {
        let Some(client) = self.exchanges.get(index.position()).map(|record| record.client) else {
            return;
        };
        let is_wide = back_from(&self.exchanges, Some(index)).nth(MAX_CANDIDATES - 1).is_some();
        if !is_wide {
            return;
        }
        if self.identities.follows(client) {
            self.identities.note(index, datagram);
            return;
        }
        if self.identities.is_full() {
            return;
        }
        let open = |(index, record): (ExchangeIndex, &Record)| {
            record.unanswered.identities().map(|identity| (identity, index)).collect::<Vec<_>>()
        };
        let known: Vec<_> = self.exchanges_of(client).flat_map(open).collect();
        self.identities.follow(client, known);
    }

    fn exchanges_of(&self, client: Endpoint) -> impl Iterator<Item = (ExchangeIndex, &Record)> {
        self.clients.exchanges(&self.hasher, &self.exchanges, client).take(MAX_CANDIDATES)
    }
}

/// Whether a datagram neither asks nor answers: SIP's ACK, CoAP's acknowledgement.
fn acknowledges(datagram: &Datagram) -> bool {
    matches!(&datagram.application, Application::Transaction(transaction)
        if transaction.role == TransactionRole::Notification)
}

/// TFTP to the port asked that is no request. Where nobody answered, its bytes must say so.
fn is_late_for_request(exchange: &Record, datagram: &Datagram) -> bool {
    match tftp_shape(datagram) {
        Some(message) => !message.is_request(),
        None => exchange.is_answered() && !exchange.is_request_by_length(datagram),
    }
}

/// DATA or ACK on the port that only takes requests (RFC 1350 section 4), unless a
/// single-port server answered from there, or may have where no answer was captured:
/// nobody sends DATA before one.
fn course_at_asked_port(exchange: &Record, asked: Endpoint) -> Course {
    if !exchange.is_answered() {
        return Course::AnswererUnseen;
    }
    let answered_from_there =
        exchange.details.as_ref().is_some_and(|details| details.knows_reply_from(asked));
    if answered_from_there { Course::ToAnswerer } else { Course::ToAskedPort }
}
