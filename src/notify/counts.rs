//! What became of notices, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the notices of one receiver since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverCounts {
    /// Its kind, with a number from the second of a kind on.
    pub receiver: String,
    pub sent: u64,
    /// Given up: refused, or tried in vain as often as may be.
    pub failed: u64,
    /// Not tried, because as many waited as may.
    pub dropped: u64,
    /// Requests that did not succeed, of notices that succeeded later, too.
    pub failed_attempts: u64,
    /// Notices that wait for their turn.
    pub waiting: u64,
}

/// Counters that tasks share.
#[derive(Debug, Default)]
pub struct Counts {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    failed_attempts: AtomicU64,
}

impl Counts {
    pub fn add_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add_failed_attempt(&self) {
        self.failed_attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters as they are now, of this receiver.
    pub fn read(&self, receiver: &str, waiting: u64) -> ReceiverCounts {
        ReceiverCounts {
            receiver: receiver.to_owned(),
            sent: self.sent.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failed_attempts: self.failed_attempts.load(Ordering::Relaxed),
            waiting,
        }
    }
}
