//! Analyses that run: uploads now, whatever else begins one later.
//!
//! Who runs an analysis holds its [`Task`] and says there how far it is; who
//! wants to know finds its [`Entry`]. An analysis leaves the registry when it
//! ends: with a report it is in the store, and of those that failed the newest
//! stay for a while, so that their senders can be told why.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

mod entry;

pub use self::entry::{Entry, Outcome, Stage, Task};
use super::problem::Problem;

/// Analyses that run or wait at the same time: more than connections there are.
const MOST_RUNNING: usize = 4_096;
/// Failed analyses that are remembered.
const MOST_FAILED: usize = 256;

/// Why an analysis cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another one with this id runs.
    IdTaken,
    /// As many run as may.
    Full,
}

/// The analyses that run. Clones share them.
#[derive(Debug, Clone)]
pub struct Running {
    book: Arc<Mutex<Book>>,
    /// Changes whenever an analysis begins, and when the registry closes.
    begun: watch::Sender<Begun>,
}

/// What those see who wait for an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Begun {
    analyses: u64,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Book {
    running: HashMap<Uuid, Arc<Entry>>,
    /// Ids under which something is still at work, though its analysis may have ended.
    held: HashSet<Uuid>,
    /// The oldest first.
    failed: VecDeque<(Uuid, Problem)>,
}

/// An analysis, as the registry knows it.
#[derive(Debug, Clone)]
pub enum Known {
    Running(Arc<Entry>),
    Failed(Problem),
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

impl Running {
    /// A registry in which nothing runs.
    #[must_use]
    pub fn new() -> Self {
        Self { book: Arc::default(), begun: watch::Sender::new(Begun::default()) }
    }

    /// Nobody needs to wait for analyses any more: none begins that is not
    /// here already. Those that run go on.
    pub fn close(&self) {
        self.begun.send_modify(|begun| begun.is_closed = true);
    }

    /// Analyses that run or wait for their turn.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().running.len()
    }

    /// Notes that an analysis begins, of which `bytes_expected` were
    /// announced; whoever receives bytes counts them in `bytes_received`.
    ///
    /// # Errors
    ///
    /// Where one with this id runs already, or too many do. The id of a failed
    /// one is free again once it has left nothing behind.
    pub(super) fn begin(
        &self,
        id: Uuid,
        bytes_expected: Option<u64>,
        bytes_received: Arc<AtomicU64>,
    ) -> Result<Task, Refusal> {
        let mut book = self.lock();
        if book.running.contains_key(&id) || book.held.contains(&id) {
            return Err(Refusal::IdTaken);
        }
        if book.running.len() >= MOST_RUNNING {
            return Err(Refusal::Full);
        }
        book.failed.retain(|(failed, _)| *failed != id);
        let entry = Arc::new(Entry::new(id, bytes_expected, bytes_received));
        book.running.insert(id, Arc::clone(&entry));
        drop(book);
        self.begun.send_modify(|begun| begun.analyses = begun.analyses.wrapping_add(1));
        Ok(Task::new(self.clone(), entry))
    }

    /// What is known of an analysis that runs, or failed lately.
    pub(super) fn find(&self, id: Uuid) -> Option<Known> {
        let book = self.lock();
        if let Some(entry) = book.running.get(&id) {
            return Some(Known::Running(Arc::clone(entry)));
        }
        let failed = book.failed.iter().find(|(failed, _)| *failed == id);
        failed.map(|(_, problem)| Known::Failed(problem.clone()))
    }

    /// Forgets an analysis that failed. `false`: none of this id is remembered.
    pub(super) fn forget(&self, id: Uuid) -> bool {
        let mut book = self.lock();
        let before = book.failed.len();
        book.failed.retain(|(failed, _)| *failed != id);
        book.failed.len() < before
    }

    /// Sees when analyses begin.
    pub(super) fn expect(&self) -> Expectation {
        Expectation(self.begun.subscribe())
    }

    /// Takes an analysis out that ended.
    fn end(&self, id: Uuid, failure: Option<Problem>) {
        let mut book = self.lock();
        book.running.remove(&id);
        if let Some(problem) = failure {
            if book.failed.len() >= MOST_FAILED {
                book.failed.pop_front();
            }
            book.failed.push_back((id, problem));
        }
    }

    fn hold(&self, id: Uuid) {
        self.lock().held.insert(id);
    }

    fn let_go(&self, id: Uuid) {
        self.lock().held.remove(&id);
    }

    /// Held for a look or a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for an analysis to begin.
#[derive(Debug)]
pub struct Expectation(watch::Receiver<Begun>);

impl Expectation {
    /// Whether some analysis began since the last look; waits for one.
    /// `false`: the registry is closed, none is worth waiting for.
    pub async fn has_begun(&mut self) -> bool {
        !self.0.borrow().is_closed && self.0.changed().await.is_ok() && !self.0.borrow().is_closed
    }
}

#[cfg(test)]
mod tests;
