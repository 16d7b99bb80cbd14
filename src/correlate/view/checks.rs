//! ICE's checks of one peer from several local addresses.
//!
//! A host has a socket for each of its addresses, and checks each candidate of its peer from
//! all of them (RFC 8445 sections 5.1.1.1 and 6.1.2.2): most pairs fail, and one that works
//! is enough. Addresses do not tell whether they are one host's, so a check that whom it is
//! about answered to another address only may be missing its answer or not. A server that
//! many clients ask is no candidate.

use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::siblings::first_answer;
use crate::correlate::record::Record;
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A host has so many addresses at most that it checks from.
const MAX_LOCAL: usize = 8;
/// Pairs are checked for some 40 s (RFC 8445 section 14.3, RFC 8489 section 6.2.1).
const SESSION: Duration = Duration::from_mins(1);
/// Where public servers listen besides STUN's own port.
const SERVER_PORTS: std::ops::RangeInclusive<u16> = 19_302..=19_309;

/// Checks of one client that are looked at for others beside it.
const MAX_LOOKED_AT: usize = 1_024;

/// Who checked an endpoint when, and when that answered first, in order of time.
#[derive(Debug, Default)]
struct Checked {
    clients: SmallVec<[(Timestamp, Endpoint); 2]>,
    answers: SmallVec<[Timestamp; 2]>,
}

/// Checks, by the endpoint that they are about.
#[derive(Debug, Default)]
pub struct Checks(HashMap<Endpoint, Checked>);

impl Checks {
    /// The checks among these exchanges of one point.
    pub fn of(exchanges: &[Record], capture: CaptureId) -> Self {
        let mut checks = Self::default();
        let of_stun = |record: &&Record| record.protocol == Protocol::Stun && !record.is_vacant();
        for record in exchanges.iter().filter(of_stun) {
            let Some(asked) = record.asked.filter(|asked| !is_server(*asked)) else { continue };
            let checked = checks.0.entry(asked).or_default();
            checked.clients.push((record.times().0, record.client));
            checked.answers.extend(first_answer(record, capture).map(|answer| answer.at));
        }
        for checked in checks.0.values_mut() {
            checked.clients.sort_unstable();
            checked.answers.sort_unstable();
        }
        checks
    }

    /// Whether whom `record` checks in vain answered another address, which may be the same
    /// client's. One endpoint has many sessions in a long capture; each counts alone.
    pub fn has_answer(&self, record: &Record) -> bool {
        let Some(checked) = record.asked.and_then(|asked| self.0.get(&asked)) else { return false };
        let (first_at, last_at) = record.times();
        let (from, until) = (first_at - SESSION, last_at + SESSION);
        let answer = checked.answers.partition_point(|at| *at < from);
        if checked.answers.get(answer).is_none_or(|at| *at > until) {
            return false;
        }
        let earliest = checked.clients.partition_point(|(at, _)| *at < from);
        let mut of_session: SmallVec<[Endpoint; MAX_LOCAL]> = SmallVec::new();
        let near = checked.clients[earliest..].iter().take_while(|(at, _)| *at <= until);
        for (_, client) in near.take(MAX_LOOKED_AT) {
            if !of_session.contains(client) {
                if of_session.len() == MAX_LOCAL {
                    return false;
                }
                of_session.push(*client);
            }
        }
        true
    }
}

fn is_server(asked: Endpoint) -> bool {
    Protocol::of_port(asked.port) == Some(Protocol::Stun) || SERVER_PORTS.contains(&asked.port)
}
