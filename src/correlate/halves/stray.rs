//! What one point saw of a socket, beside the point that saw it ask.

use std::time::Duration;

use hashbrown::{HashMap, HashSet};

use super::{Half, MAX_CANDIDATES, Scene};
use crate::correlate::join::TIME_APART;
use crate::correlate::record::Record;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Application, Content, Datagram, TransactionRole};
use crate::model::time::Timestamp;

/// By how much a packet comes after its cause at least, where clocks say otherwise.
const STEP_NS: i64 = 1_000_000;

/// A half that asks nothing which the head does not ask.
pub struct Stray<'a> {
    pub scene: &'a Scene<'a>,
    pub socket: Endpoint,
    /// The half that asks, at another point.
    pub head: &'a Half,
    pub half: &'a Half,
}

/// What was asked of whom at the point that asks.
#[derive(Debug, Default)]
pub struct Asked {
    servers: HashSet<Endpoint>,
    identities: HashSet<u64>,
}

/// Whether nothing tells that the exchange began with a request: what looks like one may
/// as well be an answer, or follow one.
pub fn may_be_answer(record: &Record) -> bool {
    !record.protocol.expects_answer() && !record.is_answered()
}

impl Stray<'_> {
    /// Whether it can be the rest of what was asked at the head's point.
    pub fn may_be(&self, asked: &Asked) -> bool {
        let tables = &*self.scene.tables;
        let Some(record) = self.half.record(tables) else { return false };
        let is_rest =
            record.asked.is_none() || record.requests.packets == 0 || may_be_answer(record);
        // Who asks the same at the other point as well is seen there twice, or is another.
        let table = &tables[self.half.table];
        let there = table.clients.exchanges(&table.hasher, &table.exchanges, self.socket);
        let asks_there = there.take(MAX_CANDIDATES).any(|(_, other)| {
            let is_asked = other.asked.is_some_and(|server| asked.servers.contains(&server));
            is_asked && other.requests.packets > 0
        });
        is_rest && !asks_there && self.has_answer_to(asked)
    }

    /// Whether one of its answers has the identity of one of the requests, where answers
    /// have any.
    fn has_answer_to(&self, asked: &Asked) -> bool {
        let answers = said(self.scene, self.half, TransactionRole::Reply);
        let mut answers = answers.map(|(identity, _)| identity).peekable();
        answers.peek().is_none()
            || asked.identities.is_empty()
            || answers.any(|identity| asked.identities.contains(&identity))
    }

    /// How far the other capture's clock is ahead, by what has to come after what; zero where
    /// that does not tell. `None` where the two cannot have been taken at one time.
    pub fn find_ahead_ns(&self) -> Option<i64> {
        let ahead_ns = self.find_lag_by_identity_ns().map_or_else(
            || self.find_lag_by_order_ns(),
            |lag_ns| if lag_ns < 0 { lag_ns - STEP_NS } else { 0 },
        );
        let tables = &self.scene.tables;
        let (here, there) = (tables[self.head.table].observed?, tables[self.half.table].observed?);
        let there = [there.0, there.1].map(|at| at.back(ahead_ns));
        let is_one_time = here.0 <= there[1] + TIME_APART && there[0] <= here.1 + TIME_APART;
        let is_usual = Duration::from_nanos(ahead_ns.unsigned_abs()) <= TIME_APART;
        (is_one_time && is_usual).then_some(ahead_ns)
    }

    /// How long after their requests answers were seen, the first of them by that.
    fn find_lag_by_identity_ns(&self) -> Option<i64> {
        let asked: HashMap<u64, Timestamp> =
            said(self.scene, self.head, TransactionRole::Request).collect();
        let answers = said(self.scene, self.half, TransactionRole::Reply);
        let lags = answers.filter_map(|(identity, at)| {
            let asked_at = asked.get(&identity)?;
            Some(at.ahead_of_ns(*asked_at))
        });
        lags.min()
    }

    /// An answer comes after its request, and before what follows it.
    fn find_lag_by_order_ns(&self) -> i64 {
        let from_client = |datagram: &Datagram| datagram.flow.source == self.socket;
        let to_client = |datagram: &Datagram| datagram.flow.destination == self.socket;
        let record = self.head.record(self.scene.tables);
        let asked = record.filter(|record| is_tftp_protocol(record.protocol));
        let asked = asked.and_then(|record| record.asked);
        // RFC 1350 section 4: what follows goes to another port than the request.
        let follows = |datagram: &Datagram| {
            from_client(datagram) && asked.is_some_and(|asked| datagram.flow.destination != asked)
        };
        let asked_at = self.first_ns(self.head, &from_client);
        let answered_at = self.first_ns(self.half, &to_client);
        let Some((asked_at, answered_at)) = asked_at.zip(answered_at) else { return 0 };
        let next_at = self.first_ns(self.head, &follows);
        let room_ns = next_at.map_or(i64::MAX, |next_at| next_at.saturating_sub(asked_at));
        let step_ns = STEP_NS.min(room_ns / 2);
        match next_at {
            _ if answered_at < asked_at => answered_at - asked_at - step_ns,
            Some(next_at) if answered_at > next_at => answered_at - next_at + step_ns,
            _ => 0,
        }
    }

    fn first_ns(&self, half: &Half, wanted: &dyn Fn(&Datagram) -> bool) -> Option<i64> {
        let datagrams = datagrams(self.scene, half).filter(|(datagram, _)| wanted(datagram));
        datagrams.map(|(_, at)| at.as_nanoseconds()).min()
    }
}

impl Asked {
    /// Notes what a half asks.
    pub fn add(&mut self, scene: &Scene<'_>, half: &Half) {
        let record = half.record(scene.tables);
        let server = record.filter(|record| record.requests.packets > 0);
        self.servers.extend(server.and_then(|record| record.asked));
        let said = said(scene, half, TransactionRole::Request);
        self.identities.extend(said.map(|(identity, _)| identity));
    }
}

/// The identities of the messages with this role, the latest first.
fn said<'s>(
    scene: &'s Scene<'_>,
    half: &'s Half,
    role: TransactionRole,
) -> impl Iterator<Item = (u64, Timestamp)> + 's {
    datagrams(scene, half).filter_map(move |(datagram, at)| match &datagram.application {
        Application::Transaction(said) if said.role == role => Some((said.identity, at)),
        _ => None,
    })
}

/// The latest first.
pub fn datagrams<'s>(
    scene: &'s Scene<'_>,
    half: &'s Half,
) -> impl Iterator<Item = (&'s Datagram, Timestamp)> + 's {
    half.packets.iter().rev().filter_map(|number| {
        let packet = &scene.kept[*number].packet;
        match &packet.content {
            Content::Datagram(datagram) => Some((datagram, packet.at)),
            _ => None,
        }
    })
}
