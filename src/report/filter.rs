//! Wireshark display filters.
//!
//! By addresses and ports only: Wireshark ties TFTP to both addresses of the
//! request, so its `tftp` shows misdirected data and hides the answer.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use crate::model::endpoint::{Endpoint, Transport};
use crate::model::exchange::Exchange;

/// Addresses and ports that one filter names at most: a line that nobody can read helps
/// nobody.
const TERMS_MAX: usize = 16;

/// What the filter of a client with an IPv6 address takes.
const RENDERED_BYTES: usize = 112;

/// What a filter lets through: packets of one of the addresses, at one of the ports, and
/// the ICMP errors about them.
#[derive(Debug, Clone, Default)]
pub struct DisplayFilter {
    addresses: Vec<IpAddr>,
    /// With the transport that they are of.
    ports: Vec<(Transport, u16)>,
}

impl DisplayFilter {
    /// Shows the exchange, whatever addresses answered, on both sides of a translation.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        let mut filter = Self::default();
        let transport = exchange.protocol.transport();
        if exchange.client.is_unknown() {
            // Whom it asked, and who answered.
            let view = exchange.primary();
            let answerers = view.replies.iter().map(|replies| replies.source);
            let servers: Vec<Endpoint> = view.asked.into_iter().chain(answerers).collect();
            for server in &servers {
                filter.add_address(server.address);
            }
            filter.add_port(transport, servers.first().map_or(0, |server| server.port));
            return filter;
        }
        filter.add(transport, exchange.client);
        for view in &exchange.views {
            // Who had no address yet was answered at all hosts' (RFC 2131 section 4.1).
            if let Some(nameless) = view.steps.iter().find(|step| step.source.is_unspecified()) {
                filter.add_address(nameless.source);
                filter.add_address(nameless.destination);
            }
            for follow_ups in &view.follow_ups {
                filter.add_address(follow_ups.source.address);
            }
        }
        for translation in &exchange.translations {
            if translation.before == exchange.client {
                filter.add(transport, translation.after);
            }
        }
        filter
    }

    fn add(&mut self, transport: Transport, endpoint: Endpoint) {
        self.add_address(endpoint.address);
        self.add_port(transport, endpoint.port);
    }

    fn add_address(&mut self, address: IpAddr) {
        if self.addresses.len() < TERMS_MAX && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    fn add_port(&mut self, transport: Transport, port: u16) {
        if self.ports.len() < TERMS_MAX && !self.ports.contains(&(transport, port)) {
            self.ports.push((transport, port));
        }
    }

    /// Lets through what the other one does as well.
    pub fn take(&mut self, other: &Self) {
        other.addresses.iter().for_each(|address| self.add_address(*address));
        other.ports.iter().for_each(|(transport, port)| self.add_port(*transport, *port));
    }

    /// In Wireshark's words.
    #[must_use]
    pub fn render(&self) -> String {
        // Nothing to look for.
        if self.addresses.is_empty() {
            return String::new();
        }
        let mut text = String::with_capacity(RENDERED_BYTES);
        let are_several = self.addresses.len() > 1;
        text.push_str(if are_several { "(" } else { "" });
        for (place, address) in self.addresses.iter().enumerate() {
            text.push_str(if place > 0 { " || " } else { "" });
            text.push_str(if address.is_ipv4() { "ip.addr == " } else { "ipv6.addr == " });
            push(&mut text, address);
        }
        text.push_str(if are_several { ") && (" } else { " && (" });
        let start = text.len();
        for transport in [Transport::Udp, Transport::Tcp] {
            self.push_ports(&mut text, start, transport);
        }
        let errors = [(true, "icmp.type in {3, 4, 11, 12}"), (false, "icmpv6.type <= 4")];
        for (is_v4, term) in errors {
            if self.addresses.iter().any(|address| address.is_ipv4() == is_v4) {
                text.push_str(if text.len() > start { " || " } else { "" });
                text.push_str(term);
            }
        }
        text.push(')');
        text
    }

    /// Adds the ports of one transport, behind other terms if there are any from `start` on.
    fn push_ports(&self, text: &mut String, start: usize, transport: Transport) {
        let field = match transport {
            Transport::Udp => "udp.port",
            Transport::Tcp => "tcp.port",
        };
        let ports = self.ports.iter().filter(|(of, _)| *of == transport).map(|(_, port)| port);
        let count = ports.clone().count();
        if count == 0 {
            return;
        }
        text.push_str(if text.len() > start { " || " } else { "" });
        text.push_str(field);
        text.push_str(if count > 1 { " in {" } else { " == " });
        for (place, port) in ports.enumerate() {
            text.push_str(if place > 0 { ", " } else { "" });
            push(text, port);
        }
        text.push_str(if count > 1 { "}" } else { "" });
    }
}

fn push(text: &mut String, shown: impl Display) {
    // A string takes all that is written to it.
    let _ = write!(text, "{shown}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(addresses: &[&str], ports: &[(Transport, u16)]) -> DisplayFilter {
        let mut filter = DisplayFilter::default();
        for address in addresses {
            filter.add_address(address.parse().unwrap());
        }
        for (transport, port) in ports {
            filter.add_port(*transport, *port);
        }
        filter
    }

    #[test]
    fn a_filter_says_what_it_lets_through() {
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        let one = filter(&["192.0.2.7"], &[(udp, 69)]);
        let mut both = one.clone();
        both.take(&filter(&["2001:db8::7", "192.0.2.7"], &[(udp, 161), (udp, 69), (tcp, 53)]));
        for (filter, expected) in [
            (one, "ip.addr == 192.0.2.7 && (udp.port == 69 || icmp.type in {3, 4, 11, 12})"),
            (
                filter(&["2001:db8::7"], &[(tcp, 53)]),
                "ipv6.addr == 2001:db8::7 && (tcp.port == 53 || icmpv6.type <= 4)",
            ),
            (DisplayFilter::default(), ""),
            (
                filter(&["192.0.2.7", "2001:db8::7"], &[]),
                "(ip.addr == 192.0.2.7 || ipv6.addr == 2001:db8::7) && (icmp.type in {3, 4, 11, 12} || icmpv6.type <= 4)",
            ),
            (
                both,
                "(ip.addr == 192.0.2.7 || ipv6.addr == 2001:db8::7) && (udp.port in {69, 161} || tcp.port == 53 || icmp.type in {3, 4, 11, 12} || icmpv6.type <= 4)",
            ),
        ] {
            assert_eq!(filter.render(), expected);
        }
    }

    #[test]
    fn a_filter_stays_short() {
        let mut many = DisplayFilter::default();
        for port in 1..1_000 {
            many.take(&filter(&["192.0.2.7"], &[(Transport::Udp, port)]));
        }
        assert_eq!(many.ports.len(), TERMS_MAX);
    }
}
