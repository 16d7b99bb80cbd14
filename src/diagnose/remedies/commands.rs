//! The parts of a command that depend on the address family.

use std::net::IpAddr;

use crate::model::endpoint::Transport;
use crate::model::protocol::Protocol;

/// `iptables` or `ip6tables`.
#[must_use]
pub const fn iptables(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "iptables" } else { "ip6tables" }
}

/// `ip` or `ip6`: nftables' name of the family.
#[must_use]
pub const fn nft_family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

/// `ipv4` or `ipv6`: conntrack's name of the family. Without it, conntrack looks at IPv4 only.
#[must_use]
pub const fn conntrack_family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ipv4" } else { "ipv6" }
}

/// `tcp` or `udp`: what carries a protocol.
#[must_use]
pub const fn transport(protocol: Protocol) -> &'static str {
    match protocol.transport() {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    }
}

/// `ip` or `ip -6`.
#[must_use]
pub const fn ip(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip -6" }
}

/// An address as `ADDRESS:PORT` configuration wants it: IPv6 in brackets.
#[must_use]
pub fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}
