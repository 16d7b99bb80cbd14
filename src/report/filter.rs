//! Wireshark display filters.
//!
//! By addresses and ports only: Wireshark ties TFTP to both addresses of the
//! request, so its `tftp` shows misdirected data and hides the answer.

use std::net::IpAddr;

use crate::model::endpoint::Transport;
use crate::model::exchange::Exchange;

/// Shows the exchange, whatever addresses answered, and the ICMP errors about it.
pub fn display_filter(exchange: &Exchange) -> String {
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
    let errors = if exchange.client.address.is_ipv4() {
        "icmp.type in {3, 4, 11, 12}"
    } else {
        "icmpv6.type <= 4"
    };
    let transport = match exchange.protocol.transport() {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    format!("{clients} && ({transport}.port == {} || {errors})", exchange.client.port)
}

fn address_term(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("ip.addr == {v4}"),
        IpAddr::V6(v6) => format!("ipv6.addr == {v6}"),
    }
}
