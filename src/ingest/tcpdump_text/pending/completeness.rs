//! How much of a packet's line is there: lines are broken by mail and by windows.

use super::super::line::read_head;
use super::super::packet_line::{find_packet_line, remove_bold};
use super::{Outcome, Pending, Stage};
use crate::model::packet::{Application, Content, IcmpKind};
use crate::model::time::Timestamp;

/// What of a packet can be read from its line, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// Not even its ends.
    Unread,
    /// The line ends within or right behind the addresses.
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
    let packet = find_packet_line(&text).filter(|packet| packet.is_sure)?;
    let head = read_head(packet.rest);
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
            Outcome::Fault(_) => Completeness::Unread,
            Outcome::Cut(_) => Completeness::Ends,
            Outcome::Named { datagram, .. } | Outcome::Content(Content::Datagram(datagram)) => {
                let is_told = !matches!(
                    datagram.application,
                    Application::Plain(_) | Application::Unknown { .. }
                );
                if datagram.length > 0 || is_told {
                    Completeness::Whole
                } else {
                    Completeness::Thin
                }
            }
            Outcome::NamedError { error, .. } | Outcome::Content(Content::IcmpError(error)) => {
                if error.kind == IcmpKind::Other || self.lacks_icmp_length() {
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
            Outcome::Other | Outcome::Unported(_) | Outcome::Content(_) => Completeness::Whole,
        };
        // Of a destination without its colon the end may be missing.
        match &self.stage {
            Stage::Sides { has_colon: false, .. } => read.min(Completeness::Ends),
            // `ICMP` and what follows on it were put together without their space.
            Stage::Sides { summary, .. } if has_broken_icmp(summary) => {
                read.min(Completeness::Unread)
            }
            _ => read,
        }
    }

    fn is_other_icmp(&self) -> bool {
        matches!(&self.stage, Stage::Sides { summary, .. } if summary.contains("ICMP"))
    }

    /// Whether it lacks the length with which tcpdump ends such a line, but under `-v`.
    fn lacks_length(&self) -> bool {
        !self.has_header()
            && matches!(&self.stage, Stage::Sides { summary, .. } if !summary.contains("length "))
    }

    /// Whether it is an ICMPv6 error without the length with which tcpdump ends such a
    /// line, but under `-v` (`icmp6_print`), an ICMP error without its last word, or one
    /// behind whose reason more may follow.
    fn lacks_icmp_length(&self) -> bool {
        matches!(&self.stage, Stage::Sides { summary, .. }
            if !summary.contains("length ")
                && ((summary.contains("ICMP6, ") && !self.has_header())
                    || (summary.contains(" port ") && !summary.contains("unreachable"))
                    // ` filter` or the MTU may follow, in the next line.
                    || summary.contains("unreachable - ")))
    }
}

/// `ICMP192.0.2.21 udp port`, `ICMP6 , destination`, `ICM P6, destination`.
fn has_broken_icmp(summary: &str) -> bool {
    // `[icmp6 sum ok] ` of `-v` may stand before it.
    match summary.split_once("ICMP") {
        Some((_, rest)) => !(rest.starts_with(' ') || rest.starts_with("6, ")),
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
                (format!("{hosts}: ICMP {address} udp port 32991"), Some(Unread)),
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
                (format!("{hosts}: ICMP6, destination unreachable, unreachab"), Some(Unread)),
                (format!("{sides}: Flags [S], seq 1, win 5"), Some(Whole)),
            ];
            for (text, expected) in cases {
                let text = format!("07:29:48.654684 {text}");
                assert_eq!(find_completeness(&text), expected, "{text}");
            }
        }
        assert_eq!(find_completeness("the device was restarted"), None);
        let header = "07:29:48.654684 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto UDP (17), length";
        assert_eq!(find_completeness(header), Some(Unread));
        assert_eq!(find_completeness(&format!("{header} 92)")), Some(Whole));
    }
}
