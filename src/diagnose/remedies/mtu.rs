//! Datagrams that do not fit a link.

use std::net::IpAddr;

use super::commands::ip;
use crate::diagnose::reading::Reading;
use crate::model::finding::Remedy;
use crate::model::protocol::Protocol;

/// Sends less at once, or lets the path's size be learnt.
#[must_use]
pub fn smaller_datagrams(reading: &Reading<'_>, reporter: IpAddr) -> Remedy {
    let client = reading.exchange.client.address;
    let mut steps = Vec::new();
    // IP and UDP headers, and TFTP's own four bytes.
    let overhead = if client.is_ipv4() { 32 } else { 52 };
    if reading.exchange.protocol == Protocol::Tftp {
        steps.push(format!(
            "Ask for smaller blocks: option `blksize` (RFC 2348) at most the smallest MTU on the way less {overhead} bytes; 512, the default, fits every path that carries IPv6."
        ));
    } else {
        steps.push("Make the answers smaller where the protocol allows it, such as fewer values per request.".to_owned());
    }
    steps.push(format!(
        "Or raise the MTU of the link behind {reporter}, and look at what tunnels take from it."
    ));
    steps.push("The sender must see these ICMP errors to learn the size: do not filter them, and let the server allow fragments. Not tried here.".to_owned());
    let size = if client.is_ipv4() { 1_472 } else { 1_452 };
    let family = if client.is_ipv4() { "-4" } else { "-6" };
    Remedy {
        title: "Send smaller datagrams, or raise the MTU".to_owned(),
        steps,
        commands: vec![
            format!("ping {family} -M do -s {size} -c 3 {client}"),
            format!("tracepath {family} -n {client}"),
            format!("{} route get {client}", ip(client)),
        ],
    }
}

/// Keeps what the client sends whole, or lets its fragments through.
#[must_use]
pub fn let_request_fragments_pass(reading: &Reading<'_>) -> Remedy {
    let client = reading.exchange.client.address;
    let overhead_bytes = if client.is_ipv4() { 32 } else { 52 };
    let smaller = match reading.exchange.protocol {
        Protocol::Tftp => format!(
            "Let the client ask for smaller blocks: option `blksize` (RFC 2348) at most the smallest MTU on the way less {overhead_bytes} bytes. A server can also answer with a smaller value than was asked for."
        ),
        Protocol::Radius => "Let EAP send smaller parts: the server's `fragment_size`, or Framed-MTU (RFC 2865 section 5.12), so that a request fits one packet.".to_owned(),
        _ => "Let the client send less at once, so that a request fits one packet.".to_owned(),
    };
    Remedy {
        title: "Send smaller requests, or let fragments pass".to_owned(),
        steps: vec![
            smaller,
            format!(
                "Or find where the fragments of {client} are dropped: capture fragments at each point on the way. They carry no ports, so rules that match ports do not match them."
            ),
            "Not tried here.".to_owned(),
        ],
        commands: vec![format!("tcpdump -n -i any '{}'", fragments_of(client))],
    }
}

/// A capture filter for the fragments that a host sends or gets.
fn fragments_of(host: IpAddr) -> String {
    if host.is_ipv4() {
        format!("host {host} and ip[6:2] & 0x3fff != 0")
    } else {
        format!("host {host} and ip6 proto 44")
    }
}

/// Keeps answers whole, or lets their fragments through.
#[must_use]
pub fn let_fragments_pass(reading: &Reading<'_>, server: IpAddr) -> Remedy {
    let client = reading.exchange.client.address;
    let family = if client.is_ipv4() { "-4" } else { "-6" };
    let size = if client.is_ipv4() { 1_472 } else { 1_452 };
    let filter = fragments_of(server);
    Remedy {
        title: "Make the answers smaller, or let fragments pass".to_owned(),
        steps: vec![
            "Ask for less at once, such as fewer SNMP values per request or a smaller DNS EDNS size, so that an answer fits one packet.".to_owned(),
            format!("Or find where the fragments of {server} are dropped: capture fragments at each point on the way. They carry no ports, so rules that match ports do not match them."),
            "Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("tcpdump -n -i any '{filter}'"),
            format!("ping {family} -M do -s {size} -c 3 {server}"),
        ],
    }
}
