//! A live capture: what is asked for, and what became of it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::time::Timestamp;

/// What to capture, where, and when to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    /// Captured at the same time into one stream.
    pub interfaces: Vec<CaptureInterface>,
    /// What is captured; not needed where each interface has its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<CaptureFilter>,
    /// Captures every packet where no filter is given. The agent's settings must allow it.
    #[serde(default)]
    pub everything: bool,
    /// Bytes kept of each packet, link header included.
    #[serde(default = "default_snap_length")]
    #[schema(default = 65_535, minimum = 64, maximum = 65_535)]
    pub snap_length_bytes: u32,
    #[serde(default)]
    pub limits: CaptureLimits,
}

/// One interface of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureInterface {
    #[schema(example = "eth0")]
    pub name: String,
    /// What is captured at this interface, instead of the filter of the request:
    /// behind a translation a device can have another address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<CaptureFilter>,
}

/// Which packets: UDP from or to a device, and what explains it. The agent
/// compiles it for the kernel; there are no filters as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFilter {
    /// Addresses of which one must be the source or the destination. None: all,
    /// and then `ports` must name one.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 32)]
    pub devices: Vec<IpAddr>,
    /// Ports of which one must be the source's or the destination's. None: all.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub ports: Vec<u16>,
    /// Later fragments of the devices, which have no ports. Where only ports are named,
    /// those of everybody: nothing in them tells to which port they belong.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub with_fragments: bool,
    /// ICMP and ICMPv6 errors from or to a device, and those that quote a packet of one.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub with_icmp_errors: bool,
    /// ARP, and NDP solicitations and advertisements, about the devices and `next_hops`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub with_neighbour_discovery: bool,
    /// Gateways whose ARP and NDP count as well.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 16)]
    pub next_hops: Vec<IpAddr>,
    /// TCP of the same devices and ports.
    #[serde(default)]
    pub with_tcp: bool,
}

impl CaptureFilter {
    /// UDP of these devices, with all that explains it.
    #[must_use]
    pub const fn of_devices(devices: Vec<IpAddr>) -> Self {
        Self {
            devices,
            ports: Vec::new(),
            with_fragments: true,
            with_icmp_errors: true,
            with_neighbour_discovery: true,
            next_hops: Vec::new(),
            with_tcp: false,
        }
    }
}

/// When a capture ends by itself; the agent's own limits hold as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureLimits {
    #[schema(default = 60, minimum = 1)]
    pub seconds: u32,
    #[schema(default = 1_000_000, minimum = 1)]
    pub packets: u64,
    /// Bytes of the stream.
    #[schema(default = 268_435_456, minimum = 1)]
    pub bytes: u64,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        Self { seconds: 60, packets: 1_000_000, bytes: 256 << 20 }
    }
}

/// A capture so far, or at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureStatistics {
    pub id: Uuid,
    pub started_at: Timestamp,
    /// Why it ended; nothing while it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end: Option<CaptureEnd>,
    /// Packets in the stream.
    pub packets: u64,
    /// Bytes of the stream.
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_packet_at: Option<Timestamp>,
    /// Until when the stream has every packet of its interfaces, by the node's clock.
    /// Nothing while it runs, and where something was missed: the kernel dropped packets,
    /// an interface went down, or the client did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed_until: Option<Timestamp>,
    pub interfaces: Vec<InterfaceStatistics>,
}

/// What happened at one interface of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InterfaceStatistics {
    pub name: String,
    /// Packets that passed the filter, the dropped ones included.
    pub received: u64,
    /// Packets that passed the filter and that the kernel dropped for want of room.
    pub dropped: u64,
}

/// Why a capture ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureEnd {
    /// Somebody ended it.
    Stopped,
    /// Its limit of seconds.
    Time,
    /// Its limit of packets.
    Packets,
    /// Its limit of bytes.
    Bytes,
    /// The client closed the connection.
    ClientGone,
    /// The client took nothing for too long.
    ClientStalled,
    /// No interface is left.
    InterfacesGone,
    /// The agent ends.
    AgentEnding,
    /// A fault of the agent.
    Failed,
}

const fn default_snap_length() -> u32 {
    65_535
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let json = r#"{"interfaces": [{"name": "eth0"}], "filter": {"devices": ["2001:db8::9"]}}"#;
        let request: CaptureRequest = serde_json::from_str(json).unwrap();
        let filter = request.filter.unwrap();
        assert_eq!(filter, CaptureFilter::of_devices(vec!["2001:db8::9".parse().unwrap()]));
        assert!(!request.everything);
        assert_eq!(request.limits, CaptureLimits::default());
        let json = r#"{"interfaces": [], "limits": {"seconds": 5}}"#;
        let request: CaptureRequest = serde_json::from_str(json).unwrap();
        assert_eq!(request.limits.seconds, 5);
        assert_eq!(request.limits.packets, CaptureLimits::default().packets);
    }

    #[test]
    fn filters_as_text_are_refused() {
        let cases = [
            (r#"{"interfaces": [{"name": "eth0"}], "filter": "udp port 69"}"#, "udp port 69"),
            (
                r#"{"interfaces": [{"name": "eth0"}], "filter": {"expression": "udp"}}"#,
                "unknown field `expression`",
            ),
            (
                r#"{"interfaces": [{"name": "eth0"}], "filter": {"devices": ["192.0.2.1 or tcp"]}}"#,
                "invalid IP address",
            ),
            (r#"{"interfaces": [{"name": "eth0"}], "filter": {"ports": [70000]}}"#, "70000"),
            (r#"{"interfaces": ["eth0"]}"#, "CaptureInterface"),
        ];
        for (json, expected) in cases {
            let error = serde_json::from_str::<CaptureRequest>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
