//! One socket that asks several servers the same, and what they say.

use super::*;
use crate::model::capture::Direction;

const DNS: Protocol = Protocol::Dns;

fn ask(identity: u64) -> Says {
    Says::Ask { protocol: DNS, identity, question: 1 }
}

fn answer(identity: u64) -> Says {
    Says::Answer { protocol: DNS, identity }
}

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
            // As far as that goes it may be a translation that lost its answer.
            ("only A", vec![(33, from_a, answer(1))], &[1]),
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

#[test]
fn an_answer_that_comes_translated_at_once_is_a_copy() {
    for Pair { to: [to_a, to_b], from: [from_a, from_b], .. } in [V4, V6] {
        let lines =
            [(0, to_a, ask(1)), (0, to_b, ask(1)), (3, from_b, answer(1)), (3, from_a, answer(1))];
        let exchange = only_exchange(&lines);
        assert_eq!(exchange.views.len(), 2);
        assert!(!exchange.translations.is_empty());
    }
}

#[test]
fn who_sends_twice_forwards_nothing() {
    for pair in [V4, V6] {
        let Pair { to: [to_a, to_b], from: [from_a, from_b], .. } = pair;
        // The answers come at once, so that only the requests tell.
        let lines =
            [(0, to_a, ask(1)), (0, to_b, ask(1)), (3, from_b, answer(1)), (3, from_a, answer(1))];
        let out = Some(Direction::Out);
        let cases = [
            ("both go out", [out, out], [None, None], 2),
            ("in, then out", [Some(Direction::In), out], [None, None], 1),
            ("two datagrams", [None, None], [Some(7), Some(8)], 2),
            ("one datagram", [None, None], [Some(7), Some(7)], 1),
        ];
        for (name, directions, identifications, expected) in cases {
            let mut correlator = Correlator::new(100);
            for (number, line) in lines.into_iter().enumerate() {
                let direction = directions.get(number).copied().flatten();
                let ip_identification = identifications.get(number).copied().flatten();
                let packet = Packet { direction, ip_identification, ..packet(number, line) };
                correlator.push(HOST, &packet);
            }
            let correlated = finish(correlator, &BTreeMap::new());
            assert_eq!(correlated.exchanges.len(), expected, "{name}");
            if expected == 2 {
                assert_eq!(answers(&correlated, &pair), [1, 1], "{name}");
            }
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
