//! Fragments in tunnels, and of what stands before a datagram.

use super::*;

#[test]
fn fragments_inside_and_around_tunnels_belong_together() {
    for is_v6 in [false, true] {
        let (device, vip) = endpoints(is_v6);
        let ends =
            (std::net::Ipv4Addr::new(203, 0, 113, 1), std::net::Ipv4Addr::new(203, 0, 113, 2));
        let protocol = if is_v6 { 41 } else { 4 };
        let kind = if is_v6 { TunnelKind::SixInFour } else { TunnelKind::FourInFour };
        let tunnel = Tunnel { kind, source: ends.0.into(), destination: ends.1.into(), key: None };
        let wrap = |inner: &[u8]| {
            let length = u16::try_from(inner.len() + 20).unwrap().to_be_bytes();
            let header = [0x45, 0, length[0], length[1], 0, 3, 0, 0, 64, protocol, 0, 0];
            [&header, ends.0.octets().as_slice(), &ends.1.octets(), inner].concat()
        };
        let inside: Vec<Vec<u8>> = fragments(is_v6, 7).iter().map(|part| wrap(part)).collect();
        let tunnelled = wrap(&whole(is_v6));
        let end = tunnelled.len() - 20;
        let around: Vec<Vec<u8>> = [(0, 1_480), (1_480, 2_960), (2_960, end)]
            .into_iter()
            .map(|(offset, end)| fragment(&tunnelled, 9, offset, end))
            .collect();
        for parts in [inside, around] {
            let frames: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let mut decoder = new_decoder();
            let packets = decode_all(&mut decoder, &frames);
            let [packet] = packets.as_slice() else { panic!("{packets:?}") };
            assert_eq!((packet.tunnel, packet.frame), (Some(tunnel), 1));
            let Content::Datagram(datagram) = &packet.content else { panic!("{packet:?}") };
            assert_eq!(datagram.flow, FlowKey::udp(device, vip));
            assert_eq!(decoder.take_lost(None), None);

            let mut decoder = new_decoder();
            assert_eq!(decode_all(&mut decoder, &frames[..2]), []);
            let packet = decoder.take_lost(None).unwrap();
            assert_eq!(packet.tunnel, Some(tunnel));
            assert_eq!(lost_of(&packet).flow, Some(FlowKey::udp(device, vip)));
        }
    }
}

#[test]
fn extension_headers_may_be_fragmented_too() {
    let plain = whole(true);
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let mut bytes = [&plain[..40], &options, &plain[40..]].concat();
    bytes[6] = 60;
    let end = bytes.len() - 40;
    let parts = [(0, 1_448), (1_448, end)].map(|(offset, end)| fragment(&bytes, 7, offset, end));
    let packets = decode_all(&mut new_decoder(), &[&parts[0], &parts[1]]);
    let expected = decode_all(&mut new_decoder(), &[&plain]);
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].content, expected[0].content);
}
