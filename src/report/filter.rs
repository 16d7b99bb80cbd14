//! Wireshark display filters.
//!
//! By addresses and ports only: Wireshark ties TFTP to both addresses of the
//! request, so its `tftp` shows misdirected data and hides the answer.

use std::net::IpAddr;

use crate::model::endpoint::{Endpoint, Transport};
use crate::model::exchange::Exchange;

/// Shows the exchange, whatever addresses answered, and the ICMP errors about it.
pub fn display_filter(exchange: &Exchange) -> String {
    if exchange.client.is_unknown() {
        return servers_filter(exchange);
    }
    let mut clients: Vec<IpAddr> = vec![exchange.client.address];
    for view in &exchange.views {
        for follow_ups in &view.follow_ups {
            if !clients.contains(&follow_ups.source.address) {
                clients.push(follow_ups.source.address);
            }
        }
    }
    let terms: Vec<String> = clients.iter().map(|client| address_term(*client)).collect();
    let clients =
        if terms.len() > 1 { format!("({})", terms.join(" || ")) } else { terms.concat() };
    let (port_field, errors) = (port_field(exchange), errors_term(exchange));
    format!("{clients} && ({port_field} == {} || {errors})", exchange.client.port)
}

/// Of a client that is not known: whom it asked, and who answered.
fn servers_filter(exchange: &Exchange) -> String {
    let view = exchange.primary();
    let answerers = view.replies.iter().map(|replies| replies.source);
    let servers: Vec<Endpoint> = view.asked.into_iter().chain(answerers).collect();
    let mut terms: Vec<String> = Vec::new();
    for term in servers.iter().map(|server| address_term(server.address)) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    let port = servers.first().map_or(0, |server| server.port);
    let (port_field, errors) = (port_field(exchange), errors_term(exchange));
    format!("({}) && ({port_field} == {port} || {errors})", terms.join(" || "))
}

fn errors_term(exchange: &Exchange) -> &'static str {
    if exchange.client.address.is_ipv4() {
        "icmp.type in {3, 4, 11, 12}"
    } else {
        "icmpv6.type <= 4"
    }
}

fn port_field(exchange: &Exchange) -> &'static str {
    match exchange.protocol.transport() {
        Transport::Udp => "udp.port",
        Transport::Tcp => "tcp.port",
    }
}

fn address_term(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("ip.addr == {v4}"),
        IpAddr::V6(v6) => format!("ipv6.addr == {v6}"),
    }
}
