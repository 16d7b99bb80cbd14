//! Which exchange a pair of endpoints, or a client socket, belongs to.
//!
//! The tables hold a hash and an index only; the endpoints stand in the
//! exchanges, which are needed at a hit anyway. That keeps a million live
//! sockets to some 25 bytes each here.

use std::hash::BuildHasher;
use std::net::IpAddr;

use hashbrown::hash_table::Entry as Slot;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::model::endpoint::Endpoint;
use crate::model::packet::{Content, Packet};

/// A number behind a key, with the key's hash beside it, so that growing the
/// table does not visit the exchanges.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    value: u32,
}

/// A multimap-free index: one value a key, keys kept elsewhere.
#[derive(Debug, Default)]
pub struct Index {
    entries: HashTable<Entry>,
}

impl Index {
    /// The value whose key, as `is_key` checks, has this hash.
    #[inline]
    pub fn find(&self, hash: u64, mut is_key: impl FnMut(u32) -> bool) -> Option<u32> {
        let short = shorten(hash);
        self.entries
            .find(hash, |entry| entry.hash == short && is_key(entry.value))
            .map(|entry| entry.value)
    }

    /// Puts `value` behind the key, in place of what was there; gives that back.
    pub fn insert(
        &mut self,
        hash: u64,
        value: u32,
        mut is_key: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        let short = shorten(hash);
        let found = self.entries.entry(
            hash,
            |entry| entry.hash == short && is_key(entry.value),
            |entry| widen(entry.hash),
        );
        match found {
            Slot::Occupied(mut known) => Some(std::mem::replace(&mut known.get_mut().value, value)),
            Slot::Vacant(place) => {
                place.insert(Entry { hash: short, value });
                None
            }
        }
    }

    /// Takes away the entry with this hash and value.
    pub fn remove(&mut self, hash: u64, value: u32) {
        let short = shorten(hash);
        if let Ok(entry) =
            self.entries.find_entry(hash, |entry| entry.hash == short && entry.value == value)
        {
            entry.remove();
        }
    }
}

/// Hashes endpoints with a seed of its own, so that nobody can aim at one bucket.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: DefaultHashBuilder,
}

/// The hash of the two ends of a packet that is a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowHash(Option<u64>);

impl FlowHash {
    pub(super) const fn find(self) -> Option<u64> {
        self.0
    }
}

impl Hasher {
    /// The hash by which the correlator looks up a packet; whoever reads the packet
    /// has it in a cache.
    #[must_use]
    #[inline]
    pub fn flow(&self, packet: &Packet) -> FlowHash {
        let Content::Datagram(datagram) = &packet.content else { return FlowHash(None) };
        FlowHash(Some(self.pair(datagram.flow.source, datagram.flow.destination)))
    }

    /// The hash of a pair, whichever comes first.
    pub(super) fn pair(&self, one: Endpoint, other: Endpoint) -> u64 {
        let (one, other) = (words(one), words(other));
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        widen(shorten(self.state.hash_one((low, high))))
    }

    /// The hash of one endpoint.
    pub(super) fn one(&self, endpoint: Endpoint) -> u64 {
        widen(shorten(self.state.hash_one(words(endpoint))))
    }
}

fn words(endpoint: Endpoint) -> (u64, u64, u16) {
    match endpoint.address {
        IpAddr::V4(v4) => (0, u64::from(v4.to_bits()) | 0xffff << 32, endpoint.port),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            ((bits >> 64) as u64, low_half(bits), endpoint.port)
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
const fn low_half(bits: u128) -> u64 {
    bits as u64
}

const fn shorten(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The hash that the table sees, from the half that is kept: its lower bits
/// choose the bucket, its highest seven the tag.
const fn widen(short: u32) -> u64 {
    (short as u64) << 32 | short as u64
}
