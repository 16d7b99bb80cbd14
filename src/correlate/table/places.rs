//! How exchanges come into the table, and go.

use super::{MAX_CANDIDATES, PointTable};
use crate::correlate::audience::Audience;
use crate::correlate::clients::back_from;
use crate::correlate::flows::Flow;
use crate::correlate::fold;
use crate::correlate::opening::{OpeningSide, find_opening};
use crate::correlate::record::{ExchangeIndex, Record, is_group};
use crate::model::capture::FrameRef;
use crate::model::exchange::{Course, Origin};
use crate::model::packet::{Datagram, Packet};

/// So many exchanges may become very many.
const MANY: usize = 8_192;
/// Memory for so many is always mapped for itself, which grows without a copy: glibc's
/// malloc raises the size from which it does that to that of what was freed, up to 32 MiB
/// (mallopt(3), `M_MMAP_THRESHOLD`). Copied, a table takes twice its memory for a while. Of
/// what is mapped and not used yet there is no memory.
const OWN_MAPPING: usize = (33 << 20) / size_of::<Record>();

impl PointTable {
    /// Opens an exchange; `hash` is that of the datagram's ends.
    pub(super) fn open(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        hash: u64,
    ) {
        fold::sweep(self, packet.at);
        let Some(index) = self.free_place() else {
            self.unfollowed_packets += 1;
            return;
        };
        let to = datagram.flow.destination.address;
        let audience = self.broadcasts.take_opening(packet, frame, datagram);
        let mut opening = find_opening(datagram);
        // What is said to all hosts answers none of them, whatever its address looks like.
        if audience == Audience::Group && !is_group(to) {
            opening.side = OpeningSide::Client;
        }
        let (client, server) = match opening.side {
            OpeningSide::Client => (datagram.flow.source, datagram.flow.destination),
            OpeningSide::Server => (datagram.flow.destination, datagram.flow.source),
        };
        let asked = (opening.side == OpeningSide::Client && !opening.is_late).then_some(server);
        let mut exchange = Record::open(opening.protocol, client, asked, datagram);
        exchange.audience = audience;
        let mut course = None;
        match (opening.side, opening.is_late) {
            (OpeningSide::Server, _) => exchange.reply(packet, frame, datagram, Origin::Unknown),
            (OpeningSide::Client, false) => exchange.request(packet, frame, datagram),
            (OpeningSide::Client, true) => {
                course = Some(Course::AnswererUnseen);
                exchange.follow_up(packet, frame, datagram, Course::AnswererUnseen);
            }
        }
        let protocol = opening.protocol;
        let may_be_relayed = protocol.expects_answer() || protocol.is_one_way();
        if asked.is_some() && audience != Audience::Group && may_be_relayed {
            self.latest_requests.note(packet, datagram, protocol);
        }
        self.put(index, exchange);
        self.clients.add(&self.hasher, &mut self.exchanges, index);
        self.follow_wide(index, datagram);
        self.payload_addresses.note(index, datagram);
        if asked.is_some() {
            self.relays.note(index, datagram);
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
            self.left_untranslated.remove(&index);
            self.vacant.push(index);
        }
    }

    pub(super) fn free_place(&mut self) -> Option<ExchangeIndex> {
        self.vacant.pop().or_else(|| {
            let has_room = self.exchanges.len() < self.max_exchanges;
            ExchangeIndex::new(self.exchanges.len()).filter(|_| has_room)
        })
    }

    pub(super) fn put(&mut self, index: ExchangeIndex, exchange: Record) {
        if index.position() == self.exchanges.len() {
            let places = self.exchanges.capacity();
            if places == index.position() && (MANY..OWN_MAPPING).contains(&places) {
                self.exchanges.reserve(OWN_MAPPING - places);
            }
            self.exchanges.push(exchange);
        } else {
            self.exchanges[index.position()] = exchange;
        }
    }

    pub(super) fn register(&mut self, flow: Flow) {
        self.flows.register(&self.hasher, &self.exchanges, flow);
    }

    /// Follows the identities of a socket that has more exchanges than are tried.
    pub(super) fn follow_wide(&mut self, index: ExchangeIndex, datagram: &Datagram) {
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
}
