//! Which exchanges of the two families are alike enough to be compared.

use std::cmp::Reverse;
use std::time::Duration;

use hashbrown::HashMap;

use crate::model::exchange::{Exchange, PointId, Said};
use crate::model::finding::{Confidence, Diagnosis, Verdict};
use crate::model::packet::TftpMessage;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;
use crate::model::topology::{Role, Topology};

/// Exchanges of different devices are compared where they are this near in time.
const NEAR: Duration = Duration::from_mins(15);
/// Twins tried for one exchange.
const TRIED: usize = 8;

/// What makes two exchanges comparable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    /// A listed device, which has both addresses.
    Device { name: String, protocol: Protocol, port: u16, request: Request },
    /// Any device, for the same file on the same node.
    File { place: Place, protocol: Protocol, port: u16, request: Request, file: String },
}

/// What two service addresses have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Node(String),
    /// Where no inventory names the node: both were asked at one capture point.
    Point(PointId),
}

/// Reading and writing may be served differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    Read,
    Write,
    Other(&'static str),
}

/// Why two exchanges are taken for twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    SameDevice,
    SameFile,
    /// File names that differ in their digits: serial numbers and times.
    LikeFile,
}

impl Kinship {
    /// How sure it is that the family makes the difference.
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::SameDevice => Confidence::Certain,
            Self::SameFile => Confidence::Likely,
            Self::LikeFile => Confidence::Possible,
        }
    }
}

/// Exchanges that work, by kind and family, in order of time.
pub struct Working {
    by_kind: HashMap<(Kind, bool), Vec<(Timestamp, usize)>>,
}

impl Working {
    /// Keeps what works of an analysis.
    pub fn new(exchanges: &[Exchange], diagnoses: &[Diagnosis], topology: &Topology) -> Self {
        let mut by_kind: HashMap<(Kind, bool), Vec<(Timestamp, usize)>> = HashMap::new();
        for (index, (exchange, diagnosis)) in exchanges.iter().zip(diagnoses).enumerate() {
            if !matches!(diagnosis.verdict, Verdict::Symmetric | Verdict::Tolerated) {
                continue;
            }
            let Some(view) = exchange.views.first() else { continue };
            for kind in kinds(exchange, topology) {
                let is_ipv6 = exchange.client.address.is_ipv6();
                by_kind.entry((kind, is_ipv6)).or_default().push((view.first_at, index));
            }
        }
        for list in by_kind.values_mut() {
            list.sort_unstable();
        }
        Self { by_kind }
    }

    /// The nearest exchange in time that works in the other family.
    pub fn find_twin<'a>(
        &self,
        exchange: &Exchange,
        exchanges: &'a [Exchange],
        topology: &Topology,
    ) -> Option<(&'a Exchange, Kinship)> {
        let at = exchange.views.first()?.first_at;
        let own_family = exchange.client.address.is_ipv6();
        kinds(exchange, topology).find_map(|kind| {
            let is_listed = matches!(kind, Kind::Device { .. });
            // Where the own family works too, the family is not what differs.
            let own = self.by_kind.get(&(kind.clone(), own_family));
            if own.is_some_and(|list| is_listed || has_near(list, at)) {
                return None;
            }
            let list = self.by_kind.get(&(kind, !own_family))?;
            let next = list.partition_point(|(began, _)| *began < at);
            let near = &list[next.saturating_sub(TRIED)..list.len().min(next + TRIED)];
            near.iter()
                .filter(|(began, _)| is_listed || began.distance(at) <= NEAR)
                .filter_map(|(began, index)| {
                    let twin = exchanges.get(*index)?;
                    let kinship = if is_listed {
                        Kinship::SameDevice
                    } else if find_file(twin) == find_file(exchange) {
                        Kinship::SameFile
                    } else {
                        Kinship::LikeFile
                    };
                    Some((kinship.confidence(), began.distance(at), twin, kinship))
                })
                .max_by_key(|(confidence, distance, _, _)| (*confidence, Reverse(*distance)))
                .map(|(_, _, twin, kinship)| (twin, kinship))
        })
    }
}

/// Whether any of them began near `at`.
fn has_near(list: &[(Timestamp, usize)], at: Timestamp) -> bool {
    let next = list.partition_point(|(began, _)| *began < at - NEAR);
    list.get(next).is_some_and(|(began, _)| *began <= at + NEAR)
}

/// The kinds that an exchange belongs to, the surest first.
fn kinds(exchange: &Exchange, topology: &Topology) -> impl Iterator<Item = Kind> + use<> {
    let asked = exchange.views.first().and_then(|view| view.asked);
    let request = find_request(exchange);
    let protocol = exchange.protocol;
    let service = asked.zip(request);
    let device =
        topology.device_of(exchange.device).zip(service).map(|(device, (asked, request))| {
            Kind::Device { name: device.name.clone(), protocol, port: asked.port, request }
        });
    let file = service.and_then(|(asked, request)| {
        let belief = topology.find(asked.address)?;
        let is_service = matches!(belief.role, Role::Vip | Role::Service | Role::Node);
        if !is_service {
            return None;
        }
        let place = match (&belief.node, exchange.views.first()) {
            (Some(node), _) => Place::Node(node.clone()),
            (None, Some(view)) => Place::Point(view.point),
            (None, None) => return None,
        };
        let file = find_file(exchange)?.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
        let mut file: Vec<char> = file.collect();
        file.dedup_by(|a, b| *a == '0' && *b == '0');
        let file = file.into_iter().collect();
        Some(Kind::File { place, protocol, port: asked.port, request, file })
    });
    device.into_iter().chain(file)
}

fn find_request(exchange: &Exchange) -> Option<Request> {
    let step = exchange.views.first()?.steps.first()?;
    Some(match &step.said {
        Said::Tftp(TftpMessage::ReadRequest(_)) => Request::Read,
        Said::Tftp(TftpMessage::WriteRequest(_)) => Request::Write,
        Said::Message { label, .. } => Request::Other(label),
        Said::Tftp(_) | Said::Datagram { .. } | Said::Icmp { .. } | Said::Tracked { .. } => {
            Request::Other("")
        }
    })
}

fn find_file(exchange: &Exchange) -> Option<&str> {
    match &exchange.views.first()?.steps.first()?.said {
        Said::Tftp(TftpMessage::ReadRequest(request) | TftpMessage::WriteRequest(request)) => {
            Some(request.file.as_str()).filter(|file| !file.is_empty())
        }
        _ => None,
    }
}
