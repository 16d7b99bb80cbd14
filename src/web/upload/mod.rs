//! Uploads, analysed while they arrive.
//!
//! One blocking thread owns the analysis. The request's body comes to it
//! through a short queue, part by part, and goes to the capture's file on the
//! way: memory stays bounded however large the body is. A slow sender costs a place
//! among the open uploads, but no processor: turns are taken for work, not for
//! waiting. Whatever goes wrong,
//! captures without a saved report are removed.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::request::Parts;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::body::{Watch, WatchedBody};
use self::turn::Turn;
use self::worker::{Feed, Pieces};
use super::Service;
use super::coding;
use super::error::Error;
use super::running::{Refusal, Task};
use super::tally::{Tally, UPLOADS};
use crate::analysis::{Analysis, Limits, ReportHeader};
use crate::model::progress::Phase;
use crate::model::report::Report;
use crate::store::CaptureBlobs;

mod body;
mod clusters;
mod form;
mod gather;
mod metadata;
mod pace;
mod raw;
mod turn;
mod worker;

pub use form::UploadForm;
#[cfg(test)]
pub use raw::MEDIA_TYPES;
pub use raw::UploadQuery;

/// Pieces that wait between the network and the analysis.
const QUEUE_PIECES: usize = 4;

/// Analyses the body of `request`, saves report and captures, and returns the report's
/// frame: its devices, which may be many, are in the store.
///
/// # Errors
///
/// Where the body is too large, stalls, ends early or holds nothing that can
/// be analysed, where no place came free in time, or the store fails. Nothing is
/// kept then.
pub async fn receive(
    service: &Service,
    query: UploadQuery,
    request: Request,
) -> Result<Box<Report>, Error> {
    // A sender that leaves ends this future wherever it is.
    let mut outcome = Outcome::of(&service.settings.tally);
    let (report, captures, task) =
        take(service, query, request).await.inspect_err(|error| outcome.ends_with(error))?;
    task.enter(Phase::Storing);
    // A client that leaves now drops this future, not the saving. Should that end in a panic,
    // it is no sender who gave up.
    outcome.ends("failed");
    let store = service.store.clone();
    let notices = service.settings.notices.clone();
    let saving = tokio::spawn(async move {
        match store.save(&report).await {
            Ok(()) => {
                outcome.ends("stored");
                captures.keep();
                notices.note_saved(report.id);
                task.finish(report.verdict);
                Ok(Box::new(report.frame()))
            }
            Err(error) => {
                drop(captures);
                let error = Error::from(error);
                outcome.ends_with(&error);
                task.fail(error.problem());
                Err(error)
            }
        }
    });
    saving.await.map_err(|_| Error::Internal("saving the report ended unexpectedly"))?
}

/// What becomes of an upload, which is counted at its end.
struct Outcome {
    tally: Tally,
    /// One of the values of [`UPLOADS`].
    value: &'static str,
}

impl Outcome {
    fn of(tally: &Tally) -> Self {
        Self { tally: tally.clone(), value: "abandoned" }
    }

    fn ends(&mut self, value: &'static str) {
        self.value = value;
    }

    fn ends_with(&mut self, error: &Error) {
        self.ends(match error {
            Error::CutOff => "abandoned",
            error if error.is_passing() => "busy",
            error if error.is_fault() => "failed",
            _ => "refused",
        });
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.tally.note(&UPLOADS, self.value);
    }
}

/// Reads and analyses the body: the report, its captures, and the entry under which the
/// analysis runs, in whose order they are dropped.
async fn take(
    service: &Service,
    query: UploadQuery,
    request: Request,
) -> Result<(Report, CaptureBlobs, Task), Error> {
    let (head, body) = request.into_parts();
    // Who waits for our leave to send need not be heard out.
    let is_waiting = head.headers.contains_key(EXPECT);
    let received_bytes = Arc::<AtomicU64>::default();
    let watch = Watch::new(&service.settings, Arc::clone(&received_bytes));
    let body = watch.wrap(body.into_data_stream());
    let result = match begin(service, &query, &head, received_bytes).await {
        Ok(task) => match analyse(service, &task, query, head, body, &watch).await {
            // Dropped in this order: the id is free once the captures are gone.
            Ok((report, captures)) => Ok((report, captures, task)),
            Err(error) => {
                task.fail(error.problem());
                Err(error)
            }
        },
        Err(error) => {
            // What is left of it can be drained from here on.
            drop(body);
            Err(error)
        }
    };
    if let Err(error) = &result {
        let is_silent =
            matches!(error, Error::Stalled { .. } | Error::TooSlow { .. } | Error::CutOff);
        if !is_waiting && !is_silent {
            watch.drain().await;
        }
    }
    result
}

/// Enters the analysis into the registry, under the id that its sender chose
/// or a new one.
async fn begin(
    service: &Service,
    query: &UploadQuery,
    head: &Parts,
    received_bytes: Arc<AtomicU64>,
) -> Result<Task, Error> {
    let begin = |id| {
        let expected = find_length(&head.headers);
        service.settings.running.begin(id, expected, received_bytes).map_err(
            |refusal| match refusal {
                Refusal::IdTaken => Error::IdTaken(id),
                Refusal::Full => Error::Full,
            },
        )
    };
    let Some(id) = query.id()? else { return begin((service.settings.new_id)()) };
    if service.store.is_taken(id).await? {
        return Err(Error::IdTaken(id));
    }
    let task = begin(id)?;
    // One that ran until a moment ago is in the store now.
    if service.store.is_taken(id).await? {
        task.withdraw();
        return Err(Error::IdTaken(id));
    }
    Ok(task)
}

/// Analyses the body; dropped, the captures are removed.
async fn analyse(
    service: &Service,
    task: &Task,
    query: UploadQuery,
    head: Parts,
    body: WatchedBody,
    watch: &Watch,
) -> Result<(Report, CaptureBlobs), Error> {
    let settings = &service.settings;
    let is_form = is_form(&head.headers)?;
    let taken = if is_form { coding::OF_OTHERS } else { coding::OF_CAPTURES };
    let is_coded = coding::check_coding(&head.headers, taken)?;
    check_length(&head.headers, settings.upload_limit_bytes)?;
    let place = wait_for_place(service).await?;

    task.enter(Phase::Receiving);
    let id = task.id();
    let created_at = (settings.now)();
    let captures = service.store.new_captures(id);
    let limits = Limits { expanded_bytes: settings.expanded_limit_bytes, ..Limits::default() };
    let (pieces, queue) = mpsc::channel(QUEUE_PIECES);
    let hold = task.hold();
    let analysis = Analysis::new(limits).counting_into(task.counts());
    // A form may hold several captures, which its beginning does not tell.
    let analysis = if is_form { analysis } else { analysis.of_one_input() };
    let analysis = if is_coded { analysis.of_coded_inputs() } else { analysis };
    let queue = Pieces::new(queue, Turn::new(Arc::clone(&service.turns), Handle::current()));
    let worker = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even if its request is long gone.
        let _held = (place, hold);
        worker::analyse(queue, analysis, captures)
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
            task.enter(Phase::Diagnosing);
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

/// Waits for a place among the open uploads.
async fn wait_for_place(service: &Service) -> Result<OwnedSemaphorePermit, Error> {
    let queue_time = service.settings.queue_time;
    let place = Arc::clone(&service.uploads).acquire_owned();
    match tokio::time::timeout(queue_time, place).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) => Err(Error::Internal("the service is ending")),
        Err(_) => Err(Error::Busy { waited_s: queue_time.as_secs() }),
    }
}

/// A body that says that it is too large is refused before it is read.
fn check_length(headers: &HeaderMap, limit_bytes: u64) -> Result<(), Error> {
    match find_length(headers) {
        Some(length) if length > limit_bytes => Err(Error::TooLarge { limit_bytes }),
        _ => Ok(()),
    }
}

/// How many bytes the sender announced.
fn find_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
