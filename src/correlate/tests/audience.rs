//! To whom a request goes by its link header, and whether it wants to be answered.

use super::snmp::{answer, ask};
use super::*;
use crate::model::exchange::Expectation;
use crate::model::topology::Role;

/// Each line with the link header that it came in.
fn correlate_framed(lines: &[(Line, LinkAudience)]) -> (Vec<Exchange>, Topology) {
    let mut correlator = Correlator::new(1_000);
    for (number, (line, link_audience)) in lines.iter().enumerate() {
        correlator.push(HOST, &Packet { link_audience: *link_audience, ..packet(number, *line) });
    }
    let places = BTreeMap::from([(HOST, place(PointKind::Host))]);
    finish_with_roles(correlator, &places)
}

/// The address does not look like a broadcast's: the network's mask is 25 bits long.
#[test]
fn who_answers_a_frame_to_all_hosts_is_no_stranger() {
    use LinkAudience::{Broadcast, Multicast, One, Unknown};
    let v4 = [
        (0, "192.0.2.7:5000 > 192.0.2.127:161", ask(1)),
        (2, "192.0.2.11:161 > 192.0.2.7:5000", answer(1)),
        (3, "192.0.2.12:161 > 192.0.2.7:5000", answer(1)),
        (2_000, "192.0.2.7:5000 > 192.0.2.127:161", ask(1)),
    ];
    let v6 = [
        (0, "[2001:db8::7]:5000 > [2001:db8::ff]:161", ask(1)),
        (2, "[2001:db8::11]:161 > [2001:db8::7]:5000", answer(1)),
        (3, "[2001:db8::12]:161 > [2001:db8::7]:5000", answer(1)),
        (2_000, "[2001:db8::7]:5000 > [2001:db8::ff]:161", ask(1)),
    ];
    let cases = [
        ("broadcast", v4, Broadcast, true),
        ("the group of a cluster", v4, Multicast, false),
        ("unicast", v4, One, false),
        ("no header", v4, Unknown, false),
        // IPv6 has no broadcast (RFC 4291 section 2).
        ("broadcast, IPv6", v6, Broadcast, false),
        ("unicast, IPv6", v6, One, false),
    ];
    for (name, lines, audience, to_all) in cases {
        let framed = lines.map(|line| {
            let is_request = matches!(line.2, Says::Ask { .. });
            (line, if is_request { audience } else { One })
        });
        let (exchanges, topology) = correlate_framed(&framed);
        let [exchange] = &exchanges[..] else { panic!("{name}: {exchanges:#?}") };
        let view = exchange.primary();
        assert_eq!(view.reply_packets(), 2, "{name}");
        let changed = view.changed_replies().count();
        assert_eq!(changed, if to_all { 0 } else { 2 }, "{name}");
        let asked = view.asked.unwrap().address;
        assert_eq!(topology.role_of(asked) == Role::Broadcast, to_all, "{name}");
        // A poller's device is whom it asks, unless that is nobody.
        let device = if to_all { exchange.client.address } else { asked };
        assert_eq!(exchange.device, device, "{name}");
    }
}

#[test]
fn frames_that_were_made_by_hand_tell_nothing() {
    use LinkAudience::{Broadcast, One};
    let up = "192.0.2.7:5000 > 198.51.100.21:161";
    let (own, other) = ("198.51.100.21:161 > 192.0.2.7:5000", "198.51.100.22:161 > 192.0.2.7:5000");
    let cases = [
        ("answered by the address itself", own, One, 0),
        ("all frames are for all hosts", own, Broadcast, 0),
        ("all frames are for all hosts, and another answered", other, Broadcast, 1),
    ];
    for (name, down, audience, changed) in cases {
        let lines = [
            ((0, up, ask(1)), Broadcast),
            ((2, down, answer(1)), audience),
            ((2_000, up, ask(2)), Broadcast),
            ((2_002, down, answer(2)), audience),
        ];
        let (exchanges, topology) = correlate_framed(&lines);
        let [exchange] = &exchanges[..] else { panic!("{name}: {exchanges:#?}") };
        let view = exchange.primary();
        assert_eq!(view.reply_packets(), 2, "{name}");
        assert_eq!(view.changed_replies().count(), changed, "{name}");
        let asked = view.asked.unwrap().address;
        assert_ne!(topology.role_of(asked), Role::Broadcast, "{name}");
        assert_eq!(exchange.device, asked, "{name}");
    }
}

/// Each frame with its own link header: what it makes of an address, whatever came first.
#[test]
fn one_frame_for_all_makes_no_host_a_broadcast() {
    type Framed = Vec<(Line, LinkAudience)>;

    use LinkAudience::{Broadcast, One};
    // 7 and 127 end in ones as well.
    for server in ["192.0.2.5", "192.0.2.7", "192.0.2.127"] {
        let asks = line("192.0.2.20:5000", &format!("{server}:161"));
        let answers = line(&format!("{server}:161"), "192.0.2.20:5000");
        let wakes =
            ((9_000, line("192.0.2.9:50000", &format!("{server}:9")), Says::Bytes(6)), Broadcast);
        let refused: Line = (20, line(server, "192.0.2.20"), Says::Unreachable(asks));
        let by_hand = [
            ((20_000, line("192.0.2.30:5000", "192.0.2.40:161"), ask(8)), Broadcast),
            ((20_001, line("192.0.2.40:161", "192.0.2.30:5000"), answer(8)), Broadcast),
        ];
        let own = [((0, asks, ask(1)), One), ((10, answers, answer(1)), One)];
        let silent = ((0, asks, ask(1)), One);
        let to_all = ((0, asks, ask(1)), Broadcast);
        let cases: [(&str, Framed); 6] = [
            ("answered, then woken", [&own[..], &[wakes]].concat()),
            ("woken, then answered", [&[wakes][..], &own[..]].concat()),
            ("silent, then woken", vec![silent, wakes]),
            ("woken, then silent", vec![wakes, silent]),
            ("all frames are for all, and it is refused", vec![to_all, (refused, Broadcast)]),
            ("another shows that frames are made by hand", [&[to_all][..], &by_hand].concat()),
        ];
        for (name, lines) in cases {
            let (exchanges, topology) = correlate_framed(&lines);
            assert_ne!(
                topology.role_of(server.parse().unwrap()),
                Role::Broadcast,
                "{name}, {server}"
            );
            let polled = endpoint(&format!("{server}:161"));
            let exchange =
                exchanges.iter().find(|exchange| exchange.primary().asked == Some(polled)).unwrap();
            assert_eq!(exchange.device, polled.address, "{name}, {server}");
        }
    }
}

#[test]
fn a_relays_answer_in_a_frame_for_all_casts_no_doubt_on_others() {
    use LinkAudience::{Broadcast, One};
    let dhcp = Says::Plain(Protocol::Dhcp);
    for all in ["192.0.2.255", "192.0.2.127"] {
        let finds: &'static str = format!("192.0.2.20:17500 > {all}:17500").leak();
        let lines = [
            ((0, "192.0.2.20:68 > 192.0.2.1:67", dhcp), One),
            ((10, "192.0.2.1:67 > 192.0.2.20:68", dhcp), Broadcast),
            ((1_000, finds, Says::Bytes(1)), Broadcast),
            ((9_000, finds, Says::Bytes(1)), Broadcast),
        ];
        let (exchanges, topology) = correlate_framed(&lines);
        assert_eq!(topology.role_of(all.parse().unwrap()), Role::Broadcast);
        assert_ne!(topology.role_of("192.0.2.20".parse().unwrap()), Role::Broadcast);
        assert_eq!(exchanges.len(), 2);
        assert_eq!(exchanges[0].primary().reply_packets(), 1, "the relay's answer is one");
    }
}

#[test]
fn what_wants_no_answer_is_no_request() {
    use TransactionRole::{Notification, Unread};
    let says = |role| move |identity| Says::Tells { protocol: Protocol::Sip, role, identity };
    let (keeps, strays) = (says(Notification), says(Unread));
    let asks = |identity| Says::Ask { protocol: Protocol::Sip, identity, question: identity };
    let answers = |identity| Says::Answer { protocol: Protocol::Sip, identity };
    for [up, down] in [
        ["192.0.2.7:5060 > 198.51.100.21:5060", "198.51.100.21:5060 > 192.0.2.7:5060"],
        [
            "[2001:db8::7]:5060 > [2001:db8:1::21]:5060",
            "[2001:db8:1::21]:5060 > [2001:db8::7]:5060",
        ],
    ] {
        let lines = |says: &[(&'static str, Says)]| -> Vec<Line> {
            says.iter().zip(0..).map(|((line, says), n)| (n * 30_000, *line, *says)).collect()
        };
        let cases = [
            (
                "keep-alives",
                vec![(up, keeps(9)), (up, keeps(9)), (up, keeps(9))],
                0,
                Expectation::Nothing,
            ),
            ("what is not read", vec![(up, strays(9)), (up, strays(9))], 0, Expectation::Untold),
            (
                "an answered request, then keep-alives",
                vec![(up, asks(1)), (down, answers(1)), (up, keeps(9)), (up, keeps(9))],
                0,
                Expectation::Answer,
            ),
            (
                "an answered request, then what is not read",
                vec![(up, asks(1)), (down, answers(1)), (up, strays(9)), (up, strays(9))],
                0,
                Expectation::Answer,
            ),
            (
                "keep-alives, then requests",
                vec![(up, keeps(9)), (up, asks(1)), (up, asks(1))],
                2,
                Expectation::Answer,
            ),
            (
                "media of a relay",
                vec![(up, asks(1)), (down, answers(1)), (up, Says::Bytes(5)), (up, Says::Bytes(6))],
                0,
                Expectation::Answer,
            ),
        ];
        for (name, said, unanswered, expectation) in cases {
            let exchange = only_exchange(&lines(&said));
            let view = exchange.primary();
            assert_eq!(view.expectation, expectation, "{name}");
            assert_eq!(view.unanswered.packets, unanswered, "{name}");
            let again = u64::from(name == "keep-alives, then requests");
            assert_eq!(view.repeats(), again, "{name}");
        }
    }
}

#[test]
fn an_answer_that_is_read_may_belong_to_a_question_that_is_not() {
    let v4 = ["192.0.2.7:5000 > 198.51.100.21:1161", "198.51.100.22:1161 > 192.0.2.7:5000"];
    let v6 = [
        "[2001:db8::7]:5000 > [2001:db8:1::21]:1161",
        "[2001:db8:1::22]:1161 > [2001:db8::7]:5000",
    ];
    for [up, down] in [v4, v6] {
        for (name, says, delay_ms, expected) in [
            ("an answer that is read", answer(1), 3, 1),
            ("one that is not", Says::Bytes(9), 3, 1),
            ("one that comes too late", answer(1), 30_000, 0),
            ("a question", ask(1), 3, 0),
        ] {
            let lines = [(0, up, Says::Bytes(5)), (delay_ms, down, says)];
            let exchanges = correlate(&[(HOST, &lines)]).exchanges;
            let asked = flow(up).destination;
            let own = exchanges.iter().find(|exchange| exchange.primary().asked == Some(asked));
            let changed = own.unwrap().primary().changed_replies().count();
            assert_eq!(changed, expected, "{name}");
        }
    }
}
