//! What the bytes of a dump are: a frame behind a link header, or an IP packet.

use std::net::IpAddr;

use crate::model::capture::LinkType;

/// The bytes of a dump, with what they begin with.
#[derive(Debug, PartialEq, Eq)]
pub struct DumpedFrame<'a> {
    pub link_type: LinkType,
    pub original_length: u32,
    pub bytes: &'a [u8],
}

impl DumpedFrame<'_> {
    /// Source and destination in the IP header; `None` where there is none.
    #[must_use]
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let (link_type, bytes) = (Some(self.link_type), self.bytes);
        let linked = link_headers(link_type)
            .into_iter()
            .find(|(link, start)| *link == self.link_type && names_ip(*link, bytes, *start));
        let packet = bytes.get(linked.map_or(0, |(_, start)| start)..)?;
        if packet.first()? >> 4 == 4 {
            let at = |start: usize| <[u8; 4]>::try_from(packet.get(start..start + 4)?).ok();
            return Some((at(12)?.into(), at(16)?.into()));
        }
        let at = |start: usize| <[u8; 16]>::try_from(packet.get(start..start + 16)?).ok();
        (packet.first()? >> 4 == 6).then_some((at(8)?.into(), at(24)?.into()))
    }
}

/// The frame, if the bytes hold an IP packet, or ARP behind an Ethernet header.
/// `link_type` is what was captured, `frame_length` what the text says of it.
#[must_use]
pub fn find_frame(
    bytes: &[u8],
    link_type: Option<LinkType>,
    frame_length: Option<u32>,
) -> Option<DumpedFrame<'_>> {
    let linked = link_headers(link_type)
        .into_iter()
        .filter_map(|(link, start)| Some((link, start, ip_length(bytes.get(start..)?)?)))
        .find(|(link, start, _)| names_ip(*link, bytes, *start));
    let raw = ip_length(bytes).map(|length| (LinkType::RawIp, 0, length));
    // A MAC address can begin like an IP header, but then its length does
    // not fit; an IP header hardly ever has an EtherType in its place.
    let (link_type, start, ip_length) =
        linked.or(raw).or_else(|| is_arp(bytes).then_some((LinkType::Ethernet, 14, 28)))?;
    let length = start + ip_length;
    let bytes = bytes.get(..length).unwrap_or(bytes);
    let printed = frame_length.filter(|_| start > 0).and_then(|b| usize::try_from(b).ok());
    let original_length = u32::try_from(printed.unwrap_or(length).max(length)).ok()?;
    Some(DumpedFrame { link_type, original_length, bytes })
}

/// Link headers that `-xx` may begin with, and where IP follows.
fn link_headers(link_type: Option<LinkType>) -> Vec<(LinkType, usize)> {
    let ethernet = [(LinkType::Ethernet, 14), (LinkType::Ethernet, 18), (LinkType::Ethernet, 22)];
    let cooked = [(LinkType::LinuxSll, 16), (LinkType::LinuxSll2, 20)];
    match link_type {
        Some(LinkType::RawIp | LinkType::Ipv4 | LinkType::Ipv6) => Vec::new(),
        Some(link @ (LinkType::LinuxSll | LinkType::LinuxSll2)) => {
            cooked.into_iter().filter(|(known, _)| *known == link).collect()
        }
        Some(LinkType::Ethernet) => ethernet.to_vec(),
        _ => ethernet.into_iter().chain(cooked).collect(),
    }
}

/// Whether the link header before `start` announces the IP version there.
fn names_ip(link_type: LinkType, bytes: &[u8], start: usize) -> bool {
    let at = match link_type {
        LinkType::LinuxSll2 => 0,
        _ => start - 2,
    };
    let is_vlan = |at: usize| matches!(bytes.get(at..at + 2), Some([0x81, 0] | [0x88, 0xa8]));
    let tags_fit = link_type != LinkType::Ethernet || (12..start - 2).step_by(4).all(is_vlan);
    let version = bytes.get(start).map(|byte| byte >> 4);
    tags_fit
        && match bytes.get(at..at + 2) {
            Some([0x08, 0x00]) => version == Some(4),
            Some([0x86, 0xdd]) => version == Some(6),
            _ => false,
        }
}

/// The length in bytes that an IP header at the start claims, if there is one.
fn ip_length(bytes: &[u8]) -> Option<usize> {
    let word = |at: usize| {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(usize::from(u16::from_be_bytes(pair)))
    };
    match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes.first()? & 0x0f) * 4;
            word(2).filter(|total| header >= 20 && *total >= header && bytes.len() >= 20)
        }
        6 => word(4).map(|payload| payload + 40).filter(|_| bytes.len() >= 40),
        _ => None,
    }
}

/// ARP for IPv4 on Ethernet: RFC 826.
fn is_arp(bytes: &[u8]) -> bool {
    bytes.get(12..20) == Some(&[0x08, 0x06, 0, 1, 0x08, 0, 6, 4]) && bytes.len() >= 42
}

#[cfg(test)]
mod tests {
    use super::super::dump::HexDump;
    use super::*;

    const V4: [&str; 2] = [
        "\t0x0000:  4500 0020 0001 0000 4011 f6c9 c000 0201  E.......@.......",
        "\t0x0010:  c000 0202 1388 0045 000c 0000 0004 0000  .......E........",
    ];
    const V6: [&str; 4] = [
        "0x0000:  6000 0000 000c 1140 2001 0db8 0000 0000  `......@........",
        "0x0010:  0000 0000 0000 0001 2001 0db8 0000 0000  ................",
        "0x0020:  0000 0000 0000 0002 1388 0045 000c 0000  ...........E....",
        "0x0030:  0004 0000                                ....",
    ];

    fn dump(lines: &[&str]) -> HexDump {
        let mut dump = HexDump::default();
        for line in lines {
            assert!(dump.push(line), "{line}");
        }
        dump
    }

    #[test]
    fn ip_packets_are_read_without_a_link_header() {
        for (lines, length) in [(&V4[..], 32), (&V6[..], 52)] {
            let dump = dump(lines);
            let frame = find_frame(dump.bytes(), None, None).unwrap();
            assert_eq!((frame.link_type, frame.bytes.len()), (LinkType::RawIp, length));
            assert_eq!(frame.original_length, u32::try_from(length).unwrap());
        }
    }

    #[test]
    fn link_headers_are_recognised() {
        let ethernet = "0x0000:  0200 0000 0001 0200 0000 0002 0800 4500";
        let rest = [
            "0x0010:  0020 0001 0000 4011 f6c9 c000 0201 c000",
            "0x0020:  0202 1388 0045 000c 0000 0004 0000",
        ];
        let sll2 = [
            "0x0000:  0800 0000 0000 0002 0001 0006 0200 0000",
            "0x0010:  0001 0000 4500 0020 0001 0000 4011 f6c9",
            "0x0020:  c000 0201 c000 0202 1388 0045 000c 0000",
            "0x0030:  0004 0000",
        ];
        let cases = [
            (vec![ethernet, rest[0], rest[1]], LinkType::Ethernet, 46),
            (sll2.to_vec(), LinkType::LinuxSll2, 52),
        ];
        for (lines, link_type, length) in cases {
            let dump = dump(&lines);
            let frame = find_frame(dump.bytes(), None, None).unwrap();
            assert_eq!((frame.link_type, frame.bytes.len()), (link_type, length));
        }
    }

    #[test]
    fn padding_goes_and_missing_bytes_are_told() {
        let padded = dump(&[V4[0], V4[1], "\t0x0020:  0000 0000 0000"]);
        assert_eq!(find_frame(padded.bytes(), None, None).unwrap().bytes.len(), 32);
        let cut = dump(&["\t0x0000:  4500 0220 0001 0000 4011 f6c9 c000 0201", V4[1]]);
        let frame = find_frame(cut.bytes(), None, None).unwrap();
        assert_eq!((frame.original_length, frame.bytes.len()), (544, 32));
    }

    #[test]
    fn only_packets_give_a_frame() {
        let arp = dump(&["0x0000:  0001 0800 0604 0001 0200 0000 0001 c000"]);
        assert_eq!(find_frame(arp.bytes(), None, None), None);
        let request = dump(&[
            "0x0000:  ffff ffff ffff 0200 0000 0001 0806 0001",
            "0x0010:  0800 0604 0001 0200 0000 0001 c000 0201",
            "0x0020:  0000 0000 0000 c000 0202",
        ]);
        let frame = find_frame(request.bytes(), None, None).unwrap();
        assert_eq!((frame.link_type, frame.bytes.len()), (LinkType::Ethernet, 42));
        let gap = dump(&[V4[1]]);
        assert_eq!(find_frame(gap.bytes(), None, None), None);
    }
}
