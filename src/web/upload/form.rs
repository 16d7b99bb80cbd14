//! A form of captures, inventories and metadata.

use std::collections::BTreeMap;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use utoipa::ToSchema;

use super::super::error::Error;
use super::body::Watch;
use super::clusters::{ClusterChoice, Said};
use super::metadata::{Metadata, parse_device_name, parse_metadata, parse_point, parse_title};
use super::raw::UploadQuery;
use super::worker::{Feed, Kind, Piece};
use crate::model::capture::CapturePoint;
use crate::model::label::{Labels, find_title};
use crate::node::registry::Nodes;

pub const MEDIA_TYPE: &str = "multipart/form-data";

/// More parts than anybody sends; each capture becomes a file.
const MOST_PARTS: u32 = 500;
/// Metadata and title are kept in memory.
const LARGEST_METADATA_BYTES: usize = 1 << 20;

/// The parts of the form. At least one `capture` or `text` is needed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form in the API's documentation; parts are streamed")]
pub struct UploadForm {
    /// Title, capture points and device names; one part. Must come before the captures.
    metadata: Option<Metadata>,
    /// What `ip addr`, `ip route`, `kubectl`, `sysctl -a` or `lsmod` printed, or a device list.
    #[schema(value_type = Option<Vec<String>>, format = Binary)]
    inventory: Option<Vec<String>>,
    /// Captures: pcap, pcapng, snoop or ERF (plain, compressed, or in ZIP and tar archives), packets that tcpdump or another program printed or logged, what `conntrack` printed, or whole terminal transcripts.
    #[schema(value_type = Option<Vec<String>>, format = Binary)]
    capture: Option<Vec<String>>,
    /// A pasted capture: packets that tcpdump or another program printed or logged, what `conntrack -L` printed, or a whole terminal transcript.
    text: Option<String>,
    /// The report's title; `metadata` can say it as well.
    title: Option<String>,
    /// Clusters that the service follows and whose addresses may be meant: `all`, `none`, or names separated by commas; `metadata` can say it as well.
    clusters: Option<String>,
}

/// What the form said so far.
#[derive(Debug)]
struct State<'a> {
    nodes: &'a Nodes,
    labels: Labels,
    title: Option<String>,
    clusters: ClusterChoice,
    has_metadata: bool,
    /// Points by file name, until a capture takes them.
    points: BTreeMap<String, CapturePoint>,
    /// Their names, as far as they have one.
    captures: Vec<Option<String>>,
}

/// Sends the form's parts, in their order; returns what was said about the report.
pub async fn send(
    request: Request,
    query: UploadQuery,
    watch: &Watch,
    nodes: &Nodes,
    feed: &mut Feed,
) -> Result<Said, Error> {
    if query.names_a_capture() {
        let message = "name and point are for a body that is a capture itself; in a form, use the part's file name and the metadata part";
        return Err(Error::BadQuery(message.to_owned()));
    }
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Error::BadMultipart(rejection.body_text()))?;
    let mut state = State {
        nodes,
        labels: Labels::default(),
        title: query.title()?,
        clusters: query.clusters(nodes)?,
        has_metadata: false,
        points: BTreeMap::new(),
        captures: Vec::new(),
    };
    let mut parts = 0;
    loop {
        watch.begin_head();
        let Some(field) = form.next_field().await.map_err(|error| fault(&error))? else { break };
        watch.end_head();
        parts += 1;
        if parts > MOST_PARTS {
            return Err(Error::BadMultipart(format!("more than {MOST_PARTS} parts")));
        }
        state.take(field, feed).await?;
    }
    if let Some(name) = state.points.keys().next() {
        return Err(Error::BadMetadata(format!(
            "points names '{name}', but no capture part has that file name"
        )));
    }
    if state.captures.is_empty() {
        return Err(Error::NothingSent("the form has no capture part and no text"));
    }
    let title = state.title.or_else(|| find_title(&state.captures));
    Ok(Said { title, clusters: state.clusters })
}

impl State<'_> {
    async fn take(&mut self, field: Field<'_>, feed: &mut Feed) -> Result<(), Error> {
        match field.name() {
            Some("capture") => self.take_input(field, "capture", feed).await,
            Some("text") => self.take_input(field, "pasted text", feed).await,
            Some("inventory") => self.take_input(field, "inventory", feed).await,
            Some("metadata") => self.take_metadata(field, feed).await,
            Some("title") => {
                let text = read_small(field, "title").await?;
                let title = parse_title(&String::from_utf8_lossy(&text));
                let title = title.map_err(Error::BadMetadata)?;
                self.title = title.or_else(|| self.title.take());
                Ok(())
            }
            Some("clusters") => {
                let text = read_small(field, "clusters").await?;
                let choice = ClusterChoice::parse(&String::from_utf8_lossy(&text), self.nodes);
                self.clusters = choice.map_err(Error::BadMetadata)?;
                Ok(())
            }
            other => Err(Error::BadMultipart(format!(
                "the part '{}' is not known; expected capture, inventory, metadata, text, title or clusters",
                other.unwrap_or_default()
            ))),
        }
    }

    async fn take_input(
        &mut self,
        mut field: Field<'_>,
        fallback: &str,
        feed: &mut Feed,
    ) -> Result<(), Error> {
        let file_name = field.file_name().unwrap_or_default().to_owned();
        let mut chunk = next_chunk(&mut field).await?;
        // Browsers send a part for a file field in which nothing was chosen.
        if chunk.is_none() && file_name.is_empty() {
            return Ok(());
        }
        let label = self.labels.unique(&file_name, fallback);
        let kind = if fallback == "inventory" {
            Kind::Inventory
        } else {
            self.captures.push((!file_name.is_empty()).then(|| label.clone()));
            let point = self.points.remove(&file_name).or_else(|| self.points.remove(&label));
            Kind::Capture { point }
        };
        feed.send(Piece::Begin { label, kind }).await?;
        while let Some(bytes) = chunk {
            feed.send_bytes(bytes).await?;
            chunk = feed.wait_for(next_chunk(&mut field)).await??;
        }
        feed.send(Piece::End).await
    }

    async fn take_metadata(&mut self, field: Field<'_>, feed: &mut Feed) -> Result<(), Error> {
        let json = read_small(field, "metadata").await?;
        if json.is_empty() {
            return Ok(());
        }
        if std::mem::replace(&mut self.has_metadata, true) {
            return Err(Error::SecondMetadata);
        }
        let metadata = parse_metadata(&json).map_err(Error::BadMetadata)?;
        if !self.captures.is_empty() && !metadata.points.is_empty() {
            return Err(Error::BadMetadata(
                "the metadata part came after a capture, which is analysed already; send metadata first"
                    .to_owned(),
            ));
        }
        let title = parse_title(metadata.title.as_deref().unwrap_or_default());
        self.title = title.map_err(Error::BadMetadata)?.or_else(|| self.title.take());
        if let Some(names) = metadata.clusters {
            let choice = ClusterChoice::of_names(names, self.nodes);
            self.clusters = choice.map_err(Error::BadMetadata)?;
        }
        for (name, text) in metadata.points {
            let point = parse_point(&text).map_err(Error::BadMetadata)?;
            self.points.insert(name, point);
        }
        for (address, name) in metadata.devices {
            let name = parse_device_name(&name).map_err(Error::BadMetadata)?;
            feed.send(Piece::Device { address: address.to_canonical(), name }).await?;
        }
        Ok(())
    }
}

/// The next chunk that holds anything.
async fn next_chunk(field: &mut Field<'_>) -> Result<Option<Bytes>, Error> {
    loop {
        match field.chunk().await.map_err(|error| fault(&error))? {
            Some(chunk) if chunk.is_empty() => {}
            chunk => return Ok(chunk),
        }
    }
}

async fn read_small(mut field: Field<'_>, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field).await? {
        if bytes.len() + chunk.len() > LARGEST_METADATA_BYTES {
            return Err(Error::BadMetadata(format!(
                "the {name} part is larger than {LARGEST_METADATA_BYTES} bytes"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn fault(error: &MultipartError) -> Error {
    Error::BadMultipart(format!(
        "the form is not complete or not well formed: {}",
        error.body_text()
    ))
}
