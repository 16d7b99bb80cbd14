//! Fragments as tcpdump prints them: lines in, datagrams out.

use super::super::{Origin, Run};
use crate::ingest::Event;
use crate::model::packet::{Content, FragmentsEnd, FragmentsSeen};

/// Datagrams as `frame length`, those that were never whole as `frame lost
/// received/total`, and `frame other`.
fn read(text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut sink = |event: Event<'_>| match event {
        Event::Packet(packet) => seen.push(match packet.content {
            Content::Datagram(datagram) => format!("{} {}", packet.frame, datagram.length),
            Content::FragmentsLost(lost) => {
                assert_eq!(
                    (lost.seen, lost.ended),
                    (FragmentsSeen::First, FragmentsEnd::CaptureEnded)
                );
                let total =
                    lost.total_bytes.map_or_else(|| "?".to_owned(), |bytes| bytes.to_string());
                format!("{} lost {}/{total}", packet.frame, lost.received_bytes)
            }
            other => format!("{other:?}"),
        }),
        Event::OtherPacket { frame, .. } => seen.push(format!("{frame} other")),
        Event::Fault(fault) => seen.push(fault.to_string()),
        _ => {}
    };
    let mut run = Run::new(Origin::default());
    for (line, text) in (1..).zip(text.lines()) {
        assert!(run.push(line, text, &mut sink), "{text}");
    }
    run.finish(&mut sink);
    seen
}

const VERBOSE: [&str; 3] = [
    "07:29:48.1 IP (tos 0x0, ttl 64, id 7, offset 0, flags [+], proto UDP (17), length 1500)\n    192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100\n",
    "07:29:48.2 IP (tos 0x0, ttl 64, id 7, offset 1480, flags [+], proto UDP (17), length 1500)\n    192.0.2.9 > 192.0.2.21: ip-proto-17\n",
    "07:29:48.3 IP (tos 0x0, ttl 64, id 7, offset 2960, flags [none], proto UDP (17), length 1168)\n    192.0.2.9 > 192.0.2.21: ip-proto-17\n",
];
const VERBOSE_V6: [&str; 3] = [
    "07:29:48.1 IP6 (flowlabel 0xa5f30, hlim 64, next-header Fragment (44) payload length: 1456) 2001:db8::9 > 2001:db8::21: frag (0x77da6279:0|1448) 40700 > 3987: UDP, length 4100\n",
    "07:29:48.2 IP6 (flowlabel 0xa5f30, hlim 64, next-header Fragment (44) payload length: 1456) 2001:db8::9 > 2001:db8::21: frag (0x77da6279:1448|1448)\n",
    "07:29:48.3 IP6 (flowlabel 0xa5f30, hlim 64, next-header Fragment (44) payload length: 1220) 2001:db8::9 > 2001:db8::21: frag (0x77da6279:2896|1212)\n",
];
const PLAIN: [&str; 3] = [
    "07:29:48.1 IP 192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100\n",
    "07:29:48.2 IP 192.0.2.9 > 192.0.2.21: ip-proto-17\n",
    "07:29:48.3 IP 192.0.2.9 > 192.0.2.21: ip-proto-17\n",
];
const PLAIN_V6: [&str; 3] = [
    "07:29:48.1 IP6 2001:db8::9 > 2001:db8::21: frag (0|1448) 40700 > 3987: UDP, length 4100\n",
    "07:29:48.2 IP6 2001:db8::9 > 2001:db8::21: frag (1448|1448)\n",
    "07:29:48.3 IP6 2001:db8::9 > 2001:db8::21: frag (2896|1212)\n",
];
const LINKED: [&str; 3] = [
    "07:29:48.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 1514: 192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100\n",
    "07:29:48.2 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 1514: 192.0.2.9 > 192.0.2.21: ip-proto-17\n",
    "07:29:48.3 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 1182: 192.0.2.9 > 192.0.2.21: ip-proto-17\n",
];

#[test]
fn a_datagram_is_whole_with_its_last_fragment_only() {
    for lines in [VERBOSE, VERBOSE_V6, PLAIN, PLAIN_V6, LINKED] {
        let whole = ["2 other", "3 other", "1 4100"];
        let mut seen = read(&lines.concat());
        seen.sort();
        let mut expected = whole.to_vec();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{lines:?}");
        let first = if lines[0].contains("IP6") { 1_448 } else { 1_480 };
        // A length alone says nothing: a jumbo frame holds as much.
        let alone =
            if lines == PLAIN { "1 4100".to_owned() } else { format!("1 lost {first}/4108") };
        assert_eq!(read(lines[0]), [alone], "{lines:?}");
        let two = read(&lines[..2].concat());
        assert_eq!(two, ["2 other".to_owned(), format!("1 lost {}/4108", 2 * first)], "{lines:?}");
        assert_eq!(read(lines[1]), ["1 other"], "{lines:?}");
    }
}

#[test]
fn fragments_of_two_datagrams_are_kept_apart_where_they_are_numbered() {
    for (lines, number) in [(VERBOSE, "id 7,"), (VERBOSE_V6, "0x77da6279")] {
        let second = |line: &str| {
            line.replace(number, if number.starts_with("id") { "id 8," } else { "0x77da627a" })
        };
        let text = [
            lines[0].to_owned(),
            second(lines[0]),
            second(lines[1]),
            lines[1].to_owned(),
            second(lines[2]),
        ];
        let seen = read(&text.concat());
        assert!(seen.contains(&"2 4100".to_owned()), "{seen:?}");
        assert!(seen.iter().any(|line| line.starts_with("1 lost 2")), "{seen:?}");
    }
}

/// Jumbo frames, and Ethernet's under a filter of ports, which hides later fragments.
#[test]
fn a_long_datagram_alone_is_whole_and_in_its_place() {
    let (one, two) = ("192.0.2.9", "192.0.2.21");
    let line = |second: u32, from: &str, to: &str, length: u32| {
        format!("07:29:4{second}.1 IP {from}.40700 > {to}.40700: UDP, length {length}\n")
    };
    let fragment = |from: &str, to: &str| format!("07:29:49.1 IP {from} > {to}: ip-proto-17\n");
    let talk = line(1, one, two, 40) + &line(2, two, one, 4_000) + &line(3, one, two, 44);
    assert_eq!(read(&talk), ["1 40", "2 4000", "3 44"]);
    assert_eq!(read(&(talk + &line(4, two, one, 9_000))), ["1 40", "2 4000", "3 44", "4 9000"]);
    let in_parts = fragment(one, two) + &line(2, one, two, 4_000);
    assert_eq!(read(&in_parts), ["1 other", "2 lost 1480/4008"], "these two have fragments");
    let others = line(1, one, two, 4_000) + &fragment(two, one);
    assert_eq!(read(&others), ["1 4000", "2 other"], "of another datagram");
}

#[test]
fn fragments_of_two_interfaces_are_kept_apart() {
    for lines in [VERBOSE, VERBOSE_V6] {
        let at = |place: &str, line: &str| {
            let name = if line.contains("IP6 (") { "IP6 (" } else { "IP (" };
            line.replacen(name, &format!("{place} {name}"), 1)
        };
        let each: Vec<String> =
            lines.iter().flat_map(|line| [at("eth0  In ", line), at("cali1 Out", line)]).collect();
        let seen = read(&each.concat());
        assert!(seen.contains(&"1 4100".to_owned()), "{seen:?}");
        assert!(seen.contains(&"2 4100".to_owned()), "{seen:?}");
        // What one of them lost is not completed by the other.
        let seen = read(&each[..5].concat());
        assert!(seen.contains(&"1 4100".to_owned()), "{seen:?}");
        assert!(seen.iter().any(|line| line.starts_with("2 lost 2")), "{seen:?}");
    }
}

#[test]
fn what_one_packet_holds_is_whole() {
    let cases = [
        "07:29:48.1 IP 192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 1472",
        "07:29:48.1 IP6 2001:db8::9.40700 > 2001:db8::21.3987: UDP, length 4100",
        "07:29:48.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 4142: 192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100",
        "07:29:48.1 IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto UDP (17), length 4128)\n    192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100",
    ];
    for text in cases {
        assert!(!read(text)[0].contains("lost"), "{text}");
    }
    // A loopback's header has four bytes.
    let loopback =
        "07:29:48.1 AF IPv4 (2), length 4132: 192.0.2.9.40700 > 192.0.2.21.3987: UDP, length 4100";
    assert_eq!(read(loopback), ["1 4100"]);
    assert_eq!(read(&loopback.replace("length 4132", "length 1504")), ["1 lost 1480/4108"]);
}
