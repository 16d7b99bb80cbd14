//! The packets of several halves, gone through again as one point would have seen them.

use hashbrown::HashSet;

use super::stray::{Stray, back};
use super::{Half, Scene};
use crate::correlate::record::{ExchangeIndex, Record};
use crate::correlate::table::PointTable;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PointId;
use crate::model::packet::{Content, IcmpError, Packet};
use crate::model::time::Timestamp;

/// What the halves give together.
#[derive(Debug)]
pub struct Replay {
    pub records: Vec<Option<Record>>,
    pub moments: Vec<Moment>,
    /// The table of the half that asks.
    pub home: usize,
    /// The numbers of frames are their own.
    pub is_one_capture: bool,
}

/// A packet in its turn.
#[derive(Debug)]
pub struct Moment {
    /// Its place among the packets that were kept.
    pub number: usize,
    /// Its half among the parts; `None` for an error that is of none.
    pub part: Option<usize>,
    /// By the clock of the point that asks.
    pub at: Timestamp,
    pub exchange: Option<ExchangeIndex>,
}

/// How far each capture's clock is ahead of that of the point that asks, in ns.
#[derive(Debug)]
struct Clocks(Vec<(CaptureId, i64)>);

impl Replay {
    /// Goes through the packets of `parts`; `None` where their clocks cannot be one, or
    /// where they show a datagram before and after its translation.
    pub fn new(scene: &Scene<'_>, socket: Endpoint, head: &Half, parts: &[&Half]) -> Option<Self> {
        let own = scene.tables.get(head.table)?;
        let mut clocks = Clocks(vec![(own.id.capture, 0)]);
        let mut moments = Vec::new();
        for (part, half) in parts.iter().enumerate() {
            let capture = scene.tables[half.table].id.capture;
            if clocks.find(capture).is_none() {
                let ahead_ns = Stray { scene, socket, head, half }.find_ahead_ns()?;
                clocks.0.push((capture, ahead_ns));
            }
            moments.extend(half.packets.iter().map(|number| (*number, Some(part))));
        }
        moments.extend(errors_about(scene, socket, parts).into_iter().map(|error| (error, None)));
        let mut moments: Vec<Moment> = moments
            .into_iter()
            .map(|(number, part)| {
                let seen = &scene.kept[number];
                let ahead_ns = clocks.find(seen.point.capture).unwrap_or(0);
                let at = back(seen.packet.at, ahead_ns);
                Moment { number, part, at, exchange: None }
            })
            .collect();
        let is_one_capture = clocks.0.len() == 1;
        moments.sort_by_key(|moment| {
            let seen = &scene.kept[moment.number];
            // Text may come without times; its lines are in order.
            let at = (!is_one_capture).then_some(moment.at);
            (at, seen.point.capture, seen.packet.frame)
        });
        let mut table = PointTable::new(own.id, moments.len() + 1, own.hasher.clone());
        for (number, moment) in (own.joined.next_number()..).zip(&moments) {
            let packet = Packet { at: moment.at, ..scene.kept[moment.number].packet.clone() };
            let number = if is_one_capture { packet.frame } else { number };
            let frame = FrameRef { capture: own.id.capture, number, at: moment.at };
            take(&mut table, &packet, frame);
        }
        if table.take_translated(&|_| false).is_some() {
            return None;
        }
        for moment in &mut moments {
            let packet = &scene.kept[moment.number].packet;
            moment.exchange = table.find_exchange_of(packet, moment.at);
        }
        let records = table.exchanges.into_iter().map(Some).collect();
        Some(Self { records, moments, home: head.table, is_one_capture })
    }
}

impl Clocks {
    fn find(&self, capture: CaptureId) -> Option<i64> {
        self.0.iter().find(|(known, _)| *known == capture).map(|(_, ahead_ns)| *ahead_ns)
    }
}

fn take(table: &mut PointTable, packet: &Packet, frame: FrameRef) {
    match &packet.content {
        Content::Datagram(datagram) => table.datagram(packet, frame, datagram),
        Content::IcmpError(error) => {
            table.icmp_error(frame, error);
        }
        Content::FragmentsLost(lost) => table.fragments_lost(packet, frame, lost),
        Content::Discarded(_)
        | Content::Dropped(_)
        | Content::Neighbour(_)
        | Content::Segment(_) => {}
    }
}

/// The errors that are of no half and quote what the socket sent or got, at the points of
/// the parts; each is taken from the first of these that saw it.
fn errors_about(scene: &Scene<'_>, socket: Endpoint, parts: &[&Half]) -> Vec<usize> {
    let points: HashSet<PointId> = parts
        .iter()
        .flat_map(|half| &half.packets)
        .map(|number| scene.kept[*number].point)
        .collect();
    let mut told: Vec<(&IcmpError, usize)> = Vec::new();
    let mut found = Vec::new();
    for &number in scene.errors.get(&socket.address).into_iter().flatten() {
        let seen = &scene.kept[number];
        let Content::IcmpError(error) = &seen.packet.content else { continue };
        if !quotes(error, socket) || !points.contains(&seen.point) {
            continue;
        }
        let first = told.iter().find(|(known, _)| *known == error).map(|(_, first)| *first);
        match first {
            Some(first) if scene.kept[first].point != seen.point => continue,
            Some(_) => {}
            None => told.push((error, number)),
        }
        found.push(number);
    }
    found
}

fn quotes(error: &IcmpError, socket: Endpoint) -> bool {
    error.quote.is_some_and(|quote| {
        let is_it = |address, port: Option<u16>| {
            address == socket.address && port.is_none_or(|port| port == socket.port)
        };
        is_it(quote.source, quote.source_port) || is_it(quote.destination, quote.destination_port)
    })
}
