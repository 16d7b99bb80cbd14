//! One socket that asks several servers the same, and what they say.

use super::dns::{answer, ask};
use super::*;
use crate::model::capture::Direction;
use crate::model::topology::{AddressRole, FactSource, Role};

/// To A, to B, back from A, back from B, and the refusal of B's answer.
struct Pair {
    to: [&'static str; 2],
    from: [&'static str; 2],
    refusal: (&'static str, &'static str),
}

const V4: Pair = Pair {
    to: ["192.0.2.7:5000 > 198.51.100.21:53", "192.0.2.7:5000 > 203.0.113.16:53"],
    from: ["198.51.100.21:53 > 192.0.2.7:5000", "203.0.113.16:53 > 192.0.2.7:5000"],
    refusal: ("192.0.2.7 > 203.0.113.16", "203.0.113.16:53 > 192.0.2.7:5000"),
};
const V6: Pair = Pair {
    to: ["[2001:db8::7]:5000 > [2001:db8:1::21]:53", "[2001:db8::7]:5000 > [2001:db8:2::16]:53"],
    from: ["[2001:db8:1::21]:53 > [2001:db8::7]:5000", "[2001:db8:2::16]:53 > [2001:db8::7]:5000"],
    refusal: ("2001:db8::7 > 2001:db8:2::16", "[2001:db8:2::16]:53 > [2001:db8::7]:5000"),
};

/// The answers that each server's exchange got, in the order of `to`.
fn answers(correlated: &Correlated, pair: &Pair) -> Vec<u64> {
    let asked = pair.to.map(|line| flow(line).destination);
    asked
        .iter()
        .filter_map(|asked| {
            let mut exchanges = correlated.exchanges.iter();
            let exchange = exchanges.find(|exchange| exchange.primary().asked == Some(*asked))?;
            assert!(exchange.translations.is_empty(), "{exchange:#?}");
            Some(exchange.primary().reply_packets())
        })
        .collect()
}

#[test]
fn two_servers_that_answer_themselves_were_both_asked() {
    for pair in [V4, V6] {
        let Pair { to: [to_a, to_b], from: [from_a, from_b], .. } = pair;
        let both = [(0, to_a, ask(1)), (0, to_b, ask(1))];
        let cases: [(&str, Vec<Line>, &[u64]); 5] = [
            ("A, then B", vec![(33, from_a, answer(1)), (37, from_b, answer(1))], &[1, 1]),
            ("B, then A", vec![(33, from_b, answer(1)), (90, from_a, answer(1))], &[1, 1]),
            ("only B", vec![(33, from_b, answer(1))], &[0, 1]),
            // A translated answer is seen from behind as well.
            ("only A", vec![(33, from_a, answer(1))], &[1, 0]),
            // As far as that goes it may be a translation.
            ("nobody", vec![], &[0]),
        ];
        for (name, rest, expected) in cases {
            let lines: Vec<Line> = both.into_iter().chain(rest).collect();
            let correlated = correlate(&[(HOST, &lines)]);
            let own: Vec<u64> = if expected.len() == 2 {
                answers(&correlated, &pair)
            } else {
                correlated.exchanges.iter().map(|one| one.primary().reply_packets()).collect()
            };
            assert_eq!(own, expected, "{name}: {:#?}", correlated.exchanges);
        }
    }
}

/// What a packet's header says beside its addresses: direction, IPv4 identification,
/// hop limit and flow label.
type Header = (Option<Direction>, Option<u16>, HopMarks);

fn marked(number: usize, line: Line, (direction, ip_identification, hop_marks): Header) -> Packet {
    Packet { direction, ip_identification, hop_marks, ..packet(number, line) }
}

const BARE: Header = (None, None, HopMarks::UNKNOWN);

fn hops(hop_limit: u8, flow_label: u32) -> Header {
    (None, None, HopMarks::of_v6(hop_limit, flow_label))
}

#[test]
fn headers_tell_a_translation_from_two_questions() {
    for pair in [V4, V6] {
        let Pair { to: [to_a, to_b], from: [from_a, from_b], .. } = pair;
        // The second server answers first and at once, as a pod's answer is seen
        // before it leaves translated: only the requests tell.
        let lines =
            [(0, to_a, ask(1)), (0, to_b, ask(1)), (3, from_b, answer(1)), (3, from_a, answer(1))];
        let way = |direction| (Some(direction), None, HopMarks::UNKNOWN);
        let identified = |value| (None, Some(value), HopMarks::UNKNOWN);
        let cases = [
            ("nothing known", [BARE, BARE], 2),
            ("both go out", [way(Direction::Out), way(Direction::Out)], 2),
            ("in, then out", [way(Direction::In), way(Direction::Out)], 1),
            ("two datagrams", [identified(7), identified(8)], 2),
            ("one datagram", [identified(7), identified(7)], 1),
            ("no hop between", [hops(64, 0), hops(64, 0)], 2),
            ("one hop on", [hops(64, 0), hops(63, 0)], 1),
            ("one hop on, one label", [hops(64, 9), hops(63, 9)], 1),
            ("two labels", [hops(64, 9), hops(63, 8)], 2),
        ];
        for (name, headers, expected) in cases {
            let mut correlator = Correlator::new(100);
            for (number, line) in lines.into_iter().enumerate() {
                let header = headers.get(number).copied().unwrap_or(BARE);
                correlator.push(HOST, &marked(number, line, header));
            }
            let correlated = finish(correlator, &BTreeMap::new());
            assert_eq!(correlated.exchanges.len(), expected, "{name}");
            if expected == 2 {
                assert_eq!(answers(&correlated, &pair), [1, 1], "{name}");
            } else {
                let exchange = &correlated.exchanges[0];
                assert_eq!(exchange.views.len(), 2, "{name}");
                assert!(!exchange.translations.is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn without_headers_the_inventory_makes_a_translation_likely() {
    for pair in [V4, V6] {
        let Pair { to: [to_a, to_b], from: [from_a, from_b], .. } = pair;
        let lines =
            [(0, to_a, ask(1)), (0, to_b, ask(1)), (3, from_b, answer(1)), (3, from_a, answer(1))];
        for (role, expected) in [(Some(Role::Vip), 1), (Some(Role::External), 2), (None, 2)] {
            let mut correlator = Correlator::new(100);
            for (number, line) in lines.into_iter().enumerate() {
                correlator.push(HOST, &packet(number, line));
            }
            let mut topology = Topology::default();
            if let Some(role) = role {
                let (node, pod, source) = (None, None, FactSource::Packets);
                let belief = AddressRole { role, node, pod, source, reason: String::new() };
                topology.infer(flow(to_a).destination.address, belief);
            }
            let correlated = correlator.finish(&BTreeMap::new(), &mut topology);
            assert_eq!(correlated.entries(&topology).count(), expected, "{role:?}");
        }
    }
}

#[test]
fn strangers_that_say_the_same_at_once_relay_nothing() {
    let rows = [
        [
            "192.0.2.7:5000 > 198.51.100.21:69",
            "192.0.2.8:6000 > 203.0.113.16:69",
            "192.0.2.9:5000 > 203.0.113.16:69",
        ],
        [
            "[2001:db8::7]:5000 > [2001:db8:1::21]:69",
            "[2001:db8::8]:6000 > [2001:db8:2::16]:69",
            "[2001:db8::9]:5000 > [2001:db8:2::16]:69",
        ],
    ];
    for [first, second, third] in rows {
        for (name, later, expected) in [
            ("their own", [hops(64, 0), hops(64, 0)], 3),
            ("nothing known", [BARE, BARE], 3),
            ("relayed", [hops(63, 0), hops(64, 0)], 2),
        ] {
            let mut correlator = Correlator::new(100);
            let headers = [hops(64, 0), later[0], later[1]];
            for (number, line) in [first, second, third].into_iter().enumerate() {
                let mut packet = marked(number, (0, line, Says::Write("a.cfg")), headers[number]);
                if let Content::Datagram(datagram) = &mut packet.content {
                    datagram.fingerprint = Some(7);
                }
                correlator.push(HOST, &packet);
            }
            let places = BTreeMap::from([(HOST, place(PointKind::Host))]);
            let points: Vec<_> = finish(correlator, &places)
                .exchanges
                .iter()
                .filter(|exchange| exchange.primary().point == HOST)
                .map(|exchange| exchange.client)
                .collect();
            assert_eq!(points.len(), expected, "{name}: {points:?}");
        }
    }
}

#[test]
fn a_refusal_after_another_servers_answer_is_known_for_that() {
    for pair in [V4, V6] {
        let Pair { to: [to_a, to_b], from: [from_a, from_b], refusal: (ends, quoted) } = pair;
        let lines = [
            (0, to_a, ask(1)),
            (0, to_b, ask(1)),
            (33, from_a, answer(1)),
            (37, from_b, answer(1)),
            (38, ends, Says::Unreachable(quoted)),
        ];
        let correlated = correlate(&[(HOST, &lines)]);
        let [first, second] = pair.to.map(|line| {
            let asked = Some(flow(line).destination);
            let mut exchanges = correlated.exchanges.iter();
            exchanges.find(|exchange| exchange.primary().asked == asked).unwrap().primary()
        });
        assert_eq!(second.icmp_errors.len(), 1);
        assert_eq!(second.answered_elsewhere.map(|frame| frame.number), Some(3));
        assert_eq!(first.answered_elsewhere, None);
    }
}

#[test]
fn each_request_may_be_answered_from_a_port_of_its_own() {
    for [client, asked, other, stranger] in [
        ["192.0.2.7:5000", "198.51.100.21", "198.51.100.13", "198.51.100.99"],
        ["[2001:db8::7]:5000", "[2001:db8:1::21]", "[2001:db8:1::13]", "[2001:db8:1::99]"],
    ] {
        let there = line(client, &format!("{asked}:9999"));
        // who answers first, who later, of how many exchanges that is, with how many answers
        let cases = [
            ("whom was asked", asked, asked, 1, 4),
            ("a translation", other, other, 1, 4),
            ("another than before", other, stranger, 4, 1),
        ];
        for (name, first, later, exchanges, answers) in cases {
            let mut lines = Vec::new();
            for request in 0..4_u16 {
                let at_ms = i64::from(request) * 4_000;
                let from = if request == 0 { first } else { later };
                let back = line(&format!("{from}:{}", 45_000 + request), client);
                lines.push((at_ms, there, Says::Bytes(u64::from(request))));
                lines.push((at_ms + 50, back, Says::Bytes(90)));
                lines.push((at_ms + 60, back, Says::Bytes(91)));
            }
            let found = correlate(&[(HOST, &lines)]).exchanges;
            assert_eq!(found.len(), exchanges, "{name}");
            let own = found.iter().find(|exchange| exchange.client == endpoint(client)).unwrap();
            assert_eq!(own.primary().reply_packets(), answers * 2, "{name}");
        }
        // What nobody waits for answers nothing.
        let pushed = [
            (0, there, Says::Bytes(1)),
            (50, line(&format!("{asked}:45000"), client), Says::Bytes(2)),
            (2_000, line(&format!("{asked}:45001"), client), Says::Bytes(3)),
        ];
        assert_eq!(correlate(&[(HOST, &pushed)]).exchanges.len(), 2);
    }
}

#[test]
fn a_second_answerer_repeats_nothing() {
    for Pair { to: [to_a, _], from: [from_a, from_b], .. } in [V4, V6] {
        let exchange = only_exchange(&[
            (0, to_a, ask(1)),
            (1, from_b, answer(1)),
            (20, from_a, answer(1)),
            (3_000, from_a, answer(1)),
        ]);
        let view = exchange.primary();
        let told: Vec<(u64, u64)> =
            view.replies.iter().map(|r| (r.tally.packets, r.tally.repeats)).collect();
        // What A said it repeated itself.
        assert_eq!(told, [(1, 0), (2, 1)]);
    }
}

#[test]
fn an_announcement_to_a_group_is_its_senders() {
    for line in ["192.0.2.7:5353 > 224.0.0.251:5353", "[2001:db8::7]:5353 > [ff02::fb]:5353"] {
        let says = Says::Answer { protocol: Protocol::Mdns, identity: 1 };
        let exchange = only_exchange(&[(0, line, says)]);
        assert_eq!(exchange.device, flow(line).source.address);
        assert_eq!(exchange.primary().asked, Some(flow(line).destination));
    }
}

#[test]
fn an_error_is_the_servers_word_until_it_says_something_else() {
    let v4 = ["192.0.2.7:5000 > 198.51.100.21:69", "198.51.100.21:4000 > 192.0.2.7:5000"];
    let v6 =
        ["[2001:db8::7]:5000 > [2001:db8:1::21]:69", "[2001:db8:1::21]:4000 > [2001:db8::7]:5000"];
    for [there, back] in [v4, v6] {
        let error = Some("ERROR 3 \"disk full\"");
        let cases: [(&[Says], Option<&str>); 5] = [
            (&[Says::Error(3)], error),
            (&[Says::OptionAck, Says::Error(3)], error),
            (&[Says::Error(3), Says::OptionAck], None),
            // Unknown transfer ID: somebody else's packet came astray.
            (&[Says::OptionAck, Says::Error(5)], None),
            (&[Says::Error(5)], Some("ERROR 5 \"disk full\"")),
        ];
        for (said, expected) in cases {
            let replies = (1..).zip(said).map(|(second, said)| (second * 1_000, back, *said));
            let lines: Vec<Line> =
                std::iter::once((0, there, Says::Write("a.cfg"))).chain(replies).collect();
            let exchange = only_exchange(&lines);
            let told = exchange.primary().error_answer.as_ref().map(|answer| &*answer.words);
            assert_eq!(told, expected);
        }
    }
}
