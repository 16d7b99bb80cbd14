//! Whole runs: lines in, packets out.

use proptest::prelude::*;

use super::*;

/// What a run proves, in order: `query 192.0.2.1:53`, `discarded …`, `answer …`.
fn outline(text: &str) -> Vec<String> {
    let mut run = DigRun::new(Some("client1".to_owned()), 1);
    for (line, text) in (1..).zip(text.lines()) {
        run.push(line, text);
    }
    let mut outline = Vec::new();
    run.finish(&mut |event| match event {
        Event::Packet(packet) => outline.push(match packet.content {
            Content::Datagram(datagram) if datagram.flow.source.is_unknown() => {
                format!("{} query {}", packet.frame, datagram.flow.destination)
            }
            Content::Datagram(datagram) => {
                format!("{} answer {}", packet.frame, datagram.flow.source)
            }
            Content::Discarded(datagram) => {
                assert!(datagram.flow.destination.is_unknown());
                format!("{} discarded {}", packet.frame, datagram.flow.source)
            }
            other => format!("{other:?}"),
        }),
        Event::Fault(fault) => outline.push(fault.to_string()),
        _ => {}
    });
    outline
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
    fn no_text_makes_a_run_panic(lines in proptest::collection::vec("(;; )?reply from unexpected source: [0-9a-f:.#%]{0,24}(, expected [0-9a-f:.#%]{0,24})?|\\PC{0,60}", 0..20)) {
        outline(&lines.join("\n"));
    }
}
