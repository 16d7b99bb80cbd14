//! Packets inside packets.
//!
//! | file | finds the inner packet |
//! |---|---|
//! | `gre` | of GRE and ERSPAN |
//! | `datagram` | of a UDP payload that looks like a tunnel's |
//! | `vxlan`, `geneve`, `gtp_u`, `teredo`, `l2tp`, `tzsp`, `capwap` | of one kind of these |
//! | `ip_in_udp` | of GUE, and of payloads that are a packet |
//! | `fit` | by weighing whether bytes are an IP packet of a given length |

mod capwap;
mod datagram;
mod fit;
mod geneve;
mod gre;
mod gtp_u;
mod ip_in_udp;
mod l2tp;
mod teredo;
mod tzsp;
mod vxlan;

use etherparse::IpNumber;

use super::DecodeError;
use super::field::saturating_u32;
use super::ip::IpPacket;
use super::link::{self, Carried, Way};
use crate::model::packet::{LinkAudience, TunnelKind};

pub(super) use datagram::find_inner_of_datagram;

/// Tunnels that are followed into each other; more than any network nests.
pub(super) const MAX_DEPTH: u8 = 8;

/// An Ethernet frame follows (RFC 8986 section 10.1), where once stood another protocol.
pub(super) const ETHERNET: IpNumber = IpNumber(143);
/// Protocol Independent Multicast. Its registers are tunnels.
pub(super) const PIM: IpNumber = IpNumber(103);
/// Version 3 (RFC 3931). Its cookie's length is agreed on elsewhere.
const L2TP_3: IpNumber = IpNumber(115);

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

/// The packet inside a packet whose IP protocol says that it is a tunnel's: IP,
/// frames and labels in IP, and GRE. `None` where there is none.
///
/// # Errors
///
/// Where the tunnel's header is cut, or its content is not read.
pub(super) fn parse_inner<'a>(packet: &IpPacket<'a>) -> Result<Option<Inner<'a>>, DecodeError> {
    let is_v4 = packet.source.is_ipv4();
    let (kind, version) = match (packet.protocol, is_v4) {
        (IpNumber::GRE, _) => {
            return Ok(gre::parse_gre(packet.payload)?.map(|(tunnel, carried)| {
                Inner::new(tunnel, carried, packet.payload, packet.length)
            }));
        }
        (IpNumber::ETHER_IP, _) => return parse_ether_ip(packet),
        (ETHERNET, _) => {
            let carried = link::parse_ethernet(packet.payload, Way::START)?;
            return Ok(carried.map(|carried| of(TunnelKind::EthernetInIp, carried, packet)));
        }
        (IpNumber::MPLS_IN_IP, _) => {
            let carried = link::parse_mpls(packet.payload, Way::START)?;
            return Ok(carried.map(|carried| of(TunnelKind::MplsInIp, carried, packet)));
        }
        (PIM, _) => return parse_register(packet),
        (L2TP_3, _) => return Err(DecodeError::Unread("what is inside L2TPv3")),
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

/// EtherIP (RFC 3378): version 3 in four bits, twelve zero bits, a frame.
fn parse_ether_ip<'a>(packet: &IpPacket<'a>) -> Result<Option<Inner<'a>>, DecodeError> {
    let [0x30, 0, frame @ ..] = packet.payload else { return Ok(None) };
    let carried = link::parse_ethernet(frame, Way::START)?;
    Ok(carried.map(|carried| of(TunnelKind::EtherIp, carried, packet)))
}

/// A register of PIM (RFC 7761 section 4.9.3): version and type 1, reserved 1,
/// checksum 2, flags 4, a packet to a group. Without one, the second flag says so.
fn parse_register<'a>(packet: &IpPacket<'a>) -> Result<Option<Inner<'a>>, DecodeError> {
    const HEADER_BYTES: usize = 8;
    const IS_NULL: u8 = 0x40;
    if packet.payload.first().is_some_and(|first| *first != 0x21) {
        return Ok(None);
    }
    let [_, _, _, _, flags, _, _, _, ip @ ..] = packet.payload else {
        let found_bytes = packet.payload.len();
        return Err(DecodeError::Cut { layer: "PIM", required_bytes: HEADER_BYTES, found_bytes });
    };
    let carried = Way::START.leads_to(ip);
    Ok((flags & IS_NULL == 0).then(|| of(TunnelKind::PimRegister, carried, packet)))
}

/// The inner packet of a tunnel without a key.
fn of<'a>(kind: TunnelKind, carried: Carried<'a>, packet: &IpPacket<'a>) -> Inner<'a> {
    Inner::new((kind, None), carried, packet.payload, packet.length)
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
