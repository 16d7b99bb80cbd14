//! Exchanges made by hand, so that tests of rules are tables.
//!
//! Every packet takes the next frame number and 10 ms. Addresses are of
//! RFC 5737 and RFC 3849.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Comparison;
use crate::model::capture::{CaptureId, FrameRef, PointKind};
use crate::model::cluster::{AddressPool, ServiceFact};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    AskedAgain, Course, DeviceRule, Discarded, ErrorAnswer, Exchange, FollowUps, IcmpErrors,
    LateChange, LostParts, Novelty, Origin, PayloadReplies, Point, PointId, Replies, Said, Stall,
    Step, Tally, View,
};
use crate::model::finding::{Cause, Confidence, Diagnosis, Finding};
use crate::model::neighbour::Unresolved;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};
use crate::model::time::Timestamp;
use crate::model::topology::{
    AddressRole, DeviceEntry, FactSource, Facts, NodeSettings, Role, Topology,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    fn pick(self, v4: &str, v6: &str) -> IpAddr {
        match self {
            Self::V4 => v4.parse().unwrap(),
            Self::V6 => v6.parse().unwrap(),
        }
    }

    pub fn device(self) -> IpAddr {
        self.pick("192.0.2.7", "2001:db8::7")
    }

    pub fn other_device(self) -> IpAddr {
        self.pick("192.0.2.8", "2001:db8::8")
    }

    pub fn vip(self) -> IpAddr {
        self.pick("198.51.100.10", "2001:db8:100::10")
    }

    pub fn node(self) -> IpAddr {
        self.pick("198.51.100.4", "2001:db8:100::4")
    }

    pub fn pod(self) -> IpAddr {
        self.pick("203.0.113.16", "2001:db8:200::16")
    }

    fn group(self) -> IpAddr {
        self.pick("224.0.0.251", "ff02::fb")
    }
}

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
    pub host_observed: Option<(Timestamp, Timestamp)>,
    pub pod_observed: Option<(Timestamp, Timestamp)>,
    pod_is_captured: bool,
    temporary: Vec<IpAddr>,
    /// Neighbours that are asked for at the uplink and do not show up.
    unresolved: Vec<Unresolved>,
}

mod beside;
mod cluster;
mod pod_side;

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

    /// Replies of which only the first fragment was seen.
    pub fn lost_replies(mut self, datagrams: u64) -> Self {
        let frame = self.tick();
        let source = self.exchange.views[0].asked.unwrap();
        let destination = self.exchange.client;
        self.primary().lost_replies = Some(LostParts {
            source,
            destination,
            datagrams,
            frame,
            received_bytes: 1_480,
            total_bytes: Some(4_028),
        });
        self
    }

    /// Packets of the client to `destination` of which only the first fragment was seen.
    pub fn lost_requests(mut self, destination: Endpoint, datagrams: u64) -> Self {
        let frame = self.tick();
        let source = self.exchange.client;
        self.primary().lost_requests = Some(LostParts {
            source,
            destination,
            datagrams,
            frame,
            received_bytes: 1_480,
            total_bytes: Some(4_108),
        });
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

    pub fn reply(mut self, from: IpAddr, port: u16, origin: Origin, packets: u64) -> Self {
        let awaits_follow_up = self.exchange.protocol == Protocol::Tftp;
        let source = Endpoint::new(from, port);
        let mut replies = Replies { source, origin, tally: Tally::NONE, awaits_follow_up };
        for _ in 0..packets {
            let frame = self.tick();
            replies.tally.count(frame, 35, Novelty::New);
        }
        self.primary().replies.push(replies);
        self.primary().unanswered = Tally::NONE;
        self
    }

    /// Repeats the last reply, a second apart.
    pub fn repeat_reply(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            self.primary().replies.last_mut().unwrap().tally.count(frame, 35, Novelty::Repeat);
        }
        self
    }

    pub fn answered_by_node(self) -> Self {
        let node = self.family.node();
        self.reply(node, 40_001, Origin::OtherAddress(Confidence::Certain), 1).repeat_reply(2)
    }

    pub fn answered_by_vip(self) -> Self {
        let vip = self.family.vip();
        self.reply(vip, 40_001, Origin::Asked, 1)
    }

    pub fn answered_by_agent(self, packets: u64) -> Self {
        let device = self.family.device();
        self.reply(device, 161, Origin::Asked, packets)
    }

    pub fn answered_by_other_address(self, packets: u64) -> Self {
        let other = self.family.other_device();
        self.reply(other, 161, Origin::OtherAddress(Confidence::Certain), packets)
    }

    /// A reply whose request was not captured, repeated once.
    pub fn unknown_reply(self, from: IpAddr, port: u16) -> Self {
        self.reply(from, port, Origin::Unknown, 1).repeat_reply(1)
    }

    /// Takes the request out of the capture.
    pub fn begins_midway(mut self) -> Self {
        let view = self.primary();
        view.asked = None;
        view.requests = Tally::NONE;
        view.steps.clear();
        self
    }

    pub fn follow_up(self, to: IpAddr, port: u16, course: Course, packets: u64) -> Self {
        let source = self.exchange.client;
        self.follow_up_on(source, Endpoint::new(to, port), course, packets)
    }

    pub fn follow_up_from(self, from: IpAddr, to: IpAddr, port: u16, packets: u64) -> Self {
        let source = Endpoint::new(from, self.exchange.client.port);
        self.follow_up_on(source, Endpoint::new(to, port), Course::FromOtherSource, packets)
    }

    fn follow_up_on(
        mut self,
        source: Endpoint,
        destination: Endpoint,
        course: Course,
        packets: u64,
    ) -> Self {
        let mut tally = Tally::NONE;
        for _ in 0..packets {
            let frame = self.tick();
            tally.count(frame, 516, Novelty::New);
        }
        self.primary().follow_ups.push(FollowUps { source, destination, course, tally });
        self
    }

    /// Repeats the last follow-up, a second apart.
    pub fn repeat_follow_up(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            self.primary().follow_ups.last_mut().unwrap().tally.count(frame, 516, Novelty::Repeat);
        }
        self
    }

    /// The answers so far went to this port of the client, which did not ask from it.
    pub fn answered_at_payload_port(mut self, port: u16) -> Self {
        let destination = Endpoint::new(self.exchange.client.address, port);
        let replies = *self.primary().replies.last().unwrap();
        self.primary().payload_replies = Some(PayloadReplies {
            source: replies.source,
            destination,
            packets: replies.tally.packets,
            first: replies.tally.first.unwrap(),
            asks_for_own_port: Some(false),
        });
        self
    }

    /// The last reply came after a pause.
    pub fn late_change(mut self, pause_seconds: u64, was_answered: bool) -> Self {
        let replies = *self.primary().replies.last().unwrap();
        self.primary().late_change = Some(LateChange {
            frame: replies.tally.first.unwrap(),
            source: replies.source,
            pause: Duration::from_secs(pause_seconds),
            was_answered,
        });
        self
    }

    /// The last follow-up is repeated at the end, a second apart.
    pub fn stalls(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            let sent = self.primary().follow_ups.last_mut().unwrap();
            sent.tally.count(frame, 516, Novelty::Repeat);
            let (source, destination) = (sent.source, sent.destination);
            let known = self.primary().stall;
            let first = known.map_or(frame, |known| known.first);
            let repeats = known.map_or(0, |known| known.repeats) + 1;
            self.primary().stall = Some(Stall { repeats, first, last: frame, source, destination });
        }
        self
    }

    /// The last reply's source says something new.
    pub fn progress(mut self) -> Self {
        let frame = self.tick();
        let view = self.primary();
        view.progress = Some(frame);
        if let Some(replies) = view.replies.last_mut() {
            replies.tally.count(frame, 4, Novelty::New);
        }
        self
    }

    /// The last reply's source says that it fails.
    pub fn error_answer(mut self, words: &str) -> Self {
        let frame = self.tick();
        let replies = self.primary().replies.last_mut().unwrap();
        replies.tally.count(frame, 20, Novelty::New);
        let (source, words) = (replies.source, words.into());
        self.primary().error_answer = Some(ErrorAnswer { frame, source, words });
        self
    }

    pub fn asked_again(mut self, asked: u64, confidence: Confidence) -> Self {
        let frame = self.tick();
        self.primary().asked_again = Some(AskedAgain { frame, times: asked, confidence });
        self
    }

    pub fn discarded(mut self, times: u64) -> Self {
        let frame = self.tick();
        self.primary().discarded = Some(Discarded { frame, times });
        self
    }

    pub fn icmp(mut self, kind: IcmpKind, from: IpAddr, quotes: Quotes, packets: u64) -> Self {
        let quoted_destination = match quotes {
            Quotes::Request => self.primary().asked,
            Quotes::Reply => Some(self.exchange.client),
            Quotes::FollowUp => self.primary().follow_ups.first().map(|sent| sent.destination),
        };
        let mut tally = Tally::NONE;
        for _ in 0..packets {
            let frame = self.tick();
            tally.count(frame, 0, Novelty::New);
        }
        let errors = IcmpErrors { kind, from, quotes, quoted_destination, tally };
        self.primary().icmp_errors.push(errors);
        self
    }

    /// Port unreachable for a follow-up, from where it was sent to.
    pub fn refused_follow_up(mut self, at: IpAddr, port: u16) -> Self {
        self = self.icmp(IcmpKind::PortUnreachable, at, Quotes::FollowUp, 2);
        let quoted = Some(Endpoint::new(at, port));
        self.primary().icmp_errors.last_mut().unwrap().quoted_destination = quoted;
        self
    }

    /// `asker` looks for `address` at the uplink, a second apart, in vain.
    pub fn asks_for(mut self, address: IpAddr, asker: IpAddr, tries: u64) -> Self {
        let first = self.tick();
        let mut last = first;
        for _ in 1..tries {
            self = self.wait_seconds(1);
            last = self.tick();
        }
        self.unresolved.push(Unresolved { address, asker, tries, first, last });
        self
    }

    pub fn at(mut self, kind: PointKind) -> Self {
        self.primary().kind = kind;
        self
    }

    pub fn temporary(mut self, address: IpAddr) -> Self {
        self.temporary.push(address);
        self
    }

    pub fn on_node(mut self, address: IpAddr, node: &str) -> Self {
        self.roles.get_mut(&address).unwrap().node = Some(node.to_owned());
        self
    }

    pub fn role(mut self, address: IpAddr, role: Role, source: FactSource) -> Self {
        let reason = "a sample".to_owned();
        self.roles.insert(address, AddressRole { role, node: None, pod: None, source, reason });
        self
    }

    pub fn with_settings(mut self, settings: NodeSettings) -> Self {
        self.settings.push(settings);
        self
    }

    pub fn without_topology(mut self) -> Self {
        self.roles.clear();
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

    pub fn finding(&self, cause: Cause) -> Finding {
        let findings = self.diagnose().findings;
        findings.into_iter().find(|finding| finding.cause == cause).unwrap()
    }
}

fn view(point: PointId, kind: PointKind, asked: Option<Endpoint>, now: Timestamp) -> View {
    View { asked, has_payloads: true, ..View::empty(point, kind, now) }
}

fn point(id: PointId, kind: PointKind, interface: &str) -> Point {
    Point {
        id,
        kind,
        node: Some("node3".to_owned()),
        interface: Some(interface.to_owned()),
        capture_name: "sample.pcap".to_owned(),
        observed: None,
        lost_packets: 0,
        unresolved: Vec::new(),
    }
}
