//! Whole frames of every link type, cut at every length.

use etherparse::{IpHeaders, Ipv4Extensions, Ipv4Header, PacketBuilder, VlanId, ip_number};
use proptest::prelude::*;

use super::*;
use crate::model::capture::Direction;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Application, Content, Datagram, IcmpKind, TftpMessage};
use crate::model::time::Timestamp;

const LINK_TYPES: [LinkType; 31] = [
    LinkType::Null,
    LinkType::Ethernet,
    LinkType::Ppp,
    LinkType::PppHdlc,
    LinkType::CiscoHdlc,
    LinkType::FrameRelay,
    LinkType::PppWithDirection,
    LinkType::Nflog,
    LinkType::Pktap,
    LinkType::RawIp,
    LinkType::Loop,
    LinkType::LinuxSll,
    LinkType::Ipv4,
    LinkType::Ipv6,
    LinkType::LinuxSll2,
    LinkType::PppEthernet,
    LinkType::Wireless,
    LinkType::Radiotap,
    LinkType::Prism,
    LinkType::Avs,
    LinkType::Ppi,
    LinkType::JuniperEthernet,
    LinkType::Enc,
    LinkType::Pflog,
    LinkType::Erf,
    LinkType::Mpls,
    LinkType::Ipnet,
    LinkType::BroadcomTag,
    LinkType::BroadcomPrepended,
    LinkType::MarvellTag,
    LinkType::MarvellTypedTag,
];

const REQUEST: &[u8] = b"\0\x02startup.cfg\0octet\0blksize\x001428\0";

pub(super) fn frame(link_type: LinkType, bytes: &[u8], original_length: usize) -> Frame<'_> {
    Frame {
        number: 7,
        at: Timestamp::from_seconds(1),
        interface: 2,
        link_type,
        direction: None,
        original_length: original_length.try_into().unwrap(),
        bytes,
    }
}

pub(super) fn endpoints(is_v6: bool) -> (Endpoint, Endpoint) {
    let (device, vip) =
        if is_v6 { ("2001:db8::77", "2001:db8::10") } else { ("192.0.2.77", "192.0.2.10") };
    (Endpoint::new(device.parse().unwrap(), 41_226), Endpoint::new(vip.parse().unwrap(), 69))
}

/// The IP packet of a datagram from the device to the VIP.
pub(super) fn datagram(is_v6: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = if is_v6 {
        PacketBuilder::ipv6(
            [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77],
            [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
            64,
        )
    } else {
        let mut header =
            Ipv4Header::new(0, 64, ip_number::UDP, [192, 0, 2, 77], [192, 0, 2, 10]).unwrap();
        header.identification = 0x1234;
        PacketBuilder::ip(IpHeaders::Ipv4(header, Ipv4Extensions::default()))
    };
    builder.udp(41_226, 69).write(&mut bytes, payload).unwrap();
    bytes
}

/// The link header of `link_type` for a packet of one version.
fn link_header(link_type: LinkType, is_v6: bool) -> Vec<u8> {
    let ether_type: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
    let family = if is_v6 { 10 } else { 2 };
    match link_type {
        LinkType::Ethernet => [&[2; 12], ether_type.as_slice()].concat(),
        LinkType::LinuxSll => {
            [&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], ether_type.as_slice()].concat()
        }
        LinkType::LinuxSll2 => {
            [&ether_type, &[0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0][..]].concat()
        }
        LinkType::Null => vec![family, 0, 0, 0],
        LinkType::Loop => vec![0, 0, 0, family],
        LinkType::Ppp | LinkType::PppHdlc => vec![0xff, 3, 0, if is_v6 { 0x57 } else { 0x21 }],
        LinkType::PppWithDirection => vec![1, 0xff, 3, 0, if is_v6 { 0x57 } else { 0x21 }],
        LinkType::CiscoHdlc => [&[0x0f, 0], ether_type.as_slice()].concat(),
        LinkType::FrameRelay => vec![0x18, 0x41, 3, if is_v6 { 0x8e } else { 0xcc }],
        LinkType::Nflog => {
            let attributes = [8, 0, 5, 0, 0, 0, 0, 3, 0xff, 0xff, 9, 0];
            [&[family, 0, 0, 7], attributes.as_slice()].concat()
        }
        LinkType::Pktap => {
            let mut header = vec![0; 108];
            (header[0], header[4], header[8], header[36]) = (108, 1, 101, 2);
            header
        }
        LinkType::PppEthernet => vec![0x11, 0, 0, 9, 0, 2, 0, if is_v6 { 0x57 } else { 0x21 }],
        LinkType::Wireless => {
            [&[8, 1], [0; 22].as_slice(), &[0xaa, 0xaa, 3, 0, 0, 0], &ether_type].concat()
        }
        LinkType::Radiotap => {
            [vec![0, 0, 8, 0, 0, 0, 0, 0], link_header(LinkType::Wireless, is_v6)].concat()
        }
        LinkType::Prism | LinkType::Avs => {
            let header = [0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0].to_vec();
            [header, link_header(LinkType::Wireless, is_v6)].concat()
        }
        LinkType::Ppi => {
            [vec![0, 0, 8, 0, 105, 0, 0, 0], link_header(LinkType::Wireless, is_v6)].concat()
        }
        LinkType::JuniperEthernet => {
            [b"MGC\0".to_vec(), link_header(LinkType::Ethernet, is_v6)].concat()
        }
        LinkType::Enc => [[family, 0, 0, 0], [0, 0, 16, 1], [0, 0, 12, 0]].concat(),
        LinkType::Pflog => pflog(if is_v6 { 24 } else { 2 }, 0),
        LinkType::Erf => {
            let record = [[0; 8].as_slice(), &[2, 4, 0, 99, 0, 0, 0, 99, 0, 0]].concat();
            [record, link_header(LinkType::Ethernet, is_v6)].concat()
        }
        LinkType::Mpls => vec![0, 1, 1, 64],
        LinkType::Ipnet => {
            let zones = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
            let family = if is_v6 { 26 } else { 2 };
            [&[1, family, 0, 1, 0, 0, 0, 99, 0, 0, 0, 3], zones.as_slice()].concat()
        }
        LinkType::BroadcomTag | LinkType::MarvellTag => {
            [&[2; 12], [0xc0, 3, 0, 1].as_slice(), &ether_type].concat()
        }
        LinkType::MarvellTypedTag => {
            [&[2; 12], [0xda, 0xda, 0, 0, 0xc0, 3, 0, 1].as_slice(), &ether_type].concat()
        }
        LinkType::BroadcomPrepended => {
            [vec![0x20, 0, 0, 1], link_header(LinkType::Ethernet, is_v6)].concat()
        }
        LinkType::RawIp | LinkType::Ipv4 | LinkType::Ipv6 | LinkType::Other(_) => Vec::new(),
    }
}

/// The header of a packet that rule 7 logged on its way out of `igb1`.
fn pflog(family: u8, action: u8) -> Vec<u8> {
    let mut header = vec![0; 64];
    (header[0], header[1], header[2]) = (61, family, action);
    header[4..8].copy_from_slice(b"igb1");
    (header[39], header[60]) = (7, 2);
    header
}

/// Decodes one frame, before which there was none.
pub(super) fn decode(frame: &Frame<'_>) -> Result<Decoded, DecodeError> {
    Decoder::new(Limits::default()).decode(frame)
}

pub(super) fn packet_of(decoded: Result<Decoded, DecodeError>) -> Option<Packet> {
    match decoded.unwrap() {
        Decoded::Packet(packet) => Some(packet),
        Decoded::Other | Decoded::Carrier(_) => None,
    }
}

pub(super) fn datagram_of(decoded: Result<Decoded, DecodeError>) -> Option<Datagram> {
    match packet_of(decoded)?.content {
        Content::Datagram(datagram) => Some(datagram),
        Content::IcmpError(_)
        | Content::FragmentsLost(_)
        | Content::Discarded(_)
        | Content::Dropped(_)
        | Content::Neighbour(_)
        | Content::Segment(_) => None,
    }
}

#[test]
fn a_datagram_is_read_on_every_link_type_and_cut_at_every_length() {
    for (link_type, is_v6) in LINK_TYPES.into_iter().flat_map(|kind| [(kind, false), (kind, true)])
    {
        let header = link_header(link_type, is_v6);
        let bytes = [header.clone(), datagram(is_v6, REQUEST)].concat();
        let ports_end = header.len() + if is_v6 { 44 } else { 24 };
        let (device, vip) = endpoints(is_v6);
        for captured_bytes in 0..=bytes.len() {
            let decoded = decode(&frame(link_type, &bytes[..captured_bytes], bytes.len()));
            if captured_bytes < ports_end {
                let error = decoded.unwrap_err();
                assert!(
                    matches!(error, DecodeError::Cut { .. }),
                    "{link_type} {captured_bytes} {error}"
                );
                continue;
            }
            let packet = packet_of(decoded).unwrap();
            assert_eq!((packet.frame, packet.interface), (7, 2));
            assert_eq!(packet.ip_identification, (!is_v6).then_some(0x1234));
            let has_direction = matches!(
                link_type,
                LinkType::LinuxSll
                    | LinkType::LinuxSll2
                    | LinkType::PppWithDirection
                    | LinkType::Nflog
                    | LinkType::Pktap
                    | LinkType::JuniperEthernet
                    | LinkType::Pflog
                    | LinkType::Ipnet
            );
            assert_eq!(packet.direction, has_direction.then_some(Direction::Out), "{link_type}");
            let index = match link_type {
                LinkType::LinuxSll2 | LinkType::Nflog | LinkType::Ipnet => Some(3),
                // It has a name, which is numbered.
                LinkType::Pflog => Some(1 << 31),
                _ => None,
            };
            assert_eq!(packet.kernel_interface, index, "{link_type}");
            assert_eq!(packet.tunnel, None);
            let Content::Datagram(datagram) = packet.content else { panic!("no datagram") };
            assert_eq!(datagram.flow, FlowKey::udp(device, vip), "{link_type} {captured_bytes}");
            assert_eq!(
                usize::try_from(datagram.length),
                Ok(REQUEST.len()),
                "{link_type} {captured_bytes}"
            );
            let payload_bytes = captured_bytes.saturating_sub(ports_end + 4);
            assert_eq!(datagram.fingerprint.is_some(), payload_bytes >= 4);
            let is_request =
                matches!(datagram.application, Application::Tftp(TftpMessage::WriteRequest(_)));
            assert_eq!(is_request, payload_bytes >= 2, "{link_type} {captured_bytes}");
        }
    }
}

#[test]
fn what_a_firewall_blocked_is_dropped() {
    for (is_v6, families) in [(false, &[2_u8][..]), (true, &[24, 28, 30])] {
        for family in families {
            let mut decoder = Decoder::new(Limits::default());
            let mut read = |action| {
                let bytes = [pflog(*family, action), datagram(is_v6, REQUEST)].concat();
                packet_of(decoder.decode(&frame(LinkType::Pflog, &bytes, bytes.len()))).unwrap()
            };
            let (passed, blocked) = (read(0), read(1));
            assert!(matches!(passed.content, Content::Datagram(_)));
            assert_eq!(blocked.direction, Some(Direction::Out));
            let Content::Dropped(dropped) = blocked.content else { panic!("not dropped") };
            assert_eq!(dropped.by, Dropper::PacketFilter);
            assert_eq!(&*dropped.reason, "rule 7 blocks it on igb1");
            let (device, vip) = endpoints(is_v6);
            assert_eq!(dropped.datagram.flow, FlowKey::udp(device, vip));
            let number = blocked.kernel_interface.unwrap();
            assert_eq!(passed.kernel_interface, Some(number));
            assert_eq!(decoder.find_interface_name(number), Some("igb1"));
            let mut in_anchor = [pflog(*family, 1), datagram(is_v6, REQUEST)].concat();
            in_anchor[20..29].copy_from_slice(b"userrules");
            in_anchor[43] = 12;
            let read = decode(&frame(LinkType::Pflog, &in_anchor, in_anchor.len()));
            let Some(Content::Dropped(dropped)) = packet_of(read).map(|packet| packet.content)
            else {
                panic!("not dropped")
            };
            assert_eq!(&*dropped.reason, "rule 12 of anchor userrules (rule 7) blocks it on igb1");
        }
    }
}

#[test]
fn vlan_tags_and_padding_do_not_show() {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .double_vlan(VlanId::try_new(7).unwrap(), VlanId::try_new(9).unwrap())
        .ipv4([192, 0, 2, 77], [192, 0, 2, 10], 64)
        .udp(41_226, 69)
        .write(&mut bytes, &[0, 4, 0, 1])
        .unwrap();
    bytes.resize(64, 0);
    let tagged = datagram_of(decode(&frame(LinkType::Ethernet, &bytes, 64))).unwrap();
    let plain = datagram(false, &[0, 4, 0, 1]);
    let plain = datagram_of(decode(&frame(LinkType::RawIp, &plain, plain.len()))).unwrap();
    assert_eq!(tagged, plain);
    assert_eq!(plain.application, Application::Tftp(TftpMessage::Ack { block: 1 }));
}

#[test]
fn an_icmp_error_quotes_the_datagram() {
    for is_v6 in [false, true] {
        let (device, vip) = endpoints(is_v6);
        let quoted = datagram(is_v6, REQUEST);
        let mut bytes = Vec::new();
        if is_v6 {
            let IpAddrs(source, destination) = IpAddrs::of(vip, device);
            PacketBuilder::ipv6(source, destination, 64)
                .icmpv6_raw(1, 4, [0; 4])
                .write(&mut bytes, &quoted)
                .unwrap();
        } else {
            PacketBuilder::ipv4([192, 0, 2, 10], [192, 0, 2, 77], 64)
                .icmpv4_raw(3, 3, [0; 4])
                .write(&mut bytes, &quoted[..28])
                .unwrap();
        }
        let packet = packet_of(decode(&frame(LinkType::RawIp, &bytes, bytes.len()))).unwrap();
        let Content::IcmpError(error) = packet.content else { panic!("no error") };
        assert_eq!(error.kind, IcmpKind::PortUnreachable);
        assert_eq!((error.from, error.to), (vip.address, device.address));
        let quote = error.quote.unwrap();
        assert_eq!(quote.source_endpoint(), Some(device));
        assert_eq!(quote.destination_endpoint(), Some(vip));
        for captured_bytes in 0..bytes.len() {
            let _ = decode(&frame(LinkType::RawIp, &bytes[..captured_bytes], bytes.len()));
        }
    }
}

/// The octets of two IPv6 addresses, as the builder takes them.
struct IpAddrs([u8; 16], [u8; 16]);

impl IpAddrs {
    fn of(source: Endpoint, destination: Endpoint) -> Self {
        let octets = |endpoint: Endpoint| match endpoint.address {
            std::net::IpAddr::V6(v6) => v6.octets(),
            std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        };
        Self(octets(source), octets(destination))
    }
}

#[test]
fn other_traffic_is_other() {
    let mut tcp = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 77], [192, 0, 2, 10], 64)
        .tcp(1, 2, 3, 4)
        .write(&mut tcp, &[])
        .unwrap();
    let mut echo = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 77], [192, 0, 2, 10], 64)
        .icmpv4_echo_request(1, 2)
        .write(&mut echo, &[])
        .unwrap();
    let mut esp = datagram(true, REQUEST);
    esp[6] = 50;
    for bytes in [tcp, echo, esp] {
        assert_eq!(decode(&frame(LinkType::RawIp, &bytes, bytes.len())), Ok(Decoded::Other));
    }
    let arp = [&[2; 12], [8, 6].as_slice(), &[0; 28]].concat();
    assert_eq!(decode(&frame(LinkType::Ethernet, &arp, 42)), Ok(Decoded::Other));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), original_length in any::<u32>(),
    ) {
        for link_type in LINK_TYPES {
            let _ = decode(&Frame { original_length, ..frame(link_type, &bytes, 0) });
        }
    }

    #[test]
    fn arbitrary_payloads_never_panic(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        port in prop::sample::select(vec![53, 69, 123, 161, 162, 1812, 3478, 5060, 5353, 5683, 6969]),
        cut_bytes in 0_usize..300,
        is_v6 in any::<bool>(),
    ) {
        let mut bytes = datagram(is_v6, &payload);
        let ports = if is_v6 { 40 } else { 20 };
        bytes[ports + 2..ports + 4].copy_from_slice(&u16::to_be_bytes(port));
        let captured = &bytes[..bytes.len().saturating_sub(cut_bytes)];
        let decoded = decode(&frame(LinkType::RawIp, captured, bytes.len()));
        if captured.len() >= ports + 4 {
            let datagram = datagram_of(decoded).unwrap();
            prop_assert_eq!(datagram.flow.destination.port, port);
            prop_assert_eq!(usize::try_from(datagram.length), Ok(payload.len()));
        }
    }

    #[test]
    fn changed_bytes_never_panic(
        offset in 0_usize..120, value in any::<u8>(), is_v6 in any::<bool>(), cut_bytes in 0_usize..60,
    ) {
        for link_type in LINK_TYPES {
            let mut bytes = [link_header(link_type, is_v6), datagram(is_v6, REQUEST)].concat();
            let last = bytes.len() - 1;
            bytes[offset.min(last)] = value;
            let captured = &bytes[..bytes.len() - cut_bytes.min(last)];
            let _ = decode(&frame(link_type, captured, bytes.len()));
        }
    }
}
