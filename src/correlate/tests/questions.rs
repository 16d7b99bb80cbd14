//! Which question an answer answers, where a socket asks more than one.

use super::dns::answer;
use super::*;

const A: &str = "192.0.2.7:5000 > 198.51.100.21:53";
const A_BACK: &str = "198.51.100.21:53 > 192.0.2.7:5000";
const B: &str = "[2001:db8::7]:5000 > [2001:db8:1::21]:53";
const B_BACK: &str = "[2001:db8:1::21]:53 > [2001:db8::7]:5000";
const BOTH: [(&str, &str); 2] = [(A, A_BACK), (B, B_BACK)];

fn ask(identity: u64, question: u64) -> Says {
    Says::Ask { protocol: Protocol::Dns, identity, question }
}

/// Of one exchange: packets asked, passed over, asked since the last reply, repeated.
fn counts(lines: &[Line]) -> [u64; 4] {
    let exchange = only_exchange(lines);
    let view = exchange.primary();
    [
        view.requests.packets,
        view.passed_over.packets,
        view.unanswered.packets,
        view.requests.repeats,
    ]
}

#[test]
fn an_answer_leaves_other_questions_open() {
    for (to, back) in BOTH {
        let end = (20_000, to, ask(99, 99));
        let cases: [(&str, &[Line], [u64; 4]); 5] = [
            (
                "one of a pair",
                &[(0, to, ask(1, 1)), (0, to, ask(2, 2)), (1, back, answer(1)), end],
                [3, 1, 1, 0],
            ),
            (
                "both of a pair",
                &[
                    (0, to, ask(1, 1)),
                    (0, to, ask(2, 2)),
                    (1, back, answer(2)),
                    (2, back, answer(1)),
                    end,
                ],
                [3, 0, 1, 0],
            ),
            (
                "one of a pair, and both again",
                &[
                    (0, to, ask(1, 1)),
                    (0, to, ask(2, 2)),
                    (1, back, answer(1)),
                    (5_000, to, ask(1, 1)),
                    (5_000, to, ask(2, 2)),
                    (5_001, back, answer(1)),
                    end,
                ],
                [5, 2, 1, 2],
            ),
            (
                "a late answer to something else",
                &[
                    (0, to, ask(1, 1)),
                    (10_000, to, ask(2, 2)),
                    (15_000, to, ask(2, 2)),
                    (16_000, back, answer(1)),
                    end,
                ],
                [4, 2, 1, 1],
            ),
            (
                "the same under a new identity",
                &[(0, to, ask(1, 1)), (5_000, to, ask(2, 1)), (5_001, back, answer(2)), end],
                [3, 0, 1, 0],
            ),
        ];
        for (name, lines, expected) in cases {
            assert_eq!(counts(lines), expected, "{name}, {to}");
        }
    }
}

#[test]
fn what_the_last_seconds_hold_may_still_be_answered() {
    for (to, back) in BOTH {
        for (end_ms, expected) in [(1_500, 0), (2_500, 1)] {
            let lines: [Line; 4] = [
                (0, to, ask(1, 1)),
                (0, to, ask(2, 2)),
                (1, back, answer(1)),
                (end_ms, to, ask(3, 3)),
            ];
            assert_eq!(counts(&lines)[1], expected, "{end_ms} ms");
        }
    }
}

#[test]
fn copies_are_told_from_retries_that_go_together() {
    for (to, back) in BOTH {
        // A mirror shows each packet twice: nobody repeats himself within a millisecond.
        let at = |microseconds: i64, line, says| {
            let packet = packet(0, (1_000, line, says));
            Packet { at: Timestamp::from_microseconds(1_000_000 + microseconds), ..packet }
        };
        let cases = [
            (
                "copies",
                vec![
                    at(0, to, ask(1, 1)),
                    at(20, to, ask(2, 2)),
                    at(40, to, ask(1, 1)),
                    at(60, to, ask(2, 2)),
                ],
                2,
            ),
            (
                "retries",
                vec![
                    at(0, to, ask(1, 1)),
                    at(20, to, ask(2, 2)),
                    at(900, back, answer(1)),
                    at(5_000_000, to, ask(1, 1)),
                    at(5_000_020, to, ask(2, 2)),
                ],
                4,
            ),
            (
                "copies behind the answer",
                vec![
                    at(0, to, ask(2, 2)),
                    at(10, to, ask(1, 1)),
                    at(300, back, answer(1)),
                    at(400, to, ask(1, 1)),
                ],
                2,
            ),
        ];
        for (name, packets, expected) in cases {
            let mut correlator = Correlator::new(10);
            for (number, packet) in (1..).zip(packets) {
                correlator.push(HOST, &Packet { frame: number, ..packet });
            }
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            assert_eq!(exchanges[0].primary().requests.packets, expected, "{name}, {to}");
        }
    }
}

#[test]
fn an_identity_that_never_changes_is_asked_anew() {
    let v4 = ("192.0.2.1:4000 > 198.51.100.5:161", "198.51.100.5:161 > 192.0.2.1:4000");
    let v6 = ("[2001:db8::1]:4000 > [2001:db8::5]:161", "[2001:db8::5]:161 > [2001:db8::1]:4000");
    for (to, back) in [v4, v6] {
        let protocol = Protocol::Snmp;
        for (apart_ms, expected) in [(30_000, (None, 0)), (1_000, (Some(3), 6))] {
            let lines: Vec<Line> = (0..4)
                .flat_map(|round| {
                    let ask = Says::Ask { protocol, identity: 7, question: 1 };
                    let answer = Says::Answer { protocol, identity: 7 };
                    let at_ms = round * apart_ms;
                    [(at_ms, to, ask), (at_ms + 10, back, answer)]
                })
                .collect();
            let exchange = only_exchange(&lines);
            let view = exchange.primary();
            let found = (view.asked_again.map(|again| again.times), view.repeats());
            assert_eq!(found, expected, "{apart_ms} ms apart, {to}");
        }
    }
}

#[test]
fn an_identity_that_is_given_to_all_questions_tells_none_apart() {
    let ask = |question| Says::Ask { protocol: Protocol::Snmp, identity: 99, question };
    let answer = Says::Answer { protocol: Protocol::Snmp, identity: 99 };
    for [up, down] in [
        ["192.0.2.7:5000 > 198.51.100.5:161", "198.51.100.5:161 > 192.0.2.7:5000"],
        ["[2001:db8::7]:5000 > [2001:db8:1::5]:161", "[2001:db8:1::5]:161 > [2001:db8::7]:5000"],
    ] {
        let walk = |pause_ms: i64, skipped: Option<u64>| -> Vec<Line> {
            let turn = |number: u64| {
                let at_ms = i64::try_from(number).unwrap() * pause_ms;
                let asks = (at_ms, up, ask(number + 1));
                let answers = (Some(number) != skipped).then_some((at_ms + 20, down, answer));
                [Some(asks), answers].into_iter().flatten()
            };
            (0..6).flat_map(turn).collect()
        };
        for pause_ms in [100, 500, 4_000] {
            let exchange = only_exchange(&walk(pause_ms, None));
            let view = exchange.primary();
            assert_eq!(view.asked_again, None, "every {pause_ms} ms");
            assert_eq!((view.repeats(), view.unanswered.packets), (0, 0), "every {pause_ms} ms");
            assert_eq!(view.replies[0].tally.repeats, 0, "every {pause_ms} ms");
        }
        // The third was lost; those after it were answered.
        let exchange = only_exchange(&walk(4_000, Some(2)));
        assert_eq!(exchange.primary().passed_over.packets, 1);
        // The same question again is a retry all the same.
        let again =
            [(0, up, ask(1)), (20, down, answer), (1_000, up, ask(1)), (1_020, down, answer)];
        let exchange = only_exchange(&again);
        assert!(exchange.primary().asked_again.is_some());
        // Asked together, within a millisecond, neither is the other's copy.
        let at_once = [1, 2, 3].map(|question| (1_000, up, ask(question)));
        let together = [&at_once[..], &[(5_000, up, ask(4))]].concat();
        assert_eq!(only_exchange(&together).primary().requests.packets, 4);
    }
}

#[test]
fn text_without_times_keeps_its_repetitions() {
    for (to, _) in BOTH {
        assert_eq!(counts(&[(0, to, ask(1, 1)); 4]), [4, 0, 4, 3], "{to}");
        let mut correlator = Correlator::new(10);
        for number in 0..4 {
            let packet = packet(number, (0, to, ask(1, 1)));
            correlator.push(HOST, &Packet { ip_identification: Some(9), ..packet });
        }
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        assert_eq!(exchanges[0].primary().requests.packets, 1, "one packet, four times");
    }
}

#[test]
fn what_the_other_side_asks_is_an_exchange_of_its_own() {
    let sip = Protocol::Sip;
    let v4 = ("192.0.2.7:5060 > 198.51.100.21:5060", "198.51.100.21:5060 > 192.0.2.7:5060");
    let v6 = (
        "[2001:db8::7]:5060 > [2001:db8:1::21]:5060",
        "[2001:db8:1::21]:5060 > [2001:db8::7]:5060",
    );
    for (to, back) in [v4, v6] {
        let ask = |identity| Says::Ask { protocol: sip, identity, question: identity };
        let answer = |identity| Says::Answer { protocol: sip, identity };
        let lines: [Line; 6] = [
            (0, to, ask(1)),
            (500, to, ask(1)),
            (1_500, to, ask(1)),
            (2_000, back, ask(2)),
            (2_001, to, answer(2)),
            (9_000, to, ask(1)),
        ];
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        let found: Vec<_> = exchanges
            .iter()
            .map(|exchange| {
                let view = exchange.primary();
                (exchange.client, view.requests.packets, view.reply_packets())
            })
            .collect();
        assert_eq!(found, [(flow(to).source, 4, 0), (flow(back).source, 1, 1)], "{to}");
        // Both sides of ICE check whether they reach the other: one may, and the other not.
        let stun = |identity| Says::Ask { protocol: Protocol::Stun, identity, question: identity };
        let lines: [Line; 2] = [(0, to, stun(1)), (1, back, stun(2))];
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        assert_eq!(exchanges.len(), 2);
        assert!(exchanges.iter().all(|exchange| exchange.primary().reply_packets() == 0), "{to}");
    }
}

#[test]
fn a_socket_that_asks_very_many_is_answered_from_elsewhere() {
    for (from, to, elsewhere) in [
        ("192.0.2.1:4000", "198.51.100.", "203.0.113.9:161"),
        ("[2001:db8::1]:4000", "[2001:db8:1::", "[2001:db8:2::9]:161"),
    ] {
        for agents in [20, 40, 400] {
            let snmp = Protocol::Snmp;
            let agent = |number: u64| {
                if to.starts_with('[') {
                    format!("{to}{number:x}]:161")
                } else {
                    format!("198.51.{}.{}:161", number / 200, number % 200 + 1)
                }
            };
            let mut lines: Vec<Line> = (0..agents)
                .map(|number| {
                    let ask = Says::Ask { protocol: snmp, identity: 1_000 + number, question: 1 };
                    let line: &str = format!("{from} > {}", agent(number)).leak();
                    (i64::try_from(number).unwrap(), line, ask)
                })
                .collect();
            let back: &str = format!("{elsewhere} > {from}").leak();
            lines.push((500, back, Says::Answer { protocol: snmp, identity: 1_003 }));
            let exchanges = correlate(&[(HOST, &lines)]).exchanges;
            assert_eq!(u64::try_from(exchanges.len()).unwrap(), agents, "{from}");
            let answered: Vec<_> = exchanges
                .iter()
                .filter(|exchange| exchange.primary().reply_packets() > 0)
                .map(|exchange| (exchange.primary().asked, exchange.primary().replies[0].origin))
                .collect();
            let expected = (Some(endpoint(&agent(3))), Origin::OtherAddress(Confidence::Certain));
            assert_eq!(answered, [expected], "{agents} agents, {from}");
        }
    }
}

#[test]
fn questions_that_arrive_together_leave_translated_together() {
    for (asked, behind) in [
        ("192.0.2.7:5000 > 198.51.100.21:53", "192.0.2.7:5000 > 203.0.113.16:53"),
        ("[2001:db8::7]:5000 > [2001:db8:1::21]:53", "[2001:db8::7]:5000 > [2001:db8:2::16]:53"),
    ] {
        let lines: [Line; 4] = [
            (1, asked, ask(1, 1)),
            (1, asked, ask(2, 2)),
            (2, behind, ask(1, 1)),
            (2, behind, ask(2, 2)),
        ];
        // Forwarded, or sent to a second server.
        for (hops, expected) in [(63, HOST.translated()), (64, HOST)] {
            let mut correlator = Correlator::new(10);
            for ((number, line), hops) in lines.into_iter().enumerate().zip([64, 64, hops, hops]) {
                let hop_marks = HopMarks::of_v4(hops);
                correlator.push(HOST, &Packet { hop_marks, ..packet(number, line) });
            }
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            let points: Vec<PointId> =
                exchanges.iter().flat_map(|e| &e.views).map(|view| view.point).collect();
            assert_eq!(points, [HOST, expected], "{hops} hops, {asked}");
        }
    }
}
