//! A capture as the whole body.

use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::{Uuid, Variant};

use super::super::error::Error;
use super::super::query::{given, number_or_none};
use super::body::WatchedBody;
use super::clusters::{ClusterChoice, Said};
use super::metadata::{parse_point, parse_title};
use super::worker::{Feed, Kind, Piece};
use crate::model::label::{Labels, find_title};
use crate::node::registry::Nodes;

/// Content types of a body that is a capture itself. Which format it is, its bytes say.
pub const MEDIA_TYPES: [&str; 16] = [
    "application/octet-stream",
    "application/vnd.tcpdump.pcap",
    "application/x-pcap",
    "application/x-pcapng",
    "application/gzip",
    "application/x-gzip",
    "application/zstd",
    "application/x-xz",
    "application/x-bzip2",
    "application/x-lz4",
    "application/zip",
    "application/x-zip-compressed",
    "application/x-tar",
    "application/x-gtar",
    "text/plain",
    "text/markdown",
];

/// What the answer to any other content type says.
pub const EXPECTED: &str = "multipart/form-data, application/octet-stream, the type of a capture (application/vnd.tcpdump.pcap, application/x-pcapng), of a compressed one (application/gzip, zstd, x-xz, x-bzip2, x-lz4) or of an archive (application/zip, x-tar), text/plain, text/markdown, or no content type";

/// What a body without parts cannot say itself.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The analysis' id, which the sender may choose to follow it from the
    /// beginning: a UUID of version 7 or 4 that no analysis has.
    #[param(value_type = Option<Uuid>)]
    id: Option<String>,
    /// The capture's name, for a body that is a capture itself.
    name: Option<String>,
    /// Where it was taken, for a body that is a capture itself.
    #[param(example = "pod@node3/eth0")]
    point: Option<String>,
    /// The report's title.
    title: Option<String>,
    /// Clusters that the service follows and whose addresses may be meant: `all`, `none`, or names separated by commas.
    #[param(default = "all")]
    clusters: Option<String>,
    /// The most devices that the answer lists, worst first; `devices_omitted` counts the
    /// others. Without it, all.
    #[serde(deserialize_with = "number_or_none")]
    device_limit: Option<u64>,
}

impl UploadQuery {
    /// The title, which forms may take from here as well.
    pub fn title(&self) -> Result<Option<String>, Error> {
        parse_title(self.title.as_deref().unwrap_or_default()).map_err(Error::BadQuery)
    }

    /// The clusters, which forms may take from here as well.
    pub fn clusters(&self, nodes: &Nodes) -> Result<ClusterChoice, Error> {
        let text = self.clusters.as_deref().unwrap_or_default();
        ClusterChoice::parse(text, nodes).map_err(Error::BadQuery)
    }

    /// The id that the sender chose.
    pub fn id(&self) -> Result<Option<Uuid>, Error> {
        let Some(text) = self.id.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let id = Uuid::try_parse(text).ok().filter(|id| {
            id.get_variant() == Variant::RFC4122 && matches!(id.get_version_num(), 4 | 7)
        });
        id.map(Some).ok_or_else(|| {
            Error::BadQuery(format!("the id '{text}' is not a UUID of version 7 or 4 (RFC 9562)"))
        })
    }

    /// The most devices that the answer lists.
    pub fn device_limit(&self) -> u64 {
        self.device_limit.unwrap_or(u64::MAX)
    }

    /// Whether it says what only a form's parts can say about themselves.
    pub fn names_a_capture(&self) -> bool {
        self.name.is_some() || self.point.is_some()
    }
}

/// Sends the whole body as one capture; returns what was said about the report.
pub async fn send(
    mut body: WatchedBody,
    query: UploadQuery,
    nodes: &Nodes,
    feed: &mut Feed,
) -> Result<Said, Error> {
    let clusters = query.clusters(nodes)?;
    let title = query.title()?;
    let point = given(query.point).map(|text| parse_point(&text)).transpose();
    let point = point.map_err(Error::BadQuery)?;
    let name = given(query.name);
    let label = Labels::default().unique(name.as_deref().unwrap_or_default(), "capture");
    let title = title.or_else(|| find_title(&[name.map(|_| label.clone())]));
    feed.send(Piece::Begin { label, kind: Kind::Capture { point } }).await?;
    while let Some(chunk) = feed.wait_for(body.next()).await? {
        // The watch knows what is wrong.
        let chunk = chunk.map_err(|_| Error::CutOff)?;
        feed.send_bytes(chunk).await?;
    }
    feed.send(Piece::End).await?;
    Ok(Said { title, clusters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_that_senders_make() {
        let cases = [
            ("", Some(None)),
            ("01940000-0000-7000-8000-000000000001", Some(Some(7))),
            ("6f9619ff-8b86-4011-b42d-00c04fc964ff", Some(Some(4))),
            // Version 1, all zeros, another variant, and no UUID.
            ("6f9619ff-8b86-1011-b42d-00c04fc964ff", None),
            ("00000000-0000-0000-0000-000000000000", None),
            ("01940000-0000-7000-c000-000000000001", None),
            ("../../etc/passwd", None),
        ];
        for (text, expected) in cases {
            let query = UploadQuery { id: Some(text.to_owned()), ..UploadQuery::default() };
            let version = query.id().ok().map(|id| id.map(|id| id.get_version_num()));
            assert_eq!(version, expected, "{text}");
        }
        assert!(UploadQuery::default().id().unwrap().is_none());
    }
}
