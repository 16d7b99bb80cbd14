//! Every tunnel around both IP versions, cut at every length.

mod any_port;
mod lookalikes;

use std::net::IpAddr;

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::super::tests::{datagram, datagram_of, decode, endpoints, frame, packet_of};
use super::super::{Decoded, LinkType};
use super::MAX_DEPTH;
use super::samples::{
    Carrier, OUTER_V4, OUTER_V6, in_frame, outer_datagram, outer_tunnel, tunnels,
};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Content, QuotedTunnel, TunnelKind};
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
        for (name, (kind, _), carrier, payload) in tunnels(&inner, is_outer_v6) {
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
                    let far_end = match carrier {
                        Carrier::Ip(_) => None,
                        Carrier::Datagram(port) => Some(Endpoint::new(
                            outer_tunnel(is_outer_v6, (kind, None)).destination,
                            port,
                        )),
                    };
                    // What is wrong with a mirror's packets is not with what it shows.
                    let is_mirror = kind.is_mirror();
                    let destination = if is_mirror { far_end } else { Some(vip) };
                    assert_eq!(quote.destination_endpoint(), destination, "{name}");
                    assert_eq!(quote.source_endpoint() == Some(device), !is_mirror, "{name}");
                    let expected = far_end.filter(|_| !is_mirror);
                    let expected = expected.map(|far_end| QuotedTunnel { kind, far_end });
                    assert_eq!(quote.tunnel, expected, "{name}");
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
