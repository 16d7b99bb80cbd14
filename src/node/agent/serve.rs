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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// How long a request's head may take, and the handshake of TLS. An idle
/// connection ends as well.
const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long a client may take nothing of its answer before the kernel gives it up.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long a client that we refuse may take to read why.
const LINGER_TIME: Duration = Duration::from_secs(1);

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
                    let accept = tls.accept(connection).into_fallible();
                    match tokio::time::timeout(HEAD_TIME, accept).await {
                        Ok(Ok(connection)) => {
                            let served =
                                builder.serve_connection(TokioIo::new(connection), service);
                            let _ = watcher.watch(served).await;
                        }
                        Ok(Err((error, connection))) => {
                            tracing::debug!(%error, "a client's handshake failed");
                            let _ = tokio::time::timeout(LINGER_TIME, linger(connection)).await;
                        }
                        Err(_) => {}
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

/// Ends a connection so that its client learns why. TLS 1.3 lets it send its request
/// before we have refused its certificate: closed with that unread, the kernel resets
/// the connection, and the alert is lost (RFC 1122, section 4.2.2.13).
async fn linger(mut connection: TcpStream) {
    let mut unread = [0; 4_096];
    if connection.shutdown().await.is_ok() {
        while connection.read(&mut unread).await.is_ok_and(|length| length > 0) {}
    }
}

fn prepare(connection: &TcpStream) {
    // Packets shall arrive when they come: waiting for more only delays them.
    let _ = connection.set_nodelay(true);
    // Where this is refused, a client that reads nothing holds its slot for longer.
    let _ = SockRef::from(connection).set_tcp_user_timeout(Some(WRITE_TIME));
}
