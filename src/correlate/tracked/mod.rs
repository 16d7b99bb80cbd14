//! Entries of connection tracking to exchanges, or to facts beside packets.
//!
//! One transfer can be three entries: the request, which the kernel sends on to
//! a pod; the reply from a new port, which it takes for a new flow and gives a
//! node's address; and a follow-up that nothing translates. `index` holds the
//! entries, `requests` says which of them ask something of the cluster (most of
//! a busy node's table does not), `links` finds the others that belong to a
//! request, `services` compares the entries of one service, and `exchange`
//! makes an exchange of them.

mod exchange;
mod index;
mod links;
mod requests;
mod services;

use std::net::IpAddr;

use self::index::{Index, Position};
use self::links::Linked;
use self::services::Services;
use super::roles;
use crate::model::capture::{CaptureId, PointKind};
use crate::model::conntrack::TrackingTable;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{AddressTranslation, Exchange, Point, PointId, TrackedPart, Unread};
use crate::model::report::StepKind;
use crate::model::topology::{AddressRole, FactSource, Role, Topology};

/// All tables of an analysis.
#[derive(Debug, Default)]
pub struct Tracked {
    index: Index,
    services: Services,
    /// The entries that ask something of the cluster, or of a device.
    requests: Vec<Position>,
    /// By position: whether packets tell of the entry, too.
    taken: Vec<bool>,
    points: Vec<Point>,
}

impl Tracked {
    /// Reads all tables, each with the capture that stands for it in the report.
    /// The roles that only they tell are added to `topology`.
    #[must_use]
    pub fn new(tables: Vec<(CaptureId, TrackingTable)>, topology: &mut Topology) -> Self {
        let points = tables.iter().map(|(capture, table)| point(*capture, table)).collect();
        let index = Index::new(tables);
        let requests = requests::find(&index, topology);
        let services = Services::new(&index);
        let taken = vec![false; index.len()];
        let tracked = Self { index, services, requests, taken, points };
        tracked.infer_roles(topology);
        tracked
    }

    /// Tells of all entries of short tables, where nothing else is told.
    pub fn fall_back(&mut self, topology: &mut Topology) {
        if self.requests.is_empty() {
            self.requests = requests::find_all(&self.index);
            self.infer_roles(topology);
        }
    }

    /// Where the tables were taken: at no interface, and without packets.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Whether no table was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The requests whose client is translated: their ends as they were sent, and as
    /// the pod sees them.
    pub fn translated_clients(&self) -> impl Iterator<Item = [(Endpoint, Endpoint); 2]> + '_ {
        let flows = self.requests.iter().map(|request| &self.index[*request].flow);
        flows.filter(|flow| flow.is_source_translated()).map(|flow| {
            let sent = (flow.original.source, flow.original.destination);
            [sent, (flow.translated_source(), flow.translated_destination())]
        })
    }

    /// Takes note that packets tell of a request between these ends; says whether
    /// its entry has more to tell than that it went well.
    #[must_use]
    pub fn claim(
        &mut self,
        ends: Option<(Endpoint, Option<Endpoint>)>,
        topology: &Topology,
    ) -> bool {
        let Some((client, Some(asked))) = ends else { return false };
        let Some(request) = self.index.find(client, asked) else { return false };
        self.taken[request.place()] = true;
        self.index[request].flow.is_source_translated()
            || self.services.elsewhere(&self.index, request, topology).is_some()
    }

    /// Adds what the tables say of an exchange that packets show.
    pub fn attach(&mut self, exchange: &mut Exchange, topology: &Topology) {
        let Some(request) = self.find_request(exchange) else { return };
        self.taken[request.place()] = true;
        let linked = links::find(&self.index, request, exchange.protocol, topology);
        let parts = self.parts(&linked, topology);
        let known = exchange.translations.clone();
        for translation in translations(&parts) {
            let is_new = known.iter().all(|known| {
                (known.before, known.after) != (translation.before, translation.after)
            });
            if is_new {
                exchange.translations.push(translation);
            }
        }
        exchange.tracked = parts;
    }

    /// The exchanges of which only the tables tell, one at a time.
    pub fn exchanges<'a>(&'a self, topology: &'a Topology) -> impl Iterator<Item = Exchange> + 'a {
        let alone = self.requests.iter().filter(|request| !self.taken[request.place()]);
        alone.map(move |request| {
            let protocol = requests::spoken_protocol(&self.index[*request].flow);
            let linked = links::find(&self.index, *request, protocol, topology);
            let mut exchange = exchange::make(&self.index, &linked, protocol);
            exchange.tracked = self.parts(&linked, topology);
            exchange.translations = translations(&exchange.tracked).collect();
            let (device, rule) = roles::choose_device(&exchange, topology);
            (exchange.device, exchange.device_rule) = (device, rule);
            exchange
        })
    }

    /// The entry of the request that an exchange's packets show, before or
    /// behind the translation.
    fn find_request(&self, exchange: &Exchange) -> Option<Position> {
        let views = exchange.views.iter();
        let asked = views.filter_map(|view| view.asked);
        let mut found = asked.filter_map(|asked| self.index.find(exchange.client, asked));
        found.next().or_else(|| {
            // The request was not captured; its reply names it.
            let replies = exchange.views.iter().flat_map(|view| &view.replies);
            let mut sources = replies.map(|replies| replies.source);
            sources.find_map(|source| links::request_of_reply(&self.index, exchange.client, source))
        })
    }

    fn parts(&self, linked: &Linked, topology: &Topology) -> Vec<TrackedPart> {
        let part = |part: StepKind, position: Position| {
            let entry = &self.index[position];
            TrackedPart { part, frame: entry.frame, flow: entry.flow.clone(), elsewhere: None }
        };
        let mut parts = vec![part(StepKind::Request, linked.request)];
        parts[0].elsewhere =
            self.services.elsewhere(&self.index, linked.request, topology).map(Box::new);
        parts.extend(linked.replies.iter().map(|reply| part(StepKind::Reply, *reply)));
        parts.extend(linked.follow_ups.iter().map(|sent| part(StepKind::FollowUp, *sent)));
        parts
    }

    /// Whom requests are sent on to is a pod, whom they were sent to a service's
    /// address, and what a pod's reply leaves with a node's.
    fn infer_roles(&self, topology: &mut Topology) {
        for request in &self.requests {
            let entry = &self.index[*request];
            let (asked, pod) =
                (entry.flow.original.destination, entry.flow.translated_destination());
            if asked.address != pod.address {
                let role =
                    if self.index.gives_source(asked.address) { Role::Node } else { Role::Vip };
                let reason = format!("requests to port {} are sent on to {pod}", asked.port);
                infer(topology, asked.address, role, reason);
                infer(topology, pod.address, Role::Pod, format!("gets what is sent to {asked}"));
            }
            let protocol = requests::protocol_of(&entry.flow);
            for reply in links::find(&self.index, *request, protocol, topology).replies {
                let flow = &self.index[reply].flow;
                let (own, left) = (flow.original.source.address, flow.translated_source().address);
                if own != left && left != asked.address {
                    let reason = format!("given to what {own} sends out");
                    infer(topology, left, Role::Node, reason);
                }
            }
        }
    }
}

fn point(capture: CaptureId, table: &TrackingTable) -> Point {
    Point {
        id: PointId { capture, interface: 0 },
        kind: PointKind::Host,
        kind_is_stated: true,
        node: table.node.clone(),
        node_is_stated: table.node.is_some(),
        interface: None,
        capture_name: table.name.clone(),
        observed: None,
        lost_packets: 0,
        unread: Unread::default(),
        is_log: false,
        filter: None,
        unresolved: Vec::new(),
    }
}

fn infer(topology: &mut Topology, address: IpAddr, role: Role, reason: String) {
    let source = FactSource::Conntrack;
    topology.infer(address, AddressRole { role, node: None, pod: None, source, reason });
}

/// What the entries of an exchange translate.
fn translations(parts: &[TrackedPart]) -> impl Iterator<Item = AddressTranslation> + '_ {
    parts.iter().flat_map(|part| {
        let table = PointId { capture: part.frame.capture, interface: 0 };
        let flow = &part.flow;
        let FlowKey { source, destination, .. } = flow.original;
        let changes =
            [(destination, flow.translated_destination()), (source, flow.translated_source())];
        changes.into_iter().filter(|(before, after)| before != after).map(move |(before, after)| {
            AddressTranslation { from: table, to: table, before, after }
        })
    })
}
