//! ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861), as far as they say who
//! is asked for and who is there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::field::{find_array, find_u8, find_u16};
use super::ip::IpPacket;
use crate::model::neighbour::NeighbourMessage;

/// ICMPv6 types of RFC 4861 sections 4.3 and 4.4.
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// Reads an ARP message: hardware type 2, protocol type 2, their address lengths
/// 1 and 1, operation 2, then sender and target, each with both addresses.
pub(super) fn find_arp(bytes: &[u8]) -> Option<NeighbourMessage> {
    let is_ipv4 = find_u16(bytes, 2)? == 0x0800 && find_u8(bytes, 5)? == 4;
    if !is_ipv4 {
        return None;
    }
    let hardware_bytes = usize::from(find_u8(bytes, 4)?);
    let address = |offset| find_array::<4>(bytes, offset).map(Ipv4Addr::from);
    let sender = address(8 + hardware_bytes)?;
    let target = address(12 + 2 * hardware_bytes);
    // A probe (RFC 5227 section 2.1.1) hopes for silence.
    if sender.is_unspecified() {
        return None;
    }
    let sender = IpAddr::V4(sender);
    match find_u16(bytes, 6)? {
        1 => {
            let wanted = IpAddr::V4(target?);
            // An announcement asks for the sender's own address (RFC 5227 section 3).
            Some(if wanted == sender {
                NeighbourMessage::Answer { address: sender }
            } else {
                NeighbourMessage::Question { asker: sender, wanted }
            })
        }
        2 => Some(NeighbourMessage::Answer { address: sender }),
        _ => None,
    }
}

/// Reads a neighbour solicitation or advertisement: type 1, code 1, checksum 2,
/// flags or reserved 4, target 16.
pub(super) fn find_neighbour_discovery(packet: &IpPacket<'_>) -> Option<NeighbourMessage> {
    let kind = find_u8(packet.payload, 0)?;
    if !matches!(kind, SOLICITATION | ADVERTISEMENT) {
        return None;
    }
    let target: IpAddr = find_array::<16>(packet.payload, 8).map(Ipv6Addr::from)?.into();
    if kind == ADVERTISEMENT {
        return Some(NeighbourMessage::Answer { address: target });
    }
    // Duplicate address detection asks from no address (RFC 4862 section 5.4.2).
    let asker = packet.source;
    (!asker.is_unspecified()).then_some(NeighbourMessage::Question { asker, wanted: target })
}

#[cfg(test)]
mod tests {
    use crate::model::hop::HopMarks;
    use etherparse::IpNumber;

    use super::*;

    const DEVICE: [u8; 4] = [192, 0, 2, 77];
    const NODE: [u8; 4] = [192, 0, 2, 4];

    fn arp(operation: u8, sender: [u8; 4], target: [u8; 4]) -> Option<NeighbourMessage> {
        let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
        bytes.extend([2, 0, 0, 0, 0, 4]);
        bytes.extend(sender);
        bytes.extend([0; 6]);
        bytes.extend(target);
        for cut in 0..bytes.len() {
            // A reply needs no target.
            let needed = if operation == 2 { 18 } else { bytes.len() };
            let is_probe = sender == [0; 4];
            assert!(cut >= needed || is_probe || find_arp(&bytes[..cut]).is_none(), "{cut}");
        }
        find_arp(&bytes)
    }

    fn discovery(kind: u8, source: &str, target: &str) -> Option<NeighbourMessage> {
        let target: Ipv6Addr = target.parse().unwrap();
        let mut payload = vec![kind, 0, 0, 0, 0, 0, 0, 0];
        payload.extend(target.octets());
        let read = |payload: &[u8]| {
            find_neighbour_discovery(&IpPacket {
                source: source.parse().unwrap(),
                destination: "ff02::1:ff00:77".parse().unwrap(),
                protocol: IpNumber::IPV6_ICMP,
                payload,
                length: 24,
                identification: None,
                hop_marks: HopMarks::UNKNOWN,
                fragment: None,
            })
        };
        assert!((0..payload.len()).all(|cut| read(&payload[..cut]).is_none()));
        read(&payload)
    }

    #[test]
    fn questions_and_answers_are_told_from_probes() {
        let v4 = |octets: [u8; 4]| IpAddr::from(octets);
        let question = NeighbourMessage::Question { asker: v4(NODE), wanted: v4(DEVICE) };
        let cases = [
            ("request", 1, NODE, DEVICE, Some(question)),
            ("reply", 2, DEVICE, NODE, Some(NeighbourMessage::Answer { address: v4(DEVICE) })),
            ("announced", 1, NODE, NODE, Some(NeighbourMessage::Answer { address: v4(NODE) })),
            ("probe", 1, [0; 4], DEVICE, None),
            ("reverse ARP", 3, NODE, DEVICE, None),
        ];
        for (name, operation, sender, target, expected) in cases {
            assert_eq!(arp(operation, sender, target), expected, "{name}");
        }
        let v6 = |text: &str| -> IpAddr { text.parse().unwrap() };
        let (node, device) = ("2001:db8::4", "2001:db8::77");
        let question = NeighbourMessage::Question { asker: v6(node), wanted: v6(device) };
        let cases = [
            ("solicitation", 135, node, Some(question)),
            ("advertisement", 136, device, Some(NeighbourMessage::Answer { address: v6(device) })),
            ("duplicate address detection", 135, "::", None),
            ("router solicitation", 133, node, None),
        ];
        for (name, kind, source, expected) in cases {
            assert_eq!(discovery(kind, source, device), expected, "{name}");
        }
    }
}
