//! The live exchanges of one capture point, and which of them a packet belongs to.

use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::fit::{self, Fit};
use super::flows::{Flow, Flows};
use super::live::{Audience, Live, is_group};
use super::opening::{OpeningSide, find_opening};
use super::tftp::{is_tftp_protocol, tftp_shape};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, IcmpErrors, Origin, PointId, Tally};
use crate::model::packet::{Datagram, IcmpError, Packet};
use crate::model::time::Timestamp;

/// Exchanges of one client socket that are tried for a packet from elsewhere.
const MAX_CANDIDATES: usize = 32;
/// A datagram that leaves translated does so within this time of its arrival.
const TRANSLATION_DELAY: Duration = Duration::from_millis(50);

/// What one capture point sees.
#[derive(Debug)]
pub struct PointTable {
    pub id: PointId,
    pub exchanges: Vec<Live>,
    pub observed: Option<(Timestamp, Timestamp)>,
    /// Packets of clients for which there was no room.
    pub unfollowed_packets: u64,
    flows: Flows,
    by_client: HashMap<Endpoint, SmallVec<[u32; 2]>>,
    /// The servers' transfer identifiers (RFC 1350 section 4).
    by_tid: HashMap<Endpoint, u32>,
    max_exchanges: usize,
    /// Where one interface shows datagrams before and after translation
    /// (`-i any` without interface names), what is seen after it stands here.
    translated: Option<Box<PointTable>>,
}

impl PointTable {
    pub fn new(id: PointId, max_exchanges: usize) -> Self {
        Self {
            id,
            exchanges: Vec::new(),
            observed: None,
            unfollowed_packets: 0,
            flows: Flows::default(),
            by_client: HashMap::new(),
            by_tid: HashMap::new(),
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
    pub fn take_translated(&mut self) -> Option<PointTable> {
        let mut table = *self.translated.take()?;
        table.observed = self.observed;
        Some(table)
    }

    /// Whether a client socket has other exchanges than one: it may be answered
    /// by anybody, for all that time tells.
    pub fn asks_many(&self, client: Endpoint) -> bool {
        self.by_client.get(&client).is_some_and(|exchanges| exchanges.len() > 1)
    }

    /// Puts a datagram where it belongs.
    pub fn datagram(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        if self.known_flow(packet, frame, datagram)
            || self
                .translated
                .as_mut()
                .is_some_and(|table| table.known_flow(packet, frame, datagram))
            || self.reply_from_elsewhere(packet, frame, datagram)
            || self.follow_up_to_elsewhere(packet, frame, datagram)
            || self.translated_copy(packet, frame, datagram)
        {
            return;
        }
        self.open(packet, frame, datagram);
    }

    /// Counts an ICMP error at the exchange that it is about.
    pub fn icmp_error(&mut self, frame: FrameRef, error: &IcmpError) -> bool {
        let Some((flow, quotes, quoted_destination)) = self.flows.find_quoted(error) else {
            return self.translated.as_mut().is_some_and(|table| table.icmp_error(frame, error));
        };
        let errors = IcmpErrors {
            kind: error.kind,
            from: error.from,
            quotes,
            quoted_destination,
            tally: Tally::NONE,
        };
        self.exchange_mut(flow.exchange).icmp_error(frame, errors, error.to);
        true
    }

    fn known_flow(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let Some(flow) = self.flows.find(source, destination) else { return false };
        let exchange = &mut self.exchanges[flow.exchange as usize];
        if flow.client != source {
            exchange.reply(packet, frame, datagram, flow.origin);
            return true;
        }
        if exchange.asked.is_none() && !is_tftp_protocol(exchange.protocol) {
            // Begun with a reply, but the conversation goes on in full view.
            exchange.asked = Some(flow.server);
        }
        match flow.course {
            Some(course) => exchange.follow_up(packet, frame, datagram, course),
            None if exchange.is_over_for(datagram, packet.at) => {
                self.open(packet, frame, datagram);
            }
            None if is_late_for_request(exchange, datagram) => {
                // DATA or ACK on the port that only takes requests (RFC 1350 section 4),
                // unless a single-port server answered from there.
                let course = if exchange.replies.iter().any(|replies| replies.source == flow.server)
                {
                    Course::ToAnswerer
                } else {
                    Course::ToAskedPort
                };
                exchange.follow_up(packet, frame, datagram, course);
            }
            None => exchange.request(packet, frame, datagram),
        }
        true
    }

    /// Takes a packet from an endpoint to which its addressee has not spoken yet
    /// as the answer to what the addressee asked elsewhere, where it fits.
    fn reply_from_elsewhere(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let here = self.best_reply_fit(datagram, packet.at);
        let behind =
            self.translated.as_ref().and_then(|table| table.best_reply_fit(datagram, packet.at));
        let (table, exchange, origin) = match (here, behind) {
            (None, None) => return false,
            (Some((exchange, fit)), None) => (self, exchange, fit),
            (Some((exchange, fit)), Some((_, other))) if fit >= other => (self, exchange, fit),
            (_, Some((exchange, fit))) => match self.translated.as_deref_mut() {
                Some(table) => (table, exchange, fit),
                None => return false,
            },
        };
        let origin = origin.origin();
        table.flows.register(Flow {
            client: datagram.flow.destination,
            server: datagram.flow.source,
            exchange,
            course: Some(Course::ToAnswerer),
            origin,
        });
        if is_tftp_protocol(table.exchange_mut(exchange).protocol) {
            table.by_tid.insert(datagram.flow.source, exchange);
        }
        table.exchange_mut(exchange).reply(packet, frame, datagram, origin);
        true
    }

    fn best_reply_fit(&self, datagram: &Datagram, at: Timestamp) -> Option<(u32, Fit)> {
        let candidates = self.by_client.get(&datagram.flow.destination)?;
        let alone = candidates.len() == 1 && !self.by_client.contains_key(&datagram.flow.source);
        candidates
            .iter()
            .rev()
            .take(MAX_CANDIDATES)
            .filter_map(|&index| {
                let exchange = &self.exchanges[index as usize];
                fit::find_reply_fit(exchange, datagram, at, alone).map(|fit| (index, fit))
            })
            // The latest exchange first, so that it wins among equals.
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// Takes a packet to an endpoint that its sender has not spoken to yet as
    /// what follows a reply, where it fits.
    fn follow_up_to_elsewhere(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
    ) -> bool {
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let by_sender = self.by_client.get(&source).and_then(|candidates| {
            candidates.iter().rev().take(MAX_CANDIDATES).find_map(|&index| {
                let exchange = &self.exchanges[index as usize];
                fit::find_course(exchange, datagram, packet.at).map(|course| (index, course))
            })
        });
        let found = by_sender.or_else(|| {
            let &index = self.by_tid.get(&destination)?;
            let exchange = &self.exchanges[index as usize];
            fit::comes_from_other_source(exchange, datagram, packet.at)
                .then_some((index, Course::FromOtherSource))
        });
        let Some((index, course)) = found else { return false };
        self.flows.register(Flow {
            client: source,
            server: destination,
            exchange: index,
            course: Some(course),
            origin: Origin::Asked,
        });
        self.exchange_mut(index).follow_up(packet, frame, datagram, course);
        true
    }

    /// Takes a client's packet that just went by with another destination as
    /// the same one after translation.
    fn translated_copy(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) -> bool {
        let is_copy = self.by_client.get(&datagram.flow.source).is_some_and(|candidates| {
            candidates.iter().rev().take(MAX_CANDIDATES).any(|&index| {
                let exchange = &self.exchanges[index as usize];
                exchange.group == Audience::One
                    && exchange.last_from_client_was(datagram, packet.at, TRANSLATION_DELAY)
            })
        });
        if !is_copy || is_group(datagram.flow.destination.address) {
            return false;
        }
        let (id, max_exchanges) = (self.id.translated(), self.max_exchanges);
        self.translated
            .get_or_insert_with(|| Box::new(PointTable::new(id, max_exchanges)))
            .datagram(packet, frame, datagram);
        true
    }

    fn open(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        let Ok(index) = u32::try_from(self.exchanges.len()) else { return };
        if self.exchanges.len() >= self.max_exchanges {
            self.unfollowed_packets += 1;
            return;
        }
        let opening = find_opening(datagram);
        let (client, server) = match opening.side {
            OpeningSide::Client => (datagram.flow.source, datagram.flow.destination),
            OpeningSide::Server => (datagram.flow.destination, datagram.flow.source),
        };
        let asked = (opening.side == OpeningSide::Client && !opening.is_late).then_some(server);
        let mut exchange = Live::open(opening.protocol, client, asked, packet, datagram);
        let mut course = None;
        match (opening.side, opening.is_late) {
            (OpeningSide::Server, _) => exchange.reply(packet, frame, datagram, Origin::Unknown),
            (OpeningSide::Client, false) => exchange.request(packet, frame, datagram),
            (OpeningSide::Client, true) => {
                course = Some(Course::AnswererUnseen);
                exchange.follow_up(packet, frame, datagram, Course::AnswererUnseen);
            }
        }
        self.exchanges.push(exchange);
        self.by_client.entry(client).or_default().push(index);
        let origin = if asked.is_some() { Origin::Asked } else { Origin::Unknown };
        self.flows.register(Flow { client, server, exchange: index, course, origin });
    }

    fn exchange_mut(&mut self, index: u32) -> &mut Live {
        &mut self.exchanges[index as usize]
    }
}

/// TFTP to the port asked that is no request.
fn is_late_for_request(exchange: &Live, datagram: &Datagram) -> bool {
    is_tftp_protocol(exchange.protocol)
        && !exchange.replies.is_empty()
        && tftp_shape(datagram).is_none_or(|message| !message.is_request())
}
