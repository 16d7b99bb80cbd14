//! Whole runs: lines in, packets out.

use proptest::prelude::*;

use super::*;
use crate::model::endpoint::Endpoint;
use crate::model::packet::{Content, Packet};

/// What a run of dig proves, in order: `query 192.0.2.1:53`, `discarded …`, `answer …`.
fn outline(text: &str) -> Vec<String> {
    outline_of(Program::Dig, text)
}

fn outline_of(program: Program, text: &str) -> Vec<String> {
    let mut run = ComplaintRun::new(program, Some("client1".to_owned()), 1);
    for (line, text) in (1..).zip(text.lines()) {
        run.push(line, text);
    }
    let mut outline = Vec::new();
    run.finish(&mut |event| match event {
        Event::Packet(packet) => outline.push(outline_packet(&packet)),
        Event::NamedPacket(named) => {
            let name = named.source.or(named.destination).unwrap();
            outline.push(format!("{} = {name}", outline_packet(&named.packet)));
        }
        Event::Fault(fault) => outline.push(fault.to_string()),
        _ => {}
    });
    outline
}

fn outline_packet(packet: &Packet) -> String {
    match &packet.content {
        Content::Datagram(datagram) if datagram.flow.source.is_unknown() => {
            format!("{} query {}", packet.frame, datagram.flow.destination)
        }
        Content::Datagram(datagram) => format!("{} answer {}", packet.frame, datagram.flow.source),
        Content::Discarded(datagram) => {
            assert!(datagram.flow.destination.is_unknown());
            format!("{} discarded {}", packet.frame, datagram.flow.source)
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn a_run_proves_who_was_asked_and_who_answered() {
    for (asked, other, second) in
        [("192.0.2.1", "192.0.2.2", "192.0.2.3"), ("2001:db8::1", "2001:db8::2", "2001:db8::3")]
    {
        let endpoint = |address: &str| Endpoint::new(address.parse().unwrap(), 53);
        let complaint =
            |to: &str| format!(";; reply from unexpected source: {other}#53, expected {to}#53");
        let (asked_at, other_at) = (endpoint(asked), endpoint(other));
        let banner = format!("; <<>> DiG 9.18.28 <<>> @{asked} example.com");
        let cases = [
            (
                "alone",
                complaint(asked),
                vec![format!("1 query {asked_at}"), format!("1 discarded {other_at}")],
            ),
            (
                "given up after two tries",
                format!(
                    "{banner}\n{0}\n{0}\n;; connection timed out; no servers could be reached",
                    complaint(asked)
                ),
                vec![
                    format!("1 query {asked_at}"),
                    format!("2 discarded {other_at}"),
                    format!("3 discarded {other_at}"),
                ],
            ),
            (
                "then answered as expected",
                format!("{}\n;; SERVER: {asked}#53({asked}) (UDP)", complaint(asked)),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("2 answer {asked_at}"),
                ],
            ),
            (
                "then answered by a server that was not complained of",
                format!("{}\n;; SERVER: {second}#53({second})", complaint(asked)),
                vec![format!("1 query {asked_at}"), format!("1 discarded {other_at}")],
            ),
            (
                "two servers",
                format!("{}\n{}", complaint(asked), complaint(second)),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("2 query {}", endpoint(second)),
                    format!("2 discarded {other_at}"),
                ],
            ),
            (
                "answered, then another question",
                format!(
                    ";; SERVER: {asked}#53({asked})\n{0}\n;; SERVER: {asked}#53({asked})\n{0}",
                    complaint(asked)
                ),
                vec![
                    format!("1 query {asked_at}"),
                    format!("2 discarded {other_at}"),
                    format!("3 answer {asked_at}"),
                    format!("4 query {asked_at}"),
                    format!("4 discarded {other_at}"),
                ],
            ),
            (
                "nslookup says once who answers",
                format!("{0}\nServer:\t{asked}\nAddress:\t{asked}#53\n{0}", complaint(asked)),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("3 answer {asked_at}"),
                    format!("4 discarded {other_at}"),
                ],
            ),
            ("nothing unexpected", format!("{banner}\n;; SERVER: {asked}#53({asked})"), vec![]),
        ];
        for (name, text, expected) in cases {
            assert_eq!(outline(&text), expected, "{name}");
        }
    }
}

#[test]
fn a_banner_stands_behind_the_complaints_of_its_run() {
    for (asked, other) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
        let endpoint = |address: &str| Endpoint::new(address.parse().unwrap(), 53);
        let complaint =
            |to: &str| format!(";; reply from unexpected source: {other}#53, expected {to}#53");
        let (asked_at, other_at) = (endpoint(asked), endpoint(other));
        let banner = format!("; <<>> DiG 9.18.28 <<>> @{asked} example.com");
        let cases = [
            (
                "dig's banner stands behind the complaint",
                format!("{}\n\n{banner}\n;; SERVER: {asked}#53({asked}) (UDP)", complaint(asked)),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("4 answer {asked_at}"),
                ],
            ),
            (
                "given up, then another question",
                format!(
                    "{0}\n{banner}\n;; no servers could be reached\n{0}\n{banner}\n;; SERVER: {asked}#53({asked})",
                    complaint(asked)
                ),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("4 query {asked_at}"),
                    format!("4 discarded {other_at}"),
                    format!("6 answer {asked_at}"),
                ],
            ),
        ];
        for (name, text, expected) in cases {
            assert_eq!(outline(&text), expected, "{name}");
        }
    }
}

#[test]
fn a_mask_is_an_end_of_the_other_ones_family() {
    for other in ["192.0.2.2", "2001:db8::2"] {
        let address: std::net::IpAddr = other.parse().unwrap();
        let stands = |name| {
            let address = crate::model::stand_in::address_of(name, address.is_ipv6());
            Endpoint::new(address, 53)
        };
        let (asked_at, other_at) = (stands("<IP>"), Endpoint::new(address, 53));
        let text = format!(
            ";; reply from unexpected source: {other}#53, expected <IP>#53\n;; SERVER: <IP>#53(<IP>) (UDP)"
        );
        assert_eq!(
            outline(&text),
            [
                format!("1 query {asked_at} = <IP>"),
                format!("1 discarded {other_at}"),
                format!("2 answer {asked_at} = <IP>"),
            ]
        );
        let text = format!(";; reply from unexpected source: ME#53, expected {other}#53");
        assert_eq!(
            outline(&text),
            [format!("1 query {other_at}"), format!("1 discarded {} = ME", stands("ME"))]
        );
        let cut = format!(";; reply from unexpected source: {other}#53, expected 192.0");
        assert_eq!(outline(&cut), [format!("line 1: {}", line::LACKS_ENDS)]);
    }
}

#[test]
fn the_log_of_openvpn_is_read_as_one_tunnels() {
    for (family, asked, other) in
        [("AF_INET", "192.0.2.1", "192.0.2.2"), ("AF_INET6", "2001:db8::1", "2001:db8::2")]
    {
        let endpoint = |address: &str| Endpoint::new(address.parse().unwrap(), 1194);
        let (asked_at, other_at) = (endpoint(asked), endpoint(other));
        let rejected = format!(
            "2024-11-08 07:29:48 TCP/UDP: Incoming packet rejected from [{family}]{other}:1194[2], expected peer address: [{family}]{asked}:1194 (allow this …)"
        );
        let works = format!(
            "2024-11-08 07:29:47 [gw] Peer Connection Initiated with [{family}]{asked}:1194"
        );
        let cases = [
            (
                "alone",
                format!("{rejected}\n{rejected}"),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("2 discarded {other_at}"),
                ],
            ),
            (
                "other lines of the log stand between",
                format!("{rejected}\n2024-11-08 07:29:48 UDP link remote: x\n{rejected}"),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 discarded {other_at}"),
                    format!("3 discarded {other_at}"),
                ],
            ),
            (
                "the tunnel works all the same",
                format!("{works}\n{rejected}"),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 answer {asked_at}"),
                    format!("2 discarded {other_at}"),
                ],
            ),
            (
                "an earlier server of the list answers late",
                format!(
                    "2024-11-08 07:29:40 UDP link remote: [{family}]{other}:1194\n2024-11-08 07:29:44 UDP link remote: [{family}]{asked}:1194\n{rejected}"
                ),
                vec![format!("line 3: {FROM_EARLIER}")],
            ),
            (
                "the server is asked once more",
                format!(
                    "{works}\n2024-11-08 07:29:44 UDP link remote: [{family}]{asked}:1194\n{rejected}"
                ),
                vec![
                    format!("1 query {asked_at}"),
                    format!("1 answer {asked_at}"),
                    format!("3 discarded {other_at}"),
                ],
            ),
            ("nothing was thrown away", works.clone(), vec![]),
        ];
        for (name, text, expected) in cases {
            assert_eq!(outline_of(Program::Openvpn, &text), expected, "{name}");
        }
    }
}

proptest! {
    #[test]
    fn packets_are_in_the_order_of_lines(kinds in proptest::collection::vec(0_usize..4, 0..12)) {
        const LINES: [&str; 4] = [
            ";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53",
            ";; reply from unexpected source: 2001:db8::2#53, expected 2001:db8::1#53",
            ";; SERVER: 192.0.2.1#53(192.0.2.1)",
            "Address:\t2001:db8::1#53",
        ];
        let text = kinds.iter().map(|kind| LINES[*kind]).collect::<Vec<_>>().join("\n");
        let told = outline(&text);
        let line = |packet: &String| packet.split(' ').next().and_then(|n| n.parse::<u64>().ok());
        prop_assert!(told.iter().map(line).is_sorted(), "{told:?}");
    }

    #[test]
    fn no_text_makes_a_run_panic(lines in proptest::collection::vec("(;; )?reply from unexpected source: [0-9a-f:.#%<>]{0,24}(, expected [0-9a-f:.#%<>]{0,24})?|Incoming packet rejected from [0-9a-f:.<>AF_INT\\[\\]]{0,40}, expected peer address: [0-9a-f:.<> ]{0,24}|\\PC{0,60}", 0..20)) {
        for program in [Program::Dig, Program::Openvpn] {
            outline_of(program, &lines.join("\n"));
        }
    }
}
