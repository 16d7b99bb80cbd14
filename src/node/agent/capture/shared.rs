//! What the thread of a capture and the API share.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::pcapng::Counts;
use crate::model::time::Timestamp;
use crate::node::wire::{CaptureEnd, CaptureStatistics};

/// One capture, as seen from outside of its thread.
#[derive(Debug)]
pub struct Shared {
    id: Uuid,
    started_at: Timestamp,
    statistics: Mutex<CaptureStatistics>,
    /// Why somebody wants it to end.
    wish: Mutex<Option<CaptureEnd>>,
    is_finished: watch::Sender<bool>,
}

impl Shared {
    /// A capture that begins.
    pub fn new(statistics: CaptureStatistics) -> Self {
        Self {
            id: statistics.id,
            started_at: statistics.started_at,
            statistics: Mutex::new(statistics),
            wish: Mutex::new(None),
            is_finished: watch::Sender::new(false),
        }
    }

    pub const fn id(&self) -> Uuid {
        self.id
    }

    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// What became of it so far.
    pub fn statistics(&self) -> CaptureStatistics {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is told of it.
    pub fn publish(&self, change: impl FnOnce(&mut CaptureStatistics)) {
        change(&mut self.statistics.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Asks it to end; the first who asks is right about why.
    pub fn end(&self, why: CaptureEnd) {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Why it shall end, if it shall.
    pub fn wish(&self) -> Option<CaptureEnd> {
        *self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that it has ended.
    pub fn finish(&self, why: CaptureEnd) {
        self.publish(|statistics| statistics.end = Some(why));
        self.is_finished.send_replace(true);
    }

    /// Waits until it has ended.
    pub async fn finished(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self.is_finished.subscribe().wait_for(|is_finished| *is_finished).await;
    }
}

/// What all captures of an agent have seen.
#[derive(Debug, Default)]
pub struct Totals {
    received: AtomicU64,
    dropped: AtomicU64,
    /// Nanoseconds since the epoch; 0 before the first packet.
    last_packet_at: AtomicI64,
}

impl Totals {
    pub fn add(&self, counts: Counts) {
        self.received.fetch_add(counts.received, Ordering::Relaxed);
        self.dropped.fetch_add(counts.dropped, Ordering::Relaxed);
    }

    pub fn note(&self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.last_packet_at.fetch_max(at.as_nanoseconds(), Ordering::Relaxed);
        }
    }

    pub fn counts(&self) -> Counts {
        Counts {
            received: self.received.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    pub fn last_packet_at(&self) -> Option<Timestamp> {
        let at = self.last_packet_at.load(Ordering::Relaxed);
        (at != 0).then(|| Timestamp::from_nanoseconds(at))
    }
}
