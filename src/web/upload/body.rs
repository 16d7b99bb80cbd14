//! A body under watch: it may be only so large, and may neither stand still nor crawl.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep};

use super::super::Settings;
use super::super::error::Error;
use super::pace::{Pace, PaceFault, PaceLimits};
use super::{DRAIN_BYTES, DRAIN_TIME};

/// What one request's body may do, and what it did wrong.
#[derive(Debug, Clone)]
pub struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    limit_bytes: u64,
    pace: PaceLimits,
    received_bytes: Arc<AtomicU64>,
    /// Bytes received at which the head of a form's part must have ended.
    head_end_bytes: AtomicU64,
    fault: OnceLock<Fault>,
    /// What is left of a body that nobody reads any more.
    rest: Mutex<Option<BodyDataStream>>,
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Fault {
    #[error("too large")]
    TooLarge,
    #[error("stalled")]
    Stalled,
    #[error("too slow")]
    TooSlow,
    #[error("cut off")]
    CutOff,
    #[error("head of a part too large")]
    HeadTooLarge,
}

/// More than any sender's headers, and more than one read from the socket.
const LARGEST_HEAD_BYTES: u64 = 1 << 20;

impl Watch {
    /// A watch that counts the bytes in `received_bytes`.
    pub fn new(settings: &Settings, received_bytes: Arc<AtomicU64>) -> Self {
        Self(Arc::new(Watched {
            limit_bytes: settings.upload_limit_bytes,
            pace: PaceLimits {
                stall_time: settings.stall_time,
                least_bytes: settings.least_bytes,
                rate_time: settings.rate_time,
            },
            received_bytes,
            head_end_bytes: AtomicU64::new(u64::MAX),
            fault: OnceLock::new(),
            rest: Mutex::new(None),
        }))
    }

    /// `stream`, which ends with an error once a limit is passed.
    pub fn wrap(&self, stream: BodyDataStream) -> WatchedBody {
        WatchedBody {
            stream: Some(stream),
            watch: self.clone(),
            timer: Box::pin(tokio::time::sleep(self.0.pace.stall_time)),
            pace: Pace::new(self.0.pace),
            is_pausing: false,
        }
    }

    /// A part's head begins: the form reader keeps all of it in memory.
    pub fn begin_head(&self) {
        let received = self.0.received_bytes.load(Ordering::Relaxed);
        self.0.head_end_bytes.store(received.saturating_add(LARGEST_HEAD_BYTES), Ordering::Relaxed);
    }

    /// The part's head is read.
    pub fn end_head(&self) {
        self.0.head_end_bytes.store(u64::MAX, Ordering::Relaxed);
    }

    /// What the body did wrong.
    pub fn find_fault(&self) -> Option<Error> {
        self.0.fault.get().map(|fault| match fault {
            Fault::TooLarge => Error::TooLarge { limit_bytes: self.0.limit_bytes },
            Fault::Stalled => Error::Stalled { seconds: self.0.pace.stall_time.as_secs() },
            Fault::TooSlow => Error::TooSlow {
                least_bytes: self.0.pace.least_bytes,
                seconds: self.0.pace.rate_time.as_secs(),
            },
            Fault::CutOff => Error::CutOff,
            Fault::HeadTooLarge => Error::BadMultipart(format!(
                "the head of a part is larger than {LARGEST_HEAD_BYTES} bytes"
            )),
        })
    }

    /// Reads on for a moment, so that a client which still sends gets to see
    /// the answer instead of a broken connection.
    pub async fn drain(&self) {
        let rest = self.0.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else { return };
        let drained = async {
            let mut bytes = 0_u64;
            while let Some(Ok(chunk)) = rest.next().await {
                bytes = bytes.saturating_add(count(&chunk));
                if bytes > DRAIN_BYTES {
                    break;
                }
            }
        };
        // Whether or not it ended in time, the answer is the same.
        let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
    }

    fn fail(&self, fault: Fault) -> std::io::Error {
        std::io::Error::other(*self.0.fault.get_or_init(|| fault))
    }
}

/// The body, as long as it keeps to its limits.
#[derive(Debug)]
pub struct WatchedBody {
    stream: Option<BodyDataStream>,
    watch: Watch,
    pace: Pace,
    /// Wakes us when the pace has to be looked at again.
    timer: Pin<Box<Sleep>>,
    is_pausing: bool,
}

impl Stream for WatchedBody {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.watch.0.fault.get().is_some() {
            return Poll::Ready(None);
        }
        // The form reader takes all that is ready before it hands on any of
        // it. A pause after each chunk keeps it from taking a whole body that
        // comes faster than it is analysed.
        if self.is_pausing {
            self.is_pausing = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        match stream.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                let watched = &self.watch.0;
                let chunk_bytes = count(&chunk);
                let before = watched.received_bytes.fetch_add(chunk_bytes, Ordering::Relaxed);
                let received = before.saturating_add(chunk_bytes);
                if received > watched.limit_bytes {
                    return Poll::Ready(Some(Err(self.watch.fail(Fault::TooLarge))));
                }
                if received > watched.head_end_bytes.load(Ordering::Relaxed) {
                    return Poll::Ready(Some(Err(self.watch.fail(Fault::HeadTooLarge))));
                }
                if let Err(fault) = self.pace.receive(chunk_bytes, Instant::now()) {
                    return Poll::Ready(Some(Err(self.watch.fail(fault.into()))));
                }
                self.is_pausing = true;
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(self.watch.fail(Fault::CutOff)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => loop {
                let deadline = match self.pace.wait(Instant::now()) {
                    Ok(deadline) => deadline,
                    Err(fault) => {
                        return Poll::Ready(Some(Err(self.watch.fail(fault.into()))));
                    }
                };
                if self.timer.deadline() != deadline {
                    self.timer.as_mut().reset(deadline);
                }
                if self.timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            },
        }
    }
}

impl From<PaceFault> for Fault {
    fn from(fault: PaceFault) -> Self {
        match fault {
            PaceFault::Stalled => Self::Stalled,
            PaceFault::TooSlow => Self::TooSlow,
        }
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        let rest = self.stream.take();
        *self.watch.0.rest.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

fn count(chunk: &Bytes) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}
