//! What stands between a line's time and its addresses: interface and
//! direction columns, and the link header that `-e` prints.

use super::address::parse_endpoint;
use super::fortigate::skip_vlan;
use super::link::{LINK_LEADS, find_inner, read_link, starts_with_mac};
use super::remark::{Remark, find_remark};
use crate::model::capture::Direction;

/// The address family that a line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// A packet line without its time, down to the network layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The column of `tcpdump -i any`.
    pub interface: Option<&'a str>,
    pub direction: Option<Direction>,
    /// The length in bytes that `-e` prints: the frame's on the wire.
    pub frame_length: Option<u32>,
    pub network: Network<'a>,
}

/// What a line holds behind its link header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network<'a> {
    /// Text from the parenthesised header or the source address on.
    Ip { family: Family, text: &'a str },
    /// Labels of MPLS, behind which `-v` begins a new line.
    Labels,
    /// ARP, STP and all else that carries no UDP.
    Other,
    /// Nothing that tcpdump prints at this place.
    Unknown,
}

/// What `-e` prints where a link has no header.
const RAW_LEAD: &str = "ip: ";

/// Words that begin lines about protocols without UDP.
const OTHER_LEADS: &[&str] = &[
    "AARP",
    "ARP",
    "AT",
    "BATMAN",
    "BEACON",
    "CDP",
    "CDPV1",
    "CDPV2",
    "CLNP",
    "CLNS",
    "DTP",
    "DTPV1",
    "EAP",
    "EAPOL",
    "ECTP",
    "ERSPAN",
    "ES-IS",
    "ETHERNET",
    "HOMEPLUG",
    "HOMEPLUGAV",
    "IEEE",
    "IPX",
    "IS-IS",
    "ISIS",
    "LACP",
    "LACPV1",
    "LLC",
    "LLDP",
    "LOOPBACK",
    "M-ISO",
    "MACSEC",
    "MARKER",
    "MPLS",
    "MSRP",
    "MVRP",
    "NETBEUI",
    "OAM",
    "OSI",
    "PPP",
    "PPP-LCP",
    "PPPOE",
    "PROBE",
    "PTP",
    "PTPV2",
    "RARP",
    "REALTEK",
    "RRCP",
    "SLARP",
    "SLOW",
    "SNAP",
    "STP",
    "UDLD",
    "UNKNOWN",
    "VLAN",
    "VTP",
    "VTPV1",
    "VTPV2",
    "802.11",
    "802.1D",
    "802.1Q",
    "802.1W",
    "802.3",
];

/// Reads a packet line behind its time.
#[must_use]
pub fn read_head(text: &str) -> Head<'_> {
    let text = text.trim();
    let (interface, direction, rest) = match find_remark(text) {
        Some(Remark { interface, direction, rest }) => (Some(interface), direction, rest),
        None => split_columns(text),
    };
    let rest = skip_kernel_index(rest);
    if starts_with_mac(rest) || LINK_LEADS.iter().any(|lead| rest.starts_with(lead)) {
        let (network, frame_length) = read_link(rest);
        return Head { interface, direction, frame_length, network };
    }
    Head { interface, direction, frame_length: None, network: read_network(skip_vlan(rest)) }
}

/// Whether a line without a time can be a packet of a run without times.
#[must_use]
pub fn is_untimed_packet(text: &str) -> bool {
    let trimmed = text.trim();
    let head = read_head(trimmed);
    match head.network {
        Network::Ip { .. } => {
            let names_ip = ["IP ", "IP6 ", "MPLS (", "PPPoE ", "vlan ", RAW_LEAD]
                .iter()
                .chain(LINK_LEADS)
                .any(|lead| trimmed.starts_with(lead));
            let linked = names_ip || head.direction.is_some() || starts_with_mac(trimmed);
            (linked && (trimmed.contains(" > ") || trimmed.contains('('))) || has_sides(trimmed)
        }
        Network::Labels => true,
        Network::Other => {
            trimmed.starts_with("ARP, ")
                || head.direction.is_some()
                || (starts_with_mac(trimmed) && trimmed.contains(" > "))
        }
        Network::Unknown => false,
    }
}

/// `eth0  In  `, `In `, `eth0 Out `; `B` and `M` are received broadcasts and
/// multicasts, `P` belongs to others (print-sll.c).
pub(super) fn split_columns(text: &str) -> (Option<&str>, Option<Direction>, &str) {
    let (first, after_first) = split_word(text);
    if let Some(direction) = find_direction(first) {
        return (None, direction, after_first);
    }
    let (second, after_second) = split_word(after_first);
    match find_direction(second) {
        Some(direction) if is_interface_name(first) => (Some(first), direction, after_second),
        _ => (None, None, text),
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer level says whether this is a direction column at all"
)]
fn find_direction(word: &str) -> Option<Option<Direction>> {
    match word {
        "In" | "B" | "M" => Some(Some(Direction::In)),
        "Out" => Some(Some(Direction::Out)),
        "P" => Some(None),
        _ => None,
    }
}

fn is_interface_name(word: &str) -> bool {
    // Linux allows 15 bytes; other systems and tunnels print a little more.
    (1..=32).contains(&word.len())
        && word.is_ascii()
        && !matches!(word, "IP" | "IP6" | "ARP" | "ARP,")
        && word.bytes().all(|byte| byte.is_ascii_graphic())
        && !word.contains(['>', '"', ',', '(', ')'])
}

pub(super) fn skip_kernel_index(text: &str) -> &str {
    match text.strip_prefix("ifindex ") {
        Some(rest) => split_word(rest).1,
        None => text,
    }
}

/// Whether a line begins with two addresses with their ports, or with those of an ICMP
/// error: tcpdump 3 printed no `IP` before them, and what is pasted may begin behind the
/// header that `-v` prints.
fn has_sides(text: &str) -> bool {
    let (source, rest) = split_word(text);
    let Some((destination, summary)) = rest.strip_prefix("> ").map(split_word) else {
        return false;
    };
    let Some(destination) = destination.strip_suffix(':') else { return false };
    match (parse_endpoint(source), parse_endpoint(destination)) {
        (Ok(source), Ok(destination)) => {
            let has_ports = source.port.is_some() && destination.port.is_some();
            has_ports || summary.starts_with("ICMP")
        }
        _ => false,
    }
}

/// Reads what stands where `-e` prints a link header or the packet's own begins.
fn read_network(text: &str) -> Network<'_> {
    if let Some(rest) = text.strip_prefix("IP6 ") {
        return Network::Ip { family: Family::V6, text: rest.trim_start() };
    }
    if let Some(rest) = text.strip_prefix("IP ") {
        return Network::Ip { family: Family::V4, text: rest.trim_start() };
    }
    let text = text.strip_prefix(RAW_LEAD).unwrap_or(text);
    let (word, rest) = split_word(text);
    let lead = word.trim_end_matches([',', ':']).to_ascii_uppercase();
    if matches!(lead.as_str(), "VLAN" | "MPLS" | "PPPOE")
        && let Some(network) = find_inner(rest)
    {
        return network;
    }
    if OTHER_LEADS.contains(&lead.as_str()) || text.starts_with("arp ") {
        return Network::Other;
    }
    read_bare(text).unwrap_or(Network::Unknown)
}

/// A packet without the word for its family: behind a link header, and by tcpdump 3.
pub(super) fn read_bare(text: &str) -> Option<Network<'_>> {
    // The header that `-v` prints begins with what one family alone has.
    if let Some(inside) = text.strip_prefix('(') {
        let has = |leads: &[&str]| leads.iter().any(|lead| inside.starts_with(lead));
        let is_v6 = has(&["hlim ", "class ", "flowlabel "]);
        let family = if is_v6 { Family::V6 } else { Family::V4 };
        return (is_v6 || has(&["tos "])).then_some(Network::Ip { family, text });
    }
    let (word, rest) = split_word(text);
    let source = parse_endpoint(word).ok().filter(|_| rest.starts_with("> "))?;
    let family = if source.address.is_ipv4() { Family::V4 } else { Family::V6 };
    Some(Network::Ip { family, text })
}

/// The first word, and what follows its spaces.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests;
