//! How many exchanges a device has, and which of them names it.

use std::net::IpAddr;

use crate::model::exchange::DeviceRule;
use crate::model::finding::Verdict;
use crate::model::protocol::Protocol;

/// A device and how many exchanges it has.
///
/// Of most exchanges this is all that changes, so it stands apart: that of many
/// thousand devices fits a cache.
#[derive(Debug)]
pub struct DeviceCount {
    pub(super) device: IpAddr,
    pub device_rule: DeviceRule,
    pub(super) verdict: Verdict,
    pub(super) protocol: Protocol,
    pub(super) exchanges: u64,
    /// Exchanges that wait for an answer at the capture's end, among them.
    pub(super) waiting: u64,
    /// Exchanges of which no answer is expected, among them.
    pub(super) one_way: u64,
    /// Exchanges that ended with an error as answer, among them.
    pub(super) failed: u64,
}

impl DeviceCount {
    pub fn new(
        device: IpAddr,
        device_rule: DeviceRule,
        verdict: Verdict,
        protocol: Protocol,
    ) -> Self {
        Self {
            device,
            device_rule,
            verdict,
            protocol,
            exchanges: 0,
            waiting: 0,
            one_way: 0,
            failed: 0,
        }
    }

    /// Counts `exchanges` with this verdict; the worst one names the device.
    pub fn count(
        &mut self,
        device: IpAddr,
        device_rule: DeviceRule,
        verdict: Verdict,
        protocol: Protocol,
        exchanges: u64,
    ) {
        // Those that only wait say nothing of the device.
        let is_first = self.exchanges == self.waiting;
        self.exchanges += exchanges;
        if verdict == Verdict::OneWay {
            self.one_way += exchanges;
        }
        if verdict > self.verdict || is_first {
            (self.device, self.device_rule) = (device, device_rule);
            (self.verdict, self.protocol) = (verdict, protocol);
        }
    }

    /// Counts an exchange that ended with an error as answer, beside its verdict.
    pub fn count_failed(&mut self) {
        self.failed += 1;
    }

    /// Counts an exchange that still waits for its answer: the device has the
    /// verdict of the others, if there are any.
    pub fn count_waiting(&mut self) {
        self.exchanges += 1;
        self.waiting += 1;
    }
}
