//! One interface of a capture: its ring, and whether packets can come.

use super::pcapng::Counts;
use super::program::LinkLayer;
use super::ring::Ring;
use crate::node::wire::InterfaceStatistics;

/// One interface of the capture.
#[derive(Debug)]
pub struct Source {
    /// The kernel's number of the interface.
    pub index: u32,
    pub name: String,
    pub link: LinkLayer,
    pub ring: Ring,
    pub counts: Counts,
    pub state: SourceState,
}

/// Whether packets can come from an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    Up,
    /// It is down, or on its way out: its socket does not tell which.
    Down,
    Gone,
}

impl Source {
    /// What is told of it.
    pub fn statistics(&self) -> InterfaceStatistics {
        let Counts { received, dropped } = self.counts;
        InterfaceStatistics { name: self.name.clone(), received, dropped }
    }

    /// Whether nothing can come from it any more.
    pub fn is_gone(&self) -> bool {
        self.state == SourceState::Gone
    }

    /// Whether all its packets came here: it never went down, and none was dropped.
    pub fn saw_all(&self) -> bool {
        self.state == SourceState::Up && self.counts.dropped == 0
    }

    /// Takes note of what its socket has to tell.
    pub fn take_error(&mut self) {
        if let Some(error) = self.ring.take_error() {
            tracing::warn!(interface = self.name, %error, "an interface went down");
            self.state = SourceState::Down;
        }
    }

    /// An interface that is down may come back, and its packets with it; one
    /// that was removed does not.
    pub fn look_again(&mut self) {
        if self.state == SourceState::Down && !is_there(&self.name) {
            tracing::warn!(interface = self.name, "an interface was removed");
            self.state = SourceState::Gone;
        }
    }
}

/// Whether the kernel lists an interface of this name. `self` is the process:
/// all its threads are in one namespace.
fn is_there(name: &str) -> bool {
    let listing = std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let mut names = listing.lines().filter_map(|line| line.split_once(':'));
    names.any(|(listed, _)| listed.trim_start() == name)
}
