//! Tunnels that their far end refuses: hosts quote eight bytes of the outer datagram, or as
//! much as fits, with the packet inside (RFC 1812 section 4.3.2.3).

#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/udp.rs"]
mod udp;

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use etherparse::PacketBuilder;
    use replyscope::analysis::{Analysis, Limits};
    use replyscope::model::finding::{Cause, Verdict};
    use replyscope::model::report::{DeviceExchange, Report};

    use super::header::header;

    /// A client, who it asks, and the ends of a tunnel.
    const PLACES: [[&str; 4]; 2] = [
        ["192.0.2.77", "192.0.2.10", "203.0.113.1", "203.0.113.2"],
        ["2001:db8::77", "2001:db8::10", "2001:db8:1::1", "2001:db8:1::2"],
    ];

    /// Headers of IP and UDP.
    fn short_quote_bytes(outer: &[u8]) -> usize {
        if outer[0] >> 4 == 6 { 48 } else { 28 }
    }

    fn udp(ends: [&str; 2], ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let end = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
        super::udp::udp(end(ends[0], ports.0), end(ends[1], ports.1), payload)
    }

    fn question(id: u8) -> Vec<u8> {
        let mut bytes = vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"\x07example\x03com\0\0\x10\0\x01");
        bytes
    }

    /// A packet in VXLAN, at Linux' old port or the registered one.
    fn in_vxlan(ends: [&str; 2], ports: (u16, u16), inner: &[u8]) -> Vec<u8> {
        let ether_type: &[u8] = if inner[0] >> 4 == 6 { &[0x86, 0xdd] } else { &[8, 0] };
        let header = [8, 0, 0, 0, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        udp(ends, ports, &[&header, ether_type, inner].concat())
    }

    /// The far end's error about `outer`, which it quotes in part.
    fn refusal(ends: [&str; 2], cause: Cause, outer: &[u8], quoted_bytes: usize) -> Vec<u8> {
        let quoted = &outer[..quoted_bytes.min(outer.len())];
        let is_port = cause == Cause::PortUnreachable;
        let mut bytes = Vec::new();
        match (ends[1].parse().unwrap(), ends[0].parse().unwrap()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let code = if is_port { 3 } else { 10 };
                let builder = PacketBuilder::ipv4(from.octets(), to.octets(), 64);
                builder.icmpv4_raw(3, code, [0; 4]).write(&mut bytes, quoted).unwrap();
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let code = if is_port { 4 } else { 1 };
                let builder = PacketBuilder::ipv6(from.octets(), to.octets(), 64);
                builder.icmpv6_raw(1, code, [0; 4]).write(&mut bytes, quoted).unwrap();
            }
            _ => unreachable!(),
        }
        bytes
    }

    /// Packets by their times in ms.
    fn analyse(packets: &[(u32, Vec<u8>)]) -> Report {
        let mut bytes = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, 101] {
            bytes.extend(word.to_le_bytes());
        }
        for (at_ms, packet) in packets {
            let length = u32::try_from(packet.len()).unwrap();
            let second = 1_732_000_000 + at_ms / 1_000;
            for word in [second, at_ms % 1_000 * 1_000, length, length] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(packet);
        }
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("tunnel.pcap", None, &mut bytes.as_slice()).unwrap();
        analysis.finish(header()).unwrap()
    }

    fn exchanges(report: &Report) -> Vec<&DeviceExchange> {
        report.devices.iter().flat_map(|device| &device.exchanges).collect()
    }

    #[test]
    fn what_a_refused_tunnel_carries_is_rejected_however_much_is_quoted() {
        for [client, asked, left, right] in PLACES {
            for (port, cause) in [
                (4789, Cause::PortUnreachable),
                (4789, Cause::AdminProhibited),
                (8472, Cause::AdminProhibited),
            ] {
                for quotes_all in [true, false] {
                    let mut packets = Vec::new();
                    for number in 0..4 {
                        let inner = udp([client, asked], (41_000, 53), &question(1));
                        let outer = in_vxlan([left, right], (50_000, port), &inner);
                        let short = short_quote_bytes(&outer);
                        let quoted_bytes = if quotes_all { outer.len() } else { short };
                        let error = refusal([left, right], cause, &outer, quoted_bytes);
                        packets.extend([(number * 5_000, outer), (number * 5_000 + 1, error)]);
                    }
                    let report = analyse(&packets);
                    let name = format!("{client} {port} {cause} {quotes_all}");
                    let [exchange] = exchanges(&report)[..] else {
                        panic!("{name}: {}", report.headline)
                    };
                    assert_eq!(exchange.verdict, Verdict::Rejected, "{name}");
                    assert_eq!(exchange.client.address.to_string(), client, "{name}");
                    assert_eq!(exchange.icmp_errors[0].packets, 4, "{name}");
                    let findings = &report.devices[0].findings;
                    let finding = findings.iter().find(|finding| finding.cause == cause).unwrap();
                    let far_end = SocketAddr::new(right.parse().unwrap(), port);
                    let words = format!("VXLAN tunnel to {far_end}, which carries the request");
                    assert!(finding.explanation.contains(&words), "{}", finding.explanation);
                    let remedy = &finding.remedies[0].title;
                    assert_eq!(remedy, &format!("Open the VXLAN tunnel to {right}"), "{name}");
                }
            }
        }
    }

    #[test]
    fn of_many_flows_the_refused_one_is_known_by_the_outer_source_port() {
        for [client, asked, left, right] in PLACES {
            let mut packets = Vec::new();
            for round in 0..3_u32 {
                for flow in 0..6_u16 {
                    let at_ms = round * 5_000 + u32::from(flow);
                    let inner = udp([client, asked], (41_000 + flow, 53), &question(1));
                    packets.push((at_ms, in_vxlan([left, right], (50_000 + flow, 4789), &inner)));
                }
                let inner = udp([client, asked], (41_000, 53), &question(1));
                let outer = in_vxlan([left, right], (50_000, 4789), &inner);
                let short = short_quote_bytes(&outer);
                let error = refusal([left, right], Cause::PortUnreachable, &outer, short);
                packets.push((round * 5_000 + 8, error));
            }
            let report = analyse(&packets);
            for exchange in exchanges(&report) {
                let is_refused = exchange.client.port == 41_000;
                let errors: u64 = exchange.icmp_errors.iter().map(|errors| errors.packets).sum();
                assert_eq!(errors, if is_refused { 3 } else { 0 }, "{:?}", exchange.client);
                let verdict = if is_refused { Verdict::Rejected } else { Verdict::Unanswered };
                assert_eq!(exchange.verdict, verdict, "{:?}", exchange.client);
            }
        }
    }

    #[test]
    fn a_tunnel_of_which_nothing_inside_was_seen_is_told_as_one() {
        for [client, asked, left, right] in PLACES {
            let inner = udp([client, asked], (41_000, 53), &question(1));
            let outer = in_vxlan([left, right], (50_000, 4789), &inner);
            let short = short_quote_bytes(&outer);
            let error =
                |at_ms| (at_ms, refusal([left, right], Cause::PortUnreachable, &outer, short));
            let report = analyse(&[error(0), error(1_500), error(9_000)]);
            let findings = &report.devices[0].findings;
            let finding =
                findings.iter().find(|finding| finding.cause == Cause::PortUnreachable).unwrap();
            assert!(finding.explanation.contains("VXLAN tunnel to"), "{}", finding.explanation);
            assert!(!finding.explanation.contains("carries"), "{}", finding.explanation);
            let remedy = &finding.remedies[0].title;
            assert_eq!(remedy, &format!("Open the VXLAN tunnel to {right}"));
        }
    }

    #[test]
    fn a_refused_mirror_refuses_nothing_that_it_shows() {
        for [client, asked, left, right] in PLACES {
            let mirrored = |ends: [&str; 2], ports| {
                let inner = udp(ends, ports, &question(1));
                let ether_type: &[u8] = if client.contains(':') { &[0x86, 0xdd] } else { &[8, 0] };
                let header = [1, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
                udp([left, right], (50_000, 37_008), &[&header, ether_type, &inner].concat())
            };
            let request = mirrored([client, asked], (41_000, 53));
            let error = refusal([left, right], Cause::PortUnreachable, &request, request.len());
            let report = analyse(&[
                (0, request.clone()),
                (1, error.clone()),
                (5_000, request),
                (5_001, error),
            ]);
            let found = exchanges(&report);
            let dns = found.iter().find(|one| one.client.address.to_string() == client).unwrap();
            assert!(dns.icmp_errors.is_empty(), "{client}");
            assert_ne!(dns.verdict, Verdict::Rejected, "{client}");
        }
    }
}
