//! Where packets were captured, and how people write that.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The side of the translation at which packets were seen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PointKind {
    /// At the device or on its side of the network.
    Device,
    /// On the node's uplink.
    Host,
    /// On the pod's interface, or inside the pod.
    Pod,
    Unknown,
}

impl PointKind {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Host => "host",
            Self::Pod => "pod",
            Self::Unknown => "unknown",
        }
    }
}

/// Where a packet was captured.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CapturePoint {
    pub kind: PointKind,
    pub node: Option<String>,
    pub interface: Option<String>,
}

impl CapturePoint {
    /// A point of which nothing is known.
    pub const UNKNOWN: Self = Self { kind: PointKind::Unknown, node: None, interface: None };
}

/// `pod@node3/cali928cc4cd898`: the form of the command line's `--point`.
impl fmt::Display for CapturePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_token())?;
        if let Some(node) = &self.node {
            write!(f, "@{node}")?;
        }
        if let Some(interface) = &self.interface {
            write!(f, "/{interface}")?;
        }
        Ok(())
    }
}

/// Why the text of a capture point cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a capture point; write device, host, pod or unknown, and where known @NODE/INTERFACE, such as pod@node3/eth0"
)]
pub struct PointSyntax(pub String);

impl std::str::FromStr for CapturePoint {
    type Err = PointSyntax;

    fn from_str(text: &str) -> Result<Self, PointSyntax> {
        let (place, interface) = match text.split_once('/') {
            Some((place, interface)) => (place, Some(interface)),
            None => (text, None),
        };
        let (kind, node) = match place.split_once('@') {
            Some((kind, node)) => (kind, Some(node)),
            None => (place, None),
        };
        let kind = match kind {
            "device" => PointKind::Device,
            "host" => PointKind::Host,
            "pod" => PointKind::Pod,
            "unknown" => PointKind::Unknown,
            _ => return Err(PointSyntax(text.to_owned())),
        };
        let named = |part: Option<&str>| part.filter(|name| !name.is_empty()).map(str::to_owned);
        Ok(Self { kind, node: named(node), interface: named(interface) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_point_reads_back_as_it_is_written(
            text in "(device|host|pod|unknown)(@[a-z0-9@.-]{0,6})?(/[a-z0-9@/.-]{0,6})?|\\PC{0,20}",
        ) {
            if let Ok(point) = text.parse::<CapturePoint>() {
                prop_assert_eq!(point.to_string().parse(), Ok(point));
            }
        }
    }
}
