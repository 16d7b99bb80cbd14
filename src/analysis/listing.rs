//! Which of the exchanges that went well the report tells one by one.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::Limits;
use crate::report;

/// The room that is left for them.
#[derive(Debug)]
pub struct Listing {
    limits: Limits,
    left: usize,
    taken: HashMap<IpAddr, usize>,
}

impl Listing {
    pub fn new(limits: Limits) -> Self {
        Self { limits, left: limits.well_exchanges_listed, taken: HashMap::new() }
    }

    /// What the report lists at most.
    pub fn room(&self) -> report::Listing {
        report::Listing {
            per_device: self.limits.exchanges_per_device,
            well: self.limits.well_exchanges_listed,
            other: self.limits.other_exchanges_listed,
        }
    }

    /// Whether another one of this device is told; then its room is taken.
    pub fn takes(&mut self, device: IpAddr) -> bool {
        if self.left == 0 {
            return false;
        }
        let taken = self.taken.entry(device).or_insert(0);
        let has_room = *taken < self.limits.exchanges_per_device;
        if has_room {
            *taken += 1;
            self.left -= 1;
        }
        has_room
    }
}
