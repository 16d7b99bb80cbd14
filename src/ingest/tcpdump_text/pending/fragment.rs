//! What a packet's lines say of a fragment.

use std::net::IpAddr;

use super::super::address::parse_side;
use super::super::fragments::{Fragment, Place, Rest, UDP_HEADER_BYTES};
use super::super::ip_header::split_parentheses;
use super::{Host, Pending, Stage};
use crate::model::packet::Datagram;

/// What Ethernet carries of an IPv4 packet behind its header (RFC 894), in whole units of
/// a fragment's offset.
const ETHERNET_PAYLOAD_BYTES: u32 = 1_480;
const IPV4_HEADER_BYTES: u32 = 20;

impl Pending {
    /// The first fragment that the packet is, if what it holds of `datagram` is not all.
    /// Where no header is printed, nor the frame's length, the datagram is only too long
    /// for Ethernet: jumbo frames and loopback carry such whole.
    pub fn find_first_fragment(&self, datagram: &Datagram) -> Option<Fragment> {
        let (source, destination) = self.find_ends()?;
        if source.is_ipv6() {
            return self
                .find_ipv6(source, destination)
                .filter(|found| found.offset_bytes == Some(0));
        }
        if let Some(header) = self.header {
            return header.has_more.then_some(Fragment {
                source,
                destination,
                place: self.place(),
                identification: header.identification.map(u32::from),
                offset_bytes: Some(0),
                payload_bytes: header.payload_length?,
                rest: Rest::More,
            });
        }
        let whole = datagram.length.saturating_add(UDP_HEADER_BYTES);
        let held = self.held_bytes();
        let rest = if self.packet_bytes().is_some() { Rest::More } else { Rest::Unknown };
        (whole > held).then_some(Fragment {
            source,
            destination,
            place: self.place(),
            identification: None,
            offset_bytes: Some(0),
            payload_bytes: held & !7,
            rest,
        })
    }

    /// The later fragment of UDP that the packet is.
    pub fn find_later_fragment(&self) -> Option<Fragment> {
        let (source, destination) = self.find_ends()?;
        if source.is_ipv6() {
            return self
                .find_ipv6(source, destination)
                .filter(|found| found.offset_bytes != Some(0));
        }
        if let Some(header) = self.header {
            let is_udp = header.protocol == Some(17) && header.offset_bytes > 0;
            return is_udp.then_some(Fragment {
                source,
                destination,
                place: self.place(),
                identification: header.identification.map(u32::from),
                offset_bytes: Some(header.offset_bytes),
                payload_bytes: header.payload_length?,
                rest: if header.has_more { Rest::More } else { Rest::Last },
            });
        }
        let Stage::Sides { summary, .. } = &self.stage else { return None };
        matches!(summary.trim(), "ip-proto-17" | "udp").then_some(Fragment {
            source,
            destination,
            place: self.place(),
            identification: None,
            offset_bytes: None,
            payload_bytes: self.held_bytes(),
            rest: Rest::Unknown,
        })
    }

    /// What an IPv4 packet of which only `-e` tells the length holds behind its header.
    fn held_bytes(&self) -> u32 {
        self.packet_bytes()
            .map_or(ETHERNET_PAYLOAD_BYTES, |bytes| bytes.saturating_sub(IPV4_HEADER_BYTES))
    }

    /// The frame's length without its link header, where both are known.
    fn packet_bytes(&self) -> Option<u32> {
        self.frame_length?.checked_sub(self.link_header_bytes?)
    }

    const fn place(&self) -> Place {
        Place { interface: self.interface, direction: self.direction }
    }

    fn find_ends(&self) -> Option<(IpAddr, IpAddr)> {
        let Stage::Sides { source, destination, .. } = &self.stage else { return None };
        let end = |text| match parse_side(text).ok()?.host {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        };
        Some((end(source)?, end(destination)?))
    }

    /// `frag (0x77da6279:0|1448) ` of `-v`, `frag (0|1448) ` without.
    fn find_ipv6(&self, source: IpAddr, destination: IpAddr) -> Option<Fragment> {
        let Stage::Sides { summary, .. } = &self.stage else { return None };
        let at = summary.find("frag (")?;
        let (inside, _) = split_parentheses(summary.get(at + 5..)?)?;
        let (place, bytes) = inside.split_once('|')?;
        let (identification, offset) = match place.split_once(':') {
            Some((identification, offset)) => {
                let digits = identification.strip_prefix("0x")?;
                (Some(u32::from_str_radix(digits, 16).ok()?), offset)
            }
            None => (None, place),
        };
        Some(Fragment {
            source,
            destination,
            place: self.place(),
            identification,
            offset_bytes: Some(offset.parse().ok()?),
            payload_bytes: bytes.parse().ok()?,
            rest: Rest::Unknown,
        })
    }
}
