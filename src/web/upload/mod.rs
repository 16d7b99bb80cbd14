//! Uploads, analysed while they arrive.
//!
//! One blocking thread owns the analysis. The request's body comes to it
//! through a short queue, part by part, and goes to the capture's file on the
//! way: memory stays bounded however large the body is. Whatever goes wrong,
//! captures without a saved report are removed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::body::Watch;
use self::worker::{Feed, Piece};
use super::Service;
use super::error::Error;
use crate::analysis::{Limits, ReportHeader};
use crate::model::report::Report;

mod body;
mod form;
mod metadata;
mod raw;
mod worker;

pub use form::UploadForm;
pub use raw::UploadQuery;

/// Pieces that wait between the network and the analysis; each is at most
/// what one read from the socket gives.
const QUEUE_PIECES: usize = 8;

/// Analyses the body of `request`, saves report and captures, and returns the report.
///
/// # Errors
///
/// Where the body is too large, stalls, ends early or holds nothing that can
/// be analysed, where no turn came in time, or the store fails. Nothing is
/// kept then.
pub async fn receive(
    service: &Service,
    query: UploadQuery,
    request: Request,
) -> Result<Report, Error> {
    let (parts, body) = request.into_parts();
    let settings = &service.settings;
    let watch = Watch::new(settings.upload_limit_bytes, settings.stall_time);
    let is_form = is_form(&parts.headers)?;
    check_length(&parts.headers, settings.upload_limit_bytes)?;
    let turn = wait_for_turn(service).await?;

    let id = (settings.new_id)();
    let created_at = (settings.now)();
    let captures = service.store.new_captures(id);
    let limits = Limits { expanded_bytes: settings.expanded_limit_bytes, ..Limits::default() };
    let (pieces, queue) = mpsc::channel(QUEUE_PIECES);
    let worker = spawn(turn, move || worker::analyse(queue, limits, captures));

    let mut feed = Feed::new(pieces);
    let watched = watch.wrap(body.into_data_stream());
    let outcome = if is_form {
        form::send(Body::from_stream(watched), &parts.headers, query, &watch, &mut feed).await
    } else {
        raw::send(watched, query, &mut feed).await
    };
    let outcome = match outcome {
        Ok(title) => feed.send(Piece::Finish(ReportHeader { id, title, created_at })).await,
        Err(error) => Err(error),
    };
    // Without its sender the worker sees the end, and removes what it wrote.
    drop(feed);
    let analysed = worker.await.map_err(|_| Error::Internal("the analysis ended unexpectedly"))?;
    let result = match (watch.find_fault(), outcome) {
        (Some(fault), _) => Err(fault),
        // The queue closes early when the worker fails: its reason is the real one.
        (None, Ok(()) | Err(Error::CutOff)) => analysed,
        (None, Err(error)) => Err(error),
    };
    let (report, captures) = match result {
        Ok(done) => done,
        Err(error) => {
            // Who waits for our leave to send, or has stopped sending, reads already.
            let is_silent = matches!(error, Error::Stalled { .. } | Error::CutOff);
            if !is_silent && !parts.headers.contains_key(EXPECT) {
                watch.drain().await;
            }
            return Err(error);
        }
    };
    // A client that leaves now drops this future, not the saving.
    let store = service.store.clone();
    let saving = tokio::spawn(async move {
        store.save(&report).await.map(|()| {
            captures.keep();
            report
        })
    });
    let saved =
        saving.await.map_err(|_| Error::Internal("saving the report ended unexpectedly"))?;
    Ok(saved?)
}

fn spawn<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(move || {
        // Held until the work is done, even if its request is long gone.
        let _turn = turn;
        work()
    })
}

async fn wait_for_turn(service: &Service) -> Result<OwnedSemaphorePermit, Error> {
    let queue_time = service.settings.queue_time;
    let turn = service.turns.clone().acquire_owned();
    match tokio::time::timeout(queue_time, turn).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) => Err(Error::Internal("the service is ending")),
        Err(_) => Err(Error::Busy { waited_s: queue_time.as_secs() }),
    }
}

/// A body that says that it is too large is refused before it is read.
fn check_length(headers: &HeaderMap, limit_bytes: u64) -> Result<(), Error> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|text| text.parse::<u64>().ok()) {
        Some(length) if length > limit_bytes => Err(Error::TooLarge { limit_bytes }),
        _ => Ok(()),
    }
}

/// Whether the body is a form; `false`: a capture as it is.
fn is_form(headers: &HeaderMap) -> Result<bool, Error> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(false) };
    let found = value.to_str().unwrap_or("a content type that is not text");
    let media_type = found.split(';').next().unwrap_or(found).trim().to_ascii_lowercase();
    if media_type == form::MEDIA_TYPE {
        return Ok(true);
    }
    if raw::MEDIA_TYPES.contains(&media_type.as_str()) {
        return Ok(false);
    }
    Err(Error::UnsupportedMediaType { found: found.to_owned(), expected: raw::EXPECTED })
}

/// Limits on how long an unwanted rest of a body is read, so that its sender
/// gets to see the answer: many clients look for it only after they sent all.
const DRAIN_TIME: Duration = Duration::from_secs(2);
const DRAIN_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn content_types_are_told_apart() {
        let cases = [
            (None, Some(false)),
            (Some("multipart/form-data; boundary=x"), Some(true)),
            (Some("application/vnd.tcpdump.pcap"), Some(false)),
            (Some("Text/Plain; charset=utf-8"), Some(false)),
            (Some("application/json"), None),
            (Some("image/jpeg"), None),
            (Some("application/x-www-form-urlencoded"), None),
        ];
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.extend(given.map(|text| (CONTENT_TYPE, HeaderValue::from_static(text))));
            assert_eq!(is_form(&headers).ok(), expected, "{given:?}");
        }
    }
}
