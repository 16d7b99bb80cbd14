//! Addresses with ports, and directed flows between them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One side of a flow: an address and a port.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub struct Endpoint {
    /// Canonical text, RFC 5952.
    #[schema(value_type = String, example = "2000::65:119")]
    pub address: IpAddr,
    #[schema(example = 41226)]
    pub port: u16,
}

impl Endpoint {
    /// The endpoint at `address` and `port`.
    #[must_use]
    pub const fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(socket: SocketAddr) -> Self {
        Self::new(socket.ip(), socket.port())
    }
}

/// `192.0.2.1:69`, and `[2001:db8::1]:69` for IPv6.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(f)
    }
}

/// What carries the ports of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

/// A directed 5-tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    pub transport: Transport,
    pub source: Endpoint,
    pub destination: Endpoint,
}

impl FlowKey {
    /// A UDP flow.
    #[must_use]
    pub const fn udp(source: Endpoint, destination: Endpoint) -> Self {
        Self { transport: Transport::Udp, source, destination }
    }

    /// A TCP flow.
    #[must_use]
    pub const fn tcp(source: Endpoint, destination: Endpoint) -> Self {
        Self { transport: Transport::Tcp, source, destination }
    }

    /// The same flow seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { transport: self.transport, source: self.destination, destination: self.source }
    }
}

impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.source, self.destination)
    }
}
