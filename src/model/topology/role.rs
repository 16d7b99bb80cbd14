//! What an address is for.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an address is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A managed network element outside the cluster.
    Device,
    /// A service address on a node: keepalived, kube-vip, MetalLB, external IP.
    Vip,
    /// A node's own address.
    Node,
    Pod,
    /// A ClusterIP.
    Service,
    Multicast,
    Broadcast,
    External,
    Unknown,
}

impl Role {
    /// The JSON value.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Vip => "vip",
            Self::Node => "node",
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::External => "external",
            Self::Unknown => "unknown",
        }
    }

    /// The role that an address has by its form alone: multicast (RFC 5771,
    /// RFC 4291 section 2.7) and the limited broadcast (RFC 919).
    #[must_use]
    pub fn of_form(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_multicast() {
            Some(Self::Multicast)
        } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            Some(Self::Broadcast)
        } else {
            None
        }
    }

    /// As a sentence says it, with its article: `the VIP`.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Device => "the device",
            Self::Vip => "the VIP",
            Self::Node => "the node",
            Self::Pod => "the pod",
            Self::Service => "the service",
            Self::Multicast => "a multicast group",
            Self::Broadcast => "a broadcast address",
            Self::External => "an outside host",
            Self::Unknown => "an address of unknown role",
        }
    }
}
