//! What only looks like a tunnel, or holds nothing that is looked for.

use super::super::samples::{ADDRESSES, gtp_u, outer};
use super::*;
use crate::model::packet::{Application, Datagram};
use crate::model::protocol::Protocol;

/// The datagram to `port` with this payload, which must be read as no tunnel.
fn read_ordinary(name: &str, is_v6: bool, port: u16, payload: &[u8]) -> Datagram {
    let bytes = outer_datagram(is_v6, port, payload);
    let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
    assert_eq!(packet.tunnel, None, "{name}");
    let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
    assert_eq!(datagram.flow.destination.port, port, "{name}");
    assert_eq!(usize::try_from(datagram.length), Ok(payload.len()), "{name}");
    datagram
}

#[test]
fn a_tunnel_of_something_else_stays_what_it_was() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let with_protocol = |protocol: u8| {
            let mut ip = datagram(is_v6, &[1; 40]);
            ip[if is_v6 { 6 } else { 9 }] = protocol;
            ip
        };
        for (name, kind, carrier, payload) in tunnels(&with_protocol(6), is_outer_v6) {
            let bytes = carrier.wrap(is_outer_v6, &payload);
            let expected = match carrier {
                Carrier::Ip(_) => Decoded::Other,
                Carrier::Datagram(_) => Decoded::Carrier(outer_tunnel(is_outer_v6, kind)),
            };
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            assert_eq!(decoded, Ok(expected), "TCP in {name}");
        }
        for (name, _, carrier, payload) in tunnels(&with_protocol(50), is_outer_v6) {
            let bytes = carrier.wrap(is_outer_v6, &payload);
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            match carrier {
                Carrier::Ip(_) => assert_eq!(decoded, Ok(Decoded::Other), "ESP in {name}"),
                Carrier::Datagram(port) => {
                    let packet = packet_of(decoded).unwrap();
                    assert_eq!(packet.tunnel, None, "ESP in {name}");
                    let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
                    assert_eq!(datagram.flow.destination.port, port, "ESP in {name}");
                }
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_tunnel_is_an_ordinary_datagram() {
    for is_v6 in [false, true] {
        let ip = datagram(is_v6, &[7; 40]);
        let ethernet = in_frame(&ip);
        let longer = [ethernet.as_slice(), &[0; 1]].concat();
        let shorter = &ethernet[..ethernet.len() - 1];
        let arp = [&ADDRESSES, [8, 6].as_slice(), &[0; 46]].concat();
        let vxlan = |flags: u8, reserved: [u8; 4], inside: &[u8]| {
            let [first, second, third, last] = reserved;
            [&[flags, first, second, third, 0, 0, 42, last], inside].concat()
        };
        let geneve = |first: [u8; 4], reserved: u8, inside: &[u8]| {
            [first.as_slice(), &[0, 0, 42, reserved], inside].concat()
        };
        let ether_type: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let [high, low] = ether_type;
        let cases = [
            ("VXLAN, other flag", 31_000, vxlan(0x88, [0; 4], &ethernet)),
            ("VXLAN, generic elsewhere", 31_000, vxlan(0x0c, [0, 0, 3, 0], &ethernet)),
            ("VXLAN, generic, no function chain", 4790, vxlan(0x0c, [0, 0, 4, 0], &ip)),
            ("VXLAN, no flag", 4789, vxlan(0xf7, [0; 4], &ethernet)),
            ("VXLAN, first reserved", 31_000, vxlan(8, [1, 0, 0, 0], &ethernet)),
            ("VXLAN, third reserved", 31_000, vxlan(8, [0, 0, 1, 0], &ethernet)),
            ("VXLAN, last reserved", 31_000, vxlan(8, [0, 0, 0, 1], &ethernet)),
            ("VXLAN, too long", 31_000, vxlan(8, [0; 4], &longer)),
            ("VXLAN, too short", 31_000, vxlan(8, [0; 4], shorter)),
            ("VXLAN, ARP", 31_000, vxlan(8, [0; 4], &arp)),
            ("VXLAN, ARP", 4789, vxlan(8, [0; 4], &arp)),
            ("VXLAN, zeros", 31_000, vxlan(8, [0; 4], &[0; 60])),
            ("Geneve, version", 6081, geneve([0x40, 0, high, low], 0, &ip)),
            ("Geneve, reserved flags", 31_000, geneve([0, 1, high, low], 0, &ip)),
            ("Geneve, reserved byte", 31_000, geneve([0, 0, high, low], 1, &ip)),
            ("L2TP, control", 1701, [&[0x80, 2, 0, 1, 0, 2], ip.as_slice()].concat()),
            ("L2TP, version 3", 1701, [&[0, 3, 0, 1, 0, 2, 0x21], ip.as_slice()].concat()),
            ("L2TP, reserved", 1701, [&[0x10, 2, 0, 1, 0, 2, 0x21], ip.as_slice()].concat()),
            ("L2TP, length", 1701, [&[0x40, 2, 0, 9, 0, 1, 0, 2, 0x21], ip.as_slice()].concat()),
            ("L2TP elsewhere", 31_000, [&[0, 2, 0, 1, 0, 2, 0x21], ip.as_slice()].concat()),
            ("TZSP, version", 37_008, [&[2, 0, 0, 1, 1], ethernet.as_slice()].concat()),
            ("TZSP, keep-alive", 37_008, [&[1, 4, 0, 1, 1], ethernet.as_slice()].concat()),
            ("TZSP, other link", 37_008, [&[1, 0, 0, 9, 1], ethernet.as_slice()].concat()),
            ("TZSP, no end of tags", 37_008, [1, 0, 0, 1].into_iter().chain([0; 70]).collect()),
            ("Geneve, other type", 6081, geneve([0, 0, 8, 6], 0, &ip)),
            ("Geneve, options too long", 6081, geneve([0x3f, 0, high, low], 0, &ip)),
            ("Geneve, too long", 31_000, geneve([0, 0, 0x65, 0x58], 0, &longer)),
            ("Geneve, too short", 31_000, geneve([0, 0, high, low], 0, &ip[..ip.len() - 1])),
            ("GTP-U elsewhere", 31_000, gtp_u(0x30, &[], &ip)),
            ("GTP-U, version 2", 2152, gtp_u(0x50, &[], &ip)),
            ("GTP'", 2152, gtp_u(0x20, &[], &ip)),
            ("GTP-U, no flag for the sequence", 2152, gtp_u(0x30, &[0, 1, 0, 0], &ip)),
            ("GTP-U, length", 2152, [gtp_u(0x30, &[], &ip), vec![0]].concat()),
            ("GTP-U, empty extension", 2152, gtp_u(0x34, &[0, 0, 0, 0x85, 0, 0, 9, 0], &ip)),
            ("Teredo, nonsense", 3544, [&[0, 2, 0, 0], ip.as_slice()].concat()),
            ("Teredo, too short", 3544, ip[..ip.len() - 1].to_vec()),
            ("GRE in UDP, version", 4754, [&[0, 1, high, low], ip.as_slice()].concat()),
            ("GRE in UDP, routing", 4754, [&[0x40, 0, high, low], ip.as_slice()].concat()),
            (
                "GRE in UDP elsewhere",
                31_000,
                [&[0x80, 0, high, low, 0, 0, 0, 0], ip.as_slice()].concat(),
            ),
            ("MPLS in UDP, no bottom", 6635, [0, 1, 0, 64].repeat(40)),
            ("MPLS in UDP elsewhere", 31_000, [&[0, 1, 1, 64], ip.as_slice()].concat()),
        ];
        for (name, port, payload) in cases {
            let datagram = read_ordinary(name, is_v6, port, &payload);
            if port == 4789 {
                assert_eq!(datagram.application, Application::Plain(Protocol::Vxlan), "{name}");
            }
        }
        let mut wrong_version = datagram(is_v6, b"x");
        wrong_version[0] ^= 0x20;
        let protocols: [(u8, &[u8]); 6] = [
            (if is_v6 { 4 } else { 41 }, &ip),
            (if is_v6 { 41 } else { 4 }, &wrong_version),
            (47, &[&[0, 2, high, low], ip.as_slice()].concat()),
            (103, &[&[0x20, 0, 0, 0, 0, 0, 0, 0], ip.as_slice()].concat()),
            (103, &[&[0x21, 0, 0, 0, 0x40, 0, 0, 0], ip.as_slice()].concat()),
            (
                47,
                &[&[0, 0, 0x22, 0xeb, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7c, 0], ethernet.as_slice()]
                    .concat(),
            ),
        ];
        for (protocol, payload) in protocols {
            let bytes = outer(is_v6, protocol, payload);
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            assert_eq!(decoded, Ok(Decoded::Other), "{protocol} {payload:x?}");
        }
    }
}

#[test]
fn what_only_looks_like_capwap_or_ip_is_an_ordinary_datagram() {
    for is_v6 in [false, true] {
        let ip = datagram(is_v6, &[7; 40]);
        let ethernet = in_frame(&ip);
        let shorter = &ethernet[..ethernet.len() - 1];
        let [high, low]: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let protocol = if is_v6 { 41 } else { 4 };
        let damaged = |ip: &[u8]| {
            let mut damaged = ip.to_vec();
            damaged[if is_v6 { 44 } else { 10 }] ^= 1;
            damaged
        };
        let capwap =
            |first: [u8; 4], inside: &[u8]| [first.as_slice(), &[0, 0, 0, 0], inside].concat();
        let cases = [
            ("IP alone, damaged", 31_000, damaged(&ip)),
            ("IP alone, too long", 31_000, [ip.as_slice(), &[0]].concat()),
            ("IP alone, cut in the header", 31_000, ip[..19].to_vec()),
            ("GUE, control", 6080, [&[0x20, protocol, 0, 0], ip.as_slice()].concat()),
            ("GUE, other protocol", 6080, [&[0, 50, 0, 0], ip.as_slice()].concat()),
            ("GUE, other family", 6080, [&[0, 45 - protocol, 0, 0], ip.as_slice()].concat()),
            ("GUE, version 2", 6080, [&[0x80, protocol, 0, 0], ip.as_slice()].concat()),
            ("GUE elsewhere, damaged", 31_000, [&[0, protocol, 0, 0], &damaged(&ip)[..]].concat()),
            ("GUE elsewhere, flags", 31_000, [&[0, protocol, 0, 2], ip.as_slice()].concat()),
            ("GUE elsewhere, length", 31_000, [&[1, protocol, 0, 0, 0, 0, 0, 0], &ip[..]].concat()),
            ("GRE elsewhere, damaged", 31_000, [&[0, 0, high, low], &damaged(&ip)[..]].concat()),
            ("CAPWAP, DTLS", 5247, capwap([1, 0x10, 2, 0], &ethernet)),
            ("CAPWAP, version 1", 5247, capwap([0x10, 0x10, 2, 0], &ethernet)),
            ("CAPWAP, keep-alive", 5247, capwap([0, 0x10, 2, 8], &ethernet)),
            ("CAPWAP, reserved", 5247, capwap([0, 0x10, 2, 1], &ethernet)),
            ("CAPWAP, short header", 5247, capwap([0, 8, 2, 0], &ethernet)),
            ("CAPWAP, other binding", 5247, capwap([0, 0x10, 7, 0], &ethernet)),
            ("CAPWAP, too short", 5247, capwap([0, 0x10, 2, 0], shorter)),
            ("CAPWAP elsewhere", 31_000, capwap([0, 0x10, 2, 0], &ethernet)),
        ];
        for (name, port, payload) in cases {
            read_ordinary(name, is_v6, port, &payload);
        }
    }
}
