//! Tunnels at ports that nobody registered for them.

use super::*;

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
