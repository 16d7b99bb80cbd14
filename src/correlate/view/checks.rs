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
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::endpoint::Endpoint;
use crate::model::protocol::Protocol;

/// A host has so many addresses at most that it checks from.
const MAX_LOCAL: usize = 8;
/// Pairs are checked for some 40 s (RFC 8445 section 14.3, RFC 8489 section 6.2.1).
const SESSION: Duration = Duration::from_mins(1);
/// Where public servers listen besides STUN's own port.
const SERVER_PORTS: std::ops::RangeInclusive<u16> = 19_302..=19_309;

/// Who checked an endpoint, and when that first answered.
#[derive(Debug, Default)]
struct Checked {
    clients: SmallVec<[Endpoint; 2]>,
    answers: SmallVec<[FrameRef; 2]>,
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
            // One more says that they are too many.
            if checked.clients.len() <= MAX_LOCAL && !checked.clients.contains(&record.client) {
                checked.clients.push(record.client);
            }
            if checked.answers.len() <= MAX_LOCAL {
                checked.answers.extend(first_answer(record, capture));
            }
        }
        checks
    }

    /// Whether whom `record` checks in vain answered another address, which may be the same
    /// client's.
    pub fn has_answer(&self, record: &Record) -> bool {
        let Some(checked) = record.asked.and_then(|asked| self.0.get(&asked)) else { return false };
        let (first_at, last_at) = record.times();
        let is_of_session = |answer: &FrameRef| {
            answer.at.since(last_at) <= SESSION && first_at.since(answer.at) <= SESSION
        };
        checked.clients.len() <= MAX_LOCAL && checked.answers.iter().any(is_of_session)
    }
}

fn is_server(asked: Endpoint) -> bool {
    Protocol::of_port(asked.port) == Some(Protocol::Stun) || SERVER_PORTS.contains(&asked.port)
}
