//! Sightings of one socket that lie further apart in time than clocks differ by.
//!
//! One host's clock may be an hour ahead of another's, or a text be printed in another
//! time zone. But the same device also asks the same again tomorrow, from the same port:
//! boot loaders and firmware begin at one port and one identity each time. Which of the
//! two it is, the captures as a whole must prove: one distance in time for all that both
//! saw, and
//!
//! - the last packets of one exchange carry one IPv4 identification at both (RFC 6864
//!   section 4), or its transfer was answered from one port of the server's choice, as
//!   often and as late, or followed up to the port from which the other shows the answer,
//!   as each uplink of a cluster shows one direction; or
//! - it is the distance of two clients, each of which says what is said once only, and all
//!   were answered at both, by the same, or at neither; or
//! - it is that of three such exchanges, which went alike at both.
//!
//! Where both saw as many packets of a side, and the last of them carry two identifications,
//! these are two packets, whatever they say. A script that fails before a change and works
//! after it says the same both times, at one pace; that only one of two captures shows
//! answers may also come of a loss between them, but then each by itself still tells the
//! fault. Without a proof they stay apart: a report of two days is of two exchanges. What is
//! said once only, [`telling`](super::telling) knows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::telling::{Speakers, find_said_once, is_followed_as_answered};
use super::{Group, PACE, Seen};
use crate::correlate::record::Record;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;

/// Pairs of sightings that are looked at; a clock needs few.
const MAX_PAIRS: usize = 4_096;
/// Exchanges of one client that are enough where all of them went alike.
const ALIKE: usize = 3;
const CLIENTS: usize = 2;

/// Which capture each table is of.
pub type Captures = [CaptureId];

/// Two captures, in ascending order.
type Both = (CaptureId, CaptureId);

/// What may be one exchange at two points whose clocks differ.
#[derive(Debug, Default)]
pub struct Apart {
    pairs: BTreeMap<Both, Vec<Pair>>,
    noted: usize,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    /// How much later the second capture saw it.
    lag_ns: i64,
    client: Endpoint,
    asked: Option<Endpoint>,
    proof: Proof,
    /// What both say that is said once only.
    said_once: Option<u64>,
}

/// What two sightings that say the same are worth as a proof that they are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// Something came of them here that did not there.
    Words,
    /// Answered at both, by the same where the same was asked, or at neither.
    Outcome,
    /// The same, and as many packets of each kind.
    Course,
    /// Marks that no other exchange has.
    Marks,
}

impl Apart {
    /// Notes two sightings of one client's socket that say the same, `lag_ns` apart.
    pub fn note(&mut self, first: (CaptureId, &Record), second: (CaptureId, &Record), lag_ns: i64) {
        let ((from, known), (to, other)) = (first, second);
        // One capture has one clock.
        if from == to || self.noted >= MAX_PAIRS {
            return;
        }
        let Some(proof) = find_proof(known, other) else { return };
        let (both, lag_ns) =
            if from < to { ((from, to), lag_ns) } else { ((to, from), lag_ns.saturating_neg()) };
        let said_once = find_said_once(known, other);
        let pair = Pair { lag_ns, client: known.client, asked: known.asked, proof, said_once };
        self.pairs.entry(both).or_default().push(pair);
        self.noted += 1;
    }

    /// How much each capture's clock is ahead of the first one's that it is linked with,
    /// in ns, where that is proven; `groups` are those that were joined without.
    pub fn prove(mut self, groups: &[(Seen<'_>, Group)], captures: &Captures) -> Proven {
        if self.pairs.is_empty() {
            return Proven::default();
        }
        let mut links: BTreeMap<Both, i64> = BTreeMap::new();
        let near = count_joined(groups, captures);
        for (both, pairs) in &mut self.pairs {
            let joined = near.get(both).copied().unwrap_or(0);
            if let Some(lag_ns) = find_proven_lag_ns(pairs, joined) {
                links.insert(*both, lag_ns);
            }
        }
        if links.is_empty() {
            return Proven::default();
        }
        // Those that were joined have one clock, or nearly.
        for both in near.into_keys() {
            links.entry(both).or_insert(0);
        }
        Proven(spread(&links))
    }
}

/// How much clocks are ahead, in ns.
#[derive(Debug, Default)]
pub struct Proven(BTreeMap<CaptureId, i64>);

impl Proven {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|ahead_ns| *ahead_ns == 0)
    }

    /// How much the capture's clock is ahead.
    pub fn ahead_ns(&self, capture: CaptureId) -> i64 {
        self.0.get(&capture).copied().unwrap_or(0)
    }
}

/// `None` where they cannot be one: transfers that were answered from other ports, and
/// packets with other marks.
fn find_proof(known: &Record, other: &Record) -> Option<Proof> {
    if known.is_answered_otherwise(other) || known.ends_otherwise(other) {
        return None;
    }
    let (ports, ports_there) = (known.answering_ports(), other.answering_ports());
    let has_own_ports =
        ports == ports_there && known.asked.is_some_and(|asked| !ports.contains(&asked.port));
    let is_transfer =
        is_tftp_protocol(known.protocol) && has_own_ports && known.is_answered_at_pace_of(other);
    if is_transfer || is_followed_as_answered(known, other) || known.ends_as(other) {
        return Some(Proof::Marks);
    }
    let is_one_outcome = known.is_answered() == other.is_answered()
        && (known.asked != other.asked || known.answerers() == other.answerers());
    Some(if !is_one_outcome {
        Proof::Words
    } else if known.packets_by_kind() == other.packets_by_kind() {
        Proof::Course
    } else {
        Proof::Outcome
    })
}

/// The pairs of captures whose sightings were joined, and how often.
fn count_joined(groups: &[(Seen<'_>, Group)], captures: &Captures) -> BTreeMap<Both, usize> {
    let mut joined = BTreeMap::new();
    for (_, group) in groups.iter().filter(|(_, group)| group.len() > 1) {
        let mut of: BTreeSet<CaptureId> = BTreeSet::new();
        of.extend(group.iter().filter_map(|place| captures.get(place.table)));
        // Of very many the links from one to the next suffice.
        for both in of.iter().zip(of.iter().skip(1)) {
            *joined.entry((*both.0, *both.1)).or_default() += 1;
        }
    }
    joined
}

/// The distance that most of the pairs have, if that proves it; `joined` others, which
/// are near in time, speak against it.
fn find_proven_lag_ns(pairs: &mut [Pair], joined: usize) -> Option<i64> {
    pairs.sort_by_key(|pair| pair.lag_ns);
    let pace_ns = u64::try_from(PACE.as_nanos()).unwrap_or(u64::MAX);
    let mut until = 0;
    let mut best: &[Pair] = &[];
    for from in 0..pairs.len() {
        let is_within = |at: usize| {
            pairs.get(at).is_some_and(|pair| pair.lag_ns.abs_diff(pairs[from].lag_ns) <= pace_ns)
        };
        while is_within(until) {
            until += 1;
        }
        if until - from > best.len() {
            best = &pairs[from..until];
        }
    }
    let exchanges: BTreeSet<(Endpoint, Option<Endpoint>)> =
        best.iter().map(|pair| (pair.client, pair.asked)).collect();
    let mut speakers = Speakers::default();
    for pair in best {
        pair.said_once.iter().for_each(|said| speakers.note(*said, pair.client.address));
    }
    let tells = |pair: &&Pair| pair.said_once.is_some_and(|said| speakers.has_one(said));
    let telling: BTreeSet<(Endpoint, Option<Endpoint>)> =
        best.iter().filter(tells).map(|pair| (pair.client, pair.asked)).collect();
    let clients: BTreeSet<IpAddr> = telling.iter().map(|(client, _)| client.address).collect();
    let is_marked = best.iter().any(|pair| pair.proof == Proof::Marks);
    let are_all = |proof| best.iter().all(|pair| pair.proof >= proof);
    let is_proven = is_marked
        || (clients.len() >= CLIENTS && are_all(Proof::Outcome))
        || (telling.len() >= ALIKE && are_all(Proof::Course) && best.len() == pairs.len());
    let is_most = best.len() * 2 > pairs.len() && exchanges.len() > joined;
    (is_proven && is_most).then(|| best[best.len() / 2].lag_ns)
}

/// The clocks of all that are linked, beside the lowest of each.
fn spread(links: &BTreeMap<Both, i64>) -> BTreeMap<CaptureId, i64> {
    let mut steps: BTreeMap<CaptureId, Vec<(CaptureId, i64)>> = BTreeMap::new();
    for ((one, other), lag_ns) in links {
        steps.entry(*one).or_default().push((*other, *lag_ns));
        steps.entry(*other).or_default().push((*one, lag_ns.saturating_neg()));
    }
    let mut ahead: BTreeMap<CaptureId, i64> = BTreeMap::new();
    for start in steps.keys() {
        if ahead.contains_key(start) {
            continue;
        }
        ahead.insert(*start, 0);
        let mut reached = vec![*start];
        while let Some(from) = reached.pop() {
            let ahead_ns = ahead[&from];
            for (to, lag_ns) in steps.get(&from).into_iter().flatten() {
                if !ahead.contains_key(to) {
                    ahead.insert(*to, ahead_ns.saturating_add(*lag_ns));
                    reached.push(*to);
                }
            }
        }
    }
    ahead
}
