//! Turns at the processors, which open uploads share.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A thread's turn to work; of several that wait the first gets the next one.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Semaphore>,
    runtime: Handle,
    held: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// None is held yet.
    pub const fn new(turns: Arc<Semaphore>, runtime: Handle) -> Self {
        Self { turns, runtime, held: None }
    }

    /// Gives the turn to whoever waits for one.
    pub fn give_back(&mut self) {
        self.held = None;
    }

    /// Waits for a turn, unless one is held. Must not be called by a thread that
    /// runs asynchronous tasks.
    pub fn take(&mut self) {
        if self.held.is_none() {
            // The semaphore is never closed; without it, there would be nothing to share.
            self.held = self.runtime.block_on(Arc::clone(&self.turns).acquire_owned()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_turn_that_is_given_back_is_the_next_ones() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let turns = Arc::new(Semaphore::new(1));
        let mut first = Turn::new(Arc::clone(&turns), runtime.handle().clone());
        let mut second = Turn::new(turns, runtime.handle().clone());
        first.take();
        first.take();
        let (sender, works) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            second.take();
            sender.send(()).unwrap();
        });
        assert!(works.recv_timeout(Duration::from_millis(50)).is_err());
        first.give_back();
        works.recv_timeout(Duration::from_secs(10)).unwrap();
        thread.join().unwrap();
        first.take();
    }
}
