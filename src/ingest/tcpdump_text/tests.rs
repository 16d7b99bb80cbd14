//! Runs as a whole: lines in, events out.

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
fn dumps_become_frames_even_where_names_are_printed() {
    expect(
        "07:29:48.1 IP gateway.5000 > other.tftp: UDP, length 4
\t0x0000:  4500 0020 0001 0000 4011 f6c9 c000 0201  E.......@.......
\t0x0010:  c000 0202 1388 0045 000c 0000 0004 0000  .......E........
07:29:48.2 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4",
        &["frame 1 RAW 32", "2 192.0.2.1:5000 → 192.0.2.2:69 4"],
    );
    expect(
        "07:29:48.1 IP6 gateway.5000 > other.tftp: UDP, length 4
\t0x0000:  6000 0000 000c 1140 2001 0db8 0000 0000
\t0x0010:  0000 0000 0000 0001 2001 0db8 0000 0000
\t0x0020:  0000 0000 0000 0002 1388 0045 000c 0000
\t0x0030:  0004 0000
07:29:48.2 IP6 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4",
        &["frame 1 RAW 52", "2 [2001:db8::1]:5000 → [2001:db8::2]:69 4"],
    );
}

/// RADIUS' state, printed by `-vv`: it begins like an IPv4 or IPv6 header.
#[test]
fn dumps_of_attributes_are_no_packets() {
    let attribute = "\t  State Attribute (24), length: 42, Value: EEEE
\t    0x0000:  4545 4545 4545 4545 4545 4545 4545 4545
\t    0x0010:  4545 4545 4545 4545 4545 4545 4545 4545
\t    0x0020:  4545 4545 4545 4545";
    let attribute6 = attribute.replace("4545", "6565");
    for (attribute, head, one, two) in [
        (
            attribute,
            "IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto UDP (17), length 128)\n    ",
            "192.0.2.9.40700",
            "192.0.2.21.1812",
        ),
        (
            attribute6.as_str(),
            "IP6 (hlim 64, next-header UDP (17) payload length: 108) ",
            "2001:db8::9.40700",
            "2001:db8::21.1812",
        ),
    ] {
        let line = format!("07:29:48.1 {head}{one} > {two}: RADIUS, length: 100\n");
        let socket = if one.contains(':') {
            "1 [2001:db8::9]:40700 → [2001:db8::21]:1812 100"
        } else {
            "1 192.0.2.9:40700 → 192.0.2.21:1812 100"
        };
        expect(&format!("{line}{attribute}"), &[socket]);
        // A paste without tabs: its addresses are not those of the line.
        expect(&format!("{line}{}", attribute.replace('\t', "        ")), &[socket]);
    }
}

#[test]
fn of_ip_in_ip_the_packet_inside_is_read() {
    expect(
        "07:29:48.1 IP 192.0.2.1 > 192.0.2.2: IP 198.51.100.3.5 > 198.51.100.5.69: UDP, length 4
07:29:48.2 IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto IPIP (4), length 72)
    192.0.2.1 > 192.0.2.2: IP (tos 0x0, ttl 63, id 8, offset 0, flags [DF], proto UDP (17), length 52)
    198.51.100.3.5 > 198.51.100.5.69: [udp sum ok] UDP, length 24
07:29:48.3 IP6 2001:db8::1 > 2001:db8::2: IP6 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4
07:29:48.4 IP 192.0.2.1 > 192.0.2.2: GREv0, length 84: IP6 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4
07:29:48.5 IP 192.0.2.1 > 192.0.2.2: IP 198.51.100.3.5 > 198.51.100.5.22: Flags [.], ack 1",
        &[
            "1 198.51.100.3:5 → 198.51.100.5:69 4 in fourinfour 0",
            "2 198.51.100.3:5 → 198.51.100.5:69 24 in fourinfour 0",
            "3 [2001:db8:1::3]:5 → [2001:db8:1::5]:69 4 in sixinsix 0",
            "4 [2001:db8:1::3]:5 → [2001:db8:1::5]:69 4 in gre 0",
            "5 other",
        ],
    );
}

#[test]
fn of_a_tunnel_the_packet_inside_is_read() {
    expect(
        "07:29:48.1 IP 192.0.2.1.45149 > 192.0.2.2.8472: OTV, flags [I] (0x08), overlay 0, instance 1
IP 198.51.100.3.5 > 198.51.100.5.6: UDP, length 4
07:29:48.2 IP 192.0.2.1.45149 > 192.0.2.2.4789: VXLAN, flags [I] (0x08), vni 5
ARP, Request who-has 198.51.100.3 tell 198.51.100.5, length 28
07:29:48.3 IP6 2001:db8::1.45149 > 2001:db8::2.6081: Geneve, Flags [none], vni 0xb: IP 198.51.100.3.5 > 198.51.100.5.6: UDP, length 4",
        &[
            "1 198.51.100.3:5 → 198.51.100.5:6 4 in vxlan 1",
            // ARP inside is none of our concern.
            "2 192.0.2.1:45149 → 192.0.2.2:4789 0",
            "3 198.51.100.3:5 → 198.51.100.5:6 4 in geneve 11",
        ],
    );
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
fn what_cannot_be_read_is_told_and_counted() {
    expect(
        "11:53:06.7 IP 192.0.2.1 > cfefecaa22e1: ICMP 192.0.2.1 udp port 49190 unreachable, length 61
11:53:06.8 IP6 2001:db8::1.5 > cfefecaa22e1.69: UDP, length 4
11:53:06.9 something else",
        &[
            "1 PortUnreachable - → cfefecaa22e1",
            "2 [2001:db8::1]:5 → [::]:69 4 - → cfefecaa22e1",
            "fault line 3: expected `IP` or `IP6` and two addresses behind the time, as tcpdump prints them, and found something else",
            "3 other",
        ],
    );
}

#[test]
fn a_line_cut_behind_its_addresses_is_read_only_as_an_answer() {
    expect(
        "16:22:45.1 IP 192.0.2.2.44517 > 192.0.2.155.54: UDP, length 38
16:22:45.2 IP 192.0.2.155.54 > 192.0.2.2.44517:
16:22:45.3 IP 192.0.2.155.54 > 192.0.2.3.44517:
16:22:45.4 IP 192.0.2.155.54 > 192.0.2.2.445",
        &[
            "1 192.0.2.2:44517 → 192.0.2.155:54 38",
            "fault line 2: ends behind the addresses; taken for UDP of unknown length, as the line before between these sockets",
            "2 192.0.2.155:54 → 192.0.2.2:44517 0",
            "fault line 3: ends behind the addresses, where the protocol and length should follow; paste the whole line",
            "3 other",
            "fault line 4: ends within the addresses; paste the whole line",
            "4 other",
        ],
    );
}

#[test]
fn faults_are_bounded() {
    let text = "07:29:48.1 IP ${A}.5 > b.6: UDP, length 4\n".repeat(150);
    let events = run(Origin::default(), &text);
    assert_eq!(events.iter().filter(|event| event.starts_with("fault")).count(), 101);
    assert_eq!(events.iter().filter(|event| event.ends_with("other")).count(), 150);
    assert!(events.contains(&"fault line 150: 50 more lines up to here could not be read".into()));
}

#[test]
fn walks_without_request_ids_claim_no_identity() {
    let text = "07:29:48.1 IP 192.0.2.1.5 > 192.0.2.2.161:  GetNextRequest(28)  .1.3.6.1
07:29:48.2 IP 192.0.2.2.161 > 192.0.2.1.5:  GetResponse(28)  .1.3.6.1.1=5
07:29:48.3 IP6 2001:db8::1.6 > 2001:db8::2.161:  GetRequest(28)  .1.3.6.1
07:29:48.4 IP6 2001:db8::2.161 > 2001:db8::1.6:  GetResponse(28)  .1.3.6.1=5";
    let identified: Vec<bool> = packets(text)
        .into_iter()
        .map(|packet| match packet.content {
            Content::Datagram(datagram) => {
                matches!(datagram.application, Application::Transaction(_))
            }
            Content::IcmpError(_)
            | Content::FragmentsLost(_)
            | Content::Discarded(_)
            | Content::Dropped(_)
            | Content::Neighbour(_)
            | Content::Segment(_) => false,
        })
        .collect();
    assert_eq!(identified, [false, false, true, true]);
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
