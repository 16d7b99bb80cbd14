//! Rows in, packets with ports out.

use super::super::{Origin, Run};
use crate::ingest::Event;
use crate::model::packet::Content;

/// `frame source > destination` of each datagram; `frame other`, and faults by their lines.
fn read(rows: &[String]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut sink = |event: Event<'_>| match event {
        Event::Packet(packet) => seen.push(match packet.content {
            Content::Datagram(datagram) => {
                format!("{} {} > {}", packet.frame, datagram.flow.source, datagram.flow.destination)
            }
            other => format!("{} {other:?}", packet.frame),
        }),
        Event::OtherPacket { frame, .. } => seen.push(format!("{frame} other")),
        _ => {}
    };
    let mut run = Run::new(Origin::default());
    for (line, text) in (1..).zip(rows) {
        assert!(run.push(line, text, &mut sink), "{text}");
    }
    run.finish(&mut sink);
    seen
}

struct Ends {
    device: &'static str,
    vip: &'static str,
    node: &'static str,
}

const BOTH: [Ends; 2] = [
    Ends { device: "192.0.2.9", vip: "192.0.2.21", node: "192.0.2.13" },
    Ends { device: "2001:db8::9", vip: "2001:db8::21", node: "2001:db8::13" },
];

fn socket(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// `(seconds, source, destination, what)` as `tshark` prints them.
fn rows(packets: &[(&str, &str, &str, &str)]) -> Vec<String> {
    let row = |(number, (seconds, source, destination, what)): (u32, &(&str, &str, &str, &str))| {
        format!("{number:5} {seconds} {source} → {destination} {what}")
    };
    (1..).zip(packets).map(row).collect()
}

fn expect(lines: &[(u32, &str, u16, &str, u16)]) -> Vec<String> {
    lines
        .iter()
        .map(|(frame, from, from_port, to, to_port)| {
            format!("{frame} {} > {}", socket(from, *from_port), socket(to, *to_port))
        })
        .collect()
}

#[test]
fn a_request_has_the_port_that_is_answered() {
    for Ends { device, vip, node } in BOTH {
        let text = rows(&[
            ("0.000000", device, vip, "TFTP 106 Write Request, File: a, Transfer type: octet"),
            ("0.000100", node, "198.51.100.1", "ICMP 60 Echo (ping) request"),
            ("0.004436", node, device, "UDP 69 32991 → 41226 Len=27"),
            ("0.006347", device, vip, "TFTP 558 Data Packet, Block: 1"),
            ("3.006347", node, device, "UDP 69 32991 → 41226 Len=27"),
        ]);
        let mut text = text;
        text.remove(1);
        let expected = expect(&[
            (1, device, 41_226, vip, 69),
            (2, node, 32_991, device, 41_226),
            (3, device, 41_226, vip, 32_991),
            (4, node, 32_991, device, 41_226),
        ]);
        assert_eq!(read(&text), expected);
    }
}

#[test]
fn where_no_row_names_a_port_it_is_none() {
    for Ends { device, vip, node } in BOTH {
        let transfer = rows(&[
            ("0.000000", device, vip, "TFTP 106 Read Request, File: a, Transfer type: octet"),
            ("0.004436", vip, device, "TFTP 558 Data Packet, Block: 1"),
            ("0.006347", device, vip, "TFTP 60 Acknowledgement, Block: 1"),
        ]);
        let expected =
            expect(&[(1, device, 0, vip, 69), (2, vip, 0, device, 0), (3, device, 0, vip, 0)]);
        assert_eq!(read(&transfer), expected);
        let questions = rows(&[
            ("0.000000", device, vip, "DNS 71 Standard query 0x1111 A example.net"),
            ("0.004436", node, device, "DNS 87 Standard query response 0x1111 A example.net"),
            ("1.000000", node, device, "SNMP 82 get-request 1.3.6.1.2.1.1.1.0"),
            ("1.004436", device, node, "SNMP 99 get-response 1.3.6.1.2.1.1.1.0"),
            ("2.000000", device, vip, "SNMP 91 informRequest 1.3.6.1.2.1.1.1.0"),
            ("2.004436", vip, device, "SNMP 91 get-response 1.3.6.1.2.1.1.1.0"),
        ]);
        let expected = expect(&[
            (1, device, 0, vip, 53),
            (2, node, 53, device, 0),
            (3, node, 0, device, 161),
            (4, device, 161, node, 0),
            (5, device, 0, vip, 162),
            (6, vip, 162, device, 0),
        ]);
        assert_eq!(read(&questions), expected);
    }
}

#[test]
fn a_flow_that_was_there_before_answers_no_request() {
    for Ends { device, vip, node } in BOTH {
        let text = rows(&[
            ("0.000000", node, device, "UDP 69 40000 → 9000 Len=27"),
            ("1.000000", device, vip, "NTP 90 NTP Version 4, client"),
            ("1.001000", node, device, "UDP 69 40000 → 9000 Len=27"),
            ("1.002000", node, device, "UDP 90 41123 → 40123 Len=48"),
            ("3.000000", device, vip, "NTP 90 NTP Version 4, client"),
            ("3.002000", node, device, "UDP 90 41123 → 40123 Len=48"),
        ]);
        let expected = expect(&[
            (1, node, 40_000, device, 9_000),
            (2, device, 40_123, vip, 123),
            (3, node, 40_000, device, 9_000),
            (4, node, 41_123, device, 40_123),
            (5, device, 40_123, vip, 123),
            (6, node, 41_123, device, 40_123),
        ]);
        assert_eq!(read(&text), expected);
    }
}

#[test]
fn the_middle_of_a_transfer_cannot_be_placed() {
    for Ends { device, vip, .. } in BOTH {
        let text = rows(&[("0.000000", device, vip, "TFTP 558 Data Packet, Block: 7")]);
        assert_eq!(read(&text), ["1 other"]);
    }
}

#[test]
fn rows_are_not_held_without_end() {
    for Ends { device, vip, node } in BOTH {
        let mut run = Run::new(Origin::default());
        let mut seen = 0;
        let mut sink = |event: Event<'_>| seen += u32::from(matches!(event, Event::Packet(_)));
        let first = rows(&[("0.000000", device, vip, "TFTP 60 Read Request, File: a")]);
        run.push(1, &first[0], &mut sink);
        for number in 2..100 {
            let text = format!("{number:5} 0.{number:06} {vip} → {node} UDP 69 4000 → 4001 Len=27");
            run.push(number, &text, &mut sink);
        }
        assert!(seen >= 90, "{seen}");
    }
}

#[test]
fn a_list_that_begins_again_is_another() {
    for Ends { device, vip, node } in BOTH {
        let exchange = |answerer| {
            rows(&[
                ("0.000000", device, vip, "UDP 71 54321 → 5001 Len=29"),
                ("0.004000", answerer, device, "UDP 71 5001 → 54321 Len=29"),
                ("8.000000", device, vip, "UDP 71 54321 → 5001 Len=29"),
            ])
        };
        let (mut run, mut faults) = (Run::new(Origin::default()), 0);
        let mut sink = |event: Event<'_>| faults += u32::from(matches!(event, Event::Fault(_)));
        for (line, row) in (1..).zip(exchange(vip)) {
            assert!(run.push(line, &row, &mut sink), "{row}");
        }
        assert!(!run.push(4, &exchange(node)[0], &mut sink));
        run.finish(&mut sink);
        assert_eq!(faults, 0);
    }
}
