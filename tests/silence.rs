//! What silence, and an error, says of each protocol: of captures made byte by byte.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, SocketAddr};

use etherparse::{Icmpv4Type, Icmpv6Type, PacketBuilder};
use replyscope::analysis::{Analysis, Limits, ReportHeader};
use replyscope::model::finding::{Cause, Severity, Verdict};
use replyscope::model::report::{Device, Report};
use replyscope::model::time::Timestamp;

/// Raw IP packets with their times, in ms.
#[derive(Default, Clone)]
struct Capture(Vec<(u32, Vec<u8>)>);

impl Capture {
    fn udp(&mut self, at_ms: u32, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
        let builder = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                PacketBuilder::ipv4(from.octets(), to.octets(), 64)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                PacketBuilder::ipv6(from.octets(), to.octets(), 64)
            }
            _ => unreachable!("one family at a time"),
        };
        let mut bytes = Vec::new();
        builder.udp(from.port(), to.port()).write(&mut bytes, payload).unwrap();
        self.0.push((at_ms, bytes.clone()));
        bytes
    }

    /// An error about `quoted`, by its types and codes in both families.
    fn icmp(&mut self, at_ms: u32, from: IpAddr, to: IpAddr, kind: [u8; 4], quoted: &[u8]) {
        let quoted = &quoted[..quoted.len().min(100)];
        let mut bytes = Vec::new();
        match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let unknown = Icmpv4Type::Unknown {
                    type_u8: kind[0],
                    code_u8: kind[1],
                    bytes5to8: [0, 0, 5, 0],
                };
                let builder = PacketBuilder::ipv4(from.octets(), to.octets(), 64).icmpv4(unknown);
                builder.write(&mut bytes, quoted).unwrap();
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let unknown = Icmpv6Type::Unknown {
                    type_u8: kind[2],
                    code_u8: kind[3],
                    bytes5to8: [0, 0, 5, 0],
                };
                let builder = PacketBuilder::ipv6(from.octets(), to.octets(), 64).icmpv6(unknown);
                builder.write(&mut bytes, quoted).unwrap();
            }
            _ => unreachable!("one family at a time"),
        }
        self.0.push((at_ms, bytes));
    }

    fn report(&self, ends: &Ends, until_ms: u32) -> Report {
        let mut all = self.clone();
        // Somebody else, so that it is known how long the point listened.
        all.udp(0, ends.others[0], ends.others[1], b"once");
        all.udp(until_ms, ends.others[0], ends.others[1], b"again, and otherwise");
        all.0.sort_by_key(|(at_ms, _)| *at_ms);
        let mut bytes = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
            bytes.extend(word.to_le_bytes());
        }
        for (at_ms, packet) in &all.0 {
            let length = u32::try_from(packet.len()).unwrap();
            let second = 1_700_000_000 + at_ms / 1_000;
            for word in [second, at_ms % 1_000 * 1_000, length, length] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(packet);
        }
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("silence.pcap", None, &mut bytes.as_slice()).unwrap();
        let header =
            ReportHeader { id: uuid::Uuid::nil(), title: None, created_at: Timestamp::EPOCH };
        analysis.finish(header).unwrap()
    }

    /// What is said of the client.
    fn client(&self, ends: &Ends, until_ms: u32) -> Device {
        let report = self.report(ends, until_ms);
        let client = ends.client.to_string();
        let found = report.devices.iter().find(|device| device.device.to_string() == client);
        assert!(found.is_some(), "nothing is said of {client}: {report:#?}");
        found.unwrap().clone()
    }

    fn verdict(&self, ends: &Ends, until_ms: u32) -> Verdict {
        self.client(ends, until_ms).verdict
    }
}

/// Who takes part, in one family.
struct Ends {
    client: IpAddr,
    server: IpAddr,
    /// Another address of the server's.
    node: IpAddr,
    router: IpAddr,
    others: [SocketAddr; 2],
}

impl Ends {
    fn both() -> [Self; 2] {
        let parse = |text: &str| text.parse().unwrap();
        [
            [
                "192.0.2.7",
                "198.51.100.10",
                "198.51.100.4",
                "192.0.2.1",
                "203.0.113.1:9000",
                "203.0.113.2:9001",
            ],
            [
                "2001:db8::7",
                "2001:db8:1::10",
                "2001:db8:1::4",
                "2001:db8::1",
                "[2001:db8:9::1]:9000",
                "[2001:db8:9::2]:9001",
            ],
        ]
        .map(|[client, server, node, router, one, other]| Self {
            client: parse(client),
            server: parse(server),
            node: parse(node),
            router: parse(router),
            others: [one.parse().unwrap(), other.parse().unwrap()],
        })
    }

    fn client(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.client, port)
    }

    fn server(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.server, port)
    }

    fn node(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.node, port)
    }
}

const PORT_UNREACHABLE: [u8; 4] = [3, 3, 1, 4];
const TOO_BIG: [u8; 4] = [3, 4, 2, 0];
const EXPIRED: [u8; 4] = [11, 0, 3, 0];
const REASSEMBLY: [u8; 4] = [11, 1, 3, 1];

/// Bytes that nobody has a name for, other ones for each `number`.
fn media(number: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 0];
    bytes.extend(number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes.resize(60, 0x11);
    bytes
}

/// What is sent, to which port, when (ms), until when the point listens (ms), the verdict.
type Sent<'a> = (&'static str, &'a [u8], u16, &'a [u32], u32, Verdict);

#[test]
fn of_an_unknown_protocol_the_pace_tells() {
    let netflow: Vec<u8> = [&[0, 5, 0, 1][..], &[7; 68]].concat();
    let wake_up = [&[0xff; 6][..], &[2, 4, 5, 6, 7, 8].repeat(16)].concat();
    let cases: [Sent<'_>; 10] = [
        (
            "few at one pace, given up",
            b"ask me",
            9_100,
            &[0, 2_000, 4_000],
            20_000,
            Verdict::Unanswered,
        ),
        ("growing pauses", b"ask me", 9_100, &[0, 1_000, 3_000, 7_000], 7_500, Verdict::Unanswered),
        ("the capture ends", b"ask me", 9_100, &[0, 2_000, 4_000], 4_500, Verdict::Inconclusive),
        (
            "all the time",
            b"alive!",
            9_100,
            &[0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500],
            20_000,
            Verdict::Inconclusive,
        ),
        (
            "each half minute",
            b"alive!",
            9_100,
            &[0, 30_000, 60_000, 90_000],
            190_000,
            Verdict::Inconclusive,
        ),
        ("one byte", b"\0", 9_100, &[0, 5_000, 10_000, 15_000], 40_000, Verdict::Inconclusive),
        ("syslog", b"<134>fw: tick", 5_514, &[0, 5_000, 10_000], 40_000, Verdict::OneWay),
        ("NetFlow", &netflow, 2_056, &[0, 5_000, 10_000], 40_000, Verdict::OneWay),
        ("StatsD", b"app.up:1|c", 9_125, &[0, 3_000, 6_000], 40_000, Verdict::OneWay),
        ("Wake-on-LAN", &wake_up, 9, &[0, 1_000, 2_000], 40_000, Verdict::OneWay),
    ];
    for ends in Ends::both() {
        for (name, payload, port, times, until_ms, verdict) in cases {
            let mut capture = Capture::default();
            for at_ms in times {
                capture.udp(1_000 + at_ms, ends.client(40_123), ends.server(port), payload);
            }
            let found = capture.verdict(&ends, 1_000 + until_ms);
            assert_eq!(found, verdict, "{name} {}", ends.client);
        }
    }
}

#[test]
fn who_opens_a_conversation_in_vain_gets_no_answer() {
    let ike =
        [&b"initspi1\0\0\0\0\0\0\0\0\x21\x20\x22\x08"[..], &[0, 0, 0, 0, 0, 0, 0, 60], &[9; 32]]
            .concat();
    let quic = [&b"\xc3\0\0\0\x01\x08ABCDEFGH\0\0"[..], &[9; 1_184]].concat();
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let wireguard = [&[1, 0, 0, 0, 9, 9, 9, 9][..], &[7; 140]].concat();
    for ends in Ends::both() {
        for (payload, port) in [(&ike, 500), (&quic, 443), (&stun, 3478), (&wireguard, 51_820)] {
            let (from, to) = (ends.client(45_000), ends.server(port));
            let mut capture = Capture::default();
            for at_ms in [0, 1_000, 3_000, 7_000] {
                capture.udp(1_000 + at_ms, from, to, payload);
            }
            let device = capture.client(&ends, 30_000);
            assert_eq!(device.verdict, Verdict::Unanswered, "{port} {}", ends.client);
            assert_eq!(device.findings[0].cause, Cause::RequestUnanswered, "{port}");
            // What only who was answered sends: that the answers were not captured.
            capture.udp(9_000, from, to, &[0x5a; 90]);
            let found = capture.verdict(&ends, 30_000);
            assert_eq!(found, Verdict::Inconclusive, "{port} goes on {}", ends.client);
        }
        // What keeps a translation alive asks nothing (RFC 3948 section 2.3).
        let mut capture = Capture::default();
        for second in 1..6 {
            capture.udp(second * 5_000, ends.client(4500), ends.server(4500), b"\xff");
        }
        assert_eq!(capture.verdict(&ends, 60_000), Verdict::OneWay, "{}", ends.client);
    }
}

#[test]
fn checks_of_both_sides_are_told_apart() {
    let check =
        |kind: u8, id: u8| [&[kind, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[id; 12]].concat();
    for ends in Ends::both() {
        let (one, other) = (ends.client(45_000), ends.server(46_000));
        let mut capture = Capture::default();
        for number in 0..7 {
            let at_ms = 1_000 + number * 500;
            capture.udp(at_ms, one, other, &check(0, 1));
            capture.udp(at_ms + 100, other, one, &check(0, 2));
            capture.udp(at_ms + 101, one, other, &check(1, 2));
        }
        assert_eq!(capture.verdict(&ends, 30_000), Verdict::Unanswered, "{}", ends.client);
        let server = capture.report(&ends, 30_000);
        let server = server.devices.iter().find(|device| device.device == ends.server).unwrap();
        assert_eq!(server.verdict, Verdict::Symmetric, "{}", ends.client);

        // Of several ways one is enough.
        let mut capture = Capture::default();
        capture.udp(1_000, one, other, &check(0, 3));
        capture.udp(1_050, other, one, &check(1, 3));
        for number in 0..4 {
            let refused = capture.udp(1_100 + number * 200, one, ends.node(45_700), &check(0, 4));
            capture.icmp(1_110 + number * 200, ends.node, ends.client, PORT_UNREACHABLE, &refused);
        }
        let device = capture.client(&ends, 30_000);
        assert_eq!(device.verdict, Verdict::OneWay, "{}", ends.client);
        assert!(device.findings.is_empty(), "{:?}", device.findings);
    }
}

#[test]
fn the_last_hop_of_a_trace_is_a_probe_as_well() {
    for ends in Ends::both() {
        for (name, first_port, is_one_socket) in
            [("tracepath", 44_444, true), ("mtr", 33_000, true), ("a socket each", 52_000, false)]
        {
            let mut capture = Capture::default();
            for hop in 1..6_u16 {
                let port = if is_one_socket { 40_000 } else { 40_000 + hop };
                let to = ends.server(first_port + hop);
                let at_ms = 1_000 * u32::from(hop);
                let probe = capture.udp(at_ms, ends.client(port), to, &[0; 32]);
                let (from, kind) =
                    if hop < 5 { (ends.router, EXPIRED) } else { (ends.server, PORT_UNREACHABLE) };
                capture.icmp(at_ms + 20, from, ends.client, kind, &probe);
            }
            let device = capture.client(&ends, 20_000);
            assert_eq!(device.verdict, Verdict::OneWay, "{name} {}", ends.client);
            // Who is refused at another address has asked.
            let asked = capture.udp(8_000, ends.client(40_000), ends.node(9_100), b"ask me");
            capture.icmp(8_020, ends.node, ends.client, PORT_UNREACHABLE, &asked);
            assert_eq!(capture.verdict(&ends, 20_000), Verdict::Rejected, "{name}");
        }
    }
}

#[test]
fn a_talk_that_is_over_was_not_refused() {
    for ends in Ends::both() {
        let (one, other) = (ends.client(5004), ends.server(12_000));
        // packets of each side, how long the client sends on in vain, the verdict
        for (name, packets, on_ms, verdict) in [
            ("a call", 100, 60, Verdict::Symmetric),
            ("asks on", 100, 20_000, Verdict::Rejected),
            ("two answers", 2, 60, Verdict::Rejected),
        ] {
            let mut capture = Capture::default();
            for number in 0..packets {
                capture.udp(1_000 + number * 20, one, other, &media(number));
                capture.udp(1_005 + number * 20, other, one, &media(number + 5_000));
            }
            let over_ms = 1_100 + packets * 20;
            for number in 0..3 {
                let at_ms = over_ms + number * on_ms / 3;
                let refused = capture.udp(at_ms, one, other, &media(number + 900));
                capture.icmp(at_ms + 10, ends.server, ends.client, PORT_UNREACHABLE, &refused);
            }
            let device = capture.client(&ends, 60_000);
            assert_eq!(device.verdict, verdict, "{name} {}", ends.client);
            let finding = &device.findings[0];
            assert_eq!(finding.cause, Cause::PortUnreachable, "{name}");
            assert!(finding.explanation.contains("had answered"), "{}", finding.explanation);
            let is_info = finding.severity == Severity::Info;
            assert_eq!(is_info, verdict == Verdict::Symmetric, "{name}");
        }
    }
}

#[test]
fn who_is_told_that_a_packet_is_too_big_sends_less() {
    for ends in Ends::both() {
        // the pause before the second, whether it is too big as well, the verdict
        for (name, pause_ms, is_refused, verdict) in [
            ("sends less", 500, false, Verdict::OneWay),
            ("had one on its way", 10, true, Verdict::OneWay),
            ("sends as much", 3_000, true, Verdict::Rejected),
        ] {
            let (from, to) = (ends.client(514), ends.server(514));
            let mut capture = Capture::default();
            capture.udp(1_000, from, to, b"<1>short");
            let large = [&b"<1>"[..], &[b'x'; 1_450]].concat();
            let packet = capture.udp(2_000, from, to, &large);
            capture.icmp(2_010, ends.router, ends.client, TOO_BIG, &packet);
            let packet = capture.udp(2_000 + pause_ms, from, to, &large[..1_400]);
            if is_refused {
                capture.icmp(2_005 + pause_ms, ends.router, ends.client, TOO_BIG, &packet);
            }
            let device = capture.client(&ends, 2_600 + pause_ms);
            assert_eq!(device.verdict, verdict, "{name} {}", ends.client);
            assert_eq!(device.findings[0].cause, Cause::PacketTooBig, "{name}");
        }
    }
}

#[test]
fn what_was_asked_after_an_error_does_not_wait_for_its_sake() {
    let request = |number: u8| [&[1, number, 0, 26][..], &[number; 16], &[1, 6], b"mary"].concat();
    let answer = |number: u8| [&[2, number, 0, 20][..], &[9; 16]].concat();
    for ends in Ends::both() {
        // whether the datagram that was lost is asked again and answered
        for (is_healed, verdict) in [(true, Verdict::Symmetric), (false, Verdict::Unanswered)] {
            let (from, to) = (ends.client(40_000), ends.server(1812));
            let mut capture = Capture::default();
            for number in 0..4_u8 {
                let at_ms = 1_000 + u32::from(number) * 1_000;
                let asked = capture.udp(at_ms, from, to, &request(number));
                if number == 3 {
                    capture.icmp(40_000, ends.server, ends.client, REASSEMBLY, &asked);
                } else {
                    capture.udp(at_ms + 100, to, from, &answer(number));
                }
            }
            if is_healed {
                capture.udp(6_000, from, to, &request(3));
                capture.udp(6_100, to, from, &answer(3));
                capture.udp(41_000, from, to, &request(7));
            }
            assert_eq!(capture.verdict(&ends, 41_200), verdict, "{is_healed} {}", ends.client);
        }
    }
}

#[test]
fn a_changed_answer_that_is_not_taken_is_no_success() {
    for ends in Ends::both() {
        let from = ends.client(40_000);
        let (asked, node) = (ends.server(1194), ends.node(1194));
        let (own_port, reset) = (ends.server(34_567), b"\x38ABCDEFGH\0\0\0\0\0");
        let answer = |number: u32, is_alike: bool| {
            let mut bytes = b"\x40IJKLMNOP\x01\0\0\0\0ABCDEFGH".to_vec();
            bytes.extend(if is_alike { 0_u32 } else { number }.to_be_bytes());
            bytes
        };
        // who answers, how often it is asked, whether all answers are alike, the verdict
        let cases = [
            ("asked again", node, 5, true, Verdict::Broken),
            ("polled", node, 12, true, Verdict::Tolerated),
            ("news each time", node, 5, false, Verdict::Tolerated),
            ("from a port of its own", own_port, 8, false, Verdict::Tolerated),
        ];
        for (name, answerer, times, is_alike, verdict) in cases {
            let mut capture = Capture::default();
            for number in 0..times {
                capture.udp(1_000 + number * 2_000, from, asked, reset);
                capture.udp(1_050 + number * 2_000, answerer, from, &answer(number, is_alike));
            }
            let device = capture.client(&ends, 60_000);
            assert_eq!(device.verdict, verdict, "{name} {}", ends.client);
        }
        // A session at its own port, one that asks on at once, and two streams.
        let mut capture = Capture::default();
        capture.udp(1_000, from, asked, reset);
        capture.udp(1_050, own_port, from, &answer(0, true));
        capture.udp(1_100, from, own_port, b"go on there");
        assert_eq!(capture.verdict(&ends, 60_000), Verdict::Symmetric, "{}", ends.client);
        let mut capture = Capture::default();
        for number in 0..4 {
            capture.udp(1_000 + number * 40, from, asked, &media(number));
            capture.udp(1_020 + number * 40, own_port, from, &media(number + 900));
        }
        assert_eq!(capture.verdict(&ends, 60_000), Verdict::Symmetric, "{}", ends.client);
        let mut capture = Capture::default();
        for number in 0..40 {
            capture.udp(1_000 + number * 20, from, asked, &media(number));
            capture.udp(1_005 + number * 20, own_port, from, &media(number + 900));
        }
        assert_eq!(capture.verdict(&ends, 60_000), Verdict::Symmetric, "{}", ends.client);
    }
}

#[test]
fn a_client_may_have_a_known_port_by_chance() {
    const QUERY: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";
    const ANSWER: &[u8] = b"\xff\xff\xff\xffISource Engine Answer";
    for ends in Ends::both() {
        for port in [1645, 1812, 1900, 2055, 2152, 3478, 3544, 3784, 4500, 4739, 4789] {
            let (from, asked) = (ends.client(port), ends.server(27_015));
            let mut silent = Capture::default();
            let mut answered = Capture::default();
            let mut elsewhere = Capture::default();
            for second in 1..5_u32 {
                let at_ms = second * 1_000;
                let query = [QUERY, &[u8::try_from(second).unwrap(); 4]].concat();
                let reply = [ANSWER, &[u8::try_from(second).unwrap(); 5]].concat();
                silent.udp(at_ms, from, asked, QUERY);
                answered.udp(at_ms, from, asked, &query);
                answered.udp(at_ms + 50, asked, from, &reply);
                elsewhere.udp(at_ms, from, asked, &query);
                elsewhere.udp(at_ms + 50, ends.node(27_015), from, &reply);
            }
            assert_eq!(silent.verdict(&ends, 30_000), Verdict::Unanswered, "{port}");
            assert_eq!(answered.verdict(&ends, 30_000), Verdict::Symmetric, "{port}");
            if matches!(port, 1645 | 1812 | 3478) {
                assert_eq!(elsewhere.verdict(&ends, 30_000), Verdict::Tolerated, "{port}");
            }
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_asked_for_anew() {
    for ends in Ends::both() {
        let mut capture = Capture::default();
        for number in 0..4_u16 {
            let at_ms = 1_000 + u32::from(number) * 20_000;
            capture.udp(at_ms, ends.client(2070), ends.server(69), b"\0\x01time\0octet\0");
            let to = ends.client(2070);
            capture.udp(at_ms + 10, ends.server(33_000 + number), to, b"\0\x05\0\x01not found\0");
        }
        let device = capture.client(&ends, 90_000);
        assert_eq!(device.verdict, Verdict::Symmetric, "{}", ends.client);
        let is_told = |cause| device.findings.iter().any(|finding| finding.cause == cause);
        assert!(!is_told(Cause::RetransmissionsRecovered), "{:?}", device.findings);
    }
}

#[test]
fn a_relay_is_answered_at_the_address_that_it_names() {
    // DHCP is of IPv4; over IPv6 relays are answered where they asked from (RFC 8415 section 19).
    let [ends, _] = Ends::both();
    let message = |kind: u8, transaction: u32| {
        let mut bytes = vec![kind, 1, 6, 0];
        bytes.extend(transaction.to_be_bytes());
        bytes.resize(300, 0);
        bytes
    };
    let named = "192.0.2.129:67".parse().unwrap();
    let stranger = "192.0.2.193:67".parse().unwrap();
    let mut capture = Capture::default();
    for number in 0..3 {
        let at_ms = 1_000 + number * 5_000;
        capture.udp(at_ms, ends.client(67), ends.server(67), &message(1, number));
        capture.udp(at_ms + 50, ends.server(67), named, &message(2, number));
    }
    let report = capture.report(&ends, 30_000);
    assert_eq!(capture.verdict(&ends, 30_000), Verdict::Symmetric, "{report:#?}");
    assert!(report.devices.iter().all(|device| device.device != ends.server), "{report:#?}");
    // What answers nobody's request is no answer.
    capture.udp(28_000, ends.server(67), stranger, &message(2, 99));
    let report = capture.report(&ends, 30_000);
    let relay = report.devices.iter().find(|device| device.device == ends.client).unwrap();
    assert_eq!(relay.exchanges[0].replies[0].packets, 3);
}
