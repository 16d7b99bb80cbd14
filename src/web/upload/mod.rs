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
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::body::{Watch, WatchedBody};
use self::worker::Feed;
use super::Service;
use super::error::Error;
use crate::analysis::{Limits, ReportHeader};
use crate::model::report::Report;
use crate::store::CaptureBlobs;

mod body;
mod clusters;
mod form;
mod metadata;
mod pace;
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
    let (head, body) = request.into_parts();
    // Who waits for our leave to send need not be heard out.
    let is_waiting = head.headers.contains_key(EXPECT);
    let watch = Watch::new(&service.settings);
    let body = watch.wrap(body.into_data_stream());
    let result = analyse(service, query, head, body, &watch).await;
    if let Err(error) = &result {
        let is_silent =
            matches!(error, Error::Stalled { .. } | Error::TooSlow { .. } | Error::CutOff);
        if !is_waiting && !is_silent {
            watch.drain().await;
        }
    }
    let (report, captures) = result?;
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

/// Analyses the body; dropped, the captures are removed.
async fn analyse(
    service: &Service,
    query: UploadQuery,
    head: Parts,
    body: WatchedBody,
    watch: &Watch,
) -> Result<(Report, CaptureBlobs), Error> {
    let settings = &service.settings;
    let is_form = is_form(&head.headers)?;
    check_length(&head.headers, settings.upload_limit_bytes)?;
    let turn = wait_for_turn(service).await?;

    let id = (settings.new_id)();
    let created_at = (settings.now)();
    let captures = service.store.new_captures(id);
    let limits = Limits { expanded_bytes: settings.expanded_limit_bytes, ..Limits::default() };
    let (pieces, queue) = mpsc::channel(QUEUE_PIECES);
    let worker = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even if its request is long gone.
        let _turn = turn;
        worker::analyse(queue, limits, captures)
    });

    let mut feed = Feed::new(pieces);
    let sent = if is_form {
        let request = Request::from_parts(head, Body::from_stream(body));
        form::send(request, query, watch, &settings.nodes, &mut feed).await
    } else {
        raw::send(body, query, &settings.nodes, &mut feed).await
    };
    let sent = match sent {
        Ok(said) => {
            let clusters = said.cluster_facts(&settings.nodes);
            let header = ReportHeader { id, title: said.title, created_at };
            feed.finish(clusters, header).await
        }
        Err(error) => Err(error),
    };
    // Without its sender the worker sees the end, and removes what it wrote.
    drop(feed);
    let analysed = worker.await.map_err(|_| Error::Internal("the analysis ended unexpectedly"))?;
    match (watch.find_fault(), sent) {
        (Some(fault), _) => Err(fault),
        // The queue closes early when the worker fails: its reason is the real one.
        (None, Ok(()) | Err(Error::CutOff)) => analysed,
        (None, Err(error)) => Err(error),
    }
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
