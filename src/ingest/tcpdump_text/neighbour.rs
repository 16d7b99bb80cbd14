//! ARP and neighbour discovery as tcpdump prints them.

use std::net::IpAddr;

use super::address::parse_address;
use super::line::split_word;
use crate::model::neighbour::NeighbourMessage;

/// Reads a line about ARP: `ARP, Request who-has 192.0.2.77 tell 192.0.2.4,
/// length 28`, with `-v`, `-e` and the spelling of tcpdump 3. `None` for probes,
/// for host names, and for all other lines.
#[must_use]
pub fn find_arp(line: &str) -> Option<NeighbourMessage> {
    if !line.contains("ARP") && !line.contains("arp ") {
        return None;
    }
    if let Some((_, rest)) = line.split_once("who-has ") {
        let (wanted, rest) = split_word(rest);
        // The link-layer address asked may stand between.
        let (_, asker) = rest.split_once("tell ")?;
        return question(find_address(wanted)?, find_address(split_word(asker).0)?);
    }
    if let Some((before, _)) = line.split_once(" is-at ") {
        let (_, address) = before.rsplit_once(' ')?;
        return Some(NeighbourMessage::Answer { address: find_address(address)? });
    }
    let (_, rest) = line.split_once("Announcement ")?;
    Some(NeighbourMessage::Answer { address: find_address(split_word(rest).0)? })
}

/// Reads `ICMP6, neighbor solicitation, who has 2001:db8::77, length 32` and
/// `ICMP6, neighbor advertisement, tgt is 2001:db8::77, length 32`; with `-v` the
/// length comes first.
#[must_use]
pub fn find_neighbour_discovery(from: IpAddr, summary: &str) -> Option<NeighbourMessage> {
    let text = summary.strip_prefix("ICMP6, ").or_else(|| summary.strip_prefix("icmp6: "))?;
    // tcpdump 3 shortened the words.
    if text.starts_with("neighbor sol") {
        let (_, rest) = text.split_once("who has ")?;
        let wanted = find_address(split_word(rest).0)?;
        return question(wanted, from);
    }
    let (_, rest) = text.strip_prefix("neighbor adv")?.split_once("tgt is ")?;
    Some(NeighbourMessage::Answer { address: find_address(split_word(rest).0)? })
}

fn question(wanted: IpAddr, asker: IpAddr) -> Option<NeighbourMessage> {
    if asker.is_unspecified() {
        return None;
    }
    Some(if wanted == asker {
        NeighbourMessage::Answer { address: asker }
    } else {
        NeighbourMessage::Question { asker, wanted }
    })
}

fn find_address(word: &str) -> Option<IpAddr> {
    let word = word.split('(').next().unwrap_or(word);
    parse_address(word.trim_end_matches([',', ';'])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn arp_is_read_in_every_form() {
        let question =
            Some(NeighbourMessage::Question { asker: ip("192.0.2.4"), wanted: ip("192.0.2.77") });
        let answer = Some(NeighbourMessage::Answer { address: ip("192.0.2.77") });
        let cases = [
            ("ARP, Request who-has 192.0.2.77 tell 192.0.2.4, length 28", question),
            (
                "ARP, Request who-has 192.0.2.77 (ff:ff:ff:ff:ff:ff) tell 192.0.2.4, length 46",
                question,
            ),
            (
                "ARP, Ethernet (len 6), IPv4 (len 4), Request who-has 192.0.2.77 tell 192.0.2.4, length 28",
                question,
            ),
            (
                "02:00:00:00:00:04 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 192.0.2.77 tell 192.0.2.4, length 28",
                question,
            ),
            ("arp who-has 192.0.2.77 tell 192.0.2.4", question),
            ("ARP, Reply 192.0.2.77 is-at 02:00:00:00:00:77, length 28", answer),
            ("ARP, Reply 192.0.2.77 is-at 02:00:00:00:00:77 (oui Unknown), length 46", answer),
            ("arp reply 192.0.2.77 is-at 02:00:00:00:00:77", answer),
            ("ARP, Announcement 192.0.2.77, length 28", answer),
            ("ARP, Request who-has 192.0.2.77 tell 192.0.2.77, length 28", answer),
            ("ARP, Probe 192.0.2.77, length 28", None),
            ("ARP, Request who-has 192.0.2.77 tell 0.0.0.0, length 28", None),
            ("ARP, Request who-has switch-7 tell 192.0.2.4, length 28", None),
            ("STP 802.1d, Config, Flags [none]", None),
        ];
        for (line, expected) in cases {
            assert_eq!(find_arp(line), expected, "{line}");
        }
    }

    #[test]
    fn neighbour_discovery_is_read_in_every_form() {
        let (node, device) = (ip("2001:db8::4"), ip("2001:db8::77"));
        let question = Some(NeighbourMessage::Question { asker: node, wanted: device });
        let answer = Some(NeighbourMessage::Answer { address: device });
        let cases = [
            ("ICMP6, neighbor solicitation, who has 2001:db8::77, length 32", node, question),
            ("ICMP6, neighbor solicitation, length 32, who has 2001:db8::77", node, question),
            ("icmp6: neighbor solicitation, who has 2001:db8::77", node, question),
            ("ICMP6, neighbor advertisement, tgt is 2001:db8::77, length 32", device, answer),
            (
                "ICMP6, neighbor advertisement, length 32, tgt is 2001:db8::77, Flags [solicited, override]",
                device,
                answer,
            ),
            ("ICMP6, neighbor solicitation, who has 2001:db8::77, length 32", ip("::"), None),
            ("ICMP6, router solicitation, length 16", node, None),
        ];
        for (summary, from, expected) in cases {
            assert_eq!(find_neighbour_discovery(from, summary), expected, "{summary}");
        }
    }
}
