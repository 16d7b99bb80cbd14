//! Which summaries are of transports that are not ours, and which have no ports.

use super::line::split_word;

/// How summaries of other transports begin.
const FOREIGN: &[&str] = &[
    "Flags [",
    "tcp ",
    "[|tcp]",
    "sctp",
    "[|sctp]",
    "DCCP",
    "ip-proto-",
    "ESP(",
    "AH(",
    "GRE",
    "IGMP",
    "igmp ",
    "PIM",
    "OSPF",
    "VRRP",
    "CARP",
    "EIGRP",
    "IP ",
    "IP6 ",
    "frag (",
    "RSVP",
    "no next header",
    "IPComp(",
    "igrp:",
    "egp:",
    "mobile:",
    "pgm",
    "nd ",
];

/// Whether the summary is of TCP or another transport that is not ours.
#[must_use]
pub fn is_foreign(protocol: Option<u8>, summary: &str) -> bool {
    if let Some(protocol) = protocol {
        // 0, 43, 44, 51 and 60 are extension headers that UDP may follow.
        return !matches!(protocol, 17 | 1 | 58 | 0 | 43 | 44 | 51 | 60);
    }
    FOREIGN.iter().any(|lead| summary.starts_with(lead)) || is_tcp(summary)
}

/// Whether a summary is of a segment of TCP, or of a later fragment that carries one.
#[must_use]
pub fn is_tcp(summary: &str) -> bool {
    let is_later_fragment =
        summary.split(|c: char| !c.is_ascii_graphic()).next() == Some("ip-proto-6");
    if is_later_fragment
        || ["Flags [", "tcp ", "[|tcp]"].iter().any(|lead| summary.starts_with(lead))
    {
        return true;
    }
    // tcpdump 3 and old 4: `S 1:1(0) win 5840`, `. ack 1 win 46`.
    let (flags, rest) = split_word(summary);
    !flags.is_empty()
        && flags.chars().all(|flag| matches!(flag, 'S' | 'F' | 'P' | 'R' | 'W' | 'E' | '.'))
        && (rest.starts_with("ack ") || rest.contains("win ") || rest.contains("):"))
}

/// Whether a packet with this summary, which is of none of the [`FOREIGN`] ones, has ports:
/// beside those only ICMP has none, and a later fragment, of which no more is said than its
/// protocol's name.
#[must_use]
pub fn has_ports(summary: &str) -> bool {
    let is_icmp = ["ICMP", "icmp"].iter().any(|lead| summary.starts_with(lead));
    !is_icmp && summary.trim().contains(' ')
}
