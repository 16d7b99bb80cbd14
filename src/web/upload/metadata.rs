//! What a sender knows about the captures of an upload.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::model::capture::CapturePoint;

/// Longer titles, and longer names of devices, are refused.
const LONGEST_TITLE_CHARACTERS: usize = 300;

/// What the sender knows. It must come before the captures.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// The report's title; without it, the captures' names.
    pub title: Option<String>,
    /// Where captures were taken, by file name: device, host, pod or unknown, where known
    /// with node and interface.
    #[schema(example = json!({"pod.pcap": "pod@node3/eth0"}))]
    pub points: BTreeMap<String, String>,
    /// Names of devices, by address.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"192.0.2.7": "access switch 7"}))]
    pub devices: BTreeMap<IpAddr, String>,
    /// Names of the clusters that the service follows and whose addresses may be
    /// meant; empty for none. Without it, all of them.
    #[schema(example = json!(["site-a"]))]
    pub clusters: Option<Vec<String>>,
}

/// Reads a metadata part.
///
/// # Errors
///
/// Says where it is not the JSON that we expect.
pub fn parse_metadata(json: &[u8]) -> Result<Metadata, String> {
    serde_json::from_slice(json).map_err(|error| {
        format!(
            "the metadata part is not the JSON object {{title, points, devices, clusters}}: {error}"
        )
    })
}

/// Reads the name of a device; it may become the headline of a report.
///
/// # Errors
///
/// Where it is too long for a name.
pub fn parse_device_name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if length > LONGEST_TITLE_CHARACTERS {
        return Err(format!(
            "a device's name has {length} characters; expected at most {LONGEST_TITLE_CHARACTERS}"
        ));
    }
    Ok(text.to_owned())
}

/// Reads where a capture was taken.
///
/// # Errors
///
/// Says what is expected.
pub fn parse_point(text: &str) -> Result<CapturePoint, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Reads a title; `None` where it is empty.
///
/// # Errors
///
/// Where it is too long for a title.
pub fn parse_title(text: &str) -> Result<Option<String>, String> {
    let title: String = text.chars().filter(|sign| !sign.is_control()).collect();
    let title = title.trim();
    let length = title.chars().count();
    if length > LONGEST_TITLE_CHARACTERS {
        return Err(format!(
            "the title has {length} characters; expected at most {LONGEST_TITLE_CHARACTERS}"
        ));
    }
    Ok((!title.is_empty()).then(|| title.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_says_title_points_and_devices() {
        let json = br#"{"title": "t", "points": {"a.pcap": "pod@n/eth0"},
            "devices": {"192.0.2.7": "sw7", "2001:db8::7": "sw7"}}"#;
        let metadata = parse_metadata(json).unwrap();
        assert_eq!(metadata.title.as_deref(), Some("t"));
        assert_eq!(metadata.devices.len(), 2);
        assert!(parse_point(&metadata.points["a.pcap"]).is_ok());
    }

    #[test]
    fn other_metadata_is_refused_with_its_place() {
        for json in ["", "[1]", "{\"tilte\": \"t\"}", "{\"devices\": {\"switch\": \"x\"}}", "\u{0}"]
        {
            let message = parse_metadata(json.as_bytes()).unwrap_err();
            assert!(message.contains("line "), "{json}: {message}");
        }
    }

    #[test]
    fn titles_are_short_and_visible() {
        assert_eq!(parse_title(" a\u{7}b\n ").unwrap().as_deref(), Some("ab"));
        assert_eq!(parse_title("  ").unwrap(), None);
        assert!(parse_title(&"x".repeat(301)).is_err());
        assert!(parse_device_name(&"\u{fc}".repeat(300)).is_ok());
        assert!(parse_device_name(&"x".repeat(301)).unwrap_err().contains("301 characters"));
    }
}
