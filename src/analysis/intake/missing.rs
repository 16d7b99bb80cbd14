//! Packets that belong to a capture and are not in it, or cannot be read.

use std::collections::BTreeMap;

use super::CaptureIntake;
use crate::model::exchange::Unread;

/// What is missing at one interface.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    /// Packets that the capture itself lost.
    pub lost_packets: u64,
    /// Packets of IP that stand in a text and could not be read.
    pub unread: Unread,
}

impl CaptureIntake {
    /// What is missing at the interface with this number in the whole.
    pub(super) fn missing_at(&mut self, interface: u32) -> &mut Missing {
        self.missing.entry(interface).or_default()
    }

    /// Whether packets, lines or bytes of it could not be read, which its warnings tell.
    pub fn tells_of_unread(&self) -> bool {
        self.faults.names_places()
            || self.missing.values().any(|missing| missing.unread.packets() > 0)
    }

    /// Adds what is missing of this capture to what is of other parts of its whole, by the
    /// interface's number in that.
    pub fn add_missing(&self, whole: &mut BTreeMap<u32, Missing>) {
        for (interface, Missing { lost_packets, unread }) in &self.missing {
            let known = whole.entry(*interface).or_default();
            known.lost_packets = known.lost_packets.saturating_add(*lost_packets);
            known.unread.absorb(unread);
        }
    }
}
