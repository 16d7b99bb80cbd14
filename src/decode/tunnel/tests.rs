//! Every tunnel around both IP versions, cut at every length, and what only
//! looks like a tunnel.

use std::net::IpAddr;

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::super::tests::{datagram, datagram_of, decode, endpoints, frame, packet_of};
use super::super::{Decoded, LinkType};
use super::MAX_DEPTH;
use super::samples::{
    ADDRESSES, Carrier, OUTER_V4, OUTER_V6, gtp_u, in_frame, outer, outer_datagram, outer_tunnel,
    tunnels,
};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Application, Content, TunnelKind};
use crate::model::protocol::Protocol;
use crate::model::segment::SegmentKind;

/// Both IP versions inside both.
const VERSIONS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn the_inner_datagram_is_the_packet_and_the_tunnel_is_noted() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let inner = datagram(is_v6, b"\0\x02startup.cfg\0octet\0");
        let (device, vip) = endpoints(is_v6);
        let ports_end = if is_v6 { 44 } else { 24 };
        for (name, kind, carrier, payload) in tunnels(&inner, is_outer_v6) {
            let name = format!("{name}, outer IPv6 {is_outer_v6}, inner IPv6 {is_v6}");
            let bytes = carrier.wrap(is_outer_v6, &payload);
            let header_bytes = bytes.len() - inner.len();
            for captured_bytes in 0..=bytes.len() {
                let cut = frame(LinkType::RawIp, &bytes[..captured_bytes], bytes.len());
                let decoded = decode(&cut);
                if captured_bytes >= header_bytes + ports_end {
                    let packet = packet_of(decoded).unwrap();
                    assert_eq!(packet.tunnel, Some(outer_tunnel(is_outer_v6, kind)), "{name}");
                    let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
                    assert_eq!(datagram.flow, FlowKey::udp(device, vip), "{name}");
                    assert_eq!(usize::try_from(datagram.length), Ok(inner.len() - ports_end - 4));
                } else if let Ok(Decoded::Packet(packet)) = decoded {
                    // What is inside cannot be told, so the outer datagram counts.
                    assert_eq!(packet.tunnel, None, "{name} {captured_bytes}");
                    assert!(matches!(carrier, Carrier::Datagram(_)), "{name}");
                }
            }
        }
    }
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
fn a_handshake_inside_a_tunnel_is_read() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let (device, vip) = endpoints(is_v6);
        let mut syn = datagram(is_v6, &[0; 12]);
        let ports = if is_v6 { 40 } else { 20 };
        syn[if is_v6 { 6 } else { 9 }] = 6;
        syn[ports + 4..ports + 8].copy_from_slice(&[0, 0, 0, 9]);
        syn[ports + 12..ports + 14].copy_from_slice(&[0x50, 2]);
        for (name, kind, carrier, payload) in tunnels(&syn, is_outer_v6) {
            let bytes = carrier.wrap(is_outer_v6, &payload);
            let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
            assert_eq!(packet.tunnel, Some(outer_tunnel(is_outer_v6, kind)), "{name}");
            let Content::Segment(segment) = packet.content else { panic!("{name}") };
            assert_eq!(segment.flow, FlowKey::tcp(device, vip), "{name}");
            assert_eq!(segment.kind, SegmentKind::Syn { awaits: 10 }, "{name}");
        }
    }
}

#[test]
fn a_mirrored_packet_may_be_longer_than_its_copy() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let (device, vip) = endpoints(is_v6);
        let ip = datagram(is_v6, &[7; 400]);
        let header_bytes = if is_v6 { 48 } else { 28 };
        let frame_of = |kept_bytes: usize| in_frame(&ip)[..14 + kept_bytes].to_vec();
        let ether_type = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let vxlan: &[u8] = &[8, 0, 0, 0, 0, 0, 42, 0];
        let geneve = [&[0, 0], ether_type.as_slice(), &[0, 0, 42, 0]].concat();
        let tzsp: &[u8] = &[1, 0, 0, 1, 1];
        let cases = [
            ("VXLAN", 4789, [vxlan, &frame_of(100)].concat(), Some(Some(42))),
            (
                "VXLAN, UDP header alone",
                4789,
                [vxlan, &frame_of(header_bytes)].concat(),
                Some(Some(42)),
            ),
            ("VXLAN, cut in the header", 8472, [vxlan, &frame_of(12)].concat(), None),
            ("VXLAN elsewhere", 31_000, [vxlan, &frame_of(100)].concat(), None),
            ("Geneve", 6081, [&geneve, &ip[..100]].concat(), Some(Some(42))),
            ("Geneve elsewhere", 31_000, [&geneve, &ip[..100]].concat(), None),
            ("TZSP", 37_008, [tzsp, &frame_of(100)].concat(), Some(None)),
            ("TZSP elsewhere", 31_000, [tzsp, &frame_of(100)].concat(), None),
        ];
        let without_ports = [vxlan, &frame_of(header_bytes - 8)].concat();
        let bytes = outer_datagram(is_outer_v6, 4789, &without_ports);
        let carrier = Decoded::Carrier(outer_tunnel(is_outer_v6, (TunnelKind::Vxlan, Some(42))));
        assert_eq!(decode(&frame(LinkType::RawIp, &bytes, bytes.len())), Ok(carrier));
        for (name, port, payload, key) in cases {
            let bytes = outer_datagram(is_outer_v6, port, &payload);
            let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
            assert_eq!(packet.tunnel.map(|tunnel| tunnel.key), key, "{name}");
            let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
            if key.is_some() {
                assert_eq!(datagram.flow, FlowKey::udp(device, vip), "{name}");
                assert_eq!((datagram.length, datagram.is_cut), (400, true), "{name}");
            } else {
                assert_eq!(datagram.flow.destination.port, port, "{name}");
            }
        }
    }
}

#[test]
fn an_icmp_error_inside_a_tunnel_is_the_packet() {
    let quoted = datagram(false, b"request");
    let mut error = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 10], [192, 0, 2, 77], 64)
        .icmpv4_raw(3, 3, [0; 4])
        .write(&mut error, &quoted[..28])
        .unwrap();
    let mut error_v6 = Vec::new();
    let (device, vip) = endpoints(true);
    let octets = |address: IpAddr| match address {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(_) => panic!("IPv4"),
    };
    PacketBuilder::ipv6(octets(vip.address), octets(device.address), 64)
        .icmpv6_raw(1, 4, [0; 4])
        .write(&mut error_v6, &datagram(true, b"request"))
        .unwrap();
    for (is_outer_v6, error) in
        [(false, &error), (true, &error), (false, &error_v6), (true, &error_v6)]
    {
        for (name, kind, carrier, payload) in tunnels(error, is_outer_v6) {
            let bytes = carrier.wrap(is_outer_v6, &payload);
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            let packet = packet_of(decoded).unwrap();
            assert_eq!(packet.tunnel, Some(outer_tunnel(is_outer_v6, kind)), "{name}");
            assert!(matches!(packet.content, Content::IcmpError(_)), "{name}");
        }
    }
}

#[test]
fn a_quote_is_read_through_the_tunnel() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let inner = datagram(is_v6, b"request");
        let (device, vip) = endpoints(is_v6);
        for (name, _, carrier, payload) in tunnels(&inner, is_outer_v6) {
            let quoted = carrier.wrap(is_outer_v6, &payload);
            // As much as routers quote of a packet they could not forward.
            let mut error = Vec::new();
            let builder = PacketBuilder::ipv4([203, 0, 113, 9], OUTER_V4.0, 64);
            let builder_v6 = PacketBuilder::ipv6(OUTER_V6.1, OUTER_V6.0, 64);
            if is_outer_v6 {
                builder_v6.icmpv6_raw(1, 0, [0; 4]).write(&mut error, &quoted).unwrap();
            } else {
                builder.icmpv4_raw(3, 1, [0; 4]).write(&mut error, &quoted).unwrap();
            }
            let header_bytes = error.len() - inner.len();
            for captured_bytes in 0..=error.len() {
                let cut = frame(LinkType::RawIp, &error[..captured_bytes], error.len());
                let Ok(Decoded::Packet(packet)) = decode(&cut) else { continue };
                let Content::IcmpError(error) = packet.content else { panic!("{name}") };
                assert_eq!(packet.tunnel, None, "{name}");
                if captured_bytes >= header_bytes + if is_v6 { 44 } else { 24 } {
                    let quote = error.quote.unwrap();
                    assert_eq!(quote.source_endpoint(), Some(device), "{name}");
                    assert_eq!(quote.destination_endpoint(), Some(vip), "{name}");
                }
            }
        }
    }
}

#[test]
fn tunnels_nest_as_deep_as_the_limit() {
    for is_v6 in [false, true] {
        let mut bytes = datagram(is_v6, b"request");
        let port = if is_v6 { 44 } else { 24 } - 2;
        let inner_port = u16::from_be_bytes([bytes[port], bytes[port + 1]]);
        for depth in 1..=MAX_DEPTH + 2 {
            bytes = outer_datagram(
                is_v6,
                4789,
                &[&[8, 0, 0, 0, 0, 0, depth, 0], in_frame(&bytes).as_slice()].concat(),
            );
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            let datagram = datagram_of(decoded).unwrap();
            let expected = if depth <= MAX_DEPTH { inner_port } else { 4789 };
            assert_eq!(datagram.flow.destination.port, expected, "{depth}");
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
            let bytes = outer_datagram(is_v6, port, &payload);
            let decoded = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
            let packet = packet_of(decoded).unwrap();
            assert_eq!(packet.tunnel, None, "{name}");
            let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
            assert_eq!(datagram.flow.destination.port, port, "{name}");
            assert_eq!(usize::try_from(datagram.length), Ok(payload.len()), "{name}");
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
            let bytes = outer_datagram(is_v6, port, &payload);
            let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
            assert_eq!(packet.tunnel, None, "{name}");
            let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
            assert_eq!(datagram.flow.destination.port, port, "{name}");
            assert_eq!(usize::try_from(datagram.length), Ok(payload.len()), "{name}");
        }
    }
}

#[test]
fn a_padded_frame_may_be_at_any_port() {
    let ip = datagram(false, &[]);
    let mut ethernet = in_frame(&ip);
    ethernet.resize(60, 0);
    let bytes =
        outer_datagram(false, 31_000, &[&[8, 0, 0, 0, 0, 0, 42, 0], ethernet.as_slice()].concat());
    let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
    assert_eq!(packet.tunnel, Some(outer_tunnel(false, (TunnelKind::Vxlan, Some(42)))));
}

#[test]
fn packets_are_known_at_ports_that_nobody_registered() {
    use TunnelKind::{GreInUdp, Gue, IpInUdp, Teredo};
    for (is_outer_v6, is_v6) in VERSIONS {
        let ip = datagram(is_v6, b"\0\x02startup.cfg\0octet\0");
        let protocol = if is_v6 { 41 } else { 4 };
        let ether_type: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let cases = [
            ("FOU", (IpInUdp, None), ip.clone()),
            ("GUE", (Gue, None), [&[0, protocol, 0, 0], ip.as_slice()].concat()),
            (
                "GUE, private flags",
                (Gue, None),
                [&[2, protocol, 0, 1, 0, 0, 0, 1, 0, 4, 0, 8], ip.as_slice()].concat(),
            ),
            ("GRE", (GreInUdp, None), [&[0, 0], ether_type.as_slice(), &ip].concat()),
            (
                "GRE, key",
                (GreInUdp, Some(7)),
                [&[0x20, 0], ether_type.as_slice(), &[0, 0, 0, 7], &ip].concat(),
            ),
        ];
        let (device, vip) = endpoints(is_v6);
        for (name, kind, payload) in cases {
            let bytes = outer_datagram(is_outer_v6, 5_555, &payload);
            let header_bytes = bytes.len() - ip.len();
            let shown = header_bytes + if is_v6 { 46 } else { 24 };
            for captured_bytes in 0..=bytes.len() {
                let cut = frame(LinkType::RawIp, &bytes[..captured_bytes], bytes.len());
                let Ok(Decoded::Packet(packet)) = decode(&cut) else { continue };
                let is_found = packet.tunnel.is_some();
                assert_eq!(is_found, captured_bytes >= shown, "{name} {captured_bytes}");
                let Content::Datagram(datagram) = packet.content else { panic!("{name}") };
                if is_found {
                    assert_eq!(packet.tunnel, Some(outer_tunnel(is_outer_v6, kind)), "{name}");
                    assert_eq!(datagram.flow, FlowKey::udp(device, vip), "{name}");
                }
            }
        }
        if is_v6 {
            let mut ip = ip.clone();
            ip[8..24].copy_from_slice(&[0x20, 1, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
            let bytes = outer_datagram(is_outer_v6, 5_555, &ip);
            let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
            assert_eq!(packet.tunnel, Some(outer_tunnel(is_outer_v6, (Teredo, None))));
        }
    }
}

#[test]
fn fragments_of_capwap_belong_to_no_exchange() {
    for (is_outer_v6, is_v6) in VERSIONS {
        let (device, vip) = endpoints(is_v6);
        let ethernet = in_frame(&datagram(is_v6, &[7; 400]));
        let part = |offset: u8, inside: &[u8]| {
            let header = [0, 0x10, 2, 0x80, 0, 7, offset, 0];
            let bytes = outer_datagram(is_outer_v6, 5247, &[&header, inside].concat());
            decode(&frame(LinkType::RawIp, &bytes, bytes.len()))
        };
        let first = packet_of(part(0, &ethernet[..200])).unwrap();
        let Content::Datagram(datagram) = first.content else { panic!("no datagram") };
        assert_eq!(datagram.flow, FlowKey::udp(device, vip));
        assert_eq!((datagram.length, datagram.is_cut), (400, true));
        let carrier = Decoded::Carrier(outer_tunnel(is_outer_v6, (TunnelKind::Capwap, None)));
        assert_eq!(part(1, &ethernet[200..]), Ok(carrier));
    }
}

proptest! {
    #[test]
    fn changed_tunnels_never_panic(
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        is_outer_v6 in any::<bool>(),
        is_v6 in any::<bool>(),
    ) {
        let samples = tunnels(&datagram(is_v6, b"request"), is_outer_v6);
        let (_, _, carrier, payload) = &samples[sample.index(samples.len())];
        let mut bytes = carrier.wrap(is_outer_v6, payload);
        for (offset, value) in changes {
            let offset = offset.index(bytes.len());
            bytes[offset] = value;
        }
        let _ = decode(&frame(LinkType::RawIp, &bytes, bytes.len()));
        let captured = &bytes[..cut.index(bytes.len())];
        let _ = decode(&frame(LinkType::RawIp, captured, bytes.len()));
    }
}
