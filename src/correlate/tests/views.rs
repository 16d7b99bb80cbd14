//! Two points that see the same exchanges, from different packets on.

use super::snmp::{answer, ask};
use super::*;

/// Polls with the identities of `range`, 30 s apart, and their answers.
fn polls(range: std::ops::Range<u64>, there: &'static str, back: &'static str) -> Vec<Line> {
    let poll = |identity: u64| {
        let at_ms = i64::try_from(identity).unwrap() * 30_000;
        [(at_ms, there, ask(identity)), (at_ms + 20, back, answer(identity))]
    };
    range.flat_map(poll).collect()
}

/// Messages that nobody answers, 10 s apart.
fn messages(range: std::ops::Range<u64>, line: &'static str, from: u64) -> Vec<Line> {
    let at_ms = |message: u64| i64::try_from(message).unwrap() * 10_000 + 3;
    range.map(|message| (at_ms(message), line, Says::Bytes(from + message))).collect()
}

#[test]
fn a_client_that_is_translated_is_known_by_what_both_points_heard() {
    for [device, vip, node, pod] in [
        ["192.0.2.7:514", "198.51.100.21:514", "198.51.100.13:514", "10.244.1.16:514"],
        ["[2001:db8::7]:514", "[2001:db8:1::21]:514", "[2001:db8:1::13]:514", "[fd00::16]:514"],
    ] {
        let outside = line(device, vip);
        let at_pod = line(node, pod);
        let other = line(&device.replace('7', "8"), vip);
        let cases = [
            ("from the start", messages(0..6, outside, 0), messages(0..6, at_pod, 0), 1),
            ("one later", messages(0..6, outside, 0), messages(1..6, at_pod, 0), 1),
            ("much later", messages(0..200, outside, 0), messages(100..200, at_pod, 0), 1),
            ("one message in common", messages(0..6, outside, 0), messages(5..9, at_pod, 0), 2),
            ("other messages", messages(0..6, outside, 0), messages(1..6, at_pod, 50), 2),
            (
                "said by two",
                [messages(0..6, outside, 0), messages(0..6, other, 0)].concat(),
                messages(1..6, at_pod, 0),
                3,
            ),
        ];
        for (name, near, far, expected) in cases {
            let exchanges = correlate(&[(HOST, &near), (POD, &far)]).exchanges;
            assert_eq!(exchanges.len(), expected, "{name}");
            if expected == 1 {
                assert_eq!(exchanges[0].client, endpoint(device), "{name}");
                let translated = exchanges[0].translations.iter().map(|one| one.after);
                assert_eq!(translated.collect::<Vec<_>>(), [endpoint(device), endpoint(pod)]);
            }
        }
        // A poller, whose address is the node's behind the pod's cable.
        let polled = line(pod, device);
        let masqueraded = line(node, device);
        for begin in [0, 1, 3] {
            let near = polls(begin..6, masqueraded, line(device, node));
            let far = polls(0..6, polled, line(device, pod));
            let exchanges = correlate(&[(HOST, &near), (POD, &far)]).exchanges;
            assert_eq!(exchanges.len(), 1, "{begin} polls later");
            assert_eq!(exchanges[0].views.len(), 2);
        }
    }
}

#[test]
fn a_client_that_is_not_translated_is_known_by_its_socket() {
    for [device, vip, node, pod] in [
        ["192.0.2.7:5000", "198.51.100.21", "198.51.100.13", "10.244.1.16"],
        ["[2001:db8::7]:5000", "[2001:db8:1::21]", "[2001:db8:1::13]", "[fd00::16]"],
    ] {
        let to_vip = line(device, &format!("{vip}:69"));
        let from_node = line(&format!("{node}:32991"), device);
        let stray = line(device, &format!("{vip}:32991"));
        let from_pod = line(&format!("{pod}:32991"), device);
        let host = [
            (0, to_vip, Says::Write("a.cfg")),
            (10, from_node, Says::OptionAck),
            (20, stray, Says::Data(1)),
            (3_000, from_node, Says::OptionAck),
            (3_010, stray, Says::Data(1)),
        ];
        // The pod's capture has nothing but the answer's repetition.
        let late = [(3_000, from_pod, Says::OptionAck), (6_000, from_pod, Says::OptionAck)];
        let exchanges = correlate(&[(HOST, &host), (POD, &late)]).exchanges;
        assert_eq!((exchanges.len(), exchanges[0].views.len()), (1, 2));
        // The first question was lost before the pod, the second one has an id of its own.
        let (to_vip, from_vip) =
            (line(device, &format!("{vip}:161")), line(&format!("{vip}:161"), device));
        let (to_pod, from_pod) =
            (line(device, &format!("{pod}:161")), line(&format!("{pod}:161"), device));
        let host = [(0, to_vip, ask(1)), (5_000, to_vip, ask(2)), (5_010, from_vip, answer(2))];
        let later = [(5_002, to_pod, ask(2)), (5_008, from_pod, answer(2))];
        let correlated = correlate(&[(HOST, &host), (POD, &later)]);
        assert_eq!((correlated.exchanges.len(), correlated.exchanges[0].views.len()), (1, 2));
        let offset = correlated.clock_offsets[&CaptureId(1)];
        assert_eq!(offset.offset_us, 2_000, "by the same question");
        // Another question of the same socket, long after, is another exchange.
        let stranger = [(90_000, to_pod, ask(9)), (90_001, from_pod, answer(9))];
        assert_eq!(correlate(&[(HOST, &host), (POD, &stranger)]).exchanges.len(), 2);
    }
}

#[test]
fn a_socket_that_asks_two_servers_the_same_is_seen_asking_each() {
    for [client, one, other] in [
        ["192.0.2.7:5000", "198.51.100.53:161", "203.0.113.53:161"],
        ["[2001:db8::7]:5000", "[2001:db8:1::53]:161", "[2001:db8:2::53]:161"],
    ] {
        let near = [
            (0, line(client, one), ask(7)),
            (200, line(client, other), ask(7)),
            (220, line(other, client), answer(7)),
        ];
        let far = [(210, line(client, other), ask(7)), (215, line(other, client), answer(7))];
        let exchanges = correlate(&[(HOST, &near), (POD, &far)]).exchanges;
        assert_eq!(exchanges.len(), 2);
        for exchange in exchanges {
            let is_seen_twice = exchange.primary().asked == Some(endpoint(other));
            assert_eq!(exchange.views.len(), if is_seen_twice { 2 } else { 1 });
            assert!(exchange.translations.is_empty(), "{:?}", exchange.translations);
        }
    }
}

#[test]
fn sightings_of_one_busy_socket_are_compared_with_a_few() {
    // Compared with all, these would take minutes.
    const SERVERS: u32 = 20_000;
    for prefix in ["10.0.", "2001:db8::"] {
        let mut correlator = Correlator::new(100_000);
        let is_ipv4 = prefix.contains('.');
        let client = if is_ipv4 { "192.0.2.9:4000" } else { "[2001:db8:9::9]:4000" };
        for point in [HOST, POD] {
            for server in 0..SERVERS {
                let (high, low) = (server >> 8, server & 0xff);
                let server = if is_ipv4 {
                    format!("{prefix}{high}.{low}:514")
                } else {
                    format!("[{prefix}{high:x}:{low:x}]:514")
                };
                let line: &'static str = format!("{client} > {server}").leak();
                let says = Says::Bytes(u64::from(low));
                correlator.push(point, &packet(0, (i64::from(high), line, says)));
            }
        }
        let correlated = finish(correlator, &BTreeMap::new());
        assert_eq!(correlated.exchanges.len(), usize::try_from(SERVERS).unwrap());
        assert!(correlated.exchanges.iter().all(|exchange| exchange.views.len() == 2));
    }
}
