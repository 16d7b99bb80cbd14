//! Runs as a whole: lines in, events out.

mod dumps;
mod nested;
mod unread;

use proptest::prelude::*;

use super::*;
use crate::ingest::NamedPacket;
use crate::model::capture::Direction;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Application, Content, Packet};
use crate::model::packet::{IcmpKind, Quote};
use crate::model::segment::QuotedKind;
use crate::model::time::Timestamp;

/// Events of a run, as short words that a table can hold.
fn run(origin: Origin, text: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut sink = |event: Event<'_>| events.push(describe(&event));
    let mut run = Run::new(origin);
    for (at, line) in text.lines().enumerate() {
        let number = u64::try_from(at).unwrap() + 1;
        if line.trim().is_empty() {
            run.note_gap(line);
        } else if !run.push(number, line, &mut sink) {
            sink(Event::Inventory(crate::ingest::InventoryText {
                entry: None,
                command: "not ours",
                node: None,
                text: line,
                line: number,
            }));
        }
    }
    run.finish(&mut sink);
    events
}

fn describe(event: &Event<'_>) -> String {
    match event {
        Event::CaptureBegins(header) => format!("begins {:?}", header.clock),
        Event::Interface(header) => {
            format!("interface {} {}", header.index, header.name.as_deref().unwrap_or("-"))
        }
        Event::Frame(frame) => {
            format!("frame {} {} {}", frame.number, frame.link_type, frame.bytes.len())
        }
        Event::Packet(packet) => match &packet.content {
            Content::Datagram(datagram) => {
                let tunnel = packet.tunnel.map_or_else(String::new, |tunnel| {
                    let kind = format!("{:?}", tunnel.kind).to_lowercase();
                    format!(" in {kind} {}", tunnel.key.unwrap_or_default())
                });
                format!("{} {} {}{tunnel}", packet.frame, datagram.flow, datagram.length)
            }
            Content::IcmpError(error) => format!("{} {:?}", packet.frame, error.kind),
            Content::Dropped(dropped) => format!("{} {dropped:?}", packet.frame),
            Content::Discarded(datagram) => format!("{} {datagram:?}", packet.frame),
            Content::FragmentsLost(lost) => format!("{} {lost:?}", packet.frame),
            Content::Neighbour(_) => format!("{} neighbour", packet.frame),
            Content::Segment(segment) => format!("{} {} TCP", packet.frame, segment.flow),
        },
        Event::NamedPacket(NamedPacket { packet, source, destination, .. }) => {
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "{} {} → {}",
                describe(&Event::Packet(packet.clone())),
                name(source),
                name(destination)
            )
        }
        Event::OtherPacket { frame, .. } => format!("{frame} other"),
        Event::Unread { .. } => "unread".to_owned(),
        Event::Fault(fault) => format!("fault {fault}"),
        Event::Inventory(_)
        | Event::Fact(_)
        | Event::ServerLog(_)
        | Event::Dropped { .. }
        | Event::Listened { .. }
        | Event::Note(_) => {
            format!("not ours: {event:?}")
        }
        Event::CaptureEnds => "ends".to_owned(),
    }
}

fn packets(text: &str) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut run = Run::new(Origin::default());
    for line in text.lines() {
        run.push(1, line, &mut |event| {
            if let Event::Packet(packet) = event {
                packets.push(packet);
            }
        });
    }
    run.finish(&mut |event| {
        if let Event::Packet(packet) = event {
            packets.push(packet);
        }
    });
    packets
}

const BEGIN: [&str; 2] = ["begins TimeOfDay", "interface 0 -"];

fn expect(text: &str, expected: &[&str]) {
    let mut all: Vec<&str> = BEGIN.to_vec();
    all.extend(expected);
    all.push("ends");
    assert_eq!(run(Origin::default(), text), all, "{text}");
}

#[test]
fn one_line_packets_of_both_families() {
    expect(
        "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.tftp:  64 WRQ \"a.cfg\" octet tsize 7304
07:29:48.7 IP 192.0.2.13.32991 > 192.0.2.9.41226: UDP, length 35
07:29:48.8 ARP, Request who-has 192.0.2.9 tell 192.0.2.13, length 28
07:29:48.9 IP 192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36
07:29:49.0 IP 192.0.2.9.5 > web.example.http: Flags [S], seq 1, length 0",
        &[
            "1 192.0.2.9:41226 → 192.0.2.21:69 64",
            "2 192.0.2.13:32991 → 192.0.2.9:41226 35",
            "3 neighbour",
            "4 PortUnreachable",
            "5 other",
        ],
    );
    expect(
        "07:29:48.654684 IP6 2001:db8::9.41226 > 2001:db8::21.tftp:  64 WRQ \"a.cfg\" octet tsize 7304
07:29:48.7 IP6 2001:db8::13.32991 > 2001:db8::9.41226: UDP, length 35
07:29:48.8 IP6 2001:db8::9 > ff02::1:ff00:13: ICMP6, neighbor solicitation, who has 2001:db8::13, length 32
07:29:48.9 IP6 2001:db8::21 > 2001:db8::9: ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 572
07:29:49.0 IP6 2001:db8::9.5 > web.example.http: Flags [S], seq 1, length 0",
        &[
            "1 [2001:db8::9]:41226 → [2001:db8::21]:69 64",
            "2 [2001:db8::13]:32991 → [2001:db8::9]:41226 35",
            "3 neighbour",
            "4 PortUnreachable",
            "5 other",
        ],
    );
}

#[test]
fn verbose_packets_stand_on_several_lines() {
    expect(
        "07:29:48.654684 IP (tos 0x0, ttl 63, id 10208, offset 0, flags [DF], proto UDP (17), length 63)
    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 35
07:29:48.7 IP (tos 0x0, ttl 63, id 7, offset 1480, flags [none], proto UDP (17), length 64)
    192.0.2.13 > 192.0.2.9: ip-proto-17
07:29:48.8 IP (tos 0x0, ttl 63, id 8, offset 0, flags [DF], proto UDP (17), length 71)
    192.0.2.13.5000 > 192.0.2.9.161:  { SNMPv2c { GetRequest(28) R=5  .1.3.6 } }
07:29:48.9 IP (tos 0xc0, ttl 64, id 9, offset 0, flags [none], proto ICMP (1), length 120)
    192.0.2.21 > 192.0.2.9: ICMP host 192.0.2.21 unreachable - admin prohibited filter, length 100
\tIP (tos 0x0, ttl 63, id 15197, offset 0, flags [DF], proto UDP (17), length 92)
    192.0.2.9.58625 > 192.0.2.21.69: TFTP, length 64, WRQ \"a.cfg\" octet",
        &[
            "1 192.0.2.13:32991 → 192.0.2.9:41226 35",
            "2 other",
            "3 192.0.2.13:5000 → 192.0.2.9:161 43",
            "4 AdminProhibited",
        ],
    );
    expect(
        "07:29:48.654684 IP6 (flowlabel 0xb3c1e, hlim 64, next-header UDP (17) payload length: 43) 2001:db8::13.32991 > 2001:db8::9.41226: [udp sum ok] UDP, length 35
07:29:48.7 IP6 (hlim 255, next-header Fragment (44) payload length: 128) 2001:db8::13 > 2001:db8::9: frag (0x1:120|120)
07:29:48.8 IP6 (hlim 64, next-header UDP (17) payload length: 51) 2001:db8::13.5000 > 2001:db8::9.161:  { SNMPv2c { GetRequest(28) R=5  .1.3.6 } }
07:29:48.9 IP6 (hlim 64, next-header ICMPv6 (58) payload length: 120) 2001:db8::21 > 2001:db8::9: [icmp6 sum ok] ICMP6, destination unreachable,  unreachable prohibited 2001:db8::21",
        &[
            "1 [2001:db8::13]:32991 → [2001:db8::9]:41226 35",
            "2 other",
            "3 [2001:db8::13]:5000 → [2001:db8::9]:161 43",
            "4 AdminProhibited",
        ],
    );
}

#[test]
fn verbose_details_reach_the_packet() {
    let text =
        "07:29:48.9 IP (tos 0xc0, ttl 64, id 9, offset 0, flags [none], proto ICMP (1), length 120)
    192.0.2.21 > 192.0.2.9: ICMP time exceeded in-transit, length 100
\tIP (tos 0x0, ttl 1, id 15197, offset 0, flags [DF], proto UDP (17), length 92)
    192.0.2.9.58625 > 192.0.2.30.69: TFTP, length 64, WRQ \"a.cfg\" octet";
    let [packet] = packets(text).try_into().unwrap();
    assert_eq!(packet.ip_identification, Some(9));
    let Content::IcmpError(error) = packet.content else { panic!("{packet:?}") };
    assert_eq!(error.kind, IcmpKind::TimeExceeded);
    let quote = Quote {
        source: "192.0.2.9".parse().unwrap(),
        source_port: Some(58_625),
        destination: "192.0.2.30".parse().unwrap(),
        destination_port: Some(69),
        kind: QuotedKind::Datagram,
        tunnel: None,
    };
    assert_eq!(error.quote, Some(quote));
}

#[test]
fn columns_name_interfaces_before_their_packets() {
    for (ip, one, two) in
        [("IP", "192.0.2.9", "192.0.2.21"), ("IP6", "2001:db8::9", "2001:db8::21")]
    {
        let text = format!(
            "07:29:48.1 eth0  In  {ip} {one}.5 > {two}.6: UDP, length 4
07:29:48.2 cali9 Out {ip} {one}.5 > {two}.6: UDP, length 4
07:29:48.3 eth0  Out {ip} {two}.6 > {one}.5: UDP, length 4
07:29:48.4 eth0  B   ARP, Request who-has 192.0.2.9 tell 192.0.2.13, length 28"
        );
        let origin = Origin { interface: Some("any".into()), ..Origin::default() };
        let words: Vec<String> = run(origin, &text)
            .into_iter()
            .map(|event| event.split(' ').take(3).collect::<Vec<_>>().join(" "))
            .collect();
        let socket =
            |address: &str, port: u16| Endpoint::new(address.parse().unwrap(), port).to_string();
        let (there, back) = (socket(one, 5), socket(two, 6));
        let expected = [
            "begins TimeOfDay".to_owned(),
            "interface 0 any".to_owned(),
            "interface 1 eth0".to_owned(),
            "interface 2 cali9".to_owned(),
            format!("1 {there} →"),
            format!("2 {there} →"),
            format!("3 {back} →"),
            "4 neighbour".to_owned(),
            "ends".to_owned(),
        ];
        // The second interface is named while the first packet is held back.
        let mut sorted = expected.to_vec();
        sorted.swap(3, 4);
        assert!(words == expected || words == sorted, "{words:?}");
        let seen: Vec<_> =
            packets(&text).iter().map(|packet| (packet.interface, packet.direction)).collect();
        assert_eq!(
            seen,
            [
                (1, Some(Direction::In)),
                (2, Some(Direction::Out)),
                (1, Some(Direction::Out)),
                (1, Some(Direction::In)),
            ]
        );
    }
}

#[test]
fn a_sip_message_keeps_its_packet_together() {
    expect(
        "04:34:30.1 IP (tos 0x0, ttl 63, id 1, offset 0, flags [DF], proto UDP (17), length 999)
    **192.0.2.1.40351 > 192.0.2.2.5060**: SIP, length: 971
        PUBLISH sip:service-1@example.org SIP/2.0
        Call-ID: 1-6324@192.0.2.1
        CSeq: 1 PUBLISH
        Content-Length:   607
<the body was taken out>

04:34:30.2 IP (tos 0x10, ttl 64, id 2, offset 0, flags [DF], proto UDP (17), length 417)
    **192.0.2.2.5060 > 192.0.2.1.32569**: SIP, length: 389
SIP/2.0 200 OK
Call-ID: 1-6324@192.0.2.1
CSeq: 1 PUBLISH",
        &["1 192.0.2.1:40351 → 192.0.2.2:5060 971", "2 192.0.2.2:5060 → 192.0.2.1:32569 389"],
    );
}

#[test]
fn times_can_be_missing_or_relative() {
    for (ip, one, two) in
        [("IP", "192.0.2.9", "192.0.2.21"), ("IP6", "2001:db8::9", "2001:db8::21")]
    {
        let cases = [
            ("", "", "begins None", 0),
            ("00:00:00.000000 ", " 00:00:03.5 ", "begins Relative", 3_500_000_000),
            ("1700000000.5 ", "1700000001.5 ", "begins Absolute", 1_700_000_001_500_000_000),
            (
                "1970-01-02 00:00:00.5 ",
                "1970-01-02 00:00:01.0 ",
                "begins Absolute",
                86_401_000_000_000,
            ),
            ("00:00:00.000000001 ", "00:00:00.000000002 ", "begins TimeOfDay", 2),
        ];
        for (first, second, clock, last_ns) in cases {
            let text = format!(
                "{first}{ip} {one}.5 > {two}.6: UDP, length 4\n{second}{ip} {two}.6 > {one}.5: UDP, length 4"
            );
            assert_eq!(run(Origin::default(), &text)[0], clock, "{text}");
            let last = packets(&text)[1].at;
            assert_eq!(last, Timestamp::from_nanoseconds(last_ns), "{text}");
        }
    }
}

const SEEDS: &[&str] = &[
    "07:29:48.654684 IP 192.0.2.9.41226 > 192.0.2.21.tftp:  64 WRQ \"a.cfg\" octet tsize 7304",
    "07:29:48.9 IP6 2001:db8::21 > 2001:db8::9: ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 572",
    "07:29:48.654684 IP (tos 0x0, ttl 63, id 10208, offset 0, flags [DF], proto UDP (17), length 63)\n    192.0.2.13.32991 > 192.0.2.9.41226: [udp sum ok] UDP, length 35",
    "1700000000.5 eth0  In  ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 112: 192.0.2.1.5 > 192.0.2.2.53: 1+ A? a. (20)",
    "07:29:48.1 IP 192.0.2.1.5 > 192.0.2.2.161:  C=\"a\" GetRequest(28)  .1.3.6.1=\"x\"",
    "IP6 2001:db8::1 > 2001:db8::2: HBH frag (0|120) 5353 > 5353: 0 [2q] PTR (QU)? a. (20)",
    "07:29:48.1 IP a.5000 > b.tftp: UDP\n\t0x0000:  4500 0020 0001 0000 4011 f6c9 c000 0201  E.......@.......",
];

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,400}") {
        run(Origin::default(), &text);
    }

    #[test]
    fn no_mutation_of_a_valid_line_panics(
        seed in 0..SEEDS.len(),
        edits in proptest::collection::vec((0..200_usize, any::<char>(), 0..3_u8), 0..12),
    ) {
        let mut characters: Vec<char> = SEEDS[seed].chars().collect();
        for (at, c, how) in edits {
            let at = at.min(characters.len().saturating_sub(1));
            match how {
                0 => characters.insert(at, c),
                1 => { characters.remove(at); }
                _ => characters.truncate(at + 1),
            }
            if characters.is_empty() {
                break;
            }
        }
        let text: String = characters.into_iter().collect();
        run(Origin::default(), &text);
    }
}
