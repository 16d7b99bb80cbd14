//! Packets inside packets.
//!
//! | file | finds the inner packet |
//! |---|---|
//! | `gre` | of GRE and ERSPAN |
//! | `datagram` | of a UDP payload that looks like a tunnel's |
//! | `vxlan`, `geneve`, `gtp_u`, `teredo` | of one kind of these |
//! | `fit` | by weighing whether bytes are an IP packet of a given length |

mod datagram;
mod fit;
mod geneve;
mod gre;
mod gtp_u;
mod teredo;
mod vxlan;

use etherparse::IpNumber;

use super::DecodeError;
use super::field::saturating_u32;
use super::ip::IpPacket;
use super::link::{Carried, Way};
use crate::model::packet::{LinkAudience, TunnelKind};

pub(super) use datagram::find_inner_of_datagram;

/// Tunnels that are followed into each other; more than any network nests.
pub(super) const MAX_DEPTH: u8 = 8;

/// The packet inside a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner<'a> {
    pub kind: TunnelKind,
    /// See [`TunnelKind::key_name`].
    pub key: Option<u32>,
    /// The bytes from the inner IP header on.
    pub ip: &'a [u8],
    /// How many of them were on the wire.
    pub wire_bytes: u32,
    /// The tunnel's key, network or session, and VLANs inside, as
    /// [`Carried::segment`] folds them.
    pub segment: u64,
    /// To whom the frame inside is addressed, where one is.
    pub audience: LinkAudience,
}

impl<'a> Inner<'a> {
    /// The inner packet at the end of a `payload` that had `length` bytes on the wire.
    fn new(
        (kind, key): (TunnelKind, Option<u32>),
        carried: Carried<'a>,
        payload: &[u8],
        length: u32,
    ) -> Self {
        let header_bytes = payload.len().saturating_sub(carried.ip.len());
        Self {
            kind,
            key,
            ip: carried.ip,
            wire_bytes: length.saturating_sub(saturating_u32(header_bytes)),
            segment: carried.segment,
            audience: carried.audience,
        }
    }
}

/// The packet inside a packet whose IP protocol says that it is a tunnel's: IP
/// in IP and GRE. `None` where there is none.
///
/// # Errors
///
/// Where the tunnel's header is cut.
pub(super) fn parse_inner<'a>(packet: &IpPacket<'a>) -> Result<Option<Inner<'a>>, DecodeError> {
    let is_v4 = packet.source.is_ipv4();
    let (kind, version) = match (packet.protocol, is_v4) {
        (IpNumber::GRE, _) => {
            return Ok(gre::parse_gre(packet.payload)?.map(|(tunnel, carried)| {
                Inner::new(tunnel, carried, packet.payload, packet.length)
            }));
        }
        (IpNumber::IPV4, true) => (TunnelKind::FourInFour, 4),
        (IpNumber::IPV6, true) => (TunnelKind::SixInFour, 6),
        (IpNumber::IPV4, false) => (TunnelKind::FourInSix, 4),
        (IpNumber::IPV6, false) => (TunnelKind::SixInSix, 6),
        _ => return Ok(None),
    };
    let begins_so = packet.payload.first().is_none_or(|byte| byte >> 4 == version);
    let carried = Way::START.leads_to(packet.payload);
    Ok(begins_so.then(|| Inner::new((kind, None), carried, packet.payload, packet.length)))
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
