//! The packet that an ICMP error quotes, as `-v` prints it below the error.

use super::address::Host;
use super::fixed_names::settle_ends;
use super::handshake::find_segment;
use super::ip_header::IpHeader;
use super::line::{Family, Network, read_head};
use super::network::{Body, Transport, parse_addressed, read_body, read_network_text};
use crate::model::endpoint::FlowKey;
use crate::model::packet::Quote;
use crate::model::segment::{QuotedKind, Segment};

/// The packet below an ICMP error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotedPacket {
    Of(Quote),
    /// TCP in mid-connection, or another protocol that is not ours.
    Other,
}

/// The packet quoted below an error: `IP (…)` and its addresses, on one line
/// or two. A name has the address that stands for it.
#[must_use]
pub fn find_quote(body: &[String]) -> Option<QuotedPacket> {
    let Printed { family, header, source, destination, summary } = find_printed(body)?;
    match parse_addressed(header.as_ref(), source, destination, summary) {
        Ok(Some(addressed)) => match addressed.transport {
            Transport::Udp { source_port, destination_port, .. } => {
                let (source, destination) = settle_ends(&addressed, family);
                Some(QuotedPacket::Of(Quote {
                    source: source.stand_in(family),
                    source_port: Some(source_port),
                    destination: destination.stand_in(family),
                    destination_port: Some(destination_port),
                    kind: QuotedKind::Datagram,
                    tunnel: None,
                }))
            }
            Transport::Icmp(_) | Transport::Other => Some(QuotedPacket::Other),
        },
        Ok(None) => Some(
            find_segment(source, destination, summary)
                .map_or(QuotedPacket::Other, |segment| QuotedPacket::Of(segment_quote(segment))),
        ),
        Err(_) => None,
    }
}

/// The names that stand at the ends of the packet quoted below an error.
#[must_use]
pub fn find_quoted_names(body: &[String]) -> Vec<String> {
    let Some(Printed { family, header, source, destination, summary }) = find_printed(body) else {
        return Vec::new();
    };
    let Ok(Some(addressed)) = parse_addressed(header.as_ref(), source, destination, summary) else {
        return Vec::new();
    };
    let (source, destination) = settle_ends(&addressed, family);
    [source, destination].into_iter().filter_map(Host::name).collect()
}

/// A quoted packet's line, in its parts.
struct Printed<'a> {
    family: Family,
    header: Option<IpHeader>,
    source: &'a str,
    destination: &'a str,
    summary: &'a str,
}

fn find_printed(body: &[String]) -> Option<Printed<'_>> {
    let (at, family, text) =
        body.iter().enumerate().find_map(|(at, line)| match read_head(line).network {
            Network::Ip { family, text } => Some((at, family, text)),
            Network::Labels | Network::Other | Network::Unknown => None,
        })?;
    let network = read_network_text(text);
    let body = match network.body {
        Body::OnNextLine => read_body(body.get(at + 1)?),
        here => here,
    };
    let Body::Sides { source, destination, summary, .. } = body else {
        return None;
    };
    Some(Printed { family, header: network.header, source, destination, summary })
}

fn segment_quote(segment: Segment) -> Quote {
    let FlowKey { source, destination, .. } = segment.flow;
    Quote {
        source: source.address,
        source_port: Some(source.port),
        destination: destination.address,
        destination_port: Some(destination.port),
        kind: QuotedKind::Segment(Some(segment.kind)),
        tunnel: None,
    }
}
