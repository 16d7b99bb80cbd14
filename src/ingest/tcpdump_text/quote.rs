//! The packet that an ICMP error quotes, as `-v` prints it below the error.

use super::handshake::find_segment;
use super::line::{Network, read_head};
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
/// or two.
#[must_use]
pub fn find_quote(body: &[String]) -> Option<QuotedPacket> {
    let (at, text) =
        body.iter().enumerate().find_map(|(at, line)| match read_head(line).network {
            Network::Ip { text, .. } => Some((at, text)),
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
    let header = network.header.as_ref();
    match parse_addressed(header, source, destination, summary) {
        Ok(Some(addressed)) => match addressed.transport {
            Transport::Udp { source_port, destination_port, .. } => Some(QuotedPacket::Of(Quote {
                source: addressed.source.address().ok()?,
                source_port: Some(source_port),
                destination: addressed.destination.address().ok()?,
                destination_port: Some(destination_port),
                kind: QuotedKind::Datagram,
            })),
            Transport::Icmp(_) | Transport::Other => Some(QuotedPacket::Other),
        },
        Ok(None) => Some(
            find_segment(source, destination, summary)
                .map_or(QuotedPacket::Other, |segment| QuotedPacket::Of(segment_quote(segment))),
        ),
        Err(_) => None,
    }
}

fn segment_quote(segment: Segment) -> Quote {
    let FlowKey { source, destination, .. } = segment.flow;
    Quote {
        source: source.address,
        source_port: Some(source.port),
        destination: destination.address,
        destination_port: Some(destination.port),
        kind: QuotedKind::Segment(Some(segment.kind)),
    }
}
