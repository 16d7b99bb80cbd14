//! Addresses with ports, and directed flows between them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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
    #[schema(example = 41226, maximum = 65_535)]
    pub port: u16,
}

impl Endpoint {
    /// The endpoint at `address` and `port`.
    #[must_use]
    pub const fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }

    /// An endpoint of which the input tells neither address nor port, of the
    /// family of `other`: the unspecified address (RFC 6890, RFC 4291 section
    /// 2.5.2) and port 0, which no datagram carries to an answer.
    #[must_use]
    pub const fn unknown(other: IpAddr) -> Self {
        let address = match other {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address, port: 0 }
    }

    /// Whether the input tells neither address nor port.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.port == 0 && self.address.is_unspecified()
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(socket: SocketAddr) -> Self {
        Self::new(socket.ip(), socket.port())
    }
}

/// `192.0.2.1:69`, and `[2001:db8::1]:69` for IPv6. Only a client may be unknown.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() {
            return f.write_str("unknown client");
        }
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
