//! One receiver: its queue, and the task that posts what is in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use tokio::sync::mpsc;

use super::answer::{Outcome, judge};
use super::counts::{Counts, ReceiverCounts};
use super::notice::Notice;
use super::target::Target;
use super::{Ticket, body};
use crate::model::reason::find_root_cause;

/// Notices that wait for one receiver. Chats take about one a second, DingTalk 20 a minute.
const QUEUE_NOTICES: usize = 64;

/// How long a receiver may take to be reached, and for its whole answer.
const CONNECT_TIME: Duration = Duration::from_secs(5);
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Pauses between the attempts of one notice; one attempt more than pauses is made.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(16),
    Duration::from_mins(1),
];

/// The longest pause that a receiver may ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Answers are short; what is longer is not read.
const MOST_ANSWER_BYTES: usize = 16 << 10;

/// Why receivers cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for notices cannot be made")]
pub struct StartError(#[source] reqwest::Error);

/// A receiver, and what waits for it.
#[derive(Debug)]
pub struct Receiver {
    name: String,
    queue: mpsc::Sender<Posted>,
    counts: Arc<Counts>,
}

/// A notice on its way; it is open until it is sent or given up.
#[derive(Debug)]
struct Posted {
    notice: Arc<Notice>,
    _ticket: Ticket,
}

impl Receiver {
    /// Starts the task that tells it.
    ///
    /// # Errors
    ///
    /// Where no HTTP client can be made.
    pub fn start(name: String, target: Target) -> Result<Self, StartError> {
        let (queue, posted) = mpsc::channel(QUEUE_NOTICES);
        let counts = Arc::<Counts>::default();
        let client = build_client().map_err(StartError)?;
        let courier = Courier { name: name.clone(), target, client, counts: Arc::clone(&counts) };
        tokio::spawn(courier.work(posted));
        Ok(Self { name, queue, counts })
    }

    /// Puts a notice into the queue, or drops it where that is full.
    pub fn post(&self, notice: Arc<Notice>, ticket: Ticket) {
        let analysis = notice.analysis;
        if self.queue.try_send(Posted { notice, _ticket: ticket }).is_err() {
            self.counts.add_dropped();
            tracing::warn!(receiver = self.name, %analysis,
                "a notice is dropped: {QUEUE_NOTICES} wait for this receiver already");
        }
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn count(&self) -> ReceiverCounts {
        let waiting = self.queue.max_capacity().saturating_sub(self.queue.capacity());
        self.counts.read(&self.name, u64::try_from(waiting).unwrap_or(u64::MAX))
    }
}

/// A client that follows no redirect: what is posted, and the secret in the URL, are
/// for the host that the settings name. Proxies of the environment are used.
fn build_client() -> Result<Client, reqwest::Error> {
    // Refused where the process has one already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .timeout(ANSWER_TIME)
            .user_agent(concat!("replyscope/", env!("CARGO_PKG_VERSION")))
    };
    // A small image has no authorities of the system: then none is trusted.
    builder().build().or_else(|_| builder().tls_certs_only(Vec::new()).build())
}

/// Who carries notices to one receiver, one after the other.
struct Courier {
    name: String,
    target: Target,
    client: Client,
    counts: Arc<Counts>,
}

impl Courier {
    async fn work(self, mut posted: mpsc::Receiver<Posted>) {
        while let Some(next) = posted.recv().await {
            let analysis = next.notice.analysis;
            match self.carry(&next.notice).await {
                Ok(()) => {
                    self.counts.add_sent();
                    tracing::info!(receiver = self.name, %analysis, "a notice is sent");
                }
                Err(reason) => {
                    self.counts.add_failed();
                    tracing::warn!(receiver = self.name, %analysis, reason, "a notice is given up");
                }
            }
        }
    }

    /// Posts a notice until it is taken.
    ///
    /// # Errors
    ///
    /// Says why it is given up.
    async fn carry(&self, notice: &Notice) -> Result<(), String> {
        let body = Bytes::from(body::render(self.target.kind(), notice).to_string());
        let mut pauses = PAUSES.into_iter();
        loop {
            let outcome = self.post(body.clone()).await;
            if outcome != Outcome::Delivered {
                self.counts.add_failed_attempt();
            }
            match (outcome, pauses.next()) {
                (Outcome::Delivered, _) => return Ok(()),
                (Outcome::Refused(reason), _) => return Err(reason),
                (Outcome::Later { reason, .. }, None) => {
                    return Err(format!("{reason}, at the last of {} attempts", PAUSES.len() + 1));
                }
                (Outcome::Later { reason, after }, Some(pause)) => {
                    tracing::debug!(receiver = self.name, reason, "a notice is tried again");
                    tokio::time::sleep(
                        after.map_or(pause, |after| after.max(pause)).min(LONGEST_PAUSE),
                    )
                    .await;
                }
            }
        }
    }

    async fn post(&self, body: Bytes) -> Outcome {
        let request = self.client.post(self.target.url().clone());
        let sent = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
        match sent {
            Ok(response) => self.read(response).await,
            Err(error) => Outcome::later(render_reason(&error)),
        }
    }

    async fn read(&self, mut response: Response) -> Outcome {
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MOST_ANSWER_BYTES => {
                    body.extend_from_slice(&chunk);
                }
                // The status is there; what a long or broken body would say is not known.
                Ok(_) | Err(_) => break,
            }
        }
        judge(self.target.kind(), status, after.as_deref(), &body)
    }
}

fn render_reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", ANSWER_TIME.as_secs());
    }
    find_root_cause(error).unwrap_or_else(|| "the connection ended".to_owned())
}
