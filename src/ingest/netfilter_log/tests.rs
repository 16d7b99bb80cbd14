//! Whole logs: lines in, packets and notes out.

use proptest::prelude::*;

use super::*;

/// What a log gives, in order: `FRAME INTERFACE SECONDS flow`, `note …`, `fault …`.
fn outline(text: &str) -> Vec<String> {
    let mut run = NetfilterRun::new(1);
    let mut outline = Vec::new();
    let mut sink = |event: Event<'_>| match event {
        Event::CaptureBegins(header) => {
            outline.push(format!("{} {:?}", header.node.as_deref().unwrap_or("-"), header.clock));
        }
        Event::Interface(header) => {
            assert!(header.link_type.is_some_and(LinkType::is_log));
        }
        Event::Packet(packet) => {
            let place = format!("{} {}", packet.frame, packet.interface);
            let milliseconds = packet.at.as_nanoseconds() / 1_000_000;
            outline.push(match packet.content {
                Content::Datagram(datagram) => {
                    format!("{place} {milliseconds} {} {}", datagram.flow, datagram.length)
                }
                Content::IcmpError(error) => {
                    format!("{place} {milliseconds} {} from {}", error.kind.as_text(), error.from)
                }
                other => format!("{place} {other:?}"),
            });
        }
        Event::Note(note) => outline.push(format!("note {note}")),
        Event::Fault(fault) => outline.push(format!("fault {fault}")),
        Event::Unread { interface } => outline.push(format!("unread {interface}")),
        _ => {}
    };
    for (line, text) in (1..).zip(text.lines()) {
        run.push(line, text, &mut sink);
    }
    run.finish(&mut sink);
    outline
}

/// A line, its interfaces, its ends by address and port, and its identification.
fn line(
    before: &str,
    hook: &str,
    source: (&str, u16),
    destination: (&str, u16),
    id: u32,
) -> String {
    let header = if source.0.contains(':') {
        "LEN=48 TC=0 HOPLIMIT=63 FLOWLBL=9".to_owned()
    } else {
        format!("LEN=48 TOS=0x00 PREC=0x00 TTL=63 ID={id}")
    };
    format!(
        "{before}{hook} MAC=02:00:00:00:00:01 SRC={} DST={} {header} PROTO=UDP SPT={} DPT={} LEN=28 \n",
        source.0, destination.0, source.1, destination.1
    )
}

const HOSTS: [[&str; 3]; 2] =
    [["192.0.2.9", "192.0.2.21", "198.51.100.7"], ["2001:db8::9", "2001:db8::21", "2001:db8:1::7"]];

fn shown(host: &str, port: u16) -> String {
    Endpoint::new(host.parse().unwrap(), port).to_string()
}

#[test]
fn both_directions_are_packets_at_one_place() {
    for [client, server, _] in HOSTS {
        let (asks, answers) = ((client, 5_000), (server, 53));
        let text =
            line("Nov  8 00:00:10 gw1 kernel: [7.100000] a: ", "IN=a OUT=b", asks, answers, 1)
                + &line(
                    "Nov  8 00:00:10 gw1 kernel: [7.125000] a: ",
                    "IN=b OUT=a",
                    answers,
                    asks,
                    2,
                );
        assert_eq!(
            outline(&text),
            [
                "gw1 TimeOfDay".to_owned(),
                format!("1 0 10000 {} → {} 20", shown(client, 5_000), shown(server, 53)),
                format!("2 0 10025 {} → {} 20", shown(server, 53), shown(client, 5_000)),
            ]
        );
    }
}

#[test]
fn one_packet_at_many_rules_counts_once_as_it_came() {
    for [client, vip, pod] in HOSTS {
        let asks = (client, 5_000);
        let text = line("[7.100000] TRACE: raw:PREROUTING:rule:1 ", "IN=a OUT=", asks, (vip, 69), 7)
            + &line("[7.100002] TRACE: raw:PREROUTING:policy:2 ", "IN=a OUT=", asks, (vip, 69), 7)
            + &line("[7.100009] TRACE: filter:FORWARD:rule:1 ", "IN=a OUT=b", asks, (pod, 69), 7)
            // The node translates it back behind the last rule.
            + &line("[7.200000] TRACE: filter:FORWARD:rule:1 ", "IN=b OUT=a", (pod, 40_001), asks, 8);
        let told = outline(&text);
        assert_eq!(told[0], "- Relative");
        assert_eq!(told[1], format!("1 0 7100 {} → {} 20", shown(client, 5_000), shown(vip, 69)));
        assert!(told[2].starts_with("note a datagram comes from an address"), "{told:?}");
        assert!(told[2].contains("line 4") && told.len() == 3, "{told:?}");
    }
}

#[test]
fn hosts_of_one_log_are_places_of_their_own() {
    for [client, server, _] in HOSTS {
        let text = ["gw1", "gw2", "gw1"].map(|host| {
            let before = format!("Nov  8 00:00:10 {host} kernel: a: ");
            line(&before, "IN=a OUT=", (client, 5_000), (server, 53), 0)
        });
        let interfaces: Vec<String> = outline(&text.concat())
            .iter()
            .skip(1)
            .map(|packet| packet.split(' ').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(interfaces, ["0", "1", "0"]);
    }
}

#[test]
fn a_cut_line_is_told_and_counted() {
    for [client, server, _] in HOSTS {
        let whole = line("a: ", "IN=a OUT=", (client, 5_000), (server, 53), 1);
        let cut = whole.split(" LEN=28").next().unwrap();
        let told = outline(cut);
        assert_eq!(told[..2], ["- None", "unread 0"]);
        assert!(told[2].starts_with("fault line 1: ends before"), "{told:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_run_panic(lines in proptest::collection::vec(
        "(Nov  8 [0-9:]{0,8} )?\\PC{0,12}(\\[ ?[0-9.]{0,30}\\])?\\PC{0,4}IN=[a-z]{0,3} OUT=[a-z]{0,3} \\PC{0,9} SRC=[0-9a-f:.]{0,9} DST=[0-9a-f:.]{0,9} (LEN=[0-9]{0,12} )?(FRAG:[0-9]{0,3} )?(PROTO=(UDP|ICMP|ICMPv6) )?([A-Z]{3,4}=[0-9]{0,6} ){0,4}(\\[SRC=\\PC{0,40})?|\\PC{0,40}",
        0..20,
    )) {
        outline(&lines.join("\n"));
    }
}
