//! Lines of ICMP errors, and what is read of them.

use super::*;

const FROM: &str = "192.0.2.9";
const TO: &str = "198.51.100.7";

fn read(summary: &str, body: &[&str]) -> IcmpReading {
    let body: Vec<String> = body.iter().map(|line| (*line).to_owned()).collect();
    let lines = IcmpLines { summary, body: &body, has_header: false };
    parse_icmp(FROM.parse().unwrap(), TO.parse().unwrap(), lines).unwrap()
}

type ErrorCase<'a> = (&'a str, IcmpKind, Option<&'a str>, Option<u16>);

fn check(cases: &[ErrorCase<'_>]) {
    for (summary, kind, destination, destination_port) in cases {
        let quote = destination.map(|destination| Quote {
            source: TO.parse().unwrap(),
            source_port: None,
            destination: destination.parse().unwrap(),
            destination_port: *destination_port,
            kind: if summary.contains("udp port") {
                QuotedKind::Datagram
            } else if summary.contains("tcp port") {
                QuotedKind::Segment(None)
            } else {
                QuotedKind::Unknown
            },
            tunnel: None,
        });
        let (from, to) = (FROM.parse().unwrap(), TO.parse().unwrap());
        let expected =
            IcmpReading::Error(IcmpError { kind: *kind, from, to, quote, fingerprint: None });
        assert_eq!(read(summary, &[]), expected, "{summary}");
    }
}

#[test]
fn unreachable_destinations_of_both_families_are_read() {
    let (v4, v6) = (Some("192.0.2.1"), Some("2001:db8::1"));
    check(&[
        (
            "ICMP 192.0.2.1 udp port 49190 unreachable, length 61",
            IcmpKind::PortUnreachable,
            v4,
            Some(49_190),
        ),
        (
            "ICMP6, destination unreachable, unreachable port, 2001:db8::1 udp port 32991, length 572",
            IcmpKind::PortUnreachable,
            v6,
            Some(32_991),
        ),
        (
            "ICMP 192.0.2.1 udp port tftp unreachable, length 61",
            IcmpKind::PortUnreachable,
            v4,
            Some(69),
        ),
        (
            "ICMP6, destination unreachable, unreachable port, 2001:db8::1 udp port tftp, length 83",
            IcmpKind::PortUnreachable,
            v6,
            Some(69),
        ),
        ("ICMP host 192.0.2.1 unreachable, length 61", IcmpKind::HostUnreachable, v4, None),
        (
            "ICMP6, destination unreachable, unreachable address 2001:db8::1, length 83",
            IcmpKind::HostUnreachable,
            v6,
            None,
        ),
        ("ICMP net 192.0.2.1 unreachable, length 61", IcmpKind::NetworkUnreachable, v4, None),
        (
            "ICMP6, destination unreachable, unreachable route 2001:db8::1, length 83",
            IcmpKind::NetworkUnreachable,
            v6,
            None,
        ),
        ("icmp: 192.0.2.1 udp port 69 unreachable", IcmpKind::PortUnreachable, v4, Some(69)),
        (
            "ICMP 192.0.2.1 tcp port https unreachable, length 68",
            IcmpKind::PortUnreachable,
            v4,
            Some(443),
        ),
        (
            "ICMP6, destination unreachable, unreachable port, 2001:db8::1 tcp port 443, length 88",
            IcmpKind::PortUnreachable,
            v6,
            Some(443),
        ),
        ("icmp6: 2001:db8::1 udp port 69 unreachable", IcmpKind::PortUnreachable, v6, Some(69)),
    ]);
}

#[test]
fn other_errors_of_both_families_are_read() {
    let (v4, v6) = (Some("192.0.2.1"), Some("2001:db8::1"));
    check(&[
        (
            "ICMP host 192.0.2.1 unreachable - admin prohibited filter, length 61",
            IcmpKind::AdminProhibited,
            v4,
            None,
        ),
        (
            "ICMP host 192.0.2.1 unreachable - admin prohibited, length 61",
            IcmpKind::AdminProhibited,
            v4,
            None,
        ),
        ("ICMP host 192.0.2.1 unreachable - admin prohibited", IcmpKind::AdminProhibited, v4, None),
        ("icmp: net 192.0.2.1 unreachable - admin prohibited", IcmpKind::AdminProhibited, v4, None),
        ("icmp: 192.0.2.1 unreachable - need to frag", IcmpKind::PacketTooBig, v4, None),
        (
            "ICMP6, destination unreachable,  unreachable prohibited 2001:db8::1",
            IcmpKind::AdminProhibited,
            v6,
            None,
        ),
        (
            "ICMP6, destination unreachable, administratively prohibited 2001:db8::1, length 83",
            IcmpKind::AdminProhibited,
            v6,
            None,
        ),
        (
            "ICMP 192.0.2.1 unreachable - need to frag (mtu 1300), length 556",
            IcmpKind::PacketTooBig,
            v4,
            None,
        ),
        ("ICMP6, packet too big, mtu 1300, length 1240", IcmpKind::PacketTooBig, None, None),
        ("ICMP time exceeded in-transit, length 36", IcmpKind::TimeExceeded, None, None),
        (
            "ICMP6, time exceeded in-transit for 2001:db8::1, length 83",
            IcmpKind::TimeExceeded,
            v6,
            None,
        ),
        ("ICMP 192.0.2.1 protocol 17 unreachable, length 61", IcmpKind::Other, v4, None),
        (
            "ICMP net 192.0.2.1 unreachable - tos prohibited, length 61",
            IcmpKind::NetworkUnreachable,
            v4,
            None,
        ),
        (
            "ICMP6, destination unreachable, unknown unreach code (5), length 112",
            IcmpKind::AdminProhibited,
            None,
            None,
        ),
        (
            "ICMP6, destination unreachable, unknown unreach code (6), length 112",
            IcmpKind::AdminProhibited,
            None,
            None,
        ),
    ]);
}

#[test]
fn other_messages_are_no_errors_about_udp() {
    let cases = [
        "ICMP echo request, id 1, seq 1, length 64",
        "ICMP6, echo request, seq 1, length 64",
        "ICMP 192.0.2.1 protocol 132 unreachable, length 48",
        "ICMP6, router solicitation, length 16",
        "ICMP redirect 192.0.2.1 to host 192.0.2.2, length 36",
    ];
    for summary in cases {
        assert_eq!(read(summary, &[]), IcmpReading::Other, "{summary}");
    }
}

type QuoteCase<'a> = (&'a str, &'a [&'a str], Option<(u16, u16)>);

#[test]
fn the_quoted_packet_gives_both_ports() {
    let cases: [QuoteCase<'_>; 6] = [
        (
            "ICMP time exceeded in-transit, length 36",
            &[
                "\tIP (tos 0x0, ttl 1, id 1, offset 0, flags [none], proto UDP (17), length 32)",
                "    192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4",
            ],
            Some((5_000, 69)),
        ),
        (
            "ICMP6, packet too big, mtu 1300, length 1240",
            &[
                "\tIP6 (hlim 64, next-header UDP (17) payload length: 12) 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4",
            ],
            Some((5_000, 69)),
        ),
        (
            "ICMP 192.0.2.2 udp port 69 unreachable, length 36",
            &["IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4"],
            Some((5_000, 69)),
        ),
        (
            "ICMP time exceeded in-transit, length 36",
            &[
                "\tIP (tos 0x0, ttl 1, id 1, offset 0, flags [none], proto TCP (6), length 60)",
                "    192.0.2.1.5000 > 192.0.2.2.80: Flags [S], seq 1",
            ],
            Some((5_000, 80)),
        ),
        (
            "ICMP6, destination unreachable, unreachable prohibited 2001:db8::2, length 88",
            &[
                "\tIP6 (hlim 64, next-header TCP (6) payload length: 40) 2001:db8::2.80 > 2001:db8::1.5000: Flags [S.], seq 9, ack 2, win 1",
            ],
            Some((80, 5_000)),
        ),
        (
            "ICMP 192.0.2.2 unreachable - need to frag (mtu 1300), length 556",
            &["IP 192.0.2.1.5000 > 192.0.2.2.80: Flags [.], seq 1:1441, ack 1, win 9"],
            None,
        ),
    ];
    for (summary, body, ports) in cases {
        let actual = match read(summary, body) {
            IcmpReading::Error(error) => {
                error.quote.and_then(|quote| quote.source_port.zip(quote.destination_port))
            }
            IcmpReading::Neighbour(_) | IcmpReading::Other => None,
        };
        assert_eq!(actual, ports, "{summary}");
    }
}

#[test]
fn a_quoted_host_name_is_a_fault() {
    let (from, to) = (FROM.parse().unwrap(), TO.parse().unwrap());
    let lines = IcmpLines {
        summary: "ICMP gateway udp port 69 unreachable, length 36",
        body: &[],
        has_header: false,
    };
    let fault = parse_icmp(from, to, lines);
    assert!(fault.unwrap_err().contains("'gateway'"));
}
