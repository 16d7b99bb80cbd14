//! Telling others when an analysis changes a device's verdict.
//!
//! Whoever saves a report says so and goes on. A task of its own compares the report
//! with what was known, which for a large one takes a while.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::model::stand_in::{StandIns, render_segment};
use crate::notify::{Change, Notice, Notifier, ReceiverCounts, Ticket};
use crate::store::{self, Store};

/// Devices that one message tells of; the others are counted.
const MOST_CHANGES: u32 = 5;

/// Saved reports that wait to be compared.
const QUEUE_REPORTS: usize = 1_024;

/// Tells others of changed verdicts. Clones share the work.
#[derive(Debug, Clone)]
pub struct Notices {
    notifier: Notifier,
    /// `None` where nobody is told.
    queue: Option<mpsc::Sender<(Uuid, Ticket)>>,
}

impl Notices {
    /// Tells nobody.
    #[must_use]
    pub fn off() -> Self {
        Self { notifier: Notifier::silent(), queue: None }
    }

    /// Compares reports of `store` as they are saved, and tells `notifier`. Links begin
    /// with `public_url`. Needs a runtime.
    #[must_use]
    pub fn start(store: Store, notifier: Notifier, public_url: String) -> Self {
        if notifier.is_silent() {
            return Self::off();
        }
        let (queue, mut saved) = mpsc::channel::<(Uuid, Ticket)>(QUEUE_REPORTS);
        let told = notifier.clone();
        tokio::spawn(async move {
            while let Some((id, ticket)) = saved.recv().await {
                match find_notice(&store, id, &public_url).await {
                    Ok(Some(notice)) => told.send(&Arc::new(notice)),
                    Ok(None) => {}
                    Err(error) => {
                        told.drop_notice();
                        tracing::error!(%id, %error, "whether verdicts changed is not known, and not told");
                    }
                }
                drop(ticket);
            }
        });
        Self { notifier, queue: Some(queue) }
    }

    /// Notes that the report `id` is saved; returns at once.
    pub(super) fn note_saved(&self, id: Uuid) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send((id, self.notifier.take_ticket())).is_err() {
            self.notifier.drop_notice();
            tracing::warn!(%id, "a report is not compared: {QUEUE_REPORTS} wait for that already");
        }
    }

    /// Waits until all is told, for `patience` at most.
    pub async fn wait_for_end(&self, patience: Duration) {
        let given_up = self.notifier.wait_for_end(patience).await;
        if given_up > 0 {
            tracing::warn!(given_up, "ending with notices that are not sent");
        }
    }

    /// What became of the notices of each receiver.
    pub(super) fn counts(&self) -> Vec<ReceiverCounts> {
        self.notifier.counts()
    }
}

/// What there is to tell of the report `id`, if anything is.
async fn find_notice(
    store: &Store,
    id: Uuid,
    public_url: &str,
) -> Result<Option<Notice>, store::Error> {
    let changes = store.verdict_changes(id, MOST_CHANGES).await?;
    // Somebody may have deleted it already.
    let Some(summary) = store.find_summary(id).await? else { return Ok(None) };
    let url = format!("{public_url}/analyses/{id}");
    let mut told = Vec::with_capacity(changes.worst.len());
    let mut names = None;
    for change in changes.worst {
        let Some(device) = store.find_device(id, change.device).await? else { continue };
        let segment = render_segment(device.device, device.name.as_deref());
        let change = Change::of(&device, change.before, format!("{url}/devices/{segment}"));
        let known = match names.take() {
            Some(known) => known,
            None => {
                store.find_frame(id).await?.map(|frame| StandIns::of(&frame)).unwrap_or_default()
            }
        };
        told.push(change.with_names(known.clone()));
        names = Some(known);
    }
    if told.is_empty() {
        return Ok(None);
    }
    let listed = u64::try_from(told.len()).unwrap_or(u64::MAX);
    Ok(Some(Notice {
        analysis: id,
        title: summary.title,
        created_at: summary.created_at,
        url,
        changes: told,
        changes_omitted: changes.count.saturating_sub(listed),
    }))
}
