//! A packet as the kernel logs it (`nf_log_syslog.c`; before Linux 5.13 `nf_log_ipv4.c` and
//! `nf_log_ipv6.c`): `PREFIXIN=eth0 OUT= MAC=… SRC=192.0.2.9 DST=192.0.2.21 LEN=60 … PROTO=UDP
//! SPT=5 DPT=69 LEN=40 `. The prefix is anybody's text, and proves nothing. ulogd prints the
//! same words.

use std::net::IpAddr;

use crate::model::packet::{IcmpKind, Quote};
use crate::model::segment::QuotedKind;

/// A line with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoggedLine<'a> {
    /// What stands before the packet: a time, a host, and the prefix of the rule.
    pub before: &'a str,
    /// The interfaces of the hook; empty where it has none.
    pub input: &'a str,
    pub output: &'a str,
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Of the IP packet, in bytes.
    pub length: u32,
    /// IPv4's; zero for IPv6, and where the sender gives none (RFC 6864).
    pub identification: u32,
    pub carries: Carries,
}

/// What the packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// `length` of the payload in bytes.
    Datagram {
        source_port: u16,
        destination_port: u16,
        length: u32,
    },
    IcmpError {
        kind: IcmpKind,
        quote: Option<Quote>,
    },
    /// TCP, a later fragment, an echo.
    Other,
    /// The line ends before it tells.
    Cut,
}

/// Reads a line; `None` where it is none.
pub(super) fn find_logged(text: &str) -> Option<LoggedLine<'_>> {
    let (before, rest) = text.split_once(" OUT=")?;
    let at = before.rfind("IN=")?;
    let (before, input) = (before.get(..at)?, before.get(at + 3..)?);
    let output_end = rest.find(char::is_whitespace)?;
    let (output, rest) = rest.split_at_checked(output_end)?;
    let packet_at = rest.find(" SRC=")?;
    let (packet, quoted) = split_quoted(rest.get(packet_at..)?);
    let (header, body) = split_body(packet);
    let (source, destination) = find_ends(header)?;
    if input.contains(char::is_whitespace) || source.is_ipv4() != destination.is_ipv4() {
        return None;
    }
    Some(LoggedLine {
        before,
        input,
        output,
        source,
        destination,
        length: find_number(header, "LEN=").unwrap_or(0),
        identification: find_number(header, "ID=").unwrap_or(0),
        carries: read_body(header, body, quoted, source.is_ipv4()),
    })
}

/// The packet, and the one that it quotes, in brackets: an error quotes one, which quotes none.
fn split_quoted(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" [SRC=") {
        Some((packet, _)) => {
            let inside = text.get(packet.len() + 2..).unwrap_or_default();
            // What is cut has no bracket at its end.
            (packet, inside.split_once(']').map(|(quoted, _)| quoted))
        }
        None => (text, None),
    }
}

/// The IP header, and what follows from the protocol on.
fn split_body(text: &str) -> (&str, Option<&str>) {
    match text.split_once("PROTO=") {
        Some((header, body)) => (header, Some(body)),
        None => (text, None),
    }
}

fn find_ends(header: &str) -> Option<(IpAddr, IpAddr)> {
    let source: IpAddr = find_value(header, "SRC=")?.parse().ok()?;
    let destination: IpAddr = find_value(header, "DST=")?.parse().ok()?;
    Some((source.to_canonical(), destination.to_canonical()))
}

fn read_body(header: &str, body: Option<&str>, quoted: Option<&str>, is_v4: bool) -> Carries {
    let Some(body) = body else { return Carries::Cut };
    let protocol = body.split_whitespace().next().unwrap_or_default();
    match protocol {
        _ if is_later_fragment(header) => Carries::Other,
        "UDP" => find_datagram(body).unwrap_or(Carries::Cut),
        "ICMP" | "ICMPv6" => {
            let numbers = find_number(body, "TYPE=").zip(find_number(body, "CODE="));
            let Some((message, code)) = numbers else { return Carries::Cut };
            let kind =
                if is_v4 { IcmpKind::of_v4(message, code) } else { IcmpKind::of_v6(message, code) };
            let quote = quoted.and_then(find_quote);
            kind.map_or(Carries::Other, |kind| Carries::IcmpError { kind, quote })
        }
        _ => Carries::Other,
    }
}

/// The kernel prints the length behind the ports: without it a port may be cut.
fn find_datagram(body: &str) -> Option<Carries> {
    let length: u32 = find_number(body, "LEN=")?;
    Some(Carries::Datagram {
        source_port: find_number(body, "SPT=")?,
        destination_port: find_number(body, "DPT=")?,
        // A UDP header has eight bytes.
        length: length.saturating_sub(8),
    })
}

fn find_quote(quoted: &str) -> Option<Quote> {
    let (header, body) = split_body(quoted);
    let (source, destination) = find_ends(header)?;
    let body = body.unwrap_or_default();
    let kind = match body.split_whitespace().next() {
        Some("UDP") => QuotedKind::Datagram,
        Some("TCP") => QuotedKind::Segment(None),
        _ => QuotedKind::Unknown,
    };
    let (source_port, destination_port) = (find_number(body, "SPT="), find_number(body, "DPT="));
    Some(Quote { source, source_port, destination, destination_port, kind, tunnel: None })
}

/// `FRAG:185 ` of IPv4 in units of eight bytes, `FRAG:1480 ` of IPv6 in bytes: not the first,
/// so that no ports follow.
fn is_later_fragment(header: &str) -> bool {
    find_value(header, "FRAG:").is_some_and(|offset| offset != "0")
}

fn find_number<T: std::str::FromStr>(text: &str, name: &str) -> Option<T> {
    find_value(text, name)?.parse().ok()
}

/// The value of the first word that begins with `name`.
fn find_value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_whitespace().find_map(|word| word.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_the_log_are_read() {
        let v4 = |more: &str| {
            format!(
                "[DNAT-br0]IN=br0 OUT= MAC=02:00:00:00:00:01 SRC=192.0.2.9 DST=192.0.2.21 LEN=71 TOS=0x00 PREC=0x00 TTL=64 ID=3346 DF {more}"
            )
        };
        let v6 = |more: &str| {
            format!(
                "[DNAT-br0]IN=br0 OUT= MAC=02:00:00:00:00:01 SRC=2001:0db8:0000:0000:0000:0000:0000:0009 DST=2001:0db8:0000:0000:0000:0000:0000:0021 LEN=71 TC=0 HOPLIMIT=64 FLOWLBL=7 {more}"
            )
        };
        let datagram = Carries::Datagram { source_port: 30_958, destination_port: 53, length: 43 };
        let quoted = |source: &str, destination: &str, ports| {
            let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
            let (source_port, destination_port) = ports;
            let kind = QuotedKind::Datagram;
            Quote { source, source_port, destination, destination_port, kind, tunnel: None }
        };
        let refused = |quote| Carries::IcmpError { kind: IcmpKind::PortUnreachable, quote };
        let ports = (Some(53), Some(30_958));
        let quote_v4 = quoted("192.0.2.21", "192.0.2.9", ports);
        let quote_v6 = quoted("2001:db8::21", "2001:db8::9", ports);
        let cases = [
            (v4("PROTO=UDP SPT=30958 DPT=53 LEN=51"), datagram),
            (v6("PROTO=UDP SPT=30958 DPT=53 LEN=51 MARK=0x1"), datagram),
            (v4("MF PROTO=UDP SPT=30958 DPT=53 LEN=51 "), datagram),
            (v6("FRAG:0 INCOMPLETE ID:00000007 PROTO=UDP SPT=30958 DPT=53 LEN=51 "), datagram),
            (v4("FRAG:185 PROTO=UDP "), Carries::Other),
            (v6("FRAG:1480 ID:00000007 PROTO=UDP "), Carries::Other),
            (v4("PROTO=TCP SPT=5 DPT=80 WINDOW=1 RES=0x00 SYN URGP=0 "), Carries::Other),
            (v6("PROTO=TCP SPT=5 DPT=80 WINDOW=1 RES=0x00 SYN URGP=0 "), Carries::Other),
            (v4("PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=1 "), Carries::Other),
            (v6("PROTO=ICMPv6 TYPE=128 CODE=0 ID=1 SEQ=1 "), Carries::Other),
            (
                v4(
                    "PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.21 DST=192.0.2.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=7 PROTO=UDP SPT=53 DPT=30958 LEN=40 ] ",
                ),
                refused(Some(quote_v4)),
            ),
            (
                v6(
                    "PROTO=ICMPv6 TYPE=1 CODE=4 [SRC=2001:0db8:0000:0000:0000:0000:0000:0021 DST=2001:0db8:0000:0000:0000:0000:0000:0009 LEN=60 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=UDP SPT=53 DPT=30958 LEN=40 ] ",
                ),
                refused(Some(quote_v6)),
            ),
            (v4("PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.21 DST=192.0"), refused(None)),
            (v6("PROTO=ICMPv6 TYPE=1 CODE=4 [SRC=2001:0db8:0000:00"), refused(None)),
            (v4("PROTO=UDP SPT=30958 DPT=5"), Carries::Cut),
            (v6("PROTO=UDP SPT=30958 DPT=5"), Carries::Cut),
            (v4("PROTO=ICMP TY"), Carries::Cut),
            (v6(""), Carries::Cut),
        ];
        for (text, expected) in cases {
            let logged = find_logged(&text).expect(&text);
            assert_eq!(logged.carries, expected, "{text}");
            assert_eq!((logged.before, logged.input, logged.output), ("[DNAT-br0]", "br0", ""));
            assert_eq!(logged.length, 71, "{text}");
            let by_family = if logged.source.is_ipv4() { 3_346 } else { 0 };
            assert_eq!(logged.identification, by_family, "{text}");
        }
        let others = [
            "IN=eth0 OUT= MAC=02:00:00:00:00:01 ARP HTYPE=1 PTYPE=0x0800 OPCODE=1",
            "IN=eth0 OUT= MAC=02:00:00:00:00:01 SRC=192.0.2.9 DST=",
            "IN=eth0 OUT= MAC=02:00:00:00:00:01 SRC=192.0.2.9 DST=2001:db8::1 LEN=9",
            "The rule has IN= and OUT= in its SRC= and DST=",
            "",
        ];
        for text in others {
            assert_eq!(find_logged(text), None, "{text}");
        }
    }
}
