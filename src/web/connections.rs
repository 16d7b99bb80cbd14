//! Connections: how many there may be, and how long one may take to say what it wants.

use std::io;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::patience::Patience;

mod patience;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    /// Connections at the same time. More wait in the kernel's queue until one ends.
    pub limit: NonZeroUsize,
    /// How long the head of a request may take, counted from the connection's
    /// begin or from the answer before: an idle connection ends as well.
    pub head_time: Duration,
    /// How long a client may take nothing of its answer.
    pub write_time: Duration,
}

impl Connections {
    /// The default limits, with `limit` connections at the same time.
    #[must_use]
    pub const fn new(limit: NonZeroUsize) -> Self {
        Self { limit, head_time: Duration::from_secs(15), write_time: Duration::from_secs(30) }
    }
}

/// How long no connection is taken after the system refused one, for example
/// because too many files are open.
const REST_TIME: Duration = Duration::from_millis(500);

/// Serves connections until `stop` is ready, then waits for the requests that run.
/// Only HTTP/1.1 is spoken: its limits are the ones that hold here.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let slots = Arc::new(Semaphore::new(connections.limit.get().min(Semaphore::MAX_PERMITS)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(connections.head_time);
    let running = GracefulShutdown::new();
    let service = TowerToHyperService::new(router);
    let mut was_full = false;
    loop {
        let (connection, slot) = tokio::select! {
            taken = take(&listener, &slots, &mut was_full) => taken,
            () = &mut stop => break,
        };
        let connection = Patience::new(connection, connections.write_time);
        let connection = builder.serve_connection(TokioIo::new(connection), service.clone());
        let served = running.watch(connection);
        tokio::spawn(async move {
            // What a client does to its own connection is no news.
            let _ = served.await;
            drop(slot);
        });
    }
    // Nobody who comes now is heard, so nobody should be kept waiting.
    drop(listener);
    running.shutdown().await;
}

/// The next connection, once there is a slot for it.
async fn take(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    was_full: &mut bool,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let slot = if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            *was_full = false;
            slot
        } else {
            if !std::mem::replace(was_full, true) {
                tracing::warn!("all connections that are allowed are open; new ones wait");
            }
            match Arc::clone(slots).acquire_owned().await {
                Ok(slot) => slot,
                // We never close it; if somebody did, nothing could be served.
                Err(_) => std::future::pending().await,
            }
        };
        match listener.accept().await {
            Ok((connection, _)) => {
                // Answers are written whole: waiting for more only delays them.
                let _ = connection.set_nodelay(true);
                return (connection, slot);
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot take a connection");
                tokio::time::sleep(REST_TIME).await;
            }
        }
    }
}

/// Whether the client was gone before it was heard: accept(2) tells that as an error.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
