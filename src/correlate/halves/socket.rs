//! Which halves concern one client socket, and which of them may be one exchange.

use hashbrown::{HashMap, HashSet};

use super::replay::Replay;
use super::stray::{Asked, Stray, may_be_answer};
use super::{Half, Reach, Scene};
use crate::correlate::record::Record;
use crate::correlate::table::PointTable;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::PointKind;
use crate::model::endpoint::Endpoint;
use crate::model::packet::Content;

/// Points at which a socket is seen to ask, each of which is tried with others.
const MAX_ROUNDS: usize = 16;
/// Sockets that sent something to where the answers came from, and errors told apart.
const MAX_OTHERS: usize = 16;
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
            if let Some(asked) = record.asked.filter(|_| may_be_answer(record)) {
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
    sockets: &Sockets,
    (socket, mut members): (Endpoint, Vec<usize>),
    halves: &mut [Half],
    joined: &mut Vec<Half>,
) {
    for _ in 0..MAX_ROUNDS {
        members.retain(|member| !halves[*member].packets.is_empty());
        let is_spread =
            members.iter().any(|member| halves[*member].table != halves[members[0]].table);
        if !is_spread && !scene.errors.are_about(socket) {
            return;
        }
        members.sort_by_key(|member| halves[*member].first_at);
        let Some(chosen) = choose(scene, reach, sockets, socket, &members, halves) else { return };
        let home = halves[chosen.head].table;
        let parts: Vec<&Half> = chosen.parts.iter().map(|number| &halves[*number]).collect();
        let errors = errors_about(scene, reach, &chosen, home, &parts);
        if chosen.has_strays || errors.has_foreign {
            let replay = Replay::new(
                scene,
                socket,
                &halves[chosen.head],
                &parts,
                &chosen.repeats,
                &errors.found,
            );
            let outcome = replay
                .map(|replay| replay.commit(scene, &parts, &chosen.repeats))
                .unwrap_or_default();
            joined.extend(outcome.joined);
            for part in outcome.used {
                halves[chosen.parts[part]].packets.clear();
            }
        }
        // What stays apart is not tried again.
        members.retain(|member| halves[*member].table != home);
    }
}

/// What is tried together.
struct Chosen {
    /// The half that asks.
    head: usize,
    parts: Vec<usize>,
    /// Some of the parts are of other points.
    has_strays: bool,
    /// Of these parts each says again, at another point, what the head's point shows.
    repeats: Vec<usize>,
    /// The socket, and others that may be the same host's.
    clients: Vec<Endpoint>,
    /// Who sent anything to whom in the parts.
    flows: HashSet<(Endpoint, Endpoint)>,
}

/// The half that asks, and all that may be one with it: what its own point saw of the
/// socket, and strays of others.
fn choose(
    scene: &Scene<'_>,
    reach: Reach,
    sockets: &Sockets,
    socket: Endpoint,
    members: &[usize],
    halves: &[Half],
) -> Option<Chosen> {
    let record = |number: usize| halves[number].record(scene.tables);
    let asks = |number: &usize| {
        record(*number).is_some_and(|record| {
            record.client == socket && record.asked.is_some() && record.requests.packets > 0
        })
    };
    let is_told = |number: &usize| record(*number).is_some_and(|record| !may_be_answer(record));
    let heads = || members.iter().copied().filter(asks);
    let head = heads().find(is_told).or_else(|| heads().next())?;
    let home = halves[head].table;
    let at_home = |number: &usize| halves[*number].table == home;
    let mut parts: Vec<usize> = members.iter().copied().filter(at_home).collect();
    let mut flows: HashSet<(Endpoint, Endpoint)> =
        parts.iter().flat_map(|number| flows_of(&halves[*number], scene)).collect();
    let mut asked = Asked::default();
    for number in &parts {
        asked.add(scene, &halves[*number]);
    }
    let (mut has_strays, mut repeats) = (false, Vec::new());
    for &number in members.iter().filter(|number| !at_home(number)) {
        let stray = Stray { scene, socket, head: &halves[head], half: &halves[number] };
        let further = flows_of(&halves[number], scene);
        // Seen twice it is a copy, or another network's with the same addresses.
        let is_elsewhere = further.iter().all(|flow| !flows.contains(flow));
        let is_near = is_near(scene, reach, home, halves[number].table);
        let says_again = !is_elsewhere && is_near && {
            let known: Vec<&Half> = parts.iter().map(|part| &halves[*part]).collect();
            stray.says_again(&known)
        };
        if says_again {
            repeats.push(parts.len());
        }
        if says_again || (is_elsewhere && is_near && stray.may_be(&asked)) {
            flows.extend(further);
            parts.push(number);
            has_strays = true;
        }
    }
    let mut clients = vec![socket];
    if record(head).is_some_and(|record| is_tftp_protocol(record.protocol)) {
        // The client may go on from another of its addresses.
        let answerers: HashSet<Endpoint> =
            flows.iter().filter(|(_, to)| *to == socket).map(|(from, _)| *from).collect();
        let led_there = answerers.iter().filter_map(|end| sockets.of_asked.get(end));
        let mut led_there: Vec<usize> =
            led_there.flat_map(|halves| halves.iter().take(MAX_OTHERS)).copied().collect();
        led_there.sort_unstable();
        for number in led_there.into_iter().take(MAX_OTHERS) {
            let half = &halves[number];
            let is_here = half.table == home || is_near(scene, reach, home, half.table);
            let further = flows_of(half, scene);
            let is_new = !half.packets.is_empty() && !parts.contains(&number);
            if is_here && is_new && further.iter().all(|flow| !flows.contains(flow)) {
                flows.extend(further);
                clients.extend(record(number).map(|record| record.client));
                parts.push(number);
                has_strays |= half.table != home;
            }
        }
    }
    Some(Chosen { head, parts, has_strays, repeats, clients, flows })
}

/// Whether two points may be on one side of a translation, and at one place.
fn is_near(scene: &Scene<'_>, reach: Reach, home: usize, table: usize) -> bool {
    let [near, far] = [home, table].map(|table| scene.tables[table].id.capture);
    let is_within = match reach {
        Reach::OneCapture => near == far,
        Reach::AllCaptures => near != far,
    };
    is_within && are_alike(scene.kinds[home], scene.kinds[table])
}

/// Errors that are of no half.
#[derive(Default)]
struct ErrorsAbout {
    found: Vec<usize>,
    /// Some were seen at another point than the one that asks.
    has_foreign: bool,
}

/// The errors that are of no half and quote what the clients sent or got, at `home` and the
/// points near to it; each is taken from the first of these that saw it.
fn errors_about(
    scene: &Scene<'_>,
    reach: Reach,
    chosen: &Chosen,
    home: usize,
    parts: &[&Half],
) -> ErrorsAbout {
    let mut about = ErrorsAbout::default();
    let home_id = scene.tables[home].id;
    let own = parts.iter().flat_map(|half| half.packets.iter().copied());
    let mut told: Vec<usize> = Vec::new();
    for socket in &chosen.clients {
        let peers = chosen.flows.iter().filter_map(|(from, to)| match socket {
            _ if from == socket => Some(to.address),
            _ if to == socket => Some(from.address),
            _ => None,
        });
        for number in scene.errors.about(*socket, &peers.collect()) {
            let seen = &scene.kept[number];
            let Content::IcmpError(error) = &seen.packet.content else { continue };
            if told.is_empty() {
                let is_error = |number: &usize| {
                    matches!(scene.kept[*number].packet.content, Content::IcmpError(_))
                };
                told.extend(own.clone().filter(is_error).take(MAX_OTHERS));
            }
            let table = scene.by_point.get(&seen.point);
            let is_here = seen.point == home_id
                || table.is_some_and(|table| is_near(scene, reach, home, *table));
            let same = told.iter().find(|known| {
                matches!(&scene.kept[**known].packet.content, Content::IcmpError(known) if known == error)
            });
            match same {
                Some(first) if scene.kept[*first].point != seen.point => continue,
                Some(_) => {}
                None => told.push(number),
            }
            if is_here {
                about.has_foreign |= seen.point != home_id;
                about.found.push(number);
            }
        }
    }
    about
}

/// Whether two points may be on one side of everything.
pub fn are_alike(near: PointKind, far: PointKind) -> bool {
    matches!(
        (near, far),
        (PointKind::Unknown | PointKind::Host, PointKind::Unknown | PointKind::Host)
            | (PointKind::Device, PointKind::Device)
            | (PointKind::Pod, PointKind::Pod)
    )
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
