//! One analysis that runs: who runs it says how far it is, others look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use uuid::Uuid;

use super::super::error::Error;
use super::super::problem::Problem;
use super::Running;
use crate::model::finding::Verdict;
use crate::model::progress::{AnalysisState, Counts, Phase, Progress};

/// An analysis that runs, or ran when it was found.
#[derive(Debug)]
pub struct Entry {
    id: Uuid,
    bytes_expected: Option<u64>,
    bytes_received: Arc<AtomicU64>,
    counts: Counts,
    stage: watch::Sender<Stage>,
}

/// Where an analysis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It runs; the phase is none of the last two.
    Runs(Phase),
    Ended(Outcome),
}

/// How an analysis ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its report is stored.
    Finished(Verdict),
    Failed(Problem),
    /// It never was one: its id belongs to a stored report.
    Withdrawn,
}

impl Entry {
    pub(super) fn new(
        id: Uuid,
        bytes_expected: Option<u64>,
        bytes_received: Arc<AtomicU64>,
    ) -> Self {
        let stage = watch::Sender::new(Stage::Runs(Phase::Waiting));
        Self { id, bytes_expected, bytes_received, counts: Counts::default(), stage }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let (state, phase) = match &*self.stage.borrow() {
            Stage::Runs(phase) => (AnalysisState::Running, *phase),
            Stage::Ended(Outcome::Finished(_)) => (AnalysisState::Finished, Phase::Done),
            Stage::Ended(Outcome::Failed(_)) => (AnalysisState::Failed, Phase::Failed),
            Stage::Ended(Outcome::Withdrawn) => (AnalysisState::Unknown, Phase::Failed),
        };
        Progress {
            id: self.id,
            state,
            phase,
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            bytes_expected: self.bytes_expected,
            packets: self.counts.packets(),
            captures: self.counts.captures(),
        }
    }

    /// Sees each change of its stage.
    pub fn stages(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }
}

/// The right to say how far an analysis is. Dropped before it said how the
/// analysis ended, the analysis failed: its sender is gone.
#[derive(Debug)]
pub struct Task {
    running: Running,
    entry: Arc<Entry>,
    has_ended: bool,
}

impl Task {
    pub(super) fn new(running: Running, entry: Arc<Entry>) -> Self {
        Self { running, entry, has_ended: false }
    }

    pub fn id(&self) -> Uuid {
        self.entry.id
    }

    /// Where the analysis counts what it reads.
    pub fn counts(&self) -> Counts {
        self.entry.counts.clone()
    }

    /// Keeps the id from being used again, however the analysis ends, until
    /// whoever works for it is done. At most one at a time.
    pub fn hold(&self) -> Hold {
        self.running.hold(self.entry.id);
        Hold { running: self.running.clone(), id: self.entry.id }
    }

    pub fn enter(&self, phase: Phase) {
        self.entry.stage.send_replace(Stage::Runs(phase));
    }

    /// The report is stored.
    pub fn finish(mut self, verdict: Verdict) {
        self.end(Outcome::Finished(verdict));
    }

    pub fn fail(mut self, problem: Problem) {
        self.end(Outcome::Failed(problem));
    }

    /// The id belongs to a stored report.
    pub fn withdraw(mut self) {
        self.end(Outcome::Withdrawn);
    }

    fn end(&mut self, outcome: Outcome) {
        self.has_ended = true;
        let failure = match &outcome {
            Outcome::Failed(problem) => Some(problem.clone()),
            Outcome::Finished(_) | Outcome::Withdrawn => None,
        };
        // Out of the registry first: who is told that it ended must not find it running.
        self.running.end(self.entry.id, failure);
        self.entry.stage.send_replace(Stage::Ended(outcome));
    }
}

/// An id that is still in use; dropped, it is free.
#[derive(Debug)]
pub struct Hold {
    running: Running,
    id: Uuid,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.running.let_go(self.id);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Outcome::Failed(Error::CutOff.problem()));
        }
    }
}
