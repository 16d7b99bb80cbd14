//! Connections of the agent: how many, how slow, and with TLS or without.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// How long a request's head may take, and the handshake of TLS. An idle
/// connection ends as well.
const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long a client may take nothing of its answer before the kernel gives it up.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long no connection is taken after the system refused one.
const REST_TIME: Duration = Duration::from_millis(500);

/// Serves connections until `stop` is ready, then waits for the requests that run.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    limit: NonZeroUsize,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let slots = Arc::new(Semaphore::new(limit.get().min(Semaphore::MAX_PERMITS)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let running = GracefulShutdown::new();
    let service = TowerToHyperService::new(router);
    loop {
        let taken = async {
            // We never close it; if somebody did, nothing could be served.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            taken = taken => taken,
            () = &mut stop => break,
        };
        let connection = match accepted {
            Ok((connection, _)) => connection,
            Err(error) => {
                // Too many open files, or a client that was gone before it was heard.
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(REST_TIME).await;
                continue;
            }
        };
        prepare(&connection);
        let (builder, service, tls) = (builder.clone(), service.clone(), tls.clone());
        let watcher = running.watcher();
        tokio::spawn(async move {
            // What a client does to its own connection is no news.
            match tls {
                None => {
                    let served = builder.serve_connection(TokioIo::new(connection), service);
                    let _ = watcher.watch(served).await;
                }
                Some(tls) => {
                    let handshake = tokio::time::timeout(HEAD_TIME, tls.accept(connection));
                    if let Ok(Ok(connection)) = handshake.await {
                        let served = builder.serve_connection(TokioIo::new(connection), service);
                        let _ = watcher.watch(served).await;
                    }
                }
            }
            drop(slot);
        });
    }
    // Nobody who comes now is heard, so nobody should be kept waiting.
    drop(listener);
    running.shutdown().await;
}

fn prepare(connection: &TcpStream) {
    // Packets shall arrive when they come: waiting for more only delays them.
    let _ = connection.set_nodelay(true);
    // Where this is refused, a client that reads nothing holds its slot for longer.
    let _ = SockRef::from(connection).set_tcp_user_timeout(Some(WRITE_TIME));
}
