//! Messages to chats and other programs when a device's verdict changes.
//!
//! A [`Notice`] goes to each receiver through a short queue of its own, so that one
//! that is slow or gone holds up neither the others nor whoever has something to say.

mod answer;
mod body;
mod counts;
mod notice;
mod receiver;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::counts::ReceiverCounts;
pub use self::notice::{Change, Notice};
use self::receiver::Receiver;
pub use self::receiver::StartError;
pub use self::target::{Kind, Target, TargetError};

/// Tells receivers of changed verdicts. Clones share them.
#[derive(Debug, Clone)]
pub struct Notifier {
    receivers: Arc<[Receiver]>,
    /// Work that has been taken on and not ended.
    open: watch::Sender<usize>,
}

/// Work that has been taken on; dropped, it has ended.
#[derive(Debug)]
pub struct Ticket(watch::Sender<usize>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Notifier {
    /// One that tells nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self { receivers: Arc::default(), open: watch::Sender::new(0) }
    }

    /// Starts a task for each receiver; needs a runtime.
    ///
    /// # Errors
    ///
    /// Where no HTTP client can be made.
    pub fn start(targets: Vec<Target>) -> Result<Self, StartError> {
        let mut numbers = BTreeMap::new();
        let mut receivers = Vec::with_capacity(targets.len());
        for target in targets {
            // The second of a kind is `slack-2`: its URL is a secret and names nobody.
            let number = numbers.entry(target.kind().as_token()).or_insert(0_u32);
            *number += 1;
            let name = match *number {
                1 => target.kind().as_token().to_owned(),
                number => format!("{}-{number}", target.kind().as_token()),
            };
            receivers.push(Receiver::start(name, target)?);
        }
        Ok(Self { receivers: receivers.into(), open: watch::Sender::new(0) })
    }

    /// Whether nobody is told.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.receivers.is_empty()
    }

    /// Tells all receivers; returns at once. A receiver whose queue is full is not
    /// told, which is logged and counted.
    pub fn send(&self, notice: &Arc<Notice>) {
        for receiver in &*self.receivers {
            receiver.post(Arc::clone(notice), self.take_ticket());
        }
    }

    /// Counts a notice that nobody is told of.
    pub fn drop_notice(&self) {
        for receiver in &*self.receivers {
            receiver.counts().add_dropped();
        }
    }

    /// Notes that something is to be told which is not a notice yet.
    #[must_use]
    pub fn take_ticket(&self) -> Ticket {
        self.open.send_modify(|open| *open = open.saturating_add(1));
        Ticket(self.open.clone())
    }

    /// Waits until all is told, for `patience` at most; returns what was given up.
    pub async fn wait_for_end(&self, patience: Duration) -> usize {
        let mut open = self.open.subscribe();
        // The sender is in `self`.
        let _ = tokio::time::timeout(patience, open.wait_for(|open| *open == 0)).await;
        *open.borrow()
    }

    /// What became of the notices of each receiver.
    #[must_use]
    pub fn counts(&self) -> Vec<ReceiverCounts> {
        self.receivers.iter().map(Receiver::count).collect()
    }
}
