//! A capture between two tunnel ends: the report is about what is inside, and
//! names the tunnel. Fragmented datagrams count once, lost ones too.

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/pcap.rs"]
mod pcap;
#[cfg(test)]
#[path = "support/udp.rs"]
mod udp;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Verdict};
    use replyscope::model::packet::TunnelKind;
    use replyscope::model::report::Report;

    use super::header::header;
    use super::pcap::pcap;

    fn udp(source: &str, destination: &str, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let end = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
        super::udp::udp(end(source, ports.0), end(destination, ports.1), payload)
    }

    fn analyse(packets: &[Vec<u8>]) -> Report {
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("tunnel.pcap", None, &mut pcap(packets).as_slice()).unwrap();
        analysis.finish(header()).unwrap()
    }

    #[test]
    fn the_exchange_inside_is_reported_and_the_tunnel_named() {
        for [left, right, device, vip, node] in [
            ["203.0.113.1", "203.0.113.2", "192.0.2.77", "192.0.2.10", "192.0.2.13"],
            ["2001:db8:1::1", "2001:db8:1::2", "2001:db8::77", "2001:db8::10", "2001:db8::13"],
        ] {
            let ether_type: &[u8] = if device.contains(':') { &[0x86, 0xdd] } else { &[8, 0] };
            let wrap = |from: &str, to: &str, inner: &[u8]| {
                let payload = [
                    &[8, 0, 0, 0, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2],
                    ether_type,
                    inner,
                ];
                udp(from, to, (51_000, 4789), &payload.concat())
            };
            let request = udp(device, vip, (41_226, 69), b"\0\x02a.cfg\0octet\0");
            let reply = udp(node, device, (32_991, 41_226), b"\0\x04\0\0");
            let follow_up = udp(device, vip, (41_226, 32_991), b"\0\x03\0\x01abc");
            let report = analyse(&[
                wrap(left, right, &request),
                wrap(right, left, &reply),
                wrap(left, right, &follow_up),
            ]);
            let capture = &report.captures[0];
            assert_eq!((capture.packets, capture.datagrams), (3, 3));
            let tunnels: Vec<_> = capture
                .tunnels
                .iter()
                .map(|tunnel| (tunnel.kind, tunnel.source.to_string(), tunnel.packets))
                .collect();
            let expected =
                [(TunnelKind::Vxlan, left.to_owned(), 2), (TunnelKind::Vxlan, right.to_owned(), 1)];
            assert_eq!(tunnels, expected);
            assert!(capture.tunnels.iter().all(|tunnel| tunnel.keys == [42]));
            let [exchange] = report.devices[0].exchanges.as_slice() else {
                panic!("{:?}", report.devices)
            };
            assert_eq!(exchange.client.address.to_string(), device);
            assert_eq!(exchange.request.as_ref().unwrap().destination.address.to_string(), vip);
            assert_eq!(exchange.replies[0].source.address.to_string(), node);
        }
    }

    /// A client, who it asks, somebody else, and the ends of a tunnel, in both families.
    const PLACES: [[&str; 5]; 2] = [
        ["192.0.2.77", "192.0.2.10", "192.0.2.13", "203.0.113.1", "203.0.113.2"],
        ["2001:db8::77", "2001:db8::10", "2001:db8::13", "2001:db8:1::1", "2001:db8:1::2"],
    ];

    /// The first `kept_bytes` of a packet, in a mirror's frame with a group's policy.
    fn mirrored(ends: [&str; 2], inner: &[u8], kept_bytes: usize) -> Vec<u8> {
        let ether_type: &[u8] = if inner[0] >> 4 == 6 { &[0x86, 0xdd] } else { &[8, 0] };
        let header = [0x88, 0, 0, 5, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        let kept = &inner[..kept_bytes.min(inner.len())];
        udp(ends[0], ends[1], (51_000, 4789), &[&header, ether_type, kept].concat())
    }

    fn question(id: u8) -> Vec<u8> {
        let mut bytes = vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"\x07example\x03com\0\0\x10\0\x01");
        bytes
    }

    fn long_answer(id: u8) -> Vec<u8> {
        let mut bytes = question(id);
        bytes[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
        bytes.extend(b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\x01\x00\xff");
        bytes.extend([b'x'; 255]);
        bytes
    }

    #[test]
    fn a_mirror_that_cuts_answers_is_no_silence() {
        for [client, asked, other, left, right] in PLACES {
            // Who answers, whether the client asks again, what the report says.
            let cases = [
                (Some(asked), false, Verdict::Symmetric, None),
                (Some(other), false, Verdict::Tolerated, Some(Cause::ReplySourceNotRequested)),
                (Some(other), true, Verdict::Broken, Some(Cause::ReplyIgnored)),
                (None, true, Verdict::Unanswered, Some(Cause::RequestUnanswered)),
            ];
            for (answerer, asks_again, verdict, cause) in cases {
                let mut packets = Vec::new();
                for id in 1..=3 {
                    let ports = (41_000 + u16::from(id), 53);
                    let request = udp(client, asked, ports, &question(id));
                    for _ in 0..if asks_again { 3 } else { 1 } {
                        packets.push(mirrored([left, right], &request, 100));
                        if let Some(answerer) = answerer {
                            let reply = udp(answerer, client, (ports.1, ports.0), &long_answer(id));
                            packets.push(mirrored([left, right], &reply, 100));
                        }
                    }
                }
                let report = analyse(&packets);
                let name = format!("{client} {answerer:?} {asks_again}");
                assert_eq!(report.verdict, verdict, "{name}");
                assert_eq!(report.devices.len(), 1, "{name}");
                let found: Vec<_> =
                    report.devices[0].findings.iter().map(|finding| finding.cause).collect();
                assert!(cause.is_none_or(|cause| found.contains(&cause)), "{name} {found:?}");
                assert!(cause.is_some() || found.is_empty(), "{name} {found:?}");
            }
        }
    }

    /// A TCP segment without data.
    fn tcp(
        source: &str,
        destination: &str,
        ports: (u16, u16),
        flags: u8,
        numbers: [u32; 2],
    ) -> Vec<u8> {
        let mut bytes = udp(source, destination, ports, &[0; 12]);
        let (header_bytes, protocol_at) = if bytes[0] >> 4 == 6 { (40, 6) } else { (20, 9) };
        bytes[protocol_at] = 6;
        let [sequence, acknowledges] = numbers.map(u32::to_be_bytes);
        bytes[header_bytes + 4..header_bytes + 8].copy_from_slice(&sequence);
        bytes[header_bytes + 8..header_bytes + 12].copy_from_slice(&acknowledges);
        bytes[header_bytes + 12..header_bytes + 16].copy_from_slice(&[0x50, flags, 0xfa, 0xf0]);
        bytes
    }

    #[test]
    fn connections_in_a_tunnel_are_followed_and_their_data_is_no_exchange() {
        const SYN: u8 = 2;
        const SYN_ACK: u8 = 0x12;
        const ACK: u8 = 0x10;
        const RST: u8 = 4;
        for [client, asked, other, left, right] in PLACES {
            let wrap = |inner: &[u8]| mirrored([left, right], inner, usize::MAX);
            let data = |number: u32| wrap(&tcp(client, asked, (41_226, 443), ACK, [number, 1]));
            for (answerer, verdict) in [(asked, Verdict::Inconclusive), (other, Verdict::Broken)] {
                let mut packets = Vec::new();
                for _ in 0..3 {
                    packets.push(wrap(&tcp(client, asked, (41_226, 443), SYN, [8, 0])));
                    packets.push(wrap(&tcp(answerer, client, (443, 41_226), SYN_ACK, [1, 9])));
                    if answerer != asked {
                        packets.push(wrap(&tcp(client, other, (41_226, 443), RST, [9, 0])));
                    }
                }
                let handshake_packets = packets.len();
                packets.extend((9..49).map(data));
                let report = analyse(&packets);
                assert_eq!(report.verdict, verdict, "{client} {}", report.headline);
                let exchanges: usize =
                    report.devices.iter().map(|device| device.exchanges.len()).sum();
                assert_eq!(exchanges, usize::from(answerer != asked), "{client}");
                let capture = &report.captures[0];
                let expected = u64::try_from(handshake_packets + 40).unwrap();
                assert_eq!((capture.packets, capture.datagrams), (expected, expected));
                let [tunnel] = capture.tunnels.as_slice() else { panic!("{:?}", capture.tunnels) };
                assert_eq!((tunnel.packets, tunnel.keys.as_slice()), (expected, &[42][..]));
            }
        }
    }

    #[test]
    fn a_fragmented_datagram_counts_once_and_a_lost_one_too() {
        let whole = udp("192.0.2.77", "192.0.2.10", (41_226, 514), &[b'x'; 1_600]);
        let part = |identification: u8, offset: usize, end: usize| {
            let payload = &whole[20 + offset..20 + end];
            let more = if 20 + end < whole.len() { 0x20 } else { 0 };
            let units = u16::try_from(offset / 8).unwrap().to_be_bytes();
            let length = u16::try_from(payload.len() + 20).unwrap().to_be_bytes();
            let mut bytes = whole[..20].to_vec();
            bytes[2..8].copy_from_slice(&[
                length[0],
                length[1],
                0,
                identification,
                units[0] | more,
                units[1],
            ]);
            bytes.extend(payload);
            bytes
        };
        let report = analyse(&[
            part(1, 0, 1_480),
            part(1, 1_480, 1_608),
            part(2, 0, 1_480),
            part(3, 1_480, 1_608),
        ]);
        let capture = &report.captures[0];
        assert_eq!((capture.packets, capture.datagrams), (4, 2), "{capture:?}");
        assert_eq!(capture.bytes, 2 * 1_500 + 2 * 148);
    }
}
