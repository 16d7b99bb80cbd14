//! Exchanges made by hand, so that tests of rules are tables.
//!
//! Every packet takes the next frame number and 10 ms. Addresses are of
//! RFC 5737 and RFC 3849.

mod addresses;
mod beside;
mod cluster;
mod family;
mod follow_ups;
mod pod_side;
mod replies;
mod troubles;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Comparison;
use crate::model::capture::{CaptureFilter, CaptureId, FrameRef, PointKind};
use crate::model::cluster::{AddressPool, ServiceFact};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    DeviceRule, Exchange, Novelty, Point, PointId, Said, Step, Tally, Unread, View,
};
use crate::model::finding::{Cause, Diagnosis, Finding, Verdict};
use crate::model::neighbour::Unresolved;
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use crate::model::time::Timestamp;
use crate::model::topology::{
    AddressRole, DeviceEntry, FactSource, Facts, NodeSettings, Role, Topology,
};
pub use family::Family;

/// An exchange in the making, with what is known of its addresses.
#[derive(Debug, Clone)]
pub struct Sample {
    family: Family,
    pub exchange: Exchange,
    roles: BTreeMap<IpAddr, AddressRole>,
    frame: u64,
    now: Timestamp,
    /// Other exchanges of the same analysis.
    beside: Vec<Exchange>,
    devices: Vec<DeviceEntry>,
    settings: Vec<NodeSettings>,
    services: Vec<ServiceFact>,
    pools: Vec<AddressPool>,
    /// Packets that the capture at the host lost.
    pub host_lost_packets: u64,
    /// Packets of the text at the host that could not be read.
    pub host_unread: Unread,
    /// The capture at the host is a firewall's log.
    pub host_is_log: bool,
    /// What the capture at the host was filtered with.
    pub host_filter: Option<CaptureFilter>,
    /// That the host's point is on a node is taken from its addresses.
    pub host_is_guessed: bool,
    pub host_observed: Option<(Timestamp, Timestamp)>,
    pub pod_observed: Option<(Timestamp, Timestamp)>,
    pod_is_captured: bool,
    temporary: Vec<IpAddr>,
    /// Neighbours that are asked for at the uplink and do not show up.
    unresolved: Vec<Unresolved>,
}

/// When the first request of a sample is sent, less the 10 ms of its own.
const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

const HOST: PointId = PointId { capture: CaptureId(0), interface: 0 };
const POD: PointId = PointId { capture: CaptureId(1), interface: 0 };

impl Sample {
    fn new(family: Family, protocol: Protocol, client: Endpoint, asked: Endpoint) -> Self {
        let now = START;
        let belief = |role, node: Option<&str>| AddressRole {
            role,
            node: node.map(str::to_owned),
            pod: None,
            source: FactSource::IpAddr,
            reason: "a sample".to_owned(),
        };
        let roles = BTreeMap::from([
            (family.vip(), belief(Role::Vip, Some("node3"))),
            (family.node(), belief(Role::Node, Some("node3"))),
            (family.pod(), belief(Role::Pod, Some("node3"))),
            (family.other_device(), belief(Role::Device, None)),
        ]);
        let exchange = Exchange {
            protocol,
            client,
            device: family.device(),
            device_rule: DeviceRule::Listed,
            views: vec![view(HOST, PointKind::Host, Some(asked), now)],
            translations: Vec::new(),
            tracked: Vec::new(),
        };
        let mut sample = Self {
            family,
            exchange,
            roles,
            frame: 0,
            now,
            beside: Vec::new(),
            devices: Vec::new(),
            settings: Vec::new(),
            services: Vec::new(),
            pools: Vec::new(),
            host_lost_packets: 0,
            host_unread: Unread::default(),
            host_is_log: false,
            host_filter: None,
            host_is_guessed: false,
            host_observed: None,
            pod_observed: None,
            pod_is_captured: false,
            temporary: Vec::new(),
            unresolved: Vec::new(),
        };
        sample.count_request(Novelty::New);
        sample
    }

    /// The device asks the VIP for a protocol's port.
    pub fn request(family: Family, protocol: Protocol, port: u16) -> Self {
        let client = Endpoint::new(family.device(), 41_226);
        Self::new(family, protocol, client, Endpoint::new(family.vip(), port))
    }

    pub fn tftp(family: Family) -> Self {
        Self::request(family, Protocol::Tftp, 69)
    }

    pub fn syslog(family: Family) -> Self {
        Self::request(family, Protocol::Syslog, 514)
    }

    pub fn mdns(family: Family) -> Self {
        let client = Endpoint::new(family.device(), 5_353);
        Self::new(family, Protocol::Mdns, client, Endpoint::new(family.group(), 5_353))
    }

    /// A pod polls the device.
    pub fn snmp(family: Family) -> Self {
        let client = Endpoint::new(family.pod(), 50_000);
        Self::new(family, Protocol::Snmp, client, Endpoint::new(family.device(), 161))
    }

    pub fn primary(&mut self) -> &mut View {
        &mut self.exchange.views[0]
    }

    fn tick(&mut self) -> FrameRef {
        self.frame += 1;
        self.now = self.now + Duration::from_millis(10);
        let now = self.now;
        let view = self.primary();
        view.last_at = now;
        view.observed_until = now;
        FrameRef { capture: CaptureId(0), number: self.frame, at: self.now }
    }

    fn count_request(&mut self, novelty: Novelty) {
        let frame = self.tick();
        self.primary().requests.count(frame, 30, novelty);
        self.primary().unanswered.count(frame, 30, novelty);
        let (client, asked) = (self.exchange.client, self.primary().asked);
        if let Some(asked) = asked {
            self.primary().steps.push(Step {
                frame,
                kind: StepKind::Request,
                source: client.address,
                destination: asked.address,
                ports: Some((client.port, asked.port)),
                said: Said::Datagram { length: 30 },
                omitted_before: 0,
            });
        }
    }

    pub fn wait_milliseconds(mut self, milliseconds: u64) -> Self {
        self.now = self.now + Duration::from_millis(milliseconds);
        let now = self.now;
        self.primary().observed_until = now;
        self
    }

    pub fn wait_seconds(mut self, seconds: u64) -> Self {
        self.now = self.now + Duration::from_secs(seconds);
        let now = self.now;
        self.primary().observed_until = now;
        self
    }

    pub fn request_again(mut self) -> Self {
        self.count_request(Novelty::New);
        self
    }

    /// Further requests, of all of which `passed` are passed over; `repeats` of those
    /// repeat one that was passed over before.
    pub fn passes_over(mut self, requests: u64, passed: u64, repeats: u64) -> Self {
        for number in 1..requests {
            self.count_request(Novelty::New);
            let last = self.primary().requests.last;
            let tally = &mut self.primary().passed_over;
            if number <= passed {
                tally.count(last.unwrap(), 30, Novelty::New);
            }
            tally.repeats = repeats;
        }
        self
    }

    /// Repeats the request, a second apart.
    pub fn repeat_request(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            self.count_request(Novelty::Repeat);
        }
        self
    }

    /// Takes the request out of the capture.
    pub fn begins_midway(mut self) -> Self {
        let view = self.primary();
        view.asked = None;
        view.requests = Tally::NONE;
        view.steps.clear();
        self
    }

    pub fn at(mut self, kind: PointKind) -> Self {
        self.primary().kind = kind;
        self
    }

    pub fn diagnose(&self) -> Diagnosis {
        let facts = Facts {
            devices: self.devices.clone(),
            settings: self.settings.clone(),
            services: self.services.clone(),
            pools: self.pools.clone(),
            temporary: self.temporary.clone(),
            ..Facts::default()
        };
        let topology = Topology::new(self.roles.clone(), facts);
        let mut points =
            vec![point(HOST, PointKind::Host, "eth0"), point(POD, PointKind::Pod, "cali1")];
        points[0].lost_packets = self.host_lost_packets;
        points[0].unread.clone_from(&self.host_unread);
        points[0].is_log = self.host_is_log;
        points[0].filter.clone_from(&self.host_filter);
        points[0].kind_is_stated = !self.host_is_guessed;
        points[0].node_is_stated = !self.host_is_guessed;
        points[0].observed = self.host_observed;
        points[1].observed = self.pod_observed;
        points[0].unresolved.clone_from(&self.unresolved);
        points[0].unresolved.sort_unstable_by_key(|known| (known.address, known.asker));
        if self.exchange.views.len() < 2 && !self.pod_is_captured {
            points.truncate(1);
        }
        let mut exchanges = vec![self.exchange.clone()];
        exchanges.extend(self.beside.iter().cloned());
        let comparison = Comparison::new(&exchanges, &topology, &points);
        let mut diagnoses: Vec<Diagnosis> =
            exchanges.iter().map(|exchange| comparison.diagnose(exchange)).collect();
        comparison.compare(&mut diagnoses);
        diagnoses.remove(0)
    }

    pub fn causes(&self) -> Vec<Cause> {
        self.diagnose().findings.iter().map(|finding| finding.cause).collect()
    }

    pub fn find(&self, cause: Cause) -> Option<Finding> {
        let findings = self.diagnose().findings;
        findings.into_iter().find(|finding| finding.cause == cause)
    }

    /// The finding that a test expects.
    pub fn finding(&self, cause: Cause) -> Finding {
        self.find(cause).unwrap()
    }

    /// The verdict, and what `says` takes from the finding of `cause` if there is one.
    pub fn judge<T>(&self, cause: Cause, says: impl FnOnce(&Finding) -> T) -> (Verdict, Option<T>) {
        let diagnosis = self.diagnose();
        let finding = diagnosis.findings.iter().find(|finding| finding.cause == cause);
        (diagnosis.verdict, finding.map(says))
    }
}

fn view(point: PointId, kind: PointKind, asked: Option<Endpoint>, now: Timestamp) -> View {
    View { asked, has_payloads: true, ..View::empty(point, kind, now) }
}

fn point(id: PointId, kind: PointKind, interface: &str) -> Point {
    Point {
        id,
        kind,
        kind_is_stated: true,
        node: Some("node3".to_owned()),
        node_is_stated: true,
        interface: Some(interface.to_owned()),
        capture_name: "sample.pcap".to_owned(),
        observed: None,
        lost_packets: 0,
        unread: Unread::default(),
        is_log: false,
        filter: None,
        unresolved: Vec::new(),
    }
}
