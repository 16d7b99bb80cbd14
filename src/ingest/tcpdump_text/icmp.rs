//! ICMP and ICMPv6 errors as tcpdump prints them, with what they quote.

mod cut;

use std::net::IpAddr;

use super::address::parse_address;
use super::line::split_word;
use super::neighbour::find_neighbour_discovery;
use super::quote::{QuotedPacket, find_quote};
use super::services::find_port_or_stand_in;
use crate::model::neighbour::NeighbourMessage;
use crate::model::packet::{IcmpError, IcmpKind, Quote};
use crate::model::segment::QuotedKind;
use cut::Cut;

/// What an ICMP line is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IcmpReading {
    Error(IcmpError),
    Neighbour(NeighbourMessage),
    /// Echo, router discovery, or an error about another protocol.
    Other,
}

/// What tcpdump prints of an ICMP message.
#[derive(Debug, Clone, Copy)]
pub struct IcmpLines<'a> {
    /// Behind the addresses.
    pub summary: &'a str,
    /// Below it: under `-v` the quoted packet.
    pub body: &'a [String],
    /// `-v` printed the IP header.
    pub has_header: bool,
}

/// Reads an ICMP or ICMPv6 message. Where the quoted packet is not printed, its source
/// is `to`, since an error goes back to the sender of what it quotes.
///
/// # Errors
///
/// A sentence about a quoted address that is none, or about a line that is cut.
pub fn parse_icmp(from: IpAddr, to: IpAddr, lines: IcmpLines<'_>) -> Result<IcmpReading, String> {
    let IcmpLines { summary, body, has_header } = lines;
    let old_v6 = strip_old_lead(summary, "icmp6");
    let claim = if let Some(text) = summary.strip_prefix("ICMP6, ").or(old_v6) {
        let text = text.trim_start();
        match parse_v6(text, has_header)? {
            // FortiGate writes those of both families alike.
            None if old_v6.is_some() => parse_v4(text)?,
            claim => claim,
        }
    } else if let Some(text) =
        summary.strip_prefix("ICMP ").or_else(|| strip_old_lead(summary, "icmp"))
    {
        parse_v4(text.trim_start())?
    } else {
        None
    };
    let Some(claim) = claim else {
        return Ok(find_neighbour_discovery(from, summary)
            .map_or(IcmpReading::Other, IcmpReading::Neighbour));
    };
    let printed = claim.destination.map(|destination| Quote {
        source: to,
        source_port: None,
        destination,
        destination_port: claim.destination_port,
        kind: claim.quoted,
        tunnel: None,
    });
    let quote = match find_quote(body) {
        Some(QuotedPacket::Of(quote)) => Some(quote),
        Some(QuotedPacket::Other) => return Ok(IcmpReading::Other),
        None => printed,
    };
    Ok(IcmpReading::Error(IcmpError { kind: claim.kind, from, to, quote, fingerprint: None }))
}

/// What follows `icmp: `, as tcpdump 3 wrote it; until 3.8 its length stood there too:
/// `icmp 36: `.
fn strip_old_lead<'a>(summary: &'a str, lead: &str) -> Option<&'a str> {
    let (length, text) = summary.strip_prefix(lead)?.split_once(": ")?;
    let digits = length.strip_prefix(' ').unwrap_or(length);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

/// What the ICMP line itself says.
struct Claim {
    kind: IcmpKind,
    destination: Option<IpAddr>,
    destination_port: Option<u16>,
    quoted: QuotedKind,
}

impl Claim {
    const fn bare(kind: IcmpKind) -> Self {
        Self { kind, destination: None, destination_port: None, quoted: QuotedKind::Unknown }
    }
}

/// What ends no exchange, and is to be ignored (RFC 6633 section 3).
const QUENCH: &str = "source quench";

/// The texts of tcpdump's print-icmp.c.
fn parse_v4(text: &str) -> Result<Option<Claim>, String> {
    if text.starts_with("time exceeded") {
        return Ok(Some(Claim::bare(IcmpKind::TimeExceeded)));
    }
    if text.starts_with("ip reassembly time") {
        return Ok(Some(Claim::bare(IcmpKind::ReassemblyTimeExceeded)));
    }
    if text.starts_with("parameter problem") {
        return Ok(Some(Claim::bare(IcmpKind::Other)));
    }
    if text.starts_with(QUENCH) {
        return Ok(None);
    }
    let (about, reason) = match (text.split_once(" unreachable"), cut::find_v4(text)) {
        (Some((_, reason)), _) if cut::is_reason_cut(reason) => return Err(cut::MESSAGE.to_owned()),
        (Some(parts), _) => parts,
        (None, Some(Cut::Before(about))) => (about, ""),
        (None, Some(Cut::Unknown)) => return Err(cut::MESSAGE.to_owned()),
        (None, None) => return Ok(None),
    };
    let (first, rest) = split_word(about);
    let (kind, name, detail) = match first {
        "host" => (IcmpKind::HostUnreachable, rest, ""),
        "net" => (IcmpKind::NetworkUnreachable, rest, ""),
        name => (IcmpKind::Other, name, rest),
    };
    // `tos prohibited` is said of a way that this type of service may not take.
    let kind = if reason.contains("prohibited") && !reason.contains("tos prohibited") {
        IcmpKind::AdminProhibited
    } else if reason.contains("need to frag") {
        IcmpKind::PacketTooBig
    } else {
        kind
    };
    claim_about(kind, name, detail)
}

const UNREACHABLE: &str = "destination unreachable";

/// Reasons of an ICMPv6 destination unreachable.
const REASONS: &[(&str, IcmpKind)] = &[
    ("unreachable port", IcmpKind::PortUnreachable),
    ("unreachable address", IcmpKind::HostUnreachable),
    ("unreachable route", IcmpKind::NetworkUnreachable),
    ("unreachable prohibited", IcmpKind::AdminProhibited),
    ("administratively prohibited", IcmpKind::AdminProhibited),
    ("beyond scope", IcmpKind::HostUnreachable),
    // tcpdump 4.99 has no words for RFC 4443's codes 5 and 6: a source address that a
    // policy refuses, and a route that rejects.
    ("unknown unreach code (5)", IcmpKind::AdminProhibited),
    ("unknown unreach code (6)", IcmpKind::AdminProhibited),
];

/// The texts of tcpdump's print-icmp6.c, which ends them with a length but under `-v`.
fn parse_v6(text: &str, is_verbose: bool) -> Result<Option<Claim>, String> {
    if text.starts_with("packet too big") {
        return Ok(Some(Claim::bare(IcmpKind::PacketTooBig)));
    }
    if text.starts_with("parameter problem") {
        return Ok(Some(Claim::bare(IcmpKind::Other)));
    }
    if text.starts_with("ip6 reassembly time")
        || text.starts_with("time exceeded in-transit (reassembly)")
    {
        return Ok(Some(Claim::bare(IcmpKind::ReassemblyTimeExceeded)));
    }
    if text.starts_with("time exceed") {
        let claim = Claim::bare(IcmpKind::TimeExceeded);
        let name = text.split_once(" for ").map(|(_, rest)| split_word(rest).0);
        let destination = name.and_then(|name| parse_address(name.trim_end_matches(',')).ok());
        return Ok(Some(Claim { destination, ..claim }));
    }
    if text != UNREACHABLE && UNREACHABLE.starts_with(text.trim_end()) {
        return Err(cut::MESSAGE.to_owned());
    }
    let Some(reason) = text.strip_prefix(UNREACHABLE) else {
        return Ok(None);
    };
    let reason = reason.trim_start_matches([',', ' ']);
    let found = REASONS.iter().find_map(|(lead, kind)| Some((reason.strip_prefix(lead)?, *kind)));
    let Some((about, kind)) = found else {
        if cut::is_v6_cut(reason, REASONS.iter().map(|(lead, _)| *lead)) {
            return Err(cut::MESSAGE.to_owned());
        }
        return Ok(Some(Claim::bare(IcmpKind::Other)));
    };
    let about = about.trim_start_matches([',', ' ']);
    if kind == IcmpKind::PortUnreachable && cut::is_v6_port_cut(about) {
        return Err(cut::MESSAGE.to_owned());
    }
    if about.starts_with("length ") {
        return Ok(Some(Claim::bare(kind)));
    }
    let (name, detail) = split_word(about);
    let claim = claim_about(kind, name, detail)?;
    // Where the length is missing, the port's last digits may be cut. The quoted host still
    // tells the flow.
    let may_be_cut = !is_verbose && !about.contains("length ");
    Ok(claim.map(|claim| Claim {
        destination_port: claim.destination_port.filter(|_| !may_be_cut),
        ..claim
    }))
}

/// `name` is what could not be reached, `detail` is `udp port 69` or the like.
fn claim_about(kind: IcmpKind, name: &str, detail: &str) -> Result<Option<Claim>, String> {
    let (transport, rest) = split_word(detail);
    let claim = match transport {
        "udp" | "tcp" => {
            // print-icmp.c and print-icmp6.c always print the word.
            let Some(port) = rest.strip_prefix("port ").map(str::trim_start) else {
                return Err(format!(
                    "expected `port` and its number behind `{transport}`, as tcpdump prints them, and found '{}'; paste the whole line",
                    rest.chars().take(20).collect::<String>()
                ));
            };
            let port = port.split([',', ' ']).next().and_then(find_port_or_stand_in);
            let kind = if kind == IcmpKind::Other { IcmpKind::PortUnreachable } else { kind };
            let quoted = match transport {
                "tcp" => QuotedKind::Segment(None),
                _ => QuotedKind::Datagram,
            };
            Claim { kind, destination: None, destination_port: port, quoted }
        }
        // `192.0.2.1 protocol 17 unreachable`; others are not about UDP, and a
        // host that does not know TCP is no host.
        "protocol" if !rest.starts_with("17") => return Ok(None),
        _ => Claim::bare(kind),
    };
    let name = name.trim_end_matches([',', ':']);
    if name.is_empty() || name.starts_with('[') {
        return Ok(Some(claim));
    }
    Ok(Some(Claim { destination: Some(parse_address(name)?), ..claim }))
}

#[cfg(test)]
mod tests;
