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
