//! From the IP header that `-v` prints to the summary of the payload.

use super::address::{Host, Side, parse_named, parse_side};
use super::foreign::{has_ports, is_foreign};
use super::ip_header::{IpHeader, read_header, split_parentheses};
use super::line::split_word;

/// A packet line's network layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkText<'a> {
    pub header: Option<IpHeader>,
    pub body: Body<'a>,
}

/// What follows the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// The addresses stand on the next line.
    OnNextLine,
    /// `source > destination: summary`, the sides still as text.
    Sides { source: &'a str, destination: &'a str, summary: &'a str, has_colon: bool },
    /// No ` > ` where one belongs.
    Unreadable(&'a str),
}

/// Splits a line behind `IP ` or `IP6 `.
#[must_use]
pub fn read_network_text(text: &str) -> NetworkText<'_> {
    let text = skip_truncation(skip_ppp_protocol(text.trim()));
    let Some((inside, rest)) = split_parentheses(text) else {
        return NetworkText { header: None, body: read_body(text) };
    };
    let header = Some(read_header(inside));
    if rest.is_empty() {
        return NetworkText { header, body: Body::OnNextLine };
    }
    NetworkText { header, body: read_body(rest) }
}

/// Splits `source > destination: summary`.
#[must_use]
pub fn read_body(text: &str) -> Body<'_> {
    let text = text.trim();
    let Some((source, rest)) = text.split_once(" > ") else {
        return Body::Unreadable(text);
    };
    let source = source.trim();
    if source.contains(char::is_whitespace) {
        return Body::Unreadable(text);
    }
    let (destination, summary) = split_word(rest.trim_start());
    let has_colon = destination.ends_with(':');
    let destination = destination.strip_suffix(':').unwrap_or(destination);
    Body::Sides { source, destination, summary, has_colon }
}

/// What the summary says about the transport, before any application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport<'a> {
    Udp {
        source_port: u16,
        destination_port: u16,
        summary: &'a str,
    },
    Icmp(&'a str),
    /// TCP, a later fragment, or any other protocol.
    Other,
}

/// Both sides and the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressed<'a> {
    pub source: Host<'a>,
    pub destination: Host<'a>,
    pub transport: Transport<'a>,
}

/// Reads the sides of a packet line; `None` where it is none of our concern,
/// so that host names in it do no harm.
///
/// # Errors
///
/// A sentence about a side that is neither an address nor a name.
pub fn parse_addressed<'a>(
    header: Option<&IpHeader>,
    source: &'a str,
    destination: &'a str,
    summary: &'a str,
) -> Result<Option<Addressed<'a>>, String> {
    let summary = skip_extensions(skip_checksum(summary));
    let protocol = header.and_then(|header| header.protocol);
    let later_fragment = header.is_some_and(|header| header.offset_bytes > 0);
    if later_fragment || is_foreign(protocol, summary) {
        return Ok(None);
    }
    let (source_text, destination_text) = (source, destination);
    let (mut source, mut destination) = (parse_side(source)?, parse_side(destination)?);
    let lacks_port = source.port.is_none() || destination.port.is_none();
    let bare_ports = lacks_port.then(|| split_bare_ports(summary)).flatten();
    if lacks_port && bare_ports.is_none() && has_ports(summary) {
        // Both have ports: where the other side has one, or the line says `UDP`, the last
        // label is a service's.
        let is_told = summary.starts_with("UDP");
        match (source.port.is_some(), destination.port.is_some()) {
            (true, false) => name_service(&mut destination, destination_text),
            (false, true) => name_service(&mut source, source_text),
            (false, false) if is_told => {
                name_service(&mut source, source_text);
                name_service(&mut destination, destination_text);
            }
            _ => {}
        }
    }
    let transport = match (source.port, destination.port) {
        (Some(source_port), Some(destination_port)) => {
            Transport::Udp { source_port, destination_port, summary }
        }
        _ => match bare_ports {
            // IPv6 with extension headers prints the ports behind them.
            Some((source_port, destination_port, summary)) => {
                Transport::Udp { source_port, destination_port, summary: skip_checksum(summary) }
            }
            // Two hosts, and nothing or the beginning of `ICMP6, ` behind them.
            None if ["ICMP", "ICMP6,"].iter().any(|lead| lead.starts_with(summary)) => {
                return Err("ends before it says what it is; paste the whole line".to_owned());
            }
            None if summary.starts_with("ICMP") || summary.starts_with("icmp") => {
                // It has no ports: a name that ends like a service has no part of it cut off.
                for (side, text) in
                    [(&mut source, source_text), (&mut destination, destination_text)]
                {
                    if matches!(side.host, Host::Name(_)) {
                        *side = parse_named(text, |_| None)?;
                    }
                }
                Transport::Icmp(summary)
            }
            // Where one of them were an address, its port would stand behind it.
            None if has_ports(summary)
                && [&source, &destination].iter().all(|side| {
                    side.port.is_some()
                        || matches!(side.host, Host::Name(name) if name.contains('.'))
                }) =>
            {
                return Err(
                    "has names where addresses and ports should be, and no port that we know; run tcpdump with -n"
                        .to_owned(),
                );
            }
            None => Transport::Other,
        },
    };
    Ok(Some(Addressed { source: source.host, destination: destination.host, transport }))
}

/// Takes the last label of a named side for its port, of a service that is not known.
fn name_service<'a>(side: &mut Side<'a>, text: &'a str) {
    if matches!(side.host, Host::Name(_))
        && let Ok(named) = parse_named(text, super::services::find_port_or_stand_in)
    {
        *side = named;
    }
}

/// `[udp sum ok] `, `[bad udp cksum 0x0bdc -> 0xfb8a!] `, `[no cksum] `.
fn skip_checksum(summary: &str) -> &str {
    let mut rest = summary.trim_start();
    while let Some((mark, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if !mark.contains("sum") {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

/// `HBH `, `DSTOPT `, `srcrt (…) `, `frag (0|1448) `: IPv6 extension headers
/// before the payload. A fragment that is not the first stays as it is.
fn skip_extensions(summary: &str) -> &str {
    let mut rest = summary;
    loop {
        let (word, behind) = split_word(rest);
        rest = match word {
            "HBH" | "DSTOPT" | "srcrt" | "mobility:" => skip_parentheses(behind),
            "frag" => match split_parentheses(behind) {
                Some((range, behind))
                    if range
                        .split('|')
                        .next()
                        .is_some_and(|start| start == "0" || start.ends_with(":0")) =>
                {
                    behind
                }
                _ => return rest,
            },
            _ => return rest,
        };
    }
}

/// The options of an extension header: `(padn)(homeaddr: 2001:db8::1) `.
fn skip_parentheses(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, behind)) = split_parentheses(rest) {
        rest = behind;
    }
    rest
}

/// `5353 > 5353: …`.
fn split_bare_ports(summary: &str) -> Option<(u16, u16, &str)> {
    let (source, rest) = summary.split_once(" > ")?;
    let (destination, rest) = rest.split_once(':')?;
    let source = super::services::find_port(source.trim())?;
    let destination = super::services::find_port(destination.trim())?;
    Some((source, destination, rest))
}

/// `(0x0021), length 44: ` of PPP under `-e`.
fn skip_ppp_protocol(text: &str) -> &str {
    if !text.starts_with("(0x") {
        return text;
    }
    let behind = split_parentheses(text).map_or(text, |(_, rest)| rest);
    behind.split_once(": ").map_or(behind, |(_, packet)| packet.trim_start())
}

/// `truncated-ip - 100 bytes missing! ` before the addresses; `truncated-ip6 - 100
/// bytes missing!` without a space.
fn skip_truncation(text: &str) -> &str {
    if !text.starts_with("truncated-ip") {
        return text;
    }
    text.split_once("missing!").map_or(text, |(_, rest)| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_transports_are_read() {
        let udp = |source_port, destination_port, summary| {
            Some(Transport::Udp { source_port, destination_port, summary })
        };
        let [sightline, filenet] = ["sightline", "filenet"]
            .map(|name| super::super::services::find_stand_in(name).unwrap());
        let cases = [
            ("192.0.2.1.5 > 192.0.2.2.tftp: UDP, length 4", udp(5, 69, "UDP, length 4")),
            ("2001:db8::1.5 > 2001:db8::2.tftp: UDP, length 4", udp(5, 69, "UDP, length 4")),
            ("192.0.2.1.5 > 192.0.2.2.53: [udp sum ok] 1+ A? a. (20)", udp(5, 53, "1+ A? a. (20)")),
            (
                "192.0.2.1.5 > 192.0.2.2.53: [bad udp cksum 0x1 -> 0x2!] 1+ A? a. (20)",
                udp(5, 53, "1+ A? a. (20)"),
            ),
            (
                "2001:db8::1 > 2001:db8::2: frag (0|120) 5353 > 5353: 0 [2q]",
                udp(5353, 5353, "0 [2q]"),
            ),
            (
                "2001:db8::1 > 2001:db8::2: frag (0x002c5323:0|120) 5353 > 5353: 0",
                udp(5353, 5353, "0"),
            ),
            (
                "2001:db8::1 > 2001:db8::2: DSTOPT (padn)(homeaddr: 2001:db8::9) 5 > 6: UDP, length 4",
                udp(5, 6, "UDP, length 4"),
            ),
            ("2001:db8::1 > 2001:db8::2: frag (120|120)", None),
            ("192.0.2.1 > 192.0.2.2: ip-proto-17", None),
            ("192.0.2.1 > 192.0.2.2: udp", Some(Transport::Other)),
            ("a.example.net > b.example.net: udp", Some(Transport::Other)),
            ("a.example.net > b.example.net: IPComp(cpi=0x1)", None),
            ("192.0.2.1 > b.example.net: hip 1 2", Some(Transport::Other)),
            (
                "a.example.sightline > b.example.domain: 6+ A? a. (20)",
                udp(sightline, 53, "6+ A? a. (20)"),
            ),
            (
                "b.example.domain > a.example.sightline: 6 1/0/0 A 192.0.2.3 (36)",
                udp(53, sightline, "6 1/0/0 A 192.0.2.3 (36)"),
            ),
            (
                "a.example.sightline > b.example.filenet: UDP, length 4",
                udp(sightline, filenet, "UDP, length 4"),
            ),
            (
                "server.time > b.example.net: ICMP echo request",
                Some(Transport::Icmp("ICMP echo request")),
            ),
            ("a.time > b.example: frag (0|120) 5353 > 5353: 0 [2q]", udp(5353, 5353, "0 [2q]")),
            (
                "192.0.2.1 > 192.0.2.2: ICMP echo request",
                Some(Transport::Icmp("ICMP echo request")),
            ),
            ("2001:db8::1 > 2001:db8::2: HBH ICMP6, x", Some(Transport::Icmp("ICMP6, x"))),
            ("192.0.2.1.5 > web.example.http: Flags [S], seq 1", None),
            ("192.0.2.1.5 > 192.0.2.2.80: S 1:1(0) win 5840", None),
            ("192.0.2.1.5 > 192.0.2.2.80: . ack 1 win 46", None),
            (
                "truncated-ip - 9 bytes missing! 192.0.2.1.5 > 192.0.2.2.6: UDP, length 4",
                udp(5, 6, "UDP, length 4"),
            ),
            (
                "truncated-ip6 - 9 bytes missing!2001:db8::1.5 > 2001:db8::2.6: UDP, length 4",
                udp(5, 6, "UDP, length 4"),
            ),
            (
                "truncated-ip6 - 9 bytes missing!(hlim 64, next-header UDP (17) payload length: 12) 2001:db8::1.5 > 2001:db8::2.6: UDP, length 4",
                udp(5, 6, "UDP, length 4"),
            ),
        ];
        for (text, expected) in cases {
            let Body::Sides { source, destination, summary, .. } = read_network_text(text).body
            else {
                panic!("{text}");
            };
            let actual = parse_addressed(None, source, destination, summary).unwrap();
            assert_eq!(actual.map(|addressed| addressed.transport), expected, "{text}");
        }
    }

    #[test]
    fn names_whose_ports_are_not_known_are_told() {
        let Body::Sides { source, destination, summary, .. } =
            read_body("a.example.sightline > b.example.filenet: 6+ A? a.example. (27)")
        else {
            panic!();
        };
        let told = parse_addressed(None, source, destination, summary).unwrap_err();
        assert!(told.contains("no port that we know"), "{told}");
    }
}
