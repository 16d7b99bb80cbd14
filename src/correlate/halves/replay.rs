//! The packets of several halves, gone through again as one point would have seen them.

use super::stray::Stray;
use super::{Half, Scene};
use crate::correlate::record::{ExchangeIndex, Record};
use crate::correlate::table::PointTable;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Content, Packet};
use crate::model::time::Timestamp;

/// What the halves give together.
#[derive(Debug)]
pub struct Replay {
    pub records: Vec<Option<Record>>,
    pub moments: Vec<Moment>,
    /// The table of the half that asks.
    pub home: usize,
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
    /// Goes through the packets of `parts`, of which the clock of `repeats` is the head's, and
    /// the `errors` about them; `None` where their
    /// clocks cannot be one, or where they show a datagram before and after its translation.
    pub fn new(
        scene: &Scene<'_>,
        socket: Endpoint,
        head: &Half,
        parts: &[&Half],
        repeats: &[usize],
        errors: &[usize],
    ) -> Option<Self> {
        let own = scene.tables.get(head.table)?;
        let mut clocks = Clocks(vec![(own.id.capture, 0)]);
        let mut moments = Vec::new();
        for (part, half) in parts.iter().enumerate() {
            let capture = scene.tables[half.table].id.capture;
            if clocks.find(capture).is_none() {
                let stray = Stray { scene, socket, head, half };
                let is_one_clock = repeats.contains(&part);
                let ahead_ns = if is_one_clock { 0 } else { stray.find_ahead_ns()? };
                clocks.0.push((capture, ahead_ns));
            }
            moments.extend(half.packets.iter().map(|number| (*number, Some(part))));
        }
        moments.extend(errors.iter().map(|error| (*error, None)));
        let mut moments: Vec<Moment> = moments
            .into_iter()
            .map(|(number, part)| {
                let seen = &scene.kept[number];
                let ahead_ns = clocks.find(seen.point.capture).unwrap_or(0);
                let at = seen.packet.at.back(ahead_ns);
                Moment { number, part, at, exchange: None }
            })
            .collect();
        // Who records several interfaces may write what came by each in turn. Text may come
        // without times; its lines are in order.
        moments.sort_by_key(|moment| {
            let seen = &scene.kept[moment.number];
            (moment.at, seen.point.capture, seen.packet.frame)
        });
        let mut table = PointTable::new(own.id, moments.len() + 1, own.hasher.clone());
        for (number, moment) in (own.joined.next_number()..).zip(&moments) {
            let packet = Packet { at: moment.at, ..scene.kept[moment.number].packet.clone() };
            let frame = FrameRef { capture: own.id.capture, number, at: moment.at };
            take(&mut table, &packet, frame);
        }
        table.give_up_leases();
        if table.take_translated(&|_| false).is_some() {
            return None;
        }
        for moment in &mut moments {
            let packet = &scene.kept[moment.number].packet;
            moment.exchange = table.find_exchange_of(packet, moment.at);
        }
        let records = table.exchanges.into_iter().map(Some).collect();
        Some(Self { records, moments, home: head.table })
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
