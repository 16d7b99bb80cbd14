//! Networks that use the same addresses, behind one interface.
//!
//! A mirror of a trunk shows many VLANs, and two customers may have the same addresses in
//! theirs (RFC 4364 section 1, RFC 7348 section 3). What looks like one flow is then two: the
//! one that is answered would hide the other. The second network's packets are followed as
//! seen at a point of its own, as at an interface for each.
//!
//! One network's packets are seen in two VLANs as well, or with a tag and without one: a router
//! takes one off their hop limit, and a bridge sends the copy on at once. Where it is seen to
//! do that, the two networks are one for that flow, whichever copies a mirror port loses. And a
//! flow moves: its VLAN changes when another uplink takes over, its label with the path
//! (RFC 3031 section 3.1), for one direction or both. Two networks go on side by side: so many
//! are known when the first comes again after the second. Until then all is taken for one flow.
//!
//! What has no tag is a network of its own (IEEE 802.1Q, the native VLAN). A capture without
//! any tags pays nothing for that: until it is known to have some nothing is remembered.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use hashbrown::HashSet;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::kernel_interfaces::KernelInterfaces;
use super::points::MAX_POINTS;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PointId;
use crate::model::packet::{Content, Packet};
use crate::model::time::Timestamp;

/// Flows that are remembered, by their hash; of more, the latest.
const BUCKETS: u64 = 1_024;
const FLOWS_EACH: usize = 4;
const FLOWS: usize = 4_096;
/// Flows that turned out to be two.
const MAX_APART: usize = 65_536;
/// A bridge sends a datagram on within this time.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// Which flows are seen in which networks.
#[derive(Debug, Default)]
pub struct Networks {
    /// Some packets have tags.
    has_tags: bool,
    /// By what is left of their ends' hash; nothing until a packet tells its network.
    flows: Vec<Option<Seen>>,
    /// The two ends, and the network that is another than the first.
    apart: HashSet<(u64, u32), FxBuildHasher>,
    /// Two ends whose packets a bridge passes on from one network to the other.
    together: HashSet<u64, FxBuildHasher>,
    /// The points behind which further networks are, and which.
    points: KernelInterfaces,
}

/// The first network in which a flow was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    flow: u64,
    network: u32,
    hop_limit: Option<u8>,
    /// Of the last packet.
    fingerprint: Option<u64>,
    identification: Option<u16>,
    at: Timestamp,
    /// In which network it was seen since then: it has moved there, or there are two.
    since: Option<u32>,
}

impl Seen {
    /// Whether `later`, in another network, is the same packet.
    fn is_copied_by(&self, later: &Self) -> bool {
        self.fingerprint.is_some()
            && self.fingerprint == later.fingerprint
            && self.identification == later.identification
            && later.at.distance(self.at) <= ON_ITS_WAY
    }
}

impl Networks {
    /// The point at which a packet was seen that came by `point`: another one where its
    /// network is one of two with the same addresses.
    #[inline]
    pub fn point_of(&mut self, point: PointId, packet: &Packet) -> PointId {
        if packet.network == 0 && !self.has_tags {
            return point;
        }
        self.has_tags = true;
        if !self.is_apart(point, packet) {
            return point;
        }
        let number = self.points.number((point.interface, packet.network), MAX_POINTS);
        number
            .map_or(point, |number| PointId { interface: PointId::FIRST_NETWORK + number, ..point })
    }

    /// Notes that packets to come have tags, so that those without are remembered, too.
    pub fn expect_tags(&mut self) {
        self.has_tags = true;
    }

    /// The further points, and the interface behind which each is.
    pub fn points(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (PointId::FIRST_NETWORK..).zip(self.points.iter().map(|(interface, _)| interface))
    }

    fn is_apart(&mut self, point: PointId, packet: &Packet) -> bool {
        let (source, destination, fingerprint) = match &packet.content {
            Content::Datagram(datagram) => {
                (datagram.flow.source, datagram.flow.destination, datagram.fingerprint)
            }
            Content::IcmpError(error) => {
                let quoted = error
                    .quote
                    .and_then(|quote| quote.source_endpoint().zip(quote.destination_endpoint()));
                let Some((source, destination)) = quoted else { return false };
                return self.is_known_apart(point, source, destination, packet.network);
            }
            Content::FragmentsLost(lost) => {
                let Some(flow) = lost.flow else { return false };
                return self.is_known_apart(point, flow.source, flow.destination, packet.network);
            }
            Content::Discarded(_)
            | Content::Dropped(_)
            | Content::Neighbour(_)
            | Content::Segment(_) => return false,
        };
        if self.is_known_apart(point, source, destination, packet.network) {
            return true;
        }
        let flow = digest(&(point.interface, source, destination));
        if self.flows.is_empty() {
            self.flows = vec![None; FLOWS];
        }
        let new = Seen {
            flow,
            network: packet.network,
            hop_limit: packet.hop_marks.hop_limit(),
            fingerprint,
            identification: packet.ip_identification,
            at: packet.at,
            since: None,
        };
        let bucket = usize::try_from(flow % BUCKETS).unwrap_or(0) * FLOWS_EACH;
        let Some(bucket) = self.flows.get_mut(bucket..bucket + FLOWS_EACH) else { return false };
        let Some(seen) = bucket.iter_mut().flatten().find(|seen| seen.flow == flow) else {
            // The one that was not seen for the longest time gives way.
            if let Some(slot) = bucket.iter_mut().min_by_key(|slot| slot.map(|seen| seen.at)) {
                *slot = Some(new);
            }
            return false;
        };
        let ends = ends_of(point, source, destination);
        if seen.network == packet.network {
            if let Some(other) = seen.since.filter(|_| self.apart.len() < MAX_APART)
                && !self.together.contains(&ends)
            {
                self.apart.insert((ends, other));
            }
            *seen = new;
            return false;
        }
        if seen.is_copied_by(&new) {
            if self.together.len() < MAX_APART {
                self.together.insert(ends);
            }
            return false;
        }
        let is_as_far = seen.hop_limit.is_some() && seen.hop_limit == new.hop_limit;
        let is_late = packet.at.distance(seen.at) > ON_ITS_WAY;
        if is_as_far && is_late && !self.together.contains(&ends) {
            seen.since = Some(packet.network);
        }
        false
    }

    fn is_known_apart(
        &self,
        point: PointId,
        source: Endpoint,
        destination: Endpoint,
        network: u32,
    ) -> bool {
        !self.apart.is_empty()
            && self.apart.contains(&(ends_of(point, source, destination), network))
    }
}

/// The same in both directions.
fn ends_of(point: PointId, one: Endpoint, other: Endpoint) -> u64 {
    digest(&(point.interface, one.min(other), one.max(other)))
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::capture::CaptureId;
    use crate::model::endpoint::FlowKey;
    use crate::model::hop::HopMarks;
    use crate::model::packet::{Application, Datagram};

    const TRUNK: PointId = PointId { capture: CaptureId(0), interface: 0 };

    fn packet(at_ms: i64, network: u32, hop_limit: u8, [source, destination]: [&str; 2]) -> Packet {
        let end = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let datagram = Datagram {
            flow: FlowKey::udp(end(source), end(destination)),
            length: 40,
            fingerprint: Some(1),
            is_cut: false,
            application: Application::Unknown { tftp_shape: None },
        };
        let at = Timestamp::from_nanoseconds(at_ms * 1_000_000);
        Packet {
            network,
            hop_marks: HopMarks::of_v4(hop_limit),
            ..Packet::without_headers(1, at, 0, Content::Datagram(datagram))
        }
    }

    /// Milliseconds, network, hop limit, ends; the point at which it is taken to be.
    type Row<'a> = (i64, u32, u8, [&'a str; 2], u32);

    #[test]
    fn two_networks_with_one_set_of_addresses_are_two_points() {
        for ends in [["192.0.2.7:123", "192.0.2.1:123"], ["[2001:db8::7]:123", "[2001:db8::1]:123"]]
        {
            let back = [ends[1], ends[0]];
            let cases: [(&str, Vec<Row<'_>>); 9] = [
                (
                    "two customers",
                    vec![
                        (0, 10, 64, ends, 0),
                        (1, 10, 64, back, 0),
                        (500, 20, 64, ends, 0),
                        (501, 20, 64, back, 0),
                        (1_000, 10, 64, ends, 0),
                        (1_001, 10, 64, back, 0),
                        (1_500, 20, 64, ends, PointId::FIRST_NETWORK),
                        (1_501, 20, 64, back, PointId::FIRST_NETWORK),
                        (2_000, 30, 64, ends, 0),
                        (2_500, 10, 64, ends, 0),
                        (3_000, 30, 64, ends, PointId::FIRST_NETWORK + 1),
                        (3_100, 20, 64, ends, PointId::FIRST_NETWORK),
                    ],
                ),
                (
                    "a direction that moves, and moves on",
                    vec![
                        (0, 10, 64, ends, 0),
                        (1, 30, 64, back, 0),
                        (5_000, 10, 64, ends, 0),
                        (5_001, 30, 64, back, 0),
                        (10_000, 20, 64, ends, 0),
                        (10_001, 30, 64, back, 0),
                        (15_000, 20, 64, ends, 0),
                        (15_001, 30, 64, back, 0),
                        (20_000, 40, 64, ends, 0),
                        (20_001, 30, 64, back, 0),
                    ],
                ),
                (
                    "both sides of a router",
                    vec![(0, 10, 64, ends, 0), (500, 20, 63, ends, 0), (501, 20, 63, back, 0)],
                ),
                ("both sides of a bridge", vec![(0, 10, 64, ends, 0), (3, 20, 64, ends, 0)]),
                (
                    "a network for each direction",
                    vec![(0, 10, 64, ends, 0), (500, 20, 64, back, 0)],
                ),
                (
                    "one of two has no tag",
                    vec![
                        (0, 0, 64, ends, 0),
                        (1, 0, 64, back, 0),
                        (500, 20, 64, ends, 0),
                        (1_000, 0, 64, ends, 0),
                        (1_001, 0, 64, back, 0),
                        (1_500, 20, 64, ends, PointId::FIRST_NETWORK),
                    ],
                ),
                (
                    "the tagged one first",
                    vec![
                        (0, 20, 64, ends, 0),
                        (500, 0, 64, ends, 0),
                        (1_000, 20, 64, ends, 0),
                        (1_500, 0, 64, ends, PointId::FIRST_NETWORK),
                    ],
                ),
                (
                    "a mirror port shows both sides of a tag, and loses copies",
                    vec![
                        (0, 0, 64, ends, 0),
                        (0, 20, 64, ends, 0),
                        (1, 20, 64, back, 0),
                        (1, 0, 64, back, 0),
                        (500, 20, 64, ends, 0),
                        (501, 0, 64, back, 0),
                        (1_000, 0, 64, ends, 0),
                        (1_500, 20, 64, back, 0),
                    ],
                ),
                ("without tags at all", vec![(0, 0, 64, ends, 0), (500, 0, 64, ends, 0)]),
            ];
            for (name, rows) in cases {
                let mut networks = Networks::default();
                if rows.iter().any(|(_, network, ..)| *network != 0) {
                    networks.expect_tags();
                }
                for (at_ms, network, hop_limit, ends, expected) in rows {
                    let packet = packet(at_ms, network, hop_limit, ends);
                    let found = networks.point_of(TRUNK, &packet).interface;
                    assert_eq!(found, expected, "{name}, {ends:?}, {at_ms} ms");
                }
            }
        }
    }
}
