//! Tunnels of every kind around a packet, for tests.

use std::net::IpAddr;

use etherparse::PacketBuilder;

use crate::model::packet::{Tunnel, TunnelKind};

pub const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
pub const OUTER_V4: ([u8; 4], [u8; 4]) = ([203, 0, 113, 1], [203, 0, 113, 2]);
pub const OUTER_V6: ([u8; 16], [u8; 16]) = (
    [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
);

/// An IP packet between the tunnel's ends.
pub fn outer(is_v6: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if is_v6 {
        let builder = PacketBuilder::ipv6(OUTER_V6.0, OUTER_V6.1, 64);
        builder.write(&mut bytes, protocol.into(), payload).unwrap();
    } else {
        let builder = PacketBuilder::ipv4(OUTER_V4.0, OUTER_V4.1, 64);
        builder.write(&mut bytes, protocol.into(), payload).unwrap();
    }
    bytes
}

/// A datagram between the tunnel's ends.
pub fn outer_datagram(is_v6: bool, port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let header = [51_000, port, length, 0].map(u16::to_be_bytes).concat();
    outer(is_v6, 17, &[&header, payload].concat())
}

pub fn outer_tunnel(is_v6: bool, (kind, key): Kind) -> Tunnel {
    let (source, destination): (IpAddr, IpAddr) = if is_v6 {
        (OUTER_V6.0.into(), OUTER_V6.1.into())
    } else {
        (OUTER_V4.0.into(), OUTER_V4.1.into())
    };
    Tunnel { kind, source, destination, key }
}

pub fn in_frame(ip: &[u8]) -> Vec<u8> {
    let ether_type: [u8; 2] = if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
    [&ADDRESSES, ether_type.as_slice(), ip].concat()
}

pub fn gtp_u(flags: u8, extension: &[u8], ip: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extension.len() + ip.len()).unwrap().to_be_bytes();
    [&[flags, 0xff], length.as_slice(), &[0, 0, 0, 7], extension, ip].concat()
}

/// A tunnel's kind and key.
pub type Kind = (TunnelKind, Option<u32>);

/// A tunnel's name, its kind, what carries it, and its header and content.
pub type Sample = (&'static str, Kind, Carrier, Vec<u8>);

#[derive(Debug, Clone, Copy)]
pub enum Carrier {
    Ip(u8),
    Datagram(u16),
}

impl Carrier {
    pub fn wrap(self, is_v6: bool, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::Ip(protocol) => outer(is_v6, protocol, payload),
            Self::Datagram(port) => outer_datagram(is_v6, port, payload),
        }
    }
}

/// Every tunnel as the payload that carries `ip`.
pub fn tunnels(ip: &[u8], is_outer_v6: bool) -> Vec<Sample> {
    let mut samples = in_packets(ip, is_outer_v6);
    samples.extend(in_datagrams(ip));
    samples
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn ether_type(ip: &[u8]) -> [u8; 2] {
    if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] }
}

fn tagged(ip: &[u8]) -> Vec<u8> {
    join(&[&ADDRESSES, &[0x81, 0, 0, 7], &ether_type(ip), ip])
}

/// Tunnels that an IP protocol carries.
fn in_packets(ip: &[u8], is_outer_v6: bool) -> Vec<Sample> {
    use TunnelKind::{
        Erspan, EtherIp, EthernetInIp, FourInFour, FourInSix, Gre, MplsInIp, PimRegister,
        SixInFour, SixInSix,
    };
    let is_v6 = ip[0] >> 4 == 6;
    let ether_type = ether_type(ip);
    let ethernet = in_frame(ip);
    let kind = match (is_outer_v6, is_v6) {
        (false, false) => FourInFour,
        (false, true) => SixInFour,
        (true, false) => FourInSix,
        (true, true) => SixInSix,
    };
    let everything = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1];
    let call = [0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0];
    let ppp = [0xff, 3, 0, if is_v6 { 0x57 } else { 0x21 }];
    let erspan_3 = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 7, 0, 9, 0, 0, 0, 0, 0, 0];
    let gre = |name, kind, parts: &[&[u8]]| (name, kind, Carrier::Ip(47), join(parts));
    vec![
        ("IP in IP", (kind, None), Carrier::Ip(if is_v6 { 41 } else { 4 }), ip.to_vec()),
        gre("GRE", (Gre, None), &[&[0, 0], &ether_type, ip]),
        gre("GRE with everything", (Gre, Some(7)), &[&[0xb0, 0], &ether_type, &everything, ip]),
        gre("GRE, frame", (Gre, Some(256)), &[&[0x20, 0, 0x65, 0x58, 0, 0, 1, 0], &ethernet]),
        gre("GRE, tagged", (Gre, None), &[&[0, 0, 0x65, 0x58], &tagged(ip)]),
        gre("GRE, labels", (Gre, None), &[&[0, 0, 0x88, 0x47, 0, 1, 1, 64], ip]),
        gre("PPTP", (Gre, Some(3)), &[&call, &ppp, ip]),
        gre("ERSPAN I", (Erspan, None), &[&[0, 0, 0x88, 0xbe], &ethernet]),
        gre(
            "ERSPAN II",
            (Erspan, Some(9)),
            &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 7, 0, 9, 0, 0, 0, 0], &ethernet],
        ),
        gre("ERSPAN III", (Erspan, Some(9)), &[&erspan_3, &[0, 0], &ethernet]),
        gre("ERSPAN III, platform", (Erspan, Some(9)), &[&erspan_3, &[0, 1], &[0; 8], &ethernet]),
        gre("ERSPAN III, IP", (Erspan, Some(9)), &[&erspan_3, &[8, 0], ip]),
        gre("WCCP", (Gre, None), &[&[0, 0, 0x88, 0x3e], ip]),
        gre("WCCP 2", (Gre, None), &[&[0, 0, 0x88, 0x3e, 0x40, 0, 1, 2], ip]),
        ("EtherIP", (EtherIp, None), Carrier::Ip(97), join(&[&[0x30, 0], &ethernet])),
        ("Ethernet in IP", (EthernetInIp, None), Carrier::Ip(143), ethernet.clone()),
        ("Ethernet in IP, tagged", (EthernetInIp, None), Carrier::Ip(143), tagged(ip)),
        ("MPLS in IP", (MplsInIp, None), Carrier::Ip(137), join(&[&[0, 1, 1, 64], ip])),
        (
            "PIM register",
            (PimRegister, None),
            Carrier::Ip(103),
            join(&[&[0x21, 0, 0xde, 0xff, 0, 0, 0, 0], ip]),
        ),
    ]
}

/// Tunnels that UDP carries.
fn in_datagrams(ip: &[u8]) -> Vec<Sample> {
    use TunnelKind::{Geneve, GreInUdp, GtpU, L2tp, MplsInUdp, Teredo, Tzsp, Vxlan};
    let is_v6 = ip[0] >> 4 == 6;
    let ethernet = in_frame(ip);
    let vxlan: &[u8] = &[8, 0, 0, 0, 0, 0, 42, 0];
    let generic = |next: u8| [0x0c, 0, 0, next, 0, 0, 42, 0];
    let next = if is_v6 { 2 } else { 1 };
    let geneve = |words: u8, [high, low]: [u8; 2]| [words, 0, high, low, 0, 0, 42, 0];
    let options = [1, 3, 7, 1, 0, 0, 0, 0, 1, 4, 7, 0];
    let extensions = [0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0];
    let function_chain = [0x0f, 0xc2, 1, next, 0, 0, 9, 0xff];
    let ppp = [0xff, 3, 0, if is_v6 { 0x57 } else { 0x21 }];
    let l2tp_length = u16::try_from(12 + ip.len()).unwrap().to_be_bytes();
    let wireless = [8, 1].into_iter().chain([0; 22]).collect::<Vec<u8>>();
    let snap = [0xaa, 0xaa, 3, 0, 0, 0];
    let of = |name, kind, port, parts: &[&[u8]]| (name, kind, Carrier::Datagram(port), join(parts));
    let mut samples = vec![
        of("VXLAN", (Vxlan, Some(42)), 4789, &[vxlan, &ethernet]),
        of("VXLAN elsewhere", (Vxlan, Some(42)), 31_000, &[vxlan, &ethernet]),
        of("VXLAN at TFTP's port", (Vxlan, Some(42)), 69, &[vxlan, &ethernet]),
        of("VXLAN, tagged", (Vxlan, Some(42)), 8472, &[vxlan, &tagged(ip)]),
        of("VXLAN, generic", (Vxlan, Some(42)), 4790, &[&generic(next), ip]),
        of("VXLAN, generic frame", (Vxlan, Some(42)), 4789, &[&generic(3), &ethernet]),
        of("VXLAN, group", (Vxlan, Some(42)), 4789, &[&[0x88, 0, 0, 5, 0, 0, 42, 0], &ethernet]),
        of("VXLAN, reserved", (Vxlan, Some(42)), 8472, &[&[0xff, 1, 2, 0, 0, 0, 42, 1], &ethernet]),
        of("VXLAN, functions", (Vxlan, Some(42)), 4790, &[&generic(4), &function_chain, ip]),
        of(
            "Geneve, reserved",
            (Geneve, Some(42)),
            6081,
            &[&[0, 1], &ether_type(ip), &[0, 0, 42, 9], ip],
        ),
        of("L2TP", (L2tp, Some(2)), 1701, &[&[0x40, 2], &l2tp_length, &[0, 1, 0, 2], &ppp, ip]),
        of(
            "L2TP, all",
            (L2tp, Some(2)),
            1701,
            &[&[0x0a, 2, 0, 1, 0, 2, 0, 3, 0, 4, 0, 1, 9], &ppp[3..], ip],
        ),
        of("TZSP", (Tzsp, None), 37_008, &[&[1, 0, 0, 1, 0, 10, 1, 7, 1], &ethernet]),
        of(
            "TZSP, wireless",
            (Tzsp, None),
            37_008,
            &[&[1, 1, 0, 18, 1], &wireless, &snap, &ether_type(ip), ip],
        ),
        of("Geneve", (Geneve, Some(42)), 6081, &[&geneve(0, [0x65, 0x58]), &ethernet]),
        of("Geneve elsewhere", (Geneve, Some(42)), 31_000, &[&geneve(0, ether_type(ip)), ip]),
        of(
            "Geneve, options",
            (Geneve, Some(42)),
            31_000,
            &[&geneve(3, [0x65, 0x58]), &options, &ethernet],
        ),
        of("GTP-U", (GtpU, Some(7)), 2152, &[&gtp_u(0x30, &[], ip)]),
        of("GTP-U, sequence", (GtpU, Some(7)), 2152, &[&gtp_u(0x32, &[0, 1, 0, 0], ip)]),
        of("GTP-U, extensions", (GtpU, Some(7)), 2152, &[&gtp_u(0x34, &extensions, ip)]),
        of(
            "GRE in UDP",
            (GreInUdp, Some(7)),
            4754,
            &[&[0x20, 0], &ether_type(ip), &[0, 0, 0, 7], ip],
        ),
        of("MPLS in UDP", (MplsInUdp, None), 6635, &[&[0, 1, 1, 64], ip]),
    ];
    samples.extend(in_datagrams_of_controllers_and_hosts(ip, &wireless));
    if is_v6 {
        let authentication: &[u8] = &[0, 1, 1, 2, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0];
        let origin: &[u8] = &[0, 0, 0x12, 0x34, 1, 2, 3, 4];
        samples.extend([
            of("Teredo", (Teredo, None), 3544, &[ip]),
            of("Teredo, origin", (Teredo, None), 3544, &[origin, ip]),
            of("Teredo, both", (Teredo, None), 3544, &[authentication, origin, ip]),
        ]);
    }
    samples
}

/// CAPWAP with a `wireless` header, and GUE.
fn in_datagrams_of_controllers_and_hosts(ip: &[u8], wireless: &[u8]) -> Vec<Sample> {
    use TunnelKind::{Capwap, Gue};
    let ethernet = in_frame(ip);
    let protocol = if ip[0] >> 4 == 6 { 41 } else { 4 };
    let snap = [0xaa, 0xaa, 3, 0, 0, 0];
    let of = |name, kind, port, parts: &[&[u8]]| (name, kind, Carrier::Datagram(port), join(parts));
    vec![
        of("CAPWAP, Ethernet", (Capwap, None), 5247, &[&[0, 0x10, 2, 0, 0, 0, 0, 0], &ethernet]),
        of(
            "CAPWAP, wireless",
            (Capwap, None),
            5247,
            &[&[0, 0x10, 3, 0, 0, 0, 0, 0], wireless, &snap, &ether_type(ip), ip],
        ),
        of(
            "CAPWAP, swapped, with a radio's address and more",
            (Capwap, None),
            5247,
            &[
                &[0, 0x30, 3, 0x30, 0, 0, 0, 0],
                &[6, 2, 0, 0, 0, 0, 9, 0],
                &[4, 1, 2, 3, 4, 0, 0, 0],
                &[wireless[1], wireless[0]],
                &wireless[2..],
                &snap,
                &ether_type(ip),
                ip,
            ],
        ),
        of(
            "CAPWAP, first fragment",
            (Capwap, None),
            5247,
            &[&[0, 0x10, 2, 0x80, 0, 7, 0, 0], &ethernet],
        ),
        of("GUE", (Gue, None), 6080, &[&[0, protocol, 0, 0], ip]),
        of("GUE, optional", (Gue, None), 6080, &[&[2, protocol, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4], ip]),
        of("GUE, GRE", (Gue, None), 6080, &[&[0, 47, 0, 0, 0, 0], &ether_type(ip), ip]),
        of("GUE, frame", (Gue, None), 6080, &[&[0, 143, 0, 0], &ethernet]),
        of("GUE, no header", (Gue, None), 6080, &[ip]),
    ]
}
