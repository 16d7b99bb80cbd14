//! Interfaces of a section that an earlier one described already.
//!
//! Parts of a capture that are put together, or one that was stopped and begun again, have a
//! section each, and each describes its interfaces anew (pcapng section 4.1). Where a section
//! goes on after all that came before, interfaces of the same name and link type are the same
//! ones. Captures of the same time are of different places, though their interfaces may be
//! called alike.

use std::collections::BTreeMap;

use crate::model::capture::{DISORDER, LinkType};
use crate::model::time::Timestamp;

/// How an interface is described.
type Description = (Option<String>, LinkType);

/// The interfaces of all sections so far.
#[derive(Debug, Default)]
pub struct Sections {
    /// Those of earlier sections, in the order in which they were described.
    earlier: BTreeMap<Description, Vec<u32>>,
    /// New ones of the present section.
    fresh: Vec<(Description, u32)>,
    /// How many the present section has described so.
    described: BTreeMap<Description, usize>,
    /// The latest packet of all sections before the present one.
    ended_at: Option<Timestamp>,
}

impl Sections {
    /// Begins a section; the latest packet so far came at `latest`.
    pub fn begin(&mut self, latest: Option<Timestamp>) {
        for (description, index) in self.fresh.drain(..) {
            self.earlier.entry(description).or_default().push(index);
        }
        self.described.clear();
        self.ended_at = latest;
    }

    /// The interface of an earlier section that the next one described so may be.
    pub fn find_same(&mut self, name: Option<&str>, link_type: LinkType) -> Option<u32> {
        let description = (name.map(str::to_owned), link_type);
        let same = self.earlier.get(&description);
        let count = self.described.entry(description).or_default();
        let found = same.and_then(|same| same.get(*count)).copied();
        *count += 1;
        found
    }

    /// Whether the present section goes on after all others, by the time of a packet in it.
    pub fn goes_on(&self, at: Timestamp) -> bool {
        self.ended_at.is_none_or(|ended| ended <= at || ended.distance(at) <= DISORDER)
    }

    /// Notes a new interface.
    pub fn add(&mut self, index: u32, name: Option<String>, link_type: LinkType) {
        self.fresh.push(((name, link_type), index));
    }
}
