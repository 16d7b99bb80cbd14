//! Which halves concern one client socket, and which of them may be one exchange.

use hashbrown::{HashMap, HashSet};

use super::replay::Replay;
use super::stray::{Asked, Stray, is_untold};
use super::{Half, Reach, Scene};
use crate::correlate::record::Record;
use crate::correlate::table::PointTable;
use crate::model::capture::PointKind;
use crate::model::endpoint::Endpoint;
use crate::model::packet::Content;

/// Points at which a socket is seen to ask, each of which is tried with others.
const MAX_ROUNDS: usize = 4;

/// Halves by the sockets that they may be of.
#[derive(Debug)]
pub struct Sockets {
    /// In order of appearance.
    clients: Vec<Endpoint>,
    of_client: HashMap<Endpoint, Vec<usize>>,
    /// Nobody answered there: these may be answers to that socket, which their bytes do
    /// not tell from requests.
    of_asked: HashMap<Endpoint, Vec<usize>>,
}

impl Sockets {
    pub fn of(halves: &[Half], tables: &[PointTable]) -> Self {
        let mut in_order: Vec<usize> = (0..halves.len()).collect();
        in_order.sort_by_key(|number| halves[*number].first_at);
        let mut sockets =
            Self { clients: Vec::new(), of_client: HashMap::new(), of_asked: HashMap::new() };
        for number in in_order {
            let Some(record) = halves[number].record(tables) else { continue };
            let own = sockets.of_client.entry(record.client).or_default();
            if own.is_empty() {
                sockets.clients.push(record.client);
            }
            own.push(number);
            if let Some(asked) = record.asked.filter(|_| is_untold(record)) {
                sockets.of_asked.entry(asked).or_default().push(number);
            }
        }
        sockets
    }

    /// Each client's socket, with the halves that may concern it.
    pub fn in_order(&self) -> impl Iterator<Item = (Endpoint, Vec<usize>)> {
        self.clients.iter().map(|client| {
            let lists = [self.of_client.get(client), self.of_asked.get(client)];
            let mut members: Vec<usize> = lists.into_iter().flatten().flatten().copied().collect();
            members.sort_unstable();
            members.dedup();
            (*client, members)
        })
    }
}

/// Puts together what may be of one exchange of a client's socket, until nothing more fits.
pub fn join(
    scene: &mut Scene<'_>,
    reach: Reach,
    socket: Endpoint,
    mut members: Vec<usize>,
    halves: &mut [Half],
    joined: &mut Vec<Half>,
) {
    for _ in 0..MAX_ROUNDS {
        members.retain(|member| !halves[*member].packets.is_empty());
        members.sort_by_key(|member| halves[*member].first_at);
        let Some((head, chosen)) = choose(scene, reach, socket, &members, halves) else { return };
        let parts: Vec<&Half> = chosen.iter().map(|number| &halves[*number]).collect();
        let replay = Replay::new(scene, socket, &halves[head], &parts);
        let outcome = replay.map(|replay| replay.commit(scene, &parts)).unwrap_or_default();
        joined.extend(outcome.joined);
        for part in outcome.used {
            halves[chosen[part]].packets.clear();
        }
        // What stays apart is not tried again.
        let home = halves[head].table;
        members.retain(|member| halves[*member].table != home);
    }
}

/// The half that asks, and all that may be one with it: what its own point saw of the
/// socket, and strays of others.
fn choose(
    scene: &Scene<'_>,
    reach: Reach,
    socket: Endpoint,
    members: &[usize],
    halves: &[Half],
) -> Option<(usize, Vec<usize>)> {
    let record = |number: usize| halves[number].record(scene.tables);
    let asks = |number: &usize| {
        record(*number).is_some_and(|record| {
            record.client == socket && record.asked.is_some() && record.requests.packets > 0
        })
    };
    let is_told = |number: &usize| record(*number).is_some_and(|record| !is_untold(record));
    let heads = || members.iter().copied().filter(asks);
    let head = heads().find(is_told).or_else(|| heads().next())?;
    let at_head = |number: &usize| halves[*number].table == halves[head].table;
    let mut chosen: Vec<usize> = members.iter().copied().filter(at_head).collect();
    let mut flows: HashSet<(Endpoint, Endpoint)> =
        chosen.iter().flat_map(|number| flows_of(&halves[*number], scene)).collect();
    let mut asked = Asked::default();
    for number in &chosen {
        asked.add(scene, &halves[*number]);
    }
    let own = chosen.len();
    for &number in members.iter().filter(|number| !at_head(number)) {
        let stray = Stray { scene, socket, head: &halves[head], half: &halves[number] };
        let further = flows_of(&halves[number], scene);
        // Seen twice it is a copy, or another network's with the same addresses.
        let is_elsewhere = further.iter().all(|flow| !flows.contains(flow));
        if is_elsewhere
            && is_near(scene, reach, &halves[head], &halves[number])
            && stray.may_be(&asked)
        {
            flows.extend(further);
            chosen.push(number);
        }
    }
    (chosen.len() > own).then_some((head, chosen))
}

/// Whether the two points may be on one side of a translation, and at one place.
fn is_near(scene: &Scene<'_>, reach: Reach, head: &Half, half: &Half) -> bool {
    let [near, far] = [head, half].map(|half| &scene.points[half.table]);
    let is_within = match reach {
        Reach::OneCapture => near.id.capture == far.id.capture,
        Reach::AllCaptures => near.id.capture != far.id.capture,
    };
    let are_alike = matches!(
        (near.kind, far.kind),
        (PointKind::Unknown | PointKind::Host, PointKind::Unknown | PointKind::Host)
            | (PointKind::Device, PointKind::Device)
            | (PointKind::Pod, PointKind::Pod)
    );
    is_within && are_alike
}

fn flows_of(half: &Half, scene: &Scene<'_>) -> HashSet<(Endpoint, Endpoint)> {
    let datagrams =
        half.packets.iter().filter_map(|number| match &scene.kept[*number].packet.content {
            Content::Datagram(datagram) => Some(datagram.flow),
            _ => None,
        });
    datagrams.map(|flow| (flow.source, flow.destination)).collect()
}

impl Half {
    pub fn record<'t>(&self, tables: &'t [PointTable]) -> Option<&'t Record> {
        tables.get(self.table)?.exchanges.get(self.index.position())
    }
}
