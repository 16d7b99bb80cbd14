//! What the exchanges of an analysis prove about each other: which services were
//! seen at two points, whether a point was listening, how its clock runs.
//!
//! Made once per analysis; the rules only look things up.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};

use super::path::{self, Way};
use crate::model::capture::{CaptureId, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Exchange, Point, PointId, View};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

mod in_vain;
mod new_flows;

use in_vain::InVain;
pub use new_flows::{NewFlow, NewFlows};

/// Distances kept per pair of points; their median does not move for more.
const MAX_DISTANCES: usize = 1_001;

/// Captures of one exchange that are compared with each other.
const MAX_COMPARED: usize = 32;

/// Two views of one exchange without payloads are joined within this time, so
/// an exchange that was not joined may still be the same one.
const ORPHAN_APART: Duration = Duration::from_secs(10);

/// What exchanges seen at several points say about the others.
#[derive(Debug, Default)]
pub struct Crossings {
    /// Clock of the second capture minus that of the first, in ns: the median over
    /// the first packets of the exchanges that both saw.
    offsets_ns: BTreeMap<(CaptureId, CaptureId), i64>,
    /// Requests to this endpoint were seen at the first point and at the second.
    asked: HashSet<(Protocol, Endpoint, PointId, PointId)>,
    /// The same for any address that was asked at this port.
    ports: HashSet<(Protocol, u16, PointId, PointId)>,
    /// The endpoint reached another one at the second point: it is translated.
    translated: HashSet<Endpoint>,
    /// Answered without being seen at a point of this kind: another server may
    /// stand where no capture was taken.
    passed_by: HashSet<(Protocol, Endpoint, PointKind)>,
    /// Exchanges that a point saw alone, by when they began.
    orphans: HashMap<Orphan, Vec<Timestamp>>,
    /// Services of which a point saw the request.
    served: HashMap<PointId, HashSet<(Protocol, u16)>>,
    /// Endpoints to which somebody opened an exchange at a point.
    addressed: HashSet<(PointId, Endpoint)>,
    new_flows: NewFlows,
    in_vain: InVain,
    /// Who asked whom.
    asks: HashSet<(IpAddr, IpAddr)>,
}

impl Crossings {
    /// Reads all exchanges of an analysis.
    #[must_use]
    pub fn new(points: &[Point], exchanges: &[Exchange]) -> Self {
        let mut crossings = Self {
            new_flows: NewFlows::new(exchanges),
            in_vain: InVain::new(exchanges),
            asks: exchanges.iter().filter_map(who_asks_whom).collect(),
            ..Self::default()
        };
        if points.len() < 2 {
            return crossings;
        }
        let kinds: Vec<PointKind> = [PointKind::Device, PointKind::Host, PointKind::Pod]
            .into_iter()
            .filter(|kind| points.iter().any(|p| p.kind == *kind && p.observed.is_some()))
            .collect();
        let mut distances: BTreeMap<(CaptureId, CaptureId), Vec<i64>> = BTreeMap::new();
        for exchange in exchanges {
            let firsts = first_of_captures(&exchange.views);
            crossings.count(exchange, &firsts, &kinds);
            for (from, to) in pairs_of_captures(&firsts) {
                let known = distances.entry((from.point.capture, to.point.capture)).or_default();
                if known.len() < MAX_DISTANCES {
                    let (from, to) = (from.first_at, to.first_at);
                    known.push(to.as_nanoseconds().saturating_sub(from.as_nanoseconds()));
                }
            }
        }
        for (pair, mut values) in distances {
            values.sort_unstable();
            crossings.offsets_ns.insert(pair, values[values.len() / 2]);
        }
        for began in crossings.orphans.values_mut() {
            began.sort_unstable();
        }
        crossings
    }

    fn count(&mut self, exchange: &Exchange, firsts: &[&View], kinds: &[PointKind]) {
        let protocol = exchange.protocol;
        for view in &exchange.views {
            let Some(asked) = view.asked else { continue };
            self.addressed.insert((view.point, asked));
            self.served.entry(view.point).or_default().insert((protocol, asked.port));
        }
        for (from, to) in pairs(&exchange.views, firsts) {
            let (Some(before), Some(after)) = (from.asked, to.asked) else { continue };
            if from.requests.packets == 0 || to.requests.packets == 0 {
                continue;
            }
            self.asked.insert((protocol, before, from.point, to.point));
            self.ports.insert((protocol, before.port, from.point, to.point));
            if before.address != after.address && path::is_before(exchange, from, to) {
                self.translated.insert(before);
            }
        }
        if let [only] = exchange.views.as_slice() {
            self.orphans.entry(Orphan::of(exchange, only.point)).or_default().push(only.first_at);
        }
        let first = exchange.views.first();
        if let Some((view, asked)) = first.and_then(|view| Some((view, view.asked?)))
            && view.reply_packets() > 0
        {
            for &kind in kinds {
                if exchange.views.iter().all(|view| view.kind != kind) {
                    self.passed_by.insert((protocol, asked, kind));
                }
            }
        }
    }

    /// The clock of `to` minus that of `from` in ns, where exchanges show it or
    /// both are in one capture.
    #[must_use]
    pub fn offset_ns(&self, from: PointId, to: PointId) -> Option<i64> {
        if from.capture == to.capture {
            return Some(0);
        }
        self.offsets_ns.get(&(from.capture, to.capture)).copied()
    }

    /// `at` by the clock of `to`; unchanged where no offset is known.
    #[must_use]
    pub fn at_point(&self, at: Timestamp, from: PointId, to: PointId) -> Timestamp {
        let offset_ns = self.offset_ns(from, to).unwrap_or(0);
        Timestamp::from_nanoseconds(at.as_nanoseconds().saturating_add(offset_ns))
    }

    /// Whether another request to `asked` was seen at both points.
    #[must_use]
    pub fn crosses(&self, protocol: Protocol, asked: Endpoint, way: Way) -> bool {
        self.asked.contains(&(protocol, asked, way.from, way.to))
    }

    /// Whether a request for the same port of some address was seen at both points.
    #[must_use]
    pub fn crosses_port(&self, protocol: Protocol, port: u16, way: Way) -> bool {
        self.ports.contains(&(protocol, port, way.from, way.to))
    }

    /// Whether requests to `asked` were seen to reach another address.
    #[must_use]
    pub fn is_translated(&self, asked: Endpoint) -> bool {
        self.translated.contains(&asked)
    }

    /// Whether requests to `asked` were answered though no point of `kind` saw them.
    #[must_use]
    pub fn passes_by(&self, protocol: Protocol, asked: Endpoint, kind: PointKind) -> bool {
        self.passed_by.contains(&(protocol, asked, kind))
    }

    /// Whether a point saw requests, and all of them for other services.
    #[must_use]
    pub fn serves_others(&self, protocol: Protocol, port: u16, point: PointId) -> bool {
        self.served.get(&point).is_some_and(|served| !served.contains(&(protocol, port)))
    }

    /// Whether somebody opened an exchange to `endpoint` at `point`: packets to
    /// a client's socket that were not recognised as its answers look so.
    #[must_use]
    pub fn is_addressed(&self, point: PointId, endpoint: Endpoint) -> bool {
        self.addressed.contains(&(point, endpoint))
    }

    /// Whether `point` alone saw an exchange of the same protocol and family at
    /// the time of `view`: it may be the same one, under another client's address.
    #[must_use]
    pub fn has_orphan(&self, exchange: &Exchange, view: &View, point: PointId) -> bool {
        let Some(began) = self.orphans.get(&Orphan::of(exchange, point)) else { return false };
        let last = view.requests.last.map_or(view.first_at, |frame| frame.at);
        let from = self.at_point(view.first_at, view.point, point) - ORPHAN_APART;
        let until = self.at_point(last, view.point, point) + ORPHAN_APART;
        let next = began.partition_point(|at| *at < from);
        began.get(next).is_some_and(|at| *at <= until)
    }

    /// Whether `client` asked something of `asked`.
    #[must_use]
    pub fn has_asked(&self, client: IpAddr, asked: IpAddr) -> bool {
        self.asks.contains(&(client, asked))
    }

    /// Whether the exchange is one of many that its client began with the same service, from
    /// a socket each, and none of them was answered.
    #[must_use]
    pub fn is_one_of_many_in_vain(&self, exchange: &Exchange) -> bool {
        self.in_vain.is_one_of_many(exchange)
    }

    /// Exchanges that began later than others and were answered.
    #[must_use]
    pub const fn new_flows(&self) -> &NewFlows {
        &self.new_flows
    }
}

/// What two views of one exchange have in common whatever was translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Orphan {
    point: PointId,
    protocol: Protocol,
    is_ipv6: bool,
    device_is_client: bool,
}

impl Orphan {
    fn of(exchange: &Exchange, point: PointId) -> Self {
        Self {
            point,
            protocol: exchange.protocol,
            is_ipv6: exchange.client.address.is_ipv6(),
            device_is_client: exchange.device_is_client(),
        }
    }
}

fn who_asks_whom(exchange: &Exchange) -> Option<(IpAddr, IpAddr)> {
    let asked = exchange.views.first()?.asked?;
    Some((exchange.client.address, asked.address))
}

/// The first view of each capture: that nearest to the device.
fn first_of_captures(views: &[View]) -> Vec<&View> {
    let mut known = HashSet::new();
    views.iter().filter(|view| known.insert(view.point.capture)).collect()
}

/// Every ordered pair of the first views of captures; of very many, those with the first.
fn pairs_of_captures<'v>(firsts: &[&'v View]) -> impl Iterator<Item = (&'v View, &'v View)> {
    let compared = if firsts.len() > MAX_COMPARED { 1 } else { firsts.len() };
    firsts.iter().enumerate().take(compared).flat_map(move |(position, one)| {
        let others = firsts.iter().skip(position + 1);
        others.flat_map(move |other| [(*one, *other), (*other, *one)])
    })
}

/// Ordered pairs of views: a capture may have a thousand points, so that each is compared
/// with the first of its own capture and of the others.
fn pairs<'v>(views: &'v [View], firsts: &[&'v View]) -> impl Iterator<Item = (&'v View, &'v View)> {
    let compared = if firsts.len() > MAX_COMPARED { 1 } else { firsts.len() };
    firsts.iter().enumerate().flat_map(move |(number, first)| {
        let is_compared = move |view: &&View| {
            let is_own = view.point.capture == first.point.capture;
            view.point != first.point && (is_own || number < compared)
        };
        let others = views.iter().filter(is_compared);
        others.flat_map(move |other| [(*first, other), (other, *first)])
    })
}
