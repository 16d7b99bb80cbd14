//! A report's JSON, put together from its frame and its devices' parts as they
//! come from the store: memory stays bounded however many devices there are.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::error::Error;
use crate::model::progress::AnalysisState;
use crate::model::query::NodeQuery;
use crate::model::report::Report;
use crate::store::{self, DeviceFilter, DevicePart, Store};

/// Devices that one statement reads.
const PARTS_AT_ONCE: u32 = 200;

/// How an empty list of devices ends the JSON of a frame.
const EMPTY_END: &[u8] = b"[]}";

/// An analysis that has ended: its report.
#[derive(Debug, Serialize, ToSchema)]
pub struct FinishedAnalysis {
    /// Always `finished`.
    state: AnalysisState,
    /// How the capture came about, where a node was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<NodeQuery>,
    #[serde(flatten)]
    report: Box<Report>,
}

impl FinishedAnalysis {
    /// Of a report, or of its frame.
    #[must_use]
    pub const fn new(report: Box<Report>, query: Option<NodeQuery>) -> Self {
        Self { state: AnalysisState::Finished, query, report }
    }
}

/// The JSON of the analysis whose report's frame is `frame`, with its worst `most` devices.
///
/// # Errors
///
/// Where the store does not answer; what comes later than the first devices ends the
/// body early instead.
pub async fn report_body(
    store: Store,
    mut frame: Box<Report>,
    query: Option<NodeQuery>,
    most: u64,
) -> Result<Body, Error> {
    let id = frame.id;
    let shown = frame.devices_omitted.min(most);
    frame.devices_omitted -= shown;
    let mut start = serde_json::to_vec(&FinishedAnalysis::new(frame, query))
        .map_err(|_| Error::Internal("the report has no JSON form"))?;
    if !start.ends_with(EMPTY_END) {
        return Err(Error::Internal("the report's JSON does not end with its devices"));
    }
    start.truncate(start.len() - EMPTY_END.len());
    start.push(b'[');
    let mut rest = Rest { store, id, left: shown, after: None };
    rest.append_next(&mut start).await?;
    if rest.left == 0 {
        // All of it: the answer can say how long it is.
        return Ok(Body::from(start));
    }
    let first = stream::once(async move { Ok::<_, store::Error>(Bytes::from(start)) });
    let others = stream::try_unfold(rest, |mut rest| async move {
        if rest.left == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        rest.append_next(&mut bytes).await.inspect_err(|error| {
            tracing::error!(id = %rest.id, %error, "a report's JSON ends early");
        })?;
        Ok(Some((Bytes::from(bytes), rest)))
    });
    Ok(Body::from_stream(stream::StreamExt::chain(first, others)))
}

/// Parts as the elements of a JSON array, without its brackets.
pub fn append_parts(parts: &[DevicePart], json: &mut Vec<u8>) {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(&part.json);
    }
}

/// The devices that are still to come.
struct Rest {
    store: Store,
    id: Uuid,
    left: u64,
    after: Option<u64>,
}

impl Rest {
    /// Appends the next devices, and the end of the document after the last.
    async fn append_next(&mut self, json: &mut Vec<u8>) -> Result<(), store::Error> {
        let limit = u32::try_from(self.left).unwrap_or(u32::MAX).min(PARTS_AT_ONCE);
        if limit > 0 {
            let all = DeviceFilter::default();
            let page = self.store.device_parts(self.id, &all, self.after, limit).await?;
            if self.after.is_some() && !page.entries.is_empty() {
                json.push(b',');
            }
            append_parts(&page.entries, json);
            let read = u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
            self.left = self.left.saturating_sub(read);
            if page.next_cursor.is_none() && self.left > 0 {
                // Deleted meanwhile: half a list must not pass for the whole one.
                let message = format!("{} of its devices are gone", self.left);
                return Err(store::Error::Damaged { id: self.id, message });
            }
            self.after = page.next_cursor;
        }
        if self.left == 0 {
            json.extend_from_slice(b"]}");
        }
        Ok(())
    }
}
