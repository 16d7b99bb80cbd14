//! Repeats that arrive at another interface of the same host.
//!
//! A route that changes, or a bond that gives each packet to the next of its ports, leads
//! what a client says again to another interface than what it said first. One host has one
//! clock: the copies of one packet, on its way through the host, lie within milliseconds.
//! What says the same on the same flow and lies further apart is another packet, however
//! many interfaces there are.

use hashbrown::HashMap;

use super::Half;
use super::stray::{Stray, datagrams};
use crate::correlate::record::{Flag, Record};
use crate::correlate::repetition::ON_ITS_WAY;
use crate::model::endpoint::Endpoint;

impl Stray<'_> {
    /// Whether it says again what one of `parts`, which are of the head's point, said: by
    /// one clock, and each packet at another time.
    pub fn says_again(&self, parts: &[&Half]) -> bool {
        let tables = &*self.scene.tables;
        let Some(record) = self.half.record(tables) else { return false };
        let is_same =
            |part: &&Half| part.record(tables).is_some_and(|known| asks_the_same(known, record));
        self.scene.have_one_clock(self.head.table, self.half.table)
            && parts.iter().any(is_same)
            && self.is_apart_from(parts)
    }

    /// Whether no packet of a flow was seen at the other point while it was here: then none
    /// is a copy.
    fn is_apart_from(&self, parts: &[&Half]) -> bool {
        let mut seen_ns: HashMap<(Endpoint, Endpoint), Vec<i64>> = HashMap::new();
        for part in parts {
            for (datagram, at) in datagrams(self.scene, part) {
                let ends = (datagram.flow.source, datagram.flow.destination);
                seen_ns.entry(ends).or_default().push(at.as_nanoseconds());
            }
        }
        seen_ns.values_mut().for_each(|times| times.sort_unstable());
        let limit_ns = i64::try_from(ON_ITS_WAY.as_nanos()).unwrap_or(i64::MAX);
        datagrams(self.scene, self.half).all(|(datagram, at)| {
            let ends = (datagram.flow.source, datagram.flow.destination);
            let Some(times) = seen_ns.get(&ends) else { return true };
            let at_ns = at.as_nanoseconds();
            let next = times.partition_point(|known_ns| *known_ns < at_ns - limit_ns);
            times.get(next).is_none_or(|known_ns| *known_ns > at_ns + limit_ns)
        })
    }
}

/// Whether both ask the same of the same: what is said alike by chance, in another network
/// with the same addresses, is not. A text's times may be those of another time zone.
fn asks_the_same(known: &Record, other: &Record) -> bool {
    let says_the_same = (known.opening() == other.opening() && known.opening().is_sure())
        || !known.heard().lags_ns(&other.heard()).is_empty();
    known.client == other.client
        && known.asked.is_some()
        && known.asked == other.asked
        && known.protocol == other.protocol
        && other.requests.packets > 0
        && [known, other].iter().all(|record| record.flags.has(Flag::HasPayloads))
        && says_the_same
}
