//! SIP answers that go where the request's Via says (RFC 3261 section 18.2.2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;
#[path = "support/pcap.rs"]
mod pcap;
#[path = "support/udp.rs"]
mod udp;

use std::net::SocketAddr;

use header::header;
use pcap::pcap;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;
use udp::udp;

fn report(packets: &[Vec<u8>]) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("sip.pcap", None, &mut pcap(packets).as_slice()).unwrap();
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
            udp(client, server, text.as_bytes())
        };
        let answer = |sequence: u32, to: SocketAddr| {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {host}:5062\r\nCall-ID: a84b@{host}\r\nCSeq: {sequence} REGISTER\r\n\r\n"
            );
            udp(server, to, text.as_bytes())
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
        let stray = report(&[request(1, 5064), answer(1, named), udp(client, server, b"x")]);
        let findings = stray.devices.iter().flat_map(|device| &device.findings);
        assert!(findings.into_iter().all(|f| f.cause != Cause::ReplyToPayloadAddress), "{client}");
    }
}
