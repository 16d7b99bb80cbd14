//! SIP answers that go where the request's Via says (RFC 3261 section 18.2.2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;
use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;

/// A raw IP packet with a UDP datagram.
fn packet(from: SocketAddr, to: SocketAddr, payload: &str) -> Vec<u8> {
    let builder = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
        _ => unreachable!("one family at a time"),
    };
    let mut bytes = Vec::new();
    builder.udp(from.port(), to.port()).write(&mut bytes, payload.as_bytes()).unwrap();
    bytes
}

/// A capture of link type 101, a second between any two packets.
fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        bytes.extend(word.to_le_bytes());
    }
    for (second, packet) in (1_700_000_000_u32..).zip(packets) {
        let length = u32::try_from(packet.len()).unwrap();
        for word in [second, 0, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(packet);
    }
    bytes
}

fn report(packets: &[Vec<u8>]) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("sip.pcap", None, &mut capture(packets).as_slice()).unwrap();
    analysis.finish(header()).unwrap()
}

#[test]
fn an_answer_to_the_port_in_via_is_a_fault_where_the_client_asks_on() {
    let families = [
        ("192.0.2.7:1024", "192.0.2.7:5062", "198.51.100.10:5060", "192.0.2.7"),
        ("[2001:db8::7]:1024", "[2001:db8::7]:5062", "[2001:db8:100::10]:5060", "[2001:db8::7]"),
    ];
    for (client, named, server, host) in families {
        let [client, named, server]: [SocketAddr; 3] =
            [client, named, server].map(|text| text.parse().unwrap());
        let request = |sequence: u32, port: u16| {
            let text = format!(
                "REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{sequence}\r\nCall-ID: a84b@{host}\r\nCSeq: {sequence} REGISTER\r\n\r\n"
            );
            packet(client, server, &text)
        };
        let answer = |sequence: u32, to: SocketAddr| {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {host}:5062\r\nCall-ID: a84b@{host}\r\nCSeq: {sequence} REGISTER\r\n\r\n"
            );
            packet(server, to, &text)
        };
        let cases = [
            (
                "asks on",
                vec![
                    request(1, 5062),
                    answer(1, named),
                    request(1, 5062),
                    answer(1, named),
                    request(1, 5062),
                    answer(1, named),
                ],
                Verdict::Broken,
                true,
            ),
            (
                "goes on",
                vec![request(1, 5062), answer(1, named), request(2, 5062), answer(2, named)],
                Verdict::Symmetric,
                true,
            ),
            ("to who asked", vec![request(1, 5062), answer(1, client)], Verdict::Symmetric, false),
        ];
        for (name, packets, verdict, expected) in cases {
            let report = report(&packets);
            assert_eq!(report.devices.len(), 1, "{name} {client}: {report:#?}");
            let device = &report.devices[0];
            assert_eq!(device.verdict, verdict, "{name} {client}: {report:#?}");
            let finding = device.findings.iter().find(|f| f.cause == Cause::ReplyToPayloadAddress);
            assert_eq!(finding.is_some(), expected, "{name} {client}");
            assert!(finding.is_none_or(|f| f.explanation.contains(&named.to_string())), "{name}");
        }
        // A port that nobody named is nobody's answer.
        let stray = report(&[request(1, 5064), answer(1, named), packet(client, server, "x")]);
        let findings = stray.devices.iter().flat_map(|device| &device.findings);
        assert!(findings.into_iter().all(|f| f.cause != Cause::ReplyToPayloadAddress), "{client}");
    }
}
