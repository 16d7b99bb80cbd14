//! A frame's bytes to a [`Packet`].
//!
//! | file | reads |
//! |---|---|
//! | `link` | link layers and VLAN tags, down to the IP header |
//! | `ip` | IPv4, IPv6 and its extension headers, fragments |
//! | `udp` | ports, lengths and the payload's fingerprint |
//! | `icmp` | ICMP and ICMPv6 errors and the datagram that they quote |
//! | `app` | what the payload says, as far as pairing needs it |
//!
//! Every header may be cut by a snap length. What is there is read; what is
//! missing stays unknown.

mod app;
mod field;
mod fingerprint;
mod icmp;
mod ip;
mod link;
mod udp;

use etherparse::IpNumber;

use crate::model::capture::{Frame, LinkType};
use crate::model::packet::{Content, Packet};

/// What a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A UDP datagram, or an ICMP error that may concern one.
    Packet(Packet),
    /// Anything else: ARP, TCP, ICMP echo, later fragments.
    Other,
}

/// Why a frame could not be decoded. Other frames of the capture are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{0} is not supported")]
    UnsupportedLinkType(LinkType),
    #[error("{layer} header needs {required_bytes} bytes, {found_bytes} are there")]
    Cut { layer: &'static str, required_bytes: usize, found_bytes: usize },
    #[error("{layer} header is damaged: {message}")]
    Damaged { layer: &'static str, message: String },
}

/// Reads one frame.
///
/// Of a fragmented datagram the first fragment is the datagram; the later ones
/// carry no ports and are [`Decoded::Other`].
///
/// # Errors
///
/// Where the link type is unknown, or a header that leads to UDP or ICMP is
/// cut or damaged before its ports.
pub fn decode(frame: &Frame<'_>) -> Result<Decoded, DecodeError> {
    let Some(link) = link::parse_link(frame.link_type, frame.bytes)? else {
        return Ok(Decoded::Other);
    };
    let header_bytes = field::saturating_u32(frame.bytes.len() - link.ip.len());
    let packet = ip::parse_ip(link.ip, frame.original_length.saturating_sub(header_bytes))?;
    if packet.is_later_fragment {
        return Ok(Decoded::Other);
    }
    let content = match packet.protocol {
        IpNumber::UDP => Some(Content::Datagram(udp::parse_datagram(&packet)?)),
        IpNumber::ICMP => icmp::parse_icmp(&packet)?.map(Content::IcmpError),
        IpNumber::IPV6_ICMP => icmp::parse_icmpv6(&packet)?.map(Content::IcmpError),
        _ => None,
    };
    Ok(content.map_or(Decoded::Other, |content| {
        Decoded::Packet(Packet {
            frame: frame.number,
            at: frame.at,
            interface: frame.interface,
            kernel_interface: link.kernel_interface,
            direction: link.direction.or(frame.direction),
            ip_identification: packet.identification,
            content,
        })
    }))
}

#[cfg(test)]
mod tests;
