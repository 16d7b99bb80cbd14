//! The link header that `-e` prints.

use super::address::parse_endpoint;
use super::ip_header::split_parentheses;
use super::line::{Family, Network, read_bare, split_columns, split_word};
use crate::model::packet::LinkAudience;

/// How `-e` begins on links without Ethernet addresses: loopback, netfilter
/// logs, frame relay, Apple's packet tap.
pub(super) const LINK_LEADS: &[&str] = &["ethertype ", "AF ", "version ", "Q.922", "DLT "];

/// VLAN tags and labels that one frame has before its packet, one behind the other.
/// Each costs a search through the line.
const LIMIT_TAGS: usize = 8;

/// Words before the family's name in a link header.
const FAMILY_LEADS: &[&str] = &["ethertype ", "AF ", "family "];

/// Whether an Ethernet address comes first, perhaps one that somebody masked.
pub(super) fn starts_with_mac(text: &str) -> bool {
    let (word, _) = split_word(text);
    let word = word.trim_end_matches(',');
    word.split(':').count() >= 6
        && word.split(':').all(|byte| {
            (1..=2).contains(&byte.len())
                && byte.bytes().all(|digit| digit.is_ascii_hexdigit() || b"xX*".contains(&digit))
        })
}

/// To whom a packet's link header is addressed: the `B` and `M` columns of `-i any`
/// (print-sll.c), else the second address that `-e` prints.
pub(super) fn find_audience(text: &str) -> LinkAudience {
    let (interface, _, rest) = split_columns(text.trim());
    let columns = text.trim().strip_suffix(rest).unwrap_or_default();
    match columns.trim_end().rsplit(char::is_whitespace).next() {
        Some("B") => return LinkAudience::Broadcast,
        Some("M") => return LinkAudience::Multicast,
        // Of what this host sent it is not told.
        Some("In" | "P") => return LinkAudience::One,
        _ if interface.is_some() => return LinkAudience::Unknown,
        _ => {}
    }
    let (_, behind) = split_word(rest);
    let Some(to) = behind.strip_prefix("> ").filter(|_| starts_with_mac(rest)) else {
        return LinkAudience::Unknown;
    };
    let to = split_word(to).0.trim_end_matches(',');
    if to == "Broadcast" || to.eq_ignore_ascii_case("ff:ff:ff:ff:ff:ff") {
        return LinkAudience::Broadcast;
    }
    let first = to.split(':').next().and_then(|byte| u8::from_str_radix(byte, 16).ok());
    match first.filter(|_| starts_with_mac(to)) {
        Some(first) if first & 1 == 1 => LinkAudience::Multicast,
        Some(_) => LinkAudience::One,
        None => LinkAudience::Unknown,
    }
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

/// `vlan 265, p 0, IP 192.0.2.1 …`, `PPPoE [ses 0x1] IP6 …`, `MPLS (label 100, tc 0, [S], ttl
/// 64) 192.0.2.1 …`.
pub(super) fn find_inner(text: &str) -> Option<Network<'_>> {
    let v4 = text.find(" IP ").map(|at| (at, Family::V4, 4));
    let v6 = text.find(" IP6 ").map(|at| (at, Family::V6, 5));
    let Some((at, family, width)) = [v4, v6].into_iter().flatten().min_by_key(|(at, ..)| *at)
    else {
        return find_labelled(text);
    };
    Some(Network::Ip { family, text: text.get(at + width..)?.trim_start() })
}

/// What stands behind the labels of MPLS (`mpls_print`), where no word names its family.
fn find_labelled(text: &str) -> Option<Network<'_>> {
    let mut rest = text.get(text.find("(label ")?..)?;
    for _ in 0..LIMIT_TAGS {
        if !rest.starts_with("(label ") {
            break;
        }
        rest = split_parentheses(rest)?.1;
    }
    if rest.is_empty() { Some(Network::Labels) } else { read_bare(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_header_says_to_whom_a_packet_goes() {
        use LinkAudience::{Broadcast, Multicast, One, Unknown};
        let cases = [
            ("eth0  B   IP {4}", Broadcast),
            ("eth0  M   IP6 {6}", Multicast),
            ("eth0  In  IP {4}", One),
            ("eth0  P   IP6 {6}", One),
            ("eth0  Out IP {4}", Unknown),
            ("B IP {4}", Broadcast),
            ("IP {4}", Unknown),
            ("IP6 {6}", Unknown),
            (
                "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype IPv4 (0x0800), length 90: {4}",
                Broadcast,
            ),
            ("02:00:00:00:00:01 > Broadcast, ethertype IPv4 (0x0800), length 90: {4}", Broadcast),
            (
                "02:00:00:00:00:01 > 33:33:00:00:00:fb, ethertype IPv6 (0x86dd), length 90: {6}",
                Multicast,
            ),
            ("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 90: {4}", One),
            ("B 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 105: {4}", Broadcast),
            ("In 02:00:00:00:00:01 ethertype IPv6 (0x86dd), length 105: {6}", One),
        ];
        for (text, expected) in cases {
            let text = text.replace("{4}", "192.0.2.1.5 > 192.0.2.255.69: UDP, length 1");
            let text = text.replace("{6}", "2001:db8::1.5 > 2001:db8::2.69: UDP, length 1");
            assert_eq!(find_audience(&text), expected, "{text}");
        }
    }
}
