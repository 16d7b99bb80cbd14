//! How far an analysis that runs has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is known of an analysis as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisState {
    Running,
    /// Its report is stored.
    Finished,
    /// It ended without a report.
    Failed,
    /// It has not begun, or was deleted.
    Unknown,
}

/// What an analysis is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// As many analyses run as may; its turn has not come.
    Waiting,
    /// Bytes come in and are analysed as they come.
    Receiving,
    /// All bytes are there; exchanges are judged and the report is written.
    Diagnosing,
    /// Report and captures are being stored.
    Storing,
    Done,
    Failed,
}

impl Phase {
    /// As a page says it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for its turn",
            Self::Receiving => "Receiving",
            Self::Diagnosing => "Diagnosing",
            Self::Storing => "Storing the report",
            Self::Done => "Done",
            Self::Failed => "Failed",
        }
    }
}

/// How far an analysis has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub id: Uuid,
    pub state: AnalysisState,
    pub phase: Phase,
    /// Bytes of the upload that are there, those of a form around the captures included.
    pub bytes_received: u64,
    /// Bytes that the sender announced; `null` where it did not say.
    pub bytes_expected: Option<u64>,
    /// Packets read so far.
    pub packets: u64,
    /// Captures begun so far.
    pub captures: u64,
}

/// What an analysis has read so far, for others to look at while it runs.
/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    packets: AtomicU64,
    captures: AtomicU64,
}

impl Counts {
    /// Packets read, over all captures.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.0.packets.load(Ordering::Relaxed)
    }

    /// Captures begun.
    #[must_use]
    pub fn captures(&self) -> u64 {
        self.0.captures.load(Ordering::Relaxed)
    }

    /// Only the analysis itself says how many packets there are.
    pub fn set_packets(&self, packets: u64) {
        self.0.packets.store(packets, Ordering::Relaxed);
    }

    /// Only the analysis itself says how many captures there are.
    pub fn set_captures(&self, captures: u64) {
        self.0.captures.store(captures, Ordering::Relaxed);
    }
}
