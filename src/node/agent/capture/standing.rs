//! A capture that goes on until somebody ends it, at interfaces that come and go.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::program::{MAX_DEVICES, MAX_NEXT_HOPS};
use super::shared::Shared;
use super::source::Source;
use super::{CAPTURE_BYTES, MAX_RING_BYTES};
use crate::node::wire::{CaptureEnd, CaptureFilter, CaptureStatistics};

/// Rings of a capture that goes on for ever: one for each interface and group of devices.
pub const MAX_STANDING_RINGS: usize = 64;

/// What a capture that goes on lets through: a filter for each ring of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingFilters(Vec<CaptureFilter>);

impl StandingFilters {
    /// Filters for these devices, each with the gateway behind which it is. Addresses
    /// beyond one filter's get another.
    pub fn new(devices: impl Iterator<Item = (IpAddr, Option<IpAddr>)>) -> Self {
        let devices: Vec<(IpAddr, Option<IpAddr>)> = devices.collect();
        let filter_of = |group: &[(IpAddr, Option<IpAddr>)]| {
            let mut next_hops: Vec<IpAddr> =
                group.iter().filter_map(|(_, gateway)| *gateway).collect();
            next_hops.sort_unstable();
            next_hops.dedup();
            next_hops.truncate(MAX_NEXT_HOPS);
            let addresses = group.iter().map(|(device, _)| *device).collect();
            CaptureFilter { next_hops, ..CaptureFilter::of_devices(addresses) }
        };
        Self(devices.chunks(MAX_DEVICES).map(filter_of).collect())
    }

    /// At how many interfaces so many addresses can be captured.
    pub fn room_of(addresses: usize) -> usize {
        MAX_STANDING_RINGS / addresses.div_ceil(MAX_DEVICES).max(1)
    }

    pub fn list(&self) -> &[CaptureFilter] {
        &self.0
    }

    /// Kernel memory of each ring, where all interfaces are opened at once.
    pub fn ring_bytes(&self, interfaces: usize) -> usize {
        let rings = self.0.len().saturating_mul(interfaces).max(1);
        (CAPTURE_BYTES / rings).min(MAX_RING_BYTES)
    }
}

/// Interfaces that come and go.
#[derive(Debug, Default)]
pub struct Change {
    /// By their index.
    pub gone: Vec<u32>,
    pub new: Vec<Source>,
}

/// A capture that goes on until somebody ends it.
#[derive(Debug)]
pub struct Standing {
    pub(super) shared: Arc<Shared>,
    pub(super) changes: Sender<Change>,
    pub(super) snap_length_bytes: u32,
    pub filters: StandingFilters,
    pub stream: mpsc::Receiver<Bytes>,
}

impl Standing {
    /// What became of it so far. An interface is listed once for each of its rings.
    pub fn statistics(&self) -> CaptureStatistics {
        self.shared.statistics()
    }

    /// Asks it to end; its stream ends once all is in it.
    pub fn end(&self) {
        self.shared.end(CaptureEnd::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_the_gateways_of_its_devices() {
        for [net, gateway] in [["192.0.2.", "198.51.100.1"], ["2001:db8::", "fe80::1"]] {
            let address = |number: u32| -> IpAddr { format!("{net}{number}").parse().unwrap() };
            let gateway: IpAddr = gateway.parse().unwrap();
            let devices =
                (1..=40).map(|number| (address(number), (number <= 20).then_some(gateway)));
            let filters = StandingFilters::new(devices);
            let [first, second] = filters.list() else { panic!("{filters:?}") };
            assert_eq!((first.devices.len(), second.devices.len()), (32, 8));
            assert_eq!((first.next_hops.as_slice(), second.next_hops.len()), (&[gateway][..], 0));
        }
    }

    #[test]
    fn more_addresses_leave_room_for_fewer_interfaces() {
        let cases = [(0, 64), (1, 64), (32, 64), (33, 32), (1_000, 2), (2_048, 1), (2_049, 0)];
        for (addresses, expected) in cases {
            assert_eq!(StandingFilters::room_of(addresses), expected, "{addresses}");
        }
    }
}
