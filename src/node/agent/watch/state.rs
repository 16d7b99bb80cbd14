//! What a watch knows at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Settings;
use super::board::Board;
use super::window::Window;
use crate::model::time::Timestamp;
use crate::node::wire::{
    API_VERSION, CaptureStatistics, Watch, WatchAnalysis, WatchedDevice, WatchedInterface,
};

/// Interfaces whose counts are kept: pods come and go.
const MAX_INTERFACES: usize = 1_024;

/// What a watch knows.
#[derive(Debug)]
pub struct State {
    pub window: Window,
    pub board: Board,
    /// Why nothing is captured.
    fault: Option<String>,
    /// What is not captured while the rest is.
    pub gaps: Gaps,
    pub last_analysis: Option<WatchAnalysis>,
    is_capturing: bool,
    has_captured: bool,
    /// Of captures that have ended, and with the one that runs.
    counts_before: BTreeMap<String, Counted>,
    counts: BTreeMap<String, Counted>,
}

/// What a watch leaves out.
#[derive(Debug, Default)]
pub struct Gaps {
    /// Told to people.
    pub fault: Option<String>,
    /// Addresses of devices to which no captured interface leads.
    pub addresses: BTreeSet<IpAddr>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    packets: u64,
    drops: u64,
}

impl State {
    /// Nothing is known at `now`.
    pub fn new(settings: &Settings, now: Timestamp) -> Self {
        Self {
            window: Window::new(settings.window, now),
            board: Board::new(settings.stale_after),
            fault: None,
            gaps: Gaps::default(),
            last_analysis: None,
            is_capturing: false,
            has_captured: false,
            counts_before: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// A capture has begun.
    pub fn begin(&mut self, now: Timestamp) {
        if self.has_captured {
            // Packets passed by since the one before.
            self.window.note_gap(now);
        } else {
            self.window.begin(now);
        }
        (self.is_capturing, self.has_captured, self.fault) = (true, true, None);
    }

    /// No capture can begin.
    pub fn fail(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// Takes over what the capture counts.
    pub fn count(&mut self, statistics: &CaptureStatistics, now: Timestamp) {
        let drops = |counts: &BTreeMap<String, Counted>| {
            counts.values().fold(0_u64, |all, one| all.saturating_add(one.drops))
        };
        let known_drops = drops(&self.counts);
        let mut counts = self.counts_before.clone();
        for interface in &statistics.interfaces {
            if counts.len() >= MAX_INTERFACES && !counts.contains_key(&interface.name) {
                continue;
            }
            let counted = counts.entry(interface.name.clone()).or_default();
            counted.packets = counted.packets.saturating_add(interface.received);
            counted.drops = counted.drops.saturating_add(interface.dropped);
        }
        if drops(&counts) > known_drops {
            self.window.note_gap(now);
        }
        self.counts = counts;
    }

    /// The capture has ended.
    pub fn end(&mut self, statistics: &CaptureStatistics, now: Timestamp) {
        self.count(statistics, now);
        self.counts_before = self.counts.clone();
        self.is_capturing = false;
        // Until the next one begins.
        self.window.note_gap(now);
    }

    /// The same for those who ask.
    pub fn view(&self, node: &str, settings: &Settings, now: Timestamp) -> Watch {
        let seconds =
            |duration: std::time::Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let interface = |(name, counted): (&String, &Counted)| WatchedInterface {
            name: name.clone(),
            packets: counted.packets,
            drops: counted.drops,
        };
        let device = |(number, device): (usize, &super::devices::Device)| {
            Some(WatchedDevice {
                device: *device.addresses.first()?,
                name: device.name.clone(),
                addresses: device.addresses.clone(),
                uncaptured_addresses: device
                    .addresses
                    .iter()
                    .filter(|address| self.gaps.addresses.contains(address))
                    .copied()
                    .collect(),
                state: self.board.find(number, now).cloned(),
            })
        };
        Watch {
            version: API_VERSION,
            node: node.to_owned(),
            at: now,
            is_capturing: self.is_capturing,
            fault: self.fault.clone().or_else(|| self.gaps.fault.clone()),
            window_seconds: seconds(settings.window.span),
            stale_after_seconds: seconds(settings.stale_after),
            packets_skipped: self.window.skipped(),
            last_analysis: self.last_analysis.clone(),
            interfaces: self.counts.iter().map(interface).collect(),
            devices: settings.devices.list().iter().enumerate().filter_map(device).collect(),
        }
    }
}
