//! How much of a packet's line is there: lines are broken by mail and by windows.

use super::super::address::parse_side;
use super::super::line::{Head, Network, read_head};
use super::super::link_cut::is_well_formed;
use super::super::packet_line::{PacketLine, find_packet_line, remove_bold};
use super::{Outcome, Pending, Stage};
use crate::model::packet::{Application, Content, Datagram, IcmpKind, TftpMessage};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// What of a packet can be read from its line, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// Not even its ends.
    Unread,
    /// The ends, and too little behind them to say what it is.
    Ends,
    /// Not what it carries, or not how long it is.
    Thin,
    /// All that such a line tells, or a packet of no concern.
    Whole,
}

/// How complete a packet line is; `None` for what is none.
#[must_use]
pub fn find_completeness(text: &str) -> Option<Completeness> {
    let text = remove_bold(text);
    let packet = find_packet_line(&text)?;
    let head = read_head(packet.rest);
    if !packet.is_sure {
        return begins(&packet, &head).then_some(Completeness::Unread);
    }
    let is_cut = matches!(head.network, Network::Other) && is_arp_cut(packet.rest);
    if is_cut || !is_well_formed(packet.rest) {
        return Some(Completeness::Unread);
    }
    let nowhen = Timestamp::from_nanoseconds(0);
    Some(Pending::new(0, 0, nowhen, 0, &head, packet.rest).find_completeness())
}

impl Pending {
    /// How complete the lines are that came in so far.
    #[must_use]
    pub fn find_completeness(&self) -> Completeness {
        if matches!(self.stage, Stage::Header | Stage::Labels) {
            return Completeness::Whole;
        }
        let read = match self.read() {
            Outcome::Fault(_) if self.has_ends() => Completeness::Ends,
            Outcome::Fault(_) => Completeness::Unread,
            Outcome::Cut(_) => Completeness::Ends,
            Outcome::Named { datagram, .. } | Outcome::Content(Content::Datagram(datagram)) => {
                self.find_completeness_of(&datagram)
            }
            Outcome::NamedError { error, .. } | Outcome::Content(Content::IcmpError(error)) => {
                if error.kind == IcmpKind::Other {
                    // No words that are known: a space may be missing, or be one too many.
                    Completeness::Ends
                } else if self.lacks_icmp_length() {
                    Completeness::Thin
                } else {
                    Completeness::Whole
                }
            }
            Outcome::Other if self.is_other_icmp() => {
                // All that are whole end with their length; what no words are known of
                // may be an error with a space in the wrong place.
                if self.lacks_length() { Completeness::Unread } else { Completeness::Thin }
            }
            // Their last word is the length, too, and an address stands before it.
            Outcome::Content(Content::Neighbour(_)) if self.lacks_length() => Completeness::Unread,
            Outcome::Other | Outcome::Unported(_) | Outcome::Content(_) => Completeness::Whole,
        };
        // Of a destination without its colon the end may be missing.
        match &self.stage {
            Stage::Sides { has_colon: false, .. } => read.min(Completeness::Ends),
            // `ICMP` and what follows on it were put together without their space.
            Stage::Sides { summary, .. }
                if has_broken_icmp(summary)
                    || (has_broken_mark(summary) && self.is_other_icmp()) =>
            {
                read.min(Completeness::Unread)
            }
            _ => read,
        }
    }

    /// A header's length tells nothing of the line below it.
    fn find_completeness_of(&self, datagram: &Datagram) -> Completeness {
        let Stage::Sides { summary, .. } = &self.stage else { return Completeness::Whole };
        let ends_with_length = summary.trim_end().ends_with(')');
        let is_cut = match &datagram.application {
            // `7304 WRQ "a.cfg"`: a mode follows (RFC 1350 section 5).
            Application::Tftp(
                TftpMessage::ReadRequest(request) | TftpMessage::WriteRequest(request),
            ) => {
                !["octet", "netascii", "mail"]
                    .iter()
                    .any(|mode| request.mode.eq_ignore_ascii_case(mode))
                    && !summary.contains("[|")
            }
            // An opcode follows on its length.
            Application::Plain(Protocol::Tftp) if summary.starts_with("TFTP") => {
                !summary.contains("[|")
            }
            // `domain_print` ends each with the length: `(36)`.
            Application::Transaction(message) if message.protocol == Protocol::Dns => {
                !ends_with_length && !summary.contains("[|")
            }
            Application::Plain(_) | Application::Unknown { .. } if self.has_header() => {
                !has_length(summary) && !ends_with_length
            }
            Application::Plain(_) | Application::Unknown { .. } => datagram.length == 0,
            _ => false,
        };
        if is_cut || has_broken_mark(summary) { Completeness::Thin } else { Completeness::Whole }
    }

    /// Whether both ends are there, though not all that stands behind them.
    fn has_ends(&self) -> bool {
        let is_side = |text| parse_side(text).is_ok();
        matches!(&self.stage, Stage::Sides { source, destination, has_colon: true, .. }
            if is_side(source) && is_side(destination))
    }

    /// An ICMP message by its words, or by the header's protocol, if it has no words yet.
    fn is_other_icmp(&self) -> bool {
        let protocol = self.header.and_then(|header| header.protocol);
        matches!(&self.stage, Stage::Sides { summary, .. }
            if summary.contains("ICMP") || matches!(protocol, Some(1 | 58)))
    }

    /// Whether it lacks the length with which tcpdump ends such a line, but under `-v`.
    fn lacks_length(&self) -> bool {
        matches!(&self.stage, Stage::Sides { summary, .. }
            if !summary.contains("ICMP") || (!self.has_header() && !has_length(summary)))
    }

    /// Whether it is an ICMP error without the length with which tcpdump 4 ends such a line
    /// (`icmp_print`), but of ICMPv6 under `-v` (`icmp6_print`).
    fn lacks_icmp_length(&self) -> bool {
        matches!(&self.stage, Stage::Sides { summary, .. }
            if !has_length(summary)
                && (summary.contains("ICMP ")
                    || (summary.contains("ICMP6, ") && !self.has_header())))
    }
}

/// `length 36`, `length: 50`.
fn has_length(summary: &str) -> bool {
    let begins = |rest: &str| {
        rest.trim_start_matches(':').trim_start().starts_with(|c: char| c.is_ascii_digit())
    };
    summary.split("length").skip(1).any(begins)
}

/// Whether the mark that `-v` prints before the summary has no end, or a break in its word:
/// `[udp su`, `[icmp6 s um ok]`.
fn has_broken_mark(summary: &str) -> bool {
    let mark = summary.trim_start().strip_prefix('[').filter(|mark| !mark.starts_with('|'));
    mark.is_some_and(|mark| mark.split_once(']').is_none_or(|(mark, _)| !mark.contains("sum")))
}

/// Whether a packet's line ends before its ends come: behind its time stand the columns of
/// `-i any`, or the word for IP and nothing else.
fn begins(packet: &PacketLine<'_>, head: &Head<'_>) -> bool {
    let rest = packet.rest.trim();
    let is_timed = packet.stamp.is_some_and(|stamp| stamp.has_fraction);
    let (columns, last) = rest.rsplit_once(' ').unwrap_or(("", rest));
    let is_lead = matches!(last, "IP" | "IP6") || rest.contains(" ifindex ");
    is_timed && is_lead && (columns.is_empty() || head.direction.is_some())
}

/// Whether a line about ARP lacks the length with which tcpdump 4 ends it (`arp_print`): an
/// address stands before it, whose last digits may be missing. Older versions print none.
fn is_arp_cut(text: &str) -> bool {
    let is_arp = text.contains("ARP, ") || text.contains("ethertype ARP (");
    let before = text.trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
    is_arp && !(before.len() < text.trim_end().len() && before.ends_with(", length "))
}

/// `ICMP192.0.2.21 udp port`, `ICMP6 , destination`, `ICM P6, destination`,
/// `ICMP6, destinationunreachable`.
fn has_broken_icmp(summary: &str) -> bool {
    // `[icmp6 sum ok] ` of `-v` may stand before it.
    match summary.split_once("ICMP") {
        Some((_, rest)) => {
            let words = rest.strip_prefix("6, ").or_else(|| rest.strip_prefix(' '));
            words.is_none_or(|words| {
                words.replace(' ', "").starts_with("destinationunreachable")
                    && !words.starts_with("destination unreachable")
            })
        }
        None => matches!(summary.split(' ').next(), Some("I" | "IC" | "ICM")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_go_on_are_told_from_whole_ones() {
        use Completeness::{Ends, Thin, Unread, Whole};
        let ends = [
            ("IP 192.0.2.9.41226 > 192.0.2.21.69", "IP 192.0.2.21 > 192.0.2.9", "192.0.2.21"),
            (
                "IP6 2001:db8::9.41226 > 2001:db8::21.69",
                "IP6 2001:db8::21 > 2001:db8::9",
                "2001:db8::21",
            ),
        ];
        for (sides, hosts, address) in ends {
            let cases = [
                (format!("{sides}: UDP, length 19"), Some(Whole)),
                (format!("{sides}:  64 WRQ \"a.cfg\" octet"), Some(Whole)),
                (format!("{sides}: UDP, leng"), Some(Thin)),
                (format!("{sides}:"), Some(Ends)),
                (format!("{hosts}: ICMP{address} udp port 5 unreachable, length 36"), Some(Unread)),
                (format!("{hosts}: ICM P6, destination"), Some(Unread)),
                (sides.to_owned(), Some(Unread)),
                (
                    sides.split_once(" > ").map(|(source, _)| format!("{source} >")).unwrap(),
                    Some(Unread),
                ),
                (format!("{hosts}: ICMP echo request, id 1, seq 1, length 64"), Some(Thin)),
                (format!("{hosts}: ICMP host {address} unreachable, length 36"), Some(Whole)),
                (
                    format!("{hosts}: ICMP host {address} unreachable - admin prohibited"),
                    Some(Thin),
                ),
                (format!("{hosts}: ICMP {address} udp port 32991"), Some(Ends)),
                (
                    format!(
                        "{hosts}: ICMP6, destination unreachable, unreachable port, {address} udp port 32991, length 36"
                    ),
                    Some(Whole),
                ),
                (
                    format!(
                        "{hosts}: ICMP6, destination unreachable, unreachable port, {address} udp port 329"
                    ),
                    Some(Thin),
                ),
                (format!("{hosts}: ICMP6, destination unreachable, unreachab"), Some(Ends)),
                (
                    format!("{hosts}: ICMP6, destination unreach able, unreachable port"),
                    Some(Unread),
                ),
                (format!("{sides}: Flags [S], seq 1, win 5"), Some(Whole)),
            ];
            for (text, expected) in cases {
                let text = format!("07:29:48.654684 {text}");
                assert_eq!(find_completeness(&text), expected, "{text}");
            }
        }
        assert_eq!(find_completeness("the device was restarted"), None);
        let link = "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype";
        for (text, expected) in [
            (format!("{link} IPv4 (0x0800), len"), Unread),
            (format!("{link} 802.1Q (0x8100), length 65: vlan 100, p 0, ethertype IP"), Unread),
            (format!("{link} ARP (0x0806), length 42: Request who-has 192.0.2.7 tell 192.0.2."), Unread),
            (format!("{link} ARP (0x0806), length 42: Reply 192.0.2.7 is-at 02:00:00:00:00:07, length 28"), Whole),
            ("ARP, Request who-has 192.0.2.7 tell 192.0.2.1".to_owned(), Unread),
            ("arp who-has 192.0.2.7 tell 192.0.2.1".to_owned(), Whole),
            ("IP6 2001:db8::1 > ff02::1:ff00:7: ICMP6, neighbor solicitation, who has 2001:db8::7".to_owned(), Unread),
        ] {
            assert_eq!(find_completeness(&format!("07:29:48.654684 {text}")), Some(expected), "{text}");
        }
        let header = "07:29:48.654684 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length";
        assert_eq!(find_completeness(header), Some(Unread));
        assert_eq!(find_completeness(&format!("{header} 92)")), Some(Whole));
    }
}
