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
mod tests {
    use super::*;

    fn ip(family: Family, text: &str) -> Network<'_> {
        Network::Ip { family, text }
    }

    #[test]
    fn heads_are_read_in_every_form() {
        let (v4, v6) = ("192.0.2.1.5 > 192.0.2.2.69: x", "2001:db8::1.5 > 2001:db8::2.69: x");
        let cases = [
            ("IP {4}", None, None, None, ip(Family::V4, v4)),
            ("IP6 {6}", None, None, None, ip(Family::V6, v6)),
            ("eth0  In  IP {4}", Some("eth0"), Some(Direction::In), None, ip(Family::V4, v4)),
            (
                "cali928 Out IP6 {6}",
                Some("cali928"),
                Some(Direction::Out),
                None,
                ip(Family::V6, v6),
            ),
            ("eth0  B   IP {4}", Some("eth0"), Some(Direction::In), None, ip(Family::V4, v4)),
            ("eth0  M   IP6 {6}", Some("eth0"), Some(Direction::In), None, ip(Family::V6, v6)),
            ("eth0  P   IP {4}", Some("eth0"), None, None, ip(Family::V4, v4)),
            ("In IP {4}", None, Some(Direction::In), None, ip(Family::V4, v4)),
            ("Out IP6 {6}", None, Some(Direction::Out), None, ip(Family::V6, v6)),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 90: {4}",
                None,
                None,
                Some(90),
                ip(Family::V4, v4),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv6 (0x86dd), length 90: {6}",
                None,
                None,
                Some(90),
                ip(Family::V6, v6),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 94: vlan 265, p 0, ethertype IPv4 (0x0800), {4}",
                None,
                None,
                Some(94),
                ip(Family::V4, v4),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 94: vlan 265, p 0, ethertype IPv6, {6}",
                None,
                None,
                Some(94),
                ip(Family::V6, v6),
            ),
            (
                "In 22:26:27:e6:e0:07 ethertype IPv6 (0x86dd), length 105: {6}",
                None,
                Some(Direction::In),
                Some(105),
                ip(Family::V6, v6),
            ),
            (
                "ifb0  In  ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 112: {4}",
                Some("ifb0"),
                Some(Direction::In),
                Some(112),
                ip(Family::V4, v4),
            ),
            ("vlan 265, p 0, IP {4}", None, None, None, ip(Family::V4, v4)),
            ("AF IPv4 (2), length 60: {4}", None, None, Some(60), ip(Family::V4, v4)),
            ("AF IPv6 (30), length 80: {6}", None, None, Some(80), ip(Family::V6, v6)),
            ("MPLS (label 3 (Implicit-Null), tc 0, [S], ttl 4)", None, None, None, Network::Labels),
            (
                "MPLS (label 100, tc 0, ttl 4) (label 7, tc 0, [S], ttl 4) {6}",
                None,
                None,
                None,
                ip(Family::V6, v6),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype MPLS unicast (0x8847), length 94: MPLS (label 100, tc 0, [S], ttl 64) {4}",
                None,
                None,
                Some(94),
                ip(Family::V4, v4),
            ),
            (
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype MPLS unicast (0x8847), length 94: MPLS (label 100, tc 0, [S], ttl 64)",
                None,
                None,
                Some(94),
                Network::Labels,
            ),
            (
                "xx:xx:xx:xx:xx:xx > xx:xx:xx:xx:xx:xx, ethertype IPv4 (0x0800), length 90: {4}",
                None,
                None,
                Some(90),
                ip(Family::V4, v4),
            ),
            ("ip: {4}", None, None, None, ip(Family::V4, v4)),
            ("ip: {6}", None, None, None, ip(Family::V6, v6)),
            ("PPPoE  [ses 0x11] IP6 {6}", None, None, None, ip(Family::V6, v6)),
            ("{4}", None, None, None, ip(Family::V4, v4)),
            ("{6}", None, None, None, ip(Family::V6, v6)),
            (
                "ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28",
                None,
                None,
                None,
                Network::Other,
            ),
            ("STP 802.1d, Config, Flags [none]", None, None, None, Network::Other),
            (
                "eth0  B   ARP, Request who-has",
                Some("eth0"),
                Some(Direction::In),
                None,
                Network::Other,
            ),
            (
                "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 60: Request",
                None,
                None,
                Some(60),
                Network::Other,
            ),
            ("the device was restarted", None, None, None, Network::Unknown),
            ("", None, None, None, Network::Unknown),
        ];
        for (text, interface, direction, frame_length, network) in cases {
            let text = text.replace("{4}", v4).replace("{6}", v6);
            let expected = Head { interface, direction, frame_length, network };
            assert_eq!(read_head(&text), expected, "{text}");
        }
    }

    #[test]
    fn heads_of_other_systems_are_read() {
        let (v4, v6) = ("192.0.2.1.5 > 192.0.2.2.69: x", "2001:db8::1.5 > 2001:db8::2.69: x");
        let cases = [
            (
                "rule 5/0(match): block in on em0: {4}",
                Some("em0"),
                Some(Direction::In),
                None,
                ip(Family::V4, v4),
            ),
            (
                "rule 5/0(match): pass out on em0: {6}",
                Some("em0"),
                Some(Direction::Out),
                None,
                ip(Family::V6, v6),
            ),
            (
                "(en0, proc tftp:123, out, so) IP {4}",
                Some("en0"),
                Some(Direction::Out),
                None,
                ip(Family::V4, v4),
            ),
            ("(en0, in) IP6 {6}", Some("en0"), Some(Direction::In), None, ip(Family::V6, v6)),
            (
                "02:00:00:00:00:01 02:00:00:00:00:02 0800 106: {4}",
                None,
                None,
                Some(106),
                ip(Family::V4, v4),
            ),
            (
                "02:00:00:00:00:01 02:00:00:00:00:02 86dd 126: {6}",
                None,
                None,
                Some(126),
                ip(Family::V6, v6),
            ),
            ("2:0:0:0:0:1 2:0:0:0:0:2 ip 106: {4}", None, None, Some(106), ip(Family::V4, v4)),
            ("2:0:0:0:0:1 2:0:0:0:0:2 arp 42: arp who-has", None, None, Some(42), Network::Other),
            ("02:00:00:00:00:01 what {4}", None, None, None, Network::Unknown),
        ];
        for (text, interface, direction, frame_length, network) in cases {
            let text = text.replace("{4}", v4).replace("{6}", v6);
            let expected = Head { interface, direction, frame_length, network };
            assert_eq!(read_head(&text), expected, "{text}");
        }
    }

    #[test]
    fn lines_without_a_time_are_packets_only_where_they_look_so() {
        let cases = [
            ("IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("eth0  In  IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("IP (tos 0x0, ttl 63, id 1, offset 0, flags [DF], proto UDP (17), length 9)", true),
            ("ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28", true),
            ("IP addresses of the node", false),
            ("192.0.2.1 > 192.0.2.2 in the figure", false),
            ("192.0.2.1 > 192.0.2.2: they do not talk", false),
            ("192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("192.0.2.1 > 192.0.2.2: ICMP 192.0.2.1 udp port 5 unreachable, length 36", true),
            ("ip: 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", true),
            ("ip: 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("AF IPv6 (30), length 80: 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4", true),
            ("MPLS (label 100, tc 0, [S], ttl 64)", true),
            ("In the pod we see", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_untimed_packet(text), expected, "{text}");
        }
    }
}
