//! What several lines tell of one packet, and which side of a translation a line shows.
//!
//! One packet is logged at every hook with a rule for it, before and behind its translation
//! (`nft monitor trace` and TRACE: at every rule). It counts once, as it came.
//!
//! The address of an answer is translated back at the very end of the last hook
//! (`NF_IP_PRI_NAT_SRC` of POSTROUTING), behind all rules that log. An answer from another
//! address than was asked therefore is what a healthy translation looks like in this log: it
//! shows nothing of who answered on the wire.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::Quote;
use crate::model::time::Timestamp;

/// A packet passes all hooks of a host within this time.
const ON_THE_WAY: Duration = Duration::from_millis(50);
/// Packets on their way at once.
const LIMIT_RECENT: usize = 64;
/// Places at which one packet is logged at most: TRACE has a line for every rule.
const LIMIT_PLACES: usize = 256;
/// An answer that comes later is none (the patience of TFTP's clients; others' is less).
const PATIENCE: Duration = Duration::from_mins(1);
/// Client sockets that are remembered at once.
const LIMIT_CLIENTS: usize = 65_536;
/// Servers of one client socket that are told apart.
const LIMIT_SERVERS: usize = 8;

/// What tells a packet from others, wherever it is logged. Its destination may be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub source: IpAddr,
    pub source_port: Option<u16>,
    /// Of the IP packet, in bytes.
    pub length: u32,
    /// Zero where there is none.
    pub identification: u32,
    /// What an ICMP error quotes.
    pub quote: Option<Quote>,
}

/// The packets of one host's log so far.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    recent: VecDeque<Sighting>,
    /// Whom client sockets asked.
    asked: HashMap<Endpoint, Vec<Asked>>,
}

#[derive(Debug)]
struct Sighting {
    marks: Marks,
    at: Timestamp,
    places: Vec<u64>,
}

#[derive(Debug)]
struct Asked {
    host: IpAddr,
    at: Timestamp,
    is_answered: bool,
}

/// Where a datagram belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Its addresses are those of its exchange.
    AsItIs,
    /// It seems to answer, and has an address that nobody asked.
    BehindTranslation,
}

impl Sightings {
    /// Whether the packet was logged before, at another place. The same place logs it once;
    /// where it has an identification of its own, a second line at one place is a copy too.
    pub fn is_copy(&mut self, marks: Marks, at: Timestamp, place: u64) -> bool {
        let known = self.recent.iter_mut().find(|known| {
            known.marks == marks
                && known.at.distance(at) <= ON_THE_WAY
                && (marks.identification != 0 || !known.places.contains(&place))
        });
        if let Some(known) = known {
            if known.places.len() < LIMIT_PLACES {
                known.places.push(place);
            }
            return true;
        }
        if self.recent.len() >= LIMIT_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Sighting { marks, at, places: vec![place] });
        false
    }

    /// Places a datagram among the conversations of the log.
    pub fn place(&mut self, flow: FlowKey, at: Timestamp) -> Shown {
        if let Some(asked) = self.asked.get_mut(&flow.destination) {
            if let Some(asked) = asked.iter_mut().find(|a| a.host == flow.source.address) {
                asked.is_answered = true;
                return Shown::AsItIs;
            }
            // Whoever asks a group is answered by any of its members.
            let waits = |asked: &Asked| {
                !asked.is_answered
                    && !is_group(asked.host)
                    && asked.at <= at
                    && at.distance(asked.at) <= PATIENCE
            };
            if asked.iter().any(waits) {
                return Shown::BehindTranslation;
            }
        }
        if self.asked.len() >= LIMIT_CLIENTS && !self.asked.contains_key(&flow.source) {
            // Old conversations are over.
            self.asked.clear();
        }
        let hosts = self.asked.entry(flow.source).or_default();
        let host = flow.destination.address;
        if let Some(asked) = hosts.iter_mut().find(|asked| asked.host == host) {
            asked.at = at;
        } else if hosts.len() < LIMIT_SERVERS {
            hosts.push(Asked { host, at, is_answered: false });
        }
        Shown::AsItIs
    }
}

fn is_group(address: IpAddr) -> bool {
    match address {
        // What ends so may be the broadcast address of a network.
        IpAddr::V4(v4) => v4.is_multicast() || v4.octets()[3] == u8::MAX,
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: [[&str; 4]; 2] = [
        ["192.0.2.9", "192.0.2.21", "198.51.100.7", "224.0.0.251"],
        ["2001:db8::9", "2001:db8::21", "2001:db8:1::7", "ff02::fb"],
    ];

    #[test]
    fn a_packet_at_several_hooks_counts_once() {
        for [client, ..] in HOSTS {
            let marks = |length, identification| Marks {
                source: client.parse().unwrap(),
                source_port: Some(5_000),
                length,
                identification,
                quote: None,
            };
            let at = |ms: i64| Timestamp::from_nanoseconds(ms * 1_000_000);
            // length, identification, ms, place, whether it was logged before
            let lines = [
                (60, 7, 0, 1, false),
                (60, 7, 1, 2, true),
                (60, 7, 2, 2, true),
                (60, 8, 3, 1, false),
                (61, 8, 3, 1, false),
                (60, 7, 900, 1, false),
                (60, 0, 1_000, 1, false),
                (60, 0, 1_001, 2, true),
                (60, 0, 1_002, 1, false),
            ];
            let mut sightings = Sightings::default();
            for (length, identification, ms, place, expected) in lines {
                let marks = marks(length, identification);
                assert_eq!(sightings.is_copy(marks, at(ms), place), expected, "{marks:?} {ms}");
            }
        }
    }

    #[test]
    fn an_answer_from_whom_nobody_asked_is_behind_a_translation() {
        for [client, asked, other, group] in HOSTS {
            let end = |address: &str, port| Endpoint::new(address.parse().unwrap(), port);
            let (me, mine) = (end(client, 5_000), end(client, 5_001));
            let cases = [
                (FlowKey::udp(me, end(asked, 69)), 0, Shown::AsItIs),
                (FlowKey::udp(end(other, 69), me), 1, Shown::BehindTranslation),
                // TFTP answers from a port of its own.
                (FlowKey::udp(end(asked, 33_000), me), 2, Shown::AsItIs),
                (FlowKey::udp(end(other, 69), me), 3, Shown::AsItIs),
                (FlowKey::udp(mine, end(group, 5_353)), 4, Shown::AsItIs),
                (FlowKey::udp(end(other, 5_353), mine), 5, Shown::AsItIs),
            ];
            let mut sightings = Sightings::default();
            for (flow, seconds, expected) in cases {
                let at = Timestamp::from_seconds(seconds);
                assert_eq!(sightings.place(flow, at), expected, "{flow}");
            }
        }
    }
}
