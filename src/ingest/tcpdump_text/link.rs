//! The link header that `-e` prints.

use super::address::parse_endpoint;
use super::line::{Family, Network, split_word};

/// How `-e` begins on links without Ethernet addresses: loopback, netfilter
/// logs, frame relay, Apple's packet tap.
pub(super) const LINK_LEADS: &[&str] = &["ethertype ", "AF ", "version ", "Q.922", "DLT "];

/// VLAN tags and labels that one frame has before its packet, one behind the other.
/// Each costs a search through the line.
const LIMIT_TAGS: usize = 8;

/// Words before the family's name in a link header.
const FAMILY_LEADS: &[&str] = &["ethertype ", "AF ", "family "];

/// Whether an Ethernet address comes first.
pub(super) fn starts_with_mac(text: &str) -> bool {
    let (word, _) = split_word(text);
    let word = word.trim_end_matches(',');
    word.split(':').count() >= 6
        && word.split(':').all(|byte| {
            (1..=2).contains(&byte.len()) && byte.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
}

/// `… ethertype IPv4 (0x0800), length 90: `, `… vlan 265, p 0, ethertype IPv4, `.
pub(super) fn read_link(text: &str) -> (Network<'_>, Option<u32>) {
    let frame_length = find_length(text);
    let mut rest = text;
    for _ in 0..LIMIT_TAGS {
        let Some(after) = find_family_name(rest) else { break };
        let name_end = after.find([' ', ',', ':']).unwrap_or(after.len());
        let (name, behind) = after.split_at(name_end);
        let family = match name {
            "IPv4" => Family::V4,
            "IPv6" => Family::V6,
            _ if name.starts_with("802.1") || name == "MPLS" || name == "PPPoE" => {
                if let Some(network) = find_inner(behind) {
                    return (network, frame_length);
                }
                rest = behind;
                continue;
            }
            _ => return (Network::Other, frame_length),
        };
        let behind = skip_code(behind);
        let behind = match behind.split_once(':') {
            Some((length, packet)) if length.starts_with(", length ") => packet,
            _ => behind.trim_start_matches([',', ':']),
        };
        let text = behind.trim_start();
        let text = text.strip_prefix("IP6 ").or_else(|| text.strip_prefix("IP ")).unwrap_or(text);
        return (Network::Ip { family, text }, frame_length);
    }
    read_old_link(text)
}

/// `02:…:01 02:…:02 0800 106: ` of OpenBSD and `… ip 106: ` of tcpdump 3. What holds
/// two sockets and is neither of these is a packet that was not understood.
fn read_old_link(text: &str) -> (Network<'_>, Option<u32>) {
    let mut words = text.splitn(5, ' ');
    let (_, _, kind) = (words.next(), words.next(), words.next());
    let length = words.next().and_then(|word| word.strip_suffix(':')?.parse().ok());
    if let (Some(kind), Some(length), Some(packet)) = (kind, length, words.next()) {
        let family = match kind.to_ascii_lowercase().as_str() {
            "0800" | "ip" => Family::V4,
            "86dd" | "ip6" => Family::V6,
            _ => return (Network::Other, Some(length)),
        };
        return (Network::Ip { family, text: packet.trim_start() }, Some(length));
    }
    let names_socket = text.match_indices(" > ").take(LIMIT_TAGS).any(|(at, _)| {
        let destination = text.get(at + 3..).map_or("", |rest| split_word(rest).0);
        parse_endpoint(destination.trim_end_matches(':')).is_ok_and(|side| side.port.is_some())
    });
    let network = if names_socket { Network::Unknown } else { Network::Other };
    (network, find_length(text))
}

/// The text from the family's name on.
fn find_family_name(text: &str) -> Option<&str> {
    let first = FAMILY_LEADS.iter().filter_map(|lead| Some((text.find(lead)?, lead.len()))).min();
    first.and_then(|(at, width)| text.get(at + width..))
}

/// ` (0x0800)` behind a type's name.
fn skip_code(text: &str) -> &str {
    text.trim_start()
        .strip_prefix('(')
        .and_then(|code| code.split_once(')'))
        .map_or(text, |(_, rest)| rest)
}

/// The number behind the first `length `.
fn find_length(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("length ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `vlan 265, p 0, IP 192.0.2.1 …`, `PPPoE [ses 0x1] IP6 …`.
pub(super) fn find_inner(text: &str) -> Option<Network<'_>> {
    let v4 = text.find(" IP ").map(|at| (at, Family::V4, 4));
    let v6 = text.find(" IP6 ").map(|at| (at, Family::V6, 5));
    let (at, family, width) = [v4, v6].into_iter().flatten().min_by_key(|(at, ..)| *at)?;
    Some(Network::Ip { family, text: text.get(at + width..)?.trim_start() })
}
